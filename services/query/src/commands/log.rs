//! Publishes decisions to the log of record.

use gongkai_model::Waiver;
use gongkai_proto::{subjects::Event, v1};
use gongkai_worker::{Counter, Output, Published, Runtime, transport};

/// Label of the counter: `granted`, `revoked` or `expired`.
const CHANGE: &str = "gongkai.waiver.change";

/// Publishes decisions and counts them. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    pub(super) runtime: Runtime,
    waivers: Counter,
}

impl Log {
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        let waivers = runtime.counter("gongkai.query.waivers", "{waiver}", "what became of waivers");
        for change in ["granted", "revoked", "expired"] {
            waivers.add(0, &[(CHANGE, change)]);
        }
        Self { runtime, waivers }
    }

    /// Publishes the state of a waiver after `what` happened. The message id makes a repetition harmless.
    pub(super) async fn publish(&self, waiver: &Waiver, what: &str) -> Result<Published, transport::Error> {
        let event = v1::WaiverChanged { waiver: Some(waiver.into()) };
        let output =
            Output::new(Event::ReportWaived.subject(waiver.region), Event::ReportWaived.ce_type(), &event);
        let published = self.runtime.publish(&format!("waiver.{}.{what}", waiver.id), output).await?;
        self.waivers.add(u64::from(!published.duplicate), &[(CHANGE, what)]);
        Ok(published)
    }
}
