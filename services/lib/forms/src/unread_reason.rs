//! Why a cell of the form is unreadable.

/// Why a cell of the form is unreadable. The cells of the document that the readings propose are its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnreadReason {
    /// Two cells of the document are in the place of one of the form, with different texts.
    TwoCells,
    /// The row can be cut to the columns of the form in several ways, and the cuts differ in this cell.
    CutsDiffer,
    /// The row does not have the columns of the form, or its header contradicts them.
    RowUnclear,
    /// The label and the order of the rows name different rows of the form, or the label stands apart from the numbers.
    RowUnknown,
    /// Numbers of the chapter belong to no cell: its layout is unknown.
    LayoutUnknown,
    /// The text is no number, or has a unit that the cell cannot have.
    NoNumber,
}

// === impl UnreadReason ===

impl UnreadReason {
    /// Returns the code.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TwoCells => "two_cells",
            Self::CutsDiffer => "cuts_differ",
            Self::RowUnclear => "row_unclear",
            Self::RowUnknown => "row_unknown",
            Self::LayoutUnknown => "layout_unknown",
            Self::NoNumber => "no_number",
        }
    }
}
