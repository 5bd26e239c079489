//! `contents.*`: the subjects that chapters 一 and 五 must cover (regulations art. 50; notice 〔2021〕30号).

use crate::{
    check::Check,
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

use gongkai_model::AgencyKind;

pub(crate) const CHECKS: &[Check] = &[
    Check::one("contents.five_parts", &[("missing", &["parts"]), ("aside", &["parts"])], five_parts),
    Check::one("contents.government", &[("missing", &["parts"]), ("some", &["parts"])], government),
    Check::one(
        "contents.problems",
        &[("short", &["length"]), ("problems", &[]), ("measures", &[])],
        problems,
    )
    .with(&[("shortest", ParamKind::Whole)]),
];

/// The five subjects of chapter 一, each in the notice's words and in equivalent words.
const PARTS: [(&str, &[&str]); 5] = [
    ("主动公开", &["主动公开", "主动发布", "公开政府信息", "公开信息", "发布信息"]),
    (
        "依申请公开",
        &[
            "依申请",
            "申请公开",
            "公开申请",
            "办理申请",
            "受理申请",
            "收到申请",
            "申请办理",
            "申请件",
            "申请答复",
        ],
    ),
    (
        "政府信息管理",
        &[
            "信息管理",
            "管理情况",
            "信息资源管理",
            "公文属性",
            "公开属性",
            "属性认定",
            "属性源头",
            "源头认定",
            "三审",
            "先审",
            "一事一审",
            "保密审查",
            "发布审查",
            "审查机制",
            "审核制度",
            "审核机制",
            "审核流程",
            "审核发布",
            "审签",
            "文件清理",
            "规范性文件管理",
            "动态管理",
            "动态调整",
        ],
    ),
    ("政府信息公开平台建设", &["平台", "网站", "公众号", "新媒体", "公报", "公开栏", "专栏", "专区"]),
    ("监督保障", &["监督", "保障", "考核", "培训", "督导", "责任追究", "评议", "检查"]),
];

/// The word of each part by which a numbered heading names it.
const HEADED: [&str; 5] = ["主动公开", "申请", "信息管理", "平台", "保障"];

fn five_parts(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let text = chapter(input, 1);
    let absent = missing(&PARTS, &text);
    if !absent.is_empty() {
        return (!text.is_empty()).then(|| draft("missing", "chapter-1-parts", &absent));
    }
    let passages =
        || input.prose.passages().iter().filter(|passage| passage.chapter() == 1).map(Passage::text);
    let headings: String = passages().flat_map(openings).filter(|text| is_numbered(text)).collect();
    // Where four parts have headings by their names, the fifth is looked for at the beginnings of sections. Other
    // reports have free headings.
    if HEADED.iter().filter(|word| headings.contains(**word)).count() != HEADED.len() - 1 {
        return None;
    }
    let openings: Vec<&str> = passages().flat_map(openings).collect();
    let aside = missing(&PARTS, &openings.join("\n"));
    (!aside.is_empty()).then(|| draft("aside", "chapter-1-parts", &aside))
}

/// Returns true if a text begins with the number of a heading: (一), 一、, 1.
fn is_numbered(text: &str) -> bool {
    let bare = text.trim_start_matches('(');
    let rest = bare.trim_start_matches(|c: char| "一二三四五六七八九十".contains(c) || c.is_ascii_digit());
    rest.len() < bare.len() && rest.starts_with([')', '、', '.', '是'])
}

/// Returns the first sentence of a text, as far as a heading can reach.
fn opening(text: &str) -> &str {
    let end = text.find(['。', ';']).unwrap_or(text.len());
    let longest = text.char_indices().nth(OPENING).map_or(text.len(), |(at, _)| at);
    &text[..end.min(longest)]
}

/// Longest heading, in characters.
const OPENING: usize = 40;

/// Returns the beginning of a text, and those of its numbered sentences.
fn openings(text: &str) -> impl Iterator<Item = &str> {
    let sentences = text.split(['。', ';']).skip(1).filter(|sentence| is_numbered(sentence));
    std::iter::once(text).chain(sentences).map(opening)
}

/// Returns the names of the parts that the text does not mention.
fn missing<'a>(parts: &[(&'a str, &[&str])], text: &str) -> Vec<&'a str> {
    let is_missing = |words: &[&str]| !words.iter().any(|word| text.contains(word));
    parts.iter().filter(|(_, words)| is_missing(words)).map(|(name, _)| *name).collect()
}

fn draft(case: &'static str, part: &str, missing: &[&str]) -> Draft {
    let parts = missing.join("、");
    Draft { actual: Some(parts.clone()), ..Draft::of_part(case, part).with("parts", parts) }
}

/// The three further subjects that a government's report must cover.
const OF_GOVERNMENTS: [(&str, &[&str]); 3] = [
    ("工作考核", &["考核", "测评", "评估", "绩效", "检查"]),
    (
        "社会评议",
        &["评议", "社会评估", "满意度", "社会评价", "群众评价", "第三方评估", "第三方评价", "第三方测评"],
    ),
    ("责任追究", &["责任追究", "追责", "问责", "追究责任", "责任倒查"]),
];

fn government(_: &Params, input: &Input<'_>) -> Option<Draft> {
    if input.kind() != Some(AgencyKind::Government) {
        return None;
    }
    let missing = missing(&OF_GOVERNMENTS, &[1, 5, 6].map(|number| chapter(input, number)).concat());
    let case = match missing.len() {
        0 => return None,
        3 => "missing",
        _ => "some",
    };
    Some(draft(case, "government-parts", &missing))
}

const PROBLEMS: &[&str] = &[
    "问题",
    "不足",
    "差距",
    "短板",
    "薄弱",
    "有待",
    "不够",
    "欠缺",
    "困难",
    "需要加强",
    "需加强",
    "仍需",
    "不高",
    "不到位",
    "滞后",
    "不强",
    "单一",
];
const MEASURES: &[&str] = &[
    "改进",
    "措施",
    "下一步",
    "将",
    "加强",
    "提升",
    "提高",
    "整改",
    "完善",
    "今后",
    "优化",
    "强化",
    "健全",
    "加大",
    "建立",
    "制定",
    "组织",
    "推进",
    "推动",
    "深化",
    "细化",
    "增强",
];

fn problems(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let section = input.report.section(5).filter(|section| !section.paragraphs.is_empty())?;
    let text = chapter(input, section.number);
    let length = text.chars().count();
    let case = if i64::try_from(length).is_ok_and(|length| length <= params.whole("shortest")) {
        "short"
    } else if !PROBLEMS.iter().any(|word| text.contains(word)) {
        "problems"
    } else if !names_measures(&text) {
        "measures"
    } else {
        return None;
    };
    let draft = Draft::of_part(case, "chapter-5").with("length", length.to_string());
    Some(Draft { actual: Some(length.to_string()), ..draft })
}

/// Words of a problem that contain a word of a measure: 有待加强, 不够完善.
static WANTED: StaticRegex = StaticRegex::new(
    "(?:有待|需要?|亟待|不够|不足以|未能|没有|缺乏|不|未|待)(?:进一步|持续|继续|更加|充分|得到|及时|有效|不断|全面)*(?:改进|加强|提升|提高|完善|优化|强化|健全|加大|整改)(?:和(?:加强|提升|提高|完善|改进|优化))?",
);

/// Returns true if a text says what was or will be done, other than what is wanting.
fn names_measures(text: &str) -> bool {
    let rest = WANTED.replace_all(text, "");
    // A heading that runs into its text names both parts of the chapter.
    let rest = rest.replace("问题及改进情况", "").replace("问题和改进情况", "");
    MEASURES.iter().any(|word| rest.contains(word))
}

/// Returns the prose of a chapter without white space.
fn chapter(input: &Input<'_>, number: u32) -> String {
    let passages = input.prose.passages().iter().filter(|passage| passage.chapter() == number);
    passages.map(Passage::text).collect()
}
