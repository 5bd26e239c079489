//! Recognises documents of other kinds by their words. A document of unclear kind is read as a report.

use gongkai_model::{Block, Document, LookAlike, MediaType, Rejection, RejectionCode};

use crate::{
    title::{self, squeeze},
    year::split_year,
};

/// Number of paragraphs that decide the kind of a document.
const HEAD: usize = 12;

/// Returns the kind of a document that has neither the chapters nor the tables of a report.
pub(crate) fn kind(document: &Document) -> LookAlike {
    let head = head_of(document);
    if is_data(&head) || is_scripted(document) {
        return LookAlike::DataPage;
    }
    if of_institution(&head) {
        return LookAlike::PublicInstitution;
    }
    // A sentence may cite other kinds of documents; a title names its own.
    let has = |word: &str| head.iter().any(|line| is_title(line) && line.contains(word));
    if has("政府网站工作年度报表") || has("政府网站年度工作报表") {
        LookAlike::WebsiteReport
    } else if has("法治政府建设") {
        LookAlike::RuleOfLawReport
    } else if has("格式") && (has("通知") || has("函")) {
        LookAlike::FormNotice
    } else if head.iter().any(|line| is_picture_story(line)) {
        LookAlike::Infographic
    } else if has("预算公开") || has("决算公开") || has("部门预算") || has("部门决算") || has("预决算")
    {
        LookAlike::Budget
    } else if has("政务公开工作总结")
        || has("工作要点")
        || has("要点落实")
        || has("自查报告")
        || has("工作总结")
    {
        LookAlike::WorkSummary
    } else if reports_named(&head) > 2 || has("集中展示") {
        LookAlike::IndexPage
    } else if is_attachment_page(document) {
        LookAlike::AttachmentPage
    } else {
        LookAlike::Other
    }
}

/// Returns how many different reports the lines name.
fn reports_named(head: &[String]) -> usize {
    let mut named = Vec::new();
    for title in head.iter().filter(|line| is_title(line)).filter_map(|line| title::parse(line)) {
        let report = (title.agency, title.year);
        if !named.contains(&report) {
            named.push(report);
        }
    }
    named.len()
}

/// Returns the title of the page and its first paragraphs.
fn head_of(document: &Document) -> Vec<String> {
    let mut head: Vec<String> = document.meta_title.iter().map(|title| squeeze(title)).collect();
    for text in paragraphs(document).take(HEAD) {
        head.extend(title_before_text(text).map(squeeze));
        head.push(squeeze(text));
    }
    head
}

fn paragraphs(document: &Document) -> impl Iterator<Item = &str> {
    document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(paragraph) => Some(paragraph.text.as_str()),
        Block::Table(_) => None,
    })
}

/// Returns the title before white space at the beginning of a long text that lost its line breaks.
fn title_before_text(text: &str) -> Option<&str> {
    let (title, _) = text.trim_start().split_once(char::is_whitespace)?;
    let is_long = text.chars().nth(LONGEST_TITLE).is_some();
    (is_long && is_title(title) && !title.contains(['，', '《', '：'])).then_some(title)
}

/// Longest title, in scalars.
const LONGEST_TITLE: usize = 80;

fn is_title(line: &str) -> bool {
    line.chars().nth(LONGEST_TITLE).is_none() && !line.contains('。')
}

/// Returns true for a document on a school year, or of a body that reports under the rules for 公共企事业单位. A school
/// or a hospital may publish the form of administrative bodies; without its tables, it does not.
pub(crate) fn is_of_institution(document: &Document, no_cell: bool) -> bool {
    let head = head_of(document);
    let is_named = |line: &String| is_title(line) && is_of_disclosure(line) && names_institution(line);
    of_institution(&head) || no_cell && head.iter().any(is_named)
}

/// Returns true for a story in pictures.
pub(crate) fn is_infographic(document: &Document) -> bool {
    head_of(document).iter().any(|line| is_picture_story(line))
}

/// Returns true for the title of a story in pictures. The name of an attachment is none.
fn is_picture_story(line: &str) -> bool {
    is_title(line) && !line.starts_with("附件") && PICTURES.iter().any(|word| line.contains(word))
}

const PICTURES: [&str; 8] =
    ["图解", "一图读懂", "一图看懂", "一图速览", "一图了解", "图文解读", "图片解读", "图说"];

/// The rules by which schools, hospitals and utilities disclose information.
const OTHER_RULES: [&str; 6] = [
    "高等学校信息公开办法",
    "高校信息公开",
    "学年信息公开",
    "医疗卫生机构信息公开管理办法",
    "公共企事业单位信息公开规定",
    "企业信息公开",
];

/// The last words of institutions that are no administrative bodies.
const INSTITUTIONS: [&str; 16] = [
    "大学",
    "学院",
    "学校",
    "中学",
    "小学",
    "幼儿园",
    "医院",
    "卫生院",
    "保健院",
    "公司",
    "集团",
    "水厂",
    "电厂",
    "客运站",
    "殡仪馆",
    "公共企事业单位",
];

fn of_institution(head: &[String]) -> bool {
    let titles = || head.iter().filter(|line| is_title(line) && is_of_disclosure(line));
    let of_government = |line: &&String| line.contains("政府信息公开") || line.contains("政务公开");
    let named =
        titles().any(|line| line.contains("学年") || names_institution(line) && !of_government(&line));
    // Reports of bodies that supervise schools, hospitals or utilities cite their rules.
    let is_government = titles().any(|line| of_government(&line) && !names_institution(line));
    named || !is_government && head.iter().any(|line| rests_on_other_rules(line))
}

/// Returns true for the title of a report on disclosure by any body.
fn is_of_disclosure(title: &str) -> bool {
    DISCLOSED.iter().any(|word| title.contains(word)) && (title.contains("报告") || title.contains("年报"))
}

/// What bodies disclose, in the words of their reports. 校务 and 院务 are those of schools and hospitals.
const DISCLOSED: [&str; 7] =
    ["政府信息公开", "信息公开", "政务公开", "校务公开", "院务公开", "厂务公开", "企务公开"];

fn names_institution(title: &str) -> bool {
    let end = DISCLOSED.iter().filter_map(|word| title.find(word)).min().unwrap_or_default();
    let (_, before, behind) = split_year(title.get(..end).unwrap_or_default());
    let is_institution = |name: &str| INSTITUTIONS.iter().any(|end| name.ends_with(end));
    let is_school_of_government =
        |name: &str| ["行政学院", "社会主义学院"].iter().any(|end| name.ends_with(end));
    [before, behind].iter().any(|name| is_institution(name) && !is_school_of_government(name))
}

/// Returns true for a sentence that names the rules for institutions as those of the report.
fn rests_on_other_rules(line: &str) -> bool {
    let opens = ["根据", "按照", "依据", "依照", "本报告", "本年度报告", "《"]
        .iter()
        .any(|word| line.starts_with(word));
    opens && OTHER_RULES.iter().any(|rule| line.contains(rule)) && !line.contains("政府信息公开条例")
}

/// Returns true for JSON in place of a text.
pub(crate) fn is_json(document: &Document) -> bool {
    let first = paragraphs(document).map(squeeze).find(|line| !line.is_empty());
    // callback({"…"}) is for a script of another page.
    let data = |line: String| {
        let name =
            line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'));
        let inner = name.strip_prefix('(').unwrap_or(name);
        inner.starts_with("{\"") || inner.starts_with("[{\"")
    };
    first.is_some_and(data)
}

/// Maximum length of the text of a page that a script has to fill in, in scalars.
const FEW_WORDS: usize = 30;

/// Returns true for a page without text of its own, or that asks for scripts.
fn is_scripted(document: &Document) -> bool {
    let asks = |text: &str| text.contains("JavaScript") || text.contains("启用脚本");
    let length: usize = paragraphs(document).map(|text| text.chars().count()).sum();
    let is_empty = length < FEW_WORDS && !paragraphs(document).any(|text| text.contains("报告"));
    document.media_type == MediaType::Html && (is_empty || paragraphs(document).take(HEAD).any(asks))
}

/// Returns true for the output of a program in place of a text.
fn is_data(head: &[String]) -> bool {
    let escaped =
        ["<table", "<td", "&lt;td", "&lt;p&gt;", "\\u003c", "\\u653f", "document.write(", "window."];
    head.iter().any(|line| escaped.iter().any(|mark| line.contains(mark)))
}

/// Words of sentences about a page or its attachments.
const ABOUT_PAGE: [&str; 8] = ["附件", "点击", "下载", "扫一扫", "打开", "浏览器", "版权", "公布"];

/// Returns true if a page names attachments, or only the report, and has no text of its own.
fn is_attachment_page(document: &Document) -> bool {
    let lines = || paragraphs(document).map(squeeze);
    let is_text = |line: &String| line.contains('。') && !ABOUT_PAGE.iter().any(|word| line.contains(word));
    let is_page = document.media_type == MediaType::Html && lines().any(|line| line.ends_with("年度报告"));
    let files = [".pdf", ".doc", ".wps", ".xls", ".ofd", ".PDF", ".DOC", "附件", "点击下载", "下载"];
    let names_file = |line: &String| files.iter().any(|file| line.contains(file));
    (is_page || lines().any(|line| names_file(&line))) && !lines().any(|line| is_text(&line))
}

/// Returns the rejection of a document of that kind.
pub(crate) fn rejection(kind: LookAlike) -> Rejection {
    let (name, name_en) = match kind {
        LookAlike::WebsiteReport => ("政府网站工作年度报表", "the yearly website report"),
        LookAlike::RuleOfLawReport => ("法治政府建设年度报告", "the rule-of-law report"),
        LookAlike::WorkSummary => ("政务公开工作总结或要点落实情况", "a work summary"),
        LookAlike::Budget => ("预决算公开文件", "a budget or final account"),
        LookAlike::FormNotice => ("年度报告格式的通知", "the notice that decrees the form"),
        LookAlike::IndexPage => ("年度报告的集中展示页", "an index page of reports"),
        LookAlike::Infographic => ("图解页面", "an infographic"),
        LookAlike::PublicInstitution => (
            "学校、医院等公共企事业单位的信息公开报告",
            "the report of a public institution, not of an administrative body",
        ),
        LookAlike::AttachmentPage => {
            ("只有附件链接的页面，请报送附件本身", "a page with attachments only; send the attachment")
        }
        LookAlike::DataPage => (
            "数据或脚本（JSON、转义的网页），请报送网页或文档本身",
            "data or a script (JSON, escaped markup) in place of the page",
        ),
        LookAlike::Other => ("其他文件", "another kind of document"),
    };
    let message = format!("这不是政府信息公开工作年度报告，而是{name}；请报送年度报告本身");
    let message_en =
        format!("not an annual report on information disclosure but {name_en}; send the report itself");
    Rejection { look_alike: Some(kind), ..Rejection::new(RejectionCode::NotAReport, message, message_en) }
}
