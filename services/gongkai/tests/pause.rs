//! `gongkai pause`, `resume` and `status` against a real broker, without any service.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::process::{Command, Output};

use gongkai_proto::subjects;
use gongkai_worker::{
    Transport as _,
    testing::{NatsServer, transport_suite::spec},
    transport::{
        ConsumerSpec,
        jetstream::{JetStream, JetStreamSettings},
    },
};
use serde_json::Value;

fn gongkai(server: &NatsServer, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.args(words).args(["--nats-url", &server.url()]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns the names of the paused consumers with the ends of their pauses.
fn paused(server: &NatsServer) -> Vec<(String, String)> {
    let status = gongkai(server, &["status", "--format", "json"]);
    let report: Value = serde_json::from_slice(&status.stdout).unwrap();
    let streams = report["streams"].as_array().unwrap().iter();
    let consumers = streams.flat_map(|stream| stream["consumers"].as_array().unwrap());
    let ends = consumers.filter_map(|consumer| {
        Some((consumer["name"].as_str()?.to_owned(), consumer["paused_until"].as_str()?.to_owned()))
    });
    ends.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_paused_and_resumed_with_the_broker_alone() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = JetStream::connect(&settings).await.unwrap();
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    for name in [subjects::CONSUMER_PARSE, subjects::CONSUMER_PARSE_BACKFILL, subjects::CONSUMER_VALIDATE] {
        let reader = ConsumerSpec { stream: subjects::STREAM_REPORTS.to_owned(), ..spec(name) };
        broker.consumer(&reader).await.unwrap();
    }
    let done = gongkai(&server, &["pause", "parse", "--until", "2999-01-01 08:00"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let line = "已暂停 / paused until 2999-01-01T08:00:00+08:00: parse";
    assert_eq!(text(&done.stdout), format!("{line}\n{line}-backfill\n"));
    let end = "2999-01-01T00:00:00Z".to_owned();
    assert_eq!(paused(&server), [("parse".to_owned(), end.clone()), ("parse-backfill".to_owned(), end)]);
    let status = text(&gongkai(&server, &["status"]).stdout);
    assert!(status.contains("已暂停 paused: parse until 2999-01-01T08:00:00+08:00"), "{status}");

    assert!(gongkai(&server, &["resume", "parse"]).status.success());
    assert!(gongkai(&server, &["pause", "parse-backfill", "--for", "2h"]).status.success());
    let names: Vec<_> = paused(&server).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["parse-backfill"]);

    let refused = gongkai(&server, &["pause", "query", "--for", "2h"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("query has no consumer"), "{said}");
    for end in [&["--until", "2001-01-01"][..], &["--for", "soon"], &[]] {
        let refused = gongkai(&server, &[&["pause", "parse"], end].concat());
        assert!(!refused.status.success(), "{end:?}");
    }
}
