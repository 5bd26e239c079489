//! WatchReports: backlog, live, resume, rebuild, shutdown.

use gongkai_proto::subjects::Event;
use gongkai_proto::v1::{ReportChange, ReportWithdrawn, WatchReportsRequest, WatchReportsResponse};
use gongkai_query::Config;
use tokio::time::timeout;
use tonic::{Code, Streaming};
use tonic_types::StatusExt as _;

use crate::harness::{Bench, SOON};

fn watch(parent: &str, resume_token: &str) -> WatchReportsRequest {
    WatchReportsRequest { parent: parent.into(), resume_token: resume_token.into() }
}

async fn next(stream: &mut Streaming<WatchReportsResponse>) -> WatchReportsResponse {
    timeout(SOON, stream.message())
        .await
        .expect("a change comes in time")
        .unwrap()
        .expect("the stream goes on")
}

fn seen(change: &WatchReportsResponse) -> (String, ReportChange) {
    (change.report.as_ref().unwrap().name.clone(), change.change())
}

fn name(i: usize) -> String {
    format!("agencies/36{i:04}/reports/2023")
}

#[tokio::test]
async fn backlog_then_live_then_withdrawn() {
    let mut bench = Bench::start().await;
    bench.validate(&name(1), "aa", 2).await;
    bench.projected().await;
    let mut stream = bench.client().await.watch_reports(watch("agencies/-", "")).await.unwrap().into_inner();
    let first = next(&mut stream).await;
    assert_eq!(seen(&first), (name(1), ReportChange::Validated));
    assert!(first.report.unwrap().facts.is_empty());
    bench.validate(&name(2), "bb", 3).await;
    assert_eq!(seen(&next(&mut stream).await), (name(2), ReportChange::Validated));
    let gone = ReportWithdrawn { url: "https://aa.example/".into(), ..Default::default() };
    bench.publish(Event::ReportWithdrawn, &gone).await;
    let last = next(&mut stream).await;
    assert_eq!(seen(&last), (name(1), ReportChange::Withdrawn));
    assert!(last.report.unwrap().withdrawn);
}

#[tokio::test]
async fn a_resumed_watch_has_neither_gap_nor_duplicate() {
    let mut bench = Bench::start().await;
    let (mut token, mut names) = (String::new(), Vec::new());
    for round in 0..4 {
        let mut client = bench.client().await;
        let mut stream = client.watch_reports(watch("agencies/-", &token)).await.unwrap().into_inner();
        for i in 0..25 {
            bench.validate(&name(round * 25 + i), &format!("h{round}-{i}"), 2).await;
        }
        // The client disconnects in the middle; the changes that it did not read are sent again.
        for _ in 0..[7, 40, 3, 50][round] {
            let change = next(&mut stream).await;
            names.push(seen(&change).0);
            token = change.resume_token;
        }
        drop(stream);
        bench.restart(false).await;
    }
    let expected: std::collections::BTreeSet<_> = (0..100).map(name).collect();
    assert_eq!(names.len(), 100);
    assert_eq!(names.into_iter().collect::<std::collections::BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn one_agency_only() {
    let mut bench = Bench::start().await;
    for i in [1, 2, 1] {
        bench.validate(&name(i), &format!("h{i}"), 2).await;
    }
    // Wait for each: if a newer revision were projected first, the older one would make no visible change.
    bench.projected().await;
    bench.validate(&name(2), "other", 5).await;
    let mut stream =
        bench.client().await.watch_reports(watch("agencies/360002", "")).await.unwrap().into_inner();
    let changes = [next(&mut stream).await, next(&mut stream).await];
    assert!(changes.iter().all(|change| seen(change).0 == name(2)));
}

#[tokio::test]
async fn a_rebuilt_read_model_has_the_same_reports_and_refuses_old_tokens() {
    let mut bench = Bench::start().await;
    bench.validate(&name(1), "aa", 2).await;
    bench.projected().await;
    let mut client = bench.client().await;
    let mut stream = client.watch_reports(watch("agencies/-", "")).await.unwrap().into_inner();
    let token = next(&mut stream).await.resume_token;
    bench.restart(true).await;
    bench.projected().await;
    let mut client = bench.client().await;
    let mut stream = client.watch_reports(watch("agencies/-", "")).await.unwrap().into_inner();
    assert_eq!(seen(&next(&mut stream).await).0, name(1));
    for (token, code, reason) in [
        (token.as_str(), Code::FailedPrecondition, "STALE_RESUME_TOKEN"),
        ("x", Code::InvalidArgument, "INVALID_RESUME_TOKEN"),
    ] {
        let status = client.watch_reports(watch("agencies/-", token)).await.unwrap_err();
        assert_eq!((status.code(), status.get_details_error_info().unwrap().reason.as_str()), (code, reason));
    }
}

#[tokio::test]
async fn shutdown_ends_watches_cleanly() {
    let mut bench = Bench::start().await;
    let mut client = bench.client().await;
    let mut stream = client.watch_reports(watch("agencies/-", "")).await.unwrap().into_inner();
    let started = std::time::Instant::now();
    bench.shutdown.cancel();
    assert!(timeout(SOON, stream.message()).await.unwrap().unwrap().is_none());
    drop((client, stream));
    bench.stop().await;
    assert!(started.elapsed().as_secs() < 4, "it did not wait for the grace to pass");
}

#[tokio::test]
async fn watchers_are_counted_and_slow_ones_hold_nothing_up() {
    let mut bench = Bench::start_with(Config { max_watchers: 1, ..Config::default() }).await;
    let mut client = bench.client().await;
    let mut slow = client.watch_reports(watch("agencies/-", "")).await.unwrap().into_inner();
    let status = client.watch_reports(watch("agencies/-", "")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().unwrap().reason, "TOO_MANY_WATCHERS");
    for i in 0..200 {
        bench.validate(&name(i), &format!("h{i}"), 2).await;
    }
    // The projector handles everything although the stream is not read.
    bench.projected().await;
    for _ in 0..200 {
        next(&mut slow).await;
    }
    drop(slow);
    // The slot is free once the server has noticed the disconnection; each failure is a round trip.
    let again = async { while client.watch_reports(watch("agencies/-", "")).await.is_err() {} };
    timeout(SOON, again).await.unwrap();
}
