//! Rules as expressions (CEL): compiled once when the pack loads, evaluated over a report.
//!
//! An expression that meets what is not there (a blank cell in a sum, a chapter that the report lacks, last year's
//! report) has no value, and a rule without a value is silent: a blank is never taken for 0.

use cel::{Context as Scope, Program, Value as Cel};

use gongkai_model::{Concept, FactId};

use crate::{
    cell_names::CellNames,
    draft::{Draft, Value, chapter_name},
    fingerprint::Key,
    input::Input,
    params::Params,
    pattern::Patterns,
    prose::Prose,
};
use cel_bindings::Bindings;

pub(crate) mod cel_bindings;
pub(crate) mod env;
pub(crate) mod names;
mod shape;

/// The case of every rule that is an expression.
pub(crate) const CASE: &str = "broken";

/// A rule's condition and what its finding tells.
#[derive(Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    /// True where the rule is broken.
    pub(crate) when: Program,
    /// The values of the message's placeholders.
    pub(crate) values: Vec<(String, Program)>,
    pub(crate) expected: Option<Program>,
    pub(crate) actual: Option<Program>,
    /// The operands that the finding lists.
    pub(crate) facts: Vec<CellNames>,
    /// The variables that its programs read.
    pub(crate) needs: names::Needs,
}

impl Expression {
    /// The condition as written.
    pub(crate) fn when(&self) -> &str {
        &self.text
    }

    /// The draft of the rule's finding, if the condition is true under the bindings.
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

    /// The operands that the finding lists, of the report's form.
    fn operands(&self, input: &Input<'_>) -> Vec<FactId> {
        let cells = input.table.as_ref().map_or(&[][..], |table| &table.layout.cells);
        self.facts.iter().flat_map(|names| names.ids(cells)).collect()
    }

    fn draft(&self, input: &Input<'_>, matches: &Matches<'_, '_>, scope: &Scope<'_, '_>) -> Draft {
        let text =
            |program: &Program| program.execute(scope).ok().and_then(|value| cel_bindings::text(&value));
        let mut values = Vec::new();
        for (name, program) in &self.values {
            // A value that cannot be computed is shown as such, not left out.
            values.push(Value::same(name.clone(), text(program).unwrap_or_else(|| "—".to_owned())));
        }
        let place = matches.first();
        let source = place.map(|(passage, range)| passage.quote_bytes(range));
        if let (Some((passage, _)), Some(source)) = (matches.first(), &source) {
            values.push(chapter_name(passage.chapter()));
            values.push(Value::same("quote", source.text.as_str()));
        }
        let facts = self.operands(input);
        let key = match (matches.first(), &source) {
            (Some((passage, _)), Some(source)) => {
                Key::Quote { chapter: passage.chapter(), text: source.text.clone() }
            }
            _ if facts.is_empty() => Key::Part("report".to_owned()),
            _ => Key::Operands,
        };
        let concept: Option<Concept> = facts.first().map(|fact| fact.concept.clone());
        Draft {
            cause: input.suspected_of(&facts),
            concept,
            expected: self.expected.as_ref().and_then(text),
            actual: self.actual.as_ref().and_then(text),
            facts,
            source,
            values,
            ..Draft::new(CASE, key)
        }
    }
}

/// Where the patterns of a rule stand in a report.
struct Matches<'p, 'r> {
    found: Vec<Option<cel_bindings::Quotation<'p, 'r>>>,
}

impl<'p, 'r> Matches<'p, 'r> {
    fn find(patterns: &Patterns, prose: &'p Prose<'r>) -> Self {
        Self { found: patterns.iter().map(|pattern| pattern.find(prose)).collect() }
    }

    /// The place of the first pattern that stands in the report.
    fn first(&self) -> Option<cel_bindings::Quotation<'p, 'r>> {
        self.found.iter().flatten().next().cloned()
    }

    /// `quote.NAME`: the text that a pattern found, or null.
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
