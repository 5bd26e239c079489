//! The versions of all components that determine what is read from a document.

use gongkai_model::Versions;

/// The version of the readers and the matcher; changed with every change of `gongkai-extract` or `gongkai-forms` that
/// changes the reading of any document.
const PARSER: &str = "15";

/// The version of the compiled-in forms; changed with every change of `forms/*.toml`.
const FORMS: &str = "4";

/// Returns the versions of the program, its parser and its statutory forms. `rules` is empty, because reading does
/// not use the rules.
#[must_use]
pub fn versions() -> Versions {
    Versions {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        parser: PARSER.to_owned(),
        forms: FORMS.to_owned(),
        rules: String::new(),
    }
}
