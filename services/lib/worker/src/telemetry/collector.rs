//! A span exporter that logs once when the collector becomes unreachable, and once when it is reachable again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Exports spans over OTLP.
#[derive(Debug)]
pub(super) struct Collector {
    exporter: Otlp,
    endpoint: String,
    away: AtomicBool,
}

impl Collector {
    pub(super) fn new(exporter: Otlp, endpoint: &str) -> Self {
        Self { exporter, endpoint: endpoint.to_owned(), away: AtomicBool::new(false) }
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        let was_away = self.away.swap(result.is_err(), Ordering::AcqRel);
        match &result {
            Err(error) if !was_away => {
                let (error, endpoint) = (error as &dyn std::error::Error, &self.endpoint);
                tracing::warn!(error, endpoint, "collector is unreachable; traces are lost until it is back");
            }
            Ok(()) if was_away => tracing::info!(endpoint = self.endpoint, "collector is reachable again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
