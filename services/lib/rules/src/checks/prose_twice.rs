//! `prose.twice`: one quantity that the prose states twice, with different numbers.
//!
//! Two counts are of one quantity if the words before them are the same without those for the time, the owner and the
//! whole. Parts of a list and numbers of other years are not compared.

use std::collections::BTreeMap;

use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    params::Params,
    prose::{claim::speaks_of_another_year, count::Count, passage::Passage},
    static_regex::StaticRegex,
};

pub(crate) const CHECKS: &[Check] = &[Check::many(
    "prose.twice",
    &[("differs", &["chapter", "quote", "first", "actual", "expected"])],
    twice,
)];

/// Units of what is stated as one number for the whole year.
const UNITS: [&str; 6] = ["条", "件", "篇", "次", "场", "期"];

/// Words that leave the quantity the same: times, owners, words for the whole, channels.
static NEUTRAL: StaticRegex = StaticRegex::new(
    "20[0-9]{2}年度?|全年度?|本年度?|年内|今年|当年|截至|12月31日|[我本该](?:机关|单位|街道|中心|局|委|办|厅|县|市|区|镇|乡|院)|共计|总计|累计|合计|总共|共|已|各类|各种|(?:通过|利用|依托|在)[^,;。]{0,24}?(?:门户网站?|网站|平台|专栏|公众号|等渠道|等载体|等方式|等途径)(?:共|累计)?|(?:政府信息)?(?:总数|总量|数量)?(?:达到|达|为|约|了)$",
);

/// Words for publishing information, which are one quantity.
static PUBLISHED: StaticRegex = StaticRegex::new(
    "^(?:向社会|对外|依法|及时|全面|主动)*(?:主动公开|公开|公开发布|主动公开发布|发布)(?:的)?(?:政府|政务)?信息(?:共|总数|总量|数量|数)*$",
);

/// A count with its quantity.
struct StatedCount<'p, 'r> {
    passage: &'p Passage<'r>,
    count: &'p Count,
    start: usize,
}

fn twice(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut stated: BTreeMap<(String, &str), Vec<StatedCount<'_, '_>>> = BTreeMap::new();
    for passage in input.prose.passages().iter().filter(|passage| matches!(passage.chapter(), 1 | 2 | 5 | 6))
    {
        for count in passage.reading().counts.iter().filter(|count| UNITS.contains(&count.unit)) {
            if let Some((quantity, start)) = quantity(input, passage, count) {
                stated.entry((quantity, count.unit)).or_default().push(StatedCount { passage, count, start });
            }
        }
    }
    stated.values().filter_map(|same| draft(same)).collect()
}

/// Returns the quantity that a count states for the whole year, and where its words begin.
fn quantity(input: &Input<'_>, passage: &Passage<'_>, count: &Count) -> Option<(String, usize)> {
    let reading = passage.reading();
    if count.approximate || reading.depth(count) > 0 {
        return None;
    }
    let head = reading.head(count, false);
    let sentence = reading.sentence(count.number.start);
    let so_far = reading.words(sentence.start..count.number.start);
    let is_part = ["其中", "包括", "上半年", "季度", "每月", "月份"].iter().any(|word| so_far.contains(word));
    let own_year = format!("{}年", input.report.year);
    let names_year =
        so_far.split(&own_year).skip(1).any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_whole = names_year
        || ["全年", "本年", "年共", "年度", "累计", "共计", "总计", "年,"]
            .iter()
            .any(|word| so_far.contains(word));
    if is_part || !is_whole || speaks_of_another_year(input.report.year, &so_far) {
        return None;
    }
    let bare = NEUTRAL.replace_all(&head.words, "").into_owned();
    let is_published = PUBLISHED.is_match(&bare);
    let quantity = if is_published { "主动公开政府信息".to_owned() } else { bare };
    (quantity.chars().count() >= 4).then_some((quantity, head.start))
}

/// Compares the first statement of a quantity with the first in another passage that differs.
fn draft(same: &[StatedCount<'_, '_>]) -> Option<Draft> {
    let (first, rest) = same.split_first()?;
    let differs = |other: &&StatedCount<'_, '_>| {
        other.count.value != first.count.value && !std::ptr::eq(other.passage, first.passage)
    };
    let other = rest.iter().find(differs)?;
    let (value, before) = (decimal(other.count.value), decimal(first.count.value));
    let said = first.passage.quote(first.start..first.count.end).text;
    let draft = Draft::of_chars("differs", other.passage, other.start..other.count.end)
        .with("first", said)
        .actual(value)
        .expected(before);
    Some(draft)
}
