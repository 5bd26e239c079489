//! Streams and buckets are lost while services run. Within 30 s the services have recovered, or do nothing and
//! `/readyz` gives the reason in one sentence. No answer is wrong and no call hangs.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

mod alerts;
mod harness;
mod restarted;

use std::{path::Path, process::Command};

use gongkai_proto::subjects;
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
};

use crate::harness::{accepted, all_but, all_ready, all_say, context, refused, repaired, serves};

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_or_bucket_stops_everything_until_it_is_accepted() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let context = context(&mut deployment).await;
    context.delete_stream(subjects::STREAM_REPORTS).await.unwrap();
    all_say(&deployment, "stream GONGKAI_REPORTS is missing").await;
    refused(&deployment, 2).await;
    repaired(&deployment, "stream GONGKAI_REPORTS", "MISSING").await;
    accepted(&deployment, 2).await;
    // A lost document that is submitted again is not a repetition, because the present log does not have it.
    let again = accepted(&deployment, 1).await;
    serves(&deployment, again["revision"].as_str().unwrap()).await;

    context.delete_key_value(subjects::BUCKET_SUBMISSIONS).await.unwrap();
    all_say(&deployment, "entry bucket gongkai-submissions is missing").await;
    refused(&deployment, 3).await;
    repaired(&deployment, "entry bucket gongkai-submissions", "MISSING").await;
    accepted(&deployment, 3).await;
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_are_lost_while_the_broker_is_down_are_made_again() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let streams = deployment.broker().store().join("jetstream/$G/streams");
    deployment.broker().kill();
    for stream in [subjects::STREAM_REPORTS, subjects::STREAM_DEAD, subjects::STREAM_ALERTS] {
        std::fs::remove_dir_all(streams.join(stream).join("obs")).unwrap();
    }
    deployment.broker().restart().await;
    accepted(&deployment, 2).await;
    all_ready(&deployment).await;
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_is_neither_answered_for_nor_made_again() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    let before = accepted(&deployment, 1).await;
    // Deletes the store of the running broker, which continues with its open files until it restarts.
    let store = deployment.broker().store();
    std::fs::remove_dir_all(&store).unwrap();
    deployment.broker().restart().await;
    all_say(&deployment, " is missing").await;
    refused(&deployment, 2).await;
    let url = format!("{}/v1/submissions/{}", deployment.ingest(), before["submission_id"].as_str().unwrap());
    assert_eq!(
        http::get(&url).await.unwrap().status,
        503,
        "a receipt that is lost is not one that never was"
    );

    // A restarted service treats the empty broker as a new one; the others remember the old one.
    deployment.kill_and_restart("parse");
    all_but(&deployment, "parse", "is another one").await;
    refused(&deployment, 2).await;
    let repaired = deployment.doctor(&["--repair"]);
    assert!(repaired.status.success(), "{repaired:?}");
    all_ready(&deployment).await;
    accepted(&deployment, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_store_is_not_taken_for_the_latest() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let store = deployment.broker().store();
    let copied = tempfile::tempdir().unwrap();
    deployment.broker().kill();
    copy(&store, copied.path());
    deployment.broker().restart().await;
    accepted(&deployment, 2).await;
    deployment.broker().kill();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&copied.path().join("store"), &store);
    deployment.broker().restart().await;
    all_say(&deployment, "stream GONGKAI_REPORTS ends at").await;
    refused(&deployment, 3).await;
    assert!(deployment.doctor(&["--repair"]).status.success());
    all_ready(&deployment).await;
    accepted(&deployment, 3).await;
    deployment.assert_nothing_restarted();
}
