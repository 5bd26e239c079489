//! The titles of the six chapters, and the recognition of their headings.

use std::collections::HashMap;

use crate::{form::Form, label::norm};

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
        if is_short(line) { self.named(line, &norm(line)) } else { None }
    }

    /// Like [`ChapterTitles::chapter`], for a line whose label ([`norm`]) the caller has.
    pub(crate) fn chapter_of(&self, line: &str, label: &str) -> Option<u32> {
        if is_short(line) { self.named(line, label) } else { None }
    }

    fn named(&self, line: &str, label: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(label) {
            return Some(*number);
        }
        let line = line.trim();
        let bare = label.strip_prefix("关于").unwrap_or(label);
        let enumerated = norm_keeps_no_enumerator(line);
        enumerated.then(|| by_words(bare)).flatten()
    }
}

/// Returns true unless a line is blank, longer than any heading, or a sentence.
fn is_short(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.chars().nth(LONGEST).is_none() && !line.contains("。")
}

/// Returns true if the line begins with an enumerator such as `四、` or `4.`.
fn norm_keeps_no_enumerator(line: &str) -> bool {
    let rest = line.trim_start_matches(['#', '*', ' ', '　', '（', '(']);
    let body = rest.trim_start_matches(|c: char| "一二三四五六".contains(c) || ('1'..='6').contains(&c));
    let numeral = rest.len() - body.len();
    (1..=3).contains(&numeral) && body.starts_with(['、', '.', '．', '）', ')', ' ', '，'])
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
