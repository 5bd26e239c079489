//! The names that an expression uses. They are checked when the pack loads: a misspelt name would make the rule silent.

use std::collections::HashSet;

use cel::{
    IdedExpr, Program,
    common::ast::{EntryExpr, Expr, LiteralValue, operators},
};

use gongkai_model::FactId;

use super::shape::Shape;
use crate::cell_names::CellNames;

/// The variables of an expression.
const VARIABLES: &[&str] = &["report", "agency", "event", "neighbours", "params", "quote"];

/// The functions over cells. `sum` accepts a list of names with wildcards; the others accept one name.
const CELL_FUNCTIONS: &[&str] = &["cell", "state", SUM];

const SUM: &str = "sum";

/// The functions of the standard library that an expression may call.
const STANDARD: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "max",
    "min",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// The variables that an expression reads. Other variables are not bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) report: bool,
    /// `report.sections`: titles and lengths of the chapters.
    pub(crate) sections: bool,
    /// `report.preamble` and the chapters' `text`.
    pub(crate) text: bool,
    pub(crate) agency: bool,
    pub(crate) event: bool,
    pub(crate) neighbours: bool,
}

impl Needs {
    /// Returns the union of two needs.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            report: self.report || other.report,
            sections: self.sections || other.sections,
            text: self.text || other.text,
            agency: self.agency || other.agency,
            event: self.event || other.event,
            neighbours: self.neighbours || other.neighbours,
        }
    }
}

/// The names that an expression may use beside the fixed variables and functions.
pub(crate) struct AllowedNames<'a> {
    /// The rule's patterns: the members of `quote`.
    pub(crate) patterns: &'a [&'a str],
    /// The rule's parameters: the members of `params`.
    pub(crate) params: &'a [&'a str],
    /// The cells of all forms.
    pub(crate) cells: &'a HashSet<FactId>,
}

/// Checks the names that an expression uses, and returns what it needs.
///
/// # Errors
/// A variable, member, function, cell, pattern or parameter is unknown; the text names it for the author of the pack.
pub(crate) fn check(program: &Program, known: &AllowedNames<'_>) -> Result<Needs, String> {
    let mut reader = NameReader { known, bound: Vec::new(), needs: Needs::default() };
    reader.read(program.expression())?;
    Ok(reader.needs)
}

struct NameReader<'a> {
    known: &'a AllowedNames<'a>,
    /// Variables that a macro such as `all` binds.
    bound: Vec<String>,
    needs: Needs,
}

impl NameReader<'_> {
    fn read(&mut self, expression: &IdedExpr) -> Result<(), String> {
        match &expression.expr {
            Expr::Ident(name) => self.variable(name),
            // An index or a macro may reach a chapter's text by a literal name.
            Expr::Literal(LiteralValue::String(text)) if text.inner() == "text" => {
                self.needs.text = true;
                Ok(())
            }
            Expr::Call(call) => {
                self.function(&call.func_name, &call.args)?;
                self.index(&call.func_name, &call.args)?;
                call.target.iter().map(AsRef::as_ref).chain(&call.args).try_for_each(|part| self.read(part))
            }
            Expr::Select(select) => {
                self.needs.text |= select.field == "text";
                self.member(&select.operand, &select.field)?;
                self.read(&select.operand)
            }
            Expr::List(list) => list.elements.iter().try_for_each(|part| self.read(part)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(made) => Err(format!("{} cannot be made in an expression", made.type_name)),
            Expr::Comprehension(all) => {
                self.read(&all.iter_range)?;
                let outer = self.bound.len();
                self.bound.push(all.iter_var.clone());
                self.bound.extend(all.iter_var2.clone());
                self.bound.push(all.accu_var.clone());
                let parts = [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result];
                let read = parts.into_iter().try_for_each(|part| self.read(part));
                self.bound.truncate(outer);
                read
            }
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn entry(&mut self, entry: &EntryExpr) -> Result<(), String> {
        match entry {
            EntryExpr::StructField(field) => self.read(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.read(&entry.key)?;
                self.read(&entry.value)
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), String> {
        if self.bound.iter().any(|bound| bound == name) || name.starts_with('@') {
            return Ok(());
        }
        match name {
            "report" => self.needs.report = true,
            "agency" => self.needs.agency = true,
            "event" => self.needs.event = true,
            "neighbours" => self.needs.neighbours = true,
            _ if VARIABLES.contains(&name) => {}
            _ => return Err(format!("unknown variable {name:?}; known are {}", VARIABLES.join(", "))),
        }
        Ok(())
    }

    fn member(&mut self, operand: &IdedExpr, field: &str) -> Result<(), String> {
        if let Some(shape) = self.shape(operand) {
            shape.member(field).map_err(|why| format!("unknown member{} {field:?}; {why}", path(operand)))?;
        }
        let Expr::Ident(variable) = &operand.expr else { return Ok(()) };
        let (known, what) = match variable.as_str() {
            "quote" => (self.known.patterns, "pattern"),
            "params" => (self.known.params, "parameter"),
            "report" => {
                self.needs.sections |= field == "sections";
                self.needs.text |= field == "preamble";
                return Ok(());
            }
            _ => return Ok(()),
        };
        if known.contains(&field) {
            return Ok(());
        }
        Err(format!("unknown {what} {field:?}; known are {}", known.join(", ")))
    }

    /// Checks a literal in brackets: `agency['name']` is `agency.name`, and a cell must be one.
    fn index(&mut self, function: &str, arguments: &[IdedExpr]) -> Result<(), String> {
        let (operators::INDEX, [operand, index]) = (function, arguments) else { return Ok(()) };
        match (self.shape(operand), &index.expr) {
            (Some(Shape::Cells), Expr::Literal(LiteralValue::String(name))) => self.one_cell(name.inner()),
            (_, Expr::Literal(LiteralValue::String(name))) => self.member(operand, name.inner()),
            _ => Ok(()),
        }
    }

    /// Returns the shape of a value, if it is a variable or is reached from one by names and indices.
    fn shape(&self, expression: &IdedExpr) -> Option<Shape> {
        match &expression.expr {
            Expr::Ident(name) if self.bound.iter().any(|bound| bound == name) => None,
            Expr::Ident(name) => Shape::of(name),
            Expr::Select(select) => self.shape(&select.operand)?.member(&select.field).ok(),
            Expr::Call(call) if call.func_name == operators::INDEX => {
                let [operand, index] = call.args.as_slice() else { return None };
                match (self.shape(operand)?, &index.expr) {
                    (Shape::Elements(element), _) => Some(*element),
                    (shape, Expr::Literal(LiteralValue::String(name))) => shape.member(name.inner()).ok(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn function(&self, name: &str, arguments: &[IdedExpr]) -> Result<(), String> {
        if CELL_FUNCTIONS.contains(&name) {
            return arguments.iter().try_for_each(|argument| self.cells(name, argument));
        }
        // Operators are functions whose names are not words.
        let is_operator = name.contains('_') || name.starts_with('@');
        if is_operator || STANDARD.contains(&name) {
            return Ok(());
        }
        Err(format!("unknown function {name:?}; ours are {}", CELL_FUNCTIONS.join(", ")))
    }

    /// Checks the cells that an argument names literally.
    fn cells(&self, function: &str, argument: &IdedExpr) -> Result<(), String> {
        match &argument.expr {
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.cells(function, element)),
            Expr::Literal(LiteralValue::String(text)) if function == SUM => {
                CellNames::parse(text.inner(), self.known.cells).map(drop)
            }
            Expr::Literal(LiteralValue::String(text)) => self.one_cell(text.inner()),
            _ => Ok(()),
        }
    }

    fn one_cell(&self, name: &str) -> Result<(), String> {
        match CellNames::parse(name, self.known.cells)? {
            CellNames::One(_) => Ok(()),
            CellNames::Many(_) => Err(format!("{name:?} may be many cells; only sum and facts take those")),
        }
    }
}

/// Returns a value's name for a message, such as ` of report.period`; empty for other expressions.
fn path(expression: &IdedExpr) -> String {
    fn name(expression: &IdedExpr) -> Option<String> {
        match &expression.expr {
            Expr::Ident(name) => Some(name.clone()),
            Expr::Select(select) => Some(format!("{}.{}", name(&select.operand)?, select.field)),
            _ => None,
        }
    }
    name(expression).map(|name| format!(" of {name}")).unwrap_or_default()
}
