//! Builds rules from a pack's TOML, and checks every name in it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use cel::Program;
use regex::Regex;
use toml::Spanned;

use gongkai_model::{FormId, Severity};

use super::raw;
use crate::{
    cell_names::CellNames,
    check::Check,
    checks,
    expression::{
        CASE, Expression,
        cost::{self, Sizes},
        env, names,
    },
    params::{Param, Params},
    pattern::{Patterns, RulePattern},
    rule::{Bounds, Case, Logic, Rule, Scope},
    template::Template,
    text::{PackCells, PackError, PackLines},
};

/// Placeholders of the message of a rule with patterns.
const OF_PATTERNS: [&str; 2] = ["quote", "chapter"];

/// Forms of a rule that does not name any.
const FORMS: [FormId; 2] = [FormId::Form2021, FormId::Form2019];

pub(super) struct PackBuilder<'a> {
    pub(super) lines: &'a PackLines<'a>,
    pub(super) ground: &'a PackCells,
    /// Name and version of the pack.
    pub(super) pack: Arc<str>,
}

impl PackBuilder<'_> {
    pub(super) fn rule(&self, raw: raw::RawRule) -> Result<Rule, PackError> {
        let at = raw.id.span();
        let severity = self.lines.severity(&raw.severity)?;
        let patterns = self.patterns(&raw.patterns)?;
        let (logic, cases) = match (&raw.check, &raw.when) {
            (Some(name), None) => self.checked(&raw, name, severity)?,
            (None, Some(when)) => self.expressed(&raw, when, &patterns, severity)?,
            _ => return Err(self.lines.error(at, "a rule has either a check or an expression `when`")),
        };
        let scope = raw.scope.as_ref().map(|name| self.scope(name)).transpose()?;
        let forms = raw.forms.as_ref().map(|names| self.forms(names)).transpose()?;
        let day = |day: &Option<Spanned<String>>| day.as_ref().map(|day| self.lines.day(day)).transpose();
        Ok(Rule {
            severity,
            is_on: raw.enabled.unwrap_or(true),
            scope: scope.unwrap_or(Scope::Single),
            forms: forms.unwrap_or_else(|| FORMS.to_vec()),
            years: Bounds { from: raw.years_from, to: raw.years_to },
            published: Bounds { from: day(&raw.published_from)?, to: day(&raw.published_to)? },
            formula: raw.formula.or_else(|| raw.when.map(Spanned::into_inner)).unwrap_or_default(),
            legal: raw.legal.unwrap_or_default(),
            help: raw.help.unwrap_or_default(),
            help_en: raw.help_en.unwrap_or_default(),
            params: Params::new(raw.params.into_iter().map(|(name, p)| (name, p.into_inner())).collect()),
            pack: Arc::clone(&self.pack),
            id: raw.id.into_inner(),
            logic,
            patterns,
            cases,
        })
    }

    /// Builds a rule that a function checks.
    fn checked(
        &self,
        raw: &raw::RawRule,
        name: &Spanned<String>,
        severity: Severity,
    ) -> Result<Looks, PackError> {
        let check = checks::from_name(name.get_ref())
            .ok_or_else(|| self.lines.error(name.span(), format!("unknown check {:?}", name.get_ref())))?;
        self.params(&raw.params, check, &raw.id.span())?;
        if let Some((name, value)) = raw.values.iter().next() {
            return Err(self.lines.error(value.span(), format!("the check itself gives {name:?} its value")));
        }
        let mut cases = BTreeMap::new();
        for (name, case) in &raw.cases {
            let Some((_, known)) = check.cases.iter().find(|(case, _)| case == name) else {
                return Err(self.lines.error(case.span(), format!("the check has no case {name:?}")));
            };
            cases.insert(name.clone(), self.case(case.get_ref(), known, severity)?);
        }
        if let Some((name, _)) = check.cases.iter().find(|(name, _)| !cases.contains_key(*name)) {
            let message = format!("the message for case {name:?} is missing");
            return Err(self.lines.error(raw.id.span(), message));
        }
        Ok((Logic::Check(check), cases))
    }

    /// Builds a rule with an expression.
    fn expressed(
        &self,
        raw: &raw::RawRule,
        when: &Spanned<String>,
        patterns: &Patterns,
        severity: Severity,
    ) -> Result<Looks, PackError> {
        let of_patterns: Vec<&str> = patterns.iter().map(|pattern| pattern.name.as_str()).collect();
        let params: Vec<&str> = raw.params.keys().map(String::as_str).collect();
        let known =
            names::AllowedNames { patterns: &of_patterns, params: &params, cells: &self.ground.cells };
        let mut needs = names::Needs::default();
        let mut program = |text: &Spanned<String>| {
            let (program, of_program) = self.program(text, &known)?;
            needs = needs.or(of_program);
            Ok::<_, PackError>(program)
        };
        let condition = program(when)?;
        let values: Result<Vec<_>, PackError> =
            raw.values.iter().map(|(name, text)| Ok((name.clone(), program(text)?))).collect();
        let expected = raw.expected.as_ref().map(&mut program).transpose()?;
        let actual = raw.actual.as_ref().map(&mut program).transpose()?;
        let expression = Expression {
            text: when.get_ref().clone(),
            when: condition,
            values: values?,
            expected,
            actual,
            facts: raw.facts.iter().map(|name| self.facts(name)).collect::<Result<_, _>>()?,
            needs,
        };
        let sizes = raw.params.values().fold(Sizes::LARGE, |sizes, param| sizes.with_param(param.get_ref()));
        if let Some(excess) = expression.cost(patterns, sizes).excess(cost::STEPS) {
            let message =
                format!("rule {:?} is over its budget on a large report: it {excess}", raw.id.get_ref());
            return Err(self.lines.error(when.span(), message));
        }
        let Some(message) = raw.message.as_ref().filter(|_| raw.cases.is_empty()) else {
            return Err(self.lines.error(raw.id.span(), "a rule that is an expression has one `message`"));
        };
        let mut placeholders: Vec<&str> = raw.values.keys().map(String::as_str).collect();
        if !patterns.is_empty() {
            placeholders.extend(OF_PATTERNS);
        }
        let case = self.case(message.get_ref(), &placeholders, severity)?;
        Ok((Logic::Expression(Arc::new(expression)), BTreeMap::from([(CASE.to_owned(), case)])))
    }

    fn program(
        &self,
        text: &Spanned<String>,
        known: &names::AllowedNames<'_>,
    ) -> Result<(Program, names::Needs), PackError> {
        let program = env::compile(text.get_ref())
            .map_err(|(below, why)| self.lines.error_below(text.span(), below, why))?;
        let needs = names::check(&program, known).map_err(|why| self.lines.error(text.span(), why))?;
        Ok((program, needs))
    }

    fn facts(&self, name: &Spanned<String>) -> Result<CellNames, PackError> {
        CellNames::parse(name.get_ref(), &self.ground.cells).map_err(|why| self.lines.error(name.span(), why))
    }

    fn patterns(&self, raw: &BTreeMap<String, Spanned<raw::Pattern>>) -> Result<Patterns, PackError> {
        let pattern = |(name, spanned): (&String, &Spanned<raw::Pattern>)| {
            let (regex, chapters) = match spanned.get_ref() {
                raw::Pattern::Everywhere(regex) => (regex, Vec::new()),
                raw::Pattern::Within { regex, chapters } => (regex, chapters.clone()),
            };
            let regex = Regex::new(regex).map_err(|error| {
                self.lines.error(spanned.span(), format!("no regular expression: {error}"))
            })?;
            Ok(RulePattern { name: name.clone(), regex, chapters })
        };
        raw.iter().map(pattern).collect()
    }

    fn params(
        &self,
        raw: &BTreeMap<String, Spanned<Param>>,
        check: &Check,
        rule: &Range<usize>,
    ) -> Result<(), PackError> {
        for (name, value) in raw {
            fits(check, name, value.get_ref()).map_err(|why| self.lines.error(value.span(), why))?;
        }
        match check.params.iter().find(|(name, _)| !raw.contains_key(*name)) {
            Some((name, _)) => Err(self.lines.error(rule.clone(), format!("parameter {name:?} is missing"))),
            None => Ok(()),
        }
    }

    fn case(&self, raw: &raw::RawCase, known: &[&str], default: Severity) -> Result<Case, PackError> {
        let template = |text: &Spanned<String>| {
            Template::parse(text.get_ref(), known).map_err(|why| self.lines.error(text.span(), why))
        };
        let own = raw.severity.as_ref().map(|name| self.lines.severity(name)).transpose()?;
        Ok(Case {
            severity: own.unwrap_or(default),
            has_own_severity: own.is_some(),
            message: template(&raw.zh)?,
            message_en: template(raw.en.as_ref().unwrap_or(&raw.zh))?,
        })
    }

    fn scope(&self, name: &Spanned<String>) -> Result<Scope, PackError> {
        let unknown = |_| self.lines.error(name.span(), format!("unknown scope {:?}", name.get_ref()));
        name.get_ref().parse().map_err(unknown)
    }

    fn forms(&self, names: &Spanned<Vec<String>>) -> Result<Vec<FormId>, PackError> {
        let form = |name: &String| {
            name.parse().map_err(|_| self.lines.error(names.span(), format!("unknown form {name:?}")))
        };
        let forms: Vec<FormId> = names.get_ref().iter().map(form).collect::<Result<_, _>>()?;
        if forms.is_empty() {
            return Err(self.lines.error(names.span(), "a rule needs a form to apply to"));
        }
        Ok(forms)
    }
}

/// The logic of a rule, and its cases.
type Looks = (Logic, BTreeMap<String, Case>);

/// Checks that a rule can have a parameter. The error explains why not.
pub(super) fn is_fit(rule: &Rule, name: &str, param: &Param) -> Result<(), String> {
    match &rule.logic {
        Logic::Check(check) => fits(check, name, param),
        Logic::Expression(_) => match rule.params.get(name) {
            Some(old) if std::mem::discriminant(old) == std::mem::discriminant(param) => Ok(()),
            Some(_) => Err(format!("parameter {name:?} is of another kind")),
            None => Err(format!("unknown parameter {name:?}")),
        },
    }
}

fn fits(check: &Check, name: &str, param: &Param) -> Result<(), String> {
    match check.params.iter().find(|(known, _)| *known == name) {
        None => Err(format!("unknown parameter {name:?}")),
        Some((_, kind)) if !kind.takes(param) => {
            Err(format!("parameter {name:?} is to be {}", kind.as_str()))
        }
        Some(_) => Ok(()),
    }
}
