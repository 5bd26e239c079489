//! Numbers before headings: `一、`, `第一部分`, `1.`, `（一）`, `Ⅰ.`.

/// How a heading is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadingNumbering {
    /// `一、`
    Chinese,
    /// `第一部分`
    Part,
    /// `Ⅰ.`
    Roman,
    /// `1、`
    Arabic,
    /// `（一）`
    Brackets,
    /// No number.
    Bare,
}

/// All styles; of two that are equally frequent the first counts.
pub(crate) const STYLES: [HeadingNumbering; 6] = [
    HeadingNumbering::Chinese,
    HeadingNumbering::Part,
    HeadingNumbering::Roman,
    HeadingNumbering::Arabic,
    HeadingNumbering::Brackets,
    HeadingNumbering::Bare,
];

/// The number before a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enumerator<'t> {
    pub style: HeadingNumbering,
    /// The number, or 0 if there is none.
    pub number: u32,
    /// The text after the number.
    pub rest: &'t str,
}

const CLOSING: [char; 10] = ['、', '.', '．', ',', '，', ':', '：', ')', '）', '·'];

/// Splits the number from a line. A line without one is returned whole.
pub(crate) fn split(line: &str) -> Enumerator<'_> {
    let line = line.trim_start_matches(['#', '*', ' ', '　', '\u{a0}', '\t']).trim_end();
    let bare = Enumerator { style: HeadingNumbering::Bare, number: 0, rest: line };
    let opens = line.starts_with(['（', '(', '㈠', '㈡', '㈢', '㈣', '㈤', '㈥']);
    let body = line.trim_start_matches(['（', '(']);
    let part = body.strip_prefix('第').filter(|_| !opens);
    let body = part.unwrap_or(body);
    let Some((style, number, length)) = numeral(body) else { return bare };
    let behind = body.get(length..).unwrap_or_default();
    if part.is_some() {
        let Some(rest) = ["部分", "章", "篇"].iter().find_map(|word| behind.strip_prefix(word)) else {
            return bare;
        };
        let rest = rest.trim_start().trim_start_matches(CLOSING).trim_start();
        return Enumerator { style: HeadingNumbering::Part, number, rest };
    }
    let is_closed =
        behind.is_empty() || behind.starts_with(CLOSING) || behind.starts_with(char::is_whitespace);
    let style = if opens { HeadingNumbering::Brackets } else { style };
    let rest = behind.trim_start().trim_start_matches(CLOSING).trim_start();
    // 一季度 and 2023年 begin with a numeral that is no number of a heading.
    let is_roman_letter =
        style == HeadingNumbering::Roman && behind.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !(is_closed || line.starts_with(['㈠', '㈡', '㈢', '㈣', '㈤', '㈥'])) || is_roman_letter {
        return bare;
    }
    Enumerator { style, number, rest }
}

/// Reads a numeral up to 99 at the beginning of a text: its style, its value and its length in bytes.
fn numeral(text: &str) -> Option<(HeadingNumbering, u32, usize)> {
    let first = text.chars().next()?;
    if let Some(number) = bracketed(first).or_else(|| chinese(first)) {
        // 十一 and the like number no chapter of a report, but are numbers.
        let more: usize =
            text.chars().skip(1).take_while(|c| chinese(*c).is_some()).map(char::len_utf8).sum();
        let number = if more == 0 { number } else { 99 };
        return Some((HeadingNumbering::Chinese, number, first.len_utf8() + more));
    }
    if let Some(at) = "ⅠⅡⅢⅣⅤⅥ".chars().position(|c| c == first) {
        return Some((HeadingNumbering::Roman, u32::try_from(at).ok()? + 1, first.len_utf8()));
    }
    let letters = text.len() - text.trim_start_matches(['I', 'V']).len();
    let roman = ["I", "II", "III", "IV", "V", "VI"].iter().position(|n| text.get(..letters) == Some(n));
    if let Some(at) = roman {
        return Some((HeadingNumbering::Roman, u32::try_from(at).ok()? + 1, letters));
    }
    let digits: Vec<char> = text.chars().take_while(|c| arabic(*c).is_some()).collect();
    if digits.is_empty() || digits.len() > 2 {
        return None;
    }
    let number = digits.iter().filter_map(|c| arabic(*c)).fold(0, |sum, digit| sum * 10 + digit);
    Some((HeadingNumbering::Arabic, number, digits.iter().map(|c| c.len_utf8()).sum()))
}

fn arabic(c: char) -> Option<u32> {
    c.to_digit(10).or_else(|| u32::from(c).checked_sub(0xff10).filter(|digit| *digit < 10))
}

/// Returns the value of a Chinese numeral, also of the radicals that stand for them in some fonts.
fn chinese(c: char) -> Option<u32> {
    Some(match c {
        '一' | '⼀' | '㆒' | '壹' => 1,
        '二' | '⼆' | '㆓' => 2,
        '三' | '㆔' => 3,
        '四' | '㆕' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' | '⼋' => 8,
        '九' => 9,
        '十' | '⼗' => 10,
        _ => return None,
    })
}

fn bracketed(c: char) -> Option<u32> {
    let at = "㈠㈡㈢㈣㈤㈥".chars().position(|other| other == c)?;
    u32::try_from(at).ok().map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_split_from_headings() {
        let check = |line: &str, style: HeadingNumbering, number: u32, rest: &str| {
            assert_eq!(split(line), Enumerator { style, number, rest }, "{line}");
        };
        for line in
            ["一、总体情况", "一.总体情况", "一．总体情况", "⼀、总体情况", "一 总体情况", "## 一、 总体情况"]
        {
            check(line, HeadingNumbering::Chinese, 1, "总体情况");
        }
        for line in ["第二部分 主动公开", "第二部分：主动公开", "第二章、主动公开", "第2部分主动公开"]
        {
            check(line, HeadingNumbering::Part, 2, "主动公开");
        }
        check("Ⅲ、申请", HeadingNumbering::Roman, 3, "申请");
        check("IV. 诉讼", HeadingNumbering::Roman, 4, "诉讼");
        check("５．问题", HeadingNumbering::Arabic, 5, "问题");
        check("（六）其他", HeadingNumbering::Brackets, 6, "其他");
        check("一、", HeadingNumbering::Chinese, 1, "");
        for line in ["一季度公开信息", "2023年，我局", "总体情况", "第二十条第（一）项"]
        {
            check(line, HeadingNumbering::Bare, 0, line);
        }
    }
}
