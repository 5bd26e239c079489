//! The connection to the server: opening, reconnecting, and the events that the server sends.
//!
//! If the server does not permit a publish or request, it sends an event instead of a response. These events are kept,
//! so that the call fails with `Denied` instead of `Unavailable` when it times out.

use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{Client, ConnectOptions, Event, ServerError, Subscriber, connection::State, jetstream};
use futures::StreamExt as _;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use super::errors;
use super::last_seen::LastSeen;
use super::settings::{Credentials, JetStreamSettings};
use crate::recurring::Recurring;
use crate::transport::{Error, ErrorKind};

/// The first version whose timers survive every restart.
const OLDEST_SERVER: (i64, i64, i64) = (2, 15, 1);
const PING_INTERVAL: Duration = Duration::from_secs(10);
const LONGEST_RECONNECT_DELAY: Duration = Duration::from_secs(4);
const MAX_ACKS_IN_FLIGHT: usize = 1024;
/// Maximum number of denials that are kept.
const MAX_DENIALS: usize = 16;

/// The connection and its JetStream context.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) context: jetstream::Context,
    pub(super) request_timeout: Duration,
    pub(super) last_seen: LastSeen,
    pub(super) floor_interval: Duration,
    link: watch::Receiver<LinkState>,
    denials: Arc<Denials>,
    _events: AbortOnDropHandle<()>,
}

/// State of the connection, from the client's events.
#[derive(Debug, Clone, Default)]
pub(super) struct LinkState {
    is_up: bool,
    /// Number of times the connection was lost.
    losses: u64,
    /// Why the last attempt to connect failed.
    failure: Option<String>,
}

/// The latest denials, numbered consecutively, oldest first.
#[derive(Default)]
struct Denials(Mutex<VecDeque<(u64, String)>>);

// === impl Connection ===

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    /// See [`super::JetStream::connect`].
    pub(super) async fn open(settings: &JetStreamSettings) -> Result<Self, Error> {
        let (events, received) = mpsc::unbounded_channel();
        let client = options(settings)
            .event_callback(move |event| {
                // Fails only while the connection is being dropped.
                events.send(event).ok();
                std::future::ready(())
            })
            .connect(&settings.servers)
            .await
            .map_err(|error| errors::wrap(format!("connect to {}", settings.servers.join(", ")), error))?;
        let (link, watched) = watch::channel(LinkState::default());
        let denials = Arc::new(Denials::default());
        let following = tokio::spawn(follow(client.clone(), received, link, denials.clone()));
        let context = jetstream::ContextBuilder::new()
            .timeout(settings.request_timeout)
            .max_ack_inflight(MAX_ACKS_IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let connection = Self {
            client,
            context,
            request_timeout: settings.request_timeout,
            last_seen: LastSeen::default(),
            floor_interval: settings.floor_interval,
            link: watched,
            denials,
            _events: AbortOnDropHandle::new(following),
        };
        connection.await_first(settings).await?;
        connection.check_version()?;
        Ok(connection)
    }

    /// Awaits `call`, for as long as a request may take.
    ///
    /// # Errors
    /// The call failed or timed out. `verb` and `target` describe it in the error.
    pub(super) async fn bounded<T, E>(
        &self,
        verb: &str,
        target: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        // The library has the same timeout but does not apply it to all of its waits. Ours expires just after it.
        let limit = self.request_timeout + self.request_timeout / 4;
        self.bounded_by(limit, verb, target, pin!(call)).await
    }

    /// Like [`Self::bounded`], with another limit.
    pub(super) async fn bounded_by<T, E>(
        &self,
        limit: Duration,
        verb: &str,
        target: &str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mark = self.denials.mark();
        let error = match timeout(limit, pin!(call)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(cause)) => errors::wrap(format!("{verb} {target} failed"), cause),
            Err(elapsed) => errors::wrap(format!("{verb} {target} took too long"), elapsed),
        };
        if error.kind != ErrorKind::Unavailable {
            return Err(error);
        }
        match self.denials.since(mark, target) {
            Some(denial) => {
                Err(Error::new(ErrorKind::Denied, format!("{verb} {target} was refused")).because(denial))
            }
            None => Err(error),
        }
    }

    /// Subscribes to a subject filter, and waits until the server has accepted or refused that.
    pub(super) async fn subscribe(&self, filter: &str) -> Result<Subscriber, Error> {
        let mark = self.denials.mark();
        let subscriber =
            self.bounded("subscribe to", filter, self.client.subscribe(filter.to_owned())).await?;
        // The server handles a connection's requests in order: after the round trip a refusal has arrived.
        self.ping().await?;
        match self.denials.since(mark, filter) {
            Some(denial) => {
                Err(Error::new(ErrorKind::Denied, format!("subscribe to {filter} was refused"))
                    .because(denial))
            }
            None => Ok(subscriber),
        }
    }

    /// Makes a round trip through an inbox of this connection, which needs no special permission.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        let inbox = self.client.new_inbox();
        let round_trip = async {
            let mut answers = self.client.subscribe(inbox.clone()).await.map_err(other)?;
            self.client.publish(inbox.clone(), bytes::Bytes::new()).await.map_err(other)?;
            answers.next().await.map(drop).ok_or_else(|| other("connection closed"))
        };
        self.bounded("ping", "the server", round_trip).await
    }

    /// Waits until the connection is up.
    ///
    /// # Errors
    /// `Unavailable`: the connection was not restored within the timeout of a request.
    pub(super) async fn await_link(&self) -> Result<(), Error> {
        if self.client.connection_state() == State::Connected {
            return Ok(());
        }
        let mut link = self.link.clone();
        match timeout(self.request_timeout, link.wait_for(|link| link.is_up)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::new(ErrorKind::Unavailable, "not connected to the server")),
        }
    }

    /// Returns the state of the connection, for [`lost`].
    pub(super) fn watch_link(&self) -> watch::Receiver<LinkState> {
        self.link.clone()
    }

    async fn await_first(&self, settings: &JetStreamSettings) -> Result<(), Error> {
        let mut link = self.link.clone();
        let refused =
            |link: &LinkState| link.failure.as_deref().map(errors::classify) == Some(ErrorKind::Denied);
        let first = link.wait_for(|link| link.is_up || refused(link));
        let state = match timeout(settings.connect_timeout, first).await {
            Ok(Ok(link)) => link.clone(),
            Ok(Err(_)) | Err(_) => self.link.borrow().clone(),
        };
        if state.is_up {
            return Ok(());
        }
        let kind = if refused(&state) { ErrorKind::Denied } else { ErrorKind::Unavailable };
        let error = Error::new(kind, format!("no connection to {}", settings.servers.join(", ")));
        Err(match state.failure {
            Some(failure) => error.because(failure),
            None => error,
        })
    }

    fn check_version(&self) -> Result<(), Error> {
        let (major, minor, patch) = OLDEST_SERVER;
        if self.client.is_server_compatible(major, minor, patch) {
            return Ok(());
        }
        let version = self.client.server_info().version;
        let needed = format!("nats-server is {version}, needs {major}.{minor}.{patch} or later");
        Err(Error::new(ErrorKind::Other, needed))
    }
}

/// Waits until the connection has been lost more than `since` times.
///
/// # Cancel safety
/// Cancel safe: no state is lost.
pub(super) async fn lost(link: &mut watch::Receiver<LinkState>, since: u64) {
    // An error means that the connection is closed permanently.
    link.wait_for(|link| link.losses > since).await.ok();
}

impl LinkState {
    pub(super) fn losses(&self) -> u64 {
        self.losses
    }
}

/// Opens another connection with the settings of [`Connection::open`].
pub(super) async fn another(settings: &JetStreamSettings) -> Result<Client, async_nats::ConnectError> {
    options(settings).connect(&settings.servers).await
}

fn options(settings: &JetStreamSettings) -> ConnectOptions {
    let options = ConnectOptions::new()
        .name(&settings.name)
        .custom_inbox_prefix(format!("_INBOX_{}", settings.name))
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(reconnect_delay)
        .ping_interval(PING_INTERVAL)
        .request_timeout(Some(settings.request_timeout));
    let options = match &settings.root_certificates {
        Some(path) => options.add_root_certificates(path.clone()).require_tls(true),
        None => options,
    };
    match settings.credentials.clone() {
        Credentials::None => options,
        Credentials::Token(token) => options.token(token),
        Credentials::User { name, password } => options.user_and_password(name, password),
        Credentials::Nkey(seed) => options.nkey(seed),
    }
}

/// Returns the delay before an attempt, which doubles from 50 ms. It is short at first, because most losses are the
/// restart of one server of a cluster.
fn reconnect_delay(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1).min(10)).expect("at most 10");
    (Duration::from_millis(50) * 2_u32.pow(doublings)).min(LONGEST_RECONNECT_DELAY)
}

/// Handles the client's events until the connection is dropped.
async fn follow(
    client: Client,
    mut events: mpsc::UnboundedReceiver<Event>,
    link: watch::Sender<LinkState>,
    denials: Arc<Denials>,
) {
    // Each attempt to connect again reports its failure.
    let (client_errors, server_errors) = (Recurring::new(), Recurring::new());
    while let Some(event) = events.recv().await {
        match event {
            Event::Connected => {
                tracing::info!(server = client.server_info().server_name, "connected to nats");
                link.send_modify(|link| link.is_up = true);
            }
            Event::Disconnected => {
                tracing::warn!("connection to nats lost, reconnecting");
                link.send_modify(|link| {
                    link.is_up = false;
                    link.losses += 1;
                });
            }
            Event::LameDuckMode => {
                tracing::info!("nats server is shutting down, moving to another");
                if let Err(error) = client.force_reconnect().await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "reconnect was not started");
                }
            }
            Event::ServerError(ServerError::Other(text)) if is_denial(&text) => {
                tracing::error!(refusal = text, "nats server does not permit this");
                denials.push(text);
            }
            Event::ServerError(_) | Event::ClientError(_) => {
                let text = event.to_string();
                let recurring =
                    if matches!(event, Event::ClientError(_)) { &client_errors } else { &server_errors };
                if let Some(failures) = recurring.due() {
                    tracing::warn!(event = text, failures, "nats reported an error");
                }
                link.send_modify(|link| link.failure = Some(text));
            }
            Event::SlowConsumer(subscription) => tracing::warn!(subscription, "nats messages were dropped"),
            Event::Draining | Event::Closed => tracing::debug!(%event, "nats connection ends"),
        }
    }
}

fn is_denial(text: &str) -> bool {
    text.to_lowercase().contains("permissions violation")
}

fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
    std::io::Error::other(error)
}

// === impl Denials ===

impl Denials {
    fn push(&self, text: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.back().map_or(1, |(number, _)| number + 1);
        kept.push_back((number, text));
        if kept.len() > MAX_DENIALS {
            kept.pop_front();
        }
    }

    /// Returns the number of the latest denial.
    fn mark(&self) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.back().map_or(0, |(number, _)| *number)
    }

    /// Returns the first denial after `mark` that names `target`.
    fn since(&self, mark: u64, target: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut later = kept.iter().filter(|(number, text)| *number > mark && text.contains(target));
        later.next().map(|(_, text)| text.clone())
    }
}
