//! Rule sets: loaded packs, and their evaluation over one report.

use std::{
    cell::LazyCell,
    cmp::Reverse,
    sync::{Arc, LazyLock},
};

use gongkai_forms::Forms;
use gongkai_model::{AgencyKey, FactId, Finding, Nature, Region, Report, Source, State, Versions};
use time::{Date, Month};

use crate::{
    context::ReportContext,
    draft::{Draft, Replacement},
    example::Example,
    expression::{
        cel_bindings::Bindings,
        cost::{self, Sizes},
        names::Needs,
    },
    fingerprint::{Grounds, fingerprint, operands_digest},
    input::Input,
    layout::{FormLayout, NamedCell},
    mask,
    pack::{self, Packs},
    rule::{Case, Logic, Rule, Scope},
    text::{PackCells, PackError, PackText},
};

/// The packs compiled into the program.
const EMBEDDED: [PackText<'static>; 6] = [
    PackText { file: "core.toml", text: include_str!("../packs/core.toml") },
    PackText { file: "prose.toml", text: include_str!("../packs/prose.toml") },
    PackText { file: "structure.toml", text: include_str!("../packs/structure.toml") },
    PackText { file: "hygiene.toml", text: include_str!("../packs/hygiene.toml") },
    PackText { file: "sensitive.toml", text: include_str!("../packs/sensitive.toml") },
    PackText { file: "cross.toml", text: include_str!("../packs/cross.toml") },
];

static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    RuleSet::load(&EMBEDDED, &Forms::embedded()).expect("the compiled-in packs load: a unit test loads them")
});

/// The rules of a program, ready to run. Evaluation is a pure function without state. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RuleSet {
    versions: Arc<Versions>,
    rules: Arc<[Rule]>,
    /// The rules that are switched off.
    off: Arc<[Rule]>,
    layouts: Arc<[FormLayout]>,
    needs: Needs,
    /// The examples of the packs.
    examples: Arc<[Example]>,
}

/// The result of applying rules to a report.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The findings, the heaviest first, and then in the order of the document.
    pub findings: Vec<Finding>,
    /// The rules of local packs that were not applied.
    pub left_out: Vec<LeftOut>,
}

/// A rule that was not applied to a report, because it would exceed the budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule} was left out: it {why}; its author makes it simpler")]
pub struct LeftOut {
    /// The rule's id.
    pub rule: String,
    /// Why the rule was left out: the cost that it would have had.
    pub why: String,
}

impl RuleSet {
    /// Returns the rules compiled into the program.
    #[must_use]
    pub fn embedded() -> Self {
        RULES.clone()
    }

    /// Returns the rules compiled into the program with local packs on top of them, in the order given.
    ///
    /// # Errors
    /// A pack has a mistake; the error contains the file, the line and the mistake. Its author has to correct it.
    pub fn with_local(packs: &[PackText<'_>]) -> Result<Self, PackError> {
        let all: Vec<PackText<'_>> = EMBEDDED.into_iter().chain(packs.iter().cloned()).collect();
        Self::load(&all, &Forms::embedded())
    }

    /// Reads one pack by itself over the compiled-in forms.
    ///
    /// # Errors
    /// As for [`RuleSet::with_local`].
    pub fn parse(file: &str, text: &str) -> Result<Self, PackError> {
        Self::load(&[PackText { file, text }], &Forms::embedded())
    }

    /// Reads packs over forms. A later pack may change and switch off the rules of earlier ones.
    ///
    /// # Errors
    /// As for [`RuleSet::with_local`].
    pub fn load(packs: &[PackText<'_>], forms: &Forms) -> Result<Self, PackError> {
        let layouts = FormLayout::all(forms);
        let cells = layouts.iter().flat_map(|layout| layout.cells.iter());
        let ground = PackCells { cells: cells.map(|cell| cell.id.clone()).collect() };
        let Packs { mut labels, rules, examples } = pack::load(packs, &ground)?;
        // A pack may consist of several files.
        labels.dedup();
        let (rules, off): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(|rule| rule.is_on);
        let needs = rules.iter().fold(Needs::default(), |needs, rule| match &rule.logic {
            Logic::Check(_) => needs,
            Logic::Expression(expression) => needs.or(expression.needs),
        });
        Ok(Self {
            versions: Versions { rules: labels.join(", "), ..gongkai_forms::versions() }.into(),
            rules: rules.into(),
            off: off.into(),
            layouts: layouts.into(),
            needs,
            examples: examples.into(),
        })
    }

    /// Returns the versions of the program, its parser, its forms and these rules. Those of the rules are the packs'
    /// names and versions, such as `core 3` or `core 3, wuwei 1`. Every finding contains them.
    #[must_use]
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Returns the rules that are applied, in the packs' order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Returns the rules that are switched off, in the packs' order. A local pack may switch them on.
    #[must_use]
    pub fn switched_off(&self) -> &[Rule] {
        &self.off
    }

    /// Returns the cells that packs may name, in the forms' order.
    #[must_use]
    pub fn cells(&self) -> Vec<NamedCell> {
        FormLayout::named_cells(&self.layouts)
    }

    /// Runs the examples of the packs. Returns their number, and for each failed example its file and line and the
    /// actual findings. Examples of rules that a later pack switched off are left out. `nature_of` returns a body's
    /// level and kind by its name.
    #[must_use]
    pub fn run_examples(&self, nature_of: fn(&str) -> Nature) -> (usize, Vec<PackError>) {
        let evaluate = |report: &Report, context: &ReportContext<'_>| self.evaluate(report, context);
        let failure = |example: &Example| example.failure(nature_of, evaluate);
        (self.examples().count(), self.examples().filter_map(failure).collect())
    }

    /// Returns the rule of each example and whether it must have a finding there.
    pub fn covered(&self) -> impl Iterator<Item = (&str, bool)> {
        self.examples().map(|example| (example.rule(), example.fires()))
    }

    fn examples(&self) -> impl Iterator<Item = &Example> {
        let is_on = |example: &&Example| self.rules.iter().any(|rule| rule.id == example.rule());
        self.examples.iter().filter(is_on)
    }

    /// Returns the findings about a report: the heaviest first, and then in the order of the document. Personal data in
    /// them is masked. Does not return which rules were left out; [`RuleSet::evaluate_all`] does.
    #[must_use]
    pub fn evaluate(&self, report: &Report, context: &ReportContext<'_>) -> Vec<Finding> {
        self.evaluate_all(report, context).findings
    }

    /// Returns the findings about a report, and the rules that were left out because they would cost too much on it.
    ///
    /// The budget limits the steps and the memory of all expressions together; it depends only on the report and the
    /// rules.
    #[must_use]
    pub fn evaluate_all(&self, report: &Report, context: &ReportContext<'_>) -> Evaluation {
        let context =
            &ReportContext { published_at: context.published_at.or_else(|| page_date(report)), ..*context };
        let input = Input::new(report, context, &self.layouts);
        // The bindings of expressions, created when the first one runs.
        let bindings = LazyCell::new(|| Bindings::new(&input, self.needs));
        let agency = context.agency.cloned();
        let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, Region::UNKNOWN));
        let mut findings: Vec<Finding> = Vec::new();
        let mut left_out = Vec::new();
        let (sizes, mut steps) = (LazyCell::new(|| Sizes::of(&input)), cost::STEPS);
        for rule in self.rules.iter().filter(|rule| rule.applies_to(report, context.published_at)) {
            let drafts = match &rule.logic {
                Logic::Check(check) => check.run(&rule.params, &input),
                Logic::Expression(expression) => {
                    let cost = expression.cost(&rule.patterns, sizes.with(&rule.params));
                    if let Some(why) = cost.excess(steps) {
                        left_out.push(LeftOut { rule: rule.id.clone(), why });
                        continue;
                    }
                    steps = steps.saturating_sub(cost.steps);
                    expression.run(&rule.params, &rule.patterns, &input, &bindings).into_iter().collect()
                }
            };
            let said = drafts.into_iter().filter_map(|draft| {
                let case = rule.cases.get(draft.case)?;
                Some(self.finding(rule, case, draft, &agency, &input))
            });
            // If a rule exists once for each scope, only its first finding about the same thing counts.
            let before = findings.len();
            for finding in said {
                let is_same =
                    |known: &Finding| known.rule == finding.rule && known.fingerprint == finding.fingerprint;
                if !findings[..before].iter().any(is_same) {
                    findings.push(finding);
                }
            }
        }
        // The heaviest first, and then in the order of the document.
        findings.iter_mut().for_each(mask::finding);
        findings.sort_by_cached_key(|finding| (Reverse(finding.severity), place(finding, report)));
        Evaluation { findings, left_out }
    }

    fn finding(
        &self,
        rule: &Rule,
        case: &Case,
        draft: Draft,
        agency: &AgencyKey,
        input: &Input<'_>,
    ) -> Finding {
        let text = |name: &str, of: fn(&Replacement) -> &str| {
            draft.replacements.iter().find(|replacement| replacement.name == name).map(of)
        };
        Finding {
            rule: rule.id.clone(),
            severity: case.severity,
            message: case.message.render(|name| text(name, |replacement| &replacement.zh)),
            message_en: case.message_en.render(|name| text(name, |replacement| &replacement.en)),
            fingerprint: fingerprint(&rule.id, agency.as_str(), input.report.year, &draft.key, &draft.facts),
            operands_digest: digest(rule, &draft, input),
            cause: draft.cause,
            concept: draft.concept,
            formula: rule.formula.clone(),
            expected: draft.expected,
            actual: draft.actual,
            facts: draft.facts,
            source: draft.source.map(|source| in_part(source, input.report)),
            legal: rule.legal.clone(),
            help: rule.help.clone(),
            suggestion: draft.suggestion,
            versions: self.versions().clone(),
        }
    }
}

/// Returns the day of publication that the page states.
fn page_date(report: &Report) -> Option<Date> {
    let (year, month, day) = report.metadata.published_on()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// Returns where a finding stands in the document, in characters: its quotation, else the chapter of its cells.
fn place(finding: &Finding, report: &Report) -> u32 {
    let quoted = finding.source.as_ref().and_then(|source| source.span);
    let chapter = || {
        let concept = finding.facts.first()?.concept.as_str();
        let number = match concept.split('.').next()? {
            "proactive" => 2,
            "requests" => 3,
            _ => 4,
        };
        report.section(number)?.title_span
    };
    quoted.or_else(chapter).map_or(0, |span| span.start)
}

/// Returns the quotation, with the attachment that the report was read from.
fn in_part(source: Source, report: &Report) -> Source {
    let part = source.part.or_else(|| report.part().map(str::to_owned));
    Source { part, ..source }
}

fn digest(rule: &Rule, draft: &Draft, input: &Input<'_>) -> String {
    let state = |id: &FactId| {
        let cell =
            input.table.as_ref().and_then(|table| Some(table.state(table.layout.number(&id.to_string())?)));
        cell.unwrap_or(State::Missing)
    };
    let operands: Vec<_> = draft.facts.iter().map(|id| (id, state(id))).collect();
    // A quotation already distinguishes findings, without regard to its spaces.
    let said = draft.replacements.iter().filter(|said| !matches!(&*said.name, "quote" | "chapter"));
    let mut words: Vec<&str> = said.map(|said| said.zh.as_str()).collect();
    // Findings about the publication of a content are waived for that content only.
    let own = input.context.neighbours.filter(|_| rule.scope == Scope::Event).map(|n| &n.own.main_hash);
    words.extend(own.map(String::as_str));
    let (expected, actual) = (draft.expected.as_deref(), draft.actual.as_deref());
    operands_digest(&Grounds { operands: &operands, case: draft.case, expected, actual, words: &words })
}
