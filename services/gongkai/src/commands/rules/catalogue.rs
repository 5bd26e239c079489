//! `gongkai rules list` and `show`: print the catalogue of checks.

use std::process::ExitCode;

use gongkai_rules::RuleSet;
use gongkai_worker::inert::printable;
use serde::Serialize;

use crate::{
    printer::{Emphasis, Printer},
    table::{self, Column, Format, TableRow},
};

/// A rule as `list` shows it.
#[derive(Debug, Serialize)]
struct RuleView {
    id: String,
    severity: String,
    scope: &'static str,
    forms: Vec<&'static str>,
    /// First and last report year that the rule applies to; `None` if there is no bound.
    years: (Option<i32>, Option<i32>),
    pack: String,
    /// The function or expression that checks the rule.
    logic: String,
    formula: String,
    legal: String,
    help: String,
    help_en: String,
    /// The ways to violate the rule, each with its severity.
    cases: Vec<(String, String)>,
}

/// Writes all rules, one row each.
pub(super) fn list(rules: &RuleSet, format: Format, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let views: Vec<RuleView> = rules.rules().iter().map(RuleView::of).collect();
    table::write(out, format, &views)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes one rule.
pub(super) fn show(rules: &RuleSet, id: &str, format: Format, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let found = rules.rules().iter().find(|rule| rule.id.eq_ignore_ascii_case(id));
    let Some(rule) = found.map(RuleView::of) else {
        anyhow::bail!("there is no rule {id:?}; gongkai rules list shows all");
    };
    if format != Format::Table {
        table::write(out, format, &[rule])?;
        return Ok(ExitCode::SUCCESS);
    }
    let heading = out.styled(Emphasis::Bold, &format!("{}  {}", rule.id, rule.severity));
    out.line(heading)?;
    for (name, value) in rule.lines() {
        out.line(format!("  {name}  {}", printable(&value.to_string())))?;
    }
    Ok(ExitCode::SUCCESS)
}

// === impl RuleView ===

impl RuleView {
    fn of(rule: &gongkai_rules::Rule) -> Self {
        let logic = match (rule.check(), rule.when()) {
            (Some(function), _) => function.to_owned(),
            (None, when) => when.unwrap_or_default().to_owned(),
        };
        Self {
            id: rule.id.clone(),
            severity: rule.severity.to_string(),
            scope: rule.scope.as_str(),
            forms: rule.forms.iter().map(|form| form.as_str()).collect(),
            years: rule.years(),
            pack: rule.pack.to_string(),
            logic,
            formula: rule.formula.clone(),
            legal: rule.legal.clone(),
            help: rule.help.clone(),
            help_en: rule.help_en.clone(),
            cases: rule.cases().map(|(name, severity)| (name.to_owned(), severity.to_string())).collect(),
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let cases: Vec<String> =
            self.cases.iter().map(|(name, severity)| format!("{name} {severity}")).collect();
        vec![
            ("公式 formula", self.formula.clone()),
            ("依据 source ", self.legal.clone()),
            ("建议 advice ", self.help.clone()),
            ("            ", self.help_en.clone()),
            ("情形 cases  ", cases.join("，")),
            (
                "适用 applies",
                format!("{}，格式 forms {}{}", self.scope, self.forms.join("、"), self.bounds()),
            ),
            ("规则包 pack ", self.pack.clone()),
            ("判定 logic  ", self.logic.clone()),
        ]
    }

    fn bounds(&self) -> String {
        match self.years {
            (None, None) => String::new(),
            (Some(from), None) => format!("，{from}—"),
            (None, Some(to)) => format!("，—{to}"),
            (Some(from), Some(to)) => format!("，{from}—{to}"),
        }
    }
}

impl TableRow for RuleView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("id", |rule| rule.id.clone()),
        ("severity", |rule| rule.severity.clone()),
        ("scope", |rule| rule.scope.to_owned()),
        ("forms", |rule| rule.forms.join(" ")),
        ("pack", |rule| rule.pack.clone()),
        ("formula", |rule| rule.formula.clone()),
    ];
}
