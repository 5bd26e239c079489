//! `prose.disputes`: compares the statements of the prose about 行政复议 and 行政诉讼 with chapter 四.
//!
//! A number belongs to the block named last before it, and to the result named beside it. Other numbers are ignored:
//! work of the body as 复议机关, complaints by other people, and matters that are only filed under this heading.

use rust_decimal::Decimal;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::Params,
    prose::{
        claim::{has_foreign_scope, speaks_of_another_year},
        count::Count,
        passage::Passage,
        reading::PassageReading,
        vocabulary::DISPUTES,
    },
    static_regex::StaticRegex,
    table::Table,
};

const WORDS: &[&str] = &["chapter", "quote", "actual", "expected", "rows"];

const CASES: Cases = &[
    ("differs", WORDS),
    ("unsure", WORDS),
    ("none", &["chapter", "quote", "expected", "rows"]),
    ("upheld", &["chapter", "quote", "expected"]),
];

pub(crate) const CHECKS: &[Check] = &[Check::many("prose.disputes", CASES, disputes)];

/// The blocks of chapter 四 that a number may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DisputeBlocks {
    Review,
    Direct,
    AfterReview,
    Litigation,
    Both,
}

impl DisputeBlocks {
    fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Review => &["disputes.reconsideration"],
            Self::Direct => &["disputes.litigation_direct"],
            Self::AfterReview => &["disputes.litigation_after_reconsideration"],
            Self::Litigation => &["disputes.litigation_direct", "disputes.litigation_after_reconsideration"],
            Self::Both => &[
                "disputes.reconsideration",
                "disputes.litigation_direct",
                "disputes.litigation_after_reconsideration",
            ],
        }
    }

    /// Returns the names in Chinese and in English.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Review => ("行政复议", "review"),
            Self::Direct => ("未经复议直接起诉", "direct"),
            Self::AfterReview => ("复议后起诉", "afterreview"),
            Self::Litigation => ("行政诉讼", "litigation"),
            Self::Both => ("行政复议和行政诉讼", "both"),
        }
    }

    /// Returns the rows of a column in Chinese and in English.
    fn rows(self, column: &str) -> Option<(String, String)> {
        let (name, name_en) = self.names();
        let column_name = DISPUTES.columns.get(column)?;
        Some((format!("「{name}」「{column_name}」"), format!("{name_en} {column}")))
    }

    /// Returns the block that the words after a number name: `5件政府信息公开行政复议案件`.
    fn behind(tail: &str) -> Option<Self> {
        let words = tail.trim_start_matches('的').trim_start_matches("政府").trim_start_matches("信息公开");
        let words = words.trim_start_matches('类').trim_start_matches('的');
        Self::named(words).filter(|_| DISPUTES.behind.begins(words))
    }

    /// Returns the block that the words name last.
    fn named(words: &str) -> Option<Self> {
        let names = &DISPUTES.blocks;
        let (direct, after) = (names.direct.last(words), names.after_review.last(words));
        let (review, litigation) = (names.review.last(words), names.litigation.last(words));
        if after.is_some() && after.map(|at| at + "复议后起诉".len()) >= litigation {
            return Some(Self::AfterReview);
        }
        if direct.is_some() && direct >= review {
            return Some(Self::Direct);
        }
        match (review, litigation) {
            (Some(review), Some(litigation)) => {
                let (first, second) = (review.min(litigation), review.max(litigation));
                let between = &words[first..second];
                let joined = between.chars().count() <= 12 && DISPUTES.joins.any(between);
                if joined && !between.contains(|c: char| c.is_ascii_digit()) {
                    Some(Self::Both)
                } else if review > litigation {
                    Some(Self::Review)
                } else {
                    Some(Self::Litigation)
                }
            }
            (Some(_), None) => Some(Self::Review),
            (None, Some(_)) => Some(Self::Litigation),
            (None, None) => None,
        }
    }
}

fn disputes(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        let text = passage.text();
        if !matches!(passage.chapter(), 1 | 3 | 4) || !(text.contains("复议") || text.contains("诉讼")) {
            continue;
        }
        for count in passage.reading().counts.iter() {
            drafts.extend(claim(input, passage, count).and_then(|claim| claim.draft(input, table, passage)));
        }
        drafts.extend(none(input, table, passage));
        drafts.extend(upheld(table, passage));
    }
    drafts
}

/// A number about disputes.
struct DisputeClaim {
    blocks: DisputeBlocks,
    column: &'static str,
    value: Decimal,
    /// Range of characters in the passage.
    quote: std::ops::Range<usize>,
    is_sure: bool,
}

fn claim(input: &Input<'_>, passage: &Passage<'_>, count: &Count) -> Option<DisputeClaim> {
    if count.approximate || !DISPUTES.units.has(count.unit) {
        return None;
    }
    let reading = passage.reading();
    let head = reading.head(count, true);
    let sentence = reading.sentence(count.number.start);
    let so_far = reading.words(sentence.start..count.number.start);
    let named = DisputeBlocks::named(&so_far);
    let behind = if named.is_none() { DisputeBlocks::behind(&reading.tail(count)) } else { None };
    let blocks = named.or(behind)?;
    let named_at = so_far.rfind("复议").max(so_far.rfind("诉讼")).max(so_far.rfind("起诉"));
    let since = named_at.map_or("", |at| &so_far[at..]);
    // A block named before the sentence changes the subject no longer applies.
    if counts_every_kind(reading, count, &so_far)
        || DISPUTES.turns.any(since)
        || DISPUTES.other.any(&so_far)
        || speaks_of_another_year(input.report.year, &so_far)
    {
        return None;
    }
    let tail = reading.tail(count);
    let result = |words: &str| DISPUTES.results.iter().find(|(word, _)| words.contains(word));
    let named_in_head = behind.is_some() || head.words.contains("复议") || head.words.contains("诉");
    let column = match result(&head.words).or_else(|| result(&tail).filter(|_| !named_in_head)) {
        Some((_, column)) => column.as_str(),
        // A number that names neither the matter nor a result is the number of a part.
        None if !named_in_head => return None,
        None => "total",
    };
    let is_sure = !DISPUTES.unsure.any(&so_far) && !has_foreign_scope(&input.report.agency, &so_far);
    Some(DisputeClaim { blocks, column, value: count.value, quote: head.start..count.end, is_sure })
}

/// Returns true if a count is of cases about every matter: the sentence says so, or it goes on with those about
/// information as a part.
fn counts_every_kind(reading: &PassageReading, count: &Count, so_far: &str) -> bool {
    if reading.head(count, true).words.contains("信息公开") {
        return false;
    }
    let rest = reading.words(count.end..reading.sentence(count.number.start).end);
    let part = rest.split_once("其中").map_or("", |(_, part)| part);
    let names_part = part.contains("信息公开") && DISPUTES.case_words.any(part);
    let is_part = so_far.rsplit_once("其中").is_some_and(|(_, part)| part.contains("信息公开"));
    !is_part && (names_part || DISPUTES.every_kind.any(so_far))
}

impl DisputeClaim {
    fn draft(&self, input: &Input<'_>, table: &Table<'_>, passage: &Passage<'_>) -> Option<Draft> {
        let cells = cells(table, self.blocks, self.column)?;
        let expected = sum(table, &cells)?;
        if expected == self.value {
            return None;
        }
        let (rows, rows_en) = self.blocks.rows(self.column)?;
        let cause = input.suspected(&cells).map(|cell| table.id(cell));
        let draft = Draft::of_cells(if self.is_sure { "differs" } else { "unsure" }, table.ids(cells))
            .quoting(passage.chapter(), passage.quote(self.quote.clone()))
            .actual(decimal(self.value))
            .expected(decimal(expected))
            .with_both("rows", rows, rows_en);
        Some(Draft { cause, ..draft })
    }
}

fn cells(table: &Table<'_>, blocks: DisputeBlocks, column: &str) -> Option<Vec<usize>> {
    blocks.prefixes().iter().map(|prefix| table.layout.number(&format!("{prefix}.{column}"))).collect()
}

fn sum(table: &Table<'_>, cells: &[usize]) -> Option<Decimal> {
    cells.iter().try_fold(Decimal::ZERO, |sum, cell| sum.checked_add(table.value(*cell)?))
}

static NONE: StaticRegex = StaticRegex::new(
    "(?:未|没有|无)(?:因[^,。;]{0,24}?)?(?:发生|产生|收到|出现|引起|引发|涉及|存在|被|有)?[^,。;:经0-9]{0,20}?(?:行政复议|行政诉讼|复议|诉讼)[^,。;]{0,16}",
);

/// Compares a statement that there were no disputes (未发生行政复议) with chapter 四.
fn none(input: &Input<'_>, table: &Table<'_>, passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    let found = NONE.find(text)?;
    let words = found.as_str();
    let before = &text[..found.start()];
    let sentence = before.rsplit(['。', ';']).next().unwrap_or(before);
    if DISPUTES.decisions.any(sentence)
        || DISPUTES.lost.any(words)
        || has_foreign_scope(&input.report.agency, sentence)
        || speaks_of_another_year(input.report.year, sentence)
    {
        return None;
    }
    let blocks = match (words.contains("复议"), words.contains("诉讼")) {
        (true, true) => DisputeBlocks::Both,
        (true, false) => DisputeBlocks::Review,
        _ => DisputeBlocks::Litigation,
    };
    let cells = cells(table, blocks, "total")?;
    let expected = sum(table, &cells).filter(|sum| *sum > Decimal::ZERO)?;
    let (rows, rows_en) = blocks.rows("total")?;
    let draft = Draft::of_cells("none", table.ids(cells))
        .quoting(passage.chapter(), passage.quote_bytes(found.range()))
        .expected(decimal(expected))
        .with_both("rows", rows, rows_en);
    Some(Draft { actual: Some("0".to_owned()), ..draft })
}

static UPHELD: StaticRegex =
    StaticRegex::new("(?:复议|诉讼)[^。;]{0,24}(?:均|全部)(?:获|被|予以|为)?(?:结果)?维持");

/// Compares a statement that all decisions were upheld (均获维持) with the other results in chapter 四.
fn upheld(table: &Table<'_>, passage: &Passage<'_>) -> Option<Draft> {
    let found = passage.text().contains("维持").then(|| UPHELD.find(passage.text())).flatten()?;
    let blocks = DisputeBlocks::named(found.as_str()).unwrap_or(DisputeBlocks::Both);
    let blocks = match (found.as_str().contains("复议"), found.as_str().contains("诉讼")) {
        (true, true) => DisputeBlocks::Both,
        _ => blocks,
    };
    let mut others = Vec::new();
    for column in ["corrected", "other", "pending"] {
        others.extend(cells(table, blocks, column)?);
    }
    others.retain(|cell| table.value(*cell).is_some_and(|value| value > Decimal::ZERO));
    let expected = sum(table, &others).filter(|_| !others.is_empty())?;
    let draft = Draft::of_cells("upheld", table.ids(others));
    let draft = draft.quoting(passage.chapter(), passage.quote_bytes(found.range()));
    Some(draft.expected(decimal(expected)))
}
