//! Pulling messages and settling them.
//!
//! A fetch is one pull request with its own inbox. When its stream is dropped, the inbox is closed and messages on
//! their way to it are nacked, so that a stopping replica delays nothing. The request asks for heartbeats. Two
//! missing heartbeats or a lost connection end the batch with `Unavailable`. (The library's own batches do not wake
//! up after a heartbeat.)
//!
//! The server is asked regularly for the ack floor of a consumer, the sequence up to which every message is settled, and
//! for its pause. A consumer that is lost is created again from its floor, and paused as it was.
//!
//! Each settlement waits for the server's confirmation on the connection's shared inbox, which needs no subscription.

use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};

use async_nats::{
    Request, StatusCode, Subject, Subscriber,
    jetstream::{
        self, AckKind,
        consumer::{
            AckPolicy, Consumer, DeliverPolicy,
            pull::{BatchConfig, Config},
        },
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    future::FutureExt as _,
    stream::{self, BoxStream, StreamExt as _},
};
use time::OffsetDateTime;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    connection::{self, Connection, LinkState},
    errors,
    last_seen::ConsumerState,
    topology,
};
use crate::transport::{ConsumerSpec, Delivery, Error, ErrorKind, Headers, Message, Pull, Settle};

const HEARTBEAT: Duration = Duration::from_secs(5);
/// Shortest useful heartbeat. A pull that expires sooner needs none.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(250);
/// How late the server's notice of an expired pull may arrive.
const GRACE: Duration = Duration::from_secs(2);
/// The server's word for no limit. It must not limit deliveries: it would also count those that a crash ended, and stop
/// at the limit without a dead letter.
const UNLIMITED: i64 = -1;
/// Maximum number of waiting pull requests over all replicas.
const MAX_WAITING: i64 = 64;

/// Binds the durable consumer. Creates it if it is missing, and updates it if its settings differ.
///
/// # Errors
/// See [`crate::Transport::consumer`].
pub(super) async fn bind(connection: &Arc<Connection>, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
    let (stream, durable) = (spec.stream.as_str(), spec.durable.as_str());
    let Some(log) = topology::info(connection, stream).await? else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no stream {stream}")));
    };
    let look_up = connection.context.get_consumer_from_stream::<Config, _, _>(durable, stream);
    let present = match connection.bounded("look up consumer", durable, look_up).await {
        Ok(consumer) => Some(consumer),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let created = topology::created(&log);
    let seen = connection.last_seen.get(stream, durable, created);
    let config = overlay(present.as_ref().map(|consumer| &consumer.cached_info().config), spec);
    let config = match seen {
        Some(seen) if present.is_none() => lost(config, seen, log.state.last_sequence),
        _ => config,
    };
    let consumer = match present {
        Some(consumer) if is_same(consumer.cached_info(), &config) => consumer,
        present => {
            if present.is_none() {
                tracing::info!(stream, durable, start = ?config.deliver_policy, "creating a consumer");
            }
            let create = connection.context.create_consumer_on_stream(config, stream);
            connection.bounded("create consumer", durable, create).await?
        }
    };
    connection.last_seen.set(stream, durable, created, consumer.cached_info());
    Ok(Box::new(JetStreamPull {
        connection: connection.clone(),
        consumer,
        durable: durable.into(),
        stream: stream.to_owned(),
        stream_created: created,
        asked: Instant::now(),
    }))
}

/// Returns the settings of a consumer that continues where a lost one was, if the stream still has that place, and is
/// paused as that one was.
fn lost(config: Config, seen: ConsumerState, last_sequence: u64) -> Config {
    let deliver_policy = match seen.floor {
        floor if floor <= last_sequence => DeliverPolicy::ByStartSequence { start_sequence: floor + 1 },
        _ => DeliverPolicy::All,
    };
    Config { deliver_policy, pause_until: seen.paused_until, ..config }
}

/// Combines our settings with those of the existing consumer, which operators may have changed or paused.
fn overlay(present: Option<&jetstream::consumer::Config>, spec: &ConsumerSpec) -> Config {
    let (filter_subject, filter_subjects) = match spec.filters.as_slice() {
        [] => (String::new(), Vec::new()),
        [only] => (only.clone(), Vec::new()),
        several => (String::new(), several.to_vec()),
    };
    Config {
        durable_name: Some(spec.durable.clone()),
        name: Some(spec.durable.clone()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: spec.ack_wait,
        max_ack_pending: spec.max_ack_pending.map_or(UNLIMITED, i64::from),
        max_deliver: UNLIMITED,
        filter_subject,
        filter_subjects,
        // The server refuses to change the policy of an existing consumer.
        deliver_policy: present.map_or(DeliverPolicy::All, |config| config.deliver_policy),
        inactive_threshold: spec.forget_after.unwrap_or_default(),
        max_waiting: present.map_or(MAX_WAITING, |config| config.max_waiting),
        num_replicas: present.map_or(0, |config| config.num_replicas),
        pause_until: present.and_then(|config| config.pause_until),
        ..Config::default()
    }
}

fn is_same(present: &jetstream::consumer::Info, wanted: &Config) -> bool {
    let present = &present.config;
    let has = filters(&present.filter_subject, &present.filter_subjects);
    has == filters(&wanted.filter_subject, &wanted.filter_subjects)
        && present.ack_wait == wanted.ack_wait
        && present.max_ack_pending == wanted.max_ack_pending
        && present.max_deliver == wanted.max_deliver
        && present.inactive_threshold == wanted.inactive_threshold
}

fn filters<'a>(one: &'a String, several: &'a [String]) -> BTreeSet<&'a String> {
    several.iter().chain([one]).filter(|filter| !filter.is_empty()).collect()
}

struct JetStreamPull {
    connection: Arc<Connection>,
    consumer: Consumer<Config>,
    durable: Arc<str>,
    stream: String,
    stream_created: OffsetDateTime,
    /// When the server was last asked for the state of the consumer.
    asked: Instant,
}

impl JetStreamPull {
    /// Asks the server for the state of the consumer, if that is due. Also notices a consumer that is lost.
    async fn ask_state(&mut self) -> Result<(), Error> {
        if self.asked.elapsed() < self.connection.floor_interval {
            return Ok(());
        }
        self.asked = Instant::now();
        let info = self.consumer.get_info();
        let info = self.connection.bounded("look up consumer", &self.durable, info).await?;
        self.connection.last_seen.set(&self.stream, &self.durable, self.stream_created, &info);
        Ok(())
    }
}

#[async_trait]
impl Pull for JetStreamPull {
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error> {
        if max == 0 {
            return Ok(stream::empty().boxed());
        }
        // Also keeps a caller that retries at once from spinning while the server is unreachable.
        self.connection.await_link().await?;
        self.ask_state().await?;
        let link = self.connection.watch_link();
        let losses = link.borrow().losses();
        let client = &self.connection.client;
        let inbox = Subject::from(client.new_inbox());
        let subscribe = client.subscribe(inbox.clone());
        let messages = self.connection.bounded("subscribe for", &self.durable, subscribe).await?;
        let heartbeat = Some(HEARTBEAT.min(expires / 3)).filter(|beat| *beat >= SHORTEST_HEARTBEAT);
        let request = BatchConfig {
            batch: max,
            expires: Some(expires),
            idle_heartbeat: heartbeat.unwrap_or_default(),
            ..BatchConfig::default()
        };
        let ask = self.consumer.request_batch(request, inbox);
        self.connection.bounded("pull from", &self.durable, ask).await?;
        let now = Instant::now();
        let batch = PullRest {
            connection: self.connection.clone(),
            durable: self.durable.clone(),
            messages: Some(messages),
            link,
            losses,
            left: max,
            heartbeat,
            heard: now,
            ends: now + expires + GRACE,
        };
        Ok(stream::unfold(batch, PullRest::next).boxed())
    }
}

/// The rest of one pull request.
struct PullRest {
    connection: Arc<Connection>,
    durable: Arc<str>,
    /// `None` once the batch is being dropped.
    messages: Option<Subscriber>,
    link: watch::Receiver<LinkState>,
    losses: u64,
    left: usize,
    heartbeat: Option<Duration>,
    heard: Instant,
    ends: Instant,
}

/// Meaning of a server message for its batch.
enum BatchSignal {
    Message,
    Heartbeat,
    End,
    Broken(ErrorKind),
}

impl PullRest {
    async fn next(mut self) -> Option<(Result<Delivery, Error>, Self)> {
        while self.left > 0 {
            let message = match self.hear().await {
                Ok(message) => message,
                Err(error) => return Some(self.fail(error)),
            };
            self.heard = Instant::now();
            match read(&message) {
                BatchSignal::Heartbeat => {}
                BatchSignal::End => {
                    self.left = 0;
                    return None;
                }
                BatchSignal::Broken(kind) => {
                    let reason = message.description.unwrap_or_else(|| "no responders".to_owned());
                    let error = Error::new(kind, format!("pull from {} ended", self.durable)).because(reason);
                    return Some(self.fail(error));
                }
                BatchSignal::Message => {
                    self.left -= 1;
                    match deliver(&self.connection, &self.durable, message) {
                        Ok(delivery) => return Some((Ok(delivery), self)),
                        Err(error) => return Some(self.fail(error)),
                    }
                }
            }
        }
        None
    }

    /// Waits for the next message from the server. Messages that have already arrived come first, even if the
    /// connection is lost.
    async fn hear(&mut self) -> Result<async_nats::Message, Error> {
        let silent_at =
            self.heartbeat.map_or(self.ends, |beat| (self.heard + 2 * beat + beat / 2).min(self.ends));
        let broken = |reason: &str| {
            Error::new(ErrorKind::Unavailable, format!("pull from {} broke off", self.durable))
                .because(reason)
        };
        let messages = self.messages.as_mut().expect("taken only when the batch is dropped");
        if let Some(Some(message)) = messages.next().now_or_never() {
            return Ok(message);
        }
        let lost = pin!(connection::lost(&mut self.link, self.losses));
        tokio::select! {
            biased;
            message = messages.next() => message.ok_or_else(|| broken("connection closed")),
            () = lost => Err(broken("connection lost")),
            () = sleep_until(silent_at) => Err(broken("server fell silent")),
        }
    }

    fn fail(mut self, error: Error) -> (Result<Delivery, Error>, Self) {
        self.left = 0;
        (Err(error), self)
    }
}

impl Drop for PullRest {
    fn drop(&mut self) {
        let (Some(messages), true) = (self.messages.take(), self.left > 0) else { return };
        // Without a tokio runtime the process is ending, and the messages are redelivered after `ack_wait`.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(give_back(self.connection.clone(), messages));
        }
    }
}

/// Closes an inbox and naks the messages on their way to it. Best effort: if this fails, they are redelivered after
/// `ack_wait`.
async fn give_back(connection: Arc<Connection>, mut messages: Subscriber) {
    let closing = async {
        messages.drain().await.ok();
        while let Some(message) = messages.next().await {
            if let (BatchSignal::Message, Some(reply)) = (read(&message), message.reply) {
                connection.client.publish(reply, AckKind::Nak(None).into()).await.ok();
            }
        }
    };
    timeout(connection.request_timeout, closing).await.ok();
}

fn read(message: &async_nats::Message) -> BatchSignal {
    let description = message.description.as_deref().unwrap_or_default();
    match message.status {
        None | Some(StatusCode::OK) => BatchSignal::Message,
        Some(StatusCode::IDLE_HEARTBEAT) => BatchSignal::Heartbeat,
        Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => BatchSignal::End,
        Some(_) if description.eq_ignore_ascii_case("batch completed") => BatchSignal::End,
        Some(_) if description.eq_ignore_ascii_case("consumer deleted") => {
            BatchSignal::Broken(ErrorKind::NotFound)
        }
        // The connection is up, so the consumer or its leader is missing. Binding again shows which.
        Some(StatusCode::NO_RESPONDERS) => BatchSignal::Broken(ErrorKind::NotFound),
        // Leadership change, server shutdown, too many waiting pulls.
        Some(_) => BatchSignal::Broken(ErrorKind::Unavailable),
    }
}

fn deliver(
    connection: &Arc<Connection>,
    durable: &Arc<str>,
    message: async_nats::Message,
) -> Result<Delivery, Error> {
    let wrapped = jetstream::Message { message, context: connection.context.clone() };
    let strange = |cause| errors::wrap(format!("message for {durable} without delivery details"), cause);
    let info = wrapped.info().map_err(|cause| strange(cause.to_string()))?;
    let (sequence, logged_at) = (info.stream_sequence, info.published);
    let attempt = u32::try_from(info.delivered).unwrap_or(u32::MAX);
    let async_nats::Message { subject, reply, payload, headers, .. } = wrapped.message;
    let reply = reply.ok_or_else(|| strange("no reply subject".to_owned()))?;
    Ok(Delivery {
        message: Message { subject: subject.to_string(), headers: Headers::of(headers), payload },
        sequence,
        attempt,
        logged_at,
        settle: Box::new(JetStreamSettle { connection: connection.clone(), durable: durable.clone(), reply }),
    })
}

struct JetStreamSettle {
    connection: Arc<Connection>,
    durable: Arc<str>,
    reply: Subject,
}

impl JetStreamSettle {
    /// Sends an acknowledgement and waits for the server's confirmation.
    async fn confirm(&self, verb: &str, word: Bytes) -> Result<(), Error> {
        // Without the library's timeout, because `bounded` has one.
        let request = Request::new().payload(word).timeout(None);
        let asked = self.connection.client.send_request(self.reply.clone(), request);
        self.connection.bounded(verb, &self.durable, asked).await.map(drop)
    }
}

#[async_trait]
impl Settle for JetStreamSettle {
    async fn progress(&self) -> Result<(), Error> {
        self.confirm("report progress to", AckKind::Progress.into()).await
    }

    async fn ack(self: Box<Self>) -> Result<(), Error> {
        self.confirm("acknowledge to", AckKind::Ack.into()).await
    }

    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error> {
        self.confirm("nak to", AckKind::Nak(Some(delay)).into()).await
    }

    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error> {
        // The library cannot send a reason. The server includes it in its advisory.
        self.confirm("terminate at", format!("+TERM {reason}").into()).await
    }
}
