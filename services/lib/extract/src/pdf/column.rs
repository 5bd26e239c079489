//! A column of a table without rulings.

/// Places that overlap by no more than this, in points, are apart.
pub(super) const TOUCH: f64 = 0.5;

/// A column seen from above.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) x0: f64,
    pub(super) x1: f64,
    pub(super) has_numbers: bool,
    /// What stands over it, and over no other, in the header: lines from the bottom, each with the ordinal of its run.
    pub(super) name: Vec<(usize, usize)>,
}
