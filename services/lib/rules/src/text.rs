//! The text of a pack, and errors with their lines.

use std::{collections::HashSet, ops::Range};

use gongkai_model::{FactId, Severity};
use time::{Date, macros::format_description};
use toml::Spanned;

/// Error: a pack cannot be used. Its author has to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule pack {file}, line {line}: {message}")]
pub struct PackError {
    /// Name of the file, from the caller.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// A pack's text, and its name for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackText<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The file's TOML text.
    pub text: &'a str,
}

/// The cells that the names of a pack refer to.
pub(crate) struct PackCells {
    /// The cells of all forms.
    pub(crate) cells: HashSet<FactId>,
}

/// The text of a pack, to find the line of a position.
pub(crate) struct PackLines<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> PackLines<'a> {
    pub(crate) fn new(pack: &PackText<'a>) -> Self {
        Self { file: pack.file, text: pack.text }
    }

    pub(crate) fn error(&self, at: Range<usize>, message: impl Into<String>) -> PackError {
        self.error_below(at, 0, message)
    }

    /// Creates an error some lines below a position, such as inside a string of several lines.
    pub(crate) fn error_below(
        &self,
        at: Range<usize>,
        lines: usize,
        message: impl Into<String>,
    ) -> PackError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        // A string of several lines begins on the line after its quotation marks.
        let opens = self.text.get(at).is_some_and(|text| {
            ["\"\"\"\n", "'''\n", "\"\"\"\r\n", "'''\r\n"].iter().any(|open| text.starts_with(open))
        });
        let line = before.matches('\n').count() + 1 + lines + usize::from(opens);
        PackError { file: self.file.to_owned(), line, message: message.into() }
    }

    /// Parses a day, such as `2024-01-31`.
    pub(crate) fn day(&self, text: &Spanned<String>) -> Result<Date, PackError> {
        day(text.get_ref()).ok_or_else(|| {
            self.error(text.span(), format!("{:?} is no day such as 2024-01-31", text.get_ref()))
        })
    }

    /// Parses the name of a severity.
    pub(crate) fn severity(&self, name: &Spanned<String>) -> Result<Severity, PackError> {
        let known = Severity::ALL.iter().copied().find(|severity| severity.as_str() == name.get_ref());
        known.ok_or_else(|| self.error(name.span(), format!("unknown severity {:?}", name.get_ref())))
    }
}

/// Parses a day.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}
