//! Rule packs from TOML: reading and checking.
//!
//! A pack that is misspelt must not load: a rule with a wrong name would be silent for ever. So unknown keys, checks,
//! cells, variables and functions, missing messages and unknown placeholders are errors, each with file and line.
//! `PACKS.md` beside this crate tells authors what a pack may say.

mod build;
pub(crate) mod days;
mod overrides;
mod raw;

use std::ops::Range;

use gongkai_model::FactId;

pub(crate) use build::severity;

use crate::{
    example::{self, Example},
    rule::Rule,
};

/// A pack is not usable; its author repairs it.
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

/// A pack's text and what to call it in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackText<'a> {
    /// The file's name.
    pub file: &'a str,
    /// Its TOML.
    pub text: &'a str,
}

/// What packs are held against.
pub(crate) struct Ground<'a> {
    /// True if a form has the cell.
    pub(crate) is_cell: &'a dyn Fn(&FactId) -> bool,
}

/// A pack's name and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The text of a pack, to say on which line a place in it lies.
pub(crate) struct Lines<'a> {
    file: &'a str,
    text: &'a str,
}

impl Lines<'_> {
    pub(crate) fn error(&self, at: Range<usize>, message: impl Into<String>) -> PackError {
        self.error_below(at, 0, message)
    }

    /// An error some lines below a place, as inside a string of several lines.
    fn error_below(&self, at: Range<usize>, lines: usize, message: impl Into<String>) -> PackError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        // A string of several lines begins on the line after its quotation marks.
        let opens = self.text.get(at).is_some_and(|text| {
            ["\"\"\"\n", "'''\n", "\"\"\"\r\n", "'''\r\n"].iter().any(|open| text.starts_with(open))
        });
        let line = before.matches('\n').count() + 1 + lines + usize::from(opens);
        PackError { file: self.file.to_owned(), line, message: message.into() }
    }
}

/// Reads a pack on top of the rules of the packs before it.
///
/// # Errors
/// The text is no TOML, has an unknown or missing key, names what there is not (a check, severity, scope, form, cell,
/// parameter, placeholder, variable or function), gives two rules one id, overrides a rule that no pack before it
/// defines, or a message is missing.
pub(crate) fn load(
    pack: &PackText<'_>,
    ground: &Ground<'_>,
    rules: &mut Vec<Rule>,
    examples: &mut Vec<Example>,
) -> Result<Label, PackError> {
    let lines = Lines { file: pack.file, text: pack.text };
    let raw: raw::Pack = toml::from_str(pack.text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        lines.error(at, error.message())
    })?;
    let label = Label { name: raw.pack.name.get_ref().clone(), version: raw.pack.version };
    if label.name.is_empty() {
        return Err(lines.error(raw.pack.name.span(), "a pack needs a name"));
    }
    let builder =
        build::Builder { lines: &lines, ground, pack: format!("{} {}", label.name, label.version).into() };
    for rule in raw.rules {
        let at = rule.id.span();
        let rule = builder.rule(rule)?;
        // A rule may look at one report in one way and at its neighbours in another: then it stands once for each scope.
        let same = |other: &&Rule| other.id == rule.id && other.scope == rule.scope;
        if let Some(other) = rules.iter().find(same) {
            let message = if other.pack == rule.pack {
                format!("rule {} stands twice", rule.id)
            } else {
                format!("rule {} is defined by pack {}; change it with [[override]]", rule.id, other.pack)
            };
            return Err(lines.error(at, message));
        }
        rules.push(rule);
    }
    for group in raw.examples {
        examples.extend(example::read(group, rules, ground, &lines)?);
    }
    for change in raw.overrides {
        overrides::apply(change, rules, &lines)?;
    }
    Ok(label)
}
