//! Rule packs from TOML: reading and checking.
//!
//! A misspelt pack must not load: a rule with a wrong name would never fire. Therefore unknown keys, checks, cells,
//! variables and functions, missing messages and unknown placeholders are errors, each with its file and line.
//! `PACKS.md` beside this crate explains the content of a pack to authors.

mod build;
mod overrides;
mod raw;

use crate::{
    example::{self, Example},
    rule::Rule,
    text::{PackCells, PackError, PackLines, PackText},
};

/// The combined content of packs.
#[derive(Debug, Default)]
pub(crate) struct Packs {
    /// Name and version of each pack, such as `core 3`, in their order.
    pub(crate) labels: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) examples: Vec<Example>,
}

/// Reads packs, each on top of the earlier ones.
///
/// # Errors
/// A text is not TOML, has an unknown or missing key, names something that does not exist (a check, severity, scope,
/// form, cell, parameter, placeholder, variable or function), gives two rules one id, overrides a rule that no
/// earlier pack defines, or lacks a message.
pub(crate) fn load(packs: &[PackText<'_>], ground: &PackCells) -> Result<Packs, PackError> {
    packs.iter().try_fold(Packs::default(), |before, pack| before.and(pack, ground))
}

impl Packs {
    /// Adds a pack on top of the others.
    fn and(mut self, pack: &PackText<'_>, ground: &PackCells) -> Result<Self, PackError> {
        let lines = PackLines::new(pack);
        let raw: raw::Pack = toml::from_str(pack.text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            lines.error(at, error.message())
        })?;
        let raw::PackHead { name, version } = raw.pack;
        if name.get_ref().is_empty() {
            return Err(lines.error(name.span(), "a pack needs a name"));
        }
        let label = format!("{} {version}", name.get_ref());
        let builder = build::PackBuilder { lines: &lines, ground, pack: label.as_str().into() };
        for rule in raw.rules {
            let at = rule.id.span();
            let rule = builder.rule(rule)?;
            self.is_new(&rule).map_err(|why| lines.error(at, why))?;
            self.rules.push(rule);
        }
        for group in raw.examples {
            self.examples.extend(example::read(group, &self.rules, ground, &lines)?);
        }
        for change in raw.overrides {
            overrides::apply(change, &mut self.rules, &lines)?;
        }
        self.labels.push(label);
        Ok(self)
    }

    /// Checks that a new rule does not exist yet. A rule may have different logic for one report and for its
    /// neighbours; it then exists once for each scope.
    fn is_new(&self, rule: &Rule) -> Result<(), String> {
        let same = |other: &&Rule| other.id == rule.id && other.scope == rule.scope;
        match self.rules.iter().find(same) {
            None => Ok(()),
            Some(other) if other.pack == rule.pack => Err(format!("rule {} stands twice", rule.id)),
            Some(other) => Err(format!(
                "rule {} is defined by pack {}; change it with [[override]]",
                rule.id, other.pack
            )),
        }
    }
}
