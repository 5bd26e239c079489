//! `prose.blanks`: placeholders of a template that were not filled in: `主动公开信息  条`, `XX件`, `〔〕号`.
//!
//! Passages contain no white space, so this check reads the paragraphs themselves.

use std::sync::LazyLock;

use regex::Regex;

use gongkai_model::Paragraph;

use crate::{
    check::Check,
    draft::{Draft, quotation},
    input::Input,
    params::Params,
};

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.blanks", &[("blank", &["chapter", "quote"])], blanks)];

static BLANK: LazyLock<Regex> = LazyLock::new(|| {
    let gap = r"(?:信息|申请|文件|解读|案件|公报|建议|提案|诉讼|复议|稿件|费|收取|发布|公开|受理|收到|办结|答复|制发|废止|有效|共|计|约)[\s\u{3000}_＿]+(?:条|件|篇|期|次|元|份|场|项|个)[，,。；;、）)]";
    let verb = r"(?:收到|受理|办结|答复|共计|累计|信息)(?:条|件)[，,。；;]";
    let crossed = r"[XxＸ×✕]{2,}\s*(?:条|件|篇|期|次|元|份|场|项|年|月|日|号|%)";
    let number = r"〔\s*〕\s*\d*\s*号|〔\d{4}〕[\s_＿]*号|年[\s_＿]+月[\s_＿]+日";
    Regex::new(&format!("{gap}|{verb}|{crossed}|{number}"))
        .expect("the pattern is a constant that a test compiles")
});

fn blanks(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    input.paragraphs().filter_map(|(chapter, paragraph)| draft(chapter, paragraph)).collect()
}

fn draft(chapter: u32, paragraph: &Paragraph) -> Option<Draft> {
    let text = paragraph.text.as_str();
    let found = BLANK.find(text)?;
    // Include the words before, so that an editor can find the place.
    let start = text[..found.start()].char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    let quote = text[start..found.end()].trim_end_matches(['，', ',', '。', '；', ';', '、']).trim();
    let draft = Draft::of_quote("blank", chapter, quotation(paragraph, quote));
    Some(Draft { actual: Some(quote.to_owned()), ..draft })
}
