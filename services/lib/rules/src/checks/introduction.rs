//! `introduction`: what a report says of itself: its legal basis, its statistical period and its contact.

use gongkai_model::metadata::Contact;

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const CASES: Cases = &[("missing", &["parts"]), ("postcode", &["actual"]), ("telephone", &["actual"])];

pub(crate) const CHECKS: &[Check] = &[Check::many("introduction", CASES, run)];

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let contact = input.report.metadata.contact.as_ref();
    let drafts = missing(input).into_iter().chain(contact.and_then(telephone));
    drafts.chain(input.prose.passages().iter().find_map(postcode)).collect()
}

/// The parts that are missing, in Chinese and English.
fn missing(input: &Input<'_>) -> Option<Draft> {
    let says = |words: &[&str]| {
        let mut texts = input.prose.passages().iter().map(Passage::text);
        texts.any(|text| words.iter().any(|word| text.contains(word)))
    };
    let has_basis = says(&["信息公开条例", "《条例》"]);
    let has_period = input.report.period.is_some() || says(&["统计期限", "1月1日"]);
    let has_contact = input.report.metadata.contact.is_some()
        || says(&["电话", "联系方式", "联系地址", "邮编", "邮箱", "传真"]);
    let parts = [
        (has_basis, "编制依据", "the legal basis"),
        (has_period, "统计期限", "the statistical period"),
        (has_contact, "联系方式", "a contact"),
    ];
    let (zh, en): (Vec<&str>, Vec<&str>) =
        parts.into_iter().filter(|(stands, _, _)| !stands).map(|(_, zh, en)| (zh, en)).unzip();
    let draft = Draft::of_part("missing", "introduction").with_both("parts", zh.join("、"), en.join(", "));
    (!zh.is_empty()).then(|| Draft { actual: Some(zh.join("、")), ..draft })
}

static POSTCODE: StaticRegex = StaticRegex::new(r"(?:邮政编码|邮编)(?:为|是)?:?(\d{3,9})(?:[^\d]|$)");

/// A postcode has six digits.
fn postcode(passage: &Passage<'_>) -> Option<Draft> {
    if !passage.text().contains('邮') {
        return None;
    }
    let postcode = POSTCODE.captures(passage.text())?.get(1)?;
    let draft = Draft::of_bytes("postcode", passage, postcode.range()).actual(postcode.as_str());
    (postcode.len() != 6).then_some(draft)
}

/// An area code, a mark and a number.
static TELEPHONE: StaticRegex = StaticRegex::new(r"(?:^|[^\d])\(?(\d{2,6})[)）\-—－–](\d{5,12})(?:[^\d]|$)");

/// An area code has three or four digits and begins with 0, a number seven or eight. Other numbers, such as 400 and
/// 12345, are not judged.
fn telephone(contact: &Contact) -> Option<Draft> {
    let telephone = contact.telephone.as_deref()?;
    let found = TELEPHONE.captures(telephone)?;
    let (area, number) = (found.get(1)?.as_str(), found.get(2)?.as_str());
    let is_service = ["400", "800", "86", "0086"].contains(&area);
    // Area codes of three digits are those of Beijing and of the cities with 02: their numbers have eight digits.
    let is_right = area.starts_with('0')
        && match area.len() {
            3 => number.len() == 8,
            4 => matches!(number.len(), 7 | 8),
            _ => false,
        };
    (!is_service && !is_right).then(|| form_draft("telephone", contact, telephone))
}

fn form_draft(case: &'static str, contact: &Contact, actual: &str) -> Draft {
    let draft = Draft::of_part(case, case).actual(actual);
    Draft { source: Some(contact.source.clone()), ..draft }
}
