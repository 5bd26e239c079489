//! The kind of a line of flattened text, without knowing any form: the first step of the text readers.

use super::run_together::{self, CutKind, CutLine};
use crate::source_text::SourceText;

/// Maximum length of a line that can still be a table's label, in scalars.
const LONGEST_LABEL: usize = 56;

/// Minimum number of numbers at the end of a line with a comma for it not to be a sentence.
const FEWEST_NUMBERS: usize = 3;

/// A line and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Scalar index of the line's first character.
    pub first: usize,
    /// Text of the line without the line end, not trimmed.
    pub text: &'a str,
    /// Kind of the line.
    pub kind: LineKind,
    /// True for a cell of a table that lost its line breaks.
    pub is_cell: bool,
}

/// The kind of a line by its appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Only white space.
    Blank,
    /// A chapter's title, or a Markdown heading. Ends any table.
    Heading,
    /// `— 4 —` and the like.
    PageNumber,
    /// `|---|---|` of Markdown.
    Separator,
    /// Contains a bar.
    Bars,
    /// Contains a TAB and no sentence.
    Tabs,
    /// Numbers only.
    Number,
    /// A label, then numbers, separated by spaces.
    Spaced,
    /// `/`, `—`, 无: a cell in a table, a word elsewhere.
    Mark,
    /// Short enough for a label, and not a sentence.
    Short,
    /// Anything else.
    Prose,
}

impl LineKind {
    /// Returns true if the line may be inside a table.
    pub(crate) fn fits_table(self) -> bool {
        !matches!(self, Self::Heading | Self::Prose)
    }
}

/// Returns all lines of a text.
pub(crate) fn classify(source: &SourceText) -> Vec<Line<'_>> {
    let rows: Vec<(usize, &str)> = source.lines().collect();
    let mut lines = Vec::with_capacity(rows.len());
    let mut rest = rows.as_slice();
    while let Some((row, behind)) = rest.split_first() {
        let (first, text) = *row;
        rest = behind;
        let Some(parts) = run_together::lines(text) else {
            lines.push(Line { first, text, kind: kind(without_bookmark(text)), is_cell: false });
            continue;
        };
        let opening = open_before(&lines, &parts);
        let from = opening.and_then(|at| lines.get(at)).map(|line: &Line<'_>| line.first);
        lines.truncate(opening.unwrap_or(lines.len()));
        let breaks = if ends_broken(&parts) { broken_lines(behind) } else { 0 };
        let start = from.unwrap_or(first);
        let last = breaks.checked_sub(1).and_then(|at| behind.get(at)).unwrap_or(row);
        let is_broken = from.is_some() || breaks > 0;
        let whole = is_broken.then(|| source.between(start, last.0 + last.1.chars().count()));
        match whole.and_then(run_together::lines) {
            Some(joined) => lines.extend(joined.iter().map(|part| cut_line(start, part))),
            None => lines.extend(parts.iter().map(|part| cut_line(first, part))),
        }
        rest = behind.get(breaks..).unwrap_or_default();
    }
    lines
}

/// Minimum length of a line that a line break may have cut inside a heading, in bytes.
const SHORTEST_BROKEN: usize = 120;

/// Maximum number of lines, from one without an end on, that a heading or the head of a table is cut into.
const MOST_BROKEN: usize = 3;

/// Returns the index of the long line without an end that these parts continue: a line break is inside a heading or the
/// head of a table.
fn open_before(lines: &[Line<'_>], parts: &[CutLine<'_>]) -> Option<usize> {
    if parts.first().is_some_and(|part| part.kind == CutKind::Heading) {
        return None;
    }
    let last = lines.iter().rev().take(MOST_BROKEN);
    let inside = last.take_while(|line| matches!(line.kind, LineKind::Prose | LineKind::Short)).count();
    let is_open = |line: &Line<'_>| {
        let text = line.text.trim_end();
        line.kind == LineKind::Prose && text.len() >= SHORTEST_BROKEN && !text.ends_with(['。', '：', ':'])
    };
    (lines.len() - inside..lines.len()).rev().find(|at| lines.get(*at).is_some_and(is_open))
}

/// Returns true if a table that lost its line breaks goes on behind its last part.
fn ends_broken(parts: &[CutLine<'_>]) -> bool {
    parts.last().is_some_and(|part| part.kind != CutKind::Prose || !part.text.ends_with(['。', '！']))
}

/// Returns how many lines continue a table that lost most of its line breaks: those up to a sentence or a blank line.
fn broken_lines(rest: &[(usize, &str)]) -> usize {
    let is_open = |text: &str| !text.trim().is_empty() && !text.contains(['|', '\t']) && !is_title(text);
    let lines = rest.iter().take_while(|(_, text)| is_open(text)).count();
    let sentence = rest.iter().take(lines).position(|(_, text)| text.contains('。'));
    sentence.map_or(lines, |at| at + 1)
}

/// Returns a piece of a line that starts at scalar `first`.
fn cut_line<'a>(first: usize, part: &CutLine<'a>) -> Line<'a> {
    let kind = if part.kind == CutKind::Heading { LineKind::Heading } else { kind(part.text) };
    Line { first: first + part.first, text: part.text, kind, is_cell: part.kind == CutKind::Cell }
}

/// Returns true for a line of values, with or without a label.
pub(crate) fn holds_values(line: &str) -> bool {
    matches!(kind(line), LineKind::Number | LineKind::Spaced | LineKind::Tabs | LineKind::Mark)
}

impl<'a> Line<'a> {
    /// Returns the line as part of a table: without the bookmark that a word processor left at its end.
    pub(crate) fn in_table(&self) -> Self {
        Self { text: without_bookmark(self.text), ..*self }
    }
}

/// Returns true for a text that begins with a number of its own: `2.`, `（三）`, `四、`.
pub(crate) fn is_item(text: &str) -> bool {
    let bare = text.trim_start().trim_start_matches(['（', '(']);
    let number = |c: char| c.is_ascii_digit() || "一二三四五六七八九十第".contains(c);
    let rest = bare.trim_start_matches(number);
    rest.len() < bare.len() && rest.starts_with(['.', '．', '、', '）', ')', '条'])
}

/// Removes `[bookmark: _GoBack]` from the end of a line.
fn without_bookmark(line: &str) -> &str {
    // Most lines end in a digit or a Han character.
    let last = line.bytes().next_back().unwrap_or(0);
    let ended = !last.is_ascii_digit() && line.trim_end().ends_with(']');
    ended.then(|| line.rfind("[bookmark:")).flatten().and_then(|at| line.get(..at)).unwrap_or(line)
}

fn kind(line: &str) -> LineKind {
    // Most lines of a flattened table consist of digits.
    if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) {
        return LineKind::Number;
    }
    let text = line.trim();
    if text.is_empty() {
        return if line.contains('\t') { LineKind::Tabs } else { LineKind::Blank };
    }
    if is_dashes(text) {
        return LineKind::Separator;
    }
    if text.starts_with('#') || is_chapter_title(text) {
        return LineKind::Heading;
    }
    if is_page_number(text) {
        return LineKind::PageNumber;
    }
    if is_title_with_bars(text) {
        return LineKind::Short;
    }
    if text.contains('|') {
        let rule = text.contains("--") && text.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
        return if rule { LineKind::Separator } else { LineKind::Bars };
    }
    if text.contains(['。', '；', '！', '？']) {
        return LineKind::Prose;
    }
    if line.contains('\t') {
        return LineKind::Tabs;
    }
    plain_kind(text)
}

/// Minimum number of dashes of a rule.
const SHORTEST_RULE: usize = 10;

/// Returns true for the rule of dashes under or above the columns of a table.
fn is_dashes(text: &str) -> bool {
    text.starts_with('-')
        && text.bytes().all(|byte| matches!(byte, b'-' | b' '))
        && text.bytes().filter(|byte| *byte == b'-').count() >= SHORTEST_RULE
}

/// Returns the kind of a line without bars, TABs and sentences.
fn plain_kind(text: &str) -> LineKind {
    if is_mark(text) {
        return LineKind::Mark;
    }
    let numbers = words(text).rev().take_while(|(_, word)| is_number(word) || is_mark(word)).count();
    let last_is_number = numbers > 0;
    if is_number(text) || words(text).nth(numbers).is_none() {
        return LineKind::Number;
    }
    if numbers >= 7 {
        return LineKind::Spaced;
    }
    let label = || text.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_digit());
    if text.len() > LONGEST_LABEL && label().count() > LONGEST_LABEL {
        return LineKind::Prose;
    }
    let is_sentence = text.contains('，') && !text.contains("  ") && numbers < FEWEST_NUMBERS;
    if last_is_number && text.contains(char::is_whitespace) && !is_sentence {
        return LineKind::Spaced;
    }
    LineKind::Short
}

/// Returns true for several words of which the last is a number: `行政许可 0`.
pub(super) fn ends_in_number(text: &str) -> bool {
    let mut words = words(text).rev();
    words.next().is_some_and(|(_, last)| is_number(last) || is_mark(last)) && words.next().is_some()
}

/// Returns true for the title of a report with bars between its parts: 某局2023年政府信息公开工作年度报告 | 某县. A row of
/// a table has outer bars, or more cells.
fn is_title_with_bars(text: &str) -> bool {
    let bars = text.matches('|').count();
    (1..=2).contains(&bars)
        && !text.starts_with('|')
        && !text.ends_with('|')
        && text.contains("公开工作年度报告")
}

/// Returns true for a chapter's title.
pub(crate) fn is_title(line: &str) -> bool {
    is_chapter_title(line.trim())
}

/// Returns true for `一、总体情况`, `3. 收到和处理…情况`, `（六）其他需要报告的事项`: a numeral and one of the last
/// words of chapter titles.
fn is_chapter_title(text: &str) -> bool {
    let rest = text.trim_start_matches(['（', '(']);
    let is_part = rest.starts_with('第');
    let rest = rest.trim_start_matches('第');
    let body = rest.trim_start_matches(is_numeral);
    let is_closed =
        if is_part { body.starts_with("部分") } else { body.starts_with(['、', '.', '．', ')', '）']) };
    if body.len() == rest.len() || !is_closed {
        return false;
    }
    let body = body.trim_start_matches("部分").trim_start_matches(['、', '.', '．', ')', '）', ' ', '：']);
    let body = body.trim_end_matches(['：', ':', '*', ' ']);
    let ends = ["情况", "报告的事项", "报告事项", "说明的事项", "措施", "改进", "概述", "行政诉讼"];
    let short = body.chars().nth(32).is_none();
    short && ends.iter().any(|end| body.ends_with(end)) && !body.contains(['，', '|', '\t'])
}

/// Returns true for `一` to `十` and `0` to `9`, which number chapters and paragraphs.
pub(super) fn is_numeral(c: char) -> bool {
    matches!(c, '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十') || c.is_ascii_digit()
}

/// Returns true for `— 4 —`, `- 4 -`, `第 4 页`, `第4页 共8页`.
fn is_page_number(text: &str) -> bool {
    let dash = |c: char| matches!(c, '-' | '—' | '–' | '－' | '―' | '─' | ' ' | '　');
    let dashed = text.starts_with(dash) && text.ends_with(dash);
    let paged = text.starts_with('第') && text.ends_with('页') || text.starts_with('共');
    let inner = text.trim_matches(dash);
    let inner = inner.trim_start_matches('第').trim_end_matches('页').trim();
    let is_number = (1..=3).contains(&inner.len()) && inner.bytes().all(|b| b.is_ascii_digit());
    (dashed || paged) && is_number || run_together::is_page_mark(text)
}

/// Returns the words of a line with their first bytes. A note in brackets belongs to the number before it:
/// `22（其中修订 16 件）` is one word.
pub(super) fn words(text: &str) -> impl DoubleEndedIterator<Item = (usize, &str)> {
    RemainingWords { text, first: 0 }
}

/// The words of a text that are left.
struct RemainingWords<'a> {
    text: &'a str,
    /// Byte at which `text` begins in the line.
    first: usize,
}

impl<'a> Iterator for RemainingWords<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text.trim_start();
        let start = self.first + (self.text.len() - text.len());
        let mut end = text.find(char::is_whitespace).unwrap_or(text.len());
        let word = text.get(..end)?;
        if word.starts_with(|c: char| c.is_ascii_digit())
            && let Some(open) = word.rfind(['（', '('])
            && !word.get(open..)?.contains(['）', ')'])
            && let Some(length) = text.get(open..)?.find(['）', ')'])
        {
            let close = open + length;
            end = close + text.get(close..)?.chars().next().map_or(0, char::len_utf8);
        }
        let (word, rest) = text.split_at_checked(end).filter(|(word, _)| !word.is_empty())?;
        (self.text, self.first) = (rest, start + end);
        Some((start, word))
    }
}

impl DoubleEndedIterator for RemainingWords<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let text = self.text.trim_end();
        let mut start =
            text.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8());
        if text.ends_with(['）', ')'])
            && let Some(open) = text.rfind(['（', '('])
            && open < start
        {
            let before = text.get(..open)?;
            let own = before
                .char_indices()
                .rev()
                .find(|(_, c)| c.is_whitespace())
                .map_or(0, |(at, c)| at + c.len_utf8());
            if before.get(own..)?.starts_with(|c: char| c.is_ascii_digit()) {
                start = own;
            }
        }
        let word = text.get(start..).filter(|word| !word.is_empty())?;
        self.text = text.get(..start)?;
        Some((self.first + start, word))
    }
}

/// Returns true for `/`, `—`, 无 and the like.
pub(crate) fn is_mark(text: &str) -> bool {
    matches!(text, "无" | "不适用" | "不涉及" | "无此项" | "·")
        || text.chars().all(|c| matches!(c, '/' | '／' | '-' | '－' | '—' | '–' | '―'))
}

/// Units and counting words that may follow a number.
const UNITS: [&str; 27] = [
    "",
    "件",
    "条",
    "项",
    "宗",
    "个",
    "次",
    "份",
    "户",
    "起",
    "例",
    "篇",
    "期",
    "人",
    "家",
    "部",
    "册",
    "批",
    "元",
    "千元",
    "万元",
    "十万元",
    "百万元",
    "千万元",
    "亿元",
    "%",
    "％",
];

/// Returns true for the mark of a footnote behind a number: `①`, `¹`, `※`.
fn is_note_mark(c: char) -> bool {
    matches!(c, '\u{2460}'..='\u{249b}' | '\u{2776}'..='\u{2793}' | '¹' | '²' | '³' | '⁰' | '⁴'..='⁹' | '※' | '*' | ' ')
}

/// Returns true for a number as tables print it: `0`, `1,234`, `减4`, `12件`, `17.27万元`, `22（其中修订 16 件）`, `7①`.
pub(crate) fn is_number(text: &str) -> bool {
    let text = text.trim_end_matches(is_note_mark);
    let body = text.trim_start_matches(['+', '-', '－', '＋', '−', '减', '增']);
    let digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    if !body.starts_with(digit) {
        return false;
    }
    let rest = body.trim_start_matches(|c: char| digit(c) || matches!(c, ',' | '，' | '.' | '．'));
    let number = body.strip_suffix(rest).unwrap_or(body);
    let grouped = number.chars().count() <= 3
        && rest.starts_with(' ')
        && rest.split(' ').skip(1).all(|group| group.len() == 3 && group.chars().all(digit));
    let rest = rest.trim_start();
    let unit = UNITS.contains(&rest);
    let note = rest.starts_with(['（', '(']) && rest.ends_with(['）', ')']);
    !number.ends_with(['.', '．', ',', '，']) && (unit || note || grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_same_from_either_end() {
        let text = " 规章  31 22（其中修订 16 件） 7 ";
        let forward: Vec<(usize, &str)> = words(text).collect();
        let mut backward: Vec<(usize, &str)> = words(text).rev().collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let only: Vec<&str> = forward.iter().map(|(_, word)| *word).collect();
        assert_eq!(only, ["规章", "31", "22（其中修订 16 件）", "7"]);
        assert!(forward.iter().all(|(at, word)| text[*at..].starts_with(word)));
    }

    #[test]
    fn lines_are_told_apart_by_their_looks() {
        for (line, expect) in [
            ("", LineKind::Blank),
            ("　 ", LineKind::Blank),
            ("\t", LineKind::Tabs),
            ("\t0", LineKind::Tabs),
            ("二、主动公开政府信息情况", LineKind::Heading),
            ("四、政府信息公开行政复议、行政诉讼", LineKind::Heading),
            ("第二部分 主动公开政府信息情况", LineKind::Heading),
            ("## 表二", LineKind::Heading),
            ("三、本年度办理结果", LineKind::Short),
            ("一、本年新收政府信息公开申请数量", LineKind::Short),
            ("（一）予以公开", LineKind::Short),
            ("1.属于国家秘密", LineKind::Short),
            ("8.属于行政查询事项", LineKind::Short),
            ("六、其他需要报告的事项", LineKind::Heading),
            ("— 4 —", LineKind::PageNumber),
            ("17[bookmark: _GoBack]", LineKind::Number),
            ("- 12 -", LineKind::PageNumber),
            ("第 3 页", LineKind::PageNumber),
            ("第3页 共8页", LineKind::PageNumber),
            ("共8页", LineKind::PageNumber),
            ("—", LineKind::Mark),
            ("无", LineKind::Mark),
            ("17", LineKind::Number),
            ("1 234", LineKind::Number),
            ("-1", LineKind::Number),
            ("减4", LineKind::Number),
            ("0 3 17", LineKind::Number),
            ("8498 548", LineKind::Number),
            ("251000元", LineKind::Number),
            ("22（其中修订 16 件）", LineKind::Number),
            ("31 22（其中修订 16 件） 7", LineKind::Number),
            ("（六）其他处理 31 22（其中修订 16 件）", LineKind::Spaced),
            ("（二）部分公开（区分处理的 只计这一情形）", LineKind::Short),
            ("31①", LineKind::Number),
            ("3份", LineKind::Number),
            ("不涉及", LineKind::Mark),
            ("行政许可 0", LineKind::Spaced),
            ("| 规章 | 0 |", LineKind::Bars),
            ("|---|---|", LineKind::Separator),
            ("----  ------ ---", LineKind::Separator),
            ("2023年，我局公开信息12条。", LineKind::Prose),
            ("\t2023年，我局公开信息12条。", LineKind::Prose),
        ] {
            assert_eq!(kind(without_bookmark(line)), expect, "{line:?}");
        }
    }
}
