//! Builds statements. Values are bound; text of a caller never becomes part of a statement.

use rusqlite::{Params, params_from_iter, types::Value as Bound};

use crate::error::Error;
use crate::query::{Condition, Cursor, Key, Op, ReportScope, Value};

/// A statement under construction.
pub(super) struct Sql {
    text: String,
    values: Vec<Bound>,
}

/// The column of a field.
#[derive(Clone, Copy)]
pub(super) struct SqlColumn {
    /// The expression that selects the column.
    pub(super) sql: &'static str,
    /// The meaning of [`Op::Has`] for the column.
    pub(super) has: Has,
    /// True if `!=` is also true where the field is absent.
    pub(super) absent_differs: bool,
}

/// The meaning of [`Op::Has`] for a field.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Has {
    Contains,
    BeginsWith,
    Equals,
}

impl SqlColumn {
    pub(super) const fn new(sql: &'static str, has: Has) -> Self {
        Self { sql, has, absent_differs: true }
    }

    /// Creates a column for which `!=` is false where the field is absent.
    pub(super) const fn only_present(sql: &'static str) -> Self {
        Self { sql, has: Has::Equals, absent_differs: false }
    }
}

impl Sql {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn bind(&mut self, value: Bound) -> &mut Self {
        self.text.push('?');
        self.values.push(value);
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn params(&self) -> impl Params + use<'_> {
        params_from_iter(self.values.iter())
    }

    /// Appends ` AND …` for the agency and the year.
    pub(super) fn scope(&mut self, scope: &ReportScope) -> &mut Self {
        if let Some(agency) = &scope.agency {
            self.push(" AND r.agency = ").bind(agency.as_str().to_owned().into());
        }
        if let Some(year) = scope.year {
            self.push(" AND r.year = ").bind(i64::from(year).into());
        }
        self
    }

    /// Appends ` AND …` for each condition.
    pub(super) fn conditions<F: Copy>(
        &mut self,
        conditions: &[Condition<F>],
        column: impl Fn(F) -> SqlColumn,
    ) -> &mut Self {
        for condition in conditions {
            self.condition(column(condition.field), condition.op, &condition.value);
        }
        self
    }

    fn condition(&mut self, column: SqlColumn, op: Op, value: &Value) {
        let SqlColumn { sql, has, absent_differs } = column;
        let sign = match op {
            Op::Eq => " = ",
            Op::Ne if absent_differs => " IS DISTINCT FROM ",
            Op::Ne => " <> ",
            Op::Lt => " < ",
            Op::Le => " <= ",
            Op::Gt => " > ",
            Op::Ge => " >= ",
            Op::Has => return self.has(sql, has, value),
        };
        self.push(" AND ").push(sql).push(sign).bind(bound(value));
    }

    fn has(&mut self, sql: &str, has: Has, value: &Value) {
        self.push(" AND ");
        match has {
            Has::Contains => self.push("instr(").push(sql).push(", ").bind(bound(value)).push(") > 0"),
            Has::BeginsWith => self.push("instr(").push(sql).push(", ").bind(bound(value)).push(") = 1"),
            Has::Equals => self.push(sql).push(" = ").bind(bound(value)),
        };
    }

    /// Appends ` AND (keys) > (cursor) ORDER BY keys LIMIT limit + 1`. The additional row shows whether there are
    /// more.
    pub(super) fn page(
        &mut self,
        keys: &[&str],
        descending: bool,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<&mut Self, Error> {
        if let Some(Cursor(values)) = after {
            if values.len() != keys.len() {
                return Err(Error::OutOfRange("cursor"));
            }
            let sign = if descending { " < (" } else { " > (" };
            self.push(" AND (").push(&keys.join(", ")).push(") ").push(sign);
            for (i, value) in values.iter().enumerate() {
                let value = match value {
                    Key::Integer(n) => Bound::Integer(*n),
                    Key::Text(text) => Bound::Text(text.clone()),
                };
                self.push(if i == 0 { "" } else { ", " }).bind(value);
            }
            self.push(")");
        }
        let direction = if descending { " DESC" } else { "" };
        let order: Vec<String> = keys.iter().map(|key| format!("{key}{direction}")).collect();
        self.push(" ORDER BY ").push(&order.join(", "));
        Ok(self.push(" LIMIT ").bind(limit_of(limit.saturating_add(1))))
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Text(text) => Bound::Text(text.clone()),
        Value::Integer(n) => Bound::Integer(*n),
        Value::Number(n) => Bound::Real(*n),
        Value::Flag(yes) => Bound::Integer((*yes).into()),
    }
}

/// Converts a limit to a bound value.
pub(super) fn limit_of(limit: usize) -> Bound {
    Bound::Integer(i64::try_from(limit).unwrap_or(i64::MAX))
}
