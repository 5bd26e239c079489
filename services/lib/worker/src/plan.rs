//! Describes what a consumer consumes and how: [`Consume`] is the caller's request, and the plan results from it and
//! the settings.

use std::time::Duration;

use anyhow::ensure;

use crate::alone::Alone;
use crate::config::WorkerSettings;
use crate::retry::RetryPolicy;
use crate::transport::ConsumerSpec;

/// What to consume and how. A field that is `None` takes its value from the `[worker]` section.
#[derive(Debug, Clone, Default)]
pub struct Consume {
    /// Stream to consume from.
    pub stream: String,
    /// Name of the durable consumer. Replicas with the same name share its messages.
    pub durable: String,
    /// Subject filters. Empty matches every subject of the stream.
    pub filters: Vec<String>,
    /// Maximum number of messages in flight in this process. At least 1.
    pub concurrency: Option<usize>,
    /// Time without progress after which a delivery is repeated. The runtime reports progress three times in this
    /// period.
    pub ack_wait: Option<Duration>,
    /// Maximum number of unsettled deliveries over all replicas, at least `concurrency`. Messages that wait for a retry
    /// count: once there are so many, nothing else is delivered.
    pub max_ack_pending: Option<u32>,
    /// Number of failed attempts after which a message is buried.
    pub max_attempts: Option<u32>,
    /// Time without a pull after which the broker deletes the consumer. `None`: never.
    pub forget_after: Option<Duration>,
    /// Longest time that the handler may take for one message. After that the attempt has failed.
    pub deadline: Option<Duration>,
    /// Stores that the handler may report as [away](crate::Decision::Away). Their metrics start at zero.
    pub stores: &'static [&'static str],
    /// Which other messages wait while a message that may have crashed the process is handled alone.
    pub alone: Alone,
}

/// [`Consume`] with every value filled in and checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) spec: ConsumerSpec,
    pub(crate) concurrency: usize,
    pub(crate) heartbeat: Duration,
    pub(crate) deadline: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) expires: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) alone: Alone,
    pub(crate) stores: &'static [&'static str],
}

// === impl Consume, Plan ===

impl Consume {
    /// Creates a plan to consume `stream` under the name `durable`, with the settings of the `[worker]` section.
    #[must_use]
    pub fn new<F: Into<String>>(
        stream: impl Into<String>,
        durable: impl Into<String>,
        filters: impl IntoIterator<Item = F>,
    ) -> Self {
        let filters = filters.into_iter().map(Into::into).collect();
        Self { stream: stream.into(), durable: durable.into(), filters, ..Self::default() }
    }
}

impl Plan {
    pub(crate) fn new(settings: &WorkerSettings, consume: Consume) -> anyhow::Result<Self> {
        let concurrency = consume.concurrency.unwrap_or(settings.concurrency);
        let max_ack_pending = consume.max_ack_pending.or(settings.max_ack_pending);
        let attempts = consume.max_attempts.unwrap_or(settings.max_attempts);
        let ack_wait = consume.ack_wait.unwrap_or(Duration::from_secs(settings.ack_wait_s));
        ensure!(concurrency >= 1, "consumer {}: concurrency must be at least 1", consume.durable);
        ensure!(attempts >= 1, "consumer {}: max_attempts must be at least 1", consume.durable);
        ensure!(!ack_wait.is_zero(), "consumer {}: ack_wait must be above 0", consume.durable);
        if let Some(limit) = max_ack_pending {
            ensure!(
                concurrency <= limit as usize,
                "consumer {}: concurrency ({concurrency}) must not exceed max_ack_pending ({limit})",
                consume.durable,
            );
        }
        Ok(Self {
            spec: ConsumerSpec {
                stream: consume.stream,
                durable: consume.durable,
                filters: consume.filters,
                ack_wait,
                max_ack_pending,
                forget_after: consume.forget_after,
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
            alone: consume.alone,
            stores: consume.stores,
        })
    }

    /// Returns the time without a heartbeat after which the loop counts as stalled.
    pub(crate) fn stalled_after(&self) -> Duration {
        self.expires * 2 + Duration::from_secs(30)
    }
}
