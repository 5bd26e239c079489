//! Rules of a pack, checked and ready to run.

use std::{collections::BTreeMap, sync::Arc};

use gongkai_model::{FormId, Report, Severity};
use strum::{EnumString, IntoStaticStr};

use crate::{check::Check, expression::Expression, params::Params, pattern::Patterns, template::Template};

/// The data that a rule needs besides the report. Without it the rule is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Scope {
    /// Nothing but the report and its own event.
    Single,
    /// The agency's reports on other years.
    CrossYear,
    /// The reports of the parent, the children or the siblings.
    RollUp,
    /// The publishing event.
    Event,
}

impl Scope {
    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The logic of a rule.
#[derive(Debug, Clone)]
pub(crate) enum Logic {
    /// A function of this crate.
    Check(&'static Check),
    /// An expression of the pack.
    Expression(Arc<Expression>),
}

/// A first and a last value, both inclusive. `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds<T> {
    pub(crate) from: Option<T>,
    pub(crate) to: Option<T>,
}

impl<T: PartialOrd> Bounds<T> {
    /// Returns true if a value is within the bounds.
    pub(crate) fn hold(&self, value: &T) -> bool {
        self.from.as_ref().is_none_or(|from| value >= from) && self.to.as_ref().is_none_or(|to| value <= to)
    }
}

/// One rule of a pack.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The public id, such as `T3-ROW`.
    pub id: String,
    /// Name and version of the pack that defines the rule, such as `core 3`.
    pub pack: Arc<str>,
    /// Severity of the rule; a case of the rule may have another one.
    pub severity: Severity,
    /// False if the rule is switched off. A later pack may switch it on.
    pub(crate) is_on: bool,
    /// The data that the rule needs besides the report.
    pub scope: Scope,
    /// The forms that the rule applies to.
    pub forms: Vec<FormId>,
    pub(crate) years: Bounds<i32>,
    /// Days of publication to which the rule applies. A report without such a day is not restricted.
    pub(crate) published: Bounds<time::Date>,
    pub(crate) logic: Logic,
    /// The condition in words.
    pub formula: String,
    /// The provision of the law or the form.
    pub legal: String,
    /// What an editor should do about a finding, in Chinese.
    pub help: String,
    /// What an editor should do about a finding, in English.
    pub help_en: String,
    pub(crate) params: Params,
    pub(crate) patterns: Patterns,
    pub(crate) cases: BTreeMap<String, Case>,
}

/// One way to break a rule, with its message.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The rule's severity, unless the case has its own.
    pub(crate) severity: Severity,
    /// True if the pack gives the case a severity of its own.
    pub(crate) has_own_severity: bool,
    pub(crate) message: Template,
    pub(crate) message_en: Template,
}

impl Rule {
    /// Returns the first and last year of the reports that the rule applies to; `None` is open.
    #[must_use]
    pub fn years(&self) -> (Option<i32>, Option<i32>) {
        (self.years.from, self.years.to)
    }

    /// Returns the first and last day of publication of the reports that the rule applies to; `None` is open.
    #[must_use]
    pub fn published(&self) -> (Option<time::Date>, Option<time::Date>) {
        (self.published.from, self.published.to)
    }

    /// Returns the name of the function that checks the rule, or `None` for a rule with an expression.
    #[must_use]
    pub fn check(&self) -> Option<&'static str> {
        match &self.logic {
            Logic::Check(check) => Some(check.name),
            Logic::Expression(_) => None,
        }
    }

    /// Returns the expression that is true if the rule is broken, or `None` for a rule that a function checks.
    #[must_use]
    pub fn when(&self) -> Option<&str> {
        match &self.logic {
            Logic::Check(_) => None,
            Logic::Expression(expression) => Some(expression.when()),
        }
    }

    /// Returns the names of the ways to break the rule, with the severity of each.
    pub fn cases(&self) -> impl Iterator<Item = (&str, Severity)> {
        self.cases.iter().map(|(name, case)| (name.as_str(), case.severity))
    }

    /// Returns true if the rule applies to reports of this form and year that were published on this day, if it is
    /// known.
    #[must_use]
    pub fn applies_to(&self, report: &Report, published: Option<time::Date>) -> bool {
        self.forms.contains(&report.form)
            && self.years.hold(&report.year)
            && published.is_none_or(|day| self.published.hold(&day))
    }
}
