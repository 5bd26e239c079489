//! `names.foreign`: names in the text that are not the body's own: another body as the subject of a sentence, 我乡 in
//! the report of a 局, another body as the contact, and the body's own name with one character wrong.
//!
//! A person decides: superior bodies, partners and predecessors are named rightly.

use gongkai_model::{AgencyKind, FieldName, Source, is_short_for};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    near::NearPhrase,
    params::Params,
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const NAMED: &[&str] = &["chapter", "quote", "actual", "expected"];
const CASES: Cases = &[
    ("subject", NAMED),
    ("pronoun", NAMED),
    ("contact", &["actual", "expected"]),
    ("glyph", NAMED),
    ("field", &["field", "actual", "expected"]),
];

pub(crate) const CHECKS: &[Check] = &[Check::many("names.foreign", CASES, run)];

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let agency = input.report.agency.as_str();
    let mut drafts: Vec<Draft> = Vec::new();
    let near = NearPhrase::new(agency);
    for passage in input.prose.passages() {
        let found =
            [subject(input, passage), pronoun(agency, passage), glyph(agency, near.as_ref(), passage)];
        for draft in found.into_iter().flatten() {
            // One finding for each name.
            if !drafts.iter().any(|known| known.actual == draft.actual) {
                drafts.push(draft);
            }
        }
    }
    drafts.extend(contact(input));
    drafts.extend(fields(input, near.as_ref()));
    drafts
}

/// A body with its place that a sentence is about.
static SUBJECT: StaticRegex = StaticRegex::new(
    "(?:^|[。;:,!])(?:20[0-9]{2}年(?:度)?,?|一年来,?|全年,?|本年度,?)?([\\p{Han}]{1,8}?[省市县区州旗][\\p{Han}]{2,16}?(?:局|委员会|管委会|中心|街道办事处|镇人民政府|乡人民政府))(?:20[0-9]{2}年|全年|本年度?|按照|根据|认真|严格|高度|积极|持续|坚持|深入|全面|切实|始终|紧紧|扎实|不断|进一步|主动公开|未|没有|无|共|收到|受理|将)",
);

/// Finds another body as the subject of a sentence. Governments and their offices speak of others rightly.
fn subject(input: &Input<'_>, passage: &Passage<'_>) -> Option<Draft> {
    if !matches!(passage.chapter(), 1 | 3 | 5 | 6)
        || speaks_for_others(input)
        || !names_a_body(passage.text())
    {
        return None;
    }
    let mut found = SUBJECT.captures_iter(passage.text()).filter_map(|captures| captures.get(1));
    let name = found.find(|name| is_other(&input.report.agency, name.as_str()))?;
    let draft = Draft::of_bytes("subject", passage, name.range()).expected(&input.report.agency);
    Some(draft.actual(name.as_str()))
}

/// Returns true if a text contains the end of a body's name, other than in 我局. A cheap look before the pattern.
fn names_a_body(text: &str) -> bool {
    let ends = ["局", "委员会", "管委会", "中心", "街道办事处", "镇人民政府", "乡人民政府"];
    ends.iter()
        .any(|end| text.match_indices(end).any(|(at, _)| !text[..at].ends_with(['我', '本', '该', '全'])))
}

fn speaks_for_others(input: &Input<'_>) -> bool {
    matches!(input.kind(), Some(AgencyKind::Government | AgencyKind::Office | AgencyKind::Outpost))
}

/// Returns true if a name is that of another body: neither is short for the other.
fn is_other(agency: &str, name: &str) -> bool {
    let is_part = agency.contains(name) || name.contains(agency);
    !is_part && !is_short_for(name, agency) && !is_short_for(agency, name)
}

static PRONOUN: StaticRegex = StaticRegex::new("[我本](局|委|厅|街道|乡|镇|中心|院|校)");

/// Words that only begin like a pronoun with a kind: 我委托, 本乡村, 自我.
const NO_PRONOUN: [(&str, &[char]); 9] = [
    ("局", &['限', '部', '面', '势', '域', '长']),
    ("委", &['托', '派', '员']),
    ("厅", &[]),
    ("街道", &[]),
    ("乡", &['村', '镇', '亲', '土']),
    ("镇", &['定', '静', '街', '村']),
    ("中心", &['组', '任', '工', '城', '小', '校', '学', '村']),
    ("院", &['子', '落', '士']),
    ("校", &['对', '验', '正', '核']),
];

/// Finds a word for the body itself that is of another kind than the body.
fn pronoun(agency: &str, passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    let mut found =
        PRONOUN.captures_iter(text).filter_map(|captures| Some((captures.get(0)?, captures.get(1)?)));
    let (whole, _) = found.find(|(whole, kind)| {
        let (_, not) = NO_PRONOUN.iter().find(|(word, _)| *word == kind.as_str()).unwrap_or(&("", &[]));
        let before = text[..whole.start()].chars().next_back();
        let is_word = before.is_some_and(|c| "自忘基根资日成版文样课书标剧".contains(c))
            || text[whole.end()..].starts_with(*not);
        !is_word && !agency.contains(kind.as_str())
    })?;
    let draft = Draft::of_bytes("pronoun", passage, whole.range()).expected(agency);
    Some(draft.actual(whole.as_str()))
}

/// Finds the body's own name with one character wrong.
fn glyph(agency: &str, near: Option<&NearPhrase>, passage: &Passage<'_>) -> Option<Draft> {
    let chars = passage.reading().chars();
    let range = near?.first(passage.text(), chars)?;
    let name: String = chars[range.clone()].iter().collect();
    if !is_misspelt(agency, &name) {
        return None;
    }
    Some(Draft::of_chars("glyph", passage, range).expected(agency).actual(name))
}

/// Returns true if a text is a name with a character wrong, missing or doubled, and not another word before or behind
/// a shorter form of the name.
fn is_misspelt(agency: &str, name: &str) -> bool {
    let same = |a: Option<char>, b: Option<char>| a == b;
    same(agency.chars().next(), name.chars().next())
        && same(agency.chars().next_back(), name.chars().next_back())
}

/// Finds another body as the contact.
fn contact(input: &Input<'_>) -> Option<Draft> {
    let contact = input.report.metadata.contact.as_ref()?;
    let named = contact.body.as_deref()?;
    let agency = &input.report.agency;
    let body = named.trim_end_matches("办公室").trim_end_matches("综合");
    let has_place = body.contains(['省', '市', '县', '区', '州', '旗', '镇', '乡']);
    let is_body = ["局", "委员会", "委", "厅", "中心", "街道", "办事处", "人民政府"]
        .iter()
        .any(|end| body.ends_with(end));
    // The government or its office may answer for its bodies.
    let is_superior = body.ends_with("政府") || named.contains("政府办");
    if !has_place || !is_body || is_superior || speaks_for_others(input) || !is_other(agency, body) {
        return None;
    }
    let draft = Draft::of_part("contact", "contact-body").expected(agency).actual(named);
    Some(Draft { source: Some(contact.source.clone()), ..draft })
}

/// Finds the body's own name with one character wrong in a field of the page.
fn fields(input: &Input<'_>, near: Option<&NearPhrase>) -> Option<Draft> {
    let near = near?;
    let agency = &input.report.agency;
    let names = [FieldName::ContentSource, FieldName::Publisher, FieldName::ArticleTitle];
    input.report.metadata.fields.iter().filter(|field| names.contains(&field.name)).find_map(|field| {
        let chars: Vec<char> = field.value.chars().collect();
        let range = near.first(&field.value, &chars)?;
        let name: String = chars[range].iter().collect();
        let draft = Draft::of_part("field", format!("field-{}", field.name.as_str()))
            .with("field", field.name.as_str())
            .expected(agency)
            .actual(&name);
        let source = Source { text: field.value.clone(), ..field.source.clone() };
        is_misspelt(agency, &name).then_some(Draft { source: Some(source), ..draft })
    })
}
