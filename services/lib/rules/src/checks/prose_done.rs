//! `prose.done`: the text states that every request is closed, or that none was carried over, while chapter 三 has
//! some that were.

use rust_decimal::Decimal;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::Params,
    prose::{
        claim::{has_foreign_scope, speaks_of_another_year},
        passage::Passage,
    },
    static_regex::StaticRegex,
};

const WORDS: &[&str] = &["chapter", "quote", "expected", "rows"];
const CASES: Cases = &[("done", WORDS), ("none", WORDS)];

pub(crate) const CHECKS: &[Check] = &[Check::many("prose.done", CASES, run)];

/// Every request is closed.
static DONE: StaticRegex = StaticRegex::new(
    "(?:均|全部|都|皆)已?(?:按期|按时|依法|及时|如期|在?(?:法定|规定)?(?:期限|时限)内?)*(?:全部)?(?:办结|办理完毕|办理完结)(?:完毕)?",
);

/// No request was carried over.
static NONE: StaticRegex = StaticRegex::new(
    "(?:无|没有|未有|不存在|未发生)(?:上年度?|上一年度?|往年|下年度?|下一年度?|跨年度?)?(?:未办结|需)?(?:的)?(?:申请)?(?:结转|顺延)(?:至?(?:下年度?|下一年度?|上年度?))?",
);

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let passages = input.prose.passages().iter().filter(|passage| matches!(passage.chapter(), 1 | 3));
    let drafts = passages.filter_map(|passage| done(input, passage).or_else(|| none(input, passage)));
    drafts.collect()
}

/// A row of chapter 三 with requests that were carried over, in Chinese and English.
type Row = (&'static str, &'static str, &'static str);
const CARRIED_IN: Row = ("requests.carried_in[total]", "「二、上年结转」", "carried in");
const CARRIED_OUT: Row = ("requests.carried_out[total]", "「四、结转下年度继续办理」", "carried out");

fn done(input: &Input<'_>, passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    let found = DONE.find(text)?;
    let is_explained = ["结转", "顺延", "未到期", "答复期限", "尚在办理", "正在办理", "在办"]
        .iter()
        .any(|word| text.contains(word));
    let sentence = sentence(text, found.start());
    let is_of_requests =
        ["信息公开申请", "依申请", "公开申请", "申请公开"].iter().any(|word| sentence.contains(word));
    let is_other = ["复议", "诉讼", "建议", "提案", "热线", "留言", "信访", "投诉"]
        .iter()
        .any(|word| sentence.contains(word));
    if is_explained || !is_of_requests || is_other || is_of_another(input, sentence) {
        return None;
    }
    draft("done", input, passage, found.range(), CARRIED_OUT)
}

fn none(input: &Input<'_>, passage: &Passage<'_>) -> Option<Draft> {
    let found = NONE.find(passage.text())?;
    if is_of_another(input, sentence(passage.text(), found.start())) {
        return None;
    }
    let rows: &[Row] = match found.as_str() {
        words if words.contains('上') || words.contains("往年") => &[CARRIED_IN],
        words if words.contains('下') => &[CARRIED_OUT],
        _ => &[CARRIED_OUT, CARRIED_IN],
    };
    rows.iter().find_map(|row| draft("none", input, passage, found.range(), *row))
}

/// Returns the words of a sentence up to a byte.
fn sentence(text: &str, at: usize) -> &str {
    text[..at].rsplit('。').next().unwrap_or_default()
}

fn is_of_another(input: &Input<'_>, sentence: &str) -> bool {
    has_foreign_scope(&input.report.agency, sentence) || speaks_of_another_year(input.report.year, sentence)
}

fn draft(
    case: &'static str,
    input: &Input<'_>,
    passage: &Passage<'_>,
    bytes: std::ops::Range<usize>,
    (cell, name, name_en): Row,
) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let cell = table.layout.number(cell)?;
    let value = table.value(cell).filter(|value| *value > Decimal::ZERO)?;
    let draft = Draft::of_cells(case, vec![table.id(cell)])
        .quoting(passage.chapter(), passage.quote_bytes(bytes))
        .expected(decimal(value))
        .with_both("rows", name, name_en);
    Some(Draft { actual: Some("0".to_owned()), ..draft })
}
