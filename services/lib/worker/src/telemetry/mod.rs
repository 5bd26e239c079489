//! Telemetry: logs on stderr, and traces and metrics over OTLP if an endpoint is set.
//!
//! Telemetry is installed once per process. Each service has its own tracer and instruments under its own
//! `service.name`. A process must call [`Telemetry::flush`] before it exits, or its last spans are lost.

mod collector;
pub(crate) mod lines;
mod verbosity;

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::PeriodicReader;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, Sampler, SdkTracerProvider};
use prometheus::Registry;

use crate::about;
use crate::clock::Clock;
use crate::config::{TelemetrySettings, log_filter};
use crate::metrics::Meters;
use crate::panics;
use crate::trace::Tracer;
use collector::Collector;
use lines::LogLines;
pub(crate) use lines::with_causes;
pub(crate) use verbosity::Verbosity;

/// Upper bound of one export. It is below the grace period of a pod.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// The process's telemetry: settings, and the providers of each exporting service.
pub(crate) struct Telemetry {
    settings: TelemetrySettings,
    verbosity: Verbosity,
    instance: String,
    version: &'static str,
    exporting: Mutex<Vec<(SdkTracerProvider, Meters)>>,
}

impl Telemetry {
    /// Installs the log subscriber and the panic hook. If this process has installed them before, as in tests, the
    /// first installation stays in place.
    pub(crate) fn install(
        settings: &TelemetrySettings,
        version: &'static str,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let lines = LogLines::new(settings.log_format, clock.clone());
        let builder = tracing_subscriber::fmt()
            .with_env_filter(log_filter(&settings.log_filter)?)
            .with_writer(std::io::stderr)
            .event_format(lines)
            .with_filter_reloading();
        let handle = builder.reload_handle();
        let reload = Box::new(move |filter| Ok(handle.reload(filter)?));
        let verbosity = Verbosity::new(&settings.log_filter, reload, clock);
        let subscriber = builder.finish();
        if tracing::subscriber::set_global_default(subscriber).is_ok() {
            panics::install_hook();
        }
        let instance = RandomIdGenerator::default().new_trace_id().to_string();
        Ok(Self { settings: settings.clone(), verbosity, instance, version, exporting: Mutex::default() })
    }

    /// Returns the random id of this process, `service.instance.id` in traces.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity.clone()
    }

    /// Returns the tracer and the instruments of one service. Must be called within the tokio runtime.
    pub(crate) fn of_service(&self, service: &'static str) -> anyhow::Result<(Tracer, Meters)> {
        let endpoint = self.settings.otlp_endpoint.expose();
        let resource = self.resource(service);
        if endpoint.is_empty() {
            let meters = Meters::new(Registry::new(), |builder| builder.with_resource(resource))?;
            return Ok((Tracer::silent(service), meters));
        }
        let spans = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(Collector::new(spans, endpoint))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
                self.settings.sample_ratio,
            ))))
            .with_resource(resource.clone())
            .build();
        let metrics = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let interval = Duration::from_secs(self.settings.metrics_interval_s);
        let push = PeriodicReader::builder(metrics).with_interval(interval).build();
        let meters =
            Meters::new(Registry::new(), |builder| builder.with_reader(push).with_resource(resource))?;
        let tracer = Tracer::exporting(service, provider.tracer("gongkai-worker"));
        self.exporting.lock().unwrap_or_else(PoisonError::into_inner).push((provider, meters.clone()));
        Ok((tracer, meters))
    }

    /// Exports the remaining spans and metrics and shuts the exporters down. Blocks for two export timeouts at most.
    pub(crate) fn flush(&self) {
        let all = std::mem::take(&mut *self.exporting.lock().unwrap_or_else(PoisonError::into_inner));
        // At once, so that the time does not depend on the number of services.
        thread::scope(|scope| {
            for (spans, meters) in &all {
                scope.spawn(|| {
                    report(spans.shutdown_with_timeout(EXPORT_TIMEOUT));
                    report(meters.provider().shutdown_with_timeout(EXPORT_TIMEOUT));
                });
            }
        });
    }

    fn resource(&self, service: &'static str) -> Resource {
        Resource::builder()
            .with_service_name(about::service_name(service))
            .with_attributes([
                KeyValue::new("service.namespace", about::NAMESPACE),
                KeyValue::new("service.version", self.version),
                KeyValue::new("service.instance.id", self.instance.clone()),
            ])
            .build()
    }
}

/// Logs that an exporter was not shut down.
fn report(result: OTelSdkResult) {
    if let Err(error) = result {
        tracing::warn!(error = &error as &dyn std::error::Error, "telemetry not flushed");
    }
}
