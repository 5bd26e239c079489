//! Counts in prose: numbers with units, in Arabic or Chinese numerals.

use std::ops::Range;

use rust_decimal::Decimal;

/// Units of things whose counts can be added up. Units such as `次 场 天` count events and are not mixed with these.
const UNITS: &[&str] = &[
    "件", "条", "篇", "份", "期", "个", "项", "宗", "起", "则", "批", "例", "次", "场", "名", "人", "家",
    "元", "幅",
];

/// A number with its unit. Positions are characters of the passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    /// Range of the number, without the unit.
    pub(crate) number: Range<usize>,
    /// One past the unit.
    pub(crate) end: usize,
    pub(crate) value: Decimal,
    pub(crate) unit: &'static str,
    /// True if marked by 近, 约, 余, 多 or 万: the number is rounded and must not be compared.
    pub(crate) approximate: bool,
    /// True if written in Chinese numerals.
    pub(crate) in_words: bool,
}

/// Returns all counts of a text, left to right.
pub(crate) fn counts(chars: &[char]) -> Vec<Count> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if !is_numeral(chars[at]) {
            at += 1;
            continue;
        }
        match numeral(chars, at) {
            Some((value, end)) => {
                found.extend(count(chars, at, value, end));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Returns the count with the number at `start..end`, if a unit follows and the number is not an ordinal.
fn count(chars: &[char], start: usize, value: Decimal, end: usize) -> Option<Count> {
    let before = start.checked_sub(1).and_then(|at| chars.get(at));
    if before.is_some_and(|c| "第每某逐".contains(*c)) {
        return None;
    }
    let mut at = end;
    let mut approximate = is_rough(chars, start);
    while chars.get(at).is_some_and(|c| "余多万亿几来".contains(*c)) {
        approximate = true;
        at += 1;
    }
    let unit = *UNITS.iter().find(|unit| starts_with(chars, at, unit))?;
    // 高效办成一件事 is a slogan and counts nothing. 一件事项 is a count.
    if starts_with(chars, at, "件事") && !starts_with(chars, at, "件事项") {
        return None;
    }
    Some(Count {
        number: start..end,
        end: at + unit.chars().count(),
        value,
        unit,
        approximate,
        in_words: !chars[start].is_ascii_digit(),
    })
}

/// Returns true if the words before a number mark it as rounded.
fn is_rough(chars: &[char], start: usize) -> bool {
    let rough = ["近", "约", "超", "逾", "不足", "至少", "最多"];
    // 数十条 is rounded, 总数10条 is not.
    let of_words =
        !chars[start].is_ascii_digit() && ["数", "几"].iter().any(|word| ends_with(chars, start, word));
    of_words || rough.iter().any(|word| ends_with(chars, start, word))
}

fn is_numeral(c: char) -> bool {
    // Only 四, 百 and 零 are outside of the range below.
    match c {
        '0'..='9' | '四' | '百' | '零' => true,
        '〇'..='千' => chinese_digit(c).is_some() || chinese_scale(c).is_some(),
        _ => false,
    }
}

/// Returns the number that begins at a character, and where it ends.
fn numeral(chars: &[char], at: usize) -> Option<(Decimal, usize)> {
    let c = *chars.get(at)?;
    if c.is_ascii_digit() { arabic(chars, at) } else { chinese(chars, at) }
}

fn arabic(chars: &[char], start: usize) -> Option<(Decimal, usize)> {
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let mut end = start;
    let mut text = String::new();
    while digit(end) {
        text.push(chars[end]);
        end += 1;
        let thousands = chars.get(end) == Some(&',')
            && (1..=3).all(|n| digit(end + n))
            && !digit(end + 4)
            && !text.contains('.');
        let point = chars.get(end) == Some(&'.') && digit(end + 1) && !text.contains('.');
        if thousands {
            end += 1;
        } else if point {
            text.push('.');
            end += 1;
        }
    }
    Some((text.parse().ok()?, end))
}

/// Reads Chinese numerals up to the thousands. 万 makes a number rounded and is left to the caller.
fn chinese(chars: &[char], start: usize) -> Option<(Decimal, usize)> {
    let (mut sum, mut digit): (u32, Option<u32>) = (0, None);
    let mut end = start;
    while let Some(c) = chars.get(end) {
        if let Some(value) = chinese_digit(*c) {
            if digit.is_some_and(|d| d != 0) {
                return None;
            }
            digit = Some(value);
        } else if let Some(scale) = chinese_scale(*c) {
            sum = sum.checked_add(digit.take().unwrap_or(1).checked_mul(scale)?)?;
        } else {
            break;
        }
        end += 1;
    }
    (end > start).then(|| (Decimal::from(sum.saturating_add(digit.unwrap_or(0))), end))
}

fn chinese_digit(c: char) -> Option<u32> {
    match c {
        '零' | '〇' => Some(0),
        '一' => Some(1),
        '二' | '两' => Some(2),
        '三' => Some(3),
        '四' => Some(4),
        '五' => Some(5),
        '六' => Some(6),
        '七' => Some(7),
        '八' => Some(8),
        '九' => Some(9),
        _ => None,
    }
}

fn chinese_scale(c: char) -> Option<u32> {
    match c {
        '十' => Some(10),
        '百' => Some(100),
        '千' => Some(1000),
        _ => None,
    }
}

/// Returns true if a word begins at a character.
pub(crate) fn starts_with(chars: &[char], at: usize, word: &str) -> bool {
    word.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c))
}

/// Returns true if a word ends just before a character.
pub(crate) fn ends_with(chars: &[char], end: usize, word: &str) -> bool {
    end.checked_sub(word.chars().count()).is_some_and(|start| starts_with(chars, start, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_units() {
        fn check(text: &str, expect: &[(&str, &str, bool)]) {
            let chars: Vec<char> = text.chars().collect();
            let found = counts(&chars);
            let seen: Vec<(String, &str, bool)> =
                found.iter().map(|c| (c.value.to_string(), c.unit, c.approximate)).collect();
            let seen: Vec<(&str, &str, bool)> = seen.iter().map(|(v, u, a)| (v.as_str(), *u, *a)).collect();
            assert_eq!(seen, expect, "{text}");
        }
        check("公开信息77条,其中决策公开10条", &[("77", "条", false), ("10", "条", false)]);
        check("受理1,295件", &[("1295", "件", false)]);
        check("受理1,29件", &[("29", "件", false)]);
        check("受理12,345,678件", &[("12345678", "件", false)]);
        check(
            "收到申请一件,两件,零件,十二件,二十件,三百零五件",
            &[
                ("1", "件", false),
                ("2", "件", false),
                ("0", "件", false),
                ("12", "件", false),
                ("20", "件", false),
                ("305", "件", false),
            ],
        );
        check(
            "四十余条,5500余条,近300个,14万余条,1.3万条",
            &[
                ("40", "条", true),
                ("5500", "条", true),
                ("300", "个", true),
                ("14", "条", true),
                ("1.3", "条", true),
            ],
        );
        check("第三条,第20条,每一件,高效办成一件事,2023年,26.78%,12345热线,数十条", &[("10", "条", true)]);
        check("总数10条", &[("10", "条", false)]);
        check("收费2230元", &[("2230", "元", false)]);
    }
}
