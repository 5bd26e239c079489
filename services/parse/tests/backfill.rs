//! A document overtakes a backfill, over a real broker.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{sync::Arc, time::Duration};

use gongkai_isolation::testing::{self, REPORT};
use gongkai_parse::{Config, Parse};
use gongkai_proto::{
    ReportEvent,
    subjects::{self, Event, STREAM_REPORTS},
    v1,
};
use gongkai_worker::{
    Output, Runtime, Service as _, Transport as _,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const OLD: u64 = 40;
const PATIENCE: Duration = Duration::from_secs(25);

async fn publish(runtime: &Runtime, subject: String, id: &str) {
    let event = v1::DocumentReceived {
        submission_id: id.to_owned(),
        region: "360982".to_owned(),
        content: Some(v1::ContentRef {
            key: "k".to_owned(),
            sha256: "ab12".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
    runtime.publish(id, output).await.unwrap();
}

/// Returns the id of the submission whose report has this sequence in the log.
async fn submission(runtime: &Runtime, sequence: u64) -> String {
    let logged = runtime.message(STREAM_REPORTS, sequence).await.unwrap().unwrap();
    match ReportEvent::decode(&logged.message.subject, logged.message.payload).unwrap() {
        ReportEvent::Parsed(parsed) => parsed.origin.unwrap().submission_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_overtakes_a_backfill() {
    testing::children_run(env!("CARGO_BIN_EXE_gongkai-parse"));
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let transport = JetStream::connect(&settings).await.unwrap();
    transport.declare(&gongkai_proto::topology!()).await.unwrap();
    let stop = CancellationToken::new();
    let runtime = Runtime::builder("parse", Arc::new(transport)).shutdown(stop.clone()).build();
    runtime.objects(subjects::BUCKET_ORIGINALS).put("k", REPORT.into()).await.unwrap();
    let region = "360982".parse().unwrap();
    for n in 0..OLD {
        publish(&runtime, subjects::backfill_subject(region), &format!("old-{n}")).await;
    }
    publish(&runtime, Event::ReportReceived.subject(region), "new").await;

    let running = tokio::spawn(Parse::run(Config::default(), runtime.clone()));
    let end = Instant::now() + PATIENCE;
    while runtime.count(STREAM_REPORTS, &Event::ReportParsed.filter()).await.unwrap() <= OLD {
        assert!(Instant::now() < end, "not all were read");
        sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    let mut read = Vec::new();
    for sequence in OLD + 2..=2 * OLD + 2 {
        read.push(submission(&runtime, sequence).await);
    }
    let place = read.iter().position(|id| id == "new").unwrap();
    assert!(place < 10, "it was read after {place} old ones: {read:?}");
}
