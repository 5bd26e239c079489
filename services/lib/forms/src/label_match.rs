//! How well a row's label matches a row of the form.

/// What a label, and what stands around it, says about the row's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// The label says nothing about the row.
    None,
    /// The title of a group, such as （三）不予公开: its subtotal, or a row that lost its own label.
    Group,
    /// A fragment that fits these rows.
    Few(Vec<usize>),
    /// This row's name.
    Named(usize),
}

impl Evidence {
    /// The row it names.
    pub(crate) fn row(&self) -> Option<usize> {
        match self {
            Self::Named(row) => Some(*row),
            _ => None,
        }
    }

    /// True unless it names another row: enough where every row of the form has its entry.
    pub(crate) fn allows(&self, row: usize) -> bool {
        self.row().is_none_or(|named| named == row)
    }

    /// True if it speaks for the row.
    pub(crate) fn supports(&self, row: usize) -> bool {
        match self {
            Self::Named(named) => *named == row,
            Self::Few(rows) => rows.contains(&row),
            Self::None | Self::Group => false,
        }
    }
}
