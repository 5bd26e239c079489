//! The tables of provinces, prefectures and counties (省级、地级、县级行政区划), compiled in.

use std::{collections::HashSet, sync::LazyLock};

use gongkai_model::Level;

static TABLE: LazyLock<Vec<Division>> =
    LazyLock::new(|| include_str!("../data/divisions.txt").lines().filter_map(division).collect());

/// The names of counties, districts and county-level cities.
static COUNTIES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("../data/counties.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_once(' ')?.1)).collect()
});

/// A province or prefecture (省、地级市) with its names.
struct Division {
    level: Level,
    /// Prefixes of the names of its bodies, longest first.
    names: Vec<String>,
}

/// A body's name without the province and prefecture it begins with.
pub(crate) struct StrippedName<'a> {
    /// The lower of the two divisions, if any.
    pub(crate) level: Option<Level>,
    /// The rest of the name.
    pub(crate) rest: &'a str,
}

/// Removes the province and the prefecture from the beginning of a name. A province's short name counts only before a
/// prefecture.
pub(crate) fn strip(name: &str) -> StrippedName<'_> {
    let (province, rest) = strip_level(name, Level::Province, true);
    let (prefecture, rest_of_prefecture) = strip_level(rest, Level::Prefecture, true);
    if prefecture.is_some() {
        return StrippedName { level: prefecture, rest: rest_of_prefecture };
    }
    if province.is_some() {
        let (level, rest) = strip_level(name, Level::Province, false);
        return StrippedName { level, rest: if level.is_some() { rest } else { name } };
    }
    StrippedName { level: None, rest: name }
}

/// Returns a name without its province if a prefecture follows, else the name.
pub(crate) fn below_province(name: &str) -> &str {
    let (_, rest) = strip_level(name, Level::Province, true);
    let (prefecture, _) = strip_level(rest, Level::Prefecture, true);
    if prefecture.is_some() { rest } else { name }
}

/// Returns true if a name without its province and prefecture begins with that of a county. `is_placed` is true if a
/// prefecture stood before it: a name as short as 城区 or 东区 is one only there.
pub(crate) fn begins_with_county(rest: &str, is_placed: bool) -> bool {
    let ends = rest.char_indices().take(12).filter(|(_, c)| matches!(c, '市' | '县' | '区' | '旗'));
    ends.map(|(at, end)| rest.split_at(at + end.len_utf8())).any(|(name, after)| {
        let is_clear = is_placed || !name.ends_with('区') || name.chars().nth(2).is_some();
        is_clear && !after.starts_with('域') && COUNTIES.contains(name)
    })
}

fn strip_level(name: &str, level: Level, short: bool) -> (Option<Level>, &str) {
    let rest = TABLE.iter().filter(|division| division.level == level).find_map(|division| {
        let names = division.names.iter().take(if short || level == Level::Prefecture { 2 } else { 1 });
        names.filter_map(|own| name.strip_prefix(own.as_str())).next()
    });
    rest.map_or((None, name), |rest| (Some(level), rest))
}

fn division(line: &str) -> Option<Division> {
    let (code, name) = line.split_once(' ').filter(|_| !line.starts_with('#'))?;
    let level = if code.ends_with("0000") { Level::Province } else { Level::Prefecture };
    let mut names = vec![name.to_owned()];
    names.extend(short(name, level));
    Some(Division { level, names })
}

/// Returns the short form of a name: 江西 for 江西省, 恩施州 for 恩施土家族苗族自治州. Cities have none.
fn short(name: &str, level: Level) -> Option<String> {
    if level == Level::Province {
        let length = if name.starts_with("内蒙古") || name.starts_with("黑龙江") { 3 } else { 2 };
        return (!name.ends_with('市')).then(|| name.chars().take(length).collect());
    }
    let peoples = [
        "土家族",
        "朝鲜族",
        "藏族",
        "彝族",
        "布依族",
        "哈尼族",
        "壮族",
        "傣族",
        "白族",
        "傈僳族",
        "回族",
        "哈萨克",
        "蒙古",
        "柯尔克孜",
    ];
    let own = name.strip_suffix("自治州")?;
    let end = peoples.iter().filter_map(|people| own.find(people)).filter(|at| *at > 0).min()?;
    Some(format!("{}州", &own[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_province_and_prefecture() {
        let count = |level| TABLE.iter().filter(|division| division.level == level).count();
        assert_eq!((count(Level::Province), count(Level::Prefecture)), (34, 333));
    }

    #[test]
    fn a_county_is_one_of_the_table() {
        assert_eq!(COUNTIES.len(), 2814);
        for (rest, is_placed, expected) in [
            ("沭阳县财政局", false, true),
            ("东湖区财政局", false, true),
            ("樟树市鹿江街道办事处", false, true),
            ("城区财政局", true, true),
            ("城区财政局", false, false),
            ("云溪县财政局", false, false),
            ("新县域经济发展局", false, false),
            ("财政局", true, false),
            ("", true, false),
        ] {
            assert_eq!(begins_with_county(rest, is_placed), expected, "{rest}");
        }
    }

    #[test]
    fn autonomous_prefectures_have_their_usual_short_names() {
        assert_eq!(short("恩施土家族苗族自治州", Level::Prefecture).as_deref(), Some("恩施州"));
        assert_eq!(short("伊犁哈萨克自治州", Level::Prefecture).as_deref(), Some("伊犁州"));
        assert_eq!(short("海西蒙古族藏族自治州", Level::Prefecture).as_deref(), Some("海西州"));
        assert_eq!(short("楚雄彝族自治州", Level::Prefecture).as_deref(), Some("楚雄州"));
        assert_eq!(short("南昌市", Level::Prefecture), None);
        assert_eq!(short("广西壮族自治区", Level::Province).as_deref(), Some("广西"));
    }
}
