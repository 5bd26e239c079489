//! Statements of the prose about 行政许可, 行政处罚, 行政强制 and 行政事业性收费, compared with chapter 二.
//!
//! Chapter 二 counts every decision, published or not. A number of published decisions is not compared.

use rust_decimal::Decimal;

use crate::{
    draft::{Draft, decimal},
    input::Input,
    prose::{
        claim::{has_foreign_scope, speaks_of_another_year},
        passage::Passage,
    },
    static_regex::StaticRegex,
};

/// The rows of decisions by their words.
const ROWS: [(&str, &str); 3] =
    [("行政许可", "licensing"), ("行政处罚", "punishment"), ("行政强制", "coercion")];

static DECISIONS: StaticRegex = StaticRegex::new(
    r"(作出|做出|办理|办结|实施|下达|处理)(?:了)?(?:各类)?(行政许可|行政处罚|行政强制)((?:决定书?|事项|案件|措施|处理决定)*)(?:共计|共|总计|累计|合计)?(\d[\d,]*)(?:件|项|起|宗|例|次)",
);

static FEES: StaticRegex = StaticRegex::new(
    r"(?:收取|征收|收缴|实收)(?:各类)?行政事业性收费(?:项目)?(?:共计|共|总计|合计|金额|为)*(\d[\d,]*(?:\.\d+)?)(亿|万)?元",
);

/// Returns the statements of a passage that differ from chapter 二.
pub(super) fn decisions(input: &Input<'_>, passage: &Passage<'_>) -> Vec<Draft> {
    let text = passage.text();
    if !(text.contains("行政许可")
        || text.contains("行政处罚")
        || text.contains("行政强制")
        || text.contains("事业性收费"))
    {
        return Vec::new();
    }
    let of_rows = DECISIONS.captures_iter(text).filter_map(|found| decision(input, passage, &found));
    of_rows.chain(FEES.captures_iter(text).filter_map(|found| fees(input, passage, &found))).collect()
}

fn decision(input: &Input<'_>, passage: &Passage<'_>, found: &regex::Captures<'_>) -> Option<Draft> {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let (name, row) = ROWS.iter().find(|(name, _)| *name == part(2))?;
    let stated: Decimal = part(4).replace(',', "").parse().ok()?;
    let is_sure = part(1).ends_with('出') && part(3).starts_with("决定");
    let case = if is_sure { "differs" } else { "unsure" };
    let cell = format!("proactive.{row}.decisions");
    draft(
        input,
        passage,
        found.get(0)?.range(),
        case,
        (&cell, name, "本年处理决定数量", "decisions"),
        |printed| (printed != stated).then_some(stated),
    )
}

fn fees(input: &Input<'_>, passage: &Passage<'_>, found: &regex::Captures<'_>) -> Option<Draft> {
    let number = found.get(1)?.as_str().replace(',', "");
    let unit = found.get(2).map_or("", |unit| unit.as_str());
    let (times, by) = match unit {
        "亿" => (10_000, 1),
        "万" => (1, 1),
        _ => (1, 10_000),
    };
    let value: Decimal = number.parse().ok()?;
    let stated = value.checked_mul(Decimal::from(times))?.checked_div(Decimal::from(by))?;
    // The text may round: half a unit of its last digit is no difference.
    let last = Decimal::new(5, value.scale() + 1)
        .checked_mul(Decimal::from(times))?
        .checked_div(Decimal::from(by))?;
    let row = ("proactive.fees.amount", "行政事业性收费", "本年收费金额", "amount");
    draft(input, passage, found.get(0)?.range(), "differs", row, |printed| {
        ((printed - stated).abs() > last).then_some(stated)
    })
}

fn draft(
    input: &Input<'_>,
    passage: &Passage<'_>,
    bytes: std::ops::Range<usize>,
    case: &'static str,
    (cell, row, column, column_en): (&str, &str, &str, &str),
    differs: impl Fn(Decimal) -> Option<Decimal>,
) -> Option<Draft> {
    let table = input.table.as_ref()?;
    let cell = table.layout.number(cell)?;
    let printed = table.value(cell)?;
    let stated = differs(printed)?;
    let before = passage.text()[..bytes.start].rsplit('。').next().unwrap_or_default();
    let is_part =
        ["其中", "公开", "公示", "比上年", "较上年", "累计"].iter().any(|word| before.contains(word));
    if is_part
        || has_foreign_scope(&input.report.agency, before)
        || speaks_of_another_year(input.report.year, before)
    {
        return None;
    }
    let draft = Draft::of_cells(case, vec![table.id(cell)])
        .quoting(passage.chapter(), passage.quote_bytes(bytes))
        .actual(decimal(stated))
        .expected(decimal(printed))
        .with("row", row)
        .with_both("column", column, column_en);
    Some(draft)
}
