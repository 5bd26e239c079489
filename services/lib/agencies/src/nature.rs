//! The level and kind of a body, read from its name, and its name without the place.
//!
//! A level or kind that the name does not show stays unknown.

use gongkai_model::{AgencyKind, Level, Nature, normalized_name};

use crate::division;

/// Ends of the names of town-level bodies.
const TOWN_ENDS: [&str; 9] = [
    "街道办事处",
    "街道办",
    "街道",
    "镇人民政府",
    "乡人民政府",
    "苏木人民政府",
    "镇政府",
    "乡政府",
    "民族乡",
];
/// Words before 区 in the names of zones, which have no level of their own: 开发区, 新区, 园区.
const ZONES: [&str; 17] = [
    "开发", "新", "园", "景", "管理", "保税", "示范", "试验", "合作", "度假", "高新", "工业", "保护", "集聚",
    "库", "产业", "功能",
];
/// Characters before 市 or 区 in words that do not name a division: 城市管理, 社区建设.
const NO_PLACE: [(&str, char); 5] = [("城", '市'), ("都", '市'), ("社", '区'), ("行政", '区'), ("地", '区')];
/// Prefixes of bodies whose local offices are led by the superior body, not by the local government.
const VERTICAL: [&str; 3] = ["国家税务总局", "中华人民共和国", "国家统计局"];

/// Returns the level and kind that a body's name indicates.
#[must_use]
pub fn nature_of(name: &str) -> Nature {
    Nature { level: level_of(name), kind: kind_of(name) }
}

/// Returns the level that a body's name indicates, if any.
///
/// Provinces, prefectures and counties are in compiled-in tables. A 市, 县, 区 or 旗 that is in none of them leaves the
/// level unknown, and so does a development zone (开发区).
#[must_use]
pub fn level_of(name: &str) -> Option<Level> {
    let name = normalized_name(name);
    let own = VERTICAL.iter().fold(name.as_str(), |rest, prefix| rest.strip_prefix(prefix).unwrap_or(rest));
    let place = division::strip(own);
    if TOWN_ENDS.iter().any(|end| place.rest.ends_with(end)) || is_bare_town(place.rest) {
        return Some(Level::Town);
    }
    if division::begins_with_county(place.rest, place.level == Some(Level::Prefecture)) {
        return Some(Level::County);
    }
    if lower_place(place.rest).is_some() {
        return None;
    }
    let is_of_state = ["国家", "国务院", "中华人民共和国"].iter().any(|head| name.starts_with(head));
    place.level.or(is_of_state.then_some(Level::State))
}

/// A place below the prefecture.
enum Lower {
    /// 县, 市 or 旗, whose names are unique.
    County,
    /// A district (区). Several districts may have the same name.
    District,
    Zone,
}

/// Returns true if a name contains its province, city or county, so that it identifies one body. Several districts
/// (区) share a name, so a district's body is identified only by the city before it.
#[must_use]
pub fn says_where(name: &str) -> bool {
    let name = normalized_name(name);
    let is_of_state = ["国家", "国务院", "中华人民共和国"].iter().any(|head| name.starts_with(head));
    let own = VERTICAL.iter().fold(name.as_str(), |rest, prefix| rest.strip_prefix(prefix).unwrap_or(rest));
    let place = division::strip(own);
    place.level.is_some()
        || matches!(lower_place(place.rest), Some(Lower::County))
        || (is_of_state && own.len() == name.len())
}

/// Returns a body's name without the province and prefecture at its beginning: 东湖区财政局 for
/// 江西省南昌市东湖区财政局. A name that consists only of those stays whole, and so does one whose body would lose
/// its place: 南昌市财政局 for 江西省南昌市财政局.
#[must_use]
pub fn short_name(name: &str) -> String {
    let name = normalized_name(name);
    let place = division::strip(&name);
    let below = division::below_province(&name);
    let has_lower =
        matches!(lower_place(place.rest), Some(Lower::County | Lower::District)) || is_bare_town(place.rest);
    if has_lower { place.rest.to_owned() } else { below.to_owned() }
}

fn is_bare_town(rest: &str) -> bool {
    let chars = rest.chars().count();
    (2..=16).contains(&chars) && (rest.ends_with('镇') || rest.ends_with('乡'))
}

/// Returns the county or zone at the beginning of a name: two to twelve characters, the last 市, 县, 区 or 旗.
fn lower_place(rest: &str) -> Option<Lower> {
    let ends = rest.char_indices().take(12).filter(|(_, c)| matches!(c, '市' | '县' | '区' | '旗'));
    for (at, end) in ends {
        let (before, after) = (&rest[..at], &rest[at + end.len_utf8()..]);
        if end == '区' && ZONES.iter().any(|word| before.ends_with(word)) {
            return Some(Lower::Zone);
        }
        let is_word = before.is_empty()
            || NO_PLACE.iter().any(|(word, place)| *place == end && before.ends_with(word))
            || (end == '市' && after.starts_with(['场', '政', '容', '民']))
            || (end == '区' && after.starts_with(['域', '划']));
        if !is_word {
            return Some(if end == '区' { Lower::District } else { Lower::County });
        }
    }
    None
}

/// Returns the kind that a body's name indicates, if any.
#[must_use]
pub fn kind_of(name: &str) -> Option<AgencyKind> {
    let name = normalized_name(name);
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    if VERTICAL.iter().any(|prefix| name.starts_with(prefix)) || ends(&["税务局", "海关", "气象局"]) {
        return Some(AgencyKind::Vertical);
    }
    if ends(&["人民政府办公厅", "人民政府办公室", "政府办公室", "政府办公厅", "政府办"])
    {
        return Some(AgencyKind::Office);
    }
    if ends(&["街道办事处", "街道办", "街道", "行政公署", "行署"]) {
        return Some(AgencyKind::Outpost);
    }
    if ends(&["人民政府", "镇政府", "乡政府", "市政府", "县政府", "区政府"]) {
        return Some(AgencyKind::Government);
    }
    if ends(&["管委会", "管理委员会"]) {
        return Some(AgencyKind::Committee);
    }
    if ends(&["中心", "院", "学校", "所", "站", "馆"]) {
        return Some(AgencyKind::Institution);
    }
    ends(&["局", "委", "委员会", "厅", "部", "办公室", "办", "署"]).then_some(AgencyKind::Department)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_level_or_nothing() {
        let cases = [
            ("江西省财政厅", Some(Level::Province)),
            ("北京市人民政府", Some(Level::Province)),
            ("南昌市人民政府", Some(Level::Prefecture)),
            ("南昌市城市管理局", Some(Level::Prefecture)),
            ("江西省南昌市市场监督管理局", Some(Level::Prefecture)),
            ("江西南昌市财政局", Some(Level::Prefecture)),
            ("景德镇市财政局", Some(Level::Prefecture)),
            ("恩施土家族苗族自治州人民政府", Some(Level::Prefecture)),
            ("恩施州财政局", Some(Level::Prefecture)),
            ("樟树市人民政府", Some(Level::County)),
            ("江西省樟树市行政服务中心管委会", Some(Level::County)),
            ("赣县区行政审批局", Some(Level::County)),
            ("句容市机关服务中心", Some(Level::County)),
            ("北京市东城区人民政府", Some(Level::County)),
            ("南昌市东湖区财政局", Some(Level::County)),
            ("国家税务总局樟树市税务局", Some(Level::County)),
            ("樟树市鹿江街道办事处", Some(Level::Town)),
            ("鹿江街道办事处", Some(Level::Town)),
            ("大演乡", Some(Level::Town)),
            ("临江镇人民政府", Some(Level::Town)),
            ("国家发展和改革委员会", Some(Level::State)),
            ("乡村振兴局", None),
            ("财政局", None),
            ("市场监督管理局", None),
            ("东城区审计局", Some(Level::County)),
            ("上海市浦东新区审计局", Some(Level::County)),
            ("云溪县财政局", None),
            ("江西省云溪县财政局", None),
            ("南昌市青石区财政局", None),
            ("晋城市城区财政局", Some(Level::County)),
            ("云溪县石桥镇人民政府", Some(Level::Town)),
            ("南昌高新技术产业开发区管理委员会", None),
            ("南昌市高新技术产业开发区管理委员会", None),
        ];
        for (name, level) in cases {
            assert_eq!(level_of(name), level, "{name}");
        }
    }

    #[test]
    fn a_name_says_where_its_body_is_or_fits_several() {
        for name in [
            "云溪县水务局",
            "樟树市鹿江街道办事处",
            "南昌市东湖区财政局",
            "江西省财政厅",
            "国家税务总局樟树市税务局",
            "国家发展和改革委员会",
        ] {
            assert!(says_where(name), "{name}");
        }
        for name in [
            "水务局",
            "鹿江街道办事处",
            "东湖区财政局",
            "城市管理局",
            "临江镇人民政府",
            "国家税务总局东湖区税务局",
        ] {
            assert!(!says_where(name), "{name}");
        }
    }

    #[test]
    fn a_name_tells_its_kind_or_nothing() {
        let cases = [
            ("樟树市人民政府", Some(AgencyKind::Government)),
            ("樟树市人民政府办公室", Some(AgencyKind::Office)),
            ("樟树市财政局", Some(AgencyKind::Department)),
            ("鹿江街道办事处", Some(AgencyKind::Outpost)),
            ("樟树市行政服务中心管委会", Some(AgencyKind::Committee)),
            ("句容市机关服务中心", Some(AgencyKind::Institution)),
            ("国家税务总局樟树市税务局", Some(AgencyKind::Vertical)),
            ("樟树市", None),
        ];
        for (name, kind) in cases {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
