//! `prose.fees`: the statements of the text about 信息处理费 (办法 国办函〔2020〕109号): whether it mentions the fee,
//! whether its statements agree, and which unit it uses.

use rust_decimal::Decimal;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    prose::{passage::Passage, vocabulary::FEES},
    static_regex::StaticRegex,
};

const CASES: Cases = &[
    ("missing", &[]),
    ("contradiction", &["chapter", "quote", "actual"]),
    ("table", &["chapter", "quote", "expected"]),
    ("unit", &["chapter", "quote", "actual"]),
    ("notices", &["chapter", "quote", "actual"]),
];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.fees", CASES, run).with(&[("never_above_yuan", ParamKind::Whole)])];

static NONE: StaticRegex = StaticRegex::new(
    "(?:未|没有|无|不)(?:收取|产生|发生|收过|征收|涉及|存在)[^。;]{0,18}?(?:处理费|收费|费用)",
);

/// An amount, and whether it is in 万元. A `/` after it marks a price.
static AMOUNT: StaticRegex = StaticRegex::new(r"(\d[\d,]*(?:\.\d+)?)(万?)元([/每]?)");

/// Words right before an amount that was collected.
static COLLECTED: StaticRegex = StaticRegex::new("(?:收取|实收|收费|收缴)(?:了|到)?[^。;,:每/]{0,14}$");

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let chapters = |passage: &&Passage<'_>| matches!(passage.chapter(), 1 | 6);
    let passages: Vec<&Passage<'_>> = input.prose.passages().iter().filter(chapters).collect();
    let about: Vec<&Passage<'_>> = passages.iter().copied().filter(|p| FEES.fee.any(p.text())).collect();
    if about.is_empty() {
        // An empty or missing chapter is reported by another rule.
        let stands = passages.iter().any(|passage| passage.chapter() == 6 && !passage.text().is_empty());
        return stands.then(|| Draft::of_part("missing", "chapter-6")).into_iter().collect();
    }
    let mut drafts: Vec<Draft> = Vec::new();
    drafts.extend(unit(&about, params.decimal("never_above_yuan")));
    drafts.extend(contradiction(&about));
    drafts.extend(table(input, &about));
    if drafts.is_empty() {
        drafts.extend(notices(&about));
    }
    drafts
}

/// An amount of the fee in 元, and its position.
struct Amount<'p, 'r> {
    passage: &'p Passage<'r>,
    range: std::ops::Range<usize>,
    yuan: Decimal,
    text: String,
}

/// Returns the amounts that the text gives as collected.
fn amounts<'p, 'r>(about: &[&'p Passage<'r>]) -> Vec<Amount<'p, 'r>> {
    let mut found = Vec::new();
    for passage in about {
        let text = passage.text();
        for captures in AMOUNT.captures_iter(text) {
            let (Some(whole), Some(number)) = (captures.get(0), captures.get(1)) else { continue };
            let sentence = sentence(text, whole.start());
            let is_price = captures.get(3).is_some_and(|price| !price.is_empty());
            let is_fee = passage.chapter() == 6 || sentence.contains("处理费");
            let Ok(value) = number.as_str().replace(',', "").parse::<Decimal>() else { continue };
            let factor = if captures.get(2).is_some_and(|unit| !unit.is_empty()) { 10_000 } else { 1 };
            let Some(yuan) = value.checked_mul(Decimal::from(factor)) else { continue };
            let is_collected = COLLECTED.is_match(&text[..whole.start()]);
            if !is_price && is_fee && (is_collected || !FEES.tariff.any(sentence)) {
                let text = whole.as_str().to_owned();
                found.push(Amount { passage, range: whole.range(), yuan, text });
            }
        }
    }
    found
}

/// Returns the sentence around a byte position.
fn sentence(text: &str, at: usize) -> &str {
    let start = text[..at]
        .rfind(['。', ';'])
        .map_or(0, |dot| dot + text[dot..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(['。', ';']).map_or(text.len(), |dot| at + dot);
    &text[start..end]
}

fn unit(about: &[&Passage<'_>], most: Decimal) -> Option<Draft> {
    let amount = amounts(about).into_iter().find(|amount| amount.yuan >= most)?;
    let draft = Draft::of_bytes("unit", amount.passage, amount.range).with("actual", amount.text);
    Some(Draft { actual: Some(decimal(amount.yuan)), ..draft })
}

/// Finds a text that states both that nothing was collected and that an amount was.
fn contradiction(about: &[&Passage<'_>]) -> Option<Draft> {
    let (passage, none) = about.iter().find_map(|passage| Some((*passage, NONE.find(passage.text())?)))?;
    // 未发生违规收取处理费 denies a violation, not the fee.
    if FEES.breaches.any(none.as_str()) {
        return None;
    }
    let amount = amounts(about).into_iter().find(|amount| amount.yuan > Decimal::ZERO)?;
    let range = if std::ptr::eq(passage, amount.passage) && amount.range.start >= none.start() {
        none.start()..amount.range.end
    } else {
        none.range()
    };
    let draft = Draft::of_bytes("contradiction", passage, range).with("actual", amount.text);
    Some(Draft { actual: Some(decimal(amount.yuan)), expected: Some("0".to_owned()), ..draft })
}

/// The number of requests that were charged.
static COUNTED: StaticRegex = StaticRegex::new(r"\d+(?:件|份|宗|起|例)");

/// Finds an amount collected without the number of notices or requests that it is for.
fn notices(about: &[&Passage<'_>]) -> Option<Draft> {
    let counts_notices = |passage: &&Passage<'_>| passage.text().contains("通知");
    let denies = |passage: &&Passage<'_>| NONE.is_match(passage.text());
    if about.iter().any(counts_notices) || about.iter().any(denies) {
        return None;
    }
    let is_of_requests = |amount: &Amount<'_, '_>| {
        let sentence = sentence(amount.passage.text(), amount.range.start);
        amount.yuan > Decimal::ZERO && sentence.contains("处理费") && !COUNTED.is_match(sentence)
    };
    let amount = amounts(about).into_iter().find(is_of_requests)?;
    let draft = Draft::of_bytes("notices", amount.passage, amount.range).with("actual", amount.text);
    Some(Draft { actual: Some(decimal(amount.yuan)), ..draft })
}

/// Finds a text that denies any 行政事业性收费 while chapter 二 has an amount.
fn table(input: &Input<'_>, about: &[&Passage<'_>]) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let cell = table.layout.number("proactive.fees.amount")?;
    let amount = table.value(cell).filter(|amount| *amount > Decimal::ZERO)?;
    about.iter().find_map(|passage| {
        let denied = NONE_OF_TABLE.find(passage.text())?;
        let draft = Draft::of_cells("table", vec![table.id(cell)])
            .quoting(passage.chapter(), passage.quote_bytes(denied.range()))
            .expected(decimal(amount));
        Some(Draft { actual: Some("0".to_owned()), ..draft })
    })
}

static NONE_OF_TABLE: StaticRegex =
    StaticRegex::new("(?:未|没有|无)(?:收取|产生|发生|征收|涉及)?[^。;,]{0,8}(?:行政)?事业性收费");
