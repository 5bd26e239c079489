//! Rule packs as data, and their evaluation: a pure function from a report and its event to findings.
//!
//! A pack (`packs/core.toml`) gives each rule its id, weight, forms, words and legal source, and names the check that
//! looks: an identity that the form itself implies, or a function of this crate. Read in this order: `pack` reads the
//! data, `layout` derives the identities from the forms, `identity` tests them and finds the suspect, `checks` are the
//! functions a rule may name, [`RuleSet::evaluate`] puts the words to what they found.

mod checks;
mod context;
mod evaluate;
mod fingerprint;
mod identity;
mod layout;
mod pack;
mod prose;
mod rule;
mod table;
mod template;

pub use context::Context;
pub use evaluate::RuleSet;
pub use pack::PackError;
pub use rule::{Rule, Scope};
