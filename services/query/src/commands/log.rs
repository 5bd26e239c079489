//! Where decisions go: into the log of record, each counted.

use gongkai_model::Waiver;
use gongkai_proto::{subjects::Event, v1};
use gongkai_worker::{Counter, Output, Published, Runtime, transport};

/// Label of the counter: what became of a waiver.
const CHANGE: &str = "gongkai.waiver.change";

/// Where decisions go: into the log, each counted once. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    pub(super) runtime: Runtime,
    waivers: Counter,
}

impl Log {
    /// Publishes with the runtime.
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        let waivers = runtime.counter("gongkai.query.waivers", "{waiver}", "what became of waivers");
        for change in ["granted", "revoked", "expired"] {
            waivers.add(0, &[(CHANGE, change)]);
        }
        Self { runtime, waivers }
    }

    /// Publishes a waiver as it stands since, under an id that `what` happened once.
    pub(super) async fn publish(&self, waiver: &Waiver, what: &str) -> Result<Published, transport::Error> {
        let event = v1::WaiverChanged { waiver: Some(waiver.into()) };
        let output =
            Output::new(Event::ReportWaived.subject(waiver.region), Event::ReportWaived.ce_type(), &event);
        let published = self.runtime.publish(&format!("waiver.{}.{what}", waiver.id), output).await?;
        self.waivers.add(u64::from(!published.duplicate), &[(CHANGE, what)]);
        Ok(published)
    }
}
