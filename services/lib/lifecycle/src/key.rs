//! Resolves the key of a report from hints. Parse does this for a document and ingest for a withdrawal.
//!
//! A listed agency gets the same key from any hints that identify it. An agency that is not listed gets the same key
//! only if the document and the withdrawal have the same name and region.

use gongkai_agencies::{Asked, Registry, Resolution, says_where};
use gongkai_model::{AgencyKey, Region, ReportKey, names_nobody, normalized_name};

/// Resolves the agency: the listed agency that the hints match, else a provisional key of its name (and of the
/// region, if the name does not include the place), else the sender's code.
///
/// The name in the document takes precedence over the sender's, which counts if it is a fuller form of the same name,
/// or the document has none. A malformed code counts as absent, and so do words that are not a name. Returns `None`
/// if there is neither a code nor a name.
#[must_use]
pub fn agency(asked: &Asked<'_>, registry: &Registry) -> Option<AgencyKey> {
    if let Resolution::Known(agency) = registry.resolve(asked) {
        return Some(agency.code.clone());
    }
    let by_name = name(asked).map(|name| {
        let region = if says_where(name) { Region::UNKNOWN } else { asked.region };
        AgencyKey::provisional(name, region)
    });
    by_name.or_else(|| AgencyKey::from_code(asked.code).ok())
}

/// Returns the fullest name of the body.
fn name<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let given = |name: &'a str| Some(name).filter(|name| !names_nobody(name));
    match (given(asked.document_name), given(asked.name)) {
        (Some(own), Some(declared)) if normalized_name(declared).ends_with(&normalized_name(own)) => {
            Some(declared)
        }
        (own, declared) => own.or(declared),
    }
}

/// Resolves the report that a withdrawal names by agency and year. Returns `None` if it names none.
#[must_use]
pub fn report(asked: &Asked<'_>, registry: &Registry) -> Option<ReportKey> {
    if asked.year == 0 {
        return None;
    }
    Some(ReportKey { agency: agency(asked, registry)?, year: asked.year })
}

#[cfg(test)]
mod tests {
    use gongkai_agencies::read_csv;

    use super::*;

    fn registry() -> Registry {
        let list = "code,name,parent,region\n11360982,樟树市鹿江街道办事处,,360982\n";
        read_csv(list.as_bytes()).unwrap()
    }

    #[test]
    fn a_listed_agency_named_only_by_its_name_is_found() {
        let asked = Asked {
            name: "樟树市鹿江街道办事处",
            region: "360982".parse().unwrap(),
            year: 2023,
            ..Asked::default()
        };
        assert_eq!(report(&asked, &registry()).unwrap().to_string(), "agencies/11360982/reports/2023");
        let unlisted = report(&asked, &Registry::default()).unwrap().agency;
        assert_eq!(unlisted, AgencyKey::provisional(asked.name, Region::UNKNOWN));
    }

    #[test]
    fn without_year_or_agency_no_report_is_named() {
        let named = Asked { code: "361001", ..Asked::default() };
        assert_eq!(report(&named, &registry()), None);
        assert_eq!(report(&Asked { year: 2023, ..Asked::default() }, &registry()), None);
        let malformed = Asked { code: "36 10", year: 2023, ..Asked::default() };
        assert_eq!(report(&malformed, &registry()), None);
    }

    #[test]
    fn one_body_has_one_key() {
        let key = |code, name, document_name, region: &str| {
            let region = region.parse().unwrap();
            agency(&Asked { code, name, document_name, region, ..Asked::default() }, &Registry::default())
                .unwrap()
        };
        let own = "云溪县水务局";
        let one = AgencyKey::provisional(own, Region::UNKNOWN);
        assert_eq!(key("", "", own, "000000"), one);
        assert_eq!(key("", "", own, "360999"), one, "with a site's code");
        assert_eq!(key("YX-017", "", own, "000000"), one, "with a code that nobody lists");
        assert_eq!(key("YX-017", own, "", "360999"), one, "a withdrawal");
        assert_eq!(key("", own, "水务局", "360999"), one, "in short");
        assert_eq!(key("", own, "本机关", "360999"), one, "by the sender");
        // Names that bodies of several places have.
        let street = AgencyKey::provisional("鹿江街道办事处", "360982".parse().unwrap());
        assert_eq!(key("", "", "鹿江街道办事处", "360982"), street);
        assert_ne!(key("", "", "鹿江街道办事处", "360681"), street);
        assert_eq!(key("YX-017", "本机关", "", "000000").as_str(), "YX-017");
    }

    #[test]
    fn the_name_in_the_document_goes_before_the_senders() {
        let asked = Asked { name: "甲局", document_name: "乙局", ..Asked::default() };
        let expected = AgencyKey::provisional("乙局", Region::UNKNOWN);
        assert_eq!(agency(&asked, &Registry::default()), Some(expected));
    }
}
