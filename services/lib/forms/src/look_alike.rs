//! Recognises documents of other kinds by their words. A document of unclear kind is read as a report.

use gongkai_model::{Block, Document, LookAlike, Rejection, RejectionCode};

use crate::title::squeeze;

/// Number of paragraphs that decide the kind of a document.
const HEAD: usize = 12;

/// Returns the kind of a document that has neither the chapters nor the tables of a report.
pub(crate) fn kind(document: &Document) -> LookAlike {
    let head = head_of(document);
    if is_data(&head) {
        return LookAlike::DataPage;
    }
    if of_institution(&head) {
        return LookAlike::PublicInstitution;
    }
    // A sentence may cite other kinds of documents; a title names its own.
    let has = |word: &str| head.iter().any(|line| is_title(line) && line.contains(word));
    let titles = head.iter().filter(|line| line.ends_with("年度报告") && line.contains("信息公开")).count();
    if has("政府网站工作年度报表") || has("政府网站年度工作报表") {
        LookAlike::WebsiteReport
    } else if has("法治政府建设") {
        LookAlike::RuleOfLawReport
    } else if has("格式") && (has("通知") || has("函")) {
        LookAlike::FormNotice
    } else if PICTURES.iter().any(|word| has(word)) {
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
    } else if is_attachment_page(document) {
        LookAlike::AttachmentPage
    } else if titles > 2 || has("集中展示") {
        LookAlike::IndexPage
    } else {
        LookAlike::Other
    }
}

/// Returns the title of the page and its first paragraphs.
fn head_of(document: &Document) -> Vec<String> {
    let mut head: Vec<String> = document.meta_title.iter().map(|title| squeeze(title)).collect();
    let paragraphs = document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(paragraph) => Some(squeeze(&paragraph.text)),
        Block::Table(_) => None,
    });
    head.extend(paragraphs.take(HEAD));
    head
}

/// Longest title, in scalars.
const LONGEST_TITLE: usize = 80;

fn is_title(line: &str) -> bool {
    line.chars().nth(LONGEST_TITLE).is_none() && !line.contains('。')
}

/// Returns true for a document on a school year, or of a body that reports under the rules for 公共企事业单位.
pub(crate) fn is_of_institution(document: &Document) -> bool {
    of_institution(&head_of(document))
}

/// Returns true for a story in pictures.
pub(crate) fn is_infographic(document: &Document) -> bool {
    head_of(document).iter().any(|line| is_title(line) && PICTURES.iter().any(|word| line.contains(word)))
}

const PICTURES: [&str; 4] = ["图解", "一图读懂", "一图看懂", "图说"];

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
const INSTITUTIONS: [&str; 15] = [
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
];

fn of_institution(head: &[String]) -> bool {
    head.iter().any(|line| {
        let rules = OTHER_RULES.iter().any(|rule| line.contains(rule));
        let title = is_title(line) && line.contains("信息公开") && line.contains("报告");
        let of_government = line.contains("政府信息公开") || line.contains("政务公开");
        let name = line.split("信息公开").next().unwrap_or_default();
        let name = crate::year::split_year(name).1;
        let of_institution = INSTITUTIONS.iter().any(|end| name.ends_with(end));
        rules || title && (line.contains("学年") || of_institution && !of_government)
    })
}

/// Returns true for the output of a program in place of a text.
fn is_data(head: &[String]) -> bool {
    let first = head.iter().find(|line| !line.is_empty());
    let is_json = first.is_some_and(|line| line.starts_with("{\"") || line.starts_with("[{\""));
    let escaped =
        ["<table", "<td", "&lt;td", "&lt;p&gt;", "\\u003c", "\\u653f", "document.write(", "window."];
    is_json || head.iter().any(|line| escaped.iter().any(|mark| line.contains(mark)))
}

/// Returns true if a page names attachments and has no sentence.
fn is_attachment_page(document: &Document) -> bool {
    let lines = || {
        document.blocks.iter().filter_map(|block| match block {
            Block::Paragraph(paragraph) => Some(squeeze(&paragraph.text)),
            Block::Table(_) => None,
        })
    };
    let files = [".pdf", ".doc", ".wps", ".xls", ".ofd", ".PDF", ".DOC", "附件", "点击下载", "下载"];
    let names_file = |line: &String| files.iter().any(|file| line.contains(file));
    lines().any(|line| names_file(&line)) && lines().filter(|line| line.contains('。')).count() < 2
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
