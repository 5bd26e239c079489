//! Masks personal data in texts: no output repeats it in full.
//!
//! Mobile numbers become `138****1234`, identity numbers `360982********123X`, and bank card numbers
//! `6222***********0128`. The masked text has as many characters as the original, so positions in it stay true.
//! Half-width and full-width digits count alike.

use std::{borrow::Cow, ops::Range};

/// Marks that part the groups of a mobile number: 138-1234-1234.
const MARKS: &str = " -—–.·";

/// Returns the text with its personal data masked.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    // Most texts have no run of digits as long as a number of a person.
    if text.chars().filter(|c| digit(*c).is_some()).take(11).count() < 11 {
        return Cow::Borrowed(text);
    }
    let mut chars: Vec<char> = text.chars().collect();
    let mut is_changed = false;
    let mut at = 0;
    while at < chars.len() {
        let found = personal(&chars, at);
        for hidden in found.iter().flat_map(|number| number.hidden.clone()) {
            if digit(chars[hidden]).is_some() {
                chars[hidden] = '*';
                is_changed = true;
            }
        }
        let run = chars[at..].iter().take_while(|c| digit(**c).is_some()).count();
        at = found.map_or(at + run.max(1), |number| number.end);
    }
    if is_changed { Cow::Owned(chars.into_iter().collect()) } else { Cow::Borrowed(text) }
}

/// A number of a person: the characters to hide, and its end.
struct Personal {
    hidden: Range<usize>,
    end: usize,
}

/// Returns the number of a person that begins at a character which no digit precedes.
fn personal(chars: &[char], at: usize) -> Option<Personal> {
    digit(chars[at])?;
    let digits: Vec<u32> = chars[at..].iter().map_while(|c| digit(*c)).collect();
    let end = at + digits.len();
    let has_check =
        digits.len() == 17 && chars.get(end).is_some_and(|c| matches!(c, 'X' | 'x' | 'Ｘ' | 'ｘ'));
    if has_check || digits.len() == 18 && has_birthday(&digits) {
        return Some(Personal { hidden: at + 6..at + 14, end: end + usize::from(has_check) });
    }
    if (16..=19).contains(&digits.len()) && digits.starts_with(&[6, 2]) && is_card(&digits) {
        return Some(Personal { hidden: at + 4..end - 4, end });
    }
    let code = [[0, 0, 8, 6].as_slice(), &[8, 6]].into_iter().find(|code| digits.starts_with(code));
    [code.map_or(0, <[u32]>::len), 0].into_iter().find_map(|code| mobile(chars, at + code))
}

/// Returns the mobile number that begins at a character: eleven digits, alone or in groups of 3, 4 and 4.
fn mobile(chars: &[char], start: usize) -> Option<Personal> {
    let mut places: Vec<usize> = Vec::with_capacity(11);
    let mut at = start;
    while places.len() < 11 {
        let is_mark = matches!(places.len(), 3 | 7) && chars.get(at).is_some_and(|c| MARKS.contains(*c));
        at += usize::from(is_mark);
        digit(*chars.get(at)?)?;
        places.push(at);
        at += 1;
    }
    let number = |place: usize| digit(chars[places[place]]).unwrap_or_default();
    let is_mobile = number(0) == 1 && (3..=9).contains(&number(1));
    let goes_on = chars.get(at).is_some_and(|c| digit(*c).is_some());
    (is_mobile && !goes_on).then(|| Personal { hidden: places[3]..places[6] + 1, end: at })
}

/// Returns true if the digits seven to fourteen are a day of birth.
fn has_birthday(digits: &[u32]) -> bool {
    let number = |range: Range<usize>| digits[range].iter().fold(0, |number, digit| number * 10 + digit);
    (1900..2100).contains(&number(6..10))
        && (1..=12).contains(&number(10..12))
        && (1..=31).contains(&number(12..14))
}

/// Returns true if the last digit is the check digit of Luhn.
fn is_card(digits: &[u32]) -> bool {
    let doubled = digits.iter().rev().enumerate().map(|(at, digit)| digit * if at % 2 == 1 { 2 } else { 1 });
    doubled.map(|number| if number > 9 { number - 9 } else { number }).sum::<u32>().is_multiple_of(10)
}

fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(u32::from(c) - u32::from('０')),
        _ => c.to_digit(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_is_hidden_and_nothing_else() {
        let cases = [
            ("联系电话：13812341234。", "联系电话：138****1234。"),
            ("13812341234、15900001111", "138****1234、159****1111"),
            ("13812341234 15900001111", "138****1234 159****1111"),
            ("138-1234-1234", "138-****-1234"),
            ("138 1234 1234", "138 **** 1234"),
            ("8613812341234", "86138****1234"),
            ("１３８１２３４１２３４", "１３８****１２３４"),
            ("身份证360982199001011234号", "身份证360982********1234号"),
            ("36098219900101123X", "360982********123X"),
            ("卡号6222021234567890128", "卡号6222***********0128"),
            ("电话13812341234转", "电话138****1234转"),
            ("0527-83521234/15951234567", "0527-83521234/159****4567"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected);
            assert_eq!(text.chars().count(), expected.chars().count());
        }
        for text in [
            "",
            "0799-6611023",
            "收到申请12345678901234件",
            "23812341234",
            "138123412345",
            "2023年",
            "１２３456789012",
            "文号20231234567890",
            "收费98765432101元",
            "索引号360982000011112222",
            "分别为13、81、23、41、23、4条",
            "138****1234",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
