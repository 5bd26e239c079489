//! Rule sets: a pack made ready, and its evaluation over one report.

use std::sync::LazyLock;

use gongkai_forms::Forms;
use gongkai_model::{Finding, Report};

use crate::{
    checks::{Draft, Input, Value},
    context::Context,
    fingerprint::fingerprint,
    layout::Layout,
    pack::{Pack, PackError, parse},
    rule::{Case, Rule},
};

static EMBEDDED: LazyLock<RuleSet> = LazyLock::new(|| {
    RuleSet::parse(include_str!("../packs/core.toml"))
        .expect("the compiled-in pack loads: a unit test loads it")
});

/// The rules a program applies, ready to run. Evaluation is a pure function and keeps nothing.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pack: Pack,
    layouts: Vec<Layout>,
}

impl RuleSet {
    /// The rules compiled into the program.
    #[must_use]
    pub fn embedded() -> Self {
        EMBEDDED.clone()
    }

    /// Reads a rule pack over the compiled-in forms.
    ///
    /// # Errors
    /// The pack has a mistake; the error says on which line and which. Its author repairs it.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        Self::parse_over(text, &Forms::embedded())
    }

    /// Reads a rule pack over other forms.
    ///
    /// # Errors
    /// As [`RuleSet::parse`].
    pub fn parse_over(text: &str, forms: &Forms) -> Result<Self, PackError> {
        Ok(Self { pack: parse(text)?, layouts: Layout::all(forms) })
    }

    /// Name and version of the pack, such as `core 1`: the `rules` of every finding's versions.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{} {}", self.pack.name, self.pack.version)
    }

    /// The rules, in the pack's order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.pack.rules
    }

    /// What the rules say about a report, in the pack's order of rules and, within a rule, the form's or the text's.
    #[must_use]
    pub fn evaluate(&self, report: &Report, context: &Context<'_>) -> Vec<Finding> {
        let input = Input::new(report, context, &self.layouts);
        let mut findings = Vec::new();
        for rule in self.pack.rules.iter().filter(|rule| rule.applies_to(report)) {
            for draft in rule.check.run(rule, &input) {
                findings.extend(rule.cases.get(draft.case).map(|case| finding(rule, case, draft, &input)));
            }
        }
        findings
    }
}

fn finding(rule: &Rule, case: &Case, draft: Draft, input: &Input<'_>) -> Finding {
    let value = |name: &str| draft.values.iter().find(|value| value.name == name);
    let (agency, year) = (input.context.agency_key, input.report.year);
    Finding {
        rule: rule.id.clone(),
        severity: case.severity,
        message: case.message.render(|name| value(name).map(|value: &Value| value.zh.as_str())),
        message_en: case.message_en.render(|name| value(name).map(|value: &Value| value.en.as_str())),
        fingerprint: fingerprint(&rule.id, agency, year, &draft.key, &draft.facts),
        cause: draft.cause,
        concept: draft.concept,
        formula: rule.formula.clone(),
        expected: draft.expected,
        actual: draft.actual,
        facts: draft.facts,
        source: draft.source,
        versions: input.context.versions.clone(),
    }
}
