//! A follower that cannot read the registry logs that once a minute at most, over the memory transport in paused time.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;
use std::time::Duration;

use gongkai_registry::RegistryStore;
use gongkai_worker::{
    Runtime, Topology, Transport as _,
    testing::LogCapture,
    transport::{
        ErrorKind,
        memory::{Fault, Memory, Operation},
    },
};

/// Follows the registry while every read fails, and returns the warnings and errors of the first 30 s and of the next
/// two minutes.
async fn complaints(kind: ErrorKind) -> (usize, usize) {
    let memory = Memory::new();
    let topology = Topology { entries: vec!["AGENCIES"], objects: vec!["LISTS"], ..Topology::default() };
    memory.declare(&topology).await.unwrap();
    let log = LogCapture::start();
    let runtime = Runtime::builder("stage", Arc::new(memory.clone())).build();
    memory.plan(Fault::fail(Operation::Read).kind(kind).always());
    let store = RegistryStore::new(runtime.entries("AGENCIES"), runtime.objects("LISTS"));
    let _following = store.follow(&runtime);
    let count =
        || log.lines().iter().filter(|line| line["level"] == "WARN" || line["level"] == "ERROR").count();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let first = count();
    tokio::time::sleep(Duration::from_secs(120)).await;
    (first, count() - first)
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_is_logged_once_a_minute() {
    assert_eq!(complaints(ErrorKind::Unavailable).await, (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_cannot_be_read_is_logged_once_a_minute() {
    assert_eq!(complaints(ErrorKind::Other).await, (1, 2));
}
