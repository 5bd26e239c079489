//! Days as packs write them: `2024-01-31`.

use time::{Date, macros::format_description};
use toml::Spanned;

use super::{Lines, PackError};

/// The day that a text names.
pub(crate) fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// The day, or an error with its line.
pub(crate) fn parse(text: &Spanned<String>, lines: &Lines<'_>) -> Result<Date, PackError> {
    day(text.get_ref())
        .ok_or_else(|| lines.error(text.span(), format!("{:?} is no day such as 2024-01-31", text.get_ref())))
}
