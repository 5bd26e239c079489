//! Which log lines are written.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// The exporter's own requests must not become log lines or spans; broker and exporter report what matters elsewhere.
const QUIET: &str =
    "h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,rustls=warn,async_nats=off,opentelemetry=off";

/// A log filter from the config's text, with the noise of the network's crates off.
pub(crate) fn log_filter(text: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(format!("{QUIET},{text}"))
        .context("telemetry.log_filter is not a filter, such as info")
}
