//! What changes something. A decision is an event of the log like any other: it is published here and stored by the projector,
//! so every replica comes to know it within moments and a rebuilt read model has it again. Nothing else in query publishes.

mod expiry;
mod waiving;

use gongkai_model::Waiver;
use gongkai_proto::{subjects::Event, v1};
use gongkai_worker::{Output, Published, Runtime, transport};

pub use expiry::expire;
pub use waiving::Waiving;

/// Publishes a waiver as it stands since, under an id that `what` happened once.
async fn publish(runtime: &Runtime, waiver: &Waiver, what: &str) -> Result<Published, transport::Error> {
    let event = v1::WaiverChanged { waiver: Some(waiver.into()) };
    let output =
        Output::new(Event::ReportWaived.subject(waiver.region), Event::ReportWaived.ce_type(), &event);
    runtime.publish(&format!("waiver.{}.{what}", waiver.id), output).await
}
