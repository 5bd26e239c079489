//! Instruments: those of the runtime, named by OpenTelemetry's messaging conventions, and wrappers for those of
//! services.
//!
//! METRICS.md describes every instrument. Label values are closed sets, and counters exist at zero from the start. Each
//! service has a registry of its own, which its admin port serves as Prometheus text. If an endpoint is set, the
//! instruments are also pushed over OTLP.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    AsyncInstrument, Counter as OtelCounter, Histogram as OtelHistogram, Meter, MeterProvider as _,
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// Bucket bounds of durations in seconds, from one hop to a slow webhook.
/// 5 s is the objective for a report from the hook to its findings.
const DURATION_BOUNDS: [f64; 15] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

/// The instruments of a service. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Meters {
    meter: Meter,
    registry: Registry,
    provider: SdkMeterProvider,
}

/// A counter. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Counter(OtelCounter<u64>);

/// A number with fixed labels, read when metrics are collected, so that a message needs no lookup. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<AtomicI64>);

/// A number that goes up and down. Cheap to clone.
#[derive(Debug, Clone)]
pub struct UpDownCounter(pub(crate) Tally);

/// A number that may be unknown, and is absent from the metrics then. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Figure(Arc<Mutex<Option<f64>>>);

/// A histogram. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Histogram(OtelHistogram<f64>);

// === impl Meters ===

impl Meters {
    /// Creates instruments that are exported only as text at `/metrics`.
    pub(crate) fn local() -> Self {
        Self::new(Registry::new(), |builder| builder)
            .expect("an empty registry takes the exporter, and the builder adds nothing that can fail")
    }

    pub(crate) fn new(
        registry: Registry,
        configure: impl FnOnce(
            opentelemetry_sdk::metrics::MeterProviderBuilder,
        ) -> opentelemetry_sdk::metrics::MeterProviderBuilder,
    ) -> anyhow::Result<Self> {
        let text = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()?;
        let provider = configure(SdkMeterProvider::builder().with_reader(text)).build();
        Ok(Self { meter: provider.meter("gongkai-worker"), registry, provider })
    }

    /// Returns all instruments as Prometheus text.
    pub(crate) fn text(&self) -> anyhow::Result<String> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    pub(crate) fn provider(&self) -> &SdkMeterProvider {
        &self.provider
    }

    pub(crate) fn counter(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Counter {
        Counter(self.meter.u64_counter(name).with_unit(unit).with_description(description).build())
    }

    pub(crate) fn histogram(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Histogram {
        let builder = self.meter.f64_histogram(name).with_unit(unit).with_description(description);
        let builder = if unit == "s" { builder.with_boundaries(DURATION_BOUNDS.to_vec()) } else { builder };
        Histogram(builder.build())
    }

    /// Creates a counter with fixed labels, cheap enough for every message.
    pub(crate) fn tally(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        labels: Vec<KeyValue>,
    ) -> Tally {
        let tally = Tally::default();
        let count = tally.clone();
        let observe =
            move |observer: &dyn AsyncInstrument<u64>| observer.observe(count.get().cast_unsigned(), &labels);
        self.meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(observe)
            .build();
        tally
    }

    /// Creates a number with fixed labels that is absent while it is unknown, as it is at first.
    pub(crate) fn figure(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        labels: Vec<KeyValue>,
    ) -> Figure {
        let figure = Figure::default();
        let known = figure.clone();
        let observe = move |observer: &dyn AsyncInstrument<f64>| {
            if let Some(value) = known.get() {
                observer.observe(value, &labels);
            }
        };
        // A gauge of the SDK keeps its last value; a sum has only what was observed.
        self.meter
            .f64_observable_up_down_counter(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(observe)
            .build();
        figure
    }

    /// Creates an up-down counter with fixed labels, cheap enough for every message.
    pub(crate) fn level(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        labels: Vec<KeyValue>,
    ) -> Tally {
        let tally = Tally::default();
        let level = tally.clone();
        let observe = move |observer: &dyn AsyncInstrument<i64>| observer.observe(level.get(), &labels);
        self.meter
            .i64_observable_up_down_counter(name)
            .with_unit(unit)
            .with_description(description)
            .with_callback(observe)
            .build();
        tally
    }
}

// === impl Tally ===

impl Tally {
    pub(crate) fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl UpDownCounter, Figure, Counter, Histogram ===

impl Figure {
    /// Sets the number; `None` if it is unknown.
    pub fn set(&self, value: Option<f64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    fn get(&self) -> Option<f64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UpDownCounter {
    /// Sets the number.
    pub fn set(&self, n: usize) {
        self.0.0.store(i64::try_from(n).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Counter {
    /// Adds `n`. Label values must come from a closed set. Add 0 for each of them at the start.
    pub fn add(&self, n: u64, labels: &[(&'static str, &str)]) {
        self.0.add(n, &key_values(labels));
    }
}

impl Histogram {
    /// Records one value.
    pub fn record(&self, value: f64, labels: &[(&'static str, &str)]) {
        self.0.record(value, &key_values(labels));
    }

    /// Records a duration in seconds.
    pub fn record_duration(&self, value: Duration, labels: &[(&'static str, &str)]) {
        self.record(value.as_secs_f64(), labels);
    }

    pub(crate) fn record_with(&self, value: Duration, labels: &[KeyValue]) {
        self.0.record(value.as_secs_f64(), labels);
    }
}

fn key_values(labels: &[(&'static str, &str)]) -> Vec<KeyValue> {
    labels.iter().map(|(key, value)| KeyValue::new(*key, (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_unknown_is_absent_and_not_stale() {
        let meters = Meters::local();
        let labels = |name: &'static str| vec![KeyValue::new("name", name)];
        let [one, two] = ["one", "two"].map(|name| meters.figure("things", "By", "what", labels(name)));
        let lines = || {
            let text = meters.text().unwrap();
            text.lines().filter(|line| line.starts_with("things")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(), Vec::<String>::new());
        one.set(Some(2.0));
        two.set(Some(0.5));
        assert_eq!(lines(), ["things_bytes{name=\"one\"} 2", "things_bytes{name=\"two\"} 0.5"]);
        one.set(None);
        assert_eq!(lines(), ["things_bytes{name=\"two\"} 0.5"]);
    }
}
