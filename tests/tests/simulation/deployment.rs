//! The five services over one broker in memory. A process that dies is started again a second later.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, OnceLock},
    time::Duration,
};

use gongkai_agencies::Registry;
use gongkai_ingest::{
    actor::Actor,
    error::Problem,
    fetch::Fetcher,
    intake::Intake,
    progress::{Dead, Stages},
    publication::PublicationRequest,
    receipt_store::ReceiptStore,
};
use gongkai_isolation::Readers;
use gongkai_notify::Notify;
use gongkai_parse::Reader;
use gongkai_proto::{
    subjects::{self, Event},
    v1::Receipt,
};
use gongkai_query::{notifier::ChangeNotifier, projector};
use gongkai_registry::Following;
use gongkai_rules::RuleSet;
use gongkai_store::{
    Store as _,
    sqlite::{Options, SqliteStore},
};
use gongkai_validate::Validator;
use gongkai_worker::{
    Clock, Consume, Runtime, Service as _, Transport as _,
    clock::ClockHandle,
    transport::memory::{Cut, Memory},
};
use time::{OffsetDateTime, macros::datetime};
use tokio::{sync::watch, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::story::{AGENCIES, Kind, PROCESSES, Story};

/// Start time of the broker in memory.
pub(crate) const BEGINNING: OffsetDateTime = datetime!(2024-01-01 00:00 UTC);
/// Time from the end of a process to its restart.
const RESTART: Duration = Duration::from_secs(1);

/// State that the processes share.
struct Site {
    broker: Memory,
    folder: PathBuf,
    clock: Clock,
    stop: CancellationToken,
    /// The running ingest, with its connection.
    ingest: Mutex<Option<(Memory, Intake)>>,
    /// Name of the read model's consumer, once there is one.
    projecting: OnceLock<String>,
}

pub(crate) struct Deployment {
    site: Arc<Site>,
    processes: Vec<JoinHandle<()>>,
    started: Instant,
    hands: ClockHandle,
    _folder: tempfile::TempDir,
}

impl Deployment {
    pub(crate) async fn start(story: &Story) -> Self {
        let broker = Memory::new();
        broker.declare(&gongkai_proto::topology!()).await.unwrap();
        story.trouble.iter().for_each(|trouble| broker.plan(trouble.fault()));
        let folder = tempfile::tempdir().unwrap();
        let (clock, hands) = Clock::manual(BEGINNING);
        let site = Arc::new(Site {
            broker,
            folder: folder.path().to_owned(),
            clock,
            stop: CancellationToken::new(),
            ingest: Mutex::default(),
            projecting: OnceLock::new(),
        });
        let living = PROCESSES.into_iter().zip(story.deaths.clone()).take(story.processes);
        let processes = living.map(|(kind, deaths)| tokio::spawn(site.clone().keep(kind, deaths))).collect();
        Self { site, processes, started: Instant::now(), hands, _folder: folder }
    }

    pub(crate) fn broker(&self) -> &Memory {
        &self.site.broker
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        BEGINNING + self.started.elapsed()
    }

    pub(crate) fn read_model(&self) -> SqliteStore {
        SqliteStore::open(&self.site.read_model(), Options::default()).unwrap()
    }

    /// Calls ingest, and repeats the call until there is an answer, as a sender does.
    pub(crate) async fn call(&self, request: &PublicationRequest) -> Receipt {
        let anyone = Actor::operator(None);
        loop {
            self.hands.set(self.now());
            let ingest = self.site.ingest.lock().unwrap().clone();
            if let Some((connection, intake)) = ingest {
                let answer = tokio::select! {
                    answer = intake.request(&anyone, request.clone()) => Some(answer),
                    () = connection.until_cut() => None,
                };
                match answer {
                    Some(Ok(receipt)) => return receipt,
                    Some(Err(problem)) => assert!(is_worth_repeating(&problem), "{problem:?}"),
                    None => {}
                }
            }
            tokio::time::sleep(RESTART).await;
        }
    }

    /// Waits until every message of every consumer is settled.
    pub(crate) async fn at_rest(&self) {
        let mut consumers: Vec<(&str, String)> = [
            subjects::CONSUMER_PARSE,
            subjects::CONSUMER_VALIDATE,
            subjects::CONSUMER_NOTIFY,
            subjects::CONSUMER_INGEST_STATE,
        ]
        .map(|durable| (subjects::STREAM_REPORTS, durable.to_owned()))
        .to_vec();
        consumers.push((subjects::STREAM_ALERTS, subjects::consumer_delivery("log")));
        consumers.push((subjects::STREAM_DEAD, subjects::CONSUMER_INGEST_DEAD.to_owned()));
        let projecting = loop {
            match self.site.projecting.get() {
                Some(durable) => break durable.clone(),
                None => tokio::time::sleep(RESTART).await,
            }
        };
        consumers.push((subjects::STREAM_REPORTS, projecting));
        let is_idle = |memory: &Memory, (stream, durable): &(&str, String)| {
            let state = memory.consumer_state(stream, durable);
            state.is_some_and(|state| state.queued == 0 && state.in_flight == 0)
        };
        let all_idle = |memory: &Memory| consumers.iter().all(|consumer| is_idle(memory, consumer));
        self.site.broker.until(all_idle).await;
    }

    pub(crate) async fn stop(&mut self) {
        self.site.stop.cancel();
        for process in self.processes.drain(..) {
            process.await.unwrap();
        }
    }
}

/// Returns a fetcher that is created once, because it reads the system's certificates.
fn fetcher() -> Fetcher {
    static FETCHER: LazyLock<Fetcher> =
        LazyLock::new(|| Fetcher::new(&gongkai_ingest::Config::default()).unwrap());
    FETCHER.clone()
}

/// Returns the children that read documents. They outlive the stories.
fn readers() -> Readers {
    static READERS: LazyLock<Readers> = LazyLock::new(|| {
        gongkai_isolation::testing::children_run(env!("CARGO_BIN_EXE_reading_child"));
        Readers::new(&gongkai_parse::Config::default().isolation()).unwrap()
    });
    READERS.clone()
}

fn is_worth_repeating(problem: &Problem) -> bool {
    problem.code.retryable()
}

impl Site {
    fn read_model(&self) -> PathBuf {
        self.folder.join("read-model.db")
    }

    /// Keeps one process running. Each of the `deaths` ends one.
    async fn keep(self: Arc<Self>, kind: Kind, deaths: Vec<Cut>) {
        let mut deaths = deaths.into_iter();
        loop {
            let connection = self.broker.connection();
            if let Some(cut) = deaths.next() {
                connection.cut_at(cut);
            }
            let runtime = Runtime::builder(name(kind), Arc::new(connection.clone()))
                .clock(self.clock.clone())
                .dead_prefix(subjects::DEAD_PREFIX)
                .attempts(subjects::BUCKET_ATTEMPTS)
                .build();
            let mut running = tokio::spawn(self.clone().run(kind, connection.clone(), runtime.clone()));
            let is_dead = tokio::select! {
                biased;
                () = connection.until_cut() => true,
                () = self.stop.cancelled() => false,
                ended = &mut running => panic!("{kind:?} ended by itself: {ended:?}"),
            };
            runtime.shutdown().cancel();
            if !is_dead {
                running.await.unwrap().unwrap();
                return;
            }
            runtime.hard_stop().cancel();
            running.abort();
            running.await.ok();
            tokio::time::sleep(RESTART).await;
        }
    }

    async fn run(self: Arc<Self>, kind: Kind, connection: Memory, runtime: Runtime) -> anyhow::Result<()> {
        let (_keep, registry) = watch::channel(Arc::new(registry()));
        match kind {
            Kind::Ingest => {
                let config = gongkai_ingest::Config {
                    public_url: "http://ingest.example".to_owned(),
                    ..gongkai_ingest::Config::default()
                };
                let intake = Intake::new(&config, runtime.clone(), fetcher(), Following::of(registry));
                *self.ingest.lock().unwrap() = Some((connection, intake));
                let receipts = ReceiptStore::new(&runtime);
                let stages = runtime.consume(Stages::consume(), Stages::new(&runtime));
                tokio::try_join!(stages, runtime.consume(Dead::consume(), Dead::new(receipts)))?;
            }
            Kind::Parse => {
                let filters = [Event::ReportReceived.filter()];
                let consume = Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_PARSE, filters);
                let config = gongkai_parse::Config::default();
                runtime.consume(consume, Reader::new(&config, &runtime, readers(), registry)).await?;
            }
            Kind::Validate => {
                let filters =
                    [Event::ReportParsed, Event::ReportWithdrawn, Event::ReportErased].map(Event::filter);
                let consume = Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE, filters);
                runtime.consume(consume, Validator::new(&runtime, RuleSet::embedded(), registry)).await?;
            }
            Kind::Notify => Notify::run(gongkai_notify::Config::default(), runtime).await?,
            Kind::Query => {
                let store = Arc::new(SqliteStore::open(&self.read_model(), Options::default())?);
                let consume = projector::consume(store.epoch());
                self.projecting.get_or_init(|| consume.durable.clone());
                let texts = runtime.objects(subjects::BUCKET_TEXTS);
                let projector = projector::Projector::new(store, texts, ChangeNotifier::new());
                runtime.consume(consume, projector).await?;
            }
        }
        Ok(())
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ingest => "ingest",
        Kind::Parse => "parse",
        Kind::Validate => "validate",
        Kind::Notify => "notify",
        Kind::Query => "query",
    }
}

/// Returns a registry with both agencies, under the name in their reports.
fn registry() -> Registry {
    let list = AGENCIES.map(|code| format!("{code},云溪县自然资源局,361001\n"));
    gongkai_agencies::read_csv(format!("code,name,region\n{}", list.concat()).as_bytes()).unwrap()
}
