//! `proactive.*`: chapter 二 by itself: which bodies make rules, what is still in force, and which amounts are not in
//! 万元.

use rust_decimal::Decimal;

use gongkai_model::{AgencyKind, Level};

use crate::{
    check::Check,
    draft::{Draft, Value, decimal},
    fingerprint::Key,
    input::Input,
    params::{Kind, Params},
    table::Table,
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "proactive.rule_makers",
        cases: &[("cells", &["agency", "cells", "values"])],
        params: &[],
        run: |_, input| rule_makers(input),
    },
    Check {
        name: "proactive.in_force",
        cases: &[("fewer", &["row", "issued", "repealed", "in_force", "at_least"])],
        params: &[],
        run: |_, input| in_force(input),
    },
    Check {
        name: "proactive.fee_unit",
        cases: &[
            ("impossible", &["cell", "actual", "expected"]),
            ("suspicious", &["cell", "actual", "expected"]),
        ],
        params: &[("never_above", Kind::Whole), ("county_whole_from", Kind::Whole)],
        run: fee_unit,
    },
    Check {
        name: "proactive.enforcement",
        cases: &[("zero", &["agency", "word"])],
        params: &[("bodies", Kind::List)],
        run: enforcement,
    },
    Check {
        name: "proactive.unit_in_cell",
        cases: &[("cells", &["cells", "quote"])],
        params: &[],
        run: |_, input| unit_in_cell(input),
    },
];

const FEES: &str = "proactive.fees.amount";

/// Finds 规章 of bodies that cannot make them. Only 国务院部门 and the governments of provinces and prefectures can
/// (立法法 arts. 91, 93). Their offices may report the government's own.
fn rule_makers(input: &Input<'_>) -> Vec<Draft> {
    let (Some(table), Some(level)) = (&input.table, input.level()) else { return Vec::new() };
    let may = match (level, input.kind()) {
        (Level::State, _) | (_, Some(AgencyKind::Vertical)) => true,
        (Level::Province | Level::Prefecture, kind) => {
            kind.is_none_or(|kind| matches!(kind, AgencyKind::Government | AgencyKind::Office))
        }
        (Level::County | Level::Town, _) => false,
    };
    let is_rule =
        |cell: &usize| table.layout.cells[*cell].id.concept.as_str().starts_with("proactive.regulations.");
    let above_zero = |cell: &usize| table.value(*cell).is_some_and(|value| value > Decimal::ZERO);
    let cells: Vec<usize> = table.chapter(2).filter(is_rule).filter(above_zero).collect();
    if may || cells.is_empty() {
        return Vec::new();
    }
    let position = |cell: &usize| table.layout.cells[*cell].position.clone();
    let values: Vec<String> = cells.iter().filter_map(|cell| table.value(*cell)).map(decimal).collect();
    vec![Draft {
        concept: Some(table.id(cells[0]).concept),
        actual: Some(values.join("，")),
        expected: Some("0".to_owned()),
        values: vec![
            Value::same("agency", &input.report.agency),
            Value::same("cells", cells.iter().map(position).collect::<Vec<_>>().join("、")),
            Value::same("values", values.join("、")),
        ],
        facts: table.ids(cells),
        ..Draft::new("cells", Key::Operands)
    }]
}

/// Checks that documents issued this year and not repealed are counted as in force.
fn in_force(input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let rows = [("regulations", "规章"), ("normative_documents", "行政规范性文件")];
    rows.into_iter().filter_map(|(row, name)| in_force_of(table, row, name)).collect()
}

fn in_force_of(table: &Table<'_>, row: &str, name: &str) -> Option<Draft> {
    let cell = |column: &str| table.layout.number(&format!("proactive.{row}.{column}"));
    let (issued, repealed, valid) = (cell("issued")?, cell("repealed")?, cell("in_force")?);
    let (made, gone, left) = (table.value(issued)?, table.value(repealed)?, table.value(valid)?);
    // The repealed documents may be from this year, and a revision counts as both.
    let at_least = made.checked_sub(gone)?.max(Decimal::ZERO);
    (left < at_least).then(|| Draft {
        concept: Some(table.id(valid).concept),
        cause: Some(table.id(valid)),
        expected: Some(decimal(at_least)),
        actual: Some(decimal(left)),
        facts: table.ids([issued, repealed, valid]),
        values: vec![
            Value::new("row", name, row),
            Value::same("issued", decimal(made)),
            Value::same("repealed", decimal(gone)),
            Value::same("in_force", decimal(left)),
            Value::same("at_least", decimal(at_least)),
        ],
        ..Draft::new("fewer", Key::Operands)
    })
}

/// Finds an amount in 元 in a cell of 万元.
fn fee_unit(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let Some(cell) = table.layout.number(FEES) else { return Vec::new() };
    let Some(amount) = table.value(cell) else { return Vec::new() };
    let is_low = match input.level() {
        Some(Level::Town) => true,
        Some(Level::County) => input.kind() != Some(AgencyKind::Government),
        _ => false,
    };
    let case = if amount >= params.decimal("never_above") {
        "impossible"
    } else if is_low && amount.fract().is_zero() && amount >= params.decimal("county_whole_from") {
        "suspicious"
    } else {
        return Vec::new();
    };
    let expected = amount.checked_div(Decimal::from(10_000)).unwrap_or(amount);
    vec![Draft {
        concept: Some(table.id(cell).concept),
        cause: Some(table.id(cell)),
        expected: Some(decimal(expected)),
        actual: Some(decimal(amount)),
        facts: vec![table.id(cell)],
        values: vec![
            Value::new("cell", &table.layout.cells[cell].position, FEES),
            Value::same("actual", decimal(amount)),
            Value::same("expected", decimal(expected)),
        ],
        ..Draft::new(case, Key::Operands)
    }]
}

/// Finds a body whose name implies administrative decisions but which reports none.
fn enforcement(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let Some(words) = params.words("bodies") else { return Vec::new() };
    let Some(word) = words.all(&input.report.agency).next() else { return Vec::new() };
    let names = ["licensing", "punishment", "coercion"];
    let cells: Vec<usize> =
        names.iter().filter_map(|name| table.layout.number(&format!("proactive.{name}.decisions"))).collect();
    let is_zero = |cell: &usize| table.value(*cell).is_some_and(|value| value.is_zero());
    if cells.len() < names.len() || !cells.iter().all(is_zero) {
        return Vec::new();
    }
    vec![Draft {
        concept: Some(table.id(cells[0]).concept),
        facts: table.ids(cells),
        values: vec![Value::same("agency", &input.report.agency), Value::same("word", word.as_str())],
        ..Draft::new("zero", Key::Operands)
    }]
}

/// Finds units in value cells. Units belong in the header.
fn unit_in_cell(input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let has_unit = |text: &str| text.contains(['元', '件', '万', '条']);
    let facts = input.report.facts.iter().filter(|fact| fact.state.value().is_some());
    let named: Vec<(usize, &str)> = facts
        .filter_map(|fact| {
            let text = fact.source.as_ref().map(|source| source.text.trim())?;
            has_unit(text).then_some(())?;
            Some((table.layout.number(&fact.id.to_string())?, text))
        })
        .collect();
    let Some((first, text)) = named.first() else { return Vec::new() };
    let positions: Vec<&str> =
        named.iter().map(|(cell, _)| table.layout.cells[*cell].position.as_str()).collect();
    vec![Draft {
        concept: Some(table.id(*first).concept),
        facts: table.ids(named.iter().map(|(cell, _)| *cell)),
        values: vec![Value::same("cells", positions.join("、")), Value::same("quote", *text)],
        ..Draft::new("cells", Key::Operands)
    }]
}
