//! Normalised labels: labels in the form in which they are compared, without width variants, spaces, enumerators and
//! punctuation.

use gongkai_model::is_ideograph;
use unicode_normalization::UnicodeNormalization;

use crate::{footnote_marks::is_note_mark, residue};

/// Returns a label's text without the parts that differ between layouts: NFKC, no white space, no leading enumerator,
/// no marks of footnotes, letters and digits only.
pub(crate) fn norm(text: &str) -> String {
    let text = residue::without(text);
    if text.chars().all(|c| is_ideograph(c) && !is_numeral(c)) {
        return text.into_owned();
    }
    let mut label = folded(&text).unwrap_or_else(|| unusual(&text));
    let enumerator = label.len() - without_enumerator(&label).len();
    label.drain(..enumerator);
    label.retain(|c| is_ideograph(c) || c.is_alphanumeric());
    label
}

/// Returns the NFKC form without white space and marks of footnotes. A mark at the beginning is an enumerator.
fn unusual(text: &str) -> String {
    let body = text.trim_start();
    let first = body.chars().take_while(|c| is_note_mark(*c)).map(char::len_utf8).sum::<usize>();
    let (lead, rest) = body.split_at(first);
    let lead = if lead.is_empty() || lead.nfkc().any(|c| !c.is_ascii_digit()) {
        lead.nfkc().collect()
    } else {
        String::new()
    };
    let rest = rest.chars().filter(|c| !is_note_mark(*c)).nfkc();
    lead.chars().chain(rest).filter(|c| !c.is_whitespace()).collect()
}

/// Returns the NFKC form without white space, or `None` if the text has an unusual character. This is the fast path.
fn folded(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match fold(c) {
            Some(' ') => {}
            Some(c) => folded.push(c),
            None if c.is_whitespace() => {}
            None => return None,
        }
    }
    Some(folded)
}

/// Returns the NFKC form of the characters in most labels, or `None` for all others.
fn fold(c: char) -> Option<char> {
    match c {
        ' '..='~' | '、' | '。' | '“' | '”' | '—' => Some(c),
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0),
        _ => is_ideograph(c).then_some(c),
    }
}

/// Removes a leading `一、`, `（二）`, `3.` and the like. The text must be NFKC without white space.
pub(crate) fn without_enumerator(text: &str) -> &str {
    let text = text.trim_start_matches(['*', '#']);
    let body = text.trim_start_matches('(');
    let rest = body.trim_start_matches(is_numeral);
    let numerals = body.chars().count() - rest.chars().count();
    let closed = rest.strip_prefix([')', '、', '.', ',', '．', '，', ':']);
    match closed {
        Some(inner) if (1..=3).contains(&numerals) && !inner.is_empty() => inner,
        _ => text,
    }
}

fn is_numeral(c: char) -> bool {
    matches!(c, '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十') || c.is_ascii_digit()
}

/// Maximum length of a label that is compared, in scalars.
const LONGEST: usize = 64;

/// Returns how alike two labels are, from 0 to 1: 1 minus the edit distance divided by the length of the longer.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    let (a_length, b_length) = (a.chars().count(), b.chars().count());
    let longest = a_length.max(b_length);
    if longest == 0 || longest > LONGEST {
        return 0.0;
    }
    let edits = edits(a, b, b_length);
    1.0 - ratio(edits, longest)
}

/// A label, with data to rule out quickly that another label is similar.
#[derive(Debug, Clone)]
pub(crate) struct Spelling<T> {
    pub text: T,
    /// Length of the label in scalars.
    pub scalars: usize,
    /// A bit set with one bit per character, chosen by the last six bits of its code. Labels whose sets differ have
    /// different characters.
    letters: u64,
}

impl<T: AsRef<str>> Spelling<T> {
    pub(crate) fn of(text: T) -> Self {
        let (mut scalars, mut letters) = (0, 0);
        for c in text.as_ref().chars() {
            scalars += 1;
            letters |= 1 << (u32::from(c) % u64::BITS);
        }
        Self { text, scalars, letters }
    }

    /// Returns [`likeness`] if it is at least `least`, which must be above 0, and otherwise some number below
    /// `least`. Most pairs differ so much in length or letters that the texts need not be compared.
    pub(crate) fn likeness_from<U: AsRef<str>>(&self, least: f64, other: &Spelling<U>) -> f64 {
        let longest = self.scalars.max(other.scalars);
        // Each letter that the other label lacks requires at least one edit.
        let lacking =
            (self.letters & !other.letters).count_ones().max((other.letters & !self.letters).count_ones());
        let edits = self.scalars.abs_diff(other.scalars).max(usize::try_from(lacking).unwrap_or(0));
        if longest == 0 || 1.0 - ratio(edits, longest) < least {
            return 0.0;
        }
        likeness(self.text.as_ref(), other.text.as_ref())
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(part) / number(whole)
}

/// Returns the edit distance (replace, insert, delete) of two texts of at most [`LONGEST`] scalars.
fn edits(a: &str, b: &str, b_length: usize) -> usize {
    let mut other = ['\0'; LONGEST];
    other.iter_mut().zip(b.chars()).for_each(|(slot, c)| *slot = c);
    let other = other.get(..b_length).unwrap_or_default();
    // The previous row of the edit table, without its first column.
    let mut row = [0_u8; LONGEST];
    (1_u8..).zip(&mut row).for_each(|(at, cell)| *cell = at);
    let mut last = u8::try_from(b_length).unwrap_or(u8::MAX);
    for (i, x) in (1_u8..).zip(a.chars()) {
        let (mut diagonal, mut left) = (i - 1, i);
        for (cell, y) in row.iter_mut().zip(other) {
            let above = *cell;
            left = (diagonal + u8::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        last = left;
    }
    usize::from(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_lose_their_dress() {
        for (text, expect) in [
            ("（一）予以公开", "予以公开"),
            ("(一) 予以公开", "予以公开"),
            ("1. 属于国家秘密", "属于国家秘密"),
            ("1、属于国家秘密", "属于国家秘密"),
            ("三、本年度办理结果", "本年度办理结果"),
            ("一情形，不计其他情形)", "一情形不计其他情形"),
            ("3.危及“三安全一稳定”", "危及三安全一稳定"),
            ("第二十条 第（一）项", "第二十条第一项"),
            ("商业\n企业", "商业企业"),
            ("**规章**", "规章"),
            ("规章①", "规章"),
            ("①规章", "规章"),
            ("⑴予以公开", "予以公开"),
            ("行政许可¹", "行政许可"),
        ] {
            assert_eq!(norm(text), expect, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_is_the_long_way(text in "[ -~！-～一-龥、。“”—　]{0,20}") {
            let long: String = text.nfkc().filter(|c| !c.is_whitespace()).collect();
            let long: String = without_enumerator(&long).chars().filter(|c| c.is_alphanumeric()).collect();
            prop_assert_eq!(norm(&text), long);
        }
    }

    #[test]
    fn likeness_counts_edits() {
        assert!((likeness("其他法律行政止公开", "其他法律行政法规禁止公开") - 0.75).abs() < 1e-9);
        assert!((likeness("重复申请", "重复申请") - 1.0).abs() < 1e-9);
        assert!(likeness("", "重复申请") < 1e-9);
        assert!(likeness("重复申请", "") < 1e-9);
    }

    /// Computes the likeness from the definition of the edit distance.
    fn slow_likeness(a: &str, b: &str) -> f64 {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut table = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = match (i, j) {
                    (0, _) => j,
                    (_, 0) => i,
                    _ => {
                        let change = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                        change.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1)
                    }
                };
            }
        }
        let longest = a.len().max(b.len());
        if longest == 0 { 0.0 } else { 1.0 - ratio(table[a.len()][b.len()], longest) }
    }

    proptest! {
        #[test]
        fn the_quick_count_of_edits_is_the_right_one(a in "[一二三四]{0,12}", b in "[一二三四五]{0,12}") {
            prop_assert!((likeness(&a, &b) - slow_likeness(&a, &b)).abs() < 1e-12);
            let bounded = Spelling::of(&a).likeness_from(0.6, &Spelling::of(&b));
            let same = (bounded - likeness(&a, &b)).abs() < 1e-12;
            prop_assert!(same || (bounded < 0.6 && likeness(&a, &b) < 0.6));
        }
    }
}
