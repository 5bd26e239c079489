//! Whose report it is: the region that routes it and the key that names it.

use gongkai_agencies::{Asked, Registry};
use gongkai_lifecycle as lifecycle;
use gongkai_model::{AgencyKey, Region, Report, ReportKey};
use gongkai_proto::v1::DocumentReceived;

/// The region the event came with; `000000` if it is none.
#[must_use]
pub fn region(received: &DocumentReceived) -> Region {
    received.region.parse().unwrap_or_default()
}

/// The report's name: the listed agency that sender, name, region and site point to; else the sender's agency code if it is
/// one; else a key made of the name in the document and the region.
#[must_use]
pub fn of(report: &Report, received: &DocumentReceived, registry: &Registry) -> ReportKey {
    let hint = received.agency.clone().unwrap_or_default();
    let asked = Asked {
        code: &hint.code,
        name: &hint.name,
        document_name: &report.agency,
        region: region(received),
        host: lifecycle::key::host(&received.url),
        year: report.year,
    };
    let agency = lifecycle::key::agency(&asked, registry);
    // A report names its agency; one that did not would be nobody's of that region.
    let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, region(received)));
    ReportKey { agency, year: report.year }
}
