//! Raised and lowered digits. They mark footnotes and are no part of the number before them.

/// Returns the raised form of a digit, or of a letter from a to e, which no reader takes for a part of the number before
/// it: `24` with a raised `1` becomes `24¹`. Other characters stay.
pub(crate) fn raised_digit(c: char) -> char {
    const RAISED: [char; 15] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹', 'ᵃ', 'ᵇ', 'ᶜ', 'ᵈ', 'ᵉ'];
    c.to_digit(15).and_then(|digit| RAISED.get(digit as usize)).copied().unwrap_or(c)
}

/// Returns the lowered form of a digit. Other characters stay.
pub(crate) fn lowered_digit(c: char) -> char {
    const LOWERED: [char; 10] = ['₀', '₁', '₂', '₃', '₄', '₅', '₆', '₇', '₈', '₉'];
    c.to_digit(10).and_then(|digit| LOWERED.get(digit as usize)).copied().unwrap_or(c)
}
