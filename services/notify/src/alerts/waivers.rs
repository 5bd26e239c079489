//! The waivers of a report.

use std::collections::BTreeSet;

use gongkai_proto::v1;

/// All waivers of one report. Ended ones are kept, so that a late grant does not revive them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Waivers {
    #[prost(message, repeated, tag = "1")]
    known: Vec<Waived>,
}

#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Waived {
    /// Resource name of the waiver.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Fingerprint of the waived finding.
    #[prost(string, tag = "2")]
    pub fingerprint: String,
    /// Digest of the operands that the finding had when it was waived.
    #[prost(string, tag = "3")]
    pub operands_digest: String,
    /// True if the waiver expired or was revoked.
    #[prost(bool, tag = "4")]
    pub is_ended: bool,
}

/// A waiver of a report that was filed under another name. It covers the same finding there.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LeftWaiver {
    /// Resource name of the waiver under the former name of the report.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Rule of the waived finding.
    #[prost(string, tag = "2")]
    pub rule: String,
    /// Digest of the finding's operands.
    #[prost(string, tag = "3")]
    pub operands_digest: String,
}

/// Result of [`Waivers::split`].
#[derive(Debug, Default)]
pub(super) struct Split {
    /// Alerts with the findings that are not waived.
    pub(super) effective: Vec<v1::Alert>,
    /// Fingerprints of the waived findings.
    pub(super) waived: BTreeSet<String>,
}

impl Waivers {
    /// Records a waiver or its end. Returns false if nothing changed.
    pub(super) fn record(&mut self, waived: &Waived) -> bool {
        match self.known.iter_mut().find(|known| known.name == waived.name) {
            Some(known) if known.is_ended || !waived.is_ended => false,
            Some(known) => {
                known.is_ended = true;
                true
            }
            None => {
                self.known.push(waived.clone());
                true
            }
        }
    }

    /// Returns the waivers that cover findings of these alerts.
    pub(super) fn in_force(&self, alerts: &[v1::Alert]) -> Vec<LeftWaiver> {
        let findings = || alerts.iter().flat_map(|alert| &alert.findings);
        let left = |waived: &Waived| {
            let finding = findings().find(|finding| waived.covers(finding))?;
            Some(LeftWaiver {
                name: waived.name.clone(),
                rule: finding.rule.clone(),
                operands_digest: finding.operands_digest.clone(),
            })
        };
        self.known.iter().filter_map(left).collect()
    }

    /// Applies waivers of the report's former name to the same findings of these alerts, each to the first that has none. Query
    /// publishes them under the same names later.
    pub(super) fn adopt(&mut self, left: &[LeftWaiver], alerts: &[v1::Alert]) {
        for waiver in left {
            let is_same = |finding: &&v1::Finding| {
                finding.rule == waiver.rule && finding.operands_digest == waiver.operands_digest
            };
            let mut findings = alerts.iter().flat_map(|alert| &alert.findings).filter(is_same);
            let Some(finding) = findings.find(|finding| !self.covers(finding)) else { continue };
            self.record(&Waived {
                name: waiver.name.clone(),
                fingerprint: finding.fingerprint.clone(),
                operands_digest: waiver.operands_digest.clone(),
                is_ended: false,
            });
        }
    }

    /// Splits the findings of each alert into waived and effective ones.
    pub(super) fn split(&self, alerts: &[v1::Alert]) -> Split {
        let mut split = Split::default();
        for alert in alerts {
            let (waived, effective): (Vec<_>, Vec<_>) =
                alert.findings.iter().cloned().partition(|finding| self.covers(finding));
            split.effective.extend(with_findings(alert, effective));
            split.waived.extend(waived.into_iter().map(|finding| finding.fingerprint));
        }
        split
    }

    fn covers(&self, finding: &v1::Finding) -> bool {
        self.known.iter().any(|waived| waived.covers(finding))
    }
}

impl Waived {
    fn covers(&self, finding: &v1::Finding) -> bool {
        !self.is_ended
            && self.fingerprint == finding.fingerprint
            && self.operands_digest == finding.operands_digest
            && !self.operands_digest.is_empty()
    }
}

/// Returns the alert with these findings only, or `None` if there are none.
fn with_findings(alert: &v1::Alert, findings: Vec<v1::Finding>) -> Option<v1::Alert> {
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    Some(v1::Alert { severity, findings, ..alert.clone() })
}
