//! Rule packs as data, and their evaluation: a pure function from a report and its [`Context`] to findings.
//!
//! A pack (`packs/*.toml`) gives each rule its id, weight, forms, words and legal source, and says how it looks: by a
//! check, which is an equation that the form itself implies or a function of this crate, or by an expression (CEL).
//! Read in this order: `pack` reads the data, `layout` derives the equations from the forms, `equation` tests them and
//! finds the suspect, `input` is what a rule looks at and `draft` what it says, `checks` are the functions a rule may
//! name, `expression` is what a pack's author writes, [`RuleSet::evaluate`] puts the words to what they found. Only [`rule_set`] reads files, once, when a program starts.

#![warn(missing_docs)]

mod cell_names;
mod check;
mod checks;
mod context;
mod draft;
mod equation;
mod evaluate;
mod example;
mod expression;
mod fingerprint;
mod folder;
mod input;
mod layout;
mod minhash;
mod neighbours;
mod pack;
mod params;
mod pattern;
mod prose;
mod repair;
mod rule;
mod table;
mod template;
mod text;

pub use context::{Context, Publication};
pub use evaluate::RuleSet;
pub use folder::{PacksError, rule_set, rule_set_of};
pub use layout::NamedCell;
pub use minhash::{Bands, MinHash};
pub use neighbours::{
    AgencyYear, Cells, Child, Children, Neighbours, Publications, Published, Sibling, figures,
};
pub use rule::{Rule, Scope};
pub use text::{PackError, PackText};
