//! Recognises documents of other kinds by their words. A document of unclear kind is read as a report.

use gongkai_model::{Block, Document, LookAlike, Rejection, RejectionCode};

use crate::title::squeeze;

/// Number of paragraphs that decide the kind of a document.
const HEAD: usize = 12;

/// Returns the kind of a document that has neither the chapters nor the tables of a report.
pub(crate) fn kind(document: &Document) -> LookAlike {
    let mut head: Vec<String> = document.meta_title.iter().map(|title| squeeze(title)).collect();
    let paragraphs = document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(paragraph) => Some(squeeze(&paragraph.text)),
        Block::Table(_) => None,
    });
    head.extend(paragraphs.take(HEAD));
    let has = |word: &str| head.iter().any(|line| line.contains(word));
    let titles = head.iter().filter(|line| line.ends_with("年度报告") && line.contains("信息公开")).count();
    if has("政府网站工作年度报表") || has("政府网站年度工作报表") {
        LookAlike::WebsiteReport
    } else if has("法治政府建设") {
        LookAlike::RuleOfLawReport
    } else if has("格式") && (has("通知") || has("函")) {
        LookAlike::FormNotice
    } else if has("图解") || has("一图读懂") || has("一图看懂") {
        LookAlike::Infographic
    } else if has("预算公开") || has("决算公开") || has("部门预算") || has("部门决算") || has("预决算")
    {
        LookAlike::Budget
    } else if has("政务公开工作总结") || has("工作要点") || has("自查报告") || has("工作总结")
    {
        LookAlike::WorkSummary
    } else if titles > 2 || has("集中展示") {
        LookAlike::IndexPage
    } else {
        LookAlike::Other
    }
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
        LookAlike::Other => ("其他文件", "another kind of document"),
    };
    let message = format!("这不是政府信息公开工作年度报告，而是{name}；请报送年度报告本身");
    let message_en =
        format!("not an annual report on information disclosure but {name_en}; send the report itself");
    Rejection { look_alike: Some(kind), ..Rejection::new(RejectionCode::NotAReport, message, message_en) }
}
