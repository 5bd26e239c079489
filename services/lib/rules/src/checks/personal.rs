//! `personal`: personal data that a public report must not contain: mobile numbers, identity and card numbers, homes.

use std::ops::Range;

use crate::{
    check::{Cases, Check},
    checks::mobile,
    draft::Draft,
    input::Input,
    params::Params,
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const QUOTED: &[&str] = &["chapter", "quote"];
const CASES: Cases = &[
    ("mobile", QUOTED),
    ("identity", QUOTED),
    ("card", QUOTED),
    ("account", QUOTED),
    ("home", QUOTED),
    ("email", QUOTED),
];

pub(crate) const CHECKS: &[Check] = &[Check::many("personal", CASES, personal)];

fn personal(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        let mobiles = mobile::all(passage);
        drafts.extend(mobiles.iter().map(|range| Draft::of_chars("mobile", passage, range.clone())));
        numbers(passage, &mobiles, &mut drafts);
        drafts.extend(home(passage));
        drafts.extend(email(passage));
    }
    drafts
}

/// Examines runs of digits that contain no mobile number. Single hyphens between digits are ignored.
fn numbers(passage: &Passage<'_>, mobiles: &[Range<usize>], drafts: &mut Vec<Draft>) {
    let chars = passage.reading().chars();
    let mut at = 0;
    while at < chars.len() {
        if !chars[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let mut end = at;
        let mut digits: Vec<u8> = Vec::new();
        while let Some(c) = chars.get(end) {
            match c.to_digit(10) {
                Some(digit) => digits.push(u8::try_from(digit).unwrap_or(0)),
                None if *c == '-' && chars.get(end + 1).is_some_and(char::is_ascii_digit) => {}
                None => break,
            }
            end += 1;
        }
        let has_check = digits.len() == 17 && matches!(chars.get(end), Some('X' | 'x'));
        end += usize::from(has_check);
        let is_mobile = mobiles.iter().any(|mobile| mobile.start < end && at < mobile.end);
        if let Some(case) = kind(chars, at..end, &digits, has_check).filter(|_| !is_mobile) {
            drafts.push(Draft::of_chars(case, passage, at..end));
        }
        at = end.max(at + 1);
    }
}

/// Returns what kind of number a run of digits is.
fn kind(chars: &[char], range: Range<usize>, digits: &[u8], has_check: bool) -> Option<&'static str> {
    let before = range.start.checked_sub(1).map(|at| chars[at]);
    let after = chars.get(range.end).copied();
    // The digits are part of a code or a masked number, or they are a count.
    let is_code = before.is_some_and(|c| c.is_ascii_alphabetic() || "*/_.=".contains(c))
        || after.is_some_and(|c| c.is_ascii_alphabetic() || "*/_=件条元次个万亿份篇人页".contains(c));
    if is_code {
        return None;
    }
    if is_identity(digits, has_check) {
        return Some("identity");
    }
    if !(16..=19).contains(&digits.len()) || has_check || !digits.starts_with(&[6, 2]) || !luhn(digits) {
        return None;
    }
    let words: String = chars[range.start.saturating_sub(16)..range.start].iter().collect();
    let is_office = ["账号", "账户", "帐号", "户名", "开户"].iter().any(|word| words.contains(word));
    Some(if is_office { "account" } else { "card" })
}

/// Returns true for an identity number: 18 digits, the last of which may be X, with a date of birth and the check
/// digit of GB 11643.
fn is_identity(digits: &[u8], has_check: bool) -> bool {
    if digits.len() + usize::from(has_check) != 18 {
        return false;
    }
    let number =
        |range: Range<usize>| digits[range].iter().fold(0_u32, |n, digit| n * 10 + u32::from(*digit));
    let is_day = (1900..2100).contains(&number(6..10))
        && (1..=12).contains(&number(10..12))
        && (1..=31).contains(&number(12..14));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let check = (12 - sum % 11) % 11;
    let printed = if has_check { 10 } else { digits.get(17).map_or(11, |digit| u32::from(*digit)) };
    is_day && check == printed
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let doubled = u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

static HOME: StaticRegex =
    StaticRegex::new(r"(?:家庭住址|家住|现住址|户籍地址|居住于)[^。;,]{2,30}?\d+(?:号|室|栋|幢)");

fn home(passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    if !text.contains('住') && !text.contains("户籍") {
        return None;
    }
    Some(Draft::of_bytes("home", passage, HOME.find(text)?.range()))
}

static EMAIL: StaticRegex = StaticRegex::new(
    r"(?i)[a-z0-9._-]+@(?:qq|163|126|gmail|sina|sohu|outlook|hotmail|139|foxmail|yeah|aliyun)\.(?:com|cn|net)",
);

/// Finds a private e-mail address outside the contact details. The office's own address may be with any provider.
fn email(passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    if passage.chapter() == 0 || !text.contains('@') {
        return None;
    }
    let office = ["邮箱", "邮件", "联系", "电话", "受理", "申请", "咨询", "监督", "举报", "投诉", "地址"];
    if office.iter().any(|word| text.contains(word)) {
        return None;
    }
    Some(Draft::of_bytes("email", passage, EMAIL.find(text)?.range()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Option<&'static str> {
        let chars: Vec<char> = text.chars().collect();
        let start = chars.iter().position(char::is_ascii_digit)?;
        let length = chars[start..].iter().take_while(|c| c.is_ascii_digit()).count();
        let digits: Vec<u8> = chars[start..start + length]
            .iter()
            .map(|c| u8::try_from(c.to_digit(10).unwrap()).unwrap())
            .collect();
        let has_check = length == 17 && chars.get(start + length) == Some(&'X');
        kind(&chars, start..start + length + usize::from(has_check), &digits, has_check)
    }

    #[test]
    fn numbers_of_persons_are_told_from_other_numbers() {
        assert_eq!(check("邮编331200"), None);
        assert_eq!(check("110105194912310021"), None);
        assert_eq!(check("11010519491231002X"), Some("identity"));
        assert_eq!(check("6222021234567890129"), None);
        assert_eq!(check("卡号6222021234567890128"), Some("card"));
        assert_eq!(check("缴费账号6222021234567890128"), Some("account"));
        assert_eq!(check("12620600MB0523338C"), None);
    }
}
