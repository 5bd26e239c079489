//! Splits a report that is a single line: at the chapters' titles and, in chapters with tables, at white space.

use std::sync::LazyLock;

use regex::Regex;

/// Minimum length of a line that contains a whole report, in bytes.
const LONG: usize = 2000;

/// Minimum number of chapters in a line that contains a whole report.
const CHAPTERS: usize = 4;

/// Maximum end of the report's title, in bytes from the start of the line.
const TITLE: usize = 240;

static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|\s)([一二三四五六]、\s?[^\s。，；：|]{2,34}(?:情况|事项|概述|诉讼|措施))(?:\s|$)")
        .expect("the pattern is constant")
});

/// Returns the lines of a report that lost its line breaks, each with the number of scalars before it, or `None` if
/// the line does not contain a report.
pub(super) fn lines(line: &str) -> Option<Vec<(usize, &str)>> {
    let headings = if line.len() < LONG { Vec::new() } else { headings(line) };
    if headings.len() < CHAPTERS {
        return None;
    }
    let mut out = Cuts { line, lines: Vec::new(), byte: 0, scalar: 0 };
    let first = headings.first().map_or(0, |(start, ..)| *start);
    out.front(first);
    for (at, (start, end, chapter)) in headings.iter().enumerate() {
        out.cut(*start, *end);
        let next = headings.get(at + 1).map_or(line.len(), |(start, ..)| *start);
        if matches!(chapter, '二' | '三' | '四') { out.words(*end, next) } else { out.cut(*end, next) }
    }
    Some(out.lines)
}

/// Returns the titles of chapters in ascending order: start and end in bytes, and numeral.
fn headings(line: &str) -> Vec<(usize, usize, char)> {
    let mut found: Vec<(usize, usize, char)> = Vec::new();
    let mut from = 0;
    while let Some(heading) = HEADING.captures_at(line, from).and_then(|captures| captures.get(1)) {
        found.extend(heading.as_str().chars().next().map(|c| (heading.start(), heading.end(), c)));
        from = heading.end();
    }
    found
}

struct Cuts<'a> {
    line: &'a str,
    lines: Vec<(usize, &'a str)>,
    /// The current position in the line, in bytes and in scalars.
    byte: usize,
    scalar: usize,
}

impl<'a> Cuts<'a> {
    /// Adds a line. Starts must be ascending.
    fn cut(&mut self, start: usize, end: usize) {
        let passed = self.line.get(self.byte..start).unwrap_or_default().chars().count();
        (self.byte, self.scalar) = (start, self.scalar + passed);
        let text = self.line.get(start..end).unwrap_or_default();
        if !text.trim().is_empty() {
            self.lines.push((self.scalar, text));
        }
    }

    /// Adds each word as a line. A number such as `3.` stays before its label.
    fn words(&mut self, start: usize, end: usize) {
        let (mut from, mut at) = (start, start);
        for part in self.line.get(start..end).unwrap_or_default().split_inclusive(char::is_whitespace) {
            at += part.len();
            if !part.trim_end().ends_with(['.', '．', '、']) {
                self.cut(from, at);
                from = at;
            }
        }
        self.cut(from, end);
    }

    /// Adds the text before the first chapter: the title, then the rest.
    fn front(&mut self, end: usize) {
        let front = self.line.get(..end).unwrap_or_default();
        let mut ends =
            front.match_indices("报告").map(|(at, word)| at + word.len()).take_while(|at| *at < TITLE);
        let parted = |at: &usize| front.get(*at..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
        let title = ends.find(parted).unwrap_or(0);
        self.cut(0, title);
        self.cut(title, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_on_one_line_is_cut_at_titles_and_cells() {
        let prose = "全年公开信息 12 条。".repeat(60);
        let line = format!(
            "某局 2023 年政府信息公开 工作年度报告 本报告由某局编制。 一、总体情况 {prose} 二、主动公开政府信息情况 规章 3 5 17 \
             三、收到和处理政府信息公开申请情况 一、本年新收政府信息公开申请数量 7 1. 属于国家秘密 8 四、政府信息公开行政复议、行政诉讼情况 9 \
             五、存在的主要问题及改进情况 不够 及时。 六、其他需要报告的事项 无。"
        );
        let scalars: Vec<char> = line.chars().collect();
        let lines = lines(&line).unwrap();
        for (first, text) in &lines {
            let length = text.chars().count();
            assert_eq!(scalars[*first..first + length].iter().collect::<String>(), *text);
        }
        let texts: Vec<&str> = lines.iter().map(|(_, text)| text.trim()).collect();
        let expect = [
            "某局 2023 年政府信息公开 工作年度报告",
            "本报告由某局编制。",
            "一、总体情况",
            prose.trim(),
            "二、主动公开政府信息情况",
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
            "9",
            "五、存在的主要问题及改进情况",
            "不够 及时。",
            "六、其他需要报告的事项",
            "无。",
        ];
        assert_eq!(texts, expect);
    }

    #[test]
    fn prose_that_names_chapters_stays_whole() {
        let line = "全文包括一、总体情况，二、主动公开政府信息情况 等。".repeat(60);
        assert_eq!(lines(&line), None);
    }
}
