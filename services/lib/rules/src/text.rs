//! The text of a pack, and errors with the line they are on.

use std::{collections::HashSet, ops::Range};

use gongkai_model::{FactId, Severity};
use time::{Date, macros::format_description};
use toml::Spanned;

/// A pack cannot be used; its author corrects it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule pack {file}, line {line}: {message}")]
pub struct PackError {
    /// The file, as the caller named it.
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
    /// Its TOML.
    pub text: &'a str,
}

/// What the names of a pack refer to.
pub(crate) struct Ground {
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

    /// An error some lines below a place, as inside a string of several lines.
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

    /// The day that a text names, such as `2024-01-31`.
    pub(crate) fn day(&self, text: &Spanned<String>) -> Result<Date, PackError> {
        day(text.get_ref()).ok_or_else(|| {
            self.error(text.span(), format!("{:?} is no day such as 2024-01-31", text.get_ref()))
        })
    }

    /// The severity of a name.
    pub(crate) fn severity(&self, name: &Spanned<String>) -> Result<Severity, PackError> {
        let known = Severity::ALL.iter().copied().find(|severity| severity.as_str() == name.get_ref());
        known.ok_or_else(|| self.error(name.span(), format!("unknown severity {:?}", name.get_ref())))
    }
}

/// The day that a text names.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}
