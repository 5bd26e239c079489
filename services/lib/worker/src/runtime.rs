//! [`Runtime`]: the interface through which a service publishes, consumes, stores, reads the time, spawns tasks and
//! measures.
//!
//! Nothing here depends on a particular broker.

mod builder;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::alone::{Alone, WorkFloor};
use crate::attempts::AttemptLog;
use crate::broker_figures::ConsumerFigures;
use crate::clock::Clock;
use crate::config::WorkerSettings;
use crate::consumer::{self, Supplies};
use crate::cpu::CpuPool;
use crate::handler::{Context, Handler};
use crate::holdings::Holdings;
use crate::liveness::Liveness;
use crate::metrics::{Counter, Figure, Histogram, Meters, UpDownCounter};
use crate::output::Output;
use crate::panics::Panicked;
use crate::plan::{Consume, Plan};
use crate::process::{CrashIsolation, Stage, Tools};
use crate::readiness::{Latch, Readiness};
use crate::replica::{self, Replica};
use crate::server::ServerLayer;
use crate::shutdown::{OnFailure, Shutdown};
use crate::stores::Monitored;
use crate::trace::{self, TraceSpan};
use crate::transport::{
    self, ConsumerLag, Entries, ErrorKind, Logged, Message, Objects, Published, Requests, StreamState,
    TopologyPart, Transport,
};

/// The handle through which a service uses the runtime. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    tools: Tools,
    shutdown: Shutdown,
    readiness: Readiness,
    liveness: Liveness,
    meters: Meters,
    settings: WorkerSettings,
    cpu: CpuPool,
    floor: WorkFloor,
    attempts: &'static str,
    /// Names of the durable consumers, for the register.
    consumers: watch::Sender<BTreeSet<String>>,
    holdings: Option<Holdings>,
}

// === impl Runtime ===

impl Runtime {
    /// Publishes a message and waits until its stream acknowledges it.
    ///
    /// Adds the `ce-*` headers, `Nats-Msg-Id`, the content type and the current trace context. If the output has its
    /// own message id, that replaces `message_id`. While the broker is unavailable, the publish is retried under the
    /// same id for up to `[worker] publish_budget_s` seconds.
    ///
    /// # Errors
    /// The publish was not acknowledged; the message may or may not be in the stream, and calling again with the same
    /// id is safe. On `Unavailable` and `Full` the caller should make its sender wait (503, `RESOURCE_EXHAUSTED`).
    /// For the other kinds a retry does not help.
    ///
    /// # Cancel safety
    /// If the future is dropped, the message may or may not have been published. Call again with the same id.
    pub async fn publish(&self, message_id: &str, mut output: Output) -> Result<Published, transport::Error> {
        let publisher = &self.0.tools.publisher;
        match output.message_id.take() {
            Some(own) => publisher.publish(&own, output).await,
            None => publisher.publish(message_id, output).await,
        }
    }

    /// Publishes a message as it is, such as one of [`repeat`](crate::repetition::repeat), and waits until its stream
    /// acknowledges it. The message has its own id and trace context.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    ///
    /// # Cancel safety
    /// As for [`Self::publish`].
    pub async fn republish(&self, message: &Message) -> Result<Published, transport::Error> {
        self.0.tools.publisher.republish(message).await
    }

    /// Sets a timer: its stream publishes `output` once `after` has passed. `timer` is its name, a subject of that
    /// stream; a timer of that name that has not fired yet is replaced.
    ///
    /// The message has the headers of a published one, but no `Nats-Msg-Id`.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    ///
    /// # Cancel safety
    /// If the future is dropped, the timer may or may not be set. Call again.
    pub async fn schedule(
        &self,
        timer: &str,
        output: Output,
        after: Duration,
    ) -> Result<(), transport::Error> {
        self.0.tools.publisher.schedule(timer, output, after, true).await
    }

    /// Like [`Self::schedule`], unless a timer of that name is set already. In that case returns false.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    ///
    /// # Cancel safety
    /// As for [`Self::schedule`].
    pub async fn schedule_unless_set(
        &self,
        timer: &str,
        output: Output,
        after: Duration,
    ) -> Result<bool, transport::Error> {
        match self.0.tools.publisher.schedule(timer, output, after, false).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Passes messages to `handler` until shutdown, then waits for those in flight, for up to
    /// `[worker] drain_timeout_s` seconds.
    ///
    /// Holds a readiness latch until the consumer is bound. While the broker is unavailable, binding is retried.
    ///
    /// # Errors
    /// The values in `consume` contradict each other, the stream is missing, or access is denied: a deployment
    /// mistake. The service should stop.
    ///
    /// # Cancel safety
    /// Dropping the future drops the fetch under way. Messages in flight finish on their own.
    pub async fn consume<H: Handler>(&self, consume: Consume, handler: H) -> anyhow::Result<()> {
        let plan = Plan::new(&self.0.settings, consume)?;
        let supplies = Supplies {
            transport: self.0.transport.clone(),
            shutdown: self.0.shutdown.clone(),
            liveness: self.0.liveness.clone(),
            outage: self.0.tools.outage.clone(),
            latch: self.latch("consumer"),
            readiness: self.0.readiness.clone(),
        };
        let apart = CrashIsolation {
            floor: match plan.alone {
                Alone::InProcess => self.0.floor.clone(),
                Alone::InConsumer => WorkFloor::default(),
            },
            attempts: AttemptLog::new(self.entries(self.0.attempts), &plan.spec.stream, &plan.spec.durable),
        };
        self.0.consumers.send_modify(|consumers| {
            consumers.insert(plan.spec.durable.clone());
        });
        let figures = ConsumerFigures::new(&self.0.meters, &plan.spec, self.0.transport.clone());
        let clock = self.0.tools.clock.clone();
        let _figures = AbortOnDropHandle::new(tokio::spawn(figures.follow(clock)));
        let stage = Stage::new(self.0.tools.clone(), &self.0.meters, &plan, apart, handler);
        consumer::run(plan, stage, supplies).await
    }

    /// Keeps the entry of this service in the register until the soft stop.
    pub(crate) fn register(&self, bucket: &'static str, instance: String) {
        let replica = Replica {
            service: self.service().to_owned(),
            instance,
            version: self.version().to_owned(),
            host: replica::host(),
            started_at: self.clock().now().truncate_to_second().format(&Rfc3339).unwrap_or_default(),
            consumers: Vec::new(),
        };
        let consumers = self.0.consumers.subscribe();
        let keeping = replica::keep(self.entries(bucket), replica, consumers, self.shutdown());
        self.spawn("register", OnFailure::Log, keeping);
    }

    /// Returns a bucket of objects, which must be declared in the topology.
    #[must_use]
    pub fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(Monitored::new(self.0.transport.objects(bucket), self.0.tools.outage.clone()))
    }

    /// Returns a bucket of entries, which must be declared in the topology.
    #[must_use]
    pub fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(Monitored::new(self.0.transport.entries(bucket), self.0.tools.outage.clone()))
    }

    /// Reads one message of a stream by its sequence. Returns `None` if there is none, or if the replica that answers
    /// lags behind.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream.
    pub async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.message(stream, sequence).await)
    }

    /// Returns the first message of a stream after `sequence` whose subject matches one of `filters`, with its own
    /// sequence; see [`Transport::first_after`].
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream.
    pub async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.first_after(stream, filters, sequence).await)
    }

    /// Subscribes to requests, each of which goes to one member of `group`; see [`Transport::requests`].
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: the account may not subscribe.
    pub async fn requests(&self, subject: &str, group: &str) -> Result<Requests, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.requests(subject, group).await)
    }

    /// Sends a reply, or any message that no stream stores. Nobody acknowledges it.
    ///
    /// # Errors
    /// The connection is closed, or the message is too large.
    pub async fn send(&self, message: Message) -> Result<(), transport::Error> {
        self.0.transport.send(message).await
    }

    /// Returns the identity of a stream and its last sequence.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream.
    pub async fn stream_state(&self, stream: &'static str) -> Result<StreamState, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.stream_state(stream).await)
    }

    /// Counts the messages of a stream whose subjects match `filter`.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream.
    pub async fn count(&self, stream: &str, filter: &str) -> Result<u64, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.count(stream, filter).await)
    }

    /// Returns the progress of a durable consumer, or `None` if there is no such consumer.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream.
    pub async fn consumer_lag(
        &self,
        stream: &str,
        durable: &str,
    ) -> Result<Option<ConsumerLag>, transport::Error> {
        self.0.tools.outage.heard(self.0.transport.consumer_lag(stream, durable).await)
    }

    /// Opens a span in the trace of a message that was read with [`Self::message`].
    #[must_use]
    pub fn continue_trace(&self, message: &Message, name: &'static str) -> TraceSpan {
        let tracer = &self.0.tools.tracer;
        let sender = trace::extract_from_message(&tracer.base(), &message.headers);
        tracer.start(name, trace::SpanKind::Consumer, &sender, Vec::new)
    }

    /// Publishes a dead letter for a message that was read with [`Self::message`] and does not reach `recipient`. Its
    /// id derives from those of the message and of the recipient, so that a second call stores nothing.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    pub async fn bury(
        &self,
        recipient: &str,
        context: &Context,
        message: &Message,
        code: &'static str,
        cause: &anyhow::Error,
    ) -> Result<(), transport::Error> {
        let tools = &self.0.tools;
        let letter = tools.dead_letter(context, message, code, cause);
        let id = format!("{}.{recipient}", letter.id());
        tools.publisher.publish(&id, letter.output(&tools.dead_subject)).await?;
        let (message_id, error) = (&context.message_id, &letter.cause);
        tracing::error!(message_id, subject = context.subject, recipient, code, error, "message buried");
        Ok(())
    }

    /// Returns the token of the soft stop. Once it is cancelled, start no more work and finish the running work.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.0.shutdown.soft.clone()
    }

    /// Returns the token of the hard stop. Once it is cancelled, work that is still running is dropped.
    #[must_use]
    pub fn hard_stop(&self) -> CancellationToken {
        self.0.shutdown.hard.clone()
    }

    /// Waits for the end of the drain: `[worker] drain_timeout_s` after the soft stop, or the hard stop. Work that is
    /// still running should then be dropped.
    ///
    /// # Cancel safety
    /// Cancel safe; a new call waits from the start if the soft stop came before it.
    pub async fn drained(&self) {
        let drain = async {
            self.0.shutdown.soft.cancelled().await;
            tokio::time::sleep(Duration::from_secs(self.0.settings.drain_timeout_s)).await;
        };
        tokio::select! {
            () = drain => {}
            () = self.0.shutdown.hard.cancelled() => {}
        }
    }

    /// Returns the clock, the only source of the current time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.tools.clock.clone()
    }

    /// Creates a latch that keeps `/readyz` unready until it is released. `/readyz` prints `name` meanwhile.
    pub fn latch(&self, name: &'static str) -> Latch {
        self.0.readiness.latch(name)
    }

    /// Adds a remark to the answer of `/readyz`, such as how a component is protected.
    pub fn remark(&self, name: &'static str, text: String) {
        self.0.readiness.remark(name, text);
    }

    /// Returns true if every latch is released, no stream or bucket is lost, and the process is not stopping.
    /// `/readyz` also pings the broker.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let is_whole = self.0.holdings.as_ref().is_none_or(|holdings| holdings.obstacle().is_none());
        is_whole && self.0.readiness.is_ready()
    }

    /// Returns the epoch of the log: 0 at first, and a higher number after each accepted loss of a stream or bucket.
    /// State that was derived from messages of a lower epoch may belong to a log that no longer exists.
    #[must_use]
    pub fn log_epoch(&self) -> u64 {
        self.0.holdings.as_ref().map_or(0, Holdings::accepted_ms)
    }

    /// Waits until the epoch of the log differs from `epoch`, because a loss was accepted.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until_epoch_after(&self, epoch: u64) {
        match &self.0.holdings {
            Some(holdings) => holdings.until_accepted_after(epoch).await,
            None => std::future::pending().await,
        }
    }

    /// Returns true if the process stopped working because this stream or bucket is lost. Calls to the broker fail as
    /// [`ErrorKind::Lost`] meanwhile.
    #[must_use]
    pub fn has_lost(&self, part: TopologyPart) -> bool {
        self.0.holdings.as_ref().is_some_and(|holdings| holdings.has_lost(part))
    }

    /// Returns the sentences of the latches that are held, which `/readyz` prints.
    #[must_use]
    pub fn waiting(&self) -> Vec<String> {
        self.0.readiness.waiting()
    }

    /// Returns the service's short name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.tools.tracer.service()
    }

    /// Returns the program's version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.0.tools.version
    }

    /// Starts a background task. Shutdown waits for the task and the hard stop drops it.
    ///
    /// An error or panic of the task has the effect declared by `on_failure`.
    pub fn spawn<F>(&self, name: &'static str, on_failure: OnFailure, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.0.shutdown.spawn(name, on_failure, self.root(task));
    }

    /// Runs CPU work on the pool, which runs one job per core, under the current trace.
    ///
    /// # Errors
    /// `f` panicked. Discard the data that it was working on.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop `f` once it has started.
    pub async fn cpu<F, R>(&self, f: F) -> Result<R, Panicked>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.0.cpu.run(f).await
    }

    /// Runs `future` as work of this service but outside any trace, so that spans in it start new traces.
    pub fn root<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        TraceSpan::of(self.0.tools.tracer.base()).run(future)
    }

    /// Creates a counter of the service, such as `gongkai.parse.documents` in `{document}`. Describe it in METRICS.md.
    #[must_use]
    pub fn counter(&self, name: &'static str, unit: &'static str, description: &'static str) -> Counter {
        self.0.meters.counter(name, unit, description)
    }

    /// Creates a histogram of the service. With the unit `s` its buckets suit durations. Describe it in METRICS.md.
    #[must_use]
    pub fn histogram(&self, name: &'static str, unit: &'static str, description: &'static str) -> Histogram {
        self.0.meters.histogram(name, unit, description)
    }

    /// Creates an up-down counter of the service with these labels, such as `gongkai.notify.waiting` in `{delivery}`.
    /// Describe it in METRICS.md.
    #[must_use]
    pub fn level(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        labels: &[(&'static str, &str)],
    ) -> UpDownCounter {
        let labels = labels.iter().map(|(key, value)| KeyValue::new(*key, (*value).to_owned())).collect();
        UpDownCounter(self.0.meters.level(name, unit, description, labels))
    }

    /// Creates a number of the service with these labels that may be unknown, such as `gongkai.alerts.open` in
    /// `{alert}`. Describe it in METRICS.md.
    #[must_use]
    pub fn figure(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        labels: &[(&'static str, &str)],
    ) -> Figure {
        let labels = labels.iter().map(|(key, value)| KeyValue::new(*key, (*value).to_owned())).collect();
        self.0.meters.figure(name, unit, description, labels)
    }

    /// Returns a tower layer that opens a span, writes a log line and records the duration for each HTTP or gRPC
    /// request.
    #[must_use]
    pub fn server_layer(&self) -> ServerLayer {
        ServerLayer::new(&self.0.tools.tracer, &self.0.meters)
    }
}
