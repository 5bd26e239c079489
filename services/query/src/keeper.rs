//! Keeps the read model: opens it, compares it with its log and its checksums, and replaces one that differs.
//!
//! A read model is a copy of the log. If the two differ, the log is right: the file is moved aside and another is
//! built from the first event on. Differences are noticed when the service starts and while it runs:
//!
//! - another log, or an older copy of it: the identity and the newest event are compared ([`LogWatch::history`])
//!   before each write and every [`CHECK`];
//! - an older copy of the file: its consumer has settled more than the file contains ([`LogWatch::completeness`]);
//! - damage: each page has a checksum ([`SqliteStore::verify`]), and SQLite reports some damage itself.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use gongkai_proto::subjects::{self, BUCKET_TEXTS, STREAM_REPORTS};
use gongkai_store::sqlite::{self, FileLock, Options, SqliteStore};
use gongkai_store::{Error, LogIdentity, Store as _};
use gongkai_worker::transport::{self, ErrorKind, StreamState, TopologyPart};
use gongkai_worker::{Latch, Recurring, Runtime};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::commands::LateRejections;
use crate::config::{Config, Rebuild};
use crate::log_watch::{self, LogComparison, LogWatch};
use crate::notifier::ChangeNotifier;
use crate::projector::{self, Projector};
use crate::read_model::{Availability, Doubt, ReadModel};

/// Time between two comparisons with the log.
const CHECK: Duration = Duration::from_secs(5);
/// Number of unsure comparisons in a row before a read model is replaced.
const UNSURE: u32 = 2;
/// Number of pages compared with their checksums at each check: 32 MiB.
const PAGES: usize = 8192;
/// Time between two updates of the progress of a rebuild.
const PROGRESS: Duration = Duration::from_millis(250);
/// Pause before an operation that waits for the broker or another process is retried.
const AGAIN: Duration = Duration::from_millis(500);
/// Maximum number of replacements within [`WINDOW`], so that a permanent fault does not keep the disk busy.
const REPLACEMENTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(600);

/// Keeps the read model of a process.
pub struct Keeper {
    path: PathBuf,
    readers: usize,
    rebuild: Rebuild,
    runtime: Runtime,
    model: ReadModel,
    changes: ChangeNotifier,
    late: LateRejections,
    /// `Some` while the read model must not answer.
    latch: Option<Latch>,
    replaced: VecDeque<Instant>,
}

/// A read model that matches its log.
struct OpenModel {
    store: Arc<SqliteStore>,
    watch: LogWatch,
}

/// Why a file is not in use.
enum Obstacle {
    /// The file does not match its log, or is damaged, and must be replaced.
    Mismatch(String),
    /// The broker did not answer, or has no log.
    Broker(transport::Error),
    /// The read model cannot be opened, and an operator must act.
    Failed(anyhow::Error),
}

/// How the use of a read model ended.
enum Ended {
    /// The process is stopping.
    Stopped,
    /// The log does not exist any more: wait for one.
    LogGone,
    /// The read model must be replaced, for this reason.
    Doubted(String),
}

impl Keeper {
    /// Creates a keeper of `model`, which notifies `changes` after each visible change, and shows each stored rejection to `late`.
    #[must_use]
    pub fn new(
        config: &Config,
        runtime: Runtime,
        model: ReadModel,
        changes: ChangeNotifier,
        late: LateRejections,
    ) -> Self {
        Self {
            path: config.database.clone(),
            readers: config.readers,
            rebuild: config.rebuild,
            latch: Some(runtime.latch("read model")),
            replaced: VecDeque::new(),
            runtime,
            model,
            changes,
            late,
        }
    }

    /// Keeps the read model until shutdown. `doubts` receives reasons to replace it.
    ///
    /// # Errors
    /// The file cannot be opened, or the consumer failed: the process cannot continue.
    pub async fn run(mut self, mut doubts: mpsc::Receiver<Doubt>) -> anyhow::Result<()> {
        let shutdown = self.runtime.shutdown();
        let Some(lock) = shutdown.run_until_cancelled(self.lock()).await else { return Ok(()) };
        let _lock = lock?;
        let mut doubt = None;
        loop {
            let opened = shutdown.run_until_cancelled(self.open(doubt.take())).await;
            let Some(kept) = opened.transpose()? else { return Ok(()) };
            match self.keep(&kept, &mut doubts).await? {
                Ended::Stopped => return Ok(()),
                Ended::LogGone => {}
                Ended::Doubted(reason) => doubt = Some(reason),
            }
            self.model.set(None, self.without_log());
            // Watchers read again and find that their read model was replaced.
            self.changes.notify();
            spawn_blocking(move || kept.store.close()).await?;
        }
    }

    /// Returns why there is no read model when its log is missing or was replaced.
    fn without_log(&self) -> Availability {
        if self.runtime.has_lost(TopologyPart::Stream(STREAM_REPORTS)) {
            return Availability::Lost(format!("the log {STREAM_REPORTS} is not what it was"));
        }
        Availability::Opening("the log".to_owned())
    }

    /// Waits for the lock of the file: the previous process may still be stopping.
    async fn lock(&mut self) -> anyhow::Result<FileLock> {
        loop {
            let path = self.path.clone();
            let lock = spawn_blocking(move || sqlite::lock(&path)).await?;
            if let Some(lock) = lock.with_context(|| self.what("lock"))? {
                return Ok(lock);
            }
            self.wait_for(format!("another process to release {}", self.path.display())).await;
        }
    }

    /// Opens the file if it matches the log. Otherwise builds another in its place.
    async fn open(&mut self, mut doubt: Option<String>) -> anyhow::Result<OpenModel> {
        loop {
            let opened = match doubt.take() {
                Some(reason) => Err(Obstacle::Mismatch(reason)),
                None => self.try_open().await,
            };
            match opened {
                Ok(kept) => return Ok(kept),
                Err(Obstacle::Mismatch(reason)) if self.rebuild == Rebuild::Refuse => {
                    self.refuse(reason).await;
                }
                Err(Obstacle::Mismatch(reason)) => self.set_aside(reason).await?,
                Err(Obstacle::Broker(error)) if error.kind == ErrorKind::NotFound => {
                    self.wait_for(format!("the log {STREAM_REPORTS}, which the broker does not have")).await;
                }
                Err(Obstacle::Broker(error)) if error.kind == ErrorKind::Lost => {
                    self.wait_while(Availability::Lost(error.to_string()), format!("the broker: {error}"))
                        .await;
                }
                Err(Obstacle::Broker(error)) => self.wait_for(format!("the broker: {error}")).await,
                Err(Obstacle::Failed(error)) => return Err(error),
            }
        }
    }

    async fn try_open(&self) -> Result<OpenModel, Obstacle> {
        let state = self.runtime.stream_state(STREAM_REPORTS).await?;
        let store = self.open_store().await.map_err(|error| match error {
            Error::Damaged(what) => Obstacle::Mismatch(format!("the file is damaged: {what}")),
            error => self.failed("open", error),
        })?;
        let examined = self.examine(store.clone(), &state).await;
        if examined.is_err() {
            spawn_blocking(move || store.close()).await.map_err(|panic| Obstacle::Failed(panic.into()))?;
        }
        examined
    }

    async fn open_store(&self) -> Result<Arc<SqliteStore>, Error> {
        let (path, options) = (self.path.clone(), Options { readers: self.readers, ..Options::default() });
        let opened = spawn_blocking(move || SqliteStore::open(&path, options)).await;
        opened.unwrap_or_else(|panic| Err(Error::Backend(Box::new(panic)))).map(Arc::new)
    }

    /// Compares an opened file with the log. A new file is bound to this log.
    async fn examine(&self, store: Arc<SqliteStore>, state: &StreamState) -> Result<OpenModel, Obstacle> {
        let mut log = store.log().map_err(|error| self.failed("read", error))?;
        if log.is_none() && store.position().events == 0 {
            let new = LogIdentity { created: state.created, first_sequence: state.first_sequence };
            store.begin(&new).map_err(|error| self.failed("write", error))?;
            log = Some(new);
        }
        let Some(log) = log else {
            return Err(Obstacle::Mismatch("it does not say of which log it is".to_owned()));
        };
        let watch = LogWatch::new(self.runtime.clone(), store.clone(), log);
        match sure(&watch).await? {
            LogComparison::Same => Ok(OpenModel { store, watch }),
            LogComparison::Other(reason) | LogComparison::Unsure(reason) => Err(Obstacle::Mismatch(reason)),
        }
    }

    /// Refuses reads with this reason until shutdown.
    async fn refuse(&mut self, reason: String) {
        tracing::error!(
            reason,
            database = %self.path.display(),
            "the read model does not match its log and is not replaced: set query.rebuild = \"auto\", or move the file away"
        );
        self.say(format!(
            "an operator: the read model does not match its log ({reason}); set query.rebuild = \"auto\", or move {} away",
            self.path.display()
        ));
        self.model.set(None, Availability::Refused(reason));
        std::future::pending::<()>().await;
    }

    async fn set_aside(&mut self, reason: String) -> anyhow::Result<()> {
        while self.replaced.len() >= REPLACEMENTS {
            if self.replaced.front().is_some_and(|first| first.elapsed() > WINDOW) {
                self.replaced.pop_front();
            } else {
                self.wait_for(format!("a pause between replacements of the read model ({reason})")).await;
            }
        }
        self.replaced.push_back(Instant::now());
        let path = self.path.clone();
        let aside = spawn_blocking(move || sqlite::set_aside(&path)).await?;
        let aside = aside.with_context(|| self.what("set aside"))?;
        tracing::warn!(
            reason,
            database = %self.path.display(),
            kept = %aside.display(),
            "the read model does not match its log: its file is set aside, and another is made from the log"
        );
        Ok(())
    }

    /// Fills and watches a read model until shutdown or until it must be replaced.
    async fn keep(&mut self, kept: &OpenModel, doubts: &mut mpsc::Receiver<Doubt>) -> anyhow::Result<Ended> {
        let OpenModel { store, watch: log } = kept;
        let epoch = store.epoch().to_owned();
        let is_whole = store.is_whole().with_context(|| self.what("read"))?;
        if is_whole {
            self.ready(store);
        }
        let texts = self.runtime.objects(BUCKET_TEXTS);
        let projector =
            Projector::watching(store.clone(), texts, self.changes.clone(), log.clone(), self.model.clone())
                .rereading(self.late.clone());
        let runtime = self.runtime.clone();
        let shutdown = runtime.shutdown();
        let consuming = runtime.consume(projector::consume(&epoch), projector);
        let rebuilding = async {
            if !is_whole {
                self.rebuild(kept).await?;
            }
            std::future::pending::<anyhow::Result<Ended>>().await
        };
        tokio::select! {
            consumed = consuming => match consumed {
                Ok(()) => Ok(Ended::Stopped),
                // The consumer fails permanently if its stream is missing.
                Err(_) if !shutdown.is_cancelled() && log_is_gone(&runtime).await => Ok(Ended::LogGone),
                Err(error) => Err(error),
            },
            failed = rebuilding => failed,
            ended = watch(kept, doubts, &runtime) => Ok(ended),
        }
    }

    /// Waits until the read model contains every event that the log has now.
    async fn rebuild(&mut self, kept: &OpenModel) -> anyhow::Result<()> {
        let (began, store) = (Instant::now(), &kept.store);
        let durable = subjects::consumer_query(store.epoch());
        let mut reached = None;
        let mut progress = interval(PROGRESS);
        loop {
            progress.tick().await;
            // The runtime logs that the broker does not answer.
            let Ok((last, total)) = reach(&self.runtime, reached).await else { continue };
            reached = Some((last, total));
            let done = store.position().events.min(total);
            self.model.set(Some(store.clone()), Availability::Rebuilding { done, total });
            self.say(format!("the read model, which is rebuilt from the log: {done} of {total} events"));
            let lag = self.runtime.consumer_lag(STREAM_REPORTS, &durable).await;
            let Ok(Some(lag)) = lag else { continue };
            if lag.floor >= last || lag.outstanding == 0 {
                store.set_whole().with_context(|| self.what("write"))?;
                let took_s = began.elapsed().as_secs_f64();
                tracing::info!(events = store.position().events, took_s, "the read model holds the log");
                self.ready(store);
                return Ok(());
            }
        }
    }

    fn ready(&mut self, store: &Arc<SqliteStore>) {
        self.model.set(Some(store.clone()), Availability::Ready);
        self.latch = None;
        tracing::info!(epoch = store.epoch(), "answering");
    }

    /// Reports what the read model waits for, and pauses.
    async fn wait_for(&mut self, what: String) {
        self.wait_while(Availability::Opening(what.clone()), what).await;
    }

    async fn wait_while(&mut self, condition: Availability, what: String) {
        self.model.set(None, condition);
        self.say(what);
        sleep(AGAIN).await;
    }

    fn say(&mut self, what: String) {
        self.latch.get_or_insert_with(|| self.runtime.latch("read model")).say(what);
    }

    fn failed(&self, verb: &str, error: Error) -> Obstacle {
        Obstacle::Failed(anyhow::Error::new(error).context(self.what(verb)))
    }

    fn what(&self, verb: &str) -> String {
        format!("couldn't {verb} query.database = {}", self.path.display())
    }
}

impl From<transport::Error> for Obstacle {
    fn from(error: transport::Error) -> Self {
        Self::Broker(error)
    }
}

/// Compares a read model regularly with its log and its checksums, until they differ.
async fn watch(kept: &OpenModel, doubts: &mut mpsc::Receiver<Doubt>, runtime: &Runtime) -> Ended {
    let mut ticks = interval(CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut unsure = 0;
    loop {
        tokio::select! {
            Some(doubt) = doubts.recv() => {
                // A doubt about a predecessor may arrive late.
                if doubt.epoch == kept.store.epoch() {
                    return Ended::Doubted(doubt.reason);
                }
                continue;
            }
            _ = ticks.tick() => {}
        }
        if let Some(reason) = damage(kept.store.clone()).await {
            return Ended::Doubted(reason);
        }
        match compare(&kept.watch).await {
            Ok(LogComparison::Same) => unsure = 0,
            Ok(LogComparison::Unsure(_)) if unsure < UNSURE => unsure += 1,
            Ok(LogComparison::Other(reason) | LogComparison::Unsure(reason)) => {
                return Ended::Doubted(reason);
            }
            Err(error) if error.kind == ErrorKind::NotFound => return Ended::LogGone,
            Err(error)
                if error.kind == ErrorKind::Lost
                    && runtime.has_lost(TopologyPart::Stream(STREAM_REPORTS)) =>
            {
                return Ended::LogGone;
            }
            // The runtime logs an outage. Meanwhile the read model answers in its present state.
            Err(_) => {}
        }
    }
}

/// Compares some pages with their checksums. Returns a description of the damage, if any.
async fn damage(store: Arc<SqliteStore>) -> Option<String> {
    let failed: Box<dyn std::error::Error> = match spawn_blocking(move || store.verify(PAGES)).await {
        Ok(Ok(())) => return None,
        Ok(Err(Error::Damaged(what))) => return Some(format!("the file is damaged: {what}")),
        Ok(Err(error)) => error.into(),
        Err(panic) => panic.into(),
    };
    static FAILURE: Recurring = Recurring::new();
    if let Some(failures) = FAILURE.due() {
        tracing::warn!(error = failed.as_ref(), failures, "pages not compared");
    }
    None
}

/// Compares history and completeness.
async fn compare(watch: &LogWatch) -> Result<LogComparison, transport::Error> {
    match watch.history().await? {
        LogComparison::Same => watch.completeness().await,
        other => Ok(other),
    }
}

/// Compares history and completeness, repeatedly while the result is unsure.
async fn sure(watch: &LogWatch) -> Result<LogComparison, transport::Error> {
    let mut verdict = LogComparison::Same;
    for _ in 0..UNSURE {
        verdict = compare(watch).await?;
        if !matches!(verdict, LogComparison::Unsure(_)) {
            break;
        }
        sleep(AGAIN).await;
    }
    Ok(verdict)
}

/// Returns the last sequence of the log and the number of events to store. Asks the broker unless they are `known`.
async fn reach(runtime: &Runtime, known: Option<(u64, u64)>) -> Result<(u64, u64), transport::Error> {
    if let Some(known) = known {
        return Ok(known);
    }
    let last = runtime.stream_state(STREAM_REPORTS).await?.last_sequence;
    Ok((last, log_watch::events(runtime).await?))
}

async fn log_is_gone(runtime: &Runtime) -> bool {
    let state = runtime.stream_state(STREAM_REPORTS).await;
    state.is_err_and(|error| error.kind == ErrorKind::NotFound)
}
