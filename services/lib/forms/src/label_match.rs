//! Rates how well a row's label matches a row of the form.

/// The evidence of a label and the text around it for the row's position in the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LabelEvidence {
    /// The label does not identify a row.
    None,
    /// The label is the title of a group, such as （三）不予公开. The row is the group's subtotal, or its own label is lost.
    Group,
    /// The label is part of the names of these rows.
    Few(Vec<usize>),
    /// The label is the name of this row.
    Named(usize),
}

impl LabelEvidence {
    /// Returns the row whose name the label is.
    pub(crate) fn row(&self) -> Option<usize> {
        match self {
            Self::Named(row) => Some(*row),
            _ => None,
        }
    }

    /// Returns true unless the label is the name, or part of the names, of other rows. This is enough if the document has
    /// every row of the form, in order.
    pub(crate) fn allows(&self, row: usize) -> bool {
        matches!(self, Self::None | Self::Group) || self.supports(row)
    }

    /// Returns true if the label is the name of the row, or part of it.
    pub(crate) fn supports(&self, row: usize) -> bool {
        match self {
            Self::Named(named) => *named == row,
            Self::Few(rows) => rows.contains(&row),
            Self::None | Self::Group => false,
        }
    }
}
