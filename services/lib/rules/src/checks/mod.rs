//! The checks that the rules of a pack refer to by name.
//!
//! A check examines one report and returns the places where its condition fails. Rule ids, words and severities are
//! defined by the pack, not here.

mod blanks;
mod cells;
mod citation;
mod contents;
mod cross;
mod dates;
mod dictionary;
mod documents;
mod equations;
mod foreign_names;
mod headings;
mod integers;
mod introduction;
mod labels;
mod links;
mod mentioned_years;
mod mobile;
mod names;
mod numbering;
mod page;
mod personal;
mod proactive;
mod prose_decisions;
mod prose_disputes;
mod prose_documents;
mod prose_done;
mod prose_fees;
mod prose_none;
mod prose_percent;
mod prose_requests;
mod prose_sum;
mod prose_twice;
mod repeated_words;
mod residue;
mod sections;
mod sensitive;
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
    sensitive::CHECKS,
    numbering::CHECKS,
    prose_twice::CHECKS,
    prose_done::CHECKS,
    dates::CHECKS,
    introduction::CHECKS,
    labels::CHECKS,
    foreign_names::CHECKS,
];

/// Returns the check with this name.
pub(crate) fn from_name(name: &str) -> Option<&'static Check> {
    let mut all = SINGLE.iter().chain(cross::CHECKS).copied().flatten();
    all.find(|check| check.name == name)
}
