//! Names of bodies (机关名称): whether a text is one, whether two mean the same body, and which is fuller.

use gongkai_model::{is_short_for, names_nobody};

use crate::{
    body_words::{ENDS, NEVER, NOT_ENDS, NOT_STARTS},
    year::year_at,
};

/// Levels before the kind of a body: 县政府, 市局. Such a name lacks the place.
const LEVELS: [char; 8] = ['省', '市', '县', '区', '州', '旗', '盟', '镇'];

/// The last characters of the names of places.
pub(crate) const PLACES: [char; 9] = ['省', '市', '县', '区', '旗', '州', '盟', '镇', '乡'];

/// Returns true if a text from prose is the name of a body. A name without its place, such as 县政府办公室, is none.
pub(crate) fn is_body(name: &str) -> bool {
    is_name(name) && !lacks_place(name) && ends_like_a_body(name)
}

/// Returns true for the name of a body that begins with the name of its place.
pub(crate) fn is_full_body(name: &str) -> bool {
    is_body(name) && name.chars().skip(1).any(|c| PLACES.contains(&c))
}

/// Returns true for the name of a body of the whole country, which has no place: 教育部, 海关总署.
pub(crate) fn is_national(name: &str) -> bool {
    let starts = ["国家", "中国", "中华", "全国", "国务院"];
    starts.iter().any(|word| name.starts_with(word))
        || ["部", "总局", "总署"].iter().any(|end| name.ends_with(end))
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
        && year_at(name).is_none()
        && !NOT_STARTS.iter().any(|word| name.starts_with(word))
        && (!name.starts_with('本') || ["本溪", "本号"].iter().any(|place| name.starts_with(place)))
        && (!name.starts_with('将') || name.starts_with("将乐"))
        && (!name.starts_with('经') || name.starts_with("经济") || name.starts_with("经开"))
        && !NEVER.iter().any(|word| name.contains(word))
        && !name.contains(['，', ',', '。', '：', ':', '；', ';', '|', '>', '的'])
        && !without_bracket(name).contains('、')
        && name.matches(['（', '(']).count() == name.matches(['）', ')']).count()
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
    // 第三师, 第三师四十一团. Elsewhere 师 and 团 are the ends of other words.
    let is_numeral = |c: char| c.is_ascii_digit() || "〇一二三四五六七八九十".contains(c);
    let is_regiment = |body: &str| name.contains('师') && body.ends_with(is_numeral);
    let is_corps = name.contains("兵团") && name.ends_with(['师', '团'])
        || name.strip_suffix('团').is_some_and(is_regiment);
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
    let other = if repeats(other) { without_bracket(other) } else { other };
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

/// Returns true if the brackets at the end of a name hold the same body or its office:
/// 云川县人民政府（云川县人民政府办公室）.
fn repeats(name: &str) -> bool {
    let own = without_bracket(name);
    name.strip_prefix(own).is_some_and(|second| is_same(own, second.trim_matches(['（', '）', '(', ')'])))
}

/// Returns true if the suffix turns the name of a place into the name of its government or of its committee.
fn completes(own: &str, suffix: &str) -> bool {
    match suffix {
        "管理委员会" | "管委会" => own.ends_with(['区', '园', '城', '港', '岛']),
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
