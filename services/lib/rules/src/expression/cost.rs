//! The cost of an expression: an upper bound of its steps and of the memory of its values, computed before it runs.
//!
//! An expression has no loops of its own, only macros such as `all` and `map` over lists, so the bound follows from
//! the sizes of its inputs. Unlike a time limit, it is the same on every machine. A step takes some 50 ns.

use cel::{
    IdedExpr, Program,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};

use crate::{
    input::Input,
    params::{Param, Params},
    pattern::Patterns,
};

/// Maximum number of steps of the expressions of all rules over one report: about a second.
pub(crate) const STEPS: u64 = 20_000_000;
/// Maximum size of a value of an expression, in bytes.
const BYTES: u64 = 32 << 20;
/// Bytes per step where text is compared, searched or copied.
const BYTES_PER_STEP: u64 = 64;
/// Bytes per step where a regular expression searches.
const SEARCHED_PER_STEP: u64 = 16;
/// Maximum size of a value that is not text, a list or a map.
const SCALAR: u64 = 16;
/// Maximum number of cells that one name with wildcards may match.
const CELLS: u64 = 256;
/// Number of steps to compile a regular expression.
const REGEX: u64 = 5_000;
/// Number of states of a regular expression that cost no more than a plain search.
const CHEAP_STATES: u64 = 16;
/// Size of the variables that are neither the report nor the parameters, in bytes.
const OTHER: u64 = 32 << 10;

/// The sizes of the inputs of an expression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Bytes of the report's prose.
    text: u64,
    chapters: u64,
    /// Bytes of the longest title.
    title: u64,
    /// Bytes of the rule's parameters.
    params: u64,
    /// Elements of the longest parameter.
    elements: u64,
}

/// An upper bound of the cost of an expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) steps: u64,
    /// Bytes of the largest value.
    pub(crate) bytes: u64,
}

/// An upper bound of the size of a value.
#[derive(Debug, Clone, Copy)]
struct Size {
    bytes: u64,
    items: u64,
    /// Bytes of the largest element.
    item: u64,
}

struct Estimate<'a> {
    sizes: Sizes,
    /// Variables of macros.
    bound: Vec<(&'a str, Size)>,
    cost: Cost,
}

// === impl Sizes ===

impl Sizes {
    /// A large report. Packs must stay within the budget for it, which is checked when they load.
    pub(crate) const LARGE: Self =
        Self { text: 256 << 10, chapters: 8, title: 1 << 10, params: 0, elements: 0 };

    pub(crate) fn of(input: &Input<'_>) -> Self {
        let report = input.report;
        let paragraphs = report.sections.iter().flat_map(|section| &section.paragraphs);
        let prose: usize = paragraphs.map(|paragraph| paragraph.text.len()).sum();
        let head = report.preamble_text().len() + report.title.len() + report.agency.len();
        let titles = report.sections.iter().map(|section| section.title.len()).chain([report.title.len()]);
        Self {
            text: wide(prose + head),
            chapters: wide(report.sections.len()),
            title: titles.max().map_or(0, wide),
            params: 0,
            elements: 0,
        }
    }

    /// Adds the parameters of a rule.
    pub(crate) fn with(self, params: &Params) -> Self {
        params.iter().fold(self, |sizes, (_, param)| sizes.with_param(param))
    }

    pub(crate) fn with_param(self, param: &Param) -> Self {
        let (bytes, elements) = match param {
            Param::Whole(_) | Param::Decimal(_) => (SCALAR, 1),
            Param::Text(text) => (wide(text.len()), 1),
            Param::List(list) => (list.iter().map(|text| wide(text.len())).sum(), wide(list.len())),
        };
        Self { params: self.params.saturating_add(bytes), elements: self.elements.max(elements), ..self }
    }
}

// === impl Cost ===

impl Cost {
    /// Returns the cost of programs that read values of these sizes.
    pub(crate) fn of<'p>(programs: impl IntoIterator<Item = &'p Program>, sizes: Sizes) -> Self {
        let mut estimate = Estimate { sizes, bound: Vec::new(), cost: Self::default() };
        for program in programs {
            estimate.size(program.expression());
        }
        estimate.cost
    }

    /// Adds the search for patterns in a report's prose.
    pub(crate) fn with_patterns(mut self, patterns: &Patterns, sizes: Sizes) -> Self {
        for pattern in patterns {
            self.steps = self.steps.saturating_add(search(sizes.text, pattern.regex.as_str()));
        }
        self
    }

    /// Returns why the cost is too high if `steps` are left, or `None` if it is not.
    pub(crate) fn excess(self, steps: u64) -> Option<String> {
        if self.bytes > BYTES {
            return Some(format!(
                "may need {} MiB for one value, more than {}",
                self.bytes >> 20,
                BYTES >> 20
            ));
        }
        (self.steps > steps)
            .then(|| format!("may take {} steps, more than the {steps} that are left of {STEPS}", self.steps))
    }
}

// === impl Size ===

impl Size {
    const fn scalar(bytes: u64) -> Self {
        Self { bytes, items: 1, item: bytes }
    }

    /// Returns the cost of both, one after the other.
    fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            items: self.items.saturating_add(other.items),
            item: self.item.max(other.item),
        }
    }

    /// Returns the cost of either one.
    fn or(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            items: self.items.max(other.items),
            item: self.item.max(other.item),
        }
    }

    fn element(self) -> Self {
        Self { bytes: self.item, ..self }
    }
}

// === impl Estimate ===

impl<'a> Estimate<'a> {
    /// Returns the size of an expression's value, and adds the computation to the cost.
    fn size(&mut self, expression: &'a IdedExpr) -> Size {
        self.spend(1);
        let size = match &expression.expr {
            Expr::Literal(LiteralValue::String(text)) => Size::scalar(wide(text.inner().len())),
            Expr::Literal(LiteralValue::Bytes(bytes)) => Size::scalar(wide(bytes.inner().len())),
            Expr::Literal(_) | Expr::Unspecified | Expr::Struct(_) => Size::scalar(SCALAR),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let whole = self.size(&select.operand);
                if select.field == "title" { Size::scalar(self.sizes.title.min(whole.bytes)) } else { whole }
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => {
                let sizes: Vec<_> = list.elements.iter().map(|element| self.size(element)).collect();
                list_of(&sizes)
            }
            Expr::Map(map) => {
                let mut sizes = Vec::new();
                for entry in &map.entries {
                    sizes.push(match &entry.expr {
                        EntryExpr::StructField(field) => self.size(&field.value),
                        EntryExpr::MapEntry(entry) => self.size(&entry.key).and(self.size(&entry.value)),
                    });
                }
                list_of(&sizes)
            }
            Expr::Comprehension(all) => self.comprehension(all),
        };
        self.cost.bytes = self.cost.bytes.max(size.bytes);
        size
    }

    fn variable(&self, name: &str) -> Size {
        if let Some((_, size)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return *size;
        }
        let Sizes { text, chapters, params, elements, .. } = self.sizes;
        match name {
            "report" => Size { bytes: text, items: chapters, item: text },
            "quote" => Size::scalar(text),
            "params" => Size { bytes: params, items: elements, item: params },
            _ => Size { bytes: OTHER, items: CELLS, item: OTHER },
        }
    }

    fn call(&mut self, call: &'a CallExpr) -> Size {
        let parts = call.target.iter().map(AsRef::as_ref).chain(&call.args);
        let sizes: Vec<Size> = parts.map(|part| self.size(part)).collect();
        let bytes = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(size.bytes));
        let name = call.func_name.as_str();
        match (name, sizes.as_slice()) {
            (operators::CONDITIONAL, [_, one, other]) => return one.or(*other),
            (operators::INDEX | operators::OPT_INDEX, [whole, _]) => return whole.element(),
            (operators::EQUALS | operators::NOT_EQUALS, [one, other]) => {
                self.spend(one.bytes.min(other.bytes) / BYTES_PER_STEP);
                return Size::scalar(SCALAR);
            }
            _ => self.spend(bytes / BYTES_PER_STEP),
        }
        match (name, sizes.as_slice()) {
            (operators::ADD, [one, other]) => one.and(*other),
            ("max" | "min", sizes) => sizes.iter().fold(Size::scalar(SCALAR), |most, size| most.or(*size)),
            ("string" | "bytes" | "dyn", _) => Size::scalar(bytes.saturating_add(2 * SCALAR)),
            ("matches", [text, ..]) => {
                let pattern = call.args.last().map(|pattern| &pattern.expr);
                let steps = match pattern {
                    Some(Expr::Literal(LiteralValue::String(pattern))) => search(text.bytes, pattern.inner()),
                    // The size of a computed pattern is unknown, so this assumes a large one.
                    _ => text.bytes.saturating_mul(CELLS),
                };
                self.spend(REGEX.saturating_add(steps));
                Size::scalar(SCALAR)
            }
            ("sum", [names]) => {
                self.spend(names.items.saturating_mul(CELLS));
                Size::scalar(SCALAR)
            }
            _ => Size::scalar(SCALAR),
        }
    }

    fn comprehension(&mut self, all: &'a ComprehensionExpr) -> Size {
        let range = self.size(&all.iter_range);
        let begun = self.size(&all.accu_init);
        let outer = self.bound.len();
        self.bound.push((&all.iter_var, range.element()));
        self.bound.extend(all.iter_var2.iter().map(|name| (name.as_str(), range.element())));
        self.bound.push((&all.accu_var, begun));
        let before = self.cost.steps;
        self.size(&all.loop_cond);
        let step = self.size(&all.loop_step);
        let once = self.cost.steps.saturating_sub(before);
        self.cost.steps = before.saturating_add(once.saturating_mul(range.items.max(1)));
        let grown = |begun: u64, step: u64| {
            begun.saturating_add(step.saturating_sub(begun).saturating_mul(range.items.max(1)))
        };
        let result = Size {
            bytes: grown(begun.bytes, step.bytes),
            items: grown(begun.items, step.items),
            item: begun.item.max(step.item),
        };
        if let Some((_, accumulated)) = self.bound.last_mut() {
            *accumulated = result;
        }
        self.cost.bytes = self.cost.bytes.max(result.bytes);
        let size = self.size(&all.result);
        self.bound.truncate(outer);
        size
    }

    fn spend(&mut self, steps: u64) {
        self.cost.steps = self.cost.steps.saturating_add(steps);
    }
}

fn list_of(sizes: &[Size]) -> Size {
    Size {
        bytes: sizes.iter().fold(0, |sum, size| sum.saturating_add(size.bytes)),
        items: wide(sizes.len()),
        item: sizes.iter().map(|size| size.bytes).max().unwrap_or(0),
    }
}

/// Returns the steps of a search in `bytes` of text.
fn search(bytes: u64, pattern: &str) -> u64 {
    (bytes / SEARCHED_PER_STEP).saturating_mul((states(pattern) / CHEAP_STATES).max(1))
}

/// Returns the approximate number of states of a regular expression. Repetitions with counts multiply the states of
/// the repeated part.
fn states(pattern: &str) -> u64 {
    let mut groups = vec![0_u64];
    let mut repeated = 1_u64;
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        let own = match c {
            '(' => {
                groups.push(0);
                continue;
            }
            ')' => groups.pop().unwrap_or(0).max(1),
            '{' => {
                let inside: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let most = inside.split(',').filter_map(|count| count.trim().parse::<u64>().ok()).max();
                repeated.saturating_mul(most.unwrap_or(1).saturating_sub(1))
            }
            '\\' => {
                // A class such as \p{Han} has its name in braces.
                if rest.next().is_some_and(|c| matches!(c, 'p' | 'P' | 'x' | 'u'))
                    && rest.as_str().starts_with('{')
                {
                    rest.by_ref().take_while(|c| *c != '}').for_each(drop);
                }
                1
            }
            '*' | '+' | '?' | '|' | '^' | '$' => continue,
            _ => 1,
        };
        if c != '{' {
            repeated = own;
        }
        if groups.is_empty() {
            groups.push(0);
        }
        if let Some(group) = groups.last_mut() {
            *group = group.saturating_add(own);
        }
    }
    groups.iter().fold(0, |sum, group| sum.saturating_add(*group))
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::env;

    fn cost(text: &str) -> Cost {
        Cost::of([&env::compile(text).unwrap()], Sizes::LARGE)
    }

    #[test]
    fn what_multiplies_is_over_the_budget() {
        let digits = "[0,1,2,3,4,5,6,7,8,9]";
        let nested = |depth: usize| {
            let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
            names[..depth]
                .iter()
                .fold("true".to_owned(), |inner, name| format!("{digits}.all({name}, {inner})"))
        };
        assert_eq!(cost(&nested(4)).excess(STEPS), None);
        assert!(cost(&nested(8)).excess(STEPS).unwrap().contains("steps"));
        let doubled = |times: usize| format!("size([report.preamble]{}) > 0", ".map(t, t + t)".repeat(times));
        assert_eq!(cost(&doubled(3)).excess(STEPS), None);
        assert!(cost(&doubled(12)).excess(STEPS).unwrap().contains("MiB"));
        let lists = format!("size({digits}.map(a, {digits}.map(b, {digits}.map(c, report.preamble)))) > 0");
        assert!(cost(&lists).excess(STEPS).unwrap().contains("MiB"));
        assert!(cost("report.preamble.matches('((a{1,100}){1,100}){1,100}')").excess(STEPS).is_some());
    }

    #[test]
    fn repetitions_in_each_other_multiply_states_and_those_in_a_row_do_not() {
        for (pattern, expected) in [
            ("abc", 3),
            ("a{3}", 3),
            ("(ab){2,10}c", 21),
            ("((a{1,100}){1,100}){1,100}", 1_000_000),
            (".{0,20}年.{0,20}", 41),
            (r"\p{Han}{2,4}\d", 5),
            ("a{,}", 1),
            (")a{", 2),
        ] {
            assert_eq!(states(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_rules_do_is_far_below_it() {
        for text in [
            "cell('requests.received[total]') > 0",
            "sum(['requests.*', 'disputes.*']) > cell('requests.received[total]')",
            "report.sections.exists(n, report.sections[n].text.contains('招标'))",
            "report.sections.all(n, report.sections.all(m, n == m || report.sections[n].title != report.sections[m].title))",
            "params.words.exists(w, report.preamble.contains(w))",
            "report.preamble.matches('20[0-9]{2}年.{0,20}报告')",
            "neighbours.previous.cells.exists(name, neighbours.previous.cells[name] > 10)",
        ] {
            let cost = cost(text);
            assert_eq!(cost.excess(STEPS / 10), None, "{text}: {cost:?}");
        }
    }
}
