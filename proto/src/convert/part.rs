//! The files of a submission and the result of reading each.

use gongkai_model::{Fact, FactId, Part, PartContent, State, content_hash};

use super::Error;
use crate::v1;

impl v1::DocumentReceived {
    /// Returns the identity of the submission's content, which covers all files.
    #[must_use]
    pub fn content_hash(&self) -> String {
        let attachments = self.attachments.iter().map(|file| file.sha256.as_str());
        content_hash(self.content.as_ref().map(|content| content.sha256.as_str()), attachments)
    }
}

impl From<&Part> for v1::Part {
    fn from(part: &Part) -> Self {
        let head = Self {
            name: part.name.clone().unwrap_or_default(),
            media_type: part.media_type.clone(),
            sha256: part.sha256.clone(),
            ..Self::default()
        };
        match &part.content {
            PartContent::Carrier => Self { role: v1::PartRole::Carrier.into(), ..head },
            PartContent::Report { agency, year, different } => Self {
                role: v1::PartRole::Report.into(),
                agency_name: agency.clone(),
                year: *year,
                different: different.iter().map(fact).collect(),
                ..head
            },
            PartContent::Other(rejection) => {
                Self { role: v1::PartRole::Other.into(), rejection: Some(rejection.into()), ..head }
            }
        }
    }
}

impl TryFrom<v1::Part> for Part {
    type Error = Error;

    fn try_from(part: v1::Part) -> Result<Self, Error> {
        let content = match part.role() {
            v1::PartRole::Carrier => PartContent::Carrier,
            v1::PartRole::Report => PartContent::Report {
                agency: part.agency_name,
                year: part.year,
                different: part.different.into_iter().map(cell).collect::<Result<_, _>>()?,
            },
            v1::PartRole::Other => {
                let rejection = part.rejection.ok_or(Error::Missing { field: "rejection" })?;
                PartContent::Other(rejection.try_into()?)
            }
            v1::PartRole::Unspecified => return Err(Error::unknown("role", part.role.to_string())),
        };
        let name = Some(part.name).filter(|name| !name.is_empty());
        Ok(Self { name, media_type: part.media_type, sha256: part.sha256, content })
    }
}

fn fact((id, state): &(FactId, State)) -> v1::Fact {
    (&Fact { id: id.clone(), state: *state, unread_reason: None, source: None, candidates: Vec::new() })
        .into()
}

fn cell(fact: v1::Fact) -> Result<(FactId, State), Error> {
    let fact = Fact::try_from(fact)?;
    Ok((fact.id, fact.state))
}
