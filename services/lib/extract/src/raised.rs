//! Raised digits, which mark footnotes.

/// Returns the raised form of a digit, which no reader takes for a digit of the number before it: `24` with a raised `1`
/// becomes `24¹`. Other characters stay.
pub(crate) fn raised_digit(c: char) -> char {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    c.to_digit(10).and_then(|digit| RAISED.get(digit as usize)).copied().unwrap_or(c)
}
