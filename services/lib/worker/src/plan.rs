//! What to consume, and how: a caller's wishes, and the plan that the settings make of them.

use std::time::Duration;

use anyhow::ensure;

use crate::config::WorkerSettings;
use crate::retry::RetryPolicy;
use crate::transport::ConsumerSpec;

/// How far the server's delivery limit is above ours: room for crashes during the last attempt.
const SERVER_MARGIN: u32 = 4;
/// What to consume, and how. `None` takes the value of the `[worker]` section.
#[derive(Debug, Clone, Default)]
pub struct Consume {
    /// The stream.
    pub stream: String,
    /// The durable name; replicas with the same name share the work.
    pub durable: String,
    /// Subject filters; empty takes all.
    pub filters: Vec<String>,
    /// Messages in work at once in this process.
    pub concurrency: Option<usize>,
    /// Time after which a delivery that showed no progress comes again. Progress is shown every third of it.
    pub ack_wait: Option<Duration>,
    /// Unsettled deliveries over all replicas; at least `concurrency` × replicas.
    pub max_ack_pending: Option<u32>,
    /// Deliveries until a message that cannot be handled is buried. The server's own limit is four more.
    pub max_attempts: Option<u32>,
    /// Longest time a handler may take for one message.
    pub deadline: Option<Duration>,
    /// One message at a time, in stream order, over all replicas; a retry holds back what follows.
    pub ordered: bool,
}

/// [`Consume`] with every value known and the relations checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) spec: ConsumerSpec,
    pub(crate) concurrency: usize,
    pub(crate) heartbeat: Duration,
    pub(crate) deadline: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) expires: Duration,
    pub(crate) drain_timeout: Duration,
}

// === impl Consume, Plan ===

impl Consume {
    /// Takes the messages of a stream under a durable name, with the settings of the `[worker]` section.
    #[must_use]
    pub fn new<F: Into<String>>(
        stream: impl Into<String>,
        durable: impl Into<String>,
        filters: impl IntoIterator<Item = F>,
    ) -> Self {
        let filters = filters.into_iter().map(Into::into).collect();
        Self { stream: stream.into(), durable: durable.into(), filters, ..Self::default() }
    }

    /// One message at a time, in stream order.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }
}

impl Plan {
    pub(crate) fn new(settings: &WorkerSettings, consume: Consume) -> anyhow::Result<Self> {
        let concurrency =
            if consume.ordered { 1 } else { consume.concurrency.unwrap_or(settings.concurrency) };
        // The broker itself holds back what follows an unsettled message: order holds over replicas and retries.
        let max_ack_pending =
            if consume.ordered { 1 } else { consume.max_ack_pending.unwrap_or(settings.max_ack_pending) };
        let attempts = consume.max_attempts.unwrap_or(settings.max_attempts);
        let ack_wait = consume.ack_wait.unwrap_or(Duration::from_secs(settings.ack_wait_s));
        ensure!(concurrency >= 1, "consumer {}: concurrency must be at least 1", consume.durable);
        ensure!(attempts >= 1, "consumer {}: max_attempts must be at least 1", consume.durable);
        ensure!(!ack_wait.is_zero(), "consumer {}: ack_wait must be above 0", consume.durable);
        ensure!(
            concurrency <= max_ack_pending as usize,
            "consumer {}: concurrency ({concurrency}) must not exceed max_ack_pending ({max_ack_pending})",
            consume.durable,
        );
        Ok(Self {
            spec: ConsumerSpec {
                stream: consume.stream,
                durable: consume.durable,
                filters: consume.filters,
                ack_wait,
                max_ack_pending,
                max_deliver: attempts.saturating_add(SERVER_MARGIN),
            },
            concurrency,
            heartbeat: ack_wait / 3,
            deadline: consume.deadline.unwrap_or(Duration::from_secs(settings.deadline_s)),
            retry: RetryPolicy {
                base: Duration::from_millis(settings.retry_base_ms),
                max: Duration::from_secs(settings.retry_max_s),
                attempts,
            },
            expires: Duration::from_secs(settings.fetch_expires_s),
            drain_timeout: Duration::from_secs(settings.drain_timeout_s),
        })
    }

    /// A loop that did not beat for so long is stalled.
    pub(crate) fn stalled_after(&self) -> Duration {
        self.expires * 2 + Duration::from_secs(30)
    }
}
