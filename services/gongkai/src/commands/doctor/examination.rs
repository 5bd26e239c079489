//! The result of one check, as `gongkai doctor` prints it.

use serde::Serialize;

use crate::{
    commands::check::lang::Lang,
    table::{Column, TableRow},
};

/// The result of one check.
#[derive(Debug, Serialize)]
pub(super) struct Examination {
    pub(super) subject: String,
    pub(super) state: State,
    /// A stable code of the problem or remark. Empty if all is well.
    pub(super) code: &'static str,
    pub(super) detail_zh: String,
    pub(super) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Note,
    Wrong,
}

// === impl State, Examination ===

impl State {
    fn shown(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Ok => ("正常", "ok"),
            Self::Note => ("提示", "note"),
            Self::Wrong => ("异常", "wrong"),
        };
        lang.choose(zh, en)
    }
}

impl Examination {
    pub(super) fn ok(subject: String, zh: &str, en: &str) -> Self {
        Self { subject, state: State::Ok, code: "", detail_zh: zh.to_owned(), detail: en.to_owned() }
    }

    pub(super) fn note(subject: String, code: &'static str, zh: &str, en: &str) -> Self {
        Self { subject, state: State::Note, code, detail_zh: zh.to_owned(), detail: en.to_owned() }
    }

    pub(super) fn wrong(subject: String, code: &'static str, zh: &str, en: &str) -> Self {
        Self { subject, state: State::Wrong, code, detail_zh: zh.to_owned(), detail: en.to_owned() }
    }

    /// Returns the row of a table in a language. The code stands before the detail, so that it can be looked up.
    pub(super) fn row(&self, lang: Lang) -> Row {
        let detail = lang.choose(&self.detail_zh, &self.detail);
        Row {
            check: self.subject.clone(),
            state: self.state.shown(lang),
            detail: if self.code.is_empty() { detail.to_owned() } else { format!("{} {detail}", self.code) },
        }
    }
}

/// An examination in one language, for people.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    check: String,
    state: &'static str,
    detail: String,
}

impl TableRow for Row {
    const COLUMNS: &'static [Column<Self>] = &[
        ("check", |row| row.check.clone()),
        ("state", |row| row.state.to_owned()),
        ("detail", |row| row.detail.clone()),
    ];
}
