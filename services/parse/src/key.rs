//! Whose report it is: the region that routes it and the key that names it.

use gongkai_model::{AgencyKey, Region, Report, ReportKey};
use gongkai_proto::v1::DocumentReceived;

/// The region the event came with; `000000` if it is none.
#[must_use]
pub fn region(received: &DocumentReceived) -> Region {
    received.region.parse().unwrap_or_default()
}

/// The report's name: the sender's agency code if it is one, else a key made of the name in the document and the region.
#[must_use]
pub fn of(report: &Report, received: &DocumentReceived) -> ReportKey {
    let code = received.agency.as_ref().map(|hint| hint.code.as_str()).unwrap_or_default();
    let agency = AgencyKey::from_code(code)
        .unwrap_or_else(|_| AgencyKey::provisional(&report.agency, region(received)));
    ReportKey { agency, year: report.year }
}
