//! `prose.none`: the text states that no request was received, while chapter 三 has some.

use rust_decimal::Decimal;

use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    params::Params,
    prose::{
        claim::{has_foreign_scope, speaks_of_another_year},
        vocabulary::REQUESTS,
    },
    static_regex::StaticRegex,
};

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.none", &[("received", &["chapter", "quote", "expected"])], none)];

static NONE: StaticRegex = StaticRegex::new(
    "(?:未|没有)(?:收到|接到|受理|接收|收悉|新收|办理)[^。;,、:上转]{0,14}?(?:依申请公开|信息公开申请|公开申请|申请公开|信息公开的申请)([^。;,]*)",
);

fn none(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let Some(cell) = table.layout.number("requests.received[total]") else { return Vec::new() };
    let Some(received) = table.value(cell).filter(|value| *value > Decimal::ZERO) else { return Vec::new() };
    let mut drafts = Vec::new();
    let passages = input.prose.passages().iter().filter(|passage| matches!(passage.chapter(), 1 | 3));
    for passage in passages {
        let text = passage.text();
        let Some(captures) = NONE.captures(text) else { continue };
        let Some(whole) = captures.get(0) else { continue };
        let tail = captures.get(1).map_or("", |tail| tail.as_str());
        let before = &text[..whole.start()];
        let sentence = before.rsplit('。').next().unwrap_or(before);
        // The words refer to results of requests, not to their number.
        if REQUESTS.not_of_none.any(tail)
            || has_foreign_scope(&input.report.agency, sentence)
            || speaks_of_another_year(input.report.year, sentence)
        {
            continue;
        }
        let end = captures.get(1).map_or(whole.end(), |tail| tail.start());
        let draft = Draft::of_cells("received", vec![table.id(cell)])
            .quoting(passage.chapter(), passage.quote_bytes(whole.start()..end))
            .expected(decimal(received));
        let cause = input.suspected(&[cell]).map(|cell| table.id(cell));
        drafts.push(Draft { cause, actual: Some("0".to_owned()), ..draft });
    }
    drafts
}
