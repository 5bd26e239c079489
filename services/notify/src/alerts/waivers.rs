//! Which findings of a report people let stand.

use std::collections::BTreeSet;

use gongkai_proto::v1;

/// The waivers of one report. An ended one is remembered, so that a grant that comes late does not revive it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Waivers {
    #[prost(message, repeated, tag = "1")]
    known: Vec<Waived>,
}

/// A waiver, as far as alerts go.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Waived {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The finding.
    #[prost(string, tag = "2")]
    pub fingerprint: String,
    /// What the finding stood on.
    #[prost(string, tag = "3")]
    pub operands_digest: String,
    /// True if it expired or was revoked.
    #[prost(bool, tag = "4")]
    pub is_ended: bool,
}

/// Alerts parted by [`Waivers::part`].
#[derive(Debug, Default)]
pub(super) struct Parted {
    /// What nobody waived.
    pub(super) standing: Vec<v1::Alert>,
    /// The fingerprints of what somebody did.
    pub(super) waived: BTreeSet<String>,
}

impl Waivers {
    /// Notes a waiver or its end; false if that is no news.
    pub(super) fn note(&mut self, waived: &Waived) -> bool {
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

    /// Parts each alert's findings into those that stand and those that are waived.
    pub(super) fn part(&self, alerts: &[v1::Alert]) -> Parted {
        let mut parted = Parted::default();
        for alert in alerts {
            let (waived, standing): (Vec<_>, Vec<_>) =
                alert.findings.iter().cloned().partition(|finding| self.covers(finding));
            parted.standing.extend(with_findings(alert, standing));
            parted.waived.extend(waived.into_iter().map(|finding| finding.fingerprint));
        }
        parted
    }

    fn covers(&self, finding: &v1::Finding) -> bool {
        self.known.iter().any(|waived| {
            !waived.is_ended
                && waived.fingerprint == finding.fingerprint
                && waived.operands_digest == finding.operands_digest
                && !waived.operands_digest.is_empty()
        })
    }
}

/// The alert over these findings; `None` if there are none.
fn with_findings(alert: &v1::Alert, findings: Vec<v1::Finding>) -> Option<v1::Alert> {
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    Some(v1::Alert { severity, findings, ..alert.clone() })
}
