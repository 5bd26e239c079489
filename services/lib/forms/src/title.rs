//! Finds the title of a report and reads the agency and the year from it.
//!
//! A title reads `{agency}{year}年政府信息公开工作年度报告`. The year may come first, the title may take several lines, and other
//! words may follow it.

use gongkai_model::{Paragraph, names_nobody};

use crate::{
    body_name, decoration, residue,
    year::{mentioned, split_year, year_alone, year_at},
};

/// The subjects that a title names between the agency and 年度报告, longest first. 资讯 is the wording of Taiwan.
const SUBJECTS: [&str; 8] = [
    "政府信息公开",
    "政务信息公开",
    "政府资讯公开",
    "信息公开",
    "资讯公开",
    "政务公开",
    "政府信息",
    "政府资讯",
];

/// The last words of a title.
const END: &str = "年度报告";

/// Words of a line that links to other articles.
const NEIGHBOURS: [&str; 8] =
    ["上一篇", "下一篇", "上一条", "下一条", "相关链接", "相关文章", "相关信息", "相关阅读"];

/// The last words of the names of sites and columns.
const SITES: [&str; 12] =
    ["政府", "网", "网站", "平台", "门户", "年报", "公开", "首页", "正文", "专栏", "栏目", "目录"];

/// Maximum length of a title, in scalars.
const LONGEST: usize = 80;

/// Maximum length of a line with a title and other words, in scalars.
const LONGEST_LINE: usize = 160;

/// A title, with the agency and the year that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Title {
    /// The lines of the title, joined, without white space.
    pub text: String,
    /// The agency, if the title names one.
    pub agency: Option<String>,
    /// The year, if the title names one.
    pub year: Option<i32>,
    /// The paragraphs that form the title: the first, and one past the last.
    pub lines: (usize, usize),
}

/// The agency and the year that a title names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamedInTitle {
    /// The agency's name.
    pub agency: Option<String>,
    /// The year.
    pub year: Option<i32>,
}

/// Reads the title of an article. Returns nothing for a text that is not the title of a report.
#[must_use]
pub fn named_in_title(text: &str) -> NamedInTitle {
    let title = parse(text).unwrap_or_default();
    NamedInTitle { agency: title.agency, year: title.year }
}

/// Finds all titles among the paragraphs before the first chapter, in document order.
///
/// Pages may list the reports of other years or other bodies; the caller chooses.
pub(crate) fn all(front: &[Paragraph]) -> Vec<Title> {
    let mut found: Vec<Title> = Vec::new();
    for (at, paragraph) in front.iter().enumerate() {
        if NEIGHBOURS.iter().any(|word| paragraph.text.contains(word)) {
            continue;
        }
        let mut text = in_line(&paragraph.text);
        let mut last = at;
        if !is_title_end(&text) {
            let Some(whole) = front.get(at + 1).and_then(|next| cut_in_two(&text, &squeeze(&next.text)))
            else {
                continue;
            };
            (text, last) = (whole, at + 1);
        }
        let mut title = with_lines_before(front, at, text);
        title.lines.1 = last + 1;
        if title.year.is_none()
            && let Some(below) = front.get(last + 1).map(|p| squeeze(&p.text))
            && let Some(year) = year_alone(&below).or_else(|| bare_year(&below))
        {
            title = Title {
                year: Some(year),
                text: title.text + &below,
                lines: (title.lines.0, last + 2),
                ..title
            };
        }
        found.push(title);
    }
    if found.is_empty() {
        found.extend(front.iter().enumerate().find_map(|(at, paragraph)| run_in(at, &paragraph.text)));
    }
    found
}

/// Returns the year of a line that has nothing else: 2023.
fn bare_year(line: &str) -> Option<i32> {
    year_at(line).filter(|(_, length)| *length == line.len()).map(|(year, _)| year)
}

/// Reads a title at the beginning of a paragraph that continues without a line break. The title must name the
/// agency and the year.
fn run_in(at: usize, paragraph: &str) -> Option<Title> {
    let text = squeeze(paragraph);
    let end = text.find(END)? + END.len();
    let head = text.get(..end)?;
    let opens = ["现", "根据", "按照", "依据", "依照", "本", "为", "我", "由", "《", "一、"];
    if opens.iter().any(|word| head.starts_with(word)) || !is_title_end(head) {
        return None;
    }
    let title = read(head);
    (title.agency.is_some() && title.year.is_some()).then_some(Title { lines: (at, at), ..title })
}

/// Joins two lines if a line break splits the last words of a title: `…年度报⏎告`.
fn cut_in_two(line: &str, next: &str) -> Option<String> {
    let short = next.chars().nth(30).is_none() && !next.is_empty() && !is_title_end(next);
    let cut = (1..4).any(|at| {
        let (head, tail) = END.split_at(at * "年".len());
        line.ends_with(head) && next.starts_with(tail)
    });
    let whole = format!("{line}{next}");
    (short && cut && is_title_end(&whole)).then_some(whole)
}

/// Reads one line as a title.
pub(crate) fn parse(text: &str) -> Option<Title> {
    let text = in_line(text);
    is_title_end(&text).then(|| read(&text))
}

/// Returns a line without white space, and without what is around a title in it.
fn in_line(text: &str) -> String {
    let line = squeeze(text);
    let is_short = line.chars().nth(LONGEST_LINE).is_none() && !line.contains(['。', '，', ',', '；']);
    if !(is_short && line.contains("报")) {
        return line;
    }
    let line = squeeze(behind_site(text));
    decoration::bare(&decoration::without_seals(&line)).into_owned()
}

/// Returns a title without the name of the site or the column that stands before it, apart by white space:
/// 云川市人民政府 政府信息公开年报 云川市水务局2023年政府信息公开工作年度报告.
fn behind_site(text: &str) -> &str {
    let is_whole = |rest: &str| {
        let title = read(&squeeze(rest));
        title.year.is_some() && title.agency.is_some_and(|name| body_name::is_full_body(&name))
    };
    let gaps = text.match_indices(char::is_whitespace).filter_map(|(at, _)| text.split_at_checked(at));
    let behind = gaps.filter(|(before, _)| SITES.iter().any(|end| before.ends_with(end)));
    behind.map(|(_, rest)| rest).rfind(|rest| is_whole(rest)).unwrap_or(text)
}

/// Returns the text without white space and without Markdown marks.
pub(crate) fn squeeze(text: &str) -> String {
    let text = residue::without(text);
    let text = text.trim_start_matches('#');
    let mut compact = String::with_capacity(text.len());
    for piece in text.split("**") {
        compact.extend(piece.split_whitespace());
    }
    compact
}

fn is_title_end(text: &str) -> bool {
    let plain = !text.contains(['。', '，', ',', '；', '《', '：', '|']);
    // The title is that of the form itself, or of a notice about the form.
    let form =
        ["年度报告格式", "年度报告模板", "年度报告样式", "年度报告范本", "年度报告编制", "年度报告有关"];
    let named = text.contains("年度报告") && !form.iter().any(|form| text.contains(form));
    plain && (named && text.chars().nth(LONGEST).is_none() || is_yearbook(text))
}

/// Returns true for titles that name a year and end in 年报 or 报告 instead of 年度报告.
fn is_yearbook(text: &str) -> bool {
    let text = body_name::without_bracket(text.split(['-', '_', '—']).next().unwrap_or(text));
    let plain =
        ["工作报告", "总结报告", "情况报告", "情况的报告", "公开报告"].iter().any(|end| text.ends_with(end));
    let named = text.ends_with("年报") || (plain && split_year(text).0.is_some());
    named && text.contains("信息公开") && text.chars().nth(LONGEST).is_none()
}

/// Extends a title by the lines before it until it names the agency, the year and the subject.
fn with_lines_before(front: &[Paragraph], at: usize, last: String) -> Title {
    let mut text = last;
    let mut first = at;
    for earlier in (at.saturating_sub(2)..at).rev() {
        let title = read(&text);
        let Some(line) = front.get(earlier).map(|p| squeeze(&p.text)) else { break };
        // A name in brackets is the second name of the body on the line before.
        let is_second = text.starts_with(['（', '(']);
        let names_body = title.agency.is_some() && !is_second && SUBJECTS.iter().any(|s| text.contains(s));
        // Once the agency is known, only a line with the year or the place can still be part of the title.
        let is_list = earlier
            .checked_sub(1)
            .and_then(|at| front.get(at))
            .is_some_and(|above| body_name::is_place(&squeeze(&above.text)));
        let adds =
            title.year.is_none() && split_year(&line).0.is_some() || adds_place(&title, &line) && !is_list;
        if names_body && !adds || !may_open(&line) {
            break;
        }
        text = format!("{line}{text}");
        first = earlier;
    }
    Title { lines: (first, at + 1), ..read(&text) }
}

/// Returns true if a line is the place that the title's body lacks: 云川市 before 水务局2023年….
fn adds_place(title: &Title, line: &str) -> bool {
    let lacks_place = |name: &String| {
        !body_name::is_full_body(name) && !body_name::is_national(name) && !name.contains(line)
    };
    body_name::is_place(line) && title.agency.as_ref().is_some_and(lacks_place)
}

/// Returns true if a line can be the first line of a title: short, not a sentence, and not part of a page's
/// navigation.
fn may_open(line: &str) -> bool {
    let length = line.chars().count();
    let chrome = ["正文", "首页", "当前位置", "索引号", "发布", "来源", "打印", "字体", "浏览", "年度报告"];
    // 云川市水务局文件 and the number of the document are the head of a letter.
    let is_letterhead = line.ends_with("文件") || line.ends_with('号') && line.contains(['〔', '[', '［']);
    (3..=40).contains(&length)
        && mentioned(line).len() < 2
        && !is_letterhead
        && !line.contains(['。', '，', '：', ':', '；', '>', '|', '【'])
        && !chrome.iter().any(|word| line.contains(word))
        && !line.chars().all(|c| c.is_ascii_digit() || c.is_ascii_punctuation())
}

/// Reads a text that ends in the words of a title.
pub(crate) fn read(text: &str) -> Title {
    let whole = decoration::without_abbreviations(text);
    let text = decoration::without_front(&whole);
    let end = text.find("年度报告").or_else(|| text.rfind("年报")).or_else(|| text.rfind("报告"));
    let end = end.unwrap_or(text.len());
    let head = text.get(..end).unwrap_or(text);
    let tail = text.get(end..).and_then(|t| t.strip_prefix("年度报告").or_else(|| t.strip_prefix("年报")));
    let tail = tail.unwrap_or_default();
    let in_brackets = || year_at(tail.strip_prefix(['（', '('])?).map(|(year, _)| year);
    let year = split_year(head).0.or_else(|| year_alone(tail)).or_else(in_brackets);
    let agency = Some(whole_name(&name_in_head(head), tail)).filter(|name| is_plausible(name));
    Title { text: text.to_owned(), agency, year, lines: (0, 0) }
}

/// Returns the words around the year and before the subject of a title, which are the name.
fn name_in_head(head: &str) -> String {
    let subject = SUBJECTS.iter().filter_map(|s| head.rfind(s)).min();
    let name = subject.and_then(|at| head.get(..at)).unwrap_or(head);
    let (year, before_year, after_year) = split_year(head);
    if year.is_none() || before_year.len() >= name.len() {
        return tidy(name).to_owned();
    }
    // The year comes first, so the name is between the year and the subject.
    let between = name.get(name.len().min(head.len() - after_year.len())..).unwrap_or_default();
    let (before, between) = (tidy(before_year), tidy(between));
    // 海关总署2010年海关信息公开: the words behind the year repeat a part of the name.
    if body_name::is_body(before) && before.contains(between) {
        before.to_owned()
    } else {
        format!("{before}{between}")
    }
}

/// Returns the name of the body itself, with the place in brackets before it, or from behind the title if there is none
/// before.
fn whole_name(name: &str, tail: &str) -> String {
    let name = with_place(name).unwrap_or_else(|| name.to_owned());
    let name = match name.rsplit_once("关于") {
        // 某县政府办公室关于某县人民政府2023年…: the report is that of the second.
        Some((_, of)) if body_name::is_body(of) || body_name::is_place(of) => of,
        // 某县水务局关于发布本机关2023年…
        Some((body, of)) if names_nobody(decoration::without_front(of)) => body,
        _ => &name,
    };
    match name {
        "" => name_behind(tail).to_owned(),
        _ if name.ends_with("人民") => format!("{name}政府"),
        _ => name.to_owned(),
    }
}

/// Returns true unless the words in place of a name are a placeholder, a page's navigation, or name nobody.
fn is_plausible(name: &str) -> bool {
    let is_name = !body_name::is_placeholder(name) && !is_navigation(name) && !names_nobody(name);
    (3..=40).contains(&name.chars().count()) && is_name
}

/// Returns the body that follows the words of a title: 2023年政府信息公开工作年度报告（某县水务局）.
fn name_behind(tail: &str) -> &str {
    let name = tail.trim_matches(['（', '）', '(', ')', '【', '】']);
    if body_name::is_body(name) { name } else { "" }
}

/// Returns true for words of a page's navigation in place of a name.
fn is_navigation(name: &str) -> bool {
    ["首页", "年报", "公开", "报告", "网站", "栏目", "专栏", "下载", "附件", "格式"]
        .iter()
        .any(|word| name.contains(word))
}

/// Returns a name without the words and signs around it.
fn tidy(name: &str) -> &str {
    let name = decoration::without_front(name).trim_start_matches(['年', '度']);
    let name = decoration::without_publishing(name.trim_end_matches(SIGNS)).trim_matches(SIGNS);
    let unwrapped =
        [('【', '】'), ('[', ']'), ('（', '）'), ('(', ')')].into_iter().find_map(|(open, close)| {
            let inner = name.strip_prefix(open)?.strip_suffix(close)?;
            (!inner.contains([open, close])).then_some(inner)
        });
    let name = unwrapped
        .unwrap_or(name)
        .trim_start_matches(['）', ')', '】', ']'])
        .trim_end_matches(['（', '(', '【', '[']);
    let closes = name.ends_with(['）', ')']) && !name.contains(['（', '(']);
    if closes { name.trim_end_matches(['）', ')']) } else { name }
}

/// Returns a name with the place in brackets before it: 【云川市】水务局.
fn with_place(name: &str) -> Option<String> {
    let (place, rest) = name.strip_prefix(['【', '[', '（', '('])?.split_once(['】', ']', '）', ')'])?;
    body_name::is_place(place).then(|| format!("{place}{rest}"))
}

/// Signs around a name.
const SIGNS: [char; 13] = ['-', '—', '_', '“', '”', '"', '*', '、', '·', '《', '》', '•', '的'];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], agency: Option<&str>, year: Option<i32>) {
        let front: Vec<Paragraph> =
            lines.iter().map(|line| Paragraph { text: (*line).to_owned(), ..Paragraph::default() }).collect();
        let title = all(&front).pop().unwrap_or_default();
        assert_eq!((title.agency.as_deref(), title.year), (agency, year), "{lines:?}");
    }

    #[test]
    fn titles_name_agency_and_year_in_either_order_and_over_lines() {
        check(&["云川市水务局2023年政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局 2023 年政府信息公开 工作年度报告"], Some("云川市水务局"), Some(2023));
        check(
            &["2019年云川市人民政府办公厅政府信息公开工作年度报告"],
            Some("云川市人民政府办公厅"),
            Some(2019),
        );
        check(&["云川市水务局", "2023年政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局2023年政府信息公开工作", "年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局", "2023年政府信息公开工作", "年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市人民政府政府信息公开工作2023年年度报告"], Some("云川市人民政府"), Some(2023));
        check(&["云川市人民政府信息公开工作2023年度报告"], Some("云川市人民政府"), Some(2023));
        check(&["云川市水务局二〇二三年政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局2023年度政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局2023年政府信息公开年度报告-云川县门户"], Some("云川市水务局"), Some(2023));
        check(&["首页", "2023年政府信息公开工作年度报告"], None, Some(2023));
        check(&["本机关2023年政府信息公开工作年度报告"], None, Some(2023));
        check(&["关于公布云川市水务局2023年政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(
            &["云川市水务局文件", "云水〔2024〕7号", "关于报送2023年政府信息公开工作年度报告的函"],
            None,
            Some(2023),
        );
        check(
            &["云川市水务局（以下简称“我局”）2023年政府信息公开工作年度报告"],
            Some("云川市水务局"),
            Some(2023),
        );
        check(&["云川市水务局贰零贰叁年政府信息公开工作年度报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局2023年政府信息公开工作年度报", "告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局政府信息公开工作年", "度报告（2020年度）"], Some("云川市水务局"), Some(2020));
        check(&["云川海关2023年政府信息公开工作年度报告"], Some("云川海关"), Some(2023));
        check(
            &["左侧导航", "云川市水务局", "政府信息公开工作年度报告", "（2023年）"],
            Some("云川市水务局"),
            Some(2023),
        );
        check(&["云川市水务局2023年政府信息公开工作报告"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局", "政府信息公开工作年度报告", "（2023年）"], Some("云川市水务局"), Some(2023));
        check(&["云川市水务局政府信息公开工作年度报告（2021年度）"], Some("云川市水务局"), Some(2021));
        check(&["云川市水务局政府信息公开工作年度报告", "2024-01-15"], Some("云川市水务局"), None);
        check(&["云川市水务局政府信息公开工作年度报告-2024年专栏"], Some("云川市水务局"), None);
        check(&["正文", "2025 年云川市水务局政府信息公开", "工作年度报告"], Some("云川市水务局"), Some(2025));
    }

    #[test]
    fn a_title_with_the_text_run_into_it_is_still_the_title() {
        let preamble = "按照《条例》和有关要求，现将情况报告如下。";
        check(
            &[&format!("云川市水务局关于2020年度政府信息公开工作的年度报告{preamble}")],
            Some("云川市水务局"),
            Some(2020),
        );
        check(&[&format!("现公布云川市水务局2020年政府信息公开工作年度报告，{preamble}")], None, None);
        check(&["根据云川市水务局2020年政府信息公开工作年度报告，有关情况如下。"], None, None);
    }

    #[test]
    fn sentences_are_no_titles() {
        assert_eq!(parse("根据《条例》要求，编制本年度报告。"), None);
        assert_eq!(parse("全文包括总体情况，主动公开政府信息情况"), None);
    }
}
