//! Prose as the number rules read it: passages without white space, and the counts in them.
//!
//! [`passage`] is the text with its way back, [`count`] finds numbers with units, [`reading`] the words around each,
//! and [`claim`] says which row of chapter 三 a count speaks of.

pub(crate) mod claim;
pub(crate) mod count;
pub(crate) mod passage;
pub(crate) mod reading;

use gongkai_model::Report;

use passage::Passage;

/// The prose of a report, passage by passage, preamble first.
pub(crate) struct Prose<'a> {
    passages: Vec<Passage<'a>>,
}

impl<'a> Prose<'a> {
    pub(crate) fn new(report: &'a Report) -> Self {
        let mut passages = Passage::all(0, &report.preamble);
        for section in &report.sections {
            passages.extend(Passage::all(section.number, &section.paragraphs));
        }
        Self { passages }
    }

    pub(crate) fn passages(&self) -> &[Passage<'a>] {
        &self.passages
    }
}
