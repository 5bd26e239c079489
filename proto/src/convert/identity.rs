//! The bodies and years that compete for a report.

use gongkai_model::{Evidence, EvidenceSource, Identity};

use super::Error;
use crate::v1;

impl From<&Identity> for v1::Identity {
    fn from(identity: &Identity) -> Self {
        let body = |body: &Evidence<String>| v1::BodyEvidence {
            value: body.value.clone(),
            source: body.source.as_str().to_owned(),
            weight: body.weight,
        };
        let year = |year: &Evidence<i32>| v1::YearEvidence {
            value: year.value,
            source: year.source.as_str().to_owned(),
            weight: year.weight,
        };
        Self {
            agency: identity.agency.iter().map(body).collect(),
            year: identity.year.iter().map(year).collect(),
        }
    }
}

impl TryFrom<v1::Identity> for Identity {
    type Error = Error;

    fn try_from(wire: v1::Identity) -> Result<Self, Error> {
        let body = |body: v1::BodyEvidence| {
            let source = source(&body.source)?;
            Ok(Evidence { value: body.value, source, weight: body.weight })
        };
        let year = |year: v1::YearEvidence| {
            let source = source(&year.source)?;
            Ok(Evidence { value: year.value, source, weight: year.weight })
        };
        Ok(Self {
            agency: wire.agency.into_iter().map(body).collect::<Result<_, Error>>()?,
            year: wire.year.into_iter().map(year).collect::<Result<_, Error>>()?,
        })
    }
}

fn source(name: &str) -> Result<EvidenceSource, Error> {
    name.parse().map_err(|_| Error::unknown("source of evidence", name))
}
