//! The titles of the six chapters, and the recognition of their headings.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    enumerator::{self, HeadingNumbering},
    form::Form,
    label::norm,
};

/// Longest heading, in scalars.
const LONGEST: usize = 48;

/// The normalised titles of the six chapters and their variants.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChapterTitles {
    numbers: HashMap<String, u32>,
}

impl ChapterTitles {
    /// Creates the titles of some forms.
    pub(crate) fn of<'f>(forms: impl Iterator<Item = &'f Form>) -> Self {
        let mut numbers = HashMap::new();
        for chapter in forms.flat_map(|form| &form.chapters) {
            for title in std::iter::once(&chapter.title).chain(&chapter.variants) {
                numbers.insert(norm(title), chapter.number);
            }
        }
        Self { numbers }
    }

    /// Returns the chapter with this heading, or `None` for prose, including prose that names chapters.
    pub(crate) fn chapter(&self, line: &str) -> Option<u32> {
        is_short(without_stop(line)).then(|| self.chapter_of(line, &norm(line))).flatten()
    }

    /// Like [`ChapterTitles::chapter`], for a line whose label ([`norm`]) the caller has.
    pub(crate) fn chapter_of(&self, line: &str, label: &str) -> Option<u32> {
        let bare = without_stop(line);
        if !is_short(bare) {
            return None;
        }
        // A sentence has a full stop too, so a heading with one must be a known title.
        let is_stopped = bare.len() < line.trim().len();
        self.named(bare, label, is_stopped)
    }

    /// Splits a numbered heading from the prose that follows it on the same line: its chapter, its text and the prose.
    pub(crate) fn run_in<'t>(&self, line: &'t str) -> Option<(u32, &'t str, &'t str)> {
        let enumerator = enumerator::split(line);
        if !is_chapter_style(enumerator.style) {
            return None;
        }
        let rest = enumerator.rest;
        let start = line.trim_end().len() - rest.len();
        let cuts = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST);
        let mut found = None;
        for cut in cuts {
            let (title, prose) = rest.split_at(cut);
            if title.chars().count() < 2 || !begins_prose(prose) {
                continue;
            }
            if let Some(number) = self.numbers.get(mainland(&norm(title)).as_ref()) {
                found = Some((*number, cut));
            }
        }
        let (number, cut) = found?;
        let prose = rest.get(cut..)?.trim_start_matches(['。', '：', ':', '.', '；']).trim();
        Some((number, line.get(..start + cut)?.trim(), prose))
    }

    fn named(&self, line: &str, label: &str, only_known: bool) -> Option<u32> {
        let label = mainland(label);
        if let Some(number) = self.numbers.get(label.as_ref()) {
            return Some(*number);
        }
        let enumerator = enumerator::split(line);
        if enumerator.number == 0 {
            return None;
        }
        let title = norm(enumerator.rest);
        let title = mainland(&title);
        if let Some(number) = self.numbers.get(title.as_ref()) {
            return Some(*number);
        }
        if only_known {
            return None;
        }
        let bare = title.strip_prefix("关于").unwrap_or(&title);
        let by_number =
            || is_chapter_style(enumerator.style).then(|| by_number(bare, enumerator.number)).flatten();
        by_words(bare).or_else(by_number)
    }
}

/// Returns true for the styles of chapters. Sub-headings are often in brackets or Arabic.
fn is_chapter_style(style: HeadingNumbering) -> bool {
    matches!(style, HeadingNumbering::Chinese | HeadingNumbering::Part | HeadingNumbering::Roman)
}

/// Returns a label in the wording of the mainland: 信息 for 资讯.
fn mainland(label: &str) -> Cow<'_, str> {
    if label.contains("资讯") {
        Cow::Owned(label.replace("资讯", "信息"))
    } else {
        Cow::Borrowed(label)
    }
}

/// Returns true if a text after a title begins prose or a table, and does not continue the title.
fn begins_prose(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let rest = text.trim_start_matches(['。', '：', ':', '.', '；']).trim();
    let continues = ["的", "和", "与", "及", "、", "，", "方面", "中", "工作", "情况", "说明", "报告"];
    !rest.is_empty()
        && (first.is_whitespace()
            || matches!(first, '。' | '：' | ':' | '（' | '(' | '第')
            || first.is_ascii_digit()
            || text.contains(['。', '，']) && !continues.iter().any(|word| text.starts_with(word)))
}

/// Returns a numbered heading without the full stop at its end. Sub-headings keep it.
fn without_stop(line: &str) -> &str {
    let line = line.trim();
    let bare = line.trim_end_matches(['。', '．', '.', '；', ';', '：', ':']);
    if bare.len() < line.len() && is_chapter_style(enumerator::split(bare).style) { bare } else { line }
}

/// Returns true unless a line is blank, longer than any heading, or a sentence.
fn is_short(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().nth(LONGEST).is_none() && !line.contains("。")
}

/// Returns the chapter of a heading in other words, if its number and a word of its title agree.
fn by_number(title: &str, number: u32) -> Option<u32> {
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    let ends = title.ends_with("情况") || title.ends_with("概述") || title.ends_with("概况");
    let fits = match number {
        1 => ends && has(&["总体", "基本情况", "概述", "概况"]),
        2 => ends && has(&["主动公开"]),
        3 => ends && has(&["依申请", "公开申请"]),
        4 => ends && has(&["复议", "诉讼"]),
        5 => has(&["问题", "不足"]) && title.chars().nth(30).is_none(),
        6 => has(&["其他"]) && has(&["报告", "事项", "说明"]) && title.chars().nth(20).is_none(),
        _ => false,
    };
    fits.then_some(number)
}

/// Returns the chapter of a numbered heading with other wording, by the words that only one chapter uses.
fn by_words(title: &str) -> Option<u32> {
    let has = |word: &str| title.contains(word);
    let ends = title.ends_with("情况") || title.ends_with("诉讼");
    if ends && has("行政复议") && has("诉讼") && !has("其他") {
        return Some(4);
    }
    if ends && has("公开申请") && (has("收到") || has("处理")) {
        return Some(3);
    }
    if ends && title.ends_with("主动公开政府信息情况") {
        return Some(2);
    }
    let remedies = has("改进") || has("整改") || has("措施") || has("改进情况");
    if has("问题") && remedies && title.chars().nth(30).is_none() {
        return Some(5);
    }
    if has("报告的事项") || has("报告事项") {
        return Some(6);
    }
    None
}
