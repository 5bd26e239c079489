//! Mobile numbers: eleven digits, alone or grouped 3-4-4, 3-8 or 7-4 by blanks, hyphens or dots, with or without +86.

use std::ops::Range;

use crate::prose::passage::Passage;

/// Marks that separate the groups of a number.
const MARKS: &str = "-—–.·";

/// Words that make the digits after them a code.
const CODES: [&str; 13] = [
    "备",
    "编号",
    "户号",
    "单号",
    "代码",
    "编码",
    "索引号",
    "工号",
    "账号",
    "帐号",
    "案号",
    "户名",
    "标识码",
];

/// Characters that make the digits before them a count or a code.
const COUNTED: &str = "*_=号件条元次个万亿份篇人页平米吨字户笔辆余多";

/// Returns the mobile numbers of a passage.
pub(super) fn all(passage: &Passage<'_>) -> Vec<Range<usize>> {
    let chars = passage.reading().chars();
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, c) in chars.iter().enumerate() {
        // A mobile number begins with 1, or with the 0 or 8 of a country code.
        let is_first =
            matches!(c, '0' | '1' | '8') && (!is_digit(chars, at.checked_sub(1)) || passage.is_apart(at));
        if is_first && found.last().is_none_or(|last| last.end <= at) {
            found.extend(number(passage, at));
        }
    }
    found
}

fn is_digit(chars: &[char], at: Option<usize>) -> bool {
    at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit)
}

/// Returns the mobile number that begins at a digit.
fn number(passage: &Passage<'_>, start: usize) -> Option<Range<usize>> {
    let chars = passage.reading().chars();
    let country = ["0086", "86"]
        .iter()
        .find(|code| code.chars().enumerate().all(|(n, c)| chars.get(start + n) == Some(&c)));
    let after_code = country.map(|code| start + code.len());
    // A bracket or mark may separate the country code and the number.
    let local = after_code
        .map(|at| at + chars[at..].iter().take_while(|c| MARKS.contains(**c) || **c == ')').count());
    let end = [local, Some(start)].into_iter().flatten().find_map(|at| eleven(passage, at))?;
    (!is_code(passage, start) && !is_counted(passage, end)).then_some(start..end)
}

/// Returns the position after the eleven digits that begin here.
fn eleven(passage: &Passage<'_>, start: usize) -> Option<usize> {
    let chars = passage.reading().chars();
    let is_mobile =
        chars.get(start) == Some(&'1') && chars.get(start + 1).is_some_and(|c| ('3'..='9').contains(c));
    if !is_mobile {
        return None;
    }
    let (mut at, mut digits) = (start, 0);
    while digits < 11 {
        let is_mark = chars.get(at).is_some_and(|c| MARKS.contains(*c));
        let is_parted = is_mark || (digits > 0 && passage.is_apart(at));
        if is_parted && !matches!(digits, 3 | 7) {
            return None;
        }
        at += usize::from(is_mark);
        if !is_digit(chars, Some(at)) {
            return None;
        }
        at += 1;
        digits += 1;
    }
    let goes_on = is_digit(chars, Some(at)) && !passage.is_apart(at);
    (!goes_on).then_some(at)
}

/// Returns true if the text before digits makes them part of a code, an address or a longer number.
fn is_code(passage: &Passage<'_>, start: usize) -> bool {
    let chars = passage.reading().chars();
    let Some(before) = start.checked_sub(1).map(|at| chars[at]) else { return false };
    if passage.is_apart(start) && !before.is_ascii_alphabetic() {
        return false;
    }
    let head: String = chars[start.saturating_sub(6)..start].iter().collect();
    if before.is_ascii_alphabetic() {
        let head = head.to_ascii_lowercase();
        return !["tel", "phone", "mobile", "mob"].iter().any(|word| head.ends_with(word));
    }
    // Two numbers of one office are separated by a slash: 83521234/15951234567.
    let is_second =
        before == '/' && chars[..start - 1].iter().rev().take_while(|c| c.is_ascii_digit()).count() >= 7;
    let is_tail = MARKS.contains(before) && is_digit(chars, start.checked_sub(2));
    ("*/_.=".contains(before) && !is_second) || is_tail || CODES.iter().any(|word| head.ends_with(word))
}

/// Returns true if the text after digits makes them a count or a code.
fn is_counted(passage: &Passage<'_>, end: usize) -> bool {
    let chars = passage.reading().chars();
    let Some(after) = chars.get(end) else { return false };
    let is_letter = after.is_ascii_alphabetic() && !passage.is_apart(end);
    let is_path = matches!(after, '/' | '.')
        && !is_digit(chars, Some(end + 1))
        && chars.get(end + 1).is_some_and(char::is_ascii_alphabetic);
    is_letter || is_path || COUNTED.contains(*after)
}

#[cfg(test)]
mod tests {
    use gongkai_model::Paragraph;

    use super::*;

    #[test]
    fn mobile_numbers_are_told_from_other_numbers() {
        fn check(text: &str, expect: &[&str]) {
            let paragraphs = [Paragraph { text: text.to_owned(), ..Paragraph::default() }];
            let passages = Passage::all(0, &paragraphs);
            let found = all(&passages[0]);
            let seen: Vec<String> = found.iter().map(|r| passages[0].quote(r.clone()).text).collect();
            assert_eq!(seen, expect, "{text}");
        }
        for number in [
            "13812341234",
            "138 1234 1234",
            "138-1234-1234",
            "138.1234.1234",
            "138·1234·1234",
            "138—1234—1234",
            "1381234 1234",
            "138 12341234",
            "8613812341234",
            "86-13812341234",
            "0086-138 1234 1234",
            "１３８１２３４１２３４",
        ] {
            check(&format!("电话：{number}。"), &[number]);
            check(&format!("请致电{number}"), &[number]);
        }
        check("电话（+86）13812341234", &["86）13812341234"]);
        check("电话0527-83521234 15951234567", &["15951234567"]);
        check("0527-83521234/15951234567", &["15951234567"]);
        check("15951234567/0527-83521234", &["15951234567"]);
        check("15951234567 15951234568", &["15951234567", "15951234568"]);
        check("TEL15951234567", &["15951234567"]);
        for text in [
            "收到13812341234件",
            "电话12812341234",
            "电话0138-12345678",
            "电话021-13812345",
            "400-138-1234",
            "索引号138-1234-5678",
            "138-1234-56789",
            "苏ICP备13812345678号",
            "占地13812345678平方米",
            "/art/13812345678.html",
            "t20231231_13812345678.html",
            "col/13812345678/index",
            "订单13812345678901",
            "卡号6222 1381 2345 6789 012",
            "0527-13812345678",
            "138****1234",
            "分别为138、1234、5678条",
        ] {
            check(text, &[]);
        }
    }
}
