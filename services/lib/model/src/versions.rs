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
