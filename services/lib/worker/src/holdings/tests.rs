//! Losses under a running process and across restarts, over the memory transport.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{sleep, timeout};

use super::guarded::Guarded;
use super::inspector::{Inspector, Orders, inspect, repair};
use super::*;
use crate::clock::Clock;
use crate::outage::Outage;
use crate::testing::transport_suite::{ENTRIES, LOG, PATIENCE, message, spec, topology};
use crate::transport::{Transport, memory::Memory};
use crate::{Consume, Context, Decision, Handler, Output, Raw, Runtime};

const MARKER: &str = "marker";

fn inspector(memory: &Memory, file: Option<PathBuf>, recreate: bool) -> (Inspector, Guarded, Holdings) {
    let holdings = Holdings::new(&topology());
    let orders = Orders { topology: topology(), marker: MARKER, file, recreate };
    let outage = Outage::default();
    let transport = Arc::new(memory.clone());
    let inspector = Inspector::new(transport, orders, Clock::system(), holdings.clone(), outage).unwrap();
    let guarded = inspector.guarded();
    (inspector, guarded, holdings)
}

/// Starts a process whose parts are all in place.
async fn working(memory: &Memory) -> (Guarded, Holdings) {
    let (mut inspector, guarded, holdings) = inspector(memory, None, false);
    inspector.open().await.unwrap();
    tokio::spawn(inspector.watch());
    (guarded, holdings)
}

async fn publish(transport: &impl Transport, id: &str) -> Result<u64, ErrorKind> {
    let published = transport.publish(message("suite.log.a", id)).await;
    published.map(|published| published.sequence).map_err(|error| error.kind)
}

/// Waits until the gate is closed, and returns the reason.
async fn obstacle(holdings: &Holdings) -> String {
    let said = async {
        loop {
            if let Some(obstacle) = holdings.obstacle() {
                return obstacle;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), said).await.expect("the loss is noticed within 30 s")
}

async fn until_open(holdings: &Holdings) {
    let open = async {
        while holdings.obstacle().is_some() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(30), open).await.expect("what was repaired is noticed within 30 s");
}

async fn accept(memory: &Memory) {
    let transport: Arc<dyn Transport> = Arc::new(memory.clone());
    repair(&transport, &topology(), MARKER, &Clock::system()).await.unwrap();
    assert!(inspect(&transport, &topology(), MARKER, None).await.unwrap().faults.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_part_stops_all_calls_until_it_is_repaired() {
    for part in [TopologyPart::Stream(LOG), TopologyPart::Entries(ENTRIES)] {
        let memory = Memory::new();
        let (guarded, holdings) = working(&memory).await;
        publish(&guarded, "one").await.unwrap();
        let mut pull = guarded.consumer(&spec("reader")).await.unwrap();
        let mut batch = pull.fetch(2, PATIENCE).await.unwrap();
        let delivery = batch.next().await.unwrap().unwrap();

        memory.lose(part);
        let said = obstacle(&holdings).await;
        assert!(said.starts_with(&format!("{part} is missing")) && said.contains("--repair"), "{said}");
        assert!(memory.held(part).await.unwrap().is_none(), "nothing is made again silently");
        assert_eq!(publish(&guarded, "two").await, Err(ErrorKind::Lost));
        assert_eq!(guarded.entries(ENTRIES).get("key").await.unwrap_err().kind, ErrorKind::Lost);
        assert_eq!(batch.next().await.unwrap().err().unwrap().kind, ErrorKind::Lost);

        sleep(Duration::from_secs(1)).await;
        accept(&memory).await;
        until_open(&holdings).await;
        publish(&guarded, "two").await.unwrap();
        assert_eq!(delivery.settle.ack().await.unwrap_err().kind, ErrorKind::Lost, "it is of another store");
        assert_eq!(pull.fetch(1, PATIENCE).await.err().unwrap().kind, ErrorKind::Lost);
        guarded.consumer(&spec("reader")).await.unwrap();
    }
}

/// Never finishes its first message, and finishes every later one at once.
#[derive(Default)]
struct StuckOnce(AtomicU64);

#[async_trait::async_trait]
impl Handler for StuckOnce {
    type Input = Raw;

    async fn handle(&self, _: Raw, _: &Context) -> Result<Vec<Output>, Decision> {
        if self.0.fetch_add(1, Ordering::AcqRel) == 0 {
            std::future::pending::<()>().await;
        }
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_work_is_dropped_with_its_store() {
    let memory = Memory::new();
    let (guarded, holdings) = working(&memory).await;
    let runtime = Runtime::builder("stage", Arc::new(guarded.clone())).build();
    let consume = Consume { concurrency: Some(1), ..Consume::new(LOG, "stage", ["suite.log.>"]) };
    tokio::spawn(async move { runtime.consume(consume, StuckOnce::default()).await });
    publish(&guarded, "one").await.unwrap();
    memory
        .until(|memory| memory.consumer_state(LOG, "stage").is_some_and(|state| state.in_flight == 1))
        .await;
    memory.lose(TopologyPart::Stream(LOG));
    publish(&guarded, "two").await.unwrap_err();
    obstacle(&holdings).await;
    sleep(Duration::from_secs(1)).await;
    accept(&memory).await;
    until_open(&holdings).await;
    publish(&guarded, "two").await.unwrap();
    memory.until(|memory| memory.consumer_state(LOG, "stage").is_some_and(|state| state.settled == 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_restarted_process_misses_what_the_marker_knows() {
    let memory = Memory::new();
    drop(working(&memory).await);
    memory.lose(TopologyPart::Stream(LOG));
    let (mut restarted, guarded, holdings) = inspector(&memory, None, false);
    restarted.open().await.unwrap();
    assert!(holdings.obstacle().unwrap().contains(LOG));
    assert_eq!(publish(&guarded, "one").await, Err(ErrorKind::Lost));
    let (mut told, _, holdings) = inspector(&memory, None, true);
    told.open().await.unwrap();
    assert_eq!(holdings.obstacle(), None);
}

#[tokio::test(start_paused = true)]
async fn the_file_tells_a_broker_that_lost_everything_from_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = Some(folder.path().join("marker.json"));
    let (mut first, ..) = inspector(&Memory::new(), file.clone(), false);
    first.open().await.unwrap();
    let empty = Memory::new();
    let (mut restarted, _, holdings) = inspector(&empty, file.clone(), false);
    restarted.open().await.unwrap();
    assert!(holdings.obstacle().unwrap().contains("is missing"));
    let transport: Arc<dyn Transport> = Arc::new(empty.clone());
    let found = |file: Option<PathBuf>| {
        let transport = transport.clone();
        async move { inspect(&transport, &topology(), MARKER, file.as_deref()).await.unwrap().faults.len() }
    };
    assert!(found(file).await > 0, "an operator who asks is told the same");
    assert_eq!(found(None).await, 0);
    let (mut knows_nothing, ..) = inspector(&empty, None, false);
    knows_nothing.open().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_marker_alone_is_made_again() {
    let memory = Memory::new();
    let (guarded, holdings) = working(&memory).await;
    memory.lose(TopologyPart::Entries(MARKER));
    sleep(Duration::from_secs(10)).await;
    assert!(memory.held(TopologyPart::Entries(MARKER)).await.unwrap().is_some());
    assert_eq!(holdings.obstacle(), None);
    publish(&guarded, "one").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_passes_between_a_lost_connection_and_the_next_look() {
    let memory = Memory::new();
    let (guarded, _) = working(&memory).await;
    memory.lose(TopologyPart::Stream(LOG));
    sleep(Duration::from_millis(1)).await;
    // The stream that stores the message exists, but it is an empty one that replaced another.
    memory.declare(&topology()).await.unwrap();
    memory.disconnect();
    let refused = publish(&guarded, "one").await.unwrap_err();
    assert!(matches!(refused, ErrorKind::Lost | ErrorKind::Unavailable), "{refused:?}");
    assert!(memory.messages("suite.log.>").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_older_copy_is_noticed_by_the_sequence() {
    let memory = Memory::new();
    let (guarded, holdings) = working(&memory).await;
    for id in ["one", "two", "three"] {
        publish(&guarded, id).await.unwrap();
    }
    // No check has happened since: only the acknowledgements reveal the last sequence of the stream.
    memory.forget_after(LOG, 1);
    memory.disconnect();
    assert!(publish(&guarded, "four").await.is_err());
    let said = obstacle(&holdings).await;
    assert!(said.starts_with(&format!("stream {LOG} ends at 1 and ended at 3 before")), "{said}");
    accept(&memory).await;
    until_open(&holdings).await;
    assert_eq!(publish(&guarded, "four").await, Ok(2));
}
