//! Rules as a pack states them, checked and ready to run.

use std::collections::BTreeMap;

use gongkai_model::{FormId, Report, Severity};

use crate::{checks::Check, template::Template};

/// What a rule needs beside the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Nothing but the report and its own event.
    Single,
}

impl Scope {
    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
        }
    }
}

/// One rule of a pack.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) severity: Severity,
    pub(crate) scope: Scope,
    pub(crate) forms: Vec<FormId>,
    pub(crate) years_from: Option<i32>,
    pub(crate) years_to: Option<i32>,
    pub(crate) check: Check,
    pub(crate) formula: String,
    pub(crate) legal: String,
    pub(crate) help: String,
    pub(crate) help_en: String,
    pub(crate) params: BTreeMap<String, i64>,
    pub(crate) cases: BTreeMap<String, Case>,
}

/// One way to break a rule, with its words.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The rule's severity, unless the case has its own.
    pub(crate) severity: Severity,
    pub(crate) message: Template,
    pub(crate) message_en: Template,
}

impl Rule {
    /// The public id, such as `T3-ROW`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its weight; single cases of a rule may weigh less or more.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What it needs beside the report.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The forms it applies to.
    #[must_use]
    pub fn forms(&self) -> &[FormId] {
        &self.forms
    }

    /// First and last year of the reports it applies to; open where absent.
    #[must_use]
    pub fn years(&self) -> (Option<i32>, Option<i32>) {
        (self.years_from, self.years_to)
    }

    /// Name of the function that checks it.
    #[must_use]
    pub fn check(&self) -> &'static str {
        self.check.name()
    }

    /// The condition in words.
    #[must_use]
    pub fn formula(&self) -> &str {
        &self.formula
    }

    /// Where the law or the form says so.
    #[must_use]
    pub fn legal(&self) -> &str {
        &self.legal
    }

    /// What an editor should do about a finding, in Chinese.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }

    /// The same in English.
    #[must_use]
    pub fn help_en(&self) -> &str {
        &self.help_en
    }

    /// True if the rule speaks about reports of this form and year.
    #[must_use]
    pub fn applies_to(&self, report: &Report) -> bool {
        self.forms.contains(&report.form)
            && self.years_from.is_none_or(|from| report.year >= from)
            && self.years_to.is_none_or(|to| report.year <= to)
    }
}
