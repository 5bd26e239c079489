//! The formulas in which sentences name the body and the year of a report: 现公布…, 由…编制, 结合…撰写, and the opening
//! sentence of chapter 一.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    body_name::{self, is_body, is_place},
    decoration, enumerator,
    formula_words::{
        AFTER_COMPILER, AFTER_OPENING, AFTER_SUBJECT, AFTER_WHOSE, AFTER_WORK, BEFORE_WORKER, COMPILED,
        IN_CHAPTER, PUBLISHED, TOLD, WORK, WordList,
    },
    title,
    year::{split_year, year_at},
};

/// A body and a year that a sentence names. Either may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NamedBody {
    pub agency: Option<String>,
    pub year: Option<i32>,
}

/// Numbers of characters of a name.
const SHORTEST_NAME: usize = 3;
const LONGEST_NAME: usize = 42;

/// A document in 《》.
static DOCUMENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"《[^》]{1,120}》").expect("the pattern is constant"));

/// A field with the year of the report.
static YEAR_FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:^|[\s|；;，,])(?:(?:报告|所属|统计)?年\s*度|(?:报告)?年\s*份)\s*[：:]\s*([0-9〇○零一二三四五六七八九]{4})")
        .expect("the pattern is constant")
});

/// The beginning of a clause that only says when.
static WHEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:在)?(?:(?:20\d\d|二[〇○零][〇○零一二三四五六七八九]{2})年(?:度|以来|来|里|全年|间)?|本年度|今年以来|今年|一年来|过去一年|近年来|年内|全年)")
        .expect("the pattern is constant")
});

/// The beginning of a clause that speaks of the report.
static ABOUT_REPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:本|此|该|现将|兹将|特将|现就|现)(?:年度)?(?:工作)?(?:报告|年报)?(?:是|系|为)?")
        .expect("the pattern is constant")
});

/// Reads the sentences of a preamble. The text must have no white space.
pub(crate) fn of_preamble(text: &str) -> Vec<NamedBody> {
    let text = decoration::without_abbreviations(text);
    let mut found = Vec::new();
    for sentence in text.split(['。', '；', ';']) {
        in_book_marks(sentence, &mut found);
        let plain = DOCUMENT.replace_all(sentence, "《》");
        let before = found.len();
        embedded(&plain, &mut found);
        let is_named = found.iter().skip(before).any(|named| named.agency.is_some());
        if !is_named && COMPILED.iter().any(|word| plain.contains(word)) {
            let named = |name: String| NamedBody { agency: Some(name), year: None };
            let by_name = || compiler(&plain).or_else(|| subject(&plain)).map(named);
            found.extend(whose(&plain).or_else(by_name).or_else(|| worker(&plain)));
        }
    }
    found
}

/// Reads the sentences of chapter 一 that speak of the report, as a preamble does. The text must have no white space.
pub(crate) fn of_preamble_in_chapter(text: &str) -> Vec<NamedBody> {
    let sentences = text.split(['。', '；', ';']);
    let is_preamble = |sentence: &&str| IN_CHAPTER.iter().any(|word| sentence.contains(word));
    let named = sentences.filter(is_preamble).flat_map(of_preamble);
    named.filter(|named| named.agency.is_some()).collect()
}

/// Reads the first sentences of chapter 一: 2023年，云川市水务局认真落实….
pub(crate) fn of_opening(text: &str) -> Option<NamedBody> {
    let text = decoration::without_abbreviations(text);
    for sentence in text.split(['。', '；']).take(3) {
        let year = split_year(sentence).0;
        for clause in sentence.split(['，', ',', '：', ':']) {
            let clause = enumerator::split(clause).rest;
            let clause =
                clause.trim_start_matches(|c: char| c.is_ascii_punctuation() || "（）、".contains(c));
            let when = WHEN.find(clause).map_or(0, |found| found.end());
            let clause = clause.get(when..).unwrap_or_default();
            if let Some(name) = before_one_of(clause, &AFTER_OPENING, is_body) {
                return Some(NamedBody { agency: Some(name.to_owned()), year });
            }
        }
    }
    None
}

/// Returns the place that is the subject of the first sentence, for its government: 2023年，云川市坚持….
pub(crate) fn place_in_opening(text: &str) -> Option<String> {
    let sentence = text.split('。').next()?;
    sentence.split(['，', ',']).find_map(|clause| {
        let when = WHEN.find(clause).map_or(0, |found| found.end());
        before_one_of(clause.get(when..)?, &AFTER_OPENING, is_place).map(str::to_owned)
    })
}

/// Returns the shortest beginning of a text that is a name and that one of the words follows.
fn before_one_of<'t>(text: &'t str, words: &WordList, is_name: impl Fn(&str) -> bool) -> Option<&'t str> {
    let mut ends = text.char_indices().map(|(at, _)| at).skip(SHORTEST_NAME);
    let (shortest, longest) =
        (ends.next()?, ends.nth(LONGEST_NAME - SHORTEST_NAME - 1).unwrap_or(text.len()));
    let ends = words.places(text).skip_while(|at| *at < shortest).take_while(|at| *at <= longest);
    ends.filter_map(|at| text.get(..at)).find(|name| is_name(name))
}

/// Returns the longest beginning of a text that is a name.
fn longest_name(text: &str) -> Option<&str> {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST_NAME);
    ends.filter_map(|end| text.get(..end))
        .take_while(|name| !name.ends_with(['，', ',']))
        .filter(|name| is_body(name))
        .last()
}

/// Reads the report's own title in 《》: 现公布《…》. Titles of other documents are cited, not published.
fn in_book_marks(sentence: &str, found: &mut Vec<NamedBody>) {
    for document in DOCUMENT.find_iter(sentence) {
        let inner = document.as_str().trim_matches(['《', '》']);
        let before = sentence.get(..document.start()).unwrap_or_default();
        let clause = before.rsplit(['，', ',', '：', ':', '》']).next().unwrap_or_default();
        // The sentence is about the report if it begins with its title.
        let published = clause.is_empty() && opens_with_own(sentence, document.end())
            || PUBLISHED.iter().any(|word| clause.contains(word));
        let is_report =
            inner.trim_end_matches(|c| "（）()0123456789年度公开版".contains(c)).ends_with("报告")
                || inner.ends_with("年报");
        if published && is_report && inner.contains("公开") && !is_form(inner) {
            let named = title::parse(inner).unwrap_or_default();
            let agency = named.agency.filter(|name| is_body(name) || is_place(name));
            found.push(NamedBody { agency, year: named.year });
        }
    }
}

/// Returns true if a sentence that begins with a title goes on about the document itself: 《…》根据…编制.
fn opens_with_own(sentence: &str, end: usize) -> bool {
    let rest = sentence.get(end..).unwrap_or_default();
    let words = ["根据", "依据", "按照", "依照", "由", "是", "系", "已", "现", "包括", "全文", "共"];
    words.iter().any(|word| rest.starts_with(word))
}

fn is_form(title: &str) -> bool {
    ["格式", "模板", "样式", "通知", "编制", "有关", "事项", "办法", "方案"]
        .iter()
        .any(|word| title.contains(word))
}

/// Reads the report's own title within a sentence: 现公布云川市水务局2023年政府信息公开工作年度报告.
fn embedded(sentence: &str, found: &mut Vec<NamedBody>) {
    let ends = ["年度报告", "年报", "情况", "工作报告"];
    for (end, word) in ends.iter().flat_map(|end| sentence.match_indices(end)) {
        // 现将云川市水务局2023年政府信息公开工作情况报告如下: only such a clause speaks of the report.
        let is_report = matches!(word, "年度报告" | "年报");
        let head = sentence.get(..end).unwrap_or_default();
        let clause = head.rsplit(['，', ',', '：', ':', '“', '”', '》']).next().unwrap_or_default();
        if !is_report
            && !["现将", "兹将", "现公布", "现就", "现向", "特向", "现发布", "特公布"]
                .iter()
                .any(|lead| clause.contains(lead))
        {
            continue;
        }
        // 现将2022年有关情况报告如下 speaks of nothing else.
        let behind = sentence.get(end + word.len()..).unwrap_or_default();
        let is_told =
            TOLD.iter().any(|told| behind.strip_prefix(told).is_some_and(|b| b.starts_with("如下")));
        if !(is_told || clause.contains("公开"))
            || is_form(clause.trim_start_matches("现")) && !is_published(clause)
        {
            continue;
        }
        let Some((before, behind)) = at_publishing(clause) else { continue };
        let behind = behind.trim_start_matches(['了', '的', '出']);
        let named = title::read(&format!("{behind}年度报告"));
        let subject = decoration::without_publishing(before);
        let own = named.agency.filter(|name| is_body(name) || is_place(name));
        let subject = Some(subject.to_owned()).filter(|name| is_body(name));
        let other_year = before.contains("关于") || behind.contains("关于");
        if !other_year {
            found.push(NamedBody { agency: own.or(subject), year: named.year });
        }
    }
}

fn is_published(clause: &str) -> bool {
    at_publishing(clause).is_some()
}

/// Splits a clause behind its last word of publishing. 机构编制委员会 and 信息发布中心 are names.
fn at_publishing(clause: &str) -> Option<(&str, &str)> {
    let is_word = |at: usize, word: &str| {
        let (before, behind) =
            (clause.get(..at).unwrap_or_default(), clause.get(at + word.len()..).unwrap_or_default());
        match word {
            "编制" => {
                !before.ends_with("机构") && !behind.starts_with("委员会") && !behind.starts_with("办公室")
            }
            "发布" => !behind.starts_with("中心"),
            "公开" => behind.starts_with(|c: char| c.is_ascii_digit()) || before.ends_with("社会"),
            _ => true,
        }
    };
    let words = PUBLISHED.iter().flat_map(|word| clause.match_indices(word));
    let last = words
        .filter(|(at, word)| is_word(*at, word))
        .map(|(at, word)| (at, at + word.len()))
        .max_by_key(|(_, end)| *end);
    let about = ABOUT_REPORT.find(clause).filter(|found| !found.is_empty()).map(|found| (0, found.end()));
    let (start, end) = last.or(about)?;
    Some((clause.get(..start)?, clause.get(end..)?))
}

/// Returns the body in 由…编制.
fn compiler(sentence: &str) -> Option<String> {
    sentence.match_indices('由').find_map(|(at, word)| {
        let rest = sentence.get(at + word.len()..)?;
        let named = before_one_of(rest, &AFTER_COMPILER, is_body);
        // 由云川市水务局在总结全年工作的基础上编制.
        let is_compiled = || ["编制", "撰写", "编写", "起草"].iter().any(|word| rest.contains(word));
        named.or_else(|| longest_name(rest).filter(|_| is_compiled())).map(str::to_owned)
    })
}

/// Returns the body, and the year behind it, in 结合…2023年政府信息公开工作…撰写.
fn whose(sentence: &str) -> Option<NamedBody> {
    sentence.match_indices("结合").find_map(|(at, word)| {
        let rest = sentence.get(at + word.len()..)?;
        let name = before_one_of(rest, &AFTER_WHOSE, is_body)?;
        let year = year_at(rest.get(name.len()..)?).map(|(year, _)| year);
        Some(NamedBody { agency: Some(name.to_owned()), year })
    })
}

/// Returns the body whose work a sentence is about, with the year: 按照2023年云川市水务局政府信息公开工作实际,
/// 全文包括云川市水务局政府信息公开总体情况, 为做好云川市水务局政府信息公开工作.
fn worker(sentence: &str) -> Option<NamedBody> {
    let is_own = |(at, work): &(usize, &str)| {
        let behind = sentence.get(at + work.len()..).unwrap_or_default();
        let behind = behind.trim_start_matches("工作").trim_start_matches(['的', '年', '度']);
        behind.is_empty() || AFTER_WORK.iter().any(|word| behind.starts_with(word))
    };
    let works = WORK.iter().flat_map(|work| sentence.match_indices(work)).filter(is_own);
    works.filter_map(|(at, _)| sentence.get(..at)).find_map(|head| {
        let clause = head.rsplit(['，', ',', '：', ':', '”', '》', '、']).next()?;
        let (year, before, behind) = split_year(clause);
        let is_last = year.is_some() && behind.trim_start_matches(['度', '的']).is_empty();
        let words = if year.is_some() && !is_last { behind } else { before };
        let name = without_words_before(words.trim_end_matches('的'))?;
        Some(NamedBody { agency: Some(name.to_owned()), year })
    })
}

/// Returns the end of a text that is a name: the shortest behind a word of two characters, or else the longest, since
/// a single character such as 和 may be part of a name.
fn without_words_before(text: &str) -> Option<&str> {
    let starts = || text.char_indices().filter_map(|(at, _)| text.split_at_checked(at));
    let ends_in = |before: &str, words: &[&str]| words.iter().any(|word| before.ends_with(word));
    let name = |(_, name): (&str, &'_ str)| is_body(name);
    let mut behind_word =
        starts().filter(|(before, _)| ends_in(before, &BEFORE_WORKER)).filter(|cut| name(*cut));
    let behind_sign = || {
        let has_place = |name: &str| name.chars().any(|c| body_name::PLACES.contains(&c));
        let follows = |before: &str, name: &str| {
            before.is_empty() || ends_in(before, &["和", "及", "与", "对", "将", "为"]) && has_place(name)
        };
        starts().find(|(before, name)| follows(before, name) && is_body(name))
    };
    behind_word.next_back().or_else(behind_sign).map(|(_, name)| name)
}

/// Returns the year of a field in a line: 报告年度：2023年.
pub(crate) fn year_of_field(line: &str) -> Option<i32> {
    let found = line.contains('年').then(|| YEAR_FIELD.captures(line)).flatten()?;
    year_at(found.get(1)?.as_str()).map(|(year, _)| year)
}

/// Returns the body that is the subject of a clause: 云川市水务局根据…编制本报告.
fn subject(sentence: &str) -> Option<String> {
    sentence.split(['，', ',', '：', ':']).find_map(|clause| {
        let about = ABOUT_REPORT.find(clause).map_or(0, |found| found.end());
        let clause = clause.get(about..)?;
        let name = before_one_of(clause, &AFTER_SUBJECT, is_body)?;
        let behind = clause.get(name.len()..)?;
        let cites = ["公布", "发布"]
            .iter()
            .any(|word| behind.strip_prefix(word).is_some_and(|rest| rest.starts_with(['的', '了', '《'])));
        (!cites).then(|| name.to_owned())
    })
}

/// Returns the year at the beginning of a sentence: 2023年，我局….
pub(crate) fn opening_year(text: &str) -> Option<i32> {
    let (year, length) = year_at(text)?;
    let rest = text.get(length..)?;
    (rest.starts_with("年") || rest.starts_with("，")).then_some(year)
}

/// Returns the body that a contact clause names: 与…联系.
pub(crate) fn contact(sentence: &str) -> Option<String> {
    let named = CONTACT.captures_iter(sentence).find_map(|found| {
        let name = found.get(1)?.as_str();
        // 与云川市水务局信息公开科联系: the name of the body without that of its part.
        let of_body = || longest_name(name).filter(|name| is_contact(name));
        if is_contact(name) { Some(name) } else { of_body() }.map(str::to_owned)
    });
    named.or_else(|| {
        let name = CONTACT_LABEL.captures(sentence)?.get(1)?.as_str();
        is_body(name).then(|| name.to_owned())
    })
}

static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:请|可)?(?:直接)?(?:与|和|向|同|联系|致电|咨询)[：:]?([^，,。；;、（(：:]{3,40}?)(?:[（(][^）)]*)?(?:联系|咨询|反映|，|（|\(|$)",
    )
    .expect("the pattern is constant")
});
static CONTACT_LABEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:联系|咨询|受理)(?:单位|机构|部门|机关)[：:]?([^，。；、（(：:]{3,40}?)(?:[，。；、（(]|联系|地址|电话|$)")
        .expect("the pattern is constant")
});

/// Returns true if the text can be the name of a contact.
fn is_contact(name: &str) -> bool {
    is_body(name) && body_name::without_office(name).chars().count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preamble(text: &str, agency: Option<&str>, year: Option<i32>) {
        let found = of_preamble(text);
        let name = found.iter().find_map(|named| named.agency.clone());
        let named = found.iter().find_map(|named| named.year);
        assert_eq!((name.as_deref(), named), (agency, year), "{text} {found:?}");
    }

    #[test]
    fn formulas_of_the_preamble_name_body_and_year() {
        let water = Some("云川市水务局");
        preamble("依照有关法规的要求，现公布云川市水务局2023年政府信息公开工作年度报告。", water, Some(2023));
        preamble(
            "根据《条例》，特向社会公布2022年云川市水务局政府信息公开工作年度报告，统计期限为全年。",
            water,
            Some(2022),
        );
        preamble("特编制云川市水务局2021年政府信息公开工作年度报告", water, Some(2021));
        preamble("现公布云川市水务局政府信息公开工作2021年度报告。", water, Some(2021));
        preamble("按照要求，梳理编制云川市水务局2020年度政府信息公开年度报告。", water, Some(2020));
        preamble("现将《云川市水务局2023年政府信息公开工作年度报告》公布如下：", water, Some(2023));
        preamble("结合云川市水务局（以下简称“市水务局”）政府信息公开工作的统计数据撰写。", water, None);
        preamble("结合云川市水务局2020年政府信息公开工作实际，现编制年度报告。", water, Some(2020));
        preamble(
            "遵照《条例》，云川市水务局已编制完成2022年政府信息公开年度报告，现予公布。",
            water,
            Some(2022),
        );
        preamble("云川市水务局根据《条例》编制2023年政府信息公开工作年度报告。", water, Some(2023));
        preamble("本报告系云川市水务局按照《条例》要求编制。", water, None);
        preamble("按照要求，梳理编制了云川市水务局2020年政府信息公开工作年度报告。", water, Some(2020));
        preamble(
            "《云川市水务局2023年政府信息公开工作年度报告》根据《条例》编制，共六部分。",
            water,
            Some(2023),
        );
        preamble("以及市政府关于编制年度报告的要求，由云川市水务局综合各科室的情况编制。", water, None);
        preamble("由中共云川县委机构编制委员会办公室编制。", Some("中共云川县委机构编制委员会办公室"), None);
    }

    #[test]
    fn other_bodies_of_a_preamble_are_no_names() {
        preamble("根据县政府办公室要求，编制2023年政府信息公开工作年度报告。", None, Some(2023));
        preamble(
            "按照《云川市人民政府办公室关于做好2023年政府信息公开工作年度报告编制发布工作的通知》要求，编制本报告。",
            None,
            None,
        );
        preamble("根据国务院办公厅印发的《政府信息公开工作年度报告格式》编制。", None, None);
        preamble("根据云川市人民政府办公室公布的格式，我局编制本报告。", None, None);
        preamble("《云川市林业局2022年政府信息公开工作年度报告》要求整改的问题已编制清单。", None, None);
        preamble("结合我局实际编制本报告。", None, None);
        preamble("结合云川市人民政府网站等有关数据编制。", None, None);
    }

    #[test]
    fn contacts_and_fields_name_body_and_year() {
        for text in
            ["请联系：云川市水务局办公室，电话：0839-7", "请与云川市水务局办公室联系（地址：桥东路7号）"]
        {
            assert_eq!(contact(text).as_deref(), Some("云川市水务局办公室"), "{text}");
        }
        assert_eq!(year_of_field("报告年度：2023年"), Some(2023));
        assert_eq!(year_of_field("发布年度计划：2023年"), None);
    }

    #[test]
    fn the_opening_sentence_names_the_body() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(of_opening(text).and_then(|named| named.agency).as_deref(), expect, "{text}");
        };
        check("2023年，云川市水务局认真贯彻《条例》。", Some("云川市水务局"));
        check("2023年，在县委、县政府的坚强领导下，云川市水务局坚持公开为常态。", Some("云川市水务局"));
        check("2023年度云川市水务局政府信息公开工作有序推进。", Some("云川市水务局"));
        check("云川市水务局2023年共公开信息68条。", Some("云川市水务局"));
        check("2023年，我局认真贯彻《条例》。", None);
        check("2023年，县政府办公室认真指导。", None);
    }
}
