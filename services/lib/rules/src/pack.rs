//! Rule packs from TOML: reading and checking.
//!
//! A pack that is misspelt must not load: a rule with a wrong name would be silent for ever. So unknown keys, unknown
//! checks, missing messages and unknown placeholders are errors, each with its line.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use gongkai_model::{FormId, Severity};

use crate::{
    checks::{Check, Spec},
    rule::{Case, Rule, Scope},
    template::Template,
};

/// A pack is not usable; its author repairs it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule pack, line {line}: {message}")]
pub struct PackError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// A pack as read.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    pack: RawHead,
    rules: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    name: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    severity: Spanned<String>,
    scope: Spanned<String>,
    forms: Spanned<Vec<String>>,
    #[serde(default)]
    years_from: Option<i32>,
    #[serde(default)]
    years_to: Option<i32>,
    check: Spanned<String>,
    formula: String,
    legal: String,
    help: String,
    help_en: String,
    #[serde(default)]
    params: BTreeMap<String, Spanned<i64>>,
    cases: BTreeMap<String, Spanned<RawCase>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    #[serde(default)]
    severity: Option<Spanned<String>>,
    #[serde(rename = "zh-CN")]
    zh: Spanned<String>,
    en: Spanned<String>,
}

/// The text of a pack, to say on which line a place in it lies.
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn error(&self, at: Range<usize>, message: impl Into<String>) -> PackError {
        let before = self.0.get(..at.start).unwrap_or(self.0);
        PackError { line: before.matches('\n').count() + 1, message: message.into() }
    }
}

/// Reads a pack.
///
/// # Errors
/// The text is no TOML, has an unknown or missing key, names an unknown check, severity, scope, form or parameter,
/// gives two rules one id, or a message is missing or has an unknown placeholder.
pub(crate) fn parse(text: &str) -> Result<Pack, PackError> {
    let lines = Lines(text);
    let raw: RawPack = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        lines.error(at, error.message())
    })?;
    let mut rules: Vec<Rule> = Vec::new();
    for raw_rule in raw.rules {
        let at = raw_rule.id.span();
        let rule = build(raw_rule, &lines)?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(lines.error(at, format!("rule {} stands twice", rule.id)));
        }
        rules.push(rule);
    }
    Ok(Pack { name: raw.pack.name, version: raw.pack.version, rules })
}

fn build(raw: RawRule, lines: &Lines<'_>) -> Result<Rule, PackError> {
    let check = Check::from_name(raw.check.get_ref())
        .ok_or_else(|| lines.error(raw.check.span(), format!("unknown check {:?}", raw.check.get_ref())))?;
    let severity = severity(&raw.severity, lines)?;
    let spec = check.spec();
    let at = raw.id.span();
    let params = params(raw.params, &spec, &at, lines)?;
    let cases = cases(raw.cases, severity, &spec, &at, lines)?;
    Ok(Rule {
        severity,
        scope: scope(&raw.scope, lines)?,
        forms: forms(&raw.forms, lines)?,
        years_from: raw.years_from,
        years_to: raw.years_to,
        check,
        formula: raw.formula,
        legal: raw.legal,
        help: raw.help,
        help_en: raw.help_en,
        params,
        cases,
        id: raw.id.into_inner(),
    })
}

fn severity(name: &Spanned<String>, lines: &Lines<'_>) -> Result<Severity, PackError> {
    let known = Severity::ALL.into_iter().find(|severity| severity.as_str() == name.get_ref());
    known.ok_or_else(|| lines.error(name.span(), format!("unknown severity {:?}", name.get_ref())))
}

fn scope(name: &Spanned<String>, lines: &Lines<'_>) -> Result<Scope, PackError> {
    let known = [Scope::Single].into_iter().find(|scope| scope.as_str() == name.get_ref());
    known.ok_or_else(|| lines.error(name.span(), format!("unknown scope {:?}", name.get_ref())))
}

fn forms(names: &Spanned<Vec<String>>, lines: &Lines<'_>) -> Result<Vec<FormId>, PackError> {
    let forms: Result<Vec<FormId>, PackError> = names
        .get_ref()
        .iter()
        .map(|name| name.parse().map_err(|_| lines.error(names.span(), format!("unknown form {name:?}"))))
        .collect();
    match forms {
        Ok(forms) if forms.is_empty() => Err(lines.error(names.span(), "a rule needs a form to apply to")),
        other => other,
    }
}

fn params(
    raw: BTreeMap<String, Spanned<i64>>,
    spec: &Spec,
    rule: &Range<usize>,
    lines: &Lines<'_>,
) -> Result<BTreeMap<String, i64>, PackError> {
    for (name, value) in &raw {
        if !spec.params.contains(&name.as_str()) {
            return Err(lines.error(value.span(), format!("unknown parameter {name:?}")));
        }
    }
    if let Some(name) = spec.params.iter().find(|name| !raw.contains_key(**name)) {
        return Err(lines.error(rule.clone(), format!("parameter {name:?} is missing")));
    }
    Ok(raw.into_iter().map(|(name, value)| (name, value.into_inner())).collect())
}

fn cases(
    raw: BTreeMap<String, Spanned<RawCase>>,
    default: Severity,
    spec: &Spec,
    rule: &Range<usize>,
    lines: &Lines<'_>,
) -> Result<BTreeMap<String, Case>, PackError> {
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (name, raw_case) in raw {
        let Some((_, known)) = spec.cases.iter().find(|(case, _)| *case == name) else {
            return Err(lines.error(raw_case.span(), format!("the check has no case {name:?}")));
        };
        let raw_case = raw_case.into_inner();
        let template = |text: &Spanned<String>| {
            Template::parse(text.get_ref(), known).map_err(|why| lines.error(text.span(), why))
        };
        let own = raw_case.severity.as_ref().map(|name| severity(name, lines)).transpose()?;
        let case = Case {
            severity: own.unwrap_or(default),
            message: template(&raw_case.zh)?,
            message_en: template(&raw_case.en)?,
        };
        cases.insert(name, case);
    }
    if let Some((name, _)) = spec.cases.iter().find(|(name, _)| !cases.contains_key(*name)) {
        return Err(lines.error(rule.clone(), format!("the message for case {name:?} is missing")));
    }
    Ok(cases)
}
