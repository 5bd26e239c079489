//! Lets a year pass over two replicas of notify.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::future::{join_all, try_join_all};
use gongkai_agencies::read_csv;
use gongkai_notify::{Config, Notify};
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_registry::RegistryStore;
use gongkai_worker::{
    Clock, Output, Runtime, Service, Transport, clock::ClockHandle, config::WorkerSettings,
};
use prost::Message as _;
use time::{
    Date, OffsetDateTime, Time,
    macros::{date, offset},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    broker::{Broker, Connection},
    naive::Told,
    office::{AWAY, Agency, FIRST_DAY, HOUR, LAST_DAY, Office, What, YEAR},
};

/// The day of the restart while nothing is due.
const QUIET: Date = date!(2023 - 01 - 10);
/// The day of the crash during a sweep.
const CRASH: Date = date!(2023 - 01 - 17);

/// The last day of sweeps over a real broker. Nothing is due between it and the end of the year.
const LAST_SWEEP: Date = date!(2023 - 04 - 10);

/// A running process.
struct Replica {
    connection: Connection,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// A year that passes.
pub(crate) struct Year {
    broker: Broker,
    clock: Clock,
    time: ClockHandle,
    replicas: Vec<Replica>,
    /// The connection of those who publish.
    outside: Arc<dyn Transport>,
    publisher: Runtime,
    published: u64,
}

impl Year {
    /// Returns the notices about each agency that has any, in their order.
    pub(crate) async fn run(office: &Office, broker: Broker) -> Vec<(String, Vec<String>)> {
        let mut year = Self::begin(office, broker, at(FIRST_DAY, Time::MIDNIGHT)).await;
        let happenings = office.happenings();
        let mut day = FIRST_DAY;
        while day <= LAST_DAY {
            let is_away = AWAY.0 <= day && day < AWAY.1;
            if day == AWAY.0 || day == QUIET {
                year.stop().await;
            }
            let (nine, midnight) = (at(day, HOUR), at(day.next_day().unwrap(), Time::MIDNIGHT));
            for (from, to) in [(at(day, Time::MIDNIGHT), nine), (nine, midnight)] {
                if from == nine && !is_away {
                    year.time.set(nine);
                    if year.replicas.is_empty() {
                        year.start().await;
                    }
                    if day <= LAST_SWEEP || matches!(year.broker, Broker::Memory(_)) {
                        year.sweep(day == CRASH).await;
                    }
                }
                year.time.set(to - Duration::from_secs(1));
                for (at, batch) in happenings.range(from..to) {
                    year.publish(*at, batch).await;
                }
                let is_quiet = happenings.range(from..to).next().is_none();
                if !is_quiet && !year.replicas.is_empty() {
                    year.handled().await;
                }
            }
            day = day.next_day().unwrap();
        }
        year.stop().await;
        year.told().await
    }

    /// Imports the list and starts two replicas at this time.
    pub(crate) async fn begin(office: &Office, broker: Broker, at: OffsetDateTime) -> Self {
        let (clock, time) = Clock::manual(at);
        let outside = broker.connect().await.transport();
        outside.declare(&gongkai_proto::topology!()).await.unwrap();
        let entries = outside.entries(subjects::BUCKET_AGENCIES);
        let store = RegistryStore::new(entries, outside.objects(subjects::BUCKET_REGISTRIES));
        store.put(&read_csv(office.list().as_bytes()).unwrap()).await.unwrap();
        let publisher = Runtime::builder("validate", outside.clone()).build();
        let mut year = Self { broker, clock, time, replicas: Vec::new(), outside, publisher, published: 0 };
        year.start().await;
        year
    }

    pub(crate) fn set_time(&self, at: OffsetDateTime) {
        self.time.set(at);
    }

    pub(crate) async fn end(mut self) {
        self.stop().await;
    }

    async fn start(&mut self) {
        for _ in 0..2 {
            let connection = self.broker.connect().await;
            let shutdown = CancellationToken::new();
            let settings = WorkerSettings { ack_wait_s: 3, ..WorkerSettings::default() };
            let runtime = Runtime::builder(Notify::NAME, connection.transport())
                .dead_prefix(subjects::DEAD_PREFIX)
                .attempts(subjects::BUCKET_ATTEMPTS)
                .settings(settings)
                .clock(self.clock.clone())
                .shutdown(shutdown.clone())
                .build();
            let task = tokio::spawn(Notify::run(Config::default(), runtime));
            self.replicas.push(Replica { connection, shutdown, task });
        }
        // The first sweep of all begins with the list.
        self.until("the timer", async || {
            let lag = self.outside.consumer_lag(subjects::STREAM_TIMERS, subjects::CONSUMER_DEADLINES).await;
            let swept = self.outside.entries(subjects::BUCKET_ALERTS).get("deadlines/swept").await;
            lag.unwrap().is_some() && swept.unwrap().is_some()
        })
        .await;
    }

    async fn stop(&mut self) {
        for replica in &self.replicas {
            replica.shutdown.cancel();
        }
        for replica in join_all(self.replicas.drain(..).map(|replica| replica.task)).await {
            replica.unwrap().unwrap();
        }
    }

    /// Publishes what the broker publishes when the timer fires.
    pub(crate) async fn fire(&mut self) {
        self.emit(Output::new(subjects::DUE_DEADLINES, "gongkai.deadlines.due.v1", &())).await;
    }

    pub(crate) async fn emit(&mut self, output: Output) {
        self.published += 1;
        self.publisher.publish(&format!("other-{}", self.published), output).await.unwrap();
    }

    /// Fires the timer, as the broker does at this time; over a broker in memory perhaps with a crash in the middle.
    async fn sweep(&mut self, crashes: bool) {
        if crashes && matches!(self.broker, Broker::Memory(_)) {
            let before = self.notices().await;
            self.fire().await;
            self.until("the first notices", async || self.notices().await > before).await;
            for replica in self.replicas.drain(..) {
                replica.connection.cut();
                replica.task.abort();
            }
            self.start().await;
        } else {
            self.fire().await;
        }
        self.handled().await;
    }

    async fn publish(&mut self, at: OffsetDateTime, batch: &[(&Agency, What)]) {
        let events: Vec<_> = batch
            .iter()
            .map(|(agency, what)| {
                self.published += 1;
                (format!("event-{}", self.published), event(agency, *what, self.published, at))
            })
            .collect();
        let publisher = &self.publisher;
        let all = events.into_iter().map(|(id, event)| async move { publisher.publish(&id, event).await });
        try_join_all(all).await.unwrap();
    }

    /// Waits until every event and every timer is handled.
    async fn handled(&self) {
        for (stream, durable) in [
            (subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY),
            (subjects::STREAM_TIMERS, subjects::CONSUMER_DEADLINES),
        ] {
            self.until(durable, async || {
                let lag = self.outside.consumer_lag(stream, durable).await.unwrap();
                lag.is_some_and(|lag| lag.outstanding == 0)
            })
            .await;
        }
    }

    async fn until(&self, what: &str, mut reached: impl AsyncFnMut() -> bool) {
        for _ in 0..20_000 {
            if reached().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what} does not come");
    }

    async fn notices(&self) -> u64 {
        self.outside.count(subjects::STREAM_ALERTS, "gongkai.v1.deadline.>").await.unwrap()
    }

    async fn told(&self) -> Vec<(String, Vec<String>)> {
        let last = self.outside.stream_state(subjects::STREAM_ALERTS).await.unwrap().last_sequence;
        let (mut told, mut ids) = (Told::new(), BTreeSet::new());
        for sequence in 1..=last {
            let logged = self.outside.message(subjects::STREAM_ALERTS, sequence).await.unwrap().unwrap();
            let message = logged.message;
            assert!(ids.insert(message.id_in("", sequence)), "{} is told twice", message.id_in("", sequence));
            let notice = v1::DeadlineNotice::decode(message.payload).unwrap();
            let code = notice.report.split('/').nth(1).unwrap().to_owned();
            told.entry(code).or_default().push(words(&notice));
        }
        told.into_iter().collect()
    }
}

fn words(notice: &v1::DeadlineNotice) -> String {
    let v1::DeadlineNotice { days, round, published_on, .. } = notice;
    match notice.kind() {
        v1::DeadlineNoticeKind::Reminder => format!("reminder {days}"),
        v1::DeadlineNoticeKind::Missing => format!("missing {days} round {round}"),
        v1::DeadlineNoticeKind::Late => format!("late {days} round {round} published {published_on}"),
        v1::DeadlineNoticeKind::Unspecified => "nothing".to_owned(),
    }
}

fn event(agency: &Agency, what: What, sequence: u64, at: OffsetDateTime) -> Output {
    let region = "360999".parse().unwrap();
    let report = format!("agencies/{}/reports/{YEAR}", agency.code);
    let wire = |at: OffsetDateTime| prost_types::Timestamp { seconds: at.unix_timestamp(), nanos: 0 };
    match what {
        What::Published { stated } => {
            let published_at = stated.map(|day| wire(self::at(day, HOUR)));
            let origin = v1::Origin {
                kind: v1::DocumentKind::Published.into(),
                content_hash: format!("hash-{sequence}"),
                received_sequence: sequence,
                received_at: Some(wire(at)),
                published_at,
                url: format!("https://example.gov.cn/{}.html", agency.code),
                region: "360999".into(),
                ..Default::default()
            };
            let parsed = v1::ParsedReport { name: report, year: YEAR, ..Default::default() };
            let event =
                v1::ReportValidated { origin: Some(origin), report: Some(parsed), ..Default::default() };
            Output::new(Event::ReportValidated.subject(region), Event::ReportValidated.ce_type(), &event)
        }
        What::Withdrawn => {
            let event = v1::ReportWithdrawn { report, event_time: Some(wire(at)), ..Default::default() };
            Output::new(Event::ReportWithdrawn.subject(region), Event::ReportWithdrawn.ce_type(), &event)
        }
    }
}

fn at(day: Date, time: Time) -> OffsetDateTime {
    day.with_time(time).assume_offset(offset!(+8))
}
