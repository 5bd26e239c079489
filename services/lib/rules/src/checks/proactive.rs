//! `proactive.*`: chapter 二 on its own: which bodies make rules, which documents are still in force, and which
//! amounts are not in 万元.

use rust_decimal::Decimal;

use gongkai_model::{AgencyKind, Level};

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    table::Table,
};

const IN_FORCE: Cases = &[("fewer", &["row", "issued", "repealed", "in_force", "at_least"])];
const FEE_UNIT: &[&str] = &["cell", "actual", "expected"];

pub(crate) const CHECKS: &[Check] = &[
    Check::one("proactive.rule_makers", &[("cells", &["agency", "cells", "values"])], rule_makers),
    Check::many("proactive.in_force", IN_FORCE, in_force),
    Check::one("proactive.fee_unit", &[("impossible", FEE_UNIT), ("suspicious", FEE_UNIT)], fee_unit)
        .with(&[("never_above", ParamKind::Whole), ("county_whole_from", ParamKind::Whole)]),
    Check::one("proactive.enforcement", &[("zero", &["agency", "word"])], enforcement)
        .with(&[("bodies", ParamKind::List)]),
    Check::one("proactive.unit_in_cell", &[("cells", &["cells", "quote"])], unit_in_cell),
];

const FEES: &str = "proactive.fees.amount";

/// Finds 规章 of bodies that cannot make them. Only 国务院部门 and the governments of provinces and prefectures can
/// (立法法 arts. 91, 93). Their offices may report the government's own.
fn rule_makers(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let (table, level) = (input.table.as_ref()?, input.level()?);
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
        return None;
    }
    let position = |cell: &usize| table.layout.cells[*cell].position.clone();
    let values: Vec<String> = cells.iter().filter_map(|cell| table.value(*cell)).map(decimal).collect();
    let positions: Vec<String> = cells.iter().map(position).collect();
    let draft = Draft::of_cells("cells", table.ids(cells))
        .with("agency", &input.report.agency)
        .with("cells", positions.join("、"))
        .with("values", values.join("、"));
    Some(Draft { actual: Some(values.join("，")), expected: Some("0".to_owned()), ..draft })
}

/// Checks that documents issued this year and not repealed are counted as in force.
fn in_force(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let rows = [("regulations", "规章"), ("normative_documents", "行政规范性文件")];
    rows.into_iter().filter_map(|(row, name)| in_force_of(table, row, name)).collect()
}

fn in_force_of(table: &Table<'_>, row: &str, name: &str) -> Option<Draft> {
    let cell = |column: &str| table.layout.number(&format!("proactive.{row}.{column}"));
    let (issued, repealed, valid) = (cell("issued")?, cell("repealed")?, cell("in_force")?);
    let (made, gone, left) = (table.value(issued)?, table.value(repealed)?, table.value(valid)?);
    // Some of the repealed documents may have been issued this year. A revision counts as issued and as repealed.
    let at_least = made.checked_sub(gone)?.max(Decimal::ZERO);
    let draft = Draft::of_cells("fewer", table.ids([issued, repealed, valid]))
        .with_both("row", name, row)
        .with("issued", decimal(made))
        .with("repealed", decimal(gone))
        .with("in_force", decimal(left))
        .with("at_least", decimal(at_least));
    (left < at_least).then(|| Draft {
        concept: Some(table.id(valid).concept),
        cause: Some(table.id(valid)),
        expected: Some(decimal(at_least)),
        actual: Some(decimal(left)),
        ..draft
    })
}

/// Finds an amount in 元 in a cell of 万元.
fn fee_unit(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let cell = table.layout.number(FEES)?;
    let amount = table.value(cell)?;
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
        return None;
    };
    let expected = amount.checked_div(Decimal::from(10_000)).unwrap_or(amount);
    let draft = Draft::of_cells(case, vec![table.id(cell)])
        .with_both("cell", &table.layout.cells[cell].position, FEES)
        .actual(decimal(amount))
        .expected(decimal(expected));
    Some(Draft { cause: Some(table.id(cell)), ..draft })
}

/// Finds a body whose name implies administrative decisions but which reports none.
fn enforcement(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let word = params.words("bodies")?.all(&input.report.agency).next()?;
    let names = ["licensing", "punishment", "coercion"];
    let cells: Vec<usize> =
        names.iter().filter_map(|name| table.layout.number(&format!("proactive.{name}.decisions"))).collect();
    let is_zero = |cell: &usize| table.value(*cell).is_some_and(|value| value.is_zero());
    let is_idle = cells.len() == names.len() && cells.iter().all(is_zero);
    let draft = Draft::of_cells("zero", table.ids(cells));
    is_idle.then(|| draft.with("agency", &input.report.agency).with("word", word.as_str()))
}

/// Returns a cell's text without remarks in brackets, such as 2（其中修订1件）.
fn without_remark(text: &str) -> &str {
    text.split(['（', '(', '[', '【']).next().unwrap_or(text)
}

/// Finds units in value cells. Units belong in the header.
fn unit_in_cell(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let has_unit = |text: &str| without_remark(text).contains(['元', '件', '万', '条']);
    let facts = input.report.facts.iter().filter(|fact| fact.state.value().is_some());
    let named: Vec<(usize, &str)> = facts
        .filter_map(|fact| {
            let text = fact.source.as_ref().map(|source| source.text.trim())?;
            has_unit(text).then_some(())?;
            Some((table.layout.number(&fact.id.to_string())?, text))
        })
        .collect();
    let (_, text) = named.first()?;
    let positions: Vec<&str> =
        named.iter().map(|(cell, _)| table.layout.cells[*cell].position.as_str()).collect();
    let draft = Draft::of_cells("cells", table.ids(named.iter().map(|(cell, _)| *cell)));
    Some(draft.with("cells", positions.join("、")).with("quote", *text))
}
