//! Insertions into a text.

use std::collections::{BTreeMap, BTreeSet};

use crate::{list, places::TextMark, sheet::RemarkSheet};

/// Texts to insert, each at a position in bytes. At one position the end of a mark comes first, then references, then
/// the beginning of a mark.
#[derive(Debug, Default)]
pub(crate) struct Insertions(Vec<(usize, InsertionKind, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InsertionKind {
    MarkEnd,
    Reference,
    Block,
    MarkBegin,
}

/// What is known of where a mark goes.
pub(crate) struct Landing {
    /// The pieces of the text to colour. They do not overlap, and each can hold an element.
    pub(crate) pieces: Vec<std::ops::Range<usize>>,
    /// Where the reference goes.
    pub(crate) reference: usize,
    /// False inside a link, which cannot hold another.
    pub(crate) can_link: bool,
}

impl Insertions {
    pub(crate) fn push(&mut self, at: usize, kind: InsertionKind, text: String) {
        self.0.push((at, kind, text));
    }

    /// Inserts the marks that have a place. Returns for each remark the number of its marks.
    pub(crate) fn marks(&mut self, marks: &[(TextMark, Landing)], sheet: &RemarkSheet) -> Vec<usize> {
        let mut counts = vec![0; sheet.remarks.len()];
        let edges: BTreeSet<usize> = marks
            .iter()
            .flat_map(|(_, landing)| &landing.pieces)
            .flat_map(|piece| [piece.start, piece.end])
            .collect();
        let mut coloured: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
        for (mark, landing) in marks {
            for piece in &landing.pieces {
                let inner = edges.range(piece.start..=piece.end).copied().collect::<Vec<_>>();
                for pair in inner.windows(2) {
                    coloured.entry((pair[0], pair[1])).or_default().insert(mark.remark);
                }
            }
            let Some(count) = counts.get_mut(mark.remark) else { continue };
            *count += 1;
            let reference = list::reference(mark.remark, *count, landing.can_link);
            self.push(landing.reference, InsertionKind::Reference, reference);
        }
        for ((start, end), remarks) in coloured {
            self.push(start, InsertionKind::MarkBegin, list::mark_begin(&remarks, sheet));
            self.push(end, InsertionKind::MarkEnd, "</mark>".to_owned());
        }
        counts
    }

    /// Returns the text with the insertions. `write` writes a piece of the text itself.
    pub(crate) fn weave(mut self, text: &str, write: impl Fn(&str, &mut String)) -> String {
        self.0.sort_by_key(|(at, kind, _)| (*at, *kind));
        let mut woven =
            String::with_capacity(text.len() + self.0.iter().map(|(.., new)| new.len()).sum::<usize>());
        let mut from = 0;
        for (at, _, new) in self.0 {
            write(text.get(from..at).unwrap_or_default(), &mut woven);
            woven.push_str(&new);
            from = at.max(from);
        }
        write(text.get(from..).unwrap_or_default(), &mut woven);
        woven
    }
}
