//! The result of one check, as `gongkai doctor` prints it.

use serde::Serialize;

use crate::table::{Column, TableRow};

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
    fn shown(self) -> &'static str {
        match self {
            Self::Ok => "正常 ok",
            Self::Note => "提示 note",
            Self::Wrong => "异常 wrong",
        }
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
}

impl TableRow for Examination {
    const COLUMNS: &'static [Column<Self>] = &[
        ("check", |check| check.subject.clone()),
        ("state", |check| check.state.shown().to_owned()),
        ("detail", |check| format!("{} / {}", check.detail_zh, check.detail)),
    ];
}
