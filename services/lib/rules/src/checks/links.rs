//! `links`: addresses in the prose that belong neither to a government nor to the report's own site.

use gongkai_model::{FieldName, Paragraph, Span, metadata::Field};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    fingerprint::FindingKey,
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const HOSTED: &[&str] = &["chapter", "quote", "host"];
const CASES: Cases = &[("foreign", HOSTED), ("address", HOSTED), ("local", &["chapter", "quote"])];

pub(crate) const CHECKS: &[Check] = &[Check::many("links", CASES, run).with(&[("allowed", ParamKind::List)])];

/// A host with its scheme, or a name with a usual ending of hosts.
static HOST: StaticRegex = StaticRegex::new(
    r"(?i)(?:https?://|ftp://)([a-z0-9][a-z0-9.-]*[a-z0-9])|((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|cn|net|org|gov|edu|info|top|xyz|cc|vip|io|tv|me|site|online|shop|club|biz|co|hk|tw|mobi|asia|pro|wang|link|win|fun|cloud|ltd|work|tech|store|app|icu|ink|red|dev|art|mom|cyou|buzz|live|today|bindings))|((?:\d{1,3}\.){3}\d{1,3})(?::\d{2,5}|/[a-z])",
);

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        drafts.extend(local(passage));
        if !passage.text().contains('.') {
            continue;
        }
        for found in HOST.captures_iter(passage.text()) {
            drafts.extend(draft(params, input, passage, &found));
        }
    }
    let behind_words = hidden(params, input, &drafts);
    drafts.extend(behind_words);
    drafts
}

/// A path on the computer of the person who wrote the text.
static LOCAL: StaticRegex =
    StaticRegex::new(r"(?i)file:/{2,3}[^\s,;。、)]{1,80}|(?:^|[^a-z])([c-h]:\\[^\s,;。、)]{2,80})");

fn local(passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    let found = (text.contains(":/") || text.contains(":\\")).then(|| LOCAL.captures(text)).flatten()?;
    let path = found.get(1).or_else(|| found.get(0))?;
    let draft = Draft::of_bytes("local", passage, path.range());
    Some(Draft { actual: Some(path.as_str().to_owned()), ..draft })
}

/// Finds links whose text does not show their address.
fn hidden(params: &Params, input: &Input<'_>, shown: &[Draft]) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for link in input.report.metadata.fields.iter().filter(|field| field.name == FieldName::Link) {
        if link.value.to_ascii_lowercase().starts_with("file:") {
            drafts.extend(hidden_local(input, link));
            continue;
        }
        let rest = link.value.split_once("//").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(case) = case(params, input, &host) else { continue };
        let is_known = |draft: &Draft| draft.actual.as_deref() == Some(host.as_str());
        if shown.iter().chain(&drafts).any(is_known) {
            continue;
        }
        let chapter = chapter(input, link.source.span);
        let draft = Draft::new(case, FindingKey::Quote { chapter, text: link.value.clone() })
            .chapter(chapter)
            .with("quote", &link.value)
            .with("host", &host);
        drafts.push(Draft { actual: Some(host), source: Some(link.source.clone()), ..draft });
    }
    drafts
}

/// Returns a draft about a link to a file on somebody's computer.
fn hidden_local(input: &Input<'_>, link: &Field) -> Option<Draft> {
    let chapter = chapter(input, link.source.span);
    let draft = Draft::new("local", FindingKey::Quote { chapter, text: link.value.clone() });
    let draft = draft.chapter(chapter).with("quote", &link.value);
    Some(Draft { actual: Some(link.value.clone()), source: Some(link.source.clone()), ..draft })
}

/// Returns the chapter that contains a link.
fn chapter(input: &Input<'_>, link: Option<Span>) -> u32 {
    let holds = |paragraph: &Paragraph| match (paragraph.span, link) {
        (Some(own), Some(link)) => own.end > link.end,
        _ => false,
    };
    if input.report.preamble.iter().any(holds) {
        return 0;
    }
    input.report.sections.iter().find(|section| section.paragraphs.iter().any(holds)).map_or(0, |s| s.number)
}

/// Returns the problem with a host, if any.
fn case(params: &Params, input: &Input<'_>, name: &str) -> Option<&'static str> {
    let is_bare = name.split('.').all(|part| part.parse::<u8>().is_ok()) && name.matches('.').count() == 3;
    if is_bare {
        return Some("address");
    }
    (name.contains('.') && !is_own(params, input, name)).then_some("foreign")
}

fn draft(
    params: &Params,
    input: &Input<'_>,
    passage: &Passage<'_>,
    found: &regex::Captures<'_>,
) -> Option<Draft> {
    let text = passage.text();
    let host = found.get(1).or_else(|| found.get(2)).or_else(|| found.get(3))?;
    let has_scheme = found.get(1).is_some();
    let after = text[host.end()..].chars().next();
    let mut backwards = text[..host.start()].chars().rev();
    let before = backwards.next();
    // The host is the domain of an e-mail address, the beginning of a longer word, or a piece of an address.
    let is_part = before == Some('@')
        || after == Some('@')
        || before.is_some_and(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '=' | '?' | '&' | '%')
        })
        || (before == Some('/') && backwards.next() != Some('/'))
        || (found.get(3).is_none() && after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'));
    if !has_scheme && is_part {
        return None;
    }
    let name = host.as_str().to_ascii_lowercase();
    let case = case(params, input, &name)?;
    let draft = Draft::of_bytes(case, passage, found.get(0)?.range()).with("host", &name);
    Some(Draft { actual: Some(name), ..draft })
}

/// Returns true for a government's host, the site's own, or one that governments use to reach the public.
fn is_own(params: &Params, input: &Input<'_>, host: &str) -> bool {
    let within = |domain: &str| {
        let domain = domain.trim_start_matches("www.");
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let own = input.context.profile.and_then(|agency| agency.site_domain.as_deref());
    let site = input.context.publication.site_domain;
    within("gov.cn")
        || own.into_iter().chain(site).any(|domain| !domain.is_empty() && within(domain))
        || params.list("allowed").iter().any(|domain| within(domain))
}
