//! Whose report it is: the region that routes it and the key that names it.

use gongkai_agencies::{Asked, Registry, Resolution};
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
        host: host(&received.url),
        year: report.year,
    };
    let agency = match registry.resolve(&asked) {
        Resolution::Known(agency) => agency.code.clone(),
        Resolution::Ambiguous(_) | Resolution::Unknown => AgencyKey::from_code(&hint.code)
            .unwrap_or_else(|_| AgencyKey::provisional(&report.agency, region(received))),
    };
    ReportKey { agency, year: report.year }
}

/// The host of an address; empty if it has none.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_or_none() {
        for (url, expected) in [
            ("https://www.zhangshu.gov.cn:8080/a?b", "www.zhangshu.gov.cn"),
            ("http://user@zhangshu.gov.cn", "zhangshu.gov.cn"),
            ("zhangshu.gov.cn/a", ""),
            ("", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
