//! A year of deadlines: what notify says about many agencies, across restarts and with two replicas, is what a naive
//! calculation says. `make soak` runs the large one.

mod broker;
mod naive;
mod notices;
mod office;
mod year;

use std::time::Duration;

use futures::StreamExt as _;
use gongkai_model::Region;
use gongkai_proto::{
    subjects::{CONSUMER_PARSE, DUE_DEADLINES, Event, STREAM_REPORTS},
    v1,
};
use gongkai_worker::{
    Output, Transport as _,
    transport::{ConsumerSpec, Timer, memory::Memory},
};
use time::macros::datetime;

use self::{broker::Broker, office::Office, year::Year};

/// Number of agencies of an ordinary run.
const FEW: usize = 120;
const SEED: u64 = 1;

/// Returns the number of agencies to simulate: `GONGKAI_DEADLINES`, or those of an ordinary run.
#[expect(clippy::disallowed_methods, reason = "a switch of the soak test, not a setting of the program")]
fn agencies() -> usize {
    std::env::var("GONGKAI_DEADLINES").ok().and_then(|count| count.parse().ok()).unwrap_or(FEW)
}

#[tokio::test(start_paused = true)]
async fn a_year_is_told_as_a_naive_calculation_says() {
    let office = Office::new(agencies(), SEED);
    let told = Year::run(&office, Broker::memory()).await;
    let expected = naive::told(&office);
    assert_eq!(told.len(), expected.len());
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected, "{}", office.of(&told.0));
    }
    let count = |word: &str| {
        expected
            .iter()
            .map(|(_, said)| said.iter().filter(|text| text.starts_with(word)).count())
            .sum::<usize>()
    };
    let counts = ["reminder", "missing", "late"].map(count);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    println!("{} agencies: reminders, missing, late: {counts:?}", office.agencies().len());
}

#[tokio::test(start_paused = true)]
async fn one_timer_serves_the_whole_list() {
    let office = Office::new(FEW, SEED);
    let memory = Memory::new();
    let year = Year::begin(&office, Broker::Memory(memory.clone()), datetime!(2023-01-16 00:00 +8)).await;
    let timers =
        || memory.timers().into_iter().filter(|timer| timer.target == DUE_DEADLINES).collect::<Vec<_>>();
    memory.until(|_| !timers().is_empty()).await;
    let [timer] = <[Timer; 1]>::try_from(timers()).unwrap();
    assert_eq!(timer.after, Duration::from_hours(9), "the reports of 15 January");
    // The broker's clock moves on by itself.
    year.set_time(datetime!(2023-01-16 09:00 +8));
    memory.until(|memory| !memory.messages(&Event::ReportMissing.filter()).is_empty()).await;
    year.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_log_is_not_said_to_be_missing() {
    let (office, memory) = (Office::new(FEW, SEED), Memory::new());
    let broker = Broker::Memory(memory.clone());
    let mut year = Year::begin(&office, broker, datetime!(2023-01-16 08:00 +8)).await;
    let spec = ConsumerSpec {
        stream: STREAM_REPORTS.to_owned(),
        durable: CONSUMER_PARSE.to_owned(),
        filters: vec![Event::ReportReceived.filter()],
        ack_wait: Duration::from_hours(1),
        max_ack_pending: None,
        forget_after: None,
    };
    let mut parse = memory.consumer(&spec).await.unwrap();
    let received = v1::DocumentReceived::default();
    let event = Event::ReportReceived;
    year.emit(Output::new(event.subject(Region::UNKNOWN), event.ce_type(), &received)).await;
    year.set_time(datetime!(2023-01-16 09:00 +8));
    year.fire().await;
    tokio::time::sleep(Duration::from_mins(2)).await;
    let is_told = |memory: &Memory| !memory.messages(&Event::ReportMissing.filter()).is_empty();
    assert!(!is_told(&memory), "a document is not read yet");
    let read = parse.fetch(1, Duration::from_secs(1)).await.unwrap().next().await.unwrap().unwrap();
    read.settle.ack().await.unwrap();
    memory.until(is_told).await;
    year.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_broker_tells_the_same() {
    let office = Office::new(24, SEED + 1);
    let told = tokio::time::timeout(Duration::from_secs(120), Year::run(&office, Broker::real().await));
    assert_eq!(told.await.unwrap(), naive::told(&office));
}
