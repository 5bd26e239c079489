//! What an expression may name, and what it does name: found out when the pack loads, so that a misspelt name is
//! refused instead of being silent for ever.

use cel::{
    IdedExpr, Program,
    common::ast::{EntryExpr, Expr, LiteralValue},
};

use gongkai_model::FactId;

/// The variables of an expression.
const VARIABLES: &[&str] = &["report", "agency", "event", "neighbours", "params", "quote"];

/// The members of `report`.
const REPORT_FIELDS: &[&str] =
    &["agency", "year", "title_year", "form", "variant", "title", "preamble", "period", "sections"];

/// Our functions over cells; each takes the public name of a cell, or a list of them.
const CELL_FUNCTIONS: &[&str] = &["cell", "state", "sum"];

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

/// Which variables an expression reads, so that only those are made.
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
    /// What either needs.
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

/// What a pack's author may name beside the fixed variables and functions.
pub(crate) struct Known<'a> {
    /// The rule's patterns: the members of `quote`.
    pub(crate) patterns: &'a [&'a str],
    /// The rule's parameters: the members of `params`.
    pub(crate) params: &'a [&'a str],
    /// True if a form has the cell.
    pub(crate) is_cell: &'a dyn Fn(&FactId) -> bool,
}

/// Reads what an expression needs.
///
/// # Errors
/// It names a variable, function, cell, pattern or parameter that there is not; the text says which. The author of
/// the pack repairs it.
pub(crate) fn check(program: &Program, known: &Known<'_>) -> Result<Needs, String> {
    let mut reader = Reader { known, bound: Vec::new(), needs: Needs::default() };
    reader.read(program.expression())?;
    Ok(reader.needs)
}

struct Reader<'a> {
    known: &'a Known<'a>,
    /// Variables that a macro such as `all` binds.
    bound: Vec<String>,
    needs: Needs,
}

impl Reader<'_> {
    fn read(&mut self, expression: &IdedExpr) -> Result<(), String> {
        match &expression.expr {
            Expr::Ident(name) => self.variable(name),
            // An index or a macro may reach a chapter's text under any name.
            Expr::Literal(LiteralValue::String(text)) if text.inner() == "text" => {
                self.needs.text = true;
                Ok(())
            }
            Expr::Call(call) => {
                self.function(&call.func_name, &call.args)?;
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
        let Expr::Ident(variable) = &operand.expr else { return Ok(()) };
        let (known, what) = match variable.as_str() {
            "quote" => (self.known.patterns, "pattern"),
            "params" => (self.known.params, "parameter"),
            "report" => {
                self.needs.sections |= field == "sections";
                self.needs.text |= field == "preamble";
                (REPORT_FIELDS, "member of report")
            }
            _ => return Ok(()),
        };
        if known.contains(&field) {
            return Ok(());
        }
        Err(format!("unknown {what} {field:?}; known are {}", known.join(", ")))
    }

    fn function(&self, name: &str, arguments: &[IdedExpr]) -> Result<(), String> {
        if CELL_FUNCTIONS.contains(&name) {
            return arguments.iter().try_for_each(|argument| self.cells(argument));
        }
        // Operators are functions whose names are no words.
        let is_operator = name.contains('_') || name.starts_with('@');
        if is_operator || STANDARD.contains(&name) {
            return Ok(());
        }
        Err(format!("unknown function {name:?}; ours are {}", CELL_FUNCTIONS.join(", ")))
    }

    /// The cells that an argument names literally.
    fn cells(&self, argument: &IdedExpr) -> Result<(), String> {
        match &argument.expr {
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.cells(element)),
            Expr::Literal(LiteralValue::String(text)) => {
                let id: Result<FactId, _> = text.inner().parse();
                match id {
                    Ok(id) if (self.known.is_cell)(&id) => Ok(()),
                    _ => Err(format!("no form has a cell {:?}", text.inner())),
                }
            }
            _ => Ok(()),
        }
    }
}
