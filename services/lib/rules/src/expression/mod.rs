//! Rules as expressions (CEL): compiled once when the pack loads, evaluated over a report.
//!
//! An expression that uses an absent value (a blank cell in a sum, a chapter that the report lacks, last year's
//! report) has no value, and then its rule is silent: a blank never counts as 0.

use cel::{Context as Scope, Program, Value as Cel};

use gongkai_model::FactId;

use crate::{
    cell_names::CellNames, draft::Draft, fingerprint::FindingKey, input::Input, params::Params,
    pattern::Patterns, prose::Prose,
};
use cel_bindings::Bindings;
use cost::{Cost, Sizes};

pub(crate) mod cel_bindings;
pub(crate) mod cost;
pub(crate) mod env;
pub(crate) mod names;
mod shape;

/// The case of every rule that is an expression.
pub(crate) const CASE: &str = "broken";

/// A rule's condition, and the values of its finding.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    /// The condition. True if the rule is broken.
    pub(crate) when: Program,
    /// The values of the message's placeholders.
    pub(crate) values: Vec<(String, Program)>,
    pub(crate) expected: Option<Program>,
    pub(crate) actual: Option<Program>,
    /// The operands that the finding lists.
    pub(crate) facts: Vec<CellNames>,
    /// The variables that the programs read.
    pub(crate) needs: names::Needs,
}

impl Expression {
    /// Returns the text of the condition.
    pub(crate) fn when(&self) -> &str {
        &self.text
    }

    /// Returns an upper bound of the cost of searching the patterns and running all programs on a report of these
    /// sizes.
    pub(crate) fn cost(&self, patterns: &Patterns, sizes: Sizes) -> Cost {
        let values = self.values.iter().map(|(_, program)| program);
        let programs = [&self.when].into_iter().chain(values).chain(&self.expected).chain(&self.actual);
        Cost::of(programs, sizes).with_patterns(patterns, sizes)
    }

    /// Returns the draft of the rule's finding, if the condition is true under the bindings.
    pub(crate) fn run(
        &self,
        params: &Params,
        patterns: &Patterns,
        input: &Input<'_>,
        bindings: &Bindings,
    ) -> Option<Draft> {
        let matches = Matches::find(patterns, &input.prose);
        let mut scope = bindings.scope().new_inner_scope();
        matches.bind(patterns, &mut scope);
        if params.iter().next().is_some() {
            scope.add_variable_from_value("params", cel_bindings::params(params));
        }
        if !matches!(self.when.execute(&scope), Ok(Cel::Bool(true))) {
            return None;
        }
        Some(self.draft(input, &matches, &scope))
    }

    /// Returns the operands of the finding in the report's form.
    fn operands(&self, input: &Input<'_>) -> Vec<FactId> {
        let cells = input.table.as_ref().map_or(&[][..], |table| &table.layout.cells);
        self.facts.iter().flat_map(|names| names.ids(cells)).collect()
    }

    fn draft(&self, input: &Input<'_>, matches: &Matches<'_, '_>, scope: &Scope<'_, '_>) -> Draft {
        let text =
            |program: &Program| program.execute(scope).ok().and_then(|value| cel_bindings::text(&value));
        let mut draft = Draft::of_cells(CASE, self.operands(input));
        if draft.facts.is_empty() {
            draft.key = FindingKey::Part("report".to_owned());
        }
        for (name, program) in &self.values {
            // A value that cannot be computed is shown as such, not left out.
            draft = draft.with(name.clone(), text(program).unwrap_or_else(|| "—".to_owned()));
        }
        if let Some((passage, range)) = matches.first() {
            draft = draft.quoting(passage.chapter(), passage.quote_bytes(range));
        }
        Draft {
            cause: input.suspected_of(&draft.facts),
            expected: self.expected.as_ref().and_then(text),
            actual: self.actual.as_ref().and_then(text),
            ..draft
        }
    }
}

/// The matches of a rule's patterns in a report.
struct Matches<'p, 'r> {
    found: Vec<Option<cel_bindings::Quotation<'p, 'r>>>,
}

impl<'p, 'r> Matches<'p, 'r> {
    fn find(patterns: &Patterns, prose: &'p Prose<'r>) -> Self {
        Self { found: patterns.iter().map(|pattern| pattern.find(prose)).collect() }
    }

    /// Returns the match of the first pattern that occurs in the report.
    fn first(&self) -> Option<cel_bindings::Quotation<'p, 'r>> {
        self.found.iter().flatten().next().cloned()
    }

    /// Binds `quote.NAME` to the match of each pattern, or to null.
    fn bind(&self, patterns: &Patterns, scope: &mut Scope<'_, '_>) {
        if patterns.is_empty() {
            return;
        }
        let quotes = patterns.iter().zip(&self.found).map(|(pattern, found)| {
            let text = found.as_ref().and_then(|(passage, range)| passage.text().get(range.clone()));
            (pattern.name.clone(), text.map_or(Cel::Null, Cel::from))
        });
        scope.add_variable_from_value("quote", quotes.collect::<std::collections::HashMap<_, _>>());
    }
}
