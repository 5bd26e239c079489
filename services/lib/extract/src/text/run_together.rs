//! Cuts a text that lost its line breaks: a whole report in one line or paragraph, or a heading with its table.
//!
//! It is cut at the headings of the chapters, and tables at white space and between labels and numbers. Digits that
//! stand together stay together: how many cells they are is not known.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::chapter_headings::{self, ChapterHeading};

/// Minimum length of a text that is cut, in bytes.
const SHORTEST: usize = 120;

/// Number of chapters from which on a text is a report that lost its line breaks.
const CHAPTERS: usize = 3;

/// Number of labels and of digits from which on a text is a table.
const LABELS: usize = 3;
const DIGITS: usize = 3;

/// Signs between a heading and the text behind it.
const STOPS: [char; 7] = ['。', '：', ':', '.', ' ', '\u{a0}', '\u{3000}'];

/// Maximum end of the report's title, in bytes from the start of the text.
const TITLE: usize = 240;

/// Labels of the tables of chapters 二, 三 and 四.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)第二十条第|信息内容|本年制发件数|本年新制作数量|行政规范性文件|行政许可|行政处罚|行政强制|行政事业性收费|申请人情况|本年新收政府信息公开申请|
           上年结转政府信息|予以公开|部分公开|属于国家秘密|禁止公开|三安全一稳定|第三方合法权益|三类内部事务|四类过程性|行政执法案卷|行政查询事项|
           不掌握相关|没有现成信息|内容仍不明确|信访举报投诉|重复申请|公开出版物|大量反复|重新出具|逾期不补正|逾期未按收费|结转下年度|
           行政复议\s*行政诉讼|结果维持|结果纠正|尚未审结",
    )
    .expect("the pattern is constant")
});

/// The first words of the tables.
static TABLE: LazyLock<Regex> = LazyLock::new(|| {
    let words =
        "第二十条第|信息内容|[（(]?本列数据的勾稽|申请人情况|一?、?本年新收政府信息公开申请|行政复议行政诉讼";
    Regex::new(&chapter_headings::with_spaces(words)).expect("the pattern is constant")
});

/// The number of a page in a text that lost its line breaks: `第3页 共8页`, `- 3 -`, `3 / 8`, `Page 3 of 8`.
static PAGE: LazyLock<Regex> = LazyLock::new(|| {
    let dash = "[-—–－―─·]";
    Regex::new(&format!(
        r"(?x)第\s*(?:\d{{1,3}}|[一二三四五六七八九十]{{1,3}})\s*页(?:\s*[/／，,]?\s*共\s*\d{{1,3}}\s*页)?
          |共\s*\d{{1,3}}\s*页(?:\s*[/／，,]?\s*第\s*\d{{1,3}}\s*页)?
          |(?:^|\s){dash}{{1,2}}\s*\d{{1,3}}\s*{dash}{{1,2}}(?:\s|$)
          |(?:^|\s)[1-9]\d?\s?[/／]\s?[1-9]\d?(?:\s|$)
          |[Pp]age\s*\d{{1,3}}(?:\s*of\s*\d{{1,3}})?"
    ))
    .expect("the pattern is constant")
});

/// The report's title at the head of a page, inside a table. The numbers on either side of it are those of one row.
static RUNNING_TITLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|\s)(?:20\d\d年度?)?\p{Han}{2,30}(?:20\d\d年度?)?政府信息公开(?:工作)?年度报告(?:\s|$)")
        .expect("the pattern is constant")
});

/// Maximum length of the number of a page, in bytes.
const LONGEST_PAGE_MARK: usize = 48;

/// The number of a row, or a value with its unit and note.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?P<item>[一二三四五六七]、|[（(][一二三四五六七][）)])|(?P<value>\d[\d,，.．]*(?:万元|亿元|元|件|条|份|宗|户)?(?:[（(][^（）()]*\d[^（）()]*[）)])?)",
    )
    .expect("the pattern is constant")
});

/// A line of a text that lost its line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CutLine<'a> {
    /// Number of scalars before it.
    pub first: usize,
    /// The line without white space around it.
    pub text: &'a str,
    /// Kind of the line.
    pub kind: CutKind,
}

/// The kind of a line of a text that lost its line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutKind {
    /// The heading of a chapter.
    Heading,
    /// A label or a value of a table.
    Cell,
    /// Anything else.
    Prose,
}

/// Returns the lines of a text that lost its line breaks, or `None` if it did not lose any.
pub(crate) fn lines(text: &str) -> Option<Vec<CutLine<'_>>> {
    if text.len() < SHORTEST {
        return None;
    }
    let headings = chapter_headings::find(text);
    let opens_table = headings.iter().any(|heading| opens_table(text, heading));
    let first = headings.first().map_or(text.len(), |heading| heading.start);
    let before = text.get(..first).unwrap_or_default();
    let continues = is_table(before) || ends_table(before, headings.first());
    if !(continues || opens_table || has_chapters(text, &headings)) {
        return None;
    }
    let mut out = Cuts { text, lines: Vec::new(), byte: 0, scalar: 0 };
    if continues {
        out.content(0, first);
    } else {
        out.front(first);
    }
    for (at, heading) in headings.iter().enumerate() {
        out.chapter(heading, headings.get(at + 1).map_or(text.len(), |next| next.start));
    }
    Some(out.lines)
}

/// Returns true for a text that is only the number of a page.
pub(super) fn is_page_mark(text: &str) -> bool {
    let may_be = || text.contains(['页', '-', '—', '·']) || text.contains("age");
    text.len() <= LONGEST_PAGE_MARK
        && may_be()
        && PAGE.find(text).is_some_and(|found| found.range() == (0..text.len()))
}

/// Returns true if a heading is followed by a table, or is the end of a text of sentences.
fn opens_table(text: &str, heading: &ChapterHeading) -> bool {
    let (before, behind) =
        (text.get(..heading.start).unwrap_or_default(), text.get(heading.end..).unwrap_or_default());
    let content = behind.trim_start_matches(STOPS);
    let follows = TABLE.find(content).is_some_and(|found| found.start() == 0);
    follows || is_table(behind) || content.is_empty() && before.trim_end().ends_with('。')
}

/// Returns true for a text that has several chapters: a whole report, or one that begins with a chapter.
fn has_chapters(text: &str, headings: &[ChapterHeading]) -> bool {
    let chapters = chapter_headings::chapters(headings);
    let front = headings.first().and_then(|heading| text.get(..heading.start));
    let begins = front.is_some_and(|front| !front.contains(char::is_alphabetic));
    let follows = |heading: &ChapterHeading| {
        text.get(..heading.start).is_some_and(|text| text.trim_end().ends_with('。'))
    };
    chapters >= CHAPTERS || begins && chapters == 2 && headings.iter().skip(1).all(follows)
}

/// Returns true for the rest of a table, before the heading of the next chapter.
fn ends_table(before: &str, next: Option<&ChapterHeading>) -> bool {
    next.is_some_and(|next| matches!(next.chapter, 3..=5)) && LABEL.is_match(before) && !before.contains('。')
}

/// Returns true if a text has labels and numbers of several rows and is no sentence.
fn is_table(text: &str) -> bool {
    let Some(first) = LABEL.find(text) else { return false };
    let table = text.get(first.start()..).unwrap_or_default();
    let digits: usize = values(table).map(|value| value.len()).sum();
    let in_sentence =
        |value: regex::Match<'_>| table.get(value.end()..).is_some_and(|rest| rest.starts_with(['，', '；']));
    LABEL.find_iter(table).nth(LABELS - 1).is_some()
        && digits >= DIGITS
        && !table.contains(['。', '|'])
        && !values(table).any(in_sentence)
}

fn values(text: &str) -> impl Iterator<Item = regex::Match<'_>> {
    TOKEN.captures_iter(text).filter_map(|found| found.name("value"))
}

struct Cuts<'a> {
    text: &'a str,
    lines: Vec<CutLine<'a>>,
    /// The current position in the text, in bytes and in scalars.
    byte: usize,
    scalar: usize,
}

impl<'a> Cuts<'a> {
    /// Adds a line without the white space around it. Starts must be ascending.
    fn cut(&mut self, kind: CutKind, start: usize, end: usize) {
        let whole = self.text.get(start..end).unwrap_or_default();
        let line = whole.trim_matches(|c: char| c.is_whitespace() || c == '|');
        if line.is_empty() {
            return;
        }
        let start = start + whole.find(line).unwrap_or_default();
        let passed = self.text.get(self.byte..start).unwrap_or_default().chars().count();
        (self.byte, self.scalar) = (start, self.scalar + passed);
        self.lines.push(CutLine { first: self.scalar, text: line, kind });
    }

    /// Adds a heading, and the content of its chapter.
    fn chapter(&mut self, heading: &ChapterHeading, end: usize) {
        self.cut(CutKind::Heading, heading.start, heading.end);
        let content = self.text.get(heading.end..end).unwrap_or_default();
        let start = end - content.trim_start_matches(STOPS).len();
        if matches!(heading.chapter, 2..=4) {
            self.content(start, end);
        } else {
            self.cut(CutKind::Prose, start, end);
        }
    }

    /// Adds the content of a chapter with a table: the sentences before the table, then its cells.
    fn content(&mut self, start: usize, end: usize) {
        let content = self.text.get(start..end).unwrap_or_default().trim_end_matches(STOPS);
        let end = start + content.len();
        let table = TABLE.find(content).or_else(|| LABEL.find(content)).map(|found| found.start());
        let table = table.filter(|at| values(content.get(*at..).unwrap_or_default()).next().is_some());
        // What is before the first label may belong to a row that began on the page before.
        let table = table.map_or(content.len(), |at| if is_row(content.get(..at)) { 0 } else { at });
        let table = start + table;
        self.cut(CutKind::Prose, start, table);
        self.words(table, end);
    }

    /// Adds each word as a line, without the numbers of pages and the title at the head of a page.
    fn words(&mut self, start: usize, end: usize) {
        let content = self.text.get(start..end).unwrap_or_default();
        let has_title = content.contains("年度报告");
        let titles = has_title.then(|| RUNNING_TITLE.find_iter(content)).into_iter().flatten();
        let mut marks: Vec<Range<usize>> =
            titles.chain(PAGE.find_iter(content)).map(|mark| mark.range()).collect();
        marks.sort_by_key(|mark| mark.start);
        let mut from = 0;
        for mark in marks.into_iter().filter(|mark| !mark.is_empty() && !is_of_row(content, mark)) {
            self.words_between(start + from, start + mark.start.max(from));
            from = mark.end.max(from);
        }
        self.words_between(start + from, end);
    }

    /// Adds each word as a line. A number such as `3.` stays before its label.
    fn words_between(&mut self, start: usize, end: usize) {
        let (mut from, mut at) = (start, start);
        let breaks = |c: char| c.is_whitespace() || c == '|';
        for part in self.text.get(start..end).unwrap_or_default().split_inclusive(breaks) {
            at += part.len();
            if !part.trim_end_matches(breaks).ends_with(['.', '．', '、']) {
                self.cells(from, at);
                from = at;
            }
        }
        self.cells(from, end);
    }

    /// Adds the labels and numbers of a word.
    fn cells(&mut self, start: usize, end: usize) {
        let word = self.text.get(start..end).unwrap_or_default();
        if word.contains('。') {
            return self.cut(CutKind::Prose, start, end);
        }
        let mut from = 0;
        for boundary in boundaries(word) {
            self.cut(CutKind::Cell, start + from, start + boundary);
            from = boundary;
        }
        self.cut(CutKind::Cell, start + from, end);
    }

    /// Adds the text before the first chapter: the title, then the rest.
    fn front(&mut self, end: usize) {
        let front = self.text.get(..end).unwrap_or_default();
        let mut ends =
            front.match_indices("报告").map(|(at, word)| at + word.len()).take_while(|at| *at < TITLE);
        let parted = |at: &usize| front.get(*at..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
        let title = ends.find(parted).unwrap_or(0);
        self.cut(CutKind::Prose, 0, title);
        self.cut(CutKind::Prose, title, end);
    }
}

/// Numbers of values of the rows of the forms' tables.
const WIDTHS: [usize; 3] = [3, 7, 15];

/// Returns true if a mark such as `3 / 8` is of a row of values: the row has as many as a row of a form only with these
/// three.
fn is_of_row(content: &str, mark: &Range<usize>) -> bool {
    let text = content.get(mark.clone()).unwrap_or_default();
    if !text.contains('/') || text.contains('页') {
        return false;
    }
    let is_value = |word: &&str| {
        word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '/' | '／' | '-' | '—'))
    };
    let before = content.get(..mark.start).unwrap_or_default().split_whitespace().rev().take_while(is_value);
    let behind = content.get(mark.end..).unwrap_or_default().split_whitespace().take_while(is_value);
    let others = before.count() + behind.count();
    // Between two titles, it is the number of a page.
    let has_label = || {
        let label = content.get(..mark.start).unwrap_or_default().trim_end();
        ["规章", "规范性文件", "行政许可", "行政处罚", "行政强制", "事项"]
            .iter()
            .any(|own| label.ends_with(own))
    };
    let is_spaced = text.split_whitespace().count() == 3;
    is_spaced && WIDTHS.contains(&(others + 3)) && (others > 0 || has_label())
}

/// Returns true if the text before a label is the rest of a row and no sentence about the table.
fn is_row(before: Option<&str>) -> bool {
    !before.unwrap_or_default().contains(['。', '：', ':', '年'])
}

/// Returns the bytes at which a word of a table is cut: before the number of a row, before a value and behind it.
fn boundaries(word: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(token) = TOKEN.captures_at(word, from) {
        let Some(whole) = token.get(0) else { break };
        from = whole.end();
        let before = word.get(..whole.start()).unwrap_or_default();
        if token.name("item").is_some() {
            // 第二十条第（五）项
            if !before.ends_with('第') {
                found.push(whole.start());
            }
            continue;
        }
        let mut value = value(word, whole.range());
        // 2023年 is a title.
        if value.len() == 4 && word.get(value.end..).is_some_and(|rest| rest.starts_with('年')) {
            value.end += '年'.len_utf8();
        }
        // 增4, -1 and the 20 of 第20条 are not cut.
        if !before.ends_with(['第', '减', '增', '-', '－', '−', '+']) {
            found.push(value.start);
        }
        found.push(value.end);
    }
    found.retain(|at| (1..word.len()).contains(at));
    found.dedup();
    found
}

/// Returns the value without the number of the row behind it: 17 in 171.属于国家秘密.
fn value(word: &str, found: Range<usize>) -> Range<usize> {
    let text = word.get(found.clone()).unwrap_or_default();
    let digits = text.trim_end_matches(['.', '．']);
    let marked = digits.len() < text.len();
    let last = digits.char_indices().next_back().map_or(0, |(at, _)| at);
    if marked { found.start..found.start + last } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<&str> {
        let scalars: Vec<char> = line.chars().collect();
        let lines = lines(line).unwrap();
        for CutLine { first, text, .. } in &lines {
            let length = text.chars().count();
            assert_eq!(scalars[*first..first + length].iter().collect::<String>(), *text);
        }
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_report_on_one_line_is_cut_at_titles_and_cells() {
        let line = "某局 2023 年政府信息公开 工作年度报告 本报告由某局编制。 一、总体情况 全年公开信息 12 条。 \
                    二、主动公开政府信息情况 信息内容 规章 3 5 17 \
                    三、收到和处理政府信息公开申请情况 一、本年新收政府信息公开申请数量 7 1. 属于国家秘密 8 \
                    四、政府信息公开行政复议、行政诉讼情况 结果维持 9 五、存在的主要问题及改进情况 不够 及时。 \
                    六、其他需要报告的事项 无。";
        let expect = [
            "某局 2023 年政府信息公开 工作年度报告",
            "本报告由某局编制。",
            "一、总体情况",
            "全年公开信息 12 条。",
            "二、主动公开政府信息情况",
            "信息内容",
            "规章",
            "3",
            "5",
            "17",
            "三、收到和处理政府信息公开申请情况",
            "一、本年新收政府信息公开申请数量",
            "7",
            "1. 属于国家秘密",
            "8",
            "四、政府信息公开行政复议、行政诉讼情况",
            "结果维持",
            "9",
            "五、存在的主要问题及改进情况",
            "不够 及时。",
            "六、其他需要报告的事项",
            "无。",
        ];
        assert_eq!(texts(line), expect);
    }

    #[test]
    fn a_table_without_white_space_is_cut_at_labels_and_numbers() {
        let line = "二、主动公开政府信息情况本局无规章。第二十条第（一）项信息内容规章357行政规范性文件2246第二十条第（五）项行政许可19\
                    行政处罚22（其中撤销3件）三、收到和处理政府信息公开申请情况申请人情况予以公开1234567（三）不予公开00010011.属于国家秘密\
                    00000002.其他12.5四、结转下年度继续办理8";
        let expect = [
            "二、主动公开政府信息情况",
            "本局无规章。",
            "第二十条第（一）项信息内容规章",
            "357",
            "行政规范性文件",
            "2246",
            "第二十条第（五）项行政许可",
            "19",
            "行政处罚",
            "22（其中撤销3件）",
            "三、收到和处理政府信息公开申请情况",
            "申请人情况予以公开",
            "1234567",
            "（三）不予公开",
            "0001001",
            "1.属于国家秘密",
            "0000000",
            "2.其他",
            "12.5",
            "四、结转下年度继续办理",
            "8",
        ];
        assert_eq!(texts(line), expect);
    }

    #[test]
    fn prose_that_names_chapters_stays_whole() {
        let listed =
            "全文包括一、总体情况，二、主动公开政府信息情况，三、收到和处理政府信息公开申请情况 等。"
                .repeat(9);
        assert_eq!(lines(&listed), None);
        let prose =
            "2023年，我局公开行政许可17件、行政处罚8件、行政强制5件，（一）主动公开情况良好。一、加强学习。"
                .repeat(9);
        assert_eq!(lines(&prose), None);
    }

    #[test]
    fn pages_leave_no_cell_in_a_table() {
        for mark in [
            "第3页 共8页",
            "- 3 -",
            "—3—",
            "3 / 8",
            "第 三 页",
            "Page 3 of 8",
            "某县水务局2023年政府信息公开工作年度报告",
        ] {
            let line = format!(
                "三、收到和处理政府信息公开申请情况 申请人情况 （一）予以公开 11 12 {mark} 13 1.属于国家秘密 21 2.重复申请 31"
            );
            let expect = [
                "三、收到和处理政府信息公开申请情况",
                "申请人情况",
                "（一）予以公开",
                "11",
                "12",
                "13",
                "1.属于国家秘密",
                "21",
                "2.重复申请",
                "31",
            ];
            assert_eq!(texts(&line), expect, "{mark}");
        }
        assert!(is_page_mark("第3页 共8页") && !is_page_mark("2023-01-02") && !is_page_mark("第3页的数据"));
    }
}
