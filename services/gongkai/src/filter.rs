//! Filters of query.

/// Returns a term of a filter.
pub(crate) fn term(field: &str, op: &str, value: &str) -> String {
    format!("{field} {op} \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
