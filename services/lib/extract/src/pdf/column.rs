//! A column of a table without rulings.

/// Maximum overlap of two separate ranges, in points.
pub(super) const TOUCH: f64 = 0.5;

/// A column, as the horizontal range that it covers.
#[derive(Debug, Clone)]
pub(super) struct ColumnRange {
    pub(super) x0: f64,
    pub(super) x1: f64,
    pub(super) has_numbers: bool,
    /// The parts of the header that are above this column and above no other: lines from the bottom, each with the
    /// ordinal of its run.
    pub(super) name: Vec<(usize, usize)>,
}
