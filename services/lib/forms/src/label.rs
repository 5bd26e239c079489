//! Labels as they are compared: without width, spaces, enumerators and punctuation.

use unicode_normalization::UnicodeNormalization;

use crate::residue;

/// A label's text without what layouts change: NFKC, no white space, no enumerator in front, letters and digits only.
pub(crate) fn norm(text: &str) -> String {
    let text = residue::without(text);
    let folded: Option<String> = text.chars().filter(|c| !c.is_whitespace()).map(fold).collect();
    let folded = folded.unwrap_or_else(|| text.nfkc().filter(|c| !c.is_whitespace()).collect());
    let bare = without_enumerator(&folded);
    let mut label = String::with_capacity(bare.len());
    label.extend(bare.chars().filter(|c| is_ideograph(*c) || c.is_alphanumeric()));
    label
}

/// NFKC of the characters that labels are nearly always made of; absent for the others.
fn fold(c: char) -> Option<char> {
    match c {
        ' '..='~' | '、' | '。' | '“' | '”' | '—' => Some(c),
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0),
        _ => is_ideograph(c).then_some(c),
    }
}

fn is_ideograph(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Cuts off `一、`, `（二）`, `3.` and the like; the text must be NFKC without white space.
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
    "一二三四五六七八九十".contains(c) || c.is_ascii_digit()
}

/// How alike two labels are, from 0 to 1: one less the edits per character of the longer.
pub(crate) fn likeness(a: &str, b: &str) -> f64 {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let longest = a.len().max(b.len());
    if longest == 0 || longest > 64 {
        return 0.0;
    }
    let mut row: Vec<u8> = (0..=64).take(b.len() + 1).collect();
    for (i, x) in (1u8..).zip(&a) {
        let mut diagonal = row.first().copied().unwrap_or_default();
        if let Some(first) = row.first_mut() {
            *first = i;
        }
        let mut left = i;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let cost = u8::from(x != y);
            left = (diagonal + cost).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    let edits = row.last().copied().unwrap_or_default();
    let longest = u32::try_from(longest).unwrap_or(u32::MAX);
    1.0 - f64::from(edits) / f64::from(longest)
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
    }
}
