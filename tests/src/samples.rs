//! The sample reports of `tests/samples` and the expected results.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::Deserialize;

/// One sample and its answers.
#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    /// File name in `tests/samples`.
    pub file: String,
    /// `ok` or `rejected`.
    pub status: String,
    /// The agency's name in the document.
    pub agency: Option<String>,
    /// The report's year.
    pub year: Option<i32>,
    /// `2021` or `2019`.
    pub form: Option<String>,
    /// `standard` or `single_row_other`.
    pub variant: Option<String>,
    /// The code of a rejected sample.
    pub code: Option<String>,
    /// Rule ids of the expected findings, sorted, one entry for each finding. There must be no other WARNING or ERROR.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Every cell with its number; `None` is a blank.
    #[serde(default)]
    pub facts: BTreeMap<String, Option<String>>,
}

impl Sample {
    /// Returns the document's bytes.
    ///
    /// # Panics
    /// If the file is missing: the checkout is broken.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let path = directory().join(&self.file);
        std::fs::read(&path).unwrap_or_else(|e| panic!("couldn't read {}: {e}", path.display()))
    }

    /// Returns the wrong cells, one line each; empty if all are right. `cells` maps a cell to its value: `None` is a
    /// blank, and a state other than reported is represented by its name.
    #[must_use]
    pub fn difference(&self, cells: &BTreeMap<String, Option<String>>) -> Vec<String> {
        let shown = |value: Option<&Option<String>>| match value {
            None => "no such cell".to_owned(),
            Some(None) => "blank".to_owned(),
            Some(Some(value)) => value.clone(),
        };
        let names: BTreeSet<&String> = self.facts.keys().chain(cells.keys()).collect();
        let differing = names.into_iter().filter(|name| self.facts.get(*name) != cells.get(*name));
        differing
            .map(|name| {
                format!("{name}: {}, right is {}", shown(cells.get(name)), shown(self.facts.get(name)))
            })
            .collect()
    }

    /// Returns the media type that a web server would declare.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self.file.rsplit('.').next() {
            Some("html") => "text/html",
            Some("md") => "text/markdown",
            Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Some("pdf") => "application/pdf",
            Some("doc") => "application/msword",
            _ => "text/plain",
        }
    }
}

/// Returns the path of `tests/samples`.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Returns all samples, in order.
///
/// # Panics
/// If `expected.json` is missing or malformed: the checkout is broken.
#[must_use]
pub fn all() -> Vec<Sample> {
    let text =
        std::fs::read_to_string(directory().join("expected.json")).expect("expected.json is checked in");
    serde_json::from_str(&text).expect("expected.json is a list of samples")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_cells_and_nothing_else() {
        let sample = all().remove(0);
        assert_eq!(sample.difference(&sample.facts), Vec::<String>::new());
        let mut cells = sample.facts.clone();
        let (first, last) = (cells.keys().next().unwrap().clone(), cells.keys().last().unwrap().clone());
        cells.insert(first.clone(), None);
        cells.remove(&last);
        let right = |cell: &String| sample.facts[cell].clone().unwrap();
        assert_eq!(
            sample.difference(&cells),
            [
                format!("{first}: blank, right is {}", right(&first)),
                format!("{last}: no such cell, right is {}", right(&last)),
            ]
        );
    }
}
