//! Finds the headings of chapters inside a text without line breaks.
//!
//! A heading is a number and a title that only its chapter has. A title that the next number follows after a comma is
//! part of a sentence that lists the chapters.

use std::sync::LazyLock;

use gongkai_model::is_han;
use regex::Regex;

/// A heading inside a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChapterHeading {
    pub start: usize,
    pub end: usize,
    /// 1 to 6.
    pub chapter: usize,
}

/// Maximum length of a title, in bytes.
const LONGEST: usize = 150;

/// The number before a title: 一、 or 第一部分 or 1、.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"第\s{0,2}([一二三四五六])\s{0,2}(?:部\s{0,2}分|章)[、：:.．\s]{0,3}|([一二三四五六⼀⼆])\s{0,2}[、.．]\s{0,3}|([1-6])[、.．]\s{0,3}",
    )
    .expect("the pattern is constant")
});

/// The titles of the six chapters, each with the words that only this chapter has.
static TITLES: LazyLock<[Regex; 6]> = LazyLock::new(|| {
    let title =
        |words: &str| Regex::new(&format!("^(?:{})", with_spaces(words))).expect("the pattern is constant");
    [
        title("~{0,10}?(?:总体情况|基本情况|总体概况|概述|概况)"),
        title("~{0,16}?主动公开~{0,8}?情况"),
        title("~{0,18}?(?:依申请公开|公开申请)~{0,8}?情况"),
        title("~{0,24}?(?:复议|诉讼)~{0,14}?情况|~{0,24}?复议~{0,6}?诉讼"),
        title(
            "~{0,14}?(?:问题|不足)~{0,16}?(?:改进情况|改进措施|整改措施|整改情况|改进方向|努力方向|改进|措施)",
        ),
        title("~{0,10}?其他~{0,8}?(?:事项|情况)|~{0,6}?需要~{0,8}?事项"),
    ]
});

/// Returns a pattern that allows white space behind each Han character, where a line break may have left some. `~` is any
/// character of a title.
pub(super) fn with_spaces(words: &str) -> String {
    let piece = |c: char| match c {
        '~' => r"(?:[^\s。，；：:！？|0-9]\s{0,3})".to_owned(),
        _ if is_han(c) => format!(r"{c}\s{{0,3}}"),
        _ => c.to_string(),
    };
    words.chars().map(piece).collect()
}

/// Returns the headings in a text, in order, without those that a sentence lists.
pub(super) fn find(text: &str) -> Vec<ChapterHeading> {
    let mut found: [Vec<ChapterHeading>; 3] = Default::default();
    for number in NUMBER.captures_iter(text) {
        for (style, of_style) in found.iter_mut().enumerate() {
            of_style.extend(number.get(style + 1).and_then(|digit| heading(text, &number, digit.as_str())));
        }
    }
    let count = |headings: &Vec<ChapterHeading>| chapters(headings);
    let [part, chinese, arabic] = found.map(|headings| without_lists(text, &headings));
    let best = if count(&part) > count(&chinese) { part } else { chinese };
    if count(&arabic) > count(&best) { arabic } else { best }
}

/// Returns how many different chapters there are.
pub(super) fn chapters(headings: &[ChapterHeading]) -> usize {
    (1..=6).filter(|chapter| headings.iter().any(|heading| heading.chapter == *chapter)).count()
}

fn heading(text: &str, number: &regex::Captures<'_>, digit: &str) -> Option<ChapterHeading> {
    let whole = number.get(0)?;
    let before = text.get(..whole.start())?.chars().next_back();
    // （一）, 十一、 and 第一、 number other things. Digits before a digit are a value: 17 in 173.收到….
    if before.is_some_and(|c| "（(第十".contains(c)) {
        return None;
    }
    let chapter = "一二三四五六".chars().position(|c| digit.starts_with(c));
    let chapter = chapter.or_else(|| "⼀⼆".chars().position(|c| digit.starts_with(c)));
    let chapter = chapter.or_else(|| digit.parse::<usize>().ok()?.checked_sub(1))?;
    let rest = text.get(whole.end()..)?;
    let rest = rest.get(..rest.floor_char_boundary(LONGEST))?;
    let title = TITLES.get(chapter)?.find(rest)?;
    // The title must not run into the next number: 四、结转下年度继续办理四、….
    if NUMBER.is_match(title.as_str()) {
        return None;
    }
    Some(ChapterHeading {
        start: whole.start(),
        end: whole.end() + title.as_str().trim_end().len(),
        chapter: chapter + 1,
    })
}

/// Removes the headings that a sentence lists: 包括一、总体情况，二、主动公开政府信息情况，….
fn without_lists(text: &str, headings: &[ChapterHeading]) -> Vec<ChapterHeading> {
    let listed = |pair: &[ChapterHeading]| match pair {
        [a, b] => text.get(a.end..b.start).is_some_and(is_comma),
        _ => false,
    };
    let joined: Vec<bool> = headings.windows(2).map(listed).collect();
    let in_list = |at: usize| {
        let joins = |at: Option<usize>| at.and_then(|at| joined.get(at)).copied().unwrap_or_default();
        joins(Some(at)) || joins(at.checked_sub(1))
    };
    headings.iter().enumerate().filter(|(at, _)| !in_list(*at)).map(|(_, heading)| *heading).collect()
}

fn is_comma(text: &str) -> bool {
    let comma = |c: char| "，、；,;和及与以”".contains(c);
    text.contains(comma) && text.chars().all(|c| comma(c) || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = find(text).iter().map(|heading| &text[heading.start..heading.end]).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn headings_are_found_without_white_space() {
        check(
            "报告。一、总体情况2023年，公开17条。二、主动公开政府信息情况第二十条第（一）项规章357三、收到和处理政府信息公开申请情况（本列",
            &["一、总体情况", "二、主动公开政府信息情况", "三、收到和处理政府信息公开申请情况"],
        );
        check(
            "办理09四、因政府信息公开工作被申请行政复议、提起行政诉讼情况行政复议五、存在的主要问题及改进情况不够。六、其他需要报告的事项无。",
            &[
                "四、因政府信息公开工作被申请行政复议、提起行政诉讼情况",
                "五、存在的主要问题及改进情况",
                "六、其他需要报告的事项",
            ],
        );
        check(
            "第一部分 总体情况 较好。第二部分：主动公开政府信息情况",
            &["第一部分 总体情况", "第二部分：主动公开政府信息情况"],
        );
        check(
            "一、总体 情况 较好。三、收到和处理政府信息公开申请情 况 申请人情况",
            &["一、总体 情况", "三、收到和处理政府信息公开申请情 况"],
        );
        check("好。1.总体情况较好。2.主动公开政府信息情况", &["1.总体情况", "2.主动公开政府信息情况"]);
    }

    #[test]
    fn rows_of_tables_and_lists_of_chapters_are_no_headings() {
        check(
            "三、本年度办理结果（一）予以公开17四、结转下年度继续办理8四、政府信息公开行政复议、行政诉讼情况",
            &["四、政府信息公开行政复议、行政诉讼情况"],
        );
        check("包括一、总体情况，二、主动公开政府信息情况，六、其他需要报告的事项共六部分。", &[]);
        check("（一）总体情况。十一、总体情况。21、主动公开情况。一、加强学习。二、拓宽渠道情况。", &[]);
    }
}
