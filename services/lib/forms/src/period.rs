//! 统计期限: the statistical period of a report, in its many spellings.
//!
//! It is given as two days, two months, a bare year or the last day. The words of the sentence distinguish it from
//! other periods, such as a publicity week.

use std::sync::LazyLock;

use gongkai_model::{Paragraph, Period};
use regex::{Captures, Regex};

use crate::title;

/// A period from one day to another. The second year and the characters 年月日 may be missing.
static DAYS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(20\d\d)[年./-]?(\d{{1,2}})[月./-](\d{{1,2}})日?{UNTIL}(?:(20\d\d)[年./-]?)?(\d{{1,2}})[月./-](\d{{1,2}})日?"
    ))
});

/// A period from one month to another.
static MONTHS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(20\d\d)年(\d{{1,2}})月?{UNTIL}(?:(20\d\d)年)?(\d{{1,2}})月(?:[^\d]|$)"))
});

/// A whole year, given only by its number.
static YEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:统计|报告)(?:数据)?的?(?:期限|时限|期间|周期|区间|时段|时间|年度|范围|期)(?:为|是|系|:)?(20\d\d)年(?:度|全年)?(?:[,;、由]|$)",
    )
});

/// The last day of the period.
static LAST_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:数据|统计|报告)[^。;]{0,10}?(?:截止|截至)(?:日期|时间|日|期)?(?:为|是|到|至|于|:)?(20\d\d)年(\d{1,2})月(?:(\d{1,2})日|底)",
    )
});

/// The last day of a year, which ends the period without words for data.
static YEAR_END: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:截止|截至)(?:到|至|于)?(20\d\d)年(12)月(?:(31)日|底)"));

/// The words between the beginning and the end.
const UNTIL: &str = r"(?:起|开始|始)?,?(?:至|到|-)+";

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is constant")
}

/// Returns the period that a report states before its first chapter, or else in a sentence of a chapter that calls it
/// the statistical period.
pub(crate) fn read<'a>(front: &[Paragraph], chapters: impl Iterator<Item = &'a Paragraph>) -> Option<Period> {
    let of = |words: &'static [&'static str]| move |paragraph: &Paragraph| stated(paragraph, words);
    front.iter().find_map(of(IN_FRONT)).or_else(|| chapters.into_iter().find_map(of(IN_CHAPTERS)))
}

/// The sentence must contain one of these words. Those for the preamble are general, because it has few other topics.
const IN_FRONT: &[&str] = &["统计", "报告", "年报", "数据", "期", "时间"];
const IN_CHAPTERS: &[&str] = &["统计期", "统计时", "统计周期", "统计区间", "统计数据", "报告期", "所列数据"];

fn stated(paragraph: &Paragraph, words: &[&str]) -> Option<Period> {
    let has = |c: char| paragraph.text.contains(c);
    // Converting the text is the most expensive step. White space may separate the characters of a word, so this checks
    // for characters.
    let is_said = words.iter().any(|word| word.chars().all(has));
    if !(has('年') || paragraph.text.contains("20")) || !(is_said || is_bracketed(&paragraph.text)) {
        return None;
    }
    let text = plain(&paragraph.text);
    if is_bracketed(&text) {
        return period(&text).map(|(from, to)| Period { from, to, span: paragraph.span });
    }
    let sentences = text.split('。').filter(|sentence| words.iter().any(|word| sentence.contains(word)));
    let mut found = sentences.filter_map(period);
    found.next().map(|(from, to)| Period { from, to, span: paragraph.span })
}

/// Returns true for a line in brackets, as a period below a title: （2023年1月1日—2023年12月31日）.
fn is_bracketed(text: &str) -> bool {
    let text = text.trim();
    let is_short = text.chars().nth(40).is_none();
    is_short && text.starts_with(['（', '(']) && text.ends_with(['）', ')']) && text.matches("20").count() > 1
}

type Day = (i32, u8, u8);

/// Returns the period of a sentence.
fn period(sentence: &str) -> Option<(Day, Day)> {
    if let Some(found) = DAYS.captures(sentence) {
        let from = (year(&found, 1)?, number(&found, 2)?, number(&found, 3)?);
        let to = (year(&found, 4).unwrap_or(from.0), number(&found, 5)?, number(&found, 6)?);
        return (is_day(from) && is_day(to)).then_some((from, to));
    }
    if let Some(found) = MONTHS.captures(sentence) {
        let from = (year(&found, 1)?, number(&found, 2)?, 1);
        let (to_year, month) = (year(&found, 3).unwrap_or(from.0), number(&found, 4)?);
        let to = (to_year, month, last_of(month));
        return (is_day(from) && is_day(to)).then_some((from, to));
    }
    if let Some(year) = YEAR.captures(sentence).and_then(|found| year(&found, 1)) {
        return Some(((year, 1, 1), (year, 12, 31)));
    }
    let found = LAST_DAY.captures(sentence).or_else(|| YEAR_END.captures(sentence))?;
    let (year, month) = (year(&found, 1)?, number(&found, 2)?);
    let to = (year, month, number(&found, 3).unwrap_or(last_of(month)));
    // A day in the first half of a year does not end a reporting period.
    (is_day(to) && month > 6).then_some(((year, 1, 1), to))
}

fn year(found: &Captures<'_>, at: usize) -> Option<i32> {
    found.get(at)?.as_str().parse().ok()
}

fn number(found: &Captures<'_>, at: usize) -> Option<u8> {
    found.get(at)?.as_str().parse().ok()
}

fn is_day((_, month, day): Day) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Returns the last day of a month. For February that is the 28th, because no report ends then.
fn last_of(month: u8) -> u8 {
    match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Returns a text with one kind of dash, comma, colon and digit, and without hours and 含.
fn plain(text: &str) -> String {
    let mut plain: String = title::squeeze(text).chars().map(one_kind).collect();
    for (from, to) in [
        ("元月", "1月"),
        ("(含)", ""),
        ("零时", ""),
        ("0时", ""),
        ("24时", ""),
        ("零点", ""),
        ("24点", ""),
        ("二十四时", ""),
    ] {
        if plain.contains(from) {
            plain = plain.replace(from, to);
        }
    }
    if plain.contains("二○") || plain.contains("二〇") || plain.contains("二零") {
        in_digits(&plain)
    } else {
        plain
    }
}

fn one_kind(c: char) -> char {
    match c {
        '—' | '－' | '–' | '―' | '─' | '~' | '～' | '〜' | '‐' | '‑' | '−' => '-',
        '，' => ',',
        '：' => ':',
        '；' => ';',
        '（' => '(',
        '）' => ')',
        '／' => '/',
        '．' => '.',
        '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Converts 二〇二三年一月一日 to digits. It converts other Chinese numerals too, but no date is read from them.
fn in_digits(text: &str) -> String {
    let digit =
        |c: char| "零一二三四五六七八九".chars().position(|d| d == c || (d == '零' && "○〇".contains(c)));
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, c) in chars.iter().enumerate() {
        let beside = |at: Option<usize>| at.and_then(|at| chars.get(at)).and_then(|c| digit(*c)).is_some();
        match digit(*c) {
            Some(value) => out.push_str(&value.to_string()),
            // 十月, 十二月, 二十日, 三十一日.
            None if *c == '十' => match (beside(at.checked_sub(1)), beside(Some(at + 1))) {
                (false, false) => out.push_str("10"),
                (false, true) => out.push('1'),
                (true, false) => out.push('0'),
                (true, true) => {}
            },
            None => out.push(*c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(Day, Day)>) {
        let paragraph = Paragraph { text: text.to_owned(), ..Paragraph::default() };
        let found = read(&[paragraph], std::iter::empty());
        assert_eq!(found.map(|period| (period.from, period.to)), expect, "{text}");
    }

    #[test]
    fn the_period_is_read_in_every_spelling() {
        for text in [
            "统计期限自2023年1月1日起至2023年12月31日止。",
            "统计期限为 2023 年 1 月 1 日至 12 月 31 日。",
            "统计期限从2023年1月1日到12月31日止",
            "统计期限2023年1月1日—2023年12月31日",
            "统计期限自2023年1月1日起，至2023年12月31日止。",
            "统计数据自2023年1月1日开始，到2023年12月31日结束。",
            "统计期限自2023年元月1日零时起至2023年12月31日24时止。",
            "统计期限自2023年1月1日（含）起至2023年12月31日（含）止。",
            "统计期限为2023年度。",
            "本报告数据统计期限：2023年度",
            "统计期限：2023.1.1-2023.12.31。",
            "统计期限：2023.01.01—12.31。",
            "统计期限为2023/1/1—2023/12/31。",
            "统计期限自2023-01-01至2023-12-31。",
            "所列数据的统计时限为2023年1月至12月。",
            "统计期限为2023年1-12月。",
            "统计期限自2023年1月至2023年12月。",
            "数据截止2023年12月31日。",
            "本报告数据截至2023年12月底。",
            "涵盖时间为２０２３年１月１日至２０２３年１２月３１日。",
            "统计期限为二○二三年一月一日至十二月三十一日。",
            "《条例》自2019年5月15日起施行。统计期限为2023年度。",
            "（2023年1月1日—2023年12月31日）",
        ] {
            check(text, Some(((2023, 1, 1), (2023, 12, 31))));
        }
        check("统计期限为2022年12月1日至2023年11月30日。", Some(((2022, 12, 1), (2023, 11, 30))));
        check("统计期限为2023年1月至11月。", Some(((2023, 1, 1), (2023, 11, 30))));
        check("统计期限为2023-1-1至2023-6-20。", Some(((2023, 1, 1), (2023, 6, 20))));
    }

    #[test]
    fn other_days_are_no_period() {
        check("统计期限自2023年13月1日起至2023年12月31日止", None);
        check("统计期限为全年。", None);
        check("本报告于2024年1月10日公布，可自2024年1月20日起下载。", None);
        check("数据统计时间截至2024年1月10日。", None);
        let week = Paragraph {
            text: "按期开展宣传，2023年5月1日至5月31日为宣传月。".into(),
            ..Paragraph::default()
        };
        assert_eq!(read(&[], [&week].into_iter()), None);
    }
}
