//! Groups the findings of a report by cause into alerts.
//!
//! One wrong cell breaks several identities. The receiver gets one alert about the cell, not one per identity.

use std::collections::BTreeMap;

use gongkai_model::Severity;
use gongkai_proto::{convert::finding::severity, v1};
use sha2::{Digest, Sha256};

/// Returns one alert per cause, and one per finding without a cause, sorted by alert id.
///
/// Findings below `bar` and duplicates are left out. The order of the findings does not matter. `about` has the
/// fields that all alerts of the report share.
#[must_use]
pub fn alerts(findings: &[v1::Finding], bar: Severity, about: &v1::Alert) -> Vec<v1::Alert> {
    let distinct: BTreeMap<&str, &v1::Finding> = findings
        .iter()
        .filter(|finding| !finding.fingerprint.is_empty())
        .filter(|finding| severity(finding.severity).is_ok_and(|severity| severity >= bar))
        .map(|finding| (finding.fingerprint.as_str(), finding))
        .collect();

    let mut groups: BTreeMap<String, v1::Alert> = BTreeMap::new();
    for finding in distinct.into_values() {
        let id = alert_id(&about.report, finding);
        let alert = groups.entry(id.clone()).or_insert_with(|| v1::Alert {
            alert_id: id,
            cause: finding.cause.clone(),
            ..about.clone()
        });
        alert.severity = alert.severity.max(finding.severity);
        alert.findings.push(finding.clone());
    }
    groups.into_values().collect()
}

/// Derives the alert id, 32 hex digits, from the report's name and the cause or fingerprint. It is the same on every
/// run.
fn alert_id(report: &str, finding: &v1::Finding) -> String {
    let (kind, key) = match finding.cause.as_str() {
        "" => ("finding", &finding.fingerprint),
        _ => ("cause", &finding.cause),
    };
    let mut hash = Sha256::new();
    for part in [report, kind, key] {
        hash.update(part);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(fingerprint: &str, cause: &str, severity: v1::Severity) -> v1::Finding {
        v1::Finding {
            rule: "T3-ROW".into(),
            fingerprint: fingerprint.into(),
            cause: cause.into(),
            severity: severity.into(),
            ..Default::default()
        }
    }

    fn about() -> v1::Alert {
        v1::Alert { report: "agencies/a/reports/2023".into(), ..Default::default() }
    }

    fn fingerprints(alerts: &[v1::Alert]) -> Vec<Vec<&str>> {
        let mut all: Vec<Vec<&str>> =
            alerts.iter().map(|a| a.findings.iter().map(|f| f.fingerprint.as_str()).collect()).collect();
        all.sort();
        all
    }

    #[test]
    fn one_alert_a_cause_and_one_for_each_finding_without() {
        use v1::Severity::{Error, Warning};
        let findings = [
            finding("3", "", Warning),
            finding("1", "requests.received[total]", Warning),
            finding("2", "requests.received[total]", Error),
            finding("4", "", Warning),
            finding("2", "requests.received[total]", Error),
        ];
        let alerts = alerts(&findings, Severity::Warning, &about());
        assert_eq!(fingerprints(&alerts), [vec!["1", "2"], vec!["3"], vec!["4"]]);
        let of_cause = alerts.iter().find(|a| !a.cause.is_empty()).unwrap();
        assert_eq!(of_cause.severity, i32::from(Error));
    }

    #[test]
    fn what_lies_below_the_bar_is_left_out() {
        use v1::Severity::{Info, Review, Unspecified, Warning};
        let findings =
            [("1", Info), ("2", Review), ("3", Warning), ("4", Unspecified)].map(|(f, s)| finding(f, "", s));
        assert_eq!(fingerprints(&alerts(&findings, Severity::Warning, &about())), [vec!["3"]]);
        assert_eq!(
            fingerprints(&alerts(&findings, Severity::Info, &about())),
            [vec!["1"], vec!["2"], vec!["3"]]
        );
    }

    #[test]
    fn order_decides_nothing_and_the_report_decides_the_id() {
        let mut findings = ["1", "2", "3"].map(|f| finding(f, "c", v1::Severity::Error));
        let once = alerts(&findings, Severity::Info, &about());
        findings.reverse();
        assert_eq!(alerts(&findings, Severity::Info, &about()), once);
        let other = v1::Alert { report: "agencies/a/reports/2022".into(), ..Default::default() };
        assert_ne!(alerts(&findings, Severity::Info, &other)[0].alert_id, once[0].alert_id);
    }
}
