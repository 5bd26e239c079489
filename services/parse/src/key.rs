//! Resolves the region and the key of a report.

use gongkai_agencies::{Asked, Registry};
use gongkai_lifecycle as lifecycle;
use gongkai_model::{AgencyKey, Region, Report, ReportKey};
use gongkai_proto::v1::DocumentReceived;

/// Returns the region of the event, or `000000` if it has none.
#[must_use]
pub fn region(received: &DocumentReceived) -> Region {
    received.region.parse().unwrap_or_default()
}

/// Returns the key of the report. The agency is the listed one that the hints match, else the sender's agency code if it is
/// valid, else a provisional key of the name in the document and the region.
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
    // Readers reject reports without an agency, so the name is not empty here.
    let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, region(received)));
    ReportKey { agency, year: report.year }
}
