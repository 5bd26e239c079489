//! Counts of requests without a verb: `政府信息公开申请26件`, `依申请公开26件`, `26件政府信息公开申请均已答复`.
//!
//! Without a verb, the words around the count may state only the owner, the time and the number of the requests.
//! Directories, documents and site columns are called 依申请公开 too.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Words that may precede the count: times, the body itself, who asked, and words for "in all".
const NEUTRAL: &str = "(?:20[0-9]{2}年度?|全年度?|本年度?|年内|年度|今年|以来|当年|期间|截至|年底|12月31日|[我本该](?:机关|行政机关|单位|街道|中心|管委会|办事处|镇政府|政府|部门|园区|局|委|办|厅|县|市|区|镇|乡|州|旗|省|院|校|所|站|处|队|会|部)|全[局委办厅县市区镇乡州旗省院校所站]|共有|共计|共|总计|总共|累计|合计|有|在|就|对|的|各类|各种|书面|有效|所有|实际|实|申请人|申请者|群众|市民|公众|社会公众|社会|向|提出|提交|递交|发起|登记|收悉|收取|完成|依法|均为)*";

/// Words before a count that end with the requests and a word for their number.
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        "^{NEUTRAL}(?:(?:政府)?信息公开申请|依申请公开(?:的?政府信息|信息)?(?:的?申请)?|申请公开(?:的)?(?:政府)?信息|申请(?:公开)?(?:总?数量?|总量|件数))(?:事项|案件|件|书|表)?的?(?:受理)?(?:总件数|总?数量?|总量|总数|件数|数目|量)?(?:共计|共有|共|总计|累计|合计|总共|为|达到|达|有|是)?$"
    ))
});

/// Text before a count that consists of neutral words only.
static NOTHING: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^{NEUTRAL}$")));

/// Text after a count that names the requests, optionally with their results.
static BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "^的?(?:(?:政府)?信息公开申请|依申请公开(?:的?政府信息|信息)?(?:的?申请)?|申请公开(?:的)?(?:政府)?信息)(?:事项|案件|件)?(?:$|均|全部|都|皆|已|并|按|得到|依法|及时|办结|的?(?:办理|答复)$|(?:进行|作出|予以)了?(?:答复|回复|办理))",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that a test compiles")
}

/// Returns true if the words around a count state the number of this body's requests and nothing else. They must
/// contain no verb of requests.
pub(super) fn is_of_requests(agency: &str, head: &str, tail: &str) -> bool {
    let head = &without_own_name(agency, head);
    if head.contains("申请") {
        return BEFORE.is_match(head) && !tail.starts_with(['的', '公', '文', '目']);
    }
    tail.contains("申请") && NOTHING.is_match(head) && BEHIND.is_match(tail)
}

/// Removes the body's name, or the end of it, from some words: 青溪市水务局, 市水务局.
fn without_own_name<'h>(agency: &str, head: &'h str) -> Cow<'h, str> {
    let ends = agency.char_indices().map(|(at, _)| &agency[at..]).filter(|end| end.chars().count() >= 3);
    match ends.into_iter().find(|end| head.contains(end)) {
        Some(name) => Cow::Owned(head.replacen(name, "", 1)),
        None => Cow::Borrowed(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_of_requests_itself_needs_no_verb() {
        fn check(head: &str, tail: &str, expect: bool) {
            assert_eq!(is_of_requests("青溪市水务局", head, tail), expect, "{head}…{tail}");
        }
        for head in [
            "政府信息公开申请",
            "全年依申请公开",
            "依申请公开政府信息数",
            "依申请公开信息",
            "2023年度我局政府信息公开申请数量为",
            "申请人向我局提出政府信息公开申请",
            "青溪市水务局共有信息公开申请",
            "市水务局信息公开申请",
            "全年申请公开政府信息",
            "申请总数",
            "本年度共登记依申请公开申请",
        ] {
            check(head, "", true);
        }
        for head in [
            "依申请公开目录",
            "梳理依申请公开事项清单",
            "转化依申请公开信息",
            "在依申请公开栏目发布信息",
            "举办依申请公开培训",
            "依申请公开典型案例",
            "协助兄弟单位政府信息公开申请",
            "发放政府信息公开申请",
            "申请",
        ] {
            check(head, "", false);
        }
        check("依申请公开", "公文", false);
        check("全年共有", "政府信息公开申请均按期答复", true);
        check("", "依申请公开", true);
        check("抽查", "政府信息公开申请", false);
        check("对", "政府信息公开申请开展回访", false);
    }
}
