//! The versions of everything that decides an output of this build.

use gongkai_model::Versions;
use gongkai_rules::RuleSet;

use crate::event::RULES;

/// The version of the readers and the matcher; changed with every change of `gongkai-extract` or `gongkai-forms` that
/// changes what is read from any document.
const PARSER: &str = "5";

/// Versions of the program, its parser, its statutory forms and its rules.
#[must_use]
pub fn versions() -> Versions {
    versions_by(&RULES)
}

/// [`versions`] with other rules.
#[must_use]
pub fn versions_by(rules: &RuleSet) -> Versions {
    Versions {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        parser: PARSER.to_owned(),
        forms: gongkai_forms::VERSION.to_owned(),
        rules: rules.version(),
    }
}

/// What a program that reads or checks says of itself beside its own version.
#[must_use]
pub fn labels() -> Vec<(&'static str, String)> {
    let Versions { program: _, parser, forms, rules } = versions();
    vec![("parser", parser), ("forms", forms), ("rules", rules)]
}
