//! The sections every program has.

use serde::{Deserialize, Serialize};

/// `[worker]`: how messages are taken. Relations are checked at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Messages in work at once, for each consumer of this process. CPU work has its own limit, the cores.
    pub concurrency: usize,
    /// Time after which a delivery that showed no progress comes again; progress is shown every third of it. At least 3.
    pub ack_wait_s: u64,
    /// Unsettled deliveries of a consumer over all replicas. At least `concurrency` × replicas.
    pub max_ack_pending: u32,
    /// Deliveries until a message that cannot be handled is buried. The server's own limit is four more.
    pub max_attempts: u32,
    /// First retry delay; each further one is four times as long.
    pub retry_base_ms: u64,
    /// Longest retry delay.
    pub retry_max_s: u64,
    /// Longest time a handler may take for one message; then it counts as failed and is retried.
    pub deadline_s: u64,
    /// How long one fetch waits for messages.
    pub fetch_expires_s: u64,
    /// How long a publish waits for an absent broker before its caller is told.
    pub publish_budget_s: u64,
    /// How long messages in work may take after the first stop signal. Keep it below the pod's grace period.
    pub drain_timeout_s: u64,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            ack_wait_s: 30,
            max_ack_pending: 512,
            max_attempts: 6,
            retry_base_ms: 500,
            retry_max_s: 120,
            deadline_s: 120,
            fetch_expires_s: 30,
            publish_budget_s: 15,
            drain_timeout_s: 25,
        }
    }
}
