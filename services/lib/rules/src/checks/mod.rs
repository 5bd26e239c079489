//! The checks that the rules of a pack refer to by name.
//!
//! A check examines one report and returns the places where its condition fails. Rule ids, words and severities are
//! defined by the pack, not here.

mod blanks;
mod cells;
mod citation;
mod contents;
mod cross;
mod dictionary;
mod documents;
mod equations;
mod headings;
mod integers;
mod links;
mod mentioned_years;
mod mobile;
mod names;
mod page;
mod personal;
mod proactive;
mod prose_disputes;
mod prose_documents;
mod prose_fees;
mod prose_none;
mod prose_percent;
mod prose_requests;
mod prose_sum;
mod repeated_words;
mod residue;
mod sections;
mod shifts;
mod years;

use crate::check::Check;

/// The checks that need only the report itself.
const SINGLE: &[&[Check]] = &[
    equations::CHECKS,
    integers::CHECKS,
    cells::CHECKS,
    prose_sum::CHECKS,
    prose_requests::CHECKS,
    sections::CHECKS,
    years::CHECKS,
    citation::CHECKS,
    shifts::CHECKS,
    proactive::CHECKS,
    prose_none::CHECKS,
    prose_disputes::CHECKS,
    prose_documents::CHECKS,
    prose_fees::CHECKS,
    prose_percent::CHECKS,
    blanks::CHECKS,
    headings::CHECKS,
    contents::CHECKS,
    names::CHECKS,
    documents::CHECKS,
    mentioned_years::CHECKS,
    repeated_words::CHECKS,
    residue::CHECKS,
    links::CHECKS,
    personal::CHECKS,
    dictionary::CHECKS,
    page::CHECKS,
];

/// Returns the check with this name.
pub(crate) fn from_name(name: &str) -> Option<&'static Check> {
    let mut all = SINGLE.iter().chain(cross::CHECKS).copied().flatten();
    all.find(|check| check.name == name)
}
