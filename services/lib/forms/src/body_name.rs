//! Names of bodies (机关名称): whether a text is one, whether two mean the same body, and which is fuller.

use gongkai_model::{is_short_for, names_nobody};

/// The last characters of the names of bodies.
const ENDS: [&str; 85] = [
    "政府",
    "办公室",
    "办公厅",
    "局",
    "委员会",
    "委",
    "厅",
    "部",
    "署",
    "院",
    "办事处",
    "管理处",
    "处",
    "所",
    "站",
    "中心",
    "队",
    "馆",
    "社",
    "办",
    "街道",
    "镇",
    "乡",
    "苏木",
    "公司",
    "集团",
    "学校",
    "大学",
    "中学",
    "小学",
    "医院",
    "银行",
    "协会",
    "学会",
    "联合会",
    "理事会",
    "管委会",
    "工会",
    "台",
    "海关",
    "指挥部",
    "机关",
    "林场",
    "农场",
    "园区",
    "开发区",
    "新区",
    "管理区",
    "党校",
    "司",
    "总局",
    "管理段",
    "残联",
    "妇联",
    "科协",
    "文联",
    "侨联",
    "工商联",
    "联社",
    "红十字会",
    "法院",
    "检察院",
    "高新区",
    "经开区",
    "示范区",
    "实验区",
    "度假区",
    "风景区",
    "保税区",
    "工业园",
    "产业园",
    "科技园",
    "物流园",
    "集聚区",
    "合作区",
    "保护区",
    "研究室",
    "编纂室",
    "促进会",
    "贸促会",
    "研究会",
    "基金会",
    "总会",
    "分行",
    "支行",
];

/// Words that end like a body and are none.
const NOT_ENDS: [&str; 20] = [
    "网站",
    "平台",
    "全部",
    "内部",
    "外部",
    "承办",
    "主办",
    "督办",
    "交办",
    "经办",
    "催办",
    "场所",
    "好处",
    "到处",
    "之处",
    "行政机关",
    "各机关",
    "窗口",
    "公安机关",
    "单位",
];

/// Beginnings of phrases that are no names.
const NOT_STARTS: [&str; 75] = [
    "根据",
    "按照",
    "依据",
    "依照",
    "遵照",
    "参照",
    "在",
    "由",
    "对",
    "各",
    "我",
    "该",
    "其",
    "以",
    "为了",
    "为进",
    "为贯",
    "为深",
    "为切",
    "为做",
    "并",
    "按",
    "通过",
    "围绕",
    "结合",
    "关于",
    "严格",
    "认真",
    "国务院",
    "党中央",
    "中共中央",
    "上级",
    "有关",
    "相关",
    "全县",
    "全市",
    "全省",
    "全区",
    "全镇",
    "全乡",
    "全旗",
    "全盟",
    "全街",
    "全系",
    "全体",
    "全面",
    "截至",
    "截止",
    "现将",
    "今年",
    "本年",
    "本报",
    "报告",
    "一是",
    "二是",
    "首页",
    "请",
    "与",
    "机构",
    "公布",
    "发布",
    "编制",
    "撰写",
    "梳理",
    "特编",
    "特向",
    "特公",
    "向社会",
    "现公",
    "现发",
    "现予",
    "现向",
    "现编",
    "现就",
    "现面",
];

/// Words that no name contains.
const NEVER: [&str; 43] = [
    "《",
    "》",
    "“",
    "”",
    "网站",
    "门户",
    "首页",
    "信息公开",
    "政务公开",
    "年报",
    "年度报告",
    "栏目",
    "如下",
    "以下",
    "要求",
    "会议精神",
    "领导下",
    "报告",
    "统计数据",
    "有关数据",
    "新收",
    "收到",
    "受理",
    "办结",
    "答复",
    "开展",
    "加强",
    "推进",
    "完善",
    "建立",
    "http",
    "www",
    "旨在",
    "涵盖",
    "呈现",
    "做好",
    "认真",
    "全面",
    "习近平",
    "新时代",
    "中国特色",
    "共和国国务院",
    "公布",
];

/// Levels before the kind of a body: 县政府, 市局. Such a name lacks the place.
const LEVELS: [char; 8] = ['省', '市', '县', '区', '州', '旗', '盟', '镇'];

/// The last characters of the names of places.
pub(crate) const PLACES: [char; 9] = ['省', '市', '县', '区', '旗', '州', '盟', '镇', '乡'];

/// Returns true if a text from prose is the name of a body. A name without its place, such as 县政府办公室, is none.
pub(crate) fn is_body(name: &str) -> bool {
    is_name(name) && !lacks_place(name) && ends_like_a_body(name)
}

/// Returns true for the name of a body without its place: 区统计局. Higher bodies are mostly named so, as 县政府.
pub(crate) fn is_short_body(name: &str) -> bool {
    let is_higher = ["政府", "省委", "市委", "县委", "区委", "州委", "旗委", "党委", "工委", "领导小组"]
        .iter()
        .any(|word| name.contains(word));
    is_name(name) && lacks_place(name) && ends_like_a_body(name) && !is_higher
}

/// Returns true for the name of a place, which stands for its government: 云川市.
pub(crate) fn is_place(name: &str) -> bool {
    is_name(name) && name.ends_with(PLACES) && name.chars().count() <= 12
}

/// Returns true if a text can be a name at all.
fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    (3..=40).contains(&length)
        && !names_nobody(name)
        && !is_placeholder(name)
        && !NOT_STARTS.iter().any(|word| name.starts_with(word))
        && (!name.starts_with('本') || ["本溪", "本号"].iter().any(|place| name.starts_with(place)))
        && (!name.starts_with('将') || name.starts_with("将乐"))
        && (!name.starts_with('经') || name.starts_with("经济") || name.starts_with("经开"))
        && !NEVER.iter().any(|word| name.contains(word))
        && !name.contains(['，', '。', '：', ':', '；', '|', '>', '、', '的'])
}

/// Returns true if a name begins with its level instead of its place. 市中区 and 市北区 are places.
pub(crate) fn lacks_place(name: &str) -> bool {
    let places = [
        "市中", "市北", "市南", "镇江", "镇海", "镇平", "镇安", "镇宁", "镇远", "镇原", "镇赉", "镇雄",
        "镇坪", "镇巴", "镇康", "镇沅", "州市",
    ];
    name.starts_with(LEVELS) && !places.iter().any(|place| name.starts_with(place))
}

fn ends_like_a_body(name: &str) -> bool {
    let name = without_bracket(name);
    let of_place = |own: &str| own.ends_with("人民") || own.ends_with(PLACES);
    // 第三师四十一团. Elsewhere 师 and 团 are the ends of other words.
    let is_corps = name.contains("兵团") && name.ends_with(['师', '团']);
    name.strip_suffix("政府").is_none_or(of_place)
        && (is_corps || ENDS.iter().any(|end| name.ends_with(end)))
        && !NOT_ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns true for a placeholder of a name, as in an empty form: `XX局`, `××市`, `____`.
pub(crate) fn is_placeholder(name: &str) -> bool {
    ["XX", "xx", "××", "__", "**", "某某", "□", "（机关名称）", "〇〇", "○○"]
        .iter()
        .any(|mark| name.contains(mark))
}

/// Returns the name without a second name in brackets at its end: 文化和旅游局（县文物局）.
pub(crate) fn without_bracket(name: &str) -> &str {
    let Some(inner) = name.strip_suffix(['）', ')']) else { return name };
    match inner.rfind(['（', '(']) {
        Some(at) if at > 0 => inner.get(..at).unwrap_or(name),
        _ => name,
    }
}

/// Returns the name without 办公室, since contact clauses often name the agency's office. The office of a government or a
/// committee is an agency of its own and keeps its name.
pub(crate) fn without_office(name: &str) -> &str {
    match name.strip_suffix("办公室") {
        Some(body) if !body.ends_with("政府") && !body.ends_with("委员会") && body.chars().count() > 3 => {
            body
        }
        _ => name,
    }
}

/// Returns true if two names mean the same body, or one is the office of the other's government.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (without_bracket(a), without_bracket(b));
    let (a, b) = (without_office(a), without_office(b));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short == long
        || adds_place(short, long)
        || adds_level(short, long)
        || completes_around(short, long)
        || long.strip_prefix(short).is_some_and(|suffix| completes(short, suffix))
        || joined(short, long).or_else(|| joined(long, short)).is_some()
        || is_office_of(long, short)
        || abbreviates(short, long)
}

/// Returns true if the long name is the short one with its place before it.
fn adds_place(short: &str, long: &str) -> bool {
    // The place must not be part of the name already: 樟树市樟树市… is a slip, not a fuller name.
    long.strip_suffix(short).is_some_and(|place| {
        place.ends_with(PLACES) || matches!(place, "中共" | "国家税务总局" | "中华人民共和国")
    })
}

/// Returns true if the short name begins with its level and the long one has the place before that: 县教育局 and
/// 云川县教育局.
fn adds_level(short: &str, long: &str) -> bool {
    lacks_place(short)
        && long.strip_suffix(short).is_some_and(|place| place.chars().count() > 1)
        && is_body(long)
}

/// Returns true if the long name has the place before the short one and completes it: 桥东街道 and
/// 云川市桥东街道办事处.
fn completes_around(short: &str, long: &str) -> bool {
    long.find(short).is_some_and(|at| {
        let (place, rest) = long.split_at(at);
        place.ends_with(PLACES) && rest.strip_prefix(short).is_some_and(|suffix| completes(short, suffix))
    })
}

/// Returns true for the office of a government, such as 淮安市人民政府办公室 of 淮安市人民政府 or of 淮安市.
fn is_office_of(office: &str, government: &str) -> bool {
    let Some(place) = office.strip_suffix("办公室").or_else(|| office.strip_suffix("办公厅")) else {
        return false;
    };
    let bare = |name: &str| name.trim_end_matches("政府").trim_end_matches("人民").to_owned();
    place.ends_with("政府") && {
        let (of, own) = (bare(place), bare(government));
        own.ends_with(PLACES) && (of == own || of.ends_with(&own) || own.ends_with(&of))
    }
}

/// Returns true if a name of several words is shortened in the other: 沭阳县发改局 for 沭阳县发展和改革局. Names of different
/// places, and of a part of the body, are not.
fn abbreviates(short: &str, long: &str) -> bool {
    let kinds = [("委", "委员会"), ("办", "办公室"), ("管委会", "管理委员会")];
    let same_kind = short.chars().last() == long.chars().last()
        || kinds.iter().any(|(a, b)| short.ends_with(a) && long.ends_with(b));
    let levels = |name: &str| name.chars().filter(|c| PLACES.contains(c)).count();
    same_kind
        && short.chars().count() > 3
        && short.chars().next() == long.chars().next()
        && levels(short) == levels(long)
        && !long.starts_with(short)
        && is_short_for(short, long)
}

/// Returns the fuller of two names if both belong to the same agency, and otherwise the first.
pub(crate) fn fuller(own: String, other: &str) -> String {
    if without_bracket(other) == own && other.len() > own.len() {
        return other.to_owned();
    }
    for other in [other, without_office(other)] {
        if other.len() > own.len() {
            let is_new = |place: &str| !own.starts_with(place);
            if adds_level(&own, other) || completes_around(&own, other) {
                return other.to_owned();
            }
            if adds_place(&own, other) && other.strip_suffix(own.as_str()).is_some_and(is_new) {
                return other.to_owned();
            }
            if other.strip_prefix(own.as_str()).is_some_and(|suffix| completes(&own, suffix)) {
                return other.to_owned();
            }
            if abbreviates(&own, without_bracket(other)) {
                return other.to_owned();
            }
        }
        if let Some(joined) = joined(&own, other) {
            return joined;
        }
    }
    own
}

/// Returns true if the suffix turns the name of a place into the name of its government.
fn completes(own: &str, suffix: &str) -> bool {
    match suffix {
        "办事处" => own.ends_with("街道"),
        "人民政府" => own.ends_with(['省', '市', '县', '区', '旗', '州', '镇', '乡']),
        _ => false,
    }
}

/// Joins two names that overlap: 樟树市鹿江街道 and 鹿江街道办事处 give 樟树市鹿江街道办事处.
fn joined(own: &str, other: &str) -> Option<String> {
    for (at, _) in own.char_indices().skip(1) {
        let end = own.get(at..)?;
        if end.chars().count() >= 3
            && let Some(suffix) = other.strip_prefix(end)
            && completes(own, suffix)
        {
            return Some(format!("{own}{suffix}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_bodies_are_told_from_phrases() {
        for name in [
            "云川市水务局",
            "云川县文化和旅游局（县文物局）",
            "桥东镇",
            "市中区人民政府",
            "中共云川县委机构编制委员会办公室",
            "云川经济技术开发区管理委员会",
            "云川市突发事件预警信息发布中心",
            "新疆生产建设兵团第三师四十一团",
            "云川县史志研究室",
            "云川市㙍头镇人民政府",
            "䶮山县𬭚业产业园",
        ] {
            assert!(is_body(name), "{name}");
        }
        for name in [
            "县政府办公室",
            "市局",
            "根据云川市水务局",
            "云川市人民政府网站",
            "全县各级行政机关",
            "我局",
            "本机关",
            "本财政局",
            "全市政府",
            "为认真做好云川市水务局",
            "国务院办公厅",
            "云川市信息公开平台",
            "XX局",
            "云川市",
        ] {
            assert!(!is_body(name), "{name}");
        }
        assert!(is_place("云川市") && !is_place("云川市水务局"));
    }

    #[test]
    fn names_of_one_body_are_told_from_names_of_two() {
        for (a, b) in [
            ("水务局", "云川市水务局"),
            ("云川市发改局", "云川市发展和改革局"),
            ("云川市卫健委", "云川市卫生健康委员会"),
            ("云川市人民政府", "云川市人民政府办公室"),
            ("云川市", "云川市人民政府"),
            ("云川市桥东街道", "桥东街道办事处"),
            ("桥东街道", "云川市桥东街道办事处"),
            ("县教育局", "云川县教育局"),
            ("云川县文化和旅游局（县文物局）", "云川县文化和旅游局"),
            ("云川市水务局办公室", "云川市水务局"),
        ] {
            assert!(is_same(a, b) && is_same(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("云川市水务局", "云川市林业局"),
            ("云川市公安局", "云川市公安局桥东分局"),
            ("云川市税务局", "云川市桥东区税务局"),
            ("云川市桥东区", "云川市"),
        ] {
            assert!(!is_same(a, b) && !is_same(b, a), "{a} {b}");
        }
    }
}
