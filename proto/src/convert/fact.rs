//! Facts, their states and their sources. A blank has no value on either side.

use gongkai_model::{Applicant, Area, CellRef, Concept, Fact, FactId, Source, Span, State, UnreadReason};

use super::{Error, pair};
use crate::v1;

impl From<Applicant> for v1::Applicant {
    fn from(applicant: Applicant) -> Self {
        match applicant {
            Applicant::NaturalPerson => Self::NaturalPerson,
            Applicant::Enterprise => Self::Enterprise,
            Applicant::ResearchInstitution => Self::ResearchInstitution,
            Applicant::SocialOrganization => Self::SocialOrganization,
            Applicant::LegalService => Self::LegalService,
            Applicant::Other => Self::Other,
            Applicant::Total => Self::Total,
        }
    }
}

/// Returns the applicant of a wire enum, or `None` for facts without that dimension.
#[must_use]
pub fn applicant(wire: v1::Applicant) -> Option<Applicant> {
    Some(match wire {
        v1::Applicant::Unspecified => return None,
        v1::Applicant::NaturalPerson => Applicant::NaturalPerson,
        v1::Applicant::Enterprise => Applicant::Enterprise,
        v1::Applicant::ResearchInstitution => Applicant::ResearchInstitution,
        v1::Applicant::SocialOrganization => Applicant::SocialOrganization,
        v1::Applicant::LegalService => Applicant::LegalService,
        v1::Applicant::Other => Applicant::Other,
        v1::Applicant::Total => Applicant::Total,
    })
}

impl From<State> for v1::CellState {
    fn from(state: State) -> Self {
        match state {
            State::Reported(_) => Self::Reported,
            State::Blank => Self::Blank,
            State::NotApplicable => Self::NotApplicable,
            State::Missing => Self::Missing,
            State::Unreadable => Self::Unreadable,
        }
    }
}

/// Converts a state from its two fields.
///
/// # Errors
/// The enum is unspecified or unknown, a reported cell has no decimal value, or a cell in another state has a value.
pub fn state(wire: i32, value: Option<&str>) -> Result<State, Error> {
    let state = v1::CellState::try_from(wire).map_err(|_| Error::unknown("state", wire.to_string()))?;
    if state == v1::CellState::Reported {
        let text = value.ok_or(Error::Missing { field: "value" })?;
        return text.parse().map(State::Reported).map_err(|_| Error::unknown("value", text));
    }
    if value.is_some() {
        return Err(Error::Contradiction { what: "only a reported cell has a value" });
    }
    match state {
        v1::CellState::Blank => Ok(State::Blank),
        v1::CellState::NotApplicable => Ok(State::NotApplicable),
        v1::CellState::Missing => Ok(State::Missing),
        v1::CellState::Unreadable => Ok(State::Unreadable),
        v1::CellState::Unspecified | v1::CellState::Reported => {
            Err(Error::unknown("state", wire.to_string()))
        }
    }
}

impl From<UnreadReason> for v1::UnreadReason {
    fn from(reason: UnreadReason) -> Self {
        match reason {
            UnreadReason::TwoCells => Self::TwoCells,
            UnreadReason::CutsDiffer => Self::CutsDiffer,
            UnreadReason::RowUnclear => Self::RowUnclear,
            UnreadReason::RowUnknown => Self::RowUnknown,
            UnreadReason::LayoutUnknown => Self::LayoutUnknown,
            UnreadReason::NoNumber => Self::NoNumber,
        }
    }
}

/// Returns the reason of a wire enum, or `None` if there is none or this version does not know it.
#[must_use]
pub fn unread_reason(wire: v1::UnreadReason) -> Option<UnreadReason> {
    Some(match wire {
        v1::UnreadReason::Unspecified => return None,
        v1::UnreadReason::TwoCells => UnreadReason::TwoCells,
        v1::UnreadReason::CutsDiffer => UnreadReason::CutsDiffer,
        v1::UnreadReason::RowUnclear => UnreadReason::RowUnclear,
        v1::UnreadReason::RowUnknown => UnreadReason::RowUnknown,
        v1::UnreadReason::LayoutUnknown => UnreadReason::LayoutUnknown,
        v1::UnreadReason::NoNumber => UnreadReason::NoNumber,
    })
}

impl From<&Source> for v1::Source {
    fn from(source: &Source) -> Self {
        Self {
            text: source.text.clone(),
            table: source.cell.map(|c| c.table),
            row: source.cell.map(|c| c.row),
            column: source.cell.map(|c| c.column),
            page: source.page,
            start: source.span.map(|s| s.start),
            end: source.span.map(|s| s.end),
            area: source.area.map(Into::into),
            part: source.part.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::Source> for Source {
    type Error = Error;

    fn try_from(source: v1::Source) -> Result<Self, Error> {
        let what = "table, row and column stand together or not at all";
        let grid = pair(source.row, source.column, what)?;
        let cell = pair(source.table.map(|t| (t, t)), grid, what)?
            .map(|((table, _), (row, column))| CellRef { table, row, column });
        let span = span(source.start, source.end)?;
        let part = Some(source.part).filter(|part| !part.is_empty());
        Ok(Self { text: source.text, cell, page: source.page, span, area: source.area.map(Into::into), part })
    }
}

impl From<Area> for v1::Area {
    fn from(area: Area) -> Self {
        Self { left: area.left, top: area.top, right: area.right, bottom: area.bottom }
    }
}

impl From<v1::Area> for Area {
    fn from(area: v1::Area) -> Self {
        Self { left: area.left, top: area.top, right: area.right, bottom: area.bottom }
    }
}

/// Converts a span from its two ends.
pub(super) fn span(start: Option<u32>, end: Option<u32>) -> Result<Option<Span>, Error> {
    let ends = pair(start, end, "start and end stand together or not at all")?;
    Ok(ends.map(|(start, end)| Span { start, end }))
}

impl From<&Fact> for v1::Fact {
    fn from(fact: &Fact) -> Self {
        Self {
            concept: fact.id.concept.to_string(),
            applicant: fact.id.applicant.map_or(v1::Applicant::Unspecified, Into::into).into(),
            state: v1::CellState::from(fact.state).into(),
            value: fact.state.value().map(|v| v.to_string()),
            source: fact.source.as_ref().map(Into::into),
            candidates: fact.candidates.iter().map(Into::into).collect(),
            report: String::new(),
            unread_reason: fact.unread_reason.map_or(v1::UnreadReason::Unspecified, Into::into).into(),
        }
    }
}

impl TryFrom<v1::Fact> for Fact {
    type Error = Error;

    fn try_from(fact: v1::Fact) -> Result<Self, Error> {
        if fact.concept.is_empty() {
            return Err(Error::Missing { field: "concept" });
        }
        let who = v1::Applicant::try_from(fact.applicant)
            .map_err(|_| Error::unknown("applicant", fact.applicant.to_string()))?;
        let unread_reason = unread_reason(fact.unread_reason());
        Ok(Self {
            id: FactId { concept: Concept::new(&fact.concept), applicant: applicant(who) },
            state: state(fact.state, fact.value.as_deref())?,
            unread_reason,
            source: fact.source.map(TryInto::try_into).transpose()?,
            candidates: fact.candidates.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::any;

    proptest! {
        #[test]
        fn facts_survive_the_wire(fact in any::fact()) {
            let wire = v1::Fact::from(&fact);
            prop_assert_eq!(wire.value.is_some(), fact.state.value().is_some());
            prop_assert_eq!(Fact::try_from(wire), Ok(fact));
        }
    }

    #[test]
    fn a_reason_of_a_later_version_is_left_out() {
        let state = v1::CellState::Unreadable.into();
        let wire =
            v1::Fact { concept: "requests.received".into(), state, unread_reason: 99, ..Default::default() };
        assert_eq!(Fact::try_from(wire).unwrap().unread_reason, None);
    }

    #[test]
    fn a_value_keeps_its_printed_decimals() {
        let state = state(1, Some("17.20")).unwrap();
        assert_eq!(state.value().unwrap().to_string(), "17.20");
    }

    #[test]
    fn contradictory_facts_are_refused() {
        let blank = v1::CellState::Blank.into();
        let good = v1::Fact { concept: "requests.received".into(), state: blank, ..Default::default() };
        assert!(Fact::try_from(good.clone()).is_ok());
        let source = |row, start| Some(v1::Source { row, start, ..Default::default() });
        let bad = [
            v1::Fact { concept: String::new(), ..good.clone() },
            v1::Fact { value: Some("3".into()), ..good.clone() },
            v1::Fact { state: v1::CellState::Reported.into(), ..good.clone() },
            v1::Fact { state: v1::CellState::Reported.into(), value: Some("three".into()), ..good.clone() },
            v1::Fact { state: 0, ..good.clone() },
            v1::Fact { state: 77, ..good.clone() },
            v1::Fact { applicant: 77, ..good.clone() },
            v1::Fact { source: source(Some(3), None), ..good.clone() },
            v1::Fact { source: source(None, Some(812)), ..good },
        ];
        for fact in bad {
            assert!(Fact::try_from(fact.clone()).is_err(), "{fact:?}");
        }
    }
}
