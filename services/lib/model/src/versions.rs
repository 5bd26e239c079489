//! The versions of program, parser, forms and rules that produced an output. Every event and every finding contains
//! them.

/// Versions of all components that determine an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Versions {
    /// Version of the program.
    pub program: String,
    /// Version of the readers and the matcher.
    pub parser: String,
    /// Version of the statutory forms.
    pub forms: String,
    /// Names and versions of the rule packs; empty on outputs without rules.
    pub rules: String,
}

impl Versions {
    /// Returns the label and version of each component besides the program, and of the rules only if there are any.
    #[must_use]
    pub fn labels(&self) -> Vec<(&'static str, String)> {
        let mut labels = vec![("parser", self.parser.clone()), ("forms", self.forms.clone())];
        if !self.rules.is_empty() {
            labels.push(("rules", self.rules.clone()));
        }
        labels
    }
}
