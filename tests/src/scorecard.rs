//! The scorecard: reports with known cells, read as `gongkai check` reads them, and compared cell by cell.
//!
//! A cell with a wrong value that is not marked as unsure is *silently wrong*; there must be none. A cell that has
//! content but is `unreadable` or `missing` is *open*: a person must look.

use std::{collections::BTreeMap, fmt, fs, io, path::Path};

use gongkai_check::{CheckLine, FactLine, Hints, Limits};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use crate::samples;

/// A document and the expected result.
#[derive(Debug, Clone)]
pub struct Question {
    /// The file's name.
    pub file: String,
    /// The document.
    pub bytes: Vec<u8>,
    /// The accepted names of the body.
    pub agencies: Vec<String>,
    /// The report's year.
    pub year: i32,
    /// The form.
    pub form: String,
    /// Each cell with its number; `None` is a blank.
    pub facts: BTreeMap<String, Option<String>>,
}

/// The results of reading documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Score {
    /// Number of documents.
    pub documents: usize,
    /// Number of cells of the documents' forms.
    pub cells: usize,
    /// Number of right numbers.
    pub right: usize,
    /// Number of blank cells.
    pub blanks: usize,
    /// Number of blank cells read as blank.
    pub blank_kept: usize,
    /// Number of documents whose agency, year and form are right.
    pub identities: usize,
    /// Cells that are `unreadable` or `missing`, and documents that were not read.
    pub open: Vec<String>,
    /// Cells with a wrong value.
    pub wrong: Vec<String>,
    /// Documents with a wrong agency, year or form.
    pub misnamed: Vec<String>,
}

impl Score {
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.cells += other.cells;
        self.right += other.right;
        self.blanks += other.blanks;
        self.blank_kept += other.blank_kept;
        self.identities += other.identities;
        self.open.extend(other.open);
        self.wrong.extend(other.wrong);
        self.misnamed.extend(other.misnamed);
    }
}

/// Scores by format, and in total.
#[derive(Debug, Clone, Default)]
pub struct Card {
    formats: BTreeMap<String, Score>,
    /// The score of all documents.
    pub total: Score,
}

impl Card {
    /// Reads every document and compares.
    #[must_use]
    pub fn of(questions: &[Question]) -> Self {
        let mut card = Self::default();
        for question in questions {
            let (format, score) = answer(question);
            card.formats.entry(format).or_default().add(score.clone());
            card.total.add(score);
        }
        card
    }
}

/// Reads one document. Returns its format and the result.
fn answer(question: &Question) -> (String, Score) {
    let hints = Hints { filename: Some(&question.file), ..Hints::default() };
    let line = gongkai_check::check(&question.file, &question.bytes, &hints, &Limits::default());
    let format = question.file.rsplit('.').next().unwrap_or_default().to_owned();
    (format, score(question, &line))
}

fn score(question: &Question, line: &CheckLine) -> Score {
    let blanks = question.facts.values().filter(|value| value.is_none()).count();
    let mut score = Score { documents: 1, cells: question.facts.len(), blanks, ..Score::default() };
    let Some(report) = &line.report else {
        let code = line.rejection.as_ref().map_or("no rejection", |rejection| rejection.code.as_str());
        let cells = question.facts.keys().map(|cell| format!("{}: {cell}: {code}", question.file));
        score.open.extend(cells);
        score.misnamed.push(format!("{}: not read, {code}", question.file));
        return score;
    };
    let identity = question.agencies.contains(&report.agency)
        && report.year == question.year
        && report.form == question.form;
    if identity {
        score.identities = 1;
    } else {
        let Question { file, agencies, year, form, .. } = question;
        score.misnamed.push(format!(
            "{file}: {} {} form {}, right is {agencies:?} {year} form {form}",
            report.agency, report.year, report.form
        ));
    }
    let facts: BTreeMap<String, &FactLine> = report.facts.iter().map(|fact| (name(fact), fact)).collect();
    for (cell, expect) in &question.facts {
        compare(&mut score, (&question.file, cell), facts.get(cell).copied(), expect.as_deref());
    }
    let known = |cell: &&String| question.facts.contains_key(*cell);
    for cell in facts.keys().filter(|cell| !known(cell)) {
        score.wrong.push(format!("{}: {cell}: no such cell in the document", question.file));
    }
    score
}

fn compare(score: &mut Score, (file, cell): (&str, &str), fact: Option<&FactLine>, expect: Option<&str>) {
    let state = fact.map_or("absent", |fact| fact.state.as_str());
    let value = fact.and_then(|fact| fact.value.as_deref());
    let seen = format!(
        "{file}: {cell}: {state} {}, right is {}",
        value.unwrap_or_default(),
        expect.unwrap_or("blank")
    );
    match (state, expect) {
        ("reported", Some(expect)) if value.and_then(decimal) == decimal(expect) => score.right += 1,
        ("blank", None) => score.blank_kept += 1,
        ("unreadable" | "missing" | "absent", _) => score.open.push(seen),
        _ => score.wrong.push(seen),
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok()
}

fn name(fact: &FactLine) -> String {
    match &fact.applicant {
        Some(applicant) => format!("{}[{applicant}]", fact.concept),
        None => fact.concept.clone(),
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:8} {:>9} {:>6} {:>13} {:>12} {:>10} {:>14} {:>13}",
            "format",
            "documents",
            "cells",
            "numbers right",
            "blank kept",
            "unreadable",
            "silently wrong",
            "identity right"
        )?;
        let total = ("all".to_owned(), &self.total);
        for (format, score) in
            self.formats.iter().map(|(format, score)| (format.clone(), score)).chain([total])
        {
            writeln!(
                f,
                "{format:8} {:>9} {:>6} {:>13} {:>12} {:>10} {:>14} {:>13}",
                score.documents,
                score.cells,
                format!("{}/{}", score.right, score.cells - score.blanks),
                format!("{}/{}", score.blank_kept, score.blanks),
                score.open.len(),
                score.wrong.len(),
                format!("{}/{}", score.identities, score.documents),
            )?;
        }
        Ok(())
    }
}

// === questions ===

/// Returns the samples of this repository that are reports.
#[must_use]
pub fn samples() -> Vec<Question> {
    let reports = samples::all().into_iter().filter(|sample| sample.status == "ok");
    let question = |sample: samples::Sample| Question {
        bytes: sample.bytes(),
        file: sample.file,
        agencies: sample.agency.into_iter().collect(),
        year: sample.year.unwrap_or_default(),
        form: sample.form.unwrap_or_default(),
        facts: sample.facts,
    };
    reports.map(question).collect()
}

/// Returns the reports of `tests/editors`: each shows one thing that editors, converters and PDF tools do to tables.
///
/// # Panics
/// If the folder is missing or malformed: the checkout is broken.
#[must_use]
pub fn editors() -> Vec<Question> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors");
    corpus(&folder).expect("the folder is checked in")
}

/// An answer of the corpus.
#[derive(Debug, Deserialize)]
struct Truth {
    file: String,
    agency: String,
    #[serde(default)]
    agency_also: Vec<String>,
    year: i32,
    template: String,
    facts: BTreeMap<String, Value>,
}

/// Returns the reports of a corpus folder (`reports/` with `truth/`, see its README) that have an answer.
///
/// # Errors
/// The folder is missing or one of its files cannot be read.
pub fn corpus(folder: &Path) -> io::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for entry in fs::read_dir(folder.join("truth"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let truth: Truth = serde_json::from_slice(&fs::read(&path)?).map_err(io::Error::other)?;
        let number = |value: Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        questions.push(Question {
            bytes: fs::read(folder.join("reports").join(&truth.file))?,
            file: truth.file,
            agencies: [truth.agency].into_iter().chain(truth.agency_also).collect(),
            year: truth.year,
            form: truth.template,
            facts: truth.facts.into_iter().map(|(cell, value)| (cell, number(value))).collect(),
        });
    }
    questions.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(questions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        samples().into_iter().find(|question| question.file.starts_with("03")).unwrap()
    }

    #[test]
    fn a_sample_that_is_read_right_has_nothing_wrong() {
        let card = Card::of(&[question()]);
        let Score { cells, right, blanks, blank_kept, identities, open, wrong, .. } = &card.total;
        assert_eq!((*cells, *right, *blanks, *blank_kept, *identities), (200, 198, 2, 2, 1));
        assert_eq!((open.as_slice(), wrong.as_slice()), (&[][..], &[][..]));
    }

    #[test]
    fn a_shifted_number_a_filled_blank_and_an_emptied_cell_are_silently_wrong() {
        let mut question = question();
        let blank = question.facts.iter().find(|(_, value)| value.is_none()).unwrap().0.clone();
        let mut filled =
            question.facts.iter().filter(|(_, value)| value.is_some()).map(|(cell, _)| cell.clone());
        let (shifted, emptied) = (filled.next().unwrap(), filled.next().unwrap());
        question.facts.insert(blank, Some("7".to_owned()));
        question.facts.insert(shifted, Some("99999".to_owned()));
        question.facts.insert(emptied, None);
        assert_eq!(Card::of(&[question]).total.wrong.len(), 3);
    }

    #[test]
    fn what_editors_do_to_tables_is_read_right_or_not_at_all() {
        let questions = editors();
        let card = Card::of(&questions);
        assert!(card.total.wrong.is_empty() && card.total.misnamed.is_empty(), "{card}");
        // Labels behind their numbers and marks of unknown height leave cells open.
        let is_doubtful = |cell: &&String| cell.contains("labels_behind") || cell.contains("raised_marks");
        let open: Vec<&String> = card.total.open.iter().filter(|cell| !is_doubtful(cell)).collect();
        assert!(open.is_empty() && questions.len() > 15, "{open:#?}");
    }

    #[test]
    fn a_document_that_is_not_read_is_open_and_not_wrong() {
        let card = Card::of(&[Question { bytes: b"nothing".to_vec(), ..question() }]);
        assert_eq!((card.total.open.len(), card.total.wrong.len(), card.total.misnamed.len()), (200, 0, 1));
    }

    #[test]
    fn another_name_or_year_is_no_right_identity() {
        let agencies = vec!["云川市水务局".to_owned()];
        let card = Card::of(&[Question { agencies, ..question() }, Question { year: 1999, ..question() }]);
        assert_eq!((card.total.identities, card.total.misnamed.len()), (0, 2));
    }
}
