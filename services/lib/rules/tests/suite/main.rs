//! The rules over whole reports, through the public interface only.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test itself may")]

mod catalogue;
mod cross;
mod form;
mod hygiene;
mod local;
mod packs;
mod properties;
mod prose;
mod real;
mod single_errors;
mod structure;
mod support;
mod tables;
mod wordings;
