//! The names of cells in packs, with wildcards where `facts` and `sum` allow them.
//!
//! `*` matches one part of a concept: `requests.outcome.refused.*`. In brackets it matches every applicant:
//! `requests.received[*]`. Without brackets the pattern names the totals (总计) of chapter 三.

use std::{collections::HashSet, str::FromStr};

use gongkai_model::{Applicant, FactId, fact::ParseError};

use crate::layout::LayoutCell;

/// One cell, or all cells that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellNames {
    /// The cell of this name.
    One(FactId),
    /// The cells of a pattern.
    Many(CellPattern),
}

/// A name of cells with a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CellPattern {
    concept: String,
    /// `None` matches every applicant.
    applicant: Option<Applicant>,
}

impl CellNames {
    /// Reads a name that must match a cell of some form. `known` are the cells of all forms.
    ///
    /// # Errors
    /// No form has such a cell. The text is for the pack's author.
    pub(crate) fn parse(text: &str, known: &HashSet<FactId>) -> Result<Self, String> {
        let names: Option<Self> = text.parse().ok();
        let is_known = |names: &Self| match names {
            Self::One(id) => known.contains(id),
            Self::Many(pattern) => known.iter().any(|id| pattern.matches(id)),
        };
        names
            .filter(is_known)
            .ok_or_else(|| format!("no form has a cell {text:?}; gongkai rules cells lists all"))
    }

    /// Returns the cells of a form that the name matches, in the form's order. A single cell is returned even if the
    /// form lacks it: such a cell is missing.
    pub(crate) fn ids(&self, form: &[LayoutCell]) -> Vec<FactId> {
        match self {
            Self::One(id) => vec![id.clone()],
            Self::Many(pattern) => {
                form.iter().map(|cell| &cell.id).filter(|id| pattern.matches(id)).cloned().collect()
            }
        }
    }
}

impl FromStr for CellNames {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if !text.contains('*') {
            return text.parse().map(Self::One);
        }
        let (concept, applicant) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((concept, "*")) => (concept, None),
            Some((concept, applicant)) => (concept, Some(applicant.parse()?)),
            None => (text, Some(Applicant::Total)),
        };
        Ok(Self::Many(CellPattern { concept: concept.to_owned(), applicant }))
    }
}

impl CellPattern {
    fn matches(&self, id: &FactId) -> bool {
        let of_applicant = |own: Applicant| self.applicant.is_none_or(|wanted| wanted == own);
        let (mut wanted, mut own) = (self.concept.split('.'), id.concept.as_str().split('.'));
        let same_parts =
            wanted.by_ref().zip(own.by_ref()).all(|(wanted, own)| wanted == "*" || wanted == own);
        same_parts
            && self.concept.matches('.').count() == id.concept.as_str().matches('.').count()
            && id.applicant.is_none_or(of_applicant)
    }
}

#[cfg(test)]
mod tests {
    use gongkai_forms::Forms;
    use gongkai_model::FormId;

    use super::*;
    use crate::layout::FormLayout;

    fn count(name: &str) -> usize {
        let layouts = FormLayout::all(&Forms::embedded());
        let layout = layouts.iter().find(|layout| layout.form == FormId::Form2021).unwrap();
        name.parse::<CellNames>().unwrap().ids(&layout.cells).len()
    }

    #[test]
    fn a_wildcard_stands_for_one_part_and_without_brackets_for_totals() {
        for (name, expect) in [
            ("requests.outcome.refused.*", 8),
            ("requests.outcome.refused.*[total]", 8),
            ("requests.outcome.refused.*[enterprise]", 8),
            ("requests.outcome.refused.*[*]", 56),
            ("requests.received[*]", 7),
            ("requests.outcome.*.repeated", 1),
            ("disputes.*.total", 3),
            ("proactive.regulations.*", 3),
            ("requests.*", 3),
            ("requests.refused.*", 0),
            ("requests.received[total]", 1),
        ] {
            assert_eq!(count(name), expect, "{name}");
        }
    }

    #[test]
    fn a_pattern_that_matches_no_cell_is_refused() {
        let known: HashSet<FactId> = Forms::embedded().iter().flat_map(gongkai_forms::Form::cells).collect();
        for name in ["requests.refused.*", "requests.received[*", "requests.received[nobody]*", "*", ""] {
            assert!(CellNames::parse(name, &known).is_err(), "{name}");
        }
        assert!(CellNames::parse("requests.outcome.refused.*", &known).is_ok());
    }
}
