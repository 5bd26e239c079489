//! Rule packs as data, and their evaluation: a pure function from a report and its [`ReportContext`] to findings.
//!
//! A pack (`packs/*.toml`) gives each rule its id, severity, forms, messages and legal source, and its condition: a
//! check, which is a function of this crate, or an expression (CEL).
//!
//! Read in this order: `pack` reads the data, `layout` derives equations from the forms, `equation` tests them and
//! finds the suspect cell, `input` is the input of a check and `draft` its result, `checks` are the functions,
//! `expression` evaluates CEL, and [`RuleSet::evaluate`] turns drafts into findings. Only [`rule_set`] reads files,
//! once, at start.

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
mod mask;
mod minhash;
mod named_cells;
mod near;
mod neighbours;
mod pack;
mod params;
mod pattern;
mod prose;
mod repair;
mod rule;
mod static_regex;
mod table;
mod template;
mod text;
mod told;

pub use context::{Publication, ReportContext};
pub use evaluate::{Evaluation, LeftOut, RuleSet};
pub use folder::{PacksError, rule_set, rule_set_of};
pub use layout::NamedCell;
pub use minhash::{Bands, MinHash};
pub use neighbours::{
    AgencyYear, Cells, Child, Children, Neighbours, Publications, PublishedContent, Sibling, figures,
};
pub use rule::{Rule, Scope};
pub use text::{PackError, PackText};
