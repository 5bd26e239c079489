//! `prose.blanks`: placeholders of a template that were not filled in: `主动公开信息  条`, `XX件`, `XX局`, `X月X日`,
//! `（填写本单位名称）`, `〔〕号`.
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
    let line = r"[_＿]{2,}\s*(?:条|件|篇|期|次|元|份|场|项|个|人|年|月|日|号|%)";
    let verb = r"(?:收到|受理|办结|答复|共计|累计|信息)(?:条|件)[，,。；;]";
    let crossed = r"[XxＸ×✕]{2,}\s*(?:条|件|篇|期|次|元|份|场|项|年|月|日|号|%)";
    let placeholder = r"[XxＸ×✕]{2,}\s*(?:人民政府|办公室|委员会|单位|部门|机关|中心|街道|局|委|办|厅|县|市|区|镇|乡|州|省)|[XxＸ×✕]\s*(?:月|日)";
    let instruction = r"[（(【\[](?:请|此处|在此|自行)*(?:填写|填报|填入|填列|插入|补充|注明)[^（）()【】\[\]]{0,24}[）)】\]]|[（(【\[][^（）()【】\[\]]{0,12}(?:请填写|待填写|待补充|待核实|待定|自行填写|没有请删除|无则删除|可删除|如无请填)[^（）()【】\[\]]{0,12}[）)】\]]";
    let number = r"〔\s*〕\s*\d*\s*号|〔\d{4}〕[\s_＿]*号|年[\s_＿]+月[\s_＿]+日";
    Regex::new(&format!("{gap}|{line}|{verb}|{crossed}|{placeholder}|{instruction}|{number}"))
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
