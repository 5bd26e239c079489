//! The broker's disk is full and then has room again: every accepted document reaches its final state, without a
//! restart if nats-server recovers, and otherwise after the restart that `/readyz` and the log request.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::time::{Duration, Instant};

use gongkai_tests::{
    deployment::{Deployment, Plan},
    http, samples,
};

/// More than the store has room for, and few enough for a short test.
const DOCUMENTS: u32 = 60;

/// Posts a distinct report. Returns its id if it was accepted, else the code.
async fn post(deployment: &Deployment, number: u32) -> Result<String, String> {
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("01_")).unwrap();
    let body = [sample.bytes(), format!("\n附注{number}\n").into_bytes()].concat();
    let url = format!("{}/v1/reports?filename={number}.txt", deployment.ingest());
    let answer = http::post(&url, sample.media_type(), body).await.unwrap();
    match answer.status {
        202 => Ok(answer.json["submission_id"].as_str().unwrap().to_owned()),
        503 => Err(answer.json["code"].as_str().unwrap().to_owned()),
        _ => panic!("{answer:?}"),
    }
}

/// Returns true if a service is not ready and its answer contains `words`.
async fn said_at_readyz(deployment: &Deployment, words: &str) -> bool {
    let said = deployment.readiness().await;
    said.iter().any(|(_, status, text)| *status == 503 && text.contains(words))
}

async fn all_validated(deployment: &Deployment, accepted: &[String]) {
    for id in accepted {
        let receipt = http::settled(&deployment.ingest(), id).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_at_its_limit_goes_on_when_there_is_room() {
    let config = "jetstream { max_file_store: 24MB }";
    let mut deployment = Deployment::start_over(&Plan::default(), config).await;
    let context = async_nats::jetstream::new(async_nats::connect(deployment.broker().url()).await.unwrap());
    let filler = async_nats::jetstream::stream::Config {
        name: "FILLER".to_owned(),
        subjects: vec!["filler".to_owned()],
        ..Default::default()
    };
    context.create_stream(filler).await.unwrap();
    // Fills the store up to some hundred kilobytes, which the documents use.
    while context.publish("filler", vec![7; 200_000].into()).await.unwrap().await.is_ok() {}
    context.get_stream("FILLER").await.unwrap().delete_message(1).await.unwrap();
    let mut accepted = Vec::new();
    let mut codes = Vec::new();
    for number in 0..DOCUMENTS {
        match post(&deployment, number).await {
            Ok(id) => accepted.push(id),
            Err(code) => codes.push(code),
        }
    }
    // A sender keeps trying, so that there are failures to report.
    let started = Instant::now();
    while !said_at_readyz(&deployment, "STORAGE_FULL").await {
        assert!(started.elapsed() < Duration::from_secs(30), "nobody says it");
        post(&deployment, 1_000).await.ok();
    }
    assert!(!accepted.is_empty() && codes.iter().any(|code| code == "STORAGE_FULL"), "{codes:?}");
    context.delete_stream("FILLER").await.unwrap();
    all_validated(&deployment, &accepted).await;
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_is_said_and_the_restart_it_asks_for_mends_it() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    let mut accepted = vec![post(&deployment, 0).await.unwrap()];
    all_validated(&deployment, &accepted).await;
    deployment.broker().limit_files(Some(60_000));
    let mut refused = 0;
    for number in 1.. {
        match post(&deployment, number).await {
            Ok(id) => accepted.push(id),
            Err(_) => refused += 1,
        }
        if refused == 2 {
            break;
        }
    }
    deployment.broker().limit_files(None);
    let started = Instant::now();
    let said = loop {
        // A sender keeps trying, so that services notice.
        post(&deployment, 1_000).await.ok();
        let said = deployment.readiness().await;
        if let Some((_, _, text)) = said.iter().find(|(_, _, text)| text.contains("stores nothing in")) {
            break text.clone();
        }
        assert!(started.elapsed() < Duration::from_secs(60), "nobody says it: {said:?}");
    };
    assert!(said.contains("restart nats-server"), "{said}");
    let found = deployment.doctor(&[]);
    assert_eq!(found.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&found.stdout).contains("restart nats-server"), "{found:?}");
    deployment.broker().restart().await;
    all_validated(&deployment, &accepted).await;
    deployment.ready().await;
    deployment.assert_nothing_restarted();
}
