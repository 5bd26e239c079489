//! Names of bodies and years that a text mentions in passing. They tell whose report it is only where nothing else does.

use gongkai_model::Paragraph;

use crate::{
    body_name::{is_full_body, is_short_body},
    title::squeeze,
    year,
};

/// Maximum length of a name, in scalars.
const LONGEST: usize = 26;

/// Maximum number of paragraphs in which names are sought.
const PARAGRAPHS: usize = 12;

/// Words right before a name.
const BEFORE: [&str; 22] = [
    "通过", "结合", "公布", "发布", "编制", "公开", "根据", "按照", "反映", "涵盖", "包括", "呈现", "围绕",
    "推进", "做好", "机构", "单位", "部门", "来源", "在", "由", "与",
];

/// Words right before a name, each of which may be part of one.
const BEFORE_OR_IN: [&str; 11] = ["向", "对", "以", "从", "为", "请", "是", "将", "把", "和", "及"];

/// Words right behind the name of another body, mostly of a higher one.
const BEHIND_OTHER: [&str; 12] =
    ["关于", "印发", "要求", "通知", "部署", "领导", "指导", "统一", "下发", "转发", "的要求", "有关要求"];

/// Words right behind the name of a government that only runs the site.
const SITE: [&str; 9] = ["网", "门户", "官网", "平台", "信息公开", "政务公开", "公报", "采购", "热线"];

/// Returns the body that the first place with any mentions most often, and the place. A name with its place comes before
/// one without.
pub(crate) fn in_places<P: Copy>(places: &[(P, Vec<&Paragraph>)]) -> Option<(String, P)> {
    let texts: Vec<(P, Vec<String>)> =
        places.iter().map(|(place, lines)| (*place, squeezed(lines))).collect();
    [is_full_body as fn(&str) -> bool, is_short_body].into_iter().find_map(|accepts| {
        texts.iter().find_map(|(place, texts)| Some((most_frequent(texts, accepts)?, *place)))
    })
}

/// Returns the year that the first place with any mentions most often, and the place. Of equal ones the latest.
pub(crate) fn year_in_places<P: Copy>(places: &[(P, Vec<&Paragraph>)]) -> Option<(i32, P)> {
    places.iter().find_map(|(place, lines)| {
        let texts = squeezed(lines);
        let years: Vec<i32> = texts.iter().flat_map(|text| year::mentioned(text)).collect();
        let times = |year: &i32| years.iter().filter(|other| *other == year).count();
        let most = years.iter().max_by_key(|year| (times(year), **year))?;
        Some((*most, *place))
    })
}

fn squeezed(paragraphs: &[&Paragraph]) -> Vec<String> {
    paragraphs.iter().take(PARAGRAPHS).map(|paragraph| squeeze(&paragraph.text)).collect()
}

fn most_frequent(texts: &[String], accepts: fn(&str) -> bool) -> Option<String> {
    let names: Vec<&str> = texts.iter().flat_map(|text| names(text, accepts)).collect();
    let times = |name: &&&str| names.iter().filter(|other| other == name).count();
    // Of equal ones the first.
    names.iter().rev().max_by_key(times).map(|name| (*name).to_owned())
}

/// Returns the names in a text that begin a clause or follow a word that can precede a name.
fn names(text: &str, accepts: fn(&str) -> bool) -> Vec<&str> {
    let clauses = text.split(|c: char| !c.is_alphabetic() && !matches!(c, '〇' | '（' | '）'));
    clauses.filter_map(|clause| name(clause, accepts)).collect()
}

/// Returns the first name behind a word before it, or at the beginning of the clause.
fn name(clause: &str, accepts: fn(&str) -> bool) -> Option<&str> {
    let behind = |words: &[&str], before: &str| words.iter().any(|word| before.ends_with(word));
    let starts = || clause.char_indices().filter_map(|(at, _)| clause.split_at_checked(at));
    let named = |rest: &'_ str| {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST);
        let pieces = ends.filter_map(|end| rest.split_at_checked(end));
        let longest = pieces.filter(|(name, _)| accepts(name)).last();
        longest.filter(|(name, behind)| is_own(name, behind)).map(|(name, _)| name.len())
    };
    let first = |is_start: &dyn Fn(&str) -> bool| {
        starts().filter(|(before, _)| is_start(before)).find_map(|(_, rest)| rest.get(..named(rest)?))
    };
    first(&|before| behind(&BEFORE, before))
        .or_else(|| first(&|before| before.is_empty() || behind(&BEFORE_OR_IN, before)))
}

fn is_own(name: &str, behind: &str) -> bool {
    let is_before = |words: &[&str]| words.iter().any(|word| behind.starts_with(word));
    // 云川市政府办公楼 is an address.
    let is_cut = name.ends_with('办') && behind.starts_with('公');
    let is_site = name.ends_with("政府") && is_before(&SITE);
    !(is_cut || is_site || is_before(&BEHIND_OTHER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_passing_are_found() {
        let mentioned = |text: &str| {
            let paragraph = Paragraph { text: text.to_owned(), ..Paragraph::default() };
            in_places(&[((), vec![&paragraph])]).unwrap_or_default().0
        };
        for (text, name) in [
            ("通过“云川市水务局”微信公众号公开信息68条。", "云川市水务局"),
            ("在云川市人民政府网站公开信息68条。", ""),
            ("按照云川市人民政府办公室通知要求，在云川市水务局网站公开信息。", "云川市水务局"),
            ("现公布区统计局年度报告。", "区统计局"),
            ("在县委、县政府的领导下，在县政府办公室指导下，我局公开信息。", ""),
        ] {
            assert_eq!(mentioned(text), name, "{text}");
        }
    }
}
