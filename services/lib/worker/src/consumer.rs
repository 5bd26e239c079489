//! The consumer loop.

use std::time::Duration;

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

pub(crate) async fn run<H: crate::handler::Handler>(
    _runtime: crate::runtime::Runtime,
    _consume: Consume,
    _handler: H,
) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
