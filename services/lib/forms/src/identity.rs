//! Reads agency, year, title and statistical period from a document.
//!
//! The agency is read from the title, else from the preamble (由…编制), else from the contact clause (与…联系), else
//! from the metadata of the page; [`settle`] adds the sender's metadata. If another of these places has a fuller name
//! of the same agency, the fuller name is used. A name is fuller if a place precedes it or if 办事处 follows the name
//! of a street. 市政府 and 市政府办公室 are two agencies.

use std::sync::LazyLock;

use gongkai_model::{Document, Paragraph, Period, names_nobody};
use regex::Regex;

use crate::{
    hints::ReportHints,
    outline::Outline,
    period,
    title::{self, Title},
};

static COMPILED_BY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"由([^，。；、（(]{3,40}?)(?:结合|根据|按照|依据|汇总|负责|牵头|组织|编制)")
        .expect("the pattern is constant")
});
static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:请|可)?(?:直接)?(?:与|和|向|同)([^，。；、（(]{3,40}?)(?:[（(][^）)]*)?(?:联系|咨询|反映)",
    )
    .expect("the pattern is constant")
});
/// The agency, year, title and statistical period of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    pub title: Title,
    pub agency: Option<String>,
    pub year: Option<i32>,
    pub period: Option<Period>,
    /// True if only the page's metadata name the agency.
    pub is_agency_of_page: bool,
    /// True if only the page's metadata name the year.
    pub is_year_of_page: bool,
}

/// Reads the identity of a document.
pub(crate) fn read(document: &Document, outline: &Outline) -> Identity {
    let found = title::find(&outline.front);
    let meta = document.meta_title.as_deref().and_then(title::parse);
    let mut front: Vec<&Paragraph> = outline.front.iter().collect();
    front.extend(outline.sections.iter().flat_map(|section| section.paragraphs.iter().take(3)));
    let period = period::read(&outline.front, all_prose(outline));
    let in_text = agency(found.as_ref(), &front);
    let title_year = found.as_ref().and_then(|title| title.year);
    let meta_year = meta.as_ref().and_then(|title| title.year);
    let year_in_text = title_year.or(period.map(|period| period.to.0));
    Identity {
        is_agency_of_page: in_text.is_none(),
        is_year_of_page: year_in_text.is_none() && meta_year.is_some(),
        agency: in_text.or_else(|| meta?.agency),
        year: year_in_text.or(meta_year).or_else(|| opening_year(outline)),
        title: found.unwrap_or_default(),
        period,
    }
}

/// Completes the identity from the sender's metadata.
///
/// The title of the event is evidence like the document's own, before the page's metadata; it may make the agency's
/// name fuller. Where the document names no agency or no year, the sender's agency and year count, then the event's
/// title.
pub(crate) fn settle(identity: &Identity, known: &ReportHints<'_>) -> (Option<String>, Option<i32>) {
    let event = known.title.and_then(title::parse).unwrap_or_default();
    let declared = known.agency.filter(|name| !names_nobody(name)).map(str::to_owned);
    let agency = match identity.agency.clone() {
        Some(own) if identity.is_agency_of_page => event.agency.or(Some(own)),
        Some(own) => Some(event.agency.iter().fold(own, |own, other| fuller(own, other))),
        None => declared.or(event.agency),
    };
    let year = match identity.year {
        Some(own) if identity.is_year_of_page => event.year.or(Some(own)),
        Some(own) => Some(own),
        None => known.year.or(event.year),
    };
    (agency, year)
}

/// Returns the year at the beginning of chapter 一: 「2023年，我局…」. It counts only if no other place names a year.
fn opening_year(outline: &Outline) -> Option<i32> {
    let first = outline.sections.iter().find(|section| section.number == 1)?.paragraphs.first()?;
    let text = title::squeeze(&first.text);
    let (year, before, behind) = title::split_year(&text);
    let opens = before.is_empty() && behind.starts_with(['，', ',', '度']);
    year.filter(|_| opens)
}

fn all_prose(outline: &Outline) -> impl Iterator<Item = &Paragraph> {
    outline.sections.iter().flat_map(|section| &section.paragraphs)
}

/// Returns the agency that the text names.
fn agency(title: Option<&Title>, front: &[&Paragraph]) -> Option<String> {
    let (mut compilers, mut contacts): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for paragraph in front {
        // A cheap test for the words below, by characters, since white space may divide a word.
        let has = |c: char| paragraph.text.contains(c);
        if !(has('编') && has('由') || has('联') || has('咨')) {
            continue;
        }
        let text = title::squeeze(&paragraph.text);
        for sentence in text.split('。') {
            let name = |pattern: &Regex| pattern.captures(sentence)?.get(1).map(|m| m.as_str().to_owned());
            if sentence.contains("编制") && sentence.contains("由") {
                compilers.extend(name(&COMPILED_BY));
            }
            if sentence.contains("联系") || sentence.contains("咨询") {
                contacts.extend(name(&CONTACT));
            }
        }
    }
    compilers.retain(|name| is_name(name));
    contacts.retain(|name| is_name(name));
    let named = title.and_then(|title| title.agency.clone());
    let own = named.or_else(|| compilers.first().cloned());
    let own = own.or_else(|| contacts.first().map(|name| body(name).to_owned()))?;
    Some(compilers.iter().chain(&contacts).fold(own, |own, other| fuller(own, other)))
}

/// Returns the agency that a sentence names as the contact.
pub(crate) fn contact_body(sentence: &str) -> Option<String> {
    let name = CONTACT.captures(sentence)?.get(1)?.as_str();
    is_name(name).then(|| name.to_owned())
}

/// Returns true if the text can be the name of an agency.
fn is_name(name: &str) -> bool {
    let vague = ["编制", "以下", "下列"];
    let length = name.chars().count();
    (4..=40).contains(&length)
        && !names_nobody(name)
        && !vague.iter().any(|word| name.starts_with(word))
        && !name.contains(['《', '》', '“'])
}

/// Returns the name without 办公室, since contact clauses often name the agency's office. The office of a government or a
/// committee is an agency of its own and keeps its name.
fn body(name: &str) -> &str {
    match name.strip_suffix("办公室") {
        Some(body) if !body.ends_with("政府") && !body.ends_with("委员会") && body.chars().count() > 3 => {
            body
        }
        _ => name,
    }
}

/// Returns the fuller of two names if both belong to the same agency, and otherwise the first.
fn fuller(own: String, other: &str) -> String {
    for other in [other, body(other)] {
        if other.len() > own.len() {
            // The place must not be part of the name already: 樟树市樟树市… is a slip, not a fuller name.
            let place = other.strip_suffix(own.as_str());
            let new_place = |p: &str| {
                p.ends_with(['省', '市', '县', '区', '旗', '州', '盟', '镇', '乡']) && !own.starts_with(p)
            };
            if place.is_some_and(new_place) {
                return other.to_owned();
            }
            if other.strip_prefix(own.as_str()).is_some_and(|suffix| completes(&own, suffix)) {
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
        if end.chars().count() >= 4
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

    fn paragraph(text: &str) -> Paragraph {
        Paragraph { text: text.to_owned(), ..Paragraph::default() }
    }

    fn check(title: Option<&str>, prose: &str, expect: Option<&str>) {
        let title = title.and_then(title::parse);
        assert_eq!(agency(title.as_ref(), &[&paragraph(prose)]).as_deref(), expect, "{prose}");
    }

    #[test]
    fn the_fullest_name_of_the_body_itself_is_taken() {
        let report = |name: &str| format!("{name}2023年政府信息公开工作年度报告");
        let street = report("云川市桥东街道");
        check(Some(&street), "要求，由桥东街道办事处结合有关数据编制。", Some("云川市桥东街道办事处"));
        check(
            Some(&street),
            "请与云川市桥东街道办事处办公室联系（地址：桥东）",
            Some("云川市桥东街道办事处"),
        );
        let office = report("云川市政务中心");
        check(Some(&office), "请与云川市云川市政务中心联系（电话：0）。", Some("云川市政务中心"));
        let bureau = report("水务局");
        check(Some(&bureau), "由云川市水务局编制。", Some("云川市水务局"));
        let city = report("云川市人民政府");
        check(Some(&city), "请与云川市人民政府办公室联系。", Some("云川市人民政府"));
        check(
            None,
            "要求，由云川市机关事务管理中心结合云川市网站等有关数据编制。",
            Some("云川市机关事务管理中心"),
        );
        check(None, "如有疑问，请与云川市水务局办公室联系", Some("云川市水务局"));
        check(None, "本报告由本机关编制。", None);
        check(None, "本报告由本溪市水务局编制。", Some("本溪市水务局"));
    }

    #[test]
    fn the_sender_fills_what_the_document_leaves_open() {
        let known = ReportHints {
            agency: Some("云川市林业局"),
            year: Some(2022),
            title: Some("云川市水务局2023年政府信息公开工作年度报告"),
        };
        let settled = |agency: Option<&str>, year, is_of_page, known: &ReportHints<'_>| {
            let identity = Identity {
                agency: agency.map(str::to_owned),
                year,
                is_agency_of_page: is_of_page,
                is_year_of_page: is_of_page,
                ..Identity::default()
            };
            let (agency, year) = settle(&identity, known);
            (agency.unwrap_or_default(), year.unwrap_or_default())
        };
        let is = |name: &str, year| (name.to_owned(), year);
        assert_eq!(settled(None, None, false, &known), is("云川市林业局", 2022));
        assert_eq!(settled(Some("云川市财政局"), Some(2021), false, &known), is("云川市财政局", 2021));
        assert_eq!(
            settled(Some("水务局"), None, false, &known),
            is("云川市水务局", 2022),
            "the title has the fuller name"
        );
        assert_eq!(settled(Some("云川市财政局"), Some(2021), true, &known), is("云川市水务局", 2023));
        let generic = ReportHints { agency: Some("本机关"), year: None, ..known };
        assert_eq!(settled(None, None, false, &generic), is("云川市水务局", 2023));
        assert_eq!(settled(None, None, false, &ReportHints { title: Some("年报"), ..generic }), is("", 0));
    }
}
