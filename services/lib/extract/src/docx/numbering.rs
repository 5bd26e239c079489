//! Automatic list labels, which Word computes and the file does not contain: 一、 （一） 1.

use std::collections::HashMap;

use gongkai_model::Rejection;
use quick_xml::events::BytesStart;

use super::xml::{self, Node};
use crate::limits::Limits;

/// Number of levels of a list.
const LEVELS: usize = 9;

/// The lists of a document, with the current number of each of their levels.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstracts: HashMap<u32, [ListLevel; LEVELS]>,
    lists: HashMap<u32, NumberedList>,
    /// Counters by abstract list. Lists that share one continue its numbers.
    counters: HashMap<u32, [Option<u32>; LEVELS]>,
}

#[derive(Debug, Clone, Default)]
struct ListLevel {
    start: Option<u32>,
    format: String,
    text: String,
    /// The paragraph style that this level belongs to.
    style: Option<String>,
    arabic_only: bool,
}

#[derive(Debug, Default)]
struct NumberedList {
    of: u32,
    /// The numbers at which levels restart in this list.
    starts: [Option<u32>; LEVELS],
    own_levels: HashMap<usize, ListLevel>,
    begun: bool,
}

/// The elements around the present position in the part.
#[derive(Debug, Default)]
struct NumberingWalk {
    defined: Option<u32>,
    list: Option<u32>,
    level: Option<usize>,
}

impl Numbering {
    pub(super) fn read(part: &str, limits: &Limits) -> Result<Self, Rejection> {
        let mut numbering = Self::default();
        let mut walk = NumberingWalk::default();
        xml::walk(part, limits, |node| {
            match node {
                Node::Start(tag, _) => numbering.note(tag, &mut walk),
                Node::End("abstractNum") => walk.defined = None,
                Node::End("num") => walk.list = None,
                Node::End("lvl" | "lvlOverride") => walk.level = None,
                Node::End(_) | Node::Text(_) => {}
            }
            Ok(())
        })?;
        Ok(numbering)
    }

    /// Returns the label of the next paragraph of a list, or `None` for a bullet or a list that does not exist.
    pub(super) fn next(&mut self, list: u32, level: Option<u32>, style: Option<&str>) -> Option<String> {
        let list = self.lists.get_mut(&list)?;
        let levels = Levels { shared: self.abstracts.get(&list.of)?, own: &list.own_levels };
        let at = level.map(|level| level as usize).or_else(|| levels.of_style(style)).unwrap_or(0);
        let this = levels.get(at)?;
        let counters = self.counters.entry(list.of).or_default();
        // The first paragraph of a list may restart the numbers, each later one continues them.
        let anew = list.starts.get(at).copied().flatten().filter(|_| !list.begun);
        list.begun = true;
        for (above, counter) in counters.iter_mut().enumerate().take(at) {
            counter.get_or_insert_with(|| levels.start(above));
        }
        let own = counters.get_mut(at)?;
        let counted = own.map_or_else(|| levels.start(at), |count| count.saturating_add(1));
        *own = Some(anew.unwrap_or(counted));
        counters.iter_mut().skip(at + 1).for_each(|counter| *counter = None);
        let label = levels.label(this, counters);
        let counts = !matches!(this.format.as_str(), "bullet" | "none");
        (counts && !label.trim().is_empty()).then_some(label)
    }

    fn note(&mut self, tag: &BytesStart<'_>, walk: &mut NumberingWalk) {
        let id = |name| xml::attribute(tag, name).and_then(|value| value.parse::<u32>().ok());
        match tag.local_name().as_ref() {
            "abstractNum" => {
                walk.defined = id("abstractNumId");
                self.abstracts.extend(walk.defined.map(|id| (id, <[ListLevel; LEVELS]>::default())));
            }
            "num" => {
                walk.list = id("numId");
                self.lists.extend(walk.list.map(|id| (id, NumberedList::default())));
            }
            "lvl" | "lvlOverride" => walk.level = id("ilvl").map(|level| level as usize),
            "abstractNumId" => {
                if let (Some(list), Some(of)) = (self.list(walk), xml::number(tag)) {
                    list.of = of;
                }
            }
            "startOverride" => {
                let (level, start) = (walk.level, xml::number(tag));
                let slot = level.and_then(|level| self.list(walk)?.starts.get_mut(level));
                if let Some(slot) = slot {
                    *slot = start;
                }
            }
            name => {
                if let Some(level) = self.level(walk) {
                    level.note(name, tag);
                }
            }
        }
    }

    fn list(&mut self, walk: &NumberingWalk) -> Option<&mut NumberedList> {
        self.lists.get_mut(&walk.list?)
    }

    fn level(&mut self, walk: &NumberingWalk) -> Option<&mut ListLevel> {
        let at = walk.level.filter(|at| *at < LEVELS)?;
        match walk.defined {
            Some(id) => self.abstracts.get_mut(&id)?.get_mut(at),
            None => Some(self.list(walk)?.own_levels.entry(at).or_default()),
        }
    }
}

/// The levels of one list: its own, or else the shared ones.
struct Levels<'a> {
    shared: &'a [ListLevel; LEVELS],
    own: &'a HashMap<usize, ListLevel>,
}

impl<'a> Levels<'a> {
    fn get(&self, at: usize) -> Option<&'a ListLevel> {
        self.own.get(&at).or_else(|| self.shared.get(at))
    }

    fn of_style(&self, style: Option<&str>) -> Option<usize> {
        self.shared.iter().position(|level| style.is_some() && level.style.as_deref() == style)
    }

    fn start(&self, at: usize) -> u32 {
        self.get(at).and_then(|level| level.start).unwrap_or(1)
    }

    /// Returns the label: its pattern with `%1` and so on replaced by the counts of those levels.
    fn label(&self, this: &ListLevel, counters: &[Option<u32>]) -> String {
        let mut label = String::new();
        let mut rest = this.text.chars();
        while let Some(c) = rest.next() {
            let digit =
                if c == '%' { rest.as_str().chars().next().and_then(|d| d.to_digit(10)) } else { None };
            let Some(shown) = digit.and_then(|digit| (digit as usize).checked_sub(1)) else {
                label.push(c);
                continue;
            };
            rest.next();
            let count = counters.get(shown).copied().flatten().unwrap_or_else(|| self.start(shown));
            let format = self.get(shown).map_or("decimal", |level| level.format.as_str());
            label.push_str(&written(count, if this.arabic_only { "decimal" } else { format }));
        }
        label
    }
}

impl ListLevel {
    fn note(&mut self, name: &str, tag: &BytesStart<'_>) {
        match name {
            "start" => self.start = xml::number(tag),
            "numFmt" => self.format = xml::attribute(tag, "val").unwrap_or_default(),
            "lvlText" => self.text = xml::attribute(tag, "val").unwrap_or_default(),
            "pStyle" => self.style = xml::attribute(tag, "val"),
            "isLgl" => self.arabic_only = xml::is_on(tag),
            _ => {}
        }
    }
}

// === numerals ===

/// Formats a count.
fn written(count: u32, format: &str) -> String {
    match format {
        "chineseCounting"
        | "chineseCountingThousand"
        | "japaneseCounting"
        | "taiwaneseCounting"
        | "taiwaneseCountingThousand"
        | "koreanCounting" => chinese(count),
        "ideographDigital" | "japaneseDigitalTenThousand" | "taiwaneseDigital" => digit_by_digit(count),
        "chineseLegalSimplified" | "ideographLegalTraditional" | "japaneseLegal" => formal(count),
        "decimalZero" => format!("{count:02}"),
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => enclosed(count, '①', 20),
        "decimalEnclosedParen" => enclosed(count, '⑴', 20),
        "decimalEnclosedFullstop" => enclosed(count, '⒈', 20),
        "ideographEnclosedCircle" => enclosed(count, '㊀', 10),
        "decimalFullWidth" | "decimalFullWidth2" => {
            let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c);
            count.to_string().chars().map(wide).collect()
        }
        "lowerLetter" => letters(count, b'a'),
        "upperLetter" => letters(count, b'A'),
        "lowerRoman" => roman(count).to_lowercase(),
        "upperRoman" => roman(count),
        "ideographTraditional" => cyclic(count, "甲乙丙丁戊己庚辛壬癸"),
        "ideographZodiac" => cyclic(count, "子丑寅卯辰巳午未申酉戌亥"),
        "none" | "bullet" => String::new(),
        _ => count.to_string(),
    }
}

const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

fn digit(value: u32) -> char {
    DIGITS.get(value as usize).copied().unwrap_or('〇')
}

/// Formats a count as 十一 or 一百零五; from ten thousand on, in digits.
fn chinese(count: u32) -> String {
    if count == 0 || count >= 10_000 {
        return if count == 0 { "〇".to_owned() } else { count.to_string() };
    }
    let mut text = String::new();
    let mut gap = false;
    for (unit, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let value = count / unit % 10;
        if value == 0 {
            gap |= !text.is_empty();
            continue;
        }
        if gap {
            text.push('零');
            gap = false;
        }
        if !(unit == 10 && value == 1 && text.is_empty()) {
            text.push(digit(value));
        }
        text.push_str(name);
    }
    text
}

fn digit_by_digit(count: u32) -> String {
    count.to_string().chars().map(|c| digit(c.to_digit(10).unwrap_or(0))).collect()
}

fn formal(count: u32) -> String {
    let plain = "一二三四五六七八九十百千零".chars();
    let legal: Vec<char> = "壹贰叁肆伍陆柒捌玖拾佰仟零".chars().collect();
    let map: HashMap<char, char> = plain.zip(legal).collect();
    let text = chinese(count);
    text.chars().map(|c| map.get(&c).copied().unwrap_or(c)).collect()
}

fn enclosed(count: u32, first: char, last: u32) -> String {
    let c = (1..=last).contains(&count).then(|| char::from_u32(u32::from(first) + count - 1)).flatten();
    c.map_or_else(|| count.to_string(), String::from)
}

/// Formats a count as a … z, aa … zz.
fn letters(count: u32, first: u8) -> String {
    let Some(index) = count.checked_sub(1) else { return String::new() };
    let letter = char::from(first + u8::try_from(index % 26).unwrap_or(0));
    let times = (index / 26 + 1).min(8);
    (0..times).map(|_| letter).collect()
}

fn roman(count: u32) -> String {
    if count == 0 || count >= 4000 {
        return count.to_string();
    }
    let mut rest = count;
    let mut text = String::new();
    let steps = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    for (value, name) in steps {
        while rest >= value {
            text.push_str(name);
            rest -= value;
        }
    }
    text
}

fn cyclic(count: u32, names: &str) -> String {
    let length = u32::try_from(names.chars().count()).unwrap_or(1);
    let index = count.checked_sub(1).map(|index| index % length);
    index.and_then(|index| names.chars().nth(index as usize)).map_or_else(|| count.to_string(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_as_the_format_says() {
        for (count, format, expect) in [
            (7, "decimal", "7"),
            (1, "chineseCounting", "一"),
            (10, "chineseCountingThousand", "十"),
            (12, "japaneseCounting", "十二"),
            (20, "chineseCounting", "二十"),
            (105, "chineseCounting", "一百零五"),
            (110, "chineseCounting", "一百一十"),
            (2024, "ideographDigital", "二〇二四"),
            (23, "chineseLegalSimplified", "贰拾叁"),
            (3, "decimalEnclosedCircle", "③"),
            (21, "decimalEnclosedCircle", "21"),
            (28, "lowerLetter", "bb"),
            (1994, "upperRoman", "MCMXCIV"),
            (3, "ideographTraditional", "丙"),
            (14, "decimalFullWidth", "１４"),
            (5, "decimalZero", "05"),
        ] {
            assert_eq!(written(count, format), expect, "{format}");
        }
    }
}
