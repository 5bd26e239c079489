//! The sample reports of `tests/samples` and what is right about them.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// One sample and its answers.
#[derive(Debug, Clone, Deserialize)]
pub struct Sample {
    /// File name in `tests/samples`.
    pub file: String,
    /// `ok` or `rejected`.
    pub status: String,
    /// The body's own name.
    pub agency: Option<String>,
    /// The report's year.
    pub year: Option<i32>,
    /// `2021` or `2019`.
    pub form: Option<String>,
    /// `standard` or `single_row_other`.
    pub variant: Option<String>,
    /// For a rejected one: the code.
    pub code: Option<String>,
    /// Rule ids that must speak, sorted, one entry a finding; no other WARNING or ERROR may.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Every cell; `None` is a blank.
    #[serde(default)]
    pub facts: BTreeMap<String, Option<String>>,
}

impl Sample {
    /// The document's bytes.
    ///
    /// # Panics
    /// If the file is not there: the checkout is broken.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let path = directory().join(&self.file);
        std::fs::read(&path).unwrap_or_else(|e| panic!("couldn't read {}: {e}", path.display()))
    }

    /// The media type a web server would declare.
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

/// `tests/samples`.
#[must_use]
pub fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// All samples, in order.
///
/// # Panics
/// If `expected.json` is not there or not as it should be: the checkout is broken.
#[must_use]
pub fn all() -> Vec<Sample> {
    let text =
        std::fs::read_to_string(directory().join("expected.json")).expect("expected.json is checked in");
    serde_json::from_str(&text).expect("expected.json is a list of samples")
}
