//! Resolves the region and the key of a report.

use gongkai_agencies::{Asked, Registry};
use gongkai_lifecycle as lifecycle;
use gongkai_model::{AgencyKey, Difference, Region, Report, ReportKey};
use gongkai_ownership::SiteLimits;
use gongkai_proto::v1::DocumentReceived;

use crate::declared::Declared;

/// Returns the region of the event, or `000000` if it has none.
#[must_use]
pub fn region(received: &DocumentReceived) -> Region {
    received.region.parse().unwrap_or_default()
}

/// Returns the key of the report, as [`lifecycle::key::agency`] resolves it, and the differences between sender and
/// document.
#[must_use]
pub fn of(report: &Report, received: &DocumentReceived, registry: &Registry) -> (ReportKey, Vec<Difference>) {
    with_asked(report, received, registry, |asked, declared| {
        let agency = lifecycle::key::agency(asked, registry);
        // Readers reject reports without an agency, so the name is not empty here.
        let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, region(received)));
        let differences = registry.differences(asked, declared.year().unwrap_or_default(), &agency);
        (ReportKey { agency, year: report.year }, differences)
    })
}

/// Returns true if the report is within the limits of its sender.
#[must_use]
pub fn is_within(
    limits: &SiteLimits,
    report: &Report,
    received: &DocumentReceived,
    registry: &Registry,
) -> bool {
    with_asked(report, received, registry, |asked, _| limits.outside(asked, registry).is_none())
}

/// Calls `ask` with the query to the registry for the agency of a report.
fn with_asked<T>(
    report: &Report,
    received: &DocumentReceived,
    registry: &Registry,
    ask: impl FnOnce(&Asked<'_>, &Declared) -> T,
) -> T {
    let hint = received.agency.clone().unwrap_or_default();
    let declared = Declared::of(received, registry);
    let name = declared.agency().unwrap_or_default();
    let asked = Asked {
        code: &hint.code,
        name: &name,
        document_name: &report.agency,
        region: region(received),
        host: lifecycle::key::host(&received.url),
        year: report.year,
    };
    ask(&asked, &declared)
}
