//! The filter of a subscription.

use gongkai_model::{ReportKey, Severity};
use gongkai_proto::{convert::finding::severity, v1};

/// Selects alerts. All conditions must match; an empty list matches everything.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Alerts below this severity do not match.
    pub min_severity: Severity,
    /// Prefixes of the region.
    pub regions: Vec<String>,
    /// Agency keys.
    pub agencies: Vec<String>,
    /// Rule ids. At least one finding must have one of them.
    pub rules: Vec<String>,
}

impl Filter {
    /// Returns true if the alert matches.
    #[must_use]
    pub fn wants(&self, alert: &v1::Alert) -> bool {
        severity(alert.severity).is_ok_and(|severity| severity >= self.min_severity)
            && self.covers(alert)
            && (self.rules.is_empty()
                || alert.findings.iter().any(|finding| self.rules.contains(&finding.rule)))
    }

    /// Returns true if the report of the alert matches, which is the same for all messages about the alert.
    #[must_use]
    pub fn covers(&self, alert: &v1::Alert) -> bool {
        self.covers_report(&alert.report, &alert.region)
    }

    /// Returns true if a report of this name and region matches.
    #[must_use]
    pub fn covers_report(&self, report: &str, region: &str) -> bool {
        let agency = || report.parse::<ReportKey>().map(|key| key.agency.to_string()).unwrap_or_default();
        (self.regions.is_empty() || self.regions.iter().any(|prefix| region.starts_with(prefix.as_str())))
            && (self.agencies.is_empty() || self.agencies.contains(&agency()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(&mut Filter), wanted: bool) {
        let alert = v1::Alert {
            report: "agencies/p-1/reports/2023".into(),
            region: "360982".into(),
            severity: v1::Severity::Warning.into(),
            findings: vec![v1::Finding { rule: "T3-ROW".into(), ..Default::default() }],
            ..Default::default()
        };
        let mut filter = Filter {
            min_severity: Severity::Info,
            regions: Vec::new(),
            agencies: Vec::new(),
            rules: Vec::new(),
        };
        change(&mut filter);
        assert_eq!(filter.wants(&alert), wanted, "{filter:?}");
    }

    #[test]
    fn every_filter_given_must_match() {
        check(|_| {}, true);
        check(|f| f.min_severity = Severity::Warning, true);
        check(|f| f.min_severity = Severity::Error, false);
        check(|f| f.regions = vec!["11".into(), "36".into()], true);
        check(|f| f.regions = vec!["3610".into()], false);
        check(|f| f.agencies = vec!["p-1".into()], true);
        check(|f| f.agencies = vec!["p-2".into()], false);
        check(|f| f.rules = vec!["P-SUM".into(), "T3-ROW".into()], true);
        check(|f| f.rules = vec!["T3".into()], false);
        check(|f| (f.rules, f.regions) = (vec!["T3-ROW".into()], vec!["11".into()]), false);
    }
}
