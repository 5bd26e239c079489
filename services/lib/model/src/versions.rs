//! Which program, parser, forms and rules made an output. They ride on every event and every finding.

/// Versions of everything that decides an output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Versions {
    /// The program.
    pub program: String,
    /// The readers and the matcher.
    pub parser: String,
    /// The statutory forms.
    pub forms: String,
    /// The rule packs; empty on outputs no rule took part in.
    pub rules: String,
}

impl Versions {
    /// Label and version of each component besides the program; the rules only if it applies any.
    #[must_use]
    pub fn labels(&self) -> Vec<(&'static str, String)> {
        let mut labels = vec![("parser", self.parser.clone()), ("forms", self.forms.clone())];
        if !self.rules.is_empty() {
            labels.push(("rules", self.rules.clone()));
        }
        labels
    }
}
