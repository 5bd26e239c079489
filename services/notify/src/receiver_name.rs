//! Names of receivers. They are parts of consumers' names and of metrics.

/// Returns true if a receiver may have this name: 1 to 32 of `a-z 0-9 -`.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}
