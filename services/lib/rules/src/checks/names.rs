//! `names.*`: the title of the report, and the bodies that its parts name.

use gongkai_model::{DeclaredField, EvidenceSource, Source, is_short_for};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
    static_regex::StaticRegex,
};

const TITLE_CASES: Cases =
    &[("none", &["expected"]), ("agency", &["actual", "expected"]), ("words", &["actual", "expected"])];

pub(crate) const CHECKS: &[Check] = &[
    Check::one("names.title", TITLE_CASES, title),
    Check::many("names.agency", AGENCY_CASES, agency),
    Check::one("names.identity", IDENTITY_CASES, identity),
];

const IDENTITY_CASES: Cases = &[("rival", &["expected", "actual"]), ("weak", &["expected"])];

/// Weight from which on another body is a doubt: that of one sentence that names it.
const DOUBT: u32 = 5;

/// Weight below which the name of the body rests on one weak place only: the first sentence, the contact, the page's
/// metadata or the signature.
const FIRM: u32 = 6;

const AGENCY_CASES: Cases = &[
    ("differs", &["chapter", "quote", "expected", "actual"]),
    ("declared", &["expected", "actual"]),
    ("declared_code", &["expected", "actual"]),
];

/// `{agency}{year}年政府信息公开工作年度报告`, with the year first or second.
static TITLE: StaticRegex =
    StaticRegex::new(r"^关?于?(.*?)(?:\d{4}|[二〇○零一三四五六七八九]{4})年度?(.*?)政府信息公开工作年度报告");

fn title(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let report = input.report;
    let expected = format!("{}{}年政府信息公开工作年度报告", report.agency, report.year);
    let actual: String = report.title.chars().filter(|c| !c.is_whitespace()).collect();
    let case = if actual.is_empty() {
        "none"
    } else {
        match TITLE.captures(&actual) {
            Some(parts) => {
                let named = parts.iter().skip(1).flatten().any(|part| part.as_str().chars().count() >= 2);
                if named {
                    return None;
                }
                "agency"
            }
            None => "words",
        }
    };
    let printed = (!actual.is_empty()).then(|| report.title.clone());
    let draft = Draft::of_part(case, "title").with("actual", &report.title).expected(expected);
    let source = printed.clone().map(|text| Source { text, ..Source::default() });
    Some(Draft { actual: printed, source, ..draft })
}

/// The compiler of the report in the preamble: `由…编制`.
static COMPILER: StaticRegex =
    StaticRegex::new(r"由([\p{Han}]{3,30}?)(?:结合|根据|按照|依据|依照|负责|组织|汇总|编制|编写|\()");

/// Words in a preamble that refer to the body itself, or that explain why two names appear.
const ITSELF: [&str; 6] = ["本机关", "本单位", "我单位", "我局", "本局", "办公室"];
const EXPLAINED: [&str; 7] = ["加挂", "挂牌", "合署", "更名", "原名", "牌子", "以下简称"];

/// Checks that the document names one body, and that its sender names the same.
fn agency(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let declared = input.context.differences.iter().filter_map(|difference| {
        let case = match difference.field {
            DeclaredField::Agency => "declared",
            DeclaredField::AgencyCode => "declared_code",
            DeclaredField::Year => return None,
        };
        Some(Draft::of_part(case, case).expected(&difference.declared).actual(&difference.read))
    });
    compiler(input).into_iter().chain(declared).collect()
}

/// Checks that the document says plainly whose report it is. A compiler that differs from the title has a finding of
/// its own.
fn identity(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let mut bodies = input.report.identity.agency.iter();
    let chosen = bodies.next()?;
    let draft = |case, part: &str| Draft::of_part(case, part).expected(&chosen.value);
    if let Some(rival) =
        bodies.next().filter(|rival| rival.weight >= DOUBT || rival.weight * 2 >= chosen.weight)
    {
        return compiler(input).is_none().then(|| draft("rival", &rival.value).actual(&rival.value));
    }
    let is_weak = chosen.weight < FIRM && chosen.source != EvidenceSource::Declared;
    is_weak.then(|| draft("weak", "weak"))
}

/// Checks that the compiler in the preamble is the body of the title, or the office of that body.
fn compiler(input: &Input<'_>) -> Option<Draft> {
    let named = named_in_title(input);
    let passages = input.prose.passages().iter().take_while(|passage| passage.chapter() == 0);
    for passage in passages {
        let text = passage.text();
        let Some(name) = COMPILER.captures(text).and_then(|captures| captures.get(1)) else { continue };
        let compiler = name.as_str();
        let is_same = |other: &str| is_short_for(compiler, other) || is_short_for(other, compiler);
        let is_explained = ITSELF.iter().any(|word| compiler.contains(word))
            || EXPLAINED.iter().any(|word| text.contains(word))
            || is_government_of(compiler, &named)
            || is_government_of(&named, compiler);
        // The name must be that of a body, unlike 由各科室汇总.
        let is_body = ["局", "委", "府", "厅", "办", "处", "会", "院", "中心", "镇", "乡", "街道"]
            .iter()
            .any(|end| compiler.ends_with(end));
        if !is_body || named.is_empty() || is_explained || is_same(&named) || is_same(&input.report.agency) {
            continue;
        }
        return Some(Draft::of_bytes("differs", passage, name.range()).expected(named).actual(compiler));
    }
    None
}

/// Returns the name of the body in the title.
fn named_in_title(input: &Input<'_>) -> String {
    let title: String = input.report.title.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(parts) = TITLE.captures(&title) else { return String::new() };
    parts.iter().skip(1).flatten().map(|part| part.as_str()).collect()
}

/// Returns true for the office of a government, such as 淮安市人民政府办公室 of 淮安市人民政府. A bare place name
/// (某市) counts as its government.
fn is_government_of(office: &str, government: &str) -> bool {
    let place = government.trim_end_matches("人民政府");
    let is_place =
        place.ends_with(['市', '县', '区', '省', '州', '旗', '镇', '乡']) || place.ends_with("街道");
    is_place && office.starts_with(place) && (office.contains("政府") || office.contains("办"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_offices_are_the_same_body() {
        assert!(is_short_for("沭阳县发改局", "沭阳县发展和改革局"));
        assert!(is_short_for("鹿江街道办事处", "樟树市鹿江街道办事处"));
        assert!(!is_short_for("云溪县林业局", "云溪县水务局"));
        assert!(is_government_of("淮安市人民政府办公室", "淮安市人民政府"));
        assert!(is_government_of("淮安市政府办公室", "淮安市"));
        assert!(!is_government_of("淮安市林业局", "淮安市水务局"));
    }
}
