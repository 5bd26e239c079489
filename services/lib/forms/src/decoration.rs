//! What sites and editors put around a title: 附件1, 【年报】, `01.`, 标题：, breadcrumbs, 《》, a date.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use crate::{
    body_name,
    year::{split_year, year_alone, year_at},
};

/// Signs between the parts of a line.
const SEPARATORS: [char; 28] = [
    '>', '＞', '»', '›', '→', '/', '／', '\\', '|', '｜', '丨', '_', '：', ':', '·', '•', '—', '–', '－',
    '-', '~', '～', '┃', '│', '・', '★', '！', '!',
];

/// The separators that can be part of a name.
const DASHES: [&str; 7] = ["—", "–", "－", "-", "~", "～", "·"];

/// The last characters of names of rivers, lakes and mountains.
const FEATURES: [char; 8] = ['江', '河', '湖', '海', '山', '岛', '岭', '湾'];

/// Returns true for a sign before a title. Brackets, and signs that stand for a name in an empty form, are none.
fn is_bullet(c: char) -> bool {
    !c.is_alphanumeric() && !"【[〔（(〖「［《〈×□○_".contains(c)
}

/// Words before a title that are no part of it.
const LABELS: [&str; 33] = [
    "标题",
    "名称",
    "题名",
    "题目",
    "信息名称",
    "信息标题",
    "文件名称",
    "文件标题",
    "文章标题",
    "公文名称",
    "公文标题",
    "主题",
    "正文",
    "全文",
    "置顶",
    "最新",
    "公开版",
    "定稿",
    "终稿",
    "修订版",
    "更正",
    "原创",
    "转载",
    "推荐",
    "热点",
    "政府信息公开年报",
    "信息公开年报",
    "年报",
    "公示",
    "通知公告",
    "公告",
    "NEW",
    "New",
];

/// Words that publish a title: 关于发布…的公告, 现公布….
const PUBLISHING: [&str; 17] = [
    "关于",
    "现将",
    "现予",
    "现",
    "特此",
    "特向",
    "特公布",
    "向社会",
    "公开发布",
    "公布",
    "发布",
    "印发",
    "报送",
    "上报",
    "编制",
    "公开",
    "转发",
];

/// Words behind a title that are no part of it: 《…》全文, …年度报告的公示.
const BEHIND: [&str; 21] = [
    "的公告",
    "的公示",
    "的通知",
    "的通告",
    "的函",
    "的报告",
    "的说明",
    "的情况说明",
    "的请示",
    "的决定",
    "的通报",
    "公告",
    "公示",
    "予以公布",
    "现予公布",
    "公布",
    "发布",
    "印发",
    "公开",
    "全文",
    "来了",
];

/// An abbreviation that a text introduces: （以下简称“县税务局”）.
static ABBREVIATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[（(](?:以下|下称|简称|下同)[^）)]{0,60}[）)]").expect("the pattern is constant")
});

/// A note about the seal behind a name: （盖章）.
static SEAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[（(](?:单位|加盖|机关)?(?:盖章|公章|签章|印章|章)[）)]").expect("the pattern is constant")
});

/// The number of a document: 云政公开〔2024〕1号.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\p{Han}{0,10}[〔\[【（(［]20\d\d年?[〕\]】）)］]第?[0-9]{1,4}号")
        .expect("the pattern is constant")
});

/// 附件1, 附：, 附件2-1.
static ATTACHMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^附[件录表]?([0-9０-９]{0,8}|[一二三四五六七八九十]{0,3})(?:[-－—][0-9]{1,2})?[：:、.．]?")
        .expect("the pattern is constant")
});

/// 01. 1、 （1） 第3号 3号： 一、 ① 序号12
static SERIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:[序编]号[：:]?[0-9]{1,4}|第[0-9０-９一二三四五六七八九十]{1,4}[号篇期]|第?[0-9０-９]{1,4}[号篇]?[、.．:：）)_\-]|[一二三四五六七八九十Ⅰ-Ⅻ]{1,3}[、.．）)]|[A-Za-z][、.．）)]|[Nn][Oo][.．]?[0-9]{1,4}[、.．:：]?|[①-⑳])")
        .expect("the pattern is constant")
});

/// A day of publication, with or without the time.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"20\d\d(?:[-/.]\d{1,2}[-/.]\d{1,2}|年\d{1,2}月(?:\d{1,2}日)?)(?:\d{2}:\d{2}(?::\d{2})?)?")
        .expect("the pattern is constant")
});

/// Returns the title in a line, without what is around it. The text must have no white space.
pub(crate) fn bare(text: &str) -> Cow<'_, str> {
    let text = match in_book_marks(text) {
        Some(title) => Cow::Owned(title),
        None => Cow::Borrowed(text),
    };
    let text = match with_year_of_label(&text) {
        Some(title) => Cow::Owned(title),
        None => text,
    };
    let text = match DAY.is_match(&text) {
        true => Cow::Owned(DAY.replace_all(&text, "|").into_owned()),
        false => text,
    };
    let inner = without_back(without_front(&text));
    match in_parts(inner) {
        Some(title) => Cow::Owned(title),
        None if inner.len() == text.len() => text,
        None => Cow::Owned(inner.to_owned()),
    }
}

/// Returns a text without the abbreviations that it introduces.
pub(crate) fn without_abbreviations(text: &str) -> Cow<'_, str> {
    if text.contains(['（', '(']) { ABBREVIATION.replace_all(text, "") } else { Cow::Borrowed(text) }
}

/// Returns a text without the notes about seals.
pub(crate) fn without_seals(text: &str) -> Cow<'_, str> {
    if text.contains('章') { SEAL.replace_all(text, "") } else { Cow::Borrowed(text) }
}

/// Returns a title that has its year in the label before it: 【2023年报】云川市水务局政府信息公开工作年度报告.
fn with_year_of_label(text: &str) -> Option<String> {
    let (inner, rest) = bracket(text)?;
    let (year, _) = year_at(inner).filter(|_| split_year(rest).0.is_none())?;
    year_alone(inner).is_none().then(|| format!("{year}年{rest}"))
}

/// Returns a title without the words behind it.
fn without_back(text: &str) -> &str {
    let text = text.trim_end_matches(['☆', '★', '！', '!']);
    let title = BEHIND.iter().find_map(|word| text.strip_suffix(word));
    title.filter(|title| title.ends_with("年度报告") || title.ends_with("年报")).unwrap_or(text)
}

/// Returns the title within 《》: 关于公布《…》的公告. A line that only cites a document has none.
fn in_book_marks(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('《')?;
    let (inner, behind) = rest.split_once('》')?;
    let behind = behind.trim_start_matches(['（', '(']);
    let closes = behind.is_empty()
        || BEHIND.contains(&behind)
        || body_name::is_body(behind.trim_end_matches(['）', ')']))
        || behind.starts_with(SEPARATORS)
        || behind.ends_with(['）', ')']);
    let is_report = inner.ends_with("报告") || inner.ends_with("年报") || inner.ends_with(['）', ')']);
    let before = without_publishing(without_front(before));
    let opens = before.is_empty() || body_name::is_body(before);
    if !closes || !is_report || !opens || behind.contains('《') {
        return None;
    }
    let (_, front, back) = split_year(inner);
    let behind = behind.trim_end_matches(['）', ')']);
    let before = if before.is_empty() && body_name::is_body(behind) { behind } else { before };
    let has_name =
        front.chars().count() > 2 || back.find("政府信息").or(back.find("信息公开")).is_some_and(|at| at > 6);
    Some(if has_name { inner.to_owned() } else { format!("{before}{inner}") })
}

/// Returns a name without the words of publishing behind it: 云川市水务局关于发布.
pub(crate) fn without_publishing(text: &str) -> &str {
    let mut text = text;
    while let Some(shorter) = PUBLISHING.iter().find_map(|word| text.strip_suffix(word)) {
        text = shorter;
    }
    text
}

/// Returns the text without the decorations before a title.
pub(crate) fn without_front(text: &str) -> &str {
    let mut text = text;
    loop {
        let shorter = without_one(text);
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

fn without_one(text: &str) -> &str {
    let text = text.trim_start_matches(is_bullet);
    if let Some(found) = NUMBER.find(text) {
        return text.get(found.end()..).unwrap_or_default();
    }
    if let Some(found) = ATTACHMENT.captures(text).filter(|_| !text.starts_with("附城")) {
        let length = found.get(0).map_or(0, |whole| whole.end());
        let digits = found.get(1).map_or(0, |digits| digits.len());
        return after_number(text, length, digits);
    }
    let is_year = year_at(text).is_some();
    if let Some(found) = SERIAL.find(text).filter(|_| !is_year) {
        return text.get(found.end()..).unwrap_or_default();
    }
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && !is_year {
        return after_number(text, digits, digits);
    }
    if let Some((inner, rest)) = bracket(text) {
        return if belongs(inner, rest) { text } else { rest };
    }
    for word in LABELS {
        if let Some(rest) = text.strip_prefix(word) {
            return rest;
        }
    }
    for word in PUBLISHING {
        let is_place = word == "现" && text.starts_with("现代");
        if let Some(rest) = text.strip_prefix(word).filter(|_| !is_place) {
            return rest;
        }
    }
    text
}

/// Returns true if the content of the brackets before a title belongs to it: the year, the body of a title that names
/// none, or the place of a body.
fn belongs(inner: &str, title: &str) -> bool {
    let is_year = year_at(inner).is_some_and(|(_, length)| length == inner.len());
    let is_body = body_name::is_body(inner) && !body_before_subject(title);
    let is_place = body_name::is_place(inner) && !title.starts_with(inner);
    year_alone(inner).is_some() || is_year || is_body || is_place
}

/// Returns the text after a number, whose last four digits may be a year: 附件1 and 2023年 in 附件12023年.
fn after_number(text: &str, length: usize, digits: usize) -> &str {
    let rest = text.get(length..).unwrap_or_default();
    if rest.starts_with('年') && digits >= 4 && text.is_char_boundary(length - 4) {
        return text.get(length - 4..).unwrap_or_default();
    }
    rest
}

/// Returns the content of the brackets at the beginning of a text, and the text behind them.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let pairs = [
        ('【', '】'),
        ('[', ']'),
        ('〔', '〕'),
        ('（', '）'),
        ('(', ')'),
        ('〖', '〗'),
        ('「', '」'),
        ('［', '］'),
    ];
    let (open, close) = pairs.into_iter().find(|(open, _)| text.starts_with(*open))?;
    text.strip_prefix(open)?.split_once(close)
}

/// Returns the title in a line of several parts, such as breadcrumbs. The body, or the year, may be a part of its own.
fn in_parts(text: &str) -> Option<String> {
    if !text.contains(SEPARATORS) {
        return None;
    }
    let parts = parts_of(text);
    let is_title =
        |part: &str| part.contains("年度报告") || part.contains("年报") && part.contains("信息公开");
    let worth = |part: &str| {
        let (year, before, behind) = split_year(part);
        let name = body_before_subject(part);
        (usize::from(year.is_some()) + usize::from(name), before.len().max(behind.len()))
    };
    let at =
        (0..parts.len()).filter(|at| is_title(parts[*at])).max_by_key(|at| (worth(parts[*at]).0, *at))?;
    let mut title = without_front(parts[at]).to_owned();
    let earlier = parts.get(at.saturating_sub(2)..at).unwrap_or_default();
    let next = parts.get(at + 1);
    let beside = || earlier.iter().rev().chain(next);
    if split_year(&title).0.is_none()
        && let Some(year) = beside().find(|part| year_alone(part).is_some())
    {
        title = format!("{year}{title}");
    }
    // A government behind the title is the owner of the site.
    let is_owner = |part: &&&str| next == Some(*part) && part.ends_with("政府");
    if !body_before_subject(&title)
        && let Some((part, name)) =
            beside().filter(|part| !is_owner(part)).find_map(|part| Some((part, name_of_part(part)?)))
    {
        let year = split_year(part).0.filter(|_| split_year(&title).0.is_none());
        title = format!("{name}{}{title}", year.map(|year| format!("{year}年")).unwrap_or_default());
    }
    Some(title)
}

/// Returns the body in a part of a line, which may have its year or a word for its site behind it: 云川市水务局（2023年）,
/// 云川市水务局政府信息公开网. A government with a site is its owner.
fn name_of_part(part: &str) -> Option<&str> {
    let (year, before, _) = split_year(part);
    let name = if year.is_some() { before.trim_end_matches(['（', '(', '【', '[']) } else { part };
    let site = ["政府信息公开网", "政府信息公开", "信息公开网", "信息公开", "门户网站", "网站", "官网"];
    let own = site.iter().find_map(|word| name.strip_suffix(word)).filter(|own| !own.ends_with("政府"));
    [Some(name), own].into_iter().flatten().find(|name| body_name::is_body(name))
}

/// Splits a line at the signs between its parts.
fn parts_of(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, sign) in text.match_indices(SEPARATORS) {
        let end = at + sign.len();
        let (before, behind) = (text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        if !(DASHES.contains(&sign) && is_joint(before, behind)) {
            parts.extend(text.get(start..at));
            start = end;
        }
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns true if a dash joins two names of nature or of countries in the name of a body:
/// 云川江-青石湖风景名胜区管理局. A place behind the dash begins another name.
fn is_joint(before: &str, behind: &str) -> bool {
    let is_feature = before.ends_with("中国") || before.ends_with(FEATURES);
    is_feature
        && behind.starts_with(char::is_alphanumeric)
        && !behind.chars().take(4).any(|c| body_name::PLACES.contains(&c))
}

/// Returns true if a title names more than the year before its subject.
fn body_before_subject(title: &str) -> bool {
    let head = ["政府信息", "政务信息", "政府资讯", "信息公开", "政务公开", "资讯公开"]
        .iter()
        .filter_map(|s| title.find(s))
        .min();
    let head = title.get(..head.unwrap_or(title.len())).unwrap_or_default();
    let (_, before, behind) = split_year(head);
    before.chars().count() > 2 || behind.chars().count() > 2
}
