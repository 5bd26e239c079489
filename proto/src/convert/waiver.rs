//! Waivers and the names of findings and waivers.

use gongkai_model::{ReportKey, Revocation, Waiver, WaiverEnd};

use super::{Error, finding::severity, timestamp};
use crate::v1;

/// Returns the name `agencies/{agency}/reports/{year}/findings/{fingerprint}`.
#[must_use]
pub fn finding_name(key: &ReportKey, fingerprint: &str) -> String {
    format!("{key}/findings/{fingerprint}")
}

/// Returns the name `agencies/{agency}/reports/{year}/waivers/{waiver}`.
#[must_use]
pub fn waiver_name(key: &ReportKey, id: &str) -> String {
    format!("{key}/waivers/{id}")
}

/// Parses the report and the fingerprint of a [`finding_name`]. Returns `None` for any other text.
#[must_use]
pub fn of_finding(name: &str) -> Option<(ReportKey, &str)> {
    below(name, "/findings/")
}

/// Parses the report and the id of a [`waiver_name`]. Returns `None` for any other text.
#[must_use]
pub fn of_waiver(name: &str) -> Option<(ReportKey, &str)> {
    below(name, "/waivers/")
}

fn below<'a>(name: &'a str, collection: &str) -> Option<(ReportKey, &'a str)> {
    let (report, id) = name.split_once(collection)?;
    let key: ReportKey = report.parse().ok()?;
    let is_name = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    // `+2023` parses as a year, but is not valid in a name.
    (is_name && key.to_string() == report).then_some((key, id))
}

impl From<&Waiver> for v1::Waiver {
    fn from(waiver: &Waiver) -> Self {
        let end = waiver.end.as_ref();
        let revoked = end.and_then(|end| end.revoked.as_ref());
        let state = match (end, revoked) {
            (None, _) => v1::WaiverState::Active,
            (Some(_), None) => v1::WaiverState::Expired,
            (Some(_), Some(_)) => v1::WaiverState::Revoked,
        };
        Self {
            name: waiver_name(&waiver.key, &waiver.id),
            finding: finding_name(&waiver.key, &waiver.fingerprint),
            rule: waiver.rule.clone(),
            severity: v1::Severity::from(waiver.severity).into(),
            operands_digest: waiver.operands_digest.clone(),
            reason: waiver.reason.clone(),
            person: waiver.person.clone(),
            created_at: Some(timestamp::timestamp(waiver.created_at)),
            expires_at: Some(timestamp::timestamp(waiver.expires_at)),
            state: state.into(),
            ended_at: end.map(|end| timestamp::timestamp(end.at)),
            ended_by: revoked.map(|revoked| revoked.person.clone()).unwrap_or_default(),
            end_reason: revoked.map(|revoked| revoked.reason.clone()).unwrap_or_default(),
            region: waiver.region.to_string(),
        }
    }
}

impl TryFrom<v1::Waiver> for Waiver {
    type Error = Error;

    fn try_from(waiver: v1::Waiver) -> Result<Self, Error> {
        let (key, id) = of_waiver(&waiver.name).ok_or_else(|| Error::unknown("name", &waiver.name))?;
        let finding = of_finding(&waiver.finding).filter(|(of, _)| *of == key);
        let (_, fingerprint) = finding.ok_or_else(|| Error::unknown("finding", &waiver.finding))?;
        let region = waiver.region.parse().map_err(|_| Error::unknown("region", &waiver.region))?;
        Ok(Self {
            region,
            id: id.to_owned(),
            fingerprint: fingerprint.to_owned(),
            key,
            end: end(&waiver)?,
            severity: severity(waiver.severity)?,
            created_at: timestamp::required(waiver.created_at, "created_at")?,
            expires_at: timestamp::required(waiver.expires_at, "expires_at")?,
            operands_digest: waiver.operands_digest,
            rule: waiver.rule,
            reason: waiver.reason,
            person: waiver.person,
        })
    }
}

fn end(waiver: &v1::Waiver) -> Result<Option<WaiverEnd>, Error> {
    let revoked = match waiver.state() {
        v1::WaiverState::Active => return Ok(None),
        v1::WaiverState::Expired => None,
        v1::WaiverState::Revoked => {
            Some(Revocation { person: waiver.ended_by.clone(), reason: waiver.end_reason.clone() })
        }
        v1::WaiverState::Lapsed | v1::WaiverState::Unspecified => {
            return Err(Error::unknown("state", waiver.state.to_string()));
        }
    };
    Ok(Some(WaiverEnd { at: timestamp::required(waiver.ended_at, "ended_at")?, revoked }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::any;

    proptest! {
        #[test]
        fn waivers_survive_the_wire(waived in any::waiver()) {
            prop_assert_eq!(Waiver::try_from(v1::Waiver::from(&waived)), Ok(waived));
        }
    }

    #[test]
    fn names_read_back_as_written() {
        let key: ReportKey = "agencies/361001/reports/2023".parse().unwrap();
        assert_eq!(of_finding(&finding_name(&key, "ab12")), Some((key.clone(), "ab12")));
        assert_eq!(of_waiver(&waiver_name(&key, "ab12")), Some((key, "ab12")));
        for bad in [
            "",
            "agencies/361001/reports/2023",
            "agencies/361001/reports/2023/findings/",
            "agencies/361001/reports/+2023/findings/ab12",
            "agencies/361001/reports/2023/findings/a/b",
            "agencies/361001/reports/2023/waivers/ab12",
        ] {
            assert_eq!(of_finding(bad), None, "{bad}");
        }
    }
}
