//! `prose.requests`: compares the statements of the prose about requests with chapter 三.
//!
//! A number of the table counts if it is printed. If a total is blank, the row's printed cells give its minimum,
//! because its blank cells may have any number. A claim is wrong only if no reading of its verb and no value of the
//! blank cells makes it right.

use rust_decimal::Decimal;

use gongkai_forms::RowKind;
use gongkai_model::State;

use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    layout::LayoutRow,
    params::Params,
    prose::{claim::Claim, passage::Passage, quantity::Quantity},
    table::Table,
};

const WORDS: &[&str] = &["chapter", "quote", "actual", "rows", "expected"];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.requests", &[("differs", WORDS), ("unsure", WORDS)], requests)];

fn requests(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let mut drafts = Vec::new();
    for (passage, claims) in input.prose.claims() {
        for claim in disputed(table, claims) {
            drafts.extend(draft(input, table, passage, claim));
        }
    }
    drafts
}

/// Returns the claims that no reading of the table supports.
///
/// If a passage states one quantity twice, one right number is enough: the other is a part or belongs to another
/// body. A wrong number whose scope is not the report's is only questionable, and it ends the examination, because
/// the rest of the passage has that scope.
fn disputed<'c>(table: &Table<'_>, claims: &'c [Claim]) -> Vec<&'c Claim> {
    let holds = |claim: &Claim| agrees(table, claim, claims).unwrap_or(true);
    let mut found: Vec<&Claim> = Vec::new();
    for claim in claims {
        if holds(claim) {
            continue;
        }
        if claim.foreign_scope {
            found.push(claim);
            break;
        }
        if !claims.iter().any(|other| other.quantity == claim.quantity && holds(other)) {
            found.push(claim);
        }
    }
    found
}

/// The sum of the totals of some rows, as far as they are printed.
#[derive(Debug, Clone)]
struct PrintedSum {
    /// The minimum of the sum.
    low: Decimal,
    /// True if none of the cells is blank.
    exact: bool,
    /// The cells that the sum was read from.
    cells: Vec<usize>,
}

/// Returns whether some reading of a claim agrees with the table, or `None` if the table does not determine it.
fn agrees(table: &Table<'_>, claim: &Claim, claims: &[Claim]) -> Option<bool> {
    if claim.for_one_reason && agrees_with_reasons(table, claim, claims)? {
        return Some(true);
    }
    let mut any = false;
    for (plus, minus) in readings(claim, claims) {
        let (plus, minus) = (printed(table, &plus)?, printed(table, &minus)?);
        let low = plus.low.checked_sub(minus.low)?;
        any |=
            claim.value == low || (!plus.exact && claim.value > low) || (!minus.exact && claim.value < low);
    }
    Some(any)
}

/// Returns whether a result for one reason is the number of some row of its group, or all results of the group for one
/// reason add up to the group.
fn agrees_with_reasons(table: &Table<'_>, claim: &Claim, claims: &[Claim]) -> Option<bool> {
    let (group, _) = readings(claim, &[]).into_iter().next()?;
    let in_group = table.layout.rows.iter().filter(|row| group.iter().any(|rows| rows.holds(row)));
    let is_row = in_group.clone().any(|row| table.value(row.total) == Some(claim.value));
    let same = claims.iter().filter(|other| other.quantity == claim.quantity && other.for_one_reason);
    let sum = same.clone().try_fold(Decimal::ZERO, |sum, other| sum.checked_add(other.value))?;
    Some(is_row || (same.count() > 1 && printed(table, &group)?.low == sum))
}

/// Returns the sums of rows that a quantity may mean, each with the rows to subtract.
fn readings(claim: &Claim, claims: &[Claim]) -> Vec<(Vec<RequestRows>, Vec<RequestRows>)> {
    let in_hand = || (vec![RequestRows::Received, RequestRows::CarriedIn], Vec::new());
    let just = |rows| (vec![rows], Vec::new());
    match claim.quantity {
        Quantity::Received if is_beside_carried_in(claim, claims) => vec![just(RequestRows::Received)],
        Quantity::Received => vec![just(RequestRows::Received), in_hand()],
        Quantity::NewlyReceived => vec![just(RequestRows::Received)],
        Quantity::Handled => {
            vec![just(RequestRows::Total), (vec![RequestRows::Total], vec![RequestRows::CarriedIn])]
        }
        Quantity::Worked => {
            vec![
                just(RequestRows::Total),
                (vec![RequestRows::Total], vec![RequestRows::CarriedIn]),
                in_hand(),
                just(RequestRows::Received),
            ]
        }
        Quantity::CarriedIn => vec![just(RequestRows::CarriedIn)],
        Quantity::CarriedOut => vec![just(RequestRows::CarriedOut)],
        Quantity::Granted if claims.iter().any(|c| c.quantity == Quantity::PartiallyGranted) => {
            vec![just(RequestRows::Granted)]
        }
        Quantity::Granted => {
            vec![just(RequestRows::Granted), (vec![RequestRows::Granted, RequestRows::Partial], Vec::new())]
        }
        Quantity::PartiallyGranted => vec![just(RequestRows::Partial)],
        Quantity::GrantedOrPartially => vec![(vec![RequestRows::Granted, RequestRows::Partial], Vec::new())],
        Quantity::Refused => vec![just(RequestRows::Refused)],
        Quantity::Unavailable => vec![just(RequestRows::Unavailable)],
        Quantity::NotProcessed => vec![just(RequestRows::NotProcessed)],
        Quantity::Other => vec![just(RequestRows::Other)],
    }
}

/// Returns true if a number of requests received is followed by a separate one of requests carried in: 收到申请23件,
/// 上年结转2件. The number then counts this year's requests only.
fn is_beside_carried_in(received: &Claim, claims: &[Claim]) -> bool {
    let is_next = |claim: &&Claim| claim.quote.start >= received.quote.end;
    let next = claims.iter().filter(is_next).min_by_key(|claim| claim.quote.start);
    next.is_some_and(|next| next.quantity == Quantity::CarriedIn && next.is_separate)
}

/// A row of chapter 三, or a group of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestRows {
    Received,
    CarriedIn,
    Total,
    CarriedOut,
    Granted,
    Partial,
    Refused,
    Unavailable,
    NotProcessed,
    Other,
}

impl RequestRows {
    fn holds(self, row: &LayoutRow) -> bool {
        let concept = row.concept.as_str();
        let result = |name: &str| {
            let rest = concept.strip_prefix("requests.outcome.").and_then(|rest| rest.strip_prefix(name));
            row.kind == RowKind::Result && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match self {
            Self::Received => row.kind == RowKind::Received,
            Self::CarriedIn => row.kind == RowKind::CarriedIn,
            Self::Total => row.kind == RowKind::Total,
            Self::CarriedOut => row.kind == RowKind::CarriedOut,
            Self::Granted => result("granted"),
            Self::Partial => result("partially_granted"),
            Self::Refused => result("refused"),
            Self::Unavailable => result("unavailable"),
            Self::NotProcessed => result("not_processed"),
            Self::Other => result("other"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Received => "一、本年新收",
            Self::CarriedIn => "二、上年结转",
            Self::Total => "（七）总计",
            Self::CarriedOut => "四、结转下年度继续办理",
            Self::Granted => "（一）予以公开",
            Self::Partial => "（二）部分公开",
            Self::Refused => "（三）不予公开",
            Self::Unavailable => "（四）无法提供",
            Self::NotProcessed => "（五）不予处理",
            Self::Other => "（六）其他处理",
        }
    }

    fn name_en(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::CarriedIn => "carried in",
            Self::Total => "outcome total",
            Self::CarriedOut => "carried out",
            Self::Granted => "granted",
            Self::Partial => "partially granted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::NotProcessed => "not processed",
            Self::Other => "other",
        }
    }
}

/// Returns the sum of 总计 over some rows, or `None` if a required cell is missing or unreadable.
fn printed(table: &Table<'_>, rows: &[RequestRows]) -> Option<PrintedSum> {
    let mut sum = PrintedSum { low: Decimal::ZERO, exact: true, cells: Vec::new() };
    let wanted = table.layout.rows.iter().filter(|row| rows.iter().any(|rows| rows.holds(row)));
    for row in wanted {
        let total = row_total(table, row)?;
        sum.low = sum.low.checked_add(total.low)?;
        sum.exact &= total.exact;
        sum.cells.extend(total.cells);
    }
    Some(sum)
}

fn row_total(table: &Table<'_>, row: &LayoutRow) -> Option<PrintedSum> {
    match table.state(row.total) {
        State::Reported(low) => Some(PrintedSum { low, exact: true, cells: vec![row.total] }),
        State::Missing | State::Unreadable => None,
        State::Blank | State::NotApplicable => {
            let mut sum = PrintedSum { low: Decimal::ZERO, exact: true, cells: row.parts.clone() };
            for part in &row.parts {
                match table.state(*part) {
                    State::Reported(value) => sum.low = sum.low.checked_add(value)?,
                    State::Blank | State::NotApplicable => sum.exact = false,
                    State::Missing | State::Unreadable => return None,
                }
            }
            Some(sum)
        }
    }
}

fn draft(input: &Input<'_>, table: &Table<'_>, passage: &Passage<'_>, claim: &Claim) -> Option<Draft> {
    let (rows, _) = readings(claim, &[]).into_iter().next()?;
    // A claim that gives both results as one number is compared with the sum of both rows.
    let sum = printed(table, &rows)?;
    let names: Vec<String> = rows.iter().map(|rows| format!("「{}」", rows.name())).collect();
    let names_en: Vec<&str> = rows.iter().map(|rows| rows.name_en()).collect();
    let expected = decimal(sum.low);
    let (zh, en) = if sum.exact {
        (format!(" {expected} 件"), expected.clone())
    } else {
        (format!("合计不少于 {expected} 件（有空格未填）"), format!("at least {expected}"))
    };
    let cause = input.suspected(&sum.cells);
    let case = if claim.foreign_scope { "unsure" } else { "differs" };
    let draft = Draft::of_cells(case, table.ids(sum.cells))
        .quoting(passage.chapter(), passage.quote(claim.quote.clone()))
        .actual(decimal(claim.value))
        .with_both("rows", names.join("加"), names_en.join(" + "))
        .with_both("expected", zh, en);
    Some(Draft { cause: cause.map(|cell| table.id(cell)), expected: Some(expected), ..draft })
}
