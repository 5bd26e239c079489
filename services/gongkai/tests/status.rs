//! What `gongkai status` shows of a real broker: running services and messages that wait.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::process::Command;

use gongkai_proto::subjects;
use gongkai_worker::{
    Record as _, Replica, Transport as _,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use serde_json::Value;

fn status(server: &NatsServer, words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.arg("status").args(words).args(["--nats-url", &server.url()]);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

fn replica(service: &str, version: &str) -> Replica {
    Replica {
        service: service.to_owned(),
        instance: format!("{service}-{version}"),
        version: version.to_owned(),
        host: "county-1".to_owned(),
        started_at: "2026-11-27T08:00:00Z".to_owned(),
        consumers: vec![service.to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_listed_with_their_versions() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = JetStream::connect(&settings).await.unwrap();
    let before: Value = serde_json::from_str(&status(&server, &["--format", "json"])).unwrap();
    assert_eq!(before["replicas"], serde_json::json!([]), "no service has run yet");
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    let register = broker.entries(subjects::BUCKET_REPLICAS);
    for replica in [replica("parse", "1.3.0"), replica("notify", "1.2.3")] {
        register.create(&replica.instance, replica.encode()).await.unwrap();
    }
    let table = status(&server, &[]);
    assert!(table.contains("版本不一致 versions differ: 1.2.3 (notify), 1.3.0 (parse)"), "{table}");
    assert!(table.contains("county-1") && !table.contains("next"), "{table}");
    let report: Value = serde_json::from_str(&status(&server, &["--format", "json"])).unwrap();
    let listed = &report["replicas"][1];
    assert_eq!((&listed["service"], &listed["consumers"][0]), (&"parse".into(), &"parse".into()));
    assert!(report.get("retries").is_none(), "{report}");
    let report: Value = serde_json::from_str(&status(&server, &["--waiting", "--format", "json"])).unwrap();
    assert_eq!(report["retries"], serde_json::json!([]));
}
