//! `numbering`: the numbers that headings print: 一 to 六 of the chapters, （一）（二） of the sections in a chapter.

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const CASES: Cases = &[
    ("chapters", &["order"]),
    ("twice", &["chapter", "quote", "number"]),
    ("gap", &["chapter", "quote", "number"]),
];

pub(crate) const CHECKS: &[Check] = &[Check::many("numbering", CASES, run)];

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let sections = [1, 5, 6].into_iter().filter_map(|chapter| sections(input, chapter));
    chapters(input).into_iter().chain(sections).collect()
}

/// Numerals up to twenty, in order from 1.
const NUMERALS: [&str; 20] = [
    "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三", "十四", "十五",
    "十六", "十七", "十八", "十九", "二十",
];

static CHAPTER: StaticRegex = StaticRegex::new(
    r"^[#*\s]*[(（第]?\s*([一二三四五六七八九十]{1,2}|\d{1,2})\s*[)）]?\s*[、.．,，:：章部\s]",
);

/// Finds chapters whose printed numerals do not go up by one. Numerals that are all the same were lost when the
/// document was converted, and a numeral that is left out belongs to a missing chapter.
fn chapters(input: &Input<'_>) -> Option<Draft> {
    let sections = &input.report.sections;
    let titles = sections.iter().map(|section| section.title.as_str());
    let printed: Vec<u32> =
        titles.map(|title| number(CHAPTER.captures(title)?.get(1)?.as_str())).collect::<Option<_>>()?;
    let goes_up = printed.windows(2).all(|pair| pair[1] == pair[0].saturating_add(1));
    let is_lost = printed.windows(2).all(|pair| pair[0] == pair[1]);
    let is_own = sections.iter().zip(&printed).all(|(section, printed)| section.number == *printed);
    if goes_up || is_lost || is_own {
        return None;
    }
    let order: Vec<String> = printed.iter().map(|number| numeral(*number)).collect();
    let expected: Vec<String> = (1..).take(printed.len()).map(numeral).collect();
    let draft = Draft::of_part("chapters", "chapter-numbers").with("order", order.join("、"));
    Some(Draft { actual: Some(order.join("、")), expected: Some(expected.join("、")), ..draft })
}

/// The number of a heading above the sections. The sections below it begin anew.
static ABOVE: StaticRegex = StaticRegex::new(r"^(?:[一二三四五六七八九十]+|\d{1,2})[、.．](?:[^\d]|$)");

static SECTION: StaticRegex = StaticRegex::new(r"^\(([一二三四五六七八九十]{1,2})\)");

/// Finds the first section of a chapter whose number stands twice or leaves one out. A list may begin anew.
fn sections(input: &Input<'_>, chapter: u32) -> Option<Draft> {
    let passages: Vec<&Passage<'_>> =
        input.prose.passages().iter().filter(|passage| passage.chapter() == chapter).collect();
    let mut last: u32 = 0;
    for passage in &passages {
        if ABOVE.is_match(passage.text()) {
            last = 0;
        }
        let Some(found) = SECTION.captures(passage.text()).and_then(|captures| captures.get(1)) else {
            continue;
        };
        let Some(printed) = number(found.as_str()) else { continue };
        let is_next = printed == last + 1 || (printed == 1 && last != 1);
        let due = last + 1;
        last = printed;
        if is_next {
            continue;
        }
        let mark = format!("({})", numeral(due));
        if due > printed {
            return Some(draft("twice", passage, printed, due));
        }
        // The number may stand within a paragraph or a heading, where a line break was lost.
        if due > 1 && !passages.iter().any(|passage| passage.text().contains(&mark)) {
            return Some(draft("gap", passage, printed, due));
        }
    }
    None
}

fn draft(case: &'static str, passage: &Passage<'_>, printed: u32, due: u32) -> Draft {
    let end =
        passage.reading().chars().iter().take(16).take_while(|c| !matches!(c, '。' | ',' | ';')).count();
    let draft = Draft::of_chars(case, passage, 0..end).with("number", numeral(due));
    Draft { actual: Some(numeral(printed)), expected: Some(numeral(due)), ..draft }
}

fn numeral(number: u32) -> String {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| NUMERALS.get(at)).map_or_else(|| number.to_string(), |numeral| (*numeral).to_owned())
}

/// Returns the number of a numeral, Chinese or Arabic.
fn number(text: &str) -> Option<u32> {
    let numerals = (1..).zip(NUMERALS);
    text.parse().ok().or_else(|| numerals.into_iter().find(|(_, numeral)| *numeral == text).map(|(n, _)| n))
}
