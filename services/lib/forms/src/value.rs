//! The meaning of a cell's text: a number, nothing, a mark for "does not apply", or other text.
//!
//! A text is a number only if every character in it is accounted for. A stray digit read as part of a number would
//! give a wrong number, so a text with a line break or a single space between digits is not a number. The mark of a
//! footnote behind a number (`24①`, `24¹`, `24[1]`) is not part of it.

use gongkai_model::is_ideograph;
use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

use crate::{
    footnote_marks::{self, is_note_mark},
    form::Unit,
    residue,
};

/// Words and marks for "this does not apply here".
const NOT_APPLICABLE: [&str; 8] =
    ["无", "不适用", "不涉及", "无此项", "无此项内容", "无此类情况", "不涉及此项", "·"];

/// Counting words that may follow a number.
const COUNTING_WORDS: [&str; 20] = [
    "件", "条", "项", "宗", "个", "次", "份", "户", "起", "例", "篇", "期", "人", "家", "部", "册", "卷",
    "批", "人次", "件次",
];

/// Words of a note that corrects the number before it: `24（应为 27）`.
const CORRECTIONS: [&str; 16] = [
    "应为", "应是", "应该", "改", "更正", "订正", "修正", "勘误", "错", "误", "实为", "实际", "调整", "核减",
    "核增", "今年",
];

/// Words of a note about a number beside the one before it: `24（其中修订 16 件）`.
const BESIDE: [&str; 19] = [
    "其中",
    "含",
    "包括",
    "不计",
    "上年",
    "去年",
    "上一年",
    "同比",
    "环比",
    "比",
    "较",
    "累计",
    "截至",
    "结转",
    "原",
    "注",
    "见",
    "附件",
    "附表",
];

/// The meaning of a cell's text, independent of its cell in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellValue {
    /// Only white space, or nothing.
    Blank,
    /// `/`, `—`, `-`, `·`, 无, 不适用, 不涉及, 无此项.
    NotApplicable,
    /// A number, and the unit printed beside it.
    Number(Decimal, PrintedUnit),
    /// Anything else.
    Text,
}

/// The unit printed in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrintedUnit {
    /// No unit.
    Plain,
    /// A counting word: 件, 条, 户. Such a number is no amount of money.
    Counted,
    /// Money, by the power of ten of its unit in 元: 0 is 元, 4 is 万元.
    Money(u32),
}

/// Highest unit of money, as a power of ten: 万亿元.
const HIGHEST_UNIT: u32 = 12;

impl PrintedUnit {
    pub(crate) const YUAN: Self = Self::Money(0);
    pub(crate) const TEN_THOUSAND_YUAN: Self = Self::Money(4);

    /// Returns the unit of money that a title states: `采购总金额（万元）`, `单位：元`. `None` if it states none.
    pub(crate) fn stated(title: &str) -> Option<Self> {
        let (unit, before) = Self::at_last_yuan(title)?;
        let begins = match before.trim_end().chars().next_back() {
            Some(c) => matches!(c, '（' | '(' | '：' | ':' | '位' | '/' | '／' | '、' | '币' | '额'),
            None => true,
        };
        (begins || unit != Self::YUAN).then_some(unit)
    }

    /// Returns the last unit of money in a text, and the text before it: 万元 in 金额万元.
    pub(crate) fn at_last_yuan(text: &str) -> Option<(Self, &str)> {
        let mut before = text.get(..text.rfind('元')?)?.trim_end();
        let mut power = 0;
        while let Some((zeros, c)) = before.chars().next_back().and_then(|c| Some((zeros(c)?, c))) {
            power += zeros;
            before = before.get(..before.len() - c.len_utf8())?;
        }
        (power <= HIGHEST_UNIT).then_some((Self::Money(power), before))
    }

    /// Reads a unit of money and nothing else: 元, 千元, 百万元.
    fn money(text: &str) -> Option<Self> {
        let (unit, before) = Self::at_last_yuan(text).filter(|_| text.ends_with('元'))?;
        before.is_empty().then_some(unit)
    }

    /// Returns how many 元 the unit is; `None` if it is not money.
    fn in_yuan(self) -> Option<Decimal> {
        match self {
            Self::Plain | Self::Counted => None,
            Self::Money(power) => Some(Decimal::from(10_u64.checked_pow(power)?)),
        }
    }
}

/// Returns the number of zeros that a character of a unit stands for.
fn zeros(c: char) -> Option<u32> {
    Some(match c {
        '十' => 1,
        '百' => 2,
        '千' => 3,
        '万' => 4,
        '亿' => 8,
        _ => return None,
    })
}

impl CellValue {
    /// Reads a cell's text.
    pub(crate) fn of(text: &str) -> Self {
        if let Some(value) = plain_digits(text) {
            return value;
        }
        let text = residue::without(text);
        if begins_words(&text) {
            return Self::Text;
        }
        let text = footnote_marks::without(text.trim());
        // A mark that is left stands alone, before a number or inside it. It must not become a digit.
        if text.contains(is_note_mark) {
            return Self::Text;
        }
        let folded = text.chars().map(|c| if is_thin_space(c) { ',' } else { c }).nfkc();
        let clean: String = folded.filter(|c| !is_ignored(*c)).collect();
        let clean = clean.trim();
        if clean.is_empty() {
            return Self::Blank;
        }
        if NOT_APPLICABLE.contains(&clean) || clean.chars().all(is_mark) {
            return Self::NotApplicable;
        }
        number(without_note(clean)).unwrap_or(Self::Text)
    }

    /// Returns the value with the unit that the titles around it state, if it has none of its own.
    pub(crate) fn stated_in(self, unit: PrintedUnit) -> Self {
        match self {
            Self::Number(number, PrintedUnit::Plain) => Self::Number(number, unit),
            other => other,
        }
    }

    /// Returns true for a number with a unit of money of its own, and for zero, which is the same in every unit.
    pub(crate) fn has_unit(self) -> bool {
        matches!(self, Self::Number(number, printed) if matches!(printed, PrintedUnit::Money(_)) || number.is_zero())
    }

    /// Returns the number in a cell's unit; `None` if this is not a number or the printed unit does not fit the cell.
    pub(crate) fn in_unit(self, unit: Unit) -> Option<Decimal> {
        let Self::Number(number, printed) = self else { return None };
        let is_money = matches!(unit, Unit::Yuan | Unit::TenThousandYuan);
        if is_money && printed == PrintedUnit::Counted && !number.is_zero() {
            return None;
        }
        let Some(printed) = printed.in_yuan() else { return Some(number.normalize()) };
        let yuan = number.checked_mul(printed)?;
        let exact = match unit {
            Unit::Yuan => yuan,
            Unit::TenThousandYuan => yuan.checked_div(Decimal::from(10_000))?,
            Unit::Count | Unit::Change => return None,
        };
        Some(exact.normalize())
    }

    /// Returns true for a number, a blank or a mark: the contents of a value cell.
    pub(crate) fn is_value(self) -> bool {
        self != Self::Text
    }
}

/// Reads a few ASCII digits, and returns `None` for any other text. This is the fast path for most value cells.
fn plain_digits(text: &str) -> Option<CellValue> {
    let text = text.trim();
    if text.is_empty() {
        return Some(CellValue::Blank);
    }
    let plain = text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    let number: i64 = if plain { text.parse().ok()? } else { return None };
    Some(CellValue::Number(Decimal::from(number), PrintedUnit::Plain))
}

/// Fast path for labels: returns true if the beginning of the text excludes a value. That is a bracket, a Han
/// character that begins neither 无, 不适用 nor a word of change (增, 减), or a number before a unit that cells do
/// not have.
fn begins_words(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| !c.is_whitespace() && !is_ignored(*c));
    let first = letters.next().unwrap_or(' ');
    match first {
        '（' | '(' => true,
        // The digits are an enumerator: `1.属于国家秘密`.
        '0'..='9' => {
            let next = letters.find(|c| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(' ');
            next == '、' || is_ideograph(next) && !begins_unit(next)
        }
        _ => is_ideograph(first) && !matches!(first, '无' | '不' | '减' | '增'),
    }
}

/// Returns true for the first character of a counting word or of a unit of money.
fn begins_unit(c: char) -> bool {
    matches!(c, '元' | '注') || zeros(c).is_some() || COUNTING_WORDS.iter().any(|word| word.starts_with(c))
}

/// Returns true for characters without meaning in a number: zero-width ones, and the asterisks and backticks of Markdown.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '*' | '`')
}

/// Returns true for spaces that separate thousands. An ordinary space may also separate two cells that were joined.
fn is_thin_space(c: char) -> bool {
    matches!(c, '\u{2009}' | '\u{202f}' | '\u{2007}')
}

fn is_mark(c: char) -> bool {
    matches!(c, '/' | '-' | '—' | '–' | '―' | '−' | '─' | '_')
}

/// Removes a note in brackets: `22(其中修订 16 件)`. A note that may correct the number stays, and the text is no number.
fn without_note(text: &str) -> &str {
    match text.split_once('(') {
        // 5000(元): the unit in brackets is no note.
        Some((_, note)) if note.strip_suffix(')').and_then(PrintedUnit::money).is_some() => text,
        Some((head, note)) if note.strip_suffix(')').is_some_and(is_harmless) => head.trim_end(),
        _ => text,
    }
}

/// Returns true for the words of a note that leave the number before it as it is. A note with a number says what that
/// number is: a part, or the one of another time.
fn is_harmless(note: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| note.contains(word));
    let is_one = bracket_depths(note).all(|depth| depth >= 0);
    let has_number = note.contains(|c: char| c.is_ascii_digit());
    is_one && note.chars().any(char::is_alphabetic) && !has(&CORRECTIONS) && (!has_number || has(&BESIDE))
}

/// Returns how many brackets are open behind each character.
fn bracket_depths(text: &str) -> impl Iterator<Item = i32> {
    text.chars().scan(0, |depth, c| {
        *depth += i32::from(c == '(') - i32::from(c == ')');
        Some(*depth)
    })
}

fn number(text: &str) -> Option<CellValue> {
    if text.ends_with("()") {
        return None;
    }
    let (sign, rest) = sign(text);
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect();
    let unit = rest.get(digits.len()..)?.trim();
    let printed = match unit.trim_start_matches('(').trim_end_matches(')') {
        "" => PrintedUnit::Plain,
        word if COUNTING_WORDS.contains(&word) => PrintedUnit::Counted,
        word => PrintedUnit::money(word)?,
    };
    let value: Decimal = ungrouped(digits.trim())?.parse().ok()?;
    let value = if sign { value.checked_mul(Decimal::NEGATIVE_ONE)? } else { value };
    Some(CellValue::Number(value.normalize(), printed))
}

/// Returns whether the number is negative, and the rest of the text.
fn sign(text: &str) -> (bool, &str) {
    for (mark, negative) in
        [("减少", true), ("增加", false), ("减", true), ("增", false), ("-", true), ("−", true), ("+", false)]
    {
        if let Some(rest) = text.strip_prefix(mark) {
            return (negative, rest.trim_start());
        }
    }
    (false, text)
}

/// Returns the digits without thousands separators; `None` if the separators are not three digits apart.
fn ungrouped(digits: &str) -> Option<String> {
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    if fraction.is_some_and(|f| !f.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let mut groups = whole.split(',');
    let head = groups.next()?;
    let mut joined = head.to_owned();
    let mut grouped = false;
    for group in groups {
        grouped = true;
        if group.len() != 3 {
            return None;
        }
        joined.push_str(group);
    }
    if grouped && (head.is_empty() || head.len() > 3 || head.starts_with('0')) {
        return None;
    }
    if joined.is_empty() || !joined.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if let Some(fraction) = fraction {
        joined.push('.');
        joined.push_str(fraction);
    }
    Some(joined)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, unit: Unit, expect: Option<&str>) {
        let value = CellValue::of(text).in_unit(unit).map(|v| v.to_string());
        assert_eq!(value.as_deref(), expect, "{text:?}");
    }

    #[test]
    fn numbers_are_read_exactly() {
        for (text, expect) in [
            ("0", "0"),
            ("17 ", "17"),
            ("\u{a0}17\u{3000}", "17"),
            ("１２３", "123"),
            ("1,234", "1234"),
            ("1，234", "1234"),
            ("1\u{202f}234", "1234"),
            ("0[bookmark: _GoBack]", "0"),
            ("12件", "12"),
            ("22（其中修订 16 件）", "22"),
            ("22\n（其中修订 16 件）", "22"),
            ("-1", "-1"),
            ("－1", "-1"),
            ("+1036", "1036"),
            ("减4", "-4"),
            ("增 4", "4"),
            ("007", "7"),
            ("11398889", "11398889"),
            ("\u{200b}5\u{feff}", "5"),
            ("1.5", "1.5"),
            ("**5**", "5"),
            ("`5`", "5"),
            ("3份", "3"),
            ("2 户", "2"),
            ("5宗", "5"),
            ("24①", "24"),
            ("24¹", "24"),
            ("24 ⑿", "24"),
            ("24[1]", "24"),
            ("24［¹］", "24"),
            ("24注①", "24"),
            ("24（注²）", "24"),
            ("24（原17）", "24"),
            ("24（含上年结转（补正中）3件）", "24"),
            ("24（比上年增加3件）", "24"),
            ("24（已公开）", "24"),
            ("24※", "24"),
            ("24*", "24"),
            ("1,234②", "1234"),
        ] {
            check(text, Unit::Count, Some(expect));
        }
    }

    #[test]
    fn money_is_converted_exactly_into_the_cells_unit() {
        check("17.27万元", Unit::Yuan, Some("172700"));
        check("251000元", Unit::TenThousandYuan, Some("25.1"));
        check("251000元", Unit::Yuan, Some("251000"));
        check("59237.2449", Unit::TenThousandYuan, Some("59237.2449"));
        check("0.00", Unit::TenThousandYuan, Some("0"));
        check("3元", Unit::Count, None);
        check("29.50件", Unit::TenThousandYuan, None);
        check("7户", Unit::Yuan, None);
        check("0件", Unit::TenThousandYuan, Some("0"));
        check("5300（元）", Unit::TenThousandYuan, Some("0.53"));
        check("5300 (元)", Unit::Yuan, Some("5300"));
        check("1.0731亿元", Unit::TenThousandYuan, Some("10731"));
        check("1.0731亿元", Unit::Yuan, Some("107310000"));
        check("73千元", Unit::TenThousandYuan, Some("7.3"));
        check("1.9百万元", Unit::TenThousandYuan, Some("190"));
        check("47（千元）", Unit::Yuan, Some("47000"));
        check("3千万元", Unit::Yuan, Some("30000000"));
    }

    #[test]
    fn a_title_states_the_unit_of_the_numbers_below() {
        for (title, expect) in [
            ("采购总金额（万元）", Some(PrintedUnit::TEN_THOUSAND_YUAN)),
            ("本年收费金额（单位：元）", Some(PrintedUnit::YUAN)),
            ("单位：亿元", Some(PrintedUnit::Money(8))),
            ("本年收费金额（千元）", Some(PrintedUnit::Money(3))),
            ("采购总金额（单位：百万元）", Some(PrintedUnit::Money(6))),
            ("金额（人民币元）", Some(PrintedUnit::YUAN)),
            ("元", Some(PrintedUnit::YUAN)),
            ("多元化解", None),
            ("规章", None),
        ] {
            assert_eq!(PrintedUnit::stated(title), expect, "{title}");
        }
    }

    #[test]
    fn what_is_not_wholly_a_number_is_none() {
        for text in [
            "1\n2",
            "1 2",
            "12 34",
            "620 238",
            "1\u{a0}234",
            "1,23",
            ",123",
            "0,123",
            "1.2.3",
            "3.",
            "约3",
            "3余",
            "十二",
            "O",
            "1/2",
            "1-2",
            "（3）",
            "12%",
            "①",
            "²⁴",
            "①24",
            "2①4",
            "24（1）",
            "24（应为27）",
            "24（更正为27）",
            "24（改为 27）",
            "24（错，27）",
            "24（核减后27）",
            "24（原17，应为27）",
            "24（27）",
            "24（后补27件）",
            "24（有误）",
            "24（去年）、27（今年）",
            "24\n（应为27）",
            "24()",
            "●",
            "√",
        ] {
            assert_eq!(CellValue::of(text), CellValue::Text, "{text:?}");
        }
    }

    #[test]
    fn blanks_and_marks_are_kept_apart() {
        for text in ["", " ", "\u{a0}", "　", "\u{200b}"] {
            assert_eq!(CellValue::of(text), CellValue::Blank, "{text:?}");
        }
        for text in ["/", "／", "—", "——", "-", "－", "无", "不适用", " / ", "不涉及", "无此项", "·"]
        {
            assert_eq!(CellValue::of(text), CellValue::NotApplicable, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_count_reads_back_in_every_dress(number in 0u32..10_000_000) {
            let wide: String = number.to_string().chars()
                .map(|c| char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap()).collect();
            for text in [number.to_string(), wide, format!(" {number}件"), format!("{number}（其中 3 件）")] {
                prop_assert_eq!(CellValue::of(&text).in_unit(Unit::Count), Some(Decimal::from(number)));
            }
        }

        #[test]
        fn what_begins_words_is_no_value(text in "[ 　（(一-龥\u{200b}]{0,2}[0-9件（(）)元/—*、. ，,一万]{0,7}") {
            prop_assume!(begins_words(&text) && plain_digits(&text).is_none());
            let clean: String = text.nfkc().filter(|c| !is_ignored(*c)).collect();
            let clean = clean.trim();
            prop_assert!(!clean.is_empty() && !clean.chars().all(is_mark), "{:?}", text);
            prop_assert_eq!(number(without_note(clean)), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = CellValue::of(&text);
        }
    }
}
