//! The filter of log lines.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// Directives that silence the networking crates. The exporter's own requests must not become log lines or spans.
const QUIET: &str =
    "h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,rustls=warn,async_nats=off,opentelemetry=off";

/// Creates a log filter from the text in the config, with the networking crates silenced.
pub(crate) fn log_filter(text: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(format!("{QUIET},{text}"))
        .context("telemetry.log_filter is not a filter, such as info")
}
