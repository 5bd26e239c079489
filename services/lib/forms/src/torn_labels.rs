//! Rows of chapter 三 without a label, in documents that print labels and numbers apart: as PDF tools and OCR write them,
//! and as editors break a table.
//!
//! The labels around such a row name the rows of the form that it can be. The order of labels and rows decides later, and
//! only if there are as many rows as the form has in that place. A row is named at once only if it follows its label, as
//! every row of the document does.

use crate::{
    index::RequestIndex,
    label_match::LabelEvidence,
    rows::{Item, Row},
};

/// What an item is for the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Labels without numbers.
    Labels,
    /// Numbers without a label.
    Numbers,
    /// A row with label and numbers.
    Row,
}

/// The labels and rows of a range.
pub(crate) struct TornLabels<'r, 'a> {
    /// Each label or row with its item's ordinal. Labels one after the other are one token.
    tokens: Vec<(Token, std::ops::Range<usize>)>,
    items: &'r [Item<'a>],
    /// True if labels come first and numbers last.
    labels_first: bool,
    /// The rows of the form whose labels are not in its order.
    disordered: Vec<usize>,
}

impl<'r, 'a> TornLabels<'r, 'a> {
    pub(crate) fn of(items: &'r [Item<'a>], index: &RequestIndex) -> Self {
        let mut tokens: Vec<(Token, std::ops::Range<usize>)> = Vec::new();
        let is_torn = items.iter().any(|item| token(item, index) == Some(Token::Numbers));
        for (at, item) in items.iter().enumerate().filter(|_| is_torn) {
            let Some(token) = token(item, index) else { continue };
            match tokens.last_mut() {
                Some((Token::Labels, range)) if token == Token::Labels => range.end = at + 1,
                _ => tokens.push((token, at..at + 1)),
            }
        }
        let mut torn = Self { tokens, items, labels_first: false, disordered: Vec::new() };
        let is_named = |(token, range): &&(Token, std::ops::Range<usize>)| {
            *token != Token::Labels || !torn.names(range.clone(), index).is_empty()
        };
        let ends = (torn.tokens.iter().find(is_named), torn.tokens.iter().rfind(is_named));
        torn.disordered = torn.out_of_order(index);
        torn.labels_first = matches!(ends, (Some((Token::Labels, _)), Some((Token::Numbers, _))));
        torn
    }

    /// Returns true if the range has numbers without a label.
    pub(crate) fn has_numbers(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Returns the evidence for the row of numbers at item `at`.
    pub(crate) fn evidence(&self, at: usize, index: &RequestIndex) -> LabelEvidence {
        let Ok(own) = self.tokens.binary_search_by_key(&at, |(_, range)| range.start) else {
            return LabelEvidence::None;
        };
        let before = own.checked_sub(1).and_then(|before| self.tokens.get(before));
        let goes_on = self.tokens.get(own + 1).is_some_and(|(token, _)| *token == Token::Numbers);
        if let Some((Token::Labels, range)) = before
            && let [only] = self.names(range.clone(), index).as_slice()
            && self.labels_first
            && !goes_on
        {
            return LabelEvidence::Named(*only);
        }
        let is_end = |(token, _): &&(Token, std::ops::Range<usize>)| *token == Token::Row;
        let (left, right) = self.tokens.split_at(own);
        let around =
            left.iter().rev().take_while(|t| !is_end(t)).chain(right.iter().take_while(|t| !is_end(t)));
        let labels = around.filter(|(token, _)| *token == Token::Labels);
        let mut rows: Vec<usize> =
            labels.flat_map(|(_, range)| self.possible(range.clone(), index)).collect();
        rows.sort_unstable();
        rows.dedup();
        if rows.iter().any(|row| self.disordered.contains(row)) {
            // The order of the rows is no evidence here, so the numbers can be those of any of them.
            return LabelEvidence::Few(Vec::new());
        }
        if rows.is_empty() { LabelEvidence::None } else { LabelEvidence::Few(rows) }
    }

    /// Returns the rows of the form whose labels stand before that of an earlier row, and the rows between them.
    fn out_of_order(&self, index: &RequestIndex) -> Vec<usize> {
        let named = if self.has_numbers() { self.names(0..self.items.len(), index) } else { Vec::new() };
        // 其他 and 总计 are titles of columns too.
        let rows: Vec<usize> = named.into_iter().filter(|row| !index.is_named_like_column(*row)).collect();
        let inverted = rows.windows(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
        inverted.filter(|(above, below)| above > below).flat_map(|(above, below)| below..=above).collect()
    }

    fn labels(&self, range: std::ops::Range<usize>) -> Vec<&str> {
        let of = |item: &'r Item<'a>| match item {
            Item::Line(text) => vec![text.as_str()],
            Item::Row(row) => row.labels.iter().map(|piece| piece.label.as_str()).collect(),
            Item::Chapter(_) => Vec::new(),
        };
        self.items.get(range).unwrap_or_default().iter().flat_map(of).collect()
    }

    /// Returns the rows of the form that labels name.
    fn names(&self, range: std::ops::Range<usize>, index: &RequestIndex) -> Vec<usize> {
        index.named_in(&self.labels(range))
    }

    /// Returns the rows of the form that labels, or parts of labels, name.
    fn possible(&self, range: std::ops::Range<usize>, index: &RequestIndex) -> Vec<usize> {
        let labels = self.labels(range);
        [index.named_in(&labels), index.nearby(&labels)].concat()
    }
}

fn token(item: &Item<'_>, index: &RequestIndex) -> Option<Token> {
    match item {
        Item::Chapter(_) => None,
        Item::Line(_) => Some(Token::Labels),
        Item::Row(row) if index.is_header(row) => None,
        Item::Row(row) if is_unlabelled(row) => Some(Token::Numbers),
        Item::Row(row) if row.filled().next().is_none() => Some(Token::Labels),
        Item::Row(_) => Some(Token::Row),
    }
}

/// Returns true for numbers without a label.
pub(crate) fn is_unlabelled(row: &Row<'_>) -> bool {
    row.labels.is_empty() && row.filled().next().is_some()
}
