//! `links`: addresses in the prose that are not the government's or the site's own.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    checks::{Check, Draft, Input, Value, quoted},
    params::Kind,
    prose::passage::Passage,
    rule::Rule,
};

pub(crate) const CHECKS: &[Check] = &[Check {
    name: "links",
    cases: &[("foreign", &["chapter", "quote", "host"]), ("address", &["chapter", "quote", "host"])],
    params: &[("allowed", Kind::List)],
    run,
}];

/// A host with its scheme, or one that ends as hosts do.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:https?://|ftp://)([a-z0-9][a-z0-9.-]*[a-z0-9])|((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|cn|net|org|gov|edu|info|top|xyz|cc|vip|io|tv|me|site|online|shop|club|biz|co|hk|tw|mobi|asia|pro|wang|link|win|fun|cloud|ltd|work|tech|store|app|icu|ink|red|dev|art|mom|cyou|buzz|live|today|world))|((?:\d{1,3}\.){3}\d{1,3})(?::\d{2,5}|/[a-z])",
    )
    .expect("the pattern is a constant that a test compiles")
});

fn run(rule: &Rule, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        if !passage.text().contains('.') {
            continue;
        }
        for found in HOST.captures_iter(passage.text()) {
            drafts.extend(draft(rule, input, passage, &found));
        }
    }
    drafts
}

fn draft(
    rule: &Rule,
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
    // The domain of an e-mail address, the head of a longer word, or a piece of an address.
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
    let case = if name.split('.').all(|part| part.parse::<u8>().is_ok()) && name.matches('.').count() == 3 {
        "address"
    } else if is_own(rule, input, &name) || !name.contains('.') {
        return None;
    } else {
        "foreign"
    };
    Some(Draft {
        actual: Some(name.clone()),
        ..quoted(case, passage, found.get(0)?.range(), vec![Value::same("host", name)])
    })
}

/// A government's host, the site's own, or one that governments use to reach people.
fn is_own(rule: &Rule, input: &Input<'_>, host: &str) -> bool {
    let within = |domain: &str| {
        let domain = domain.trim_start_matches("www.");
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let own = input.context.agency.and_then(|agency| agency.site_domain.as_deref());
    let site = input.context.publication.site_domain;
    within("gov.cn")
        || own.into_iter().chain(site).any(|domain| !domain.is_empty() && within(domain))
        || rule.params.list("allowed").iter().any(|domain| within(domain))
}
