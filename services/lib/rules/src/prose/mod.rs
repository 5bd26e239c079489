//! Prose in the form that the number rules need: passages without white space, and the counts in them.
//!
//! [`passage`] contains the text and maps it back to the document, [`count`] finds numbers with units, [`reading`]
//! returns the words around each count, and [`claim`] determines which row of chapter 三 a count refers to.

mod bare;
pub(crate) mod claim;
pub(crate) mod count;
pub(crate) mod passage;
pub(crate) mod quantity;
pub(crate) mod reading;
pub(crate) mod vocabulary;
pub(crate) mod words;

use gongkai_model::Report;

use claim::{Claim, claims};
use passage::Passage;

/// The prose of a report, passage by passage, preamble first.
pub(crate) struct Prose<'a> {
    passages: Vec<Passage<'a>>,
    /// The claims of each passage.
    claims: Vec<Vec<Claim>>,
}

impl<'a> Prose<'a> {
    pub(crate) fn new(report: &'a Report) -> Self {
        let mut passages = Passage::all(0, &report.preamble);
        for section in &report.sections {
            passages.extend(Passage::all(section.number, &section.paragraphs));
        }
        let claims = passages.iter().map(|passage| claims(report, passage)).collect();
        Self { passages, claims }
    }

    pub(crate) fn passages(&self) -> &[Passage<'a>] {
        &self.passages
    }

    /// Returns each passage with its claims about chapter 三.
    pub(crate) fn claims(&self) -> impl Iterator<Item = (&Passage<'a>, &[Claim])> {
        self.passages.iter().zip(self.claims.iter().map(Vec::as_slice))
    }
}
