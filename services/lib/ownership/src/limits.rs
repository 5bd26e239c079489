//! The agencies and regions that a site may act for.

use gongkai_agencies::{Asked, Registry, Resolution};
use gongkai_lifecycle::key;
use gongkai_model::{AgencyKey, Region};

/// The limits of a site in the configuration. An empty list sets no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteLimits {
    /// Agencies, each as a code, a key or a name.
    pub agencies: Vec<String>,
    /// Regions, as beginnings of division codes.
    pub regions: Vec<String>,
}

/// A limit that a report is outside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outside {
    Agency,
    Region,
}

// === impl SiteLimits ===

impl SiteLimits {
    /// Returns the limit that a report is outside of, if any. An agency that is not named, and a region that is not
    /// known, are within the limits: parse checks again when it has read the document.
    #[must_use]
    pub fn outside(&self, asked: &Asked<'_>, registry: &Registry) -> Option<Outside> {
        if let Some(agency) = key::agency(asked, registry)
            && !self.has_agency(&agency, asked, registry)
        {
            return Some(Outside::Agency);
        }
        let listed = match registry.resolve(asked) {
            Resolution::Known(agency) => agency.region,
            _ => Region::UNKNOWN,
        };
        let known = [asked.region, listed].into_iter().filter(|region| *region != Region::UNKNOWN);
        known.map(|region| self.has_region(region)).any(|is_within| !is_within).then_some(Outside::Region)
    }

    fn has_agency(&self, agency: &AgencyKey, asked: &Asked<'_>, registry: &Registry) -> bool {
        let is_listed = registry.get(agency).is_some();
        let is_it = |entry: &String| {
            // A name is resolved in the same way as the report's own name.
            let named = Asked { code: "", name: entry, document_name: "", ..*asked };
            let is_named = key::agency(&named, registry).as_ref() == Some(agency);
            // Only the sender knows the agency of an unlisted code.
            entry == agency.as_str() || is_named || (!is_listed && entry == asked.code)
        };
        self.agencies.is_empty() || self.agencies.iter().any(is_it)
    }

    fn has_region(&self, region: Region) -> bool {
        self.regions.is_empty()
            || self.regions.iter().any(|prefix| region.as_str().starts_with(prefix.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use gongkai_agencies::read_csv;

    use super::*;

    fn registry() -> Registry {
        let list = "code,name,parent,region\nA1,云溪县自然资源局,,360999\nB1,石桥县教育局,,361000\n";
        read_csv(list.as_bytes()).unwrap()
    }

    fn asked<'a>(code: &'a str, name: &'a str, document_name: &'a str, region: &str) -> Asked<'a> {
        Asked { code, name, document_name, region: region.parse().unwrap(), host: "", year: 2023 }
    }

    #[test]
    fn an_agency_is_within_by_code_and_by_name() {
        let limits = SiteLimits {
            agencies: vec!["A1".into(), "D1".into(), "云溪县民政局".into()],
            regions: Vec::new(),
        };
        let registry = registry();
        let outside = |asked: &Asked<'_>| limits.outside(asked, &registry);
        for within in [
            asked("A1", "", "", "000000"),
            asked("", "云溪县自然资源局", "", "360999"),
            asked("", "", "云溪县自然资源局", "360999"),
            asked("", "云溪县民政局", "", "360999"),
            asked("", "", "", "000000"),
            asked("D1", "", "云溪县水务局", "000000"),
            // The document's own name takes precedence over a code.
            asked("B1", "", "云溪县自然资源局", "000000"),
        ] {
            assert_eq!(outside(&within), None, "{within:?}");
        }
        for other in [
            asked("B1", "", "", "000000"),
            asked("", "石桥县教育局", "", "361000"),
            asked("", "", "石桥县教育局", "361000"),
            asked("", "云溪县民政局", "石桥县教育局", "361000"),
            asked("C1", "", "", "000000"),
            asked("D1", "", "石桥县教育局", "000000"),
        ] {
            assert_eq!(outside(&other), Some(Outside::Agency), "{other:?}");
        }
    }

    #[test]
    fn a_region_is_within_by_the_beginning_of_its_code() {
        let limits = SiteLimits { agencies: Vec::new(), regions: vec!["3609".into()] };
        let registry = registry();
        let outside = |asked: &Asked<'_>| limits.outside(asked, &registry);
        assert_eq!(outside(&asked("A1", "", "", "360999")), None);
        assert_eq!(outside(&asked("", "", "", "000000")), None);
        assert_eq!(outside(&asked("", "某局", "", "361000")), Some(Outside::Region));
        // The registry knows the region of the agency, whatever the sender declares.
        assert_eq!(outside(&asked("B1", "", "", "360999")), Some(Outside::Region));
        assert_eq!(outside(&asked("B1", "", "", "000000")), Some(Outside::Region));
        assert_eq!(SiteLimits::default().outside(&asked("B1", "", "", "361000"), &registry), None);
    }
}
