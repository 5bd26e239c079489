//! The submissions in memory, newest first: what a list is filtered and ordered by, and nothing else.
//!
//! A submission takes about 100 bytes. Beyond the limit the oldest are left out.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    ops::Bound,
};

use gongkai_proto::v1::{Receipt, SubmissionState};

/// The digits of a submission's id.
pub(super) type Id = [u8; 16];

/// Where a submission stands in a list: by its arrival, the newest first, then by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Arrival in milliseconds since 1970; 0 if the receipt has none.
    pub(super) received_ms: Reverse<i64>,
    pub(super) id: Id,
}

/// Which submissions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// Empty for all.
    pub(super) states: Vec<SubmissionState>,
    /// Empty for all, also those that were not rejected.
    pub(super) codes: Vec<String>,
    /// `None` for all, also those of no site.
    pub(super) sites: Option<Vec<String>>,
    /// First and last arrival.
    pub(super) since_ms: Option<i64>,
    pub(super) until_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    state: SubmissionState,
    code: u16,
    site: u16,
}

/// The submissions that a replica knows.
#[derive(Debug)]
pub(super) struct Index {
    rows: BTreeMap<Place, Row>,
    arrivals: HashMap<Id, i64>,
    codes: Names,
    sites: Names,
    limit: usize,
}

/// Texts by number. Number 0 is the empty text, and stands for any that has no number left.
#[derive(Debug, Default)]
struct Names(HashMap<String, u16>);

// === impl Index ===

impl Index {
    /// Creates an index of at most `limit` submissions.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            rows: BTreeMap::new(),
            arrivals: HashMap::new(),
            codes: Names::default(),
            sites: Names::default(),
            limit,
        }
    }

    /// Adds a receipt, or replaces the earlier one of its submission.
    pub(super) fn put(&mut self, receipt: &Receipt) {
        let Some(id) = id_of(&receipt.submission_id) else { return };
        self.remove(&id);
        let code = receipt.rejection.as_ref().map_or("", |rejection| &rejection.code);
        let row = Row {
            state: receipt.state(),
            code: self.codes.number(code),
            site: self.sites.number(&receipt.site),
        };
        let received_ms =
            receipt.received_at.map_or(0, |at| at.seconds * 1000 + i64::from(at.nanos) / 1_000_000);
        self.rows.insert(Place { received_ms: Reverse(received_ms), id }, row);
        self.arrivals.insert(id, received_ms);
        if self.rows.len() > self.limit
            && let Some((oldest, _)) = self.rows.pop_last()
        {
            self.arrivals.remove(&oldest.id);
        }
    }

    /// Removes a submission, if it is there.
    pub(super) fn remove(&mut self, id: &Id) {
        if let Some(received_ms) = self.arrivals.remove(id) {
            self.rows.remove(&Place { received_ms: Reverse(received_ms), id: *id });
        }
    }

    /// Returns up to `size` selected submissions after a place, and whether more follow.
    pub(super) fn page(
        &self,
        selection: &Selection,
        after: Option<Place>,
        size: usize,
    ) -> (Vec<Place>, bool) {
        let newest = selection.until_ms.map(|until| Place { received_ms: Reverse(until), id: [0; 16] });
        let from = match (after, newest) {
            (Some(after), newest) if newest.is_none_or(|newest| after >= newest) => Bound::Excluded(after),
            (_, Some(newest)) => Bound::Included(newest),
            (_, None) => Bound::Unbounded,
        };
        let codes = self.codes.numbers(&selection.codes);
        let sites = selection.sites.as_ref().map(|sites| self.sites.numbers(sites));
        let wants = |row: &Row| {
            (selection.states.is_empty() || selection.states.contains(&row.state))
                && (selection.codes.is_empty() || codes.contains(&row.code))
                && sites.as_ref().is_none_or(|sites| sites.contains(&row.site))
        };
        let oldest = selection.since_ms.unwrap_or(i64::MIN);
        let mut selected = self
            .rows
            .range((from, Bound::Unbounded))
            .take_while(|(place, _)| place.received_ms.0 >= oldest)
            .filter(|(_, row)| wants(row))
            .map(|(place, _)| *place);
        let page: Vec<Place> = selected.by_ref().take(size).collect();
        (page, selected.next().is_some())
    }
}

// === impl Names ===

impl Names {
    fn number(&mut self, text: &str) -> u16 {
        if text.is_empty() {
            return 0;
        }
        let next = u16::try_from(self.0.len() + 1).unwrap_or(0);
        match self.0.get(text) {
            Some(number) => *number,
            None if next == 0 => 0,
            None => {
                self.0.insert(text.to_owned(), next);
                next
            }
        }
    }

    /// Returns the numbers of the texts that have one.
    fn numbers(&self, texts: &[String]) -> HashSet<u16> {
        texts.iter().filter_map(|text| self.0.get(text).copied()).collect()
    }
}

/// Returns the digits of a submission's id.
pub(super) fn id_of(text: &str) -> Option<Id> {
    let mut id = Id::default();
    hex::decode_to_slice(text.strip_prefix("s-")?, &mut id).ok()?;
    Some(id)
}

/// Returns the id of a submission with these digits.
pub(super) fn name_of(id: Id) -> String {
    format!("s-{}", hex::encode(id))
}

#[cfg(test)]
mod tests {
    use gongkai_proto::v1::Rejection;
    use prost_types::Timestamp;

    use super::*;

    fn receipt(number: u8, state: SubmissionState, code: &str, site: &str) -> Receipt {
        let rejection = (!code.is_empty()).then(|| Rejection { code: code.into(), ..Rejection::default() });
        Receipt {
            submission_id: name_of([number; 16]),
            state: state.into(),
            received_at: Some(Timestamp { seconds: i64::from(number), nanos: 0 }),
            rejection,
            site: site.into(),
            ..Receipt::default()
        }
    }

    /// Returns the first digit of each selected id, page by page.
    fn listed(index: &Index, selection: &Selection, size: usize) -> Vec<Vec<u8>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let (page, has_more) = index.page(selection, after, size);
            pages.push(page.iter().map(|place| place.id[0]).collect());
            after = page.last().copied();
            if !has_more {
                return pages;
            }
        }
    }

    fn index() -> Index {
        let mut index = Index::new(100);
        for number in [3, 1, 2, 5, 4] {
            index.put(&receipt(number, SubmissionState::Received, "", ""));
        }
        index.put(&receipt(2, SubmissionState::Rejected, "NEEDS_OCR", "yunxi"));
        index.put(&receipt(4, SubmissionState::Rejected, "EMPTY", "other"));
        index.put(&receipt(5, SubmissionState::Validated, "", "yunxi"));
        index
    }

    #[test]
    fn the_newest_come_first_and_pages_neither_repeat_nor_skip() {
        let index = index();
        assert_eq!(listed(&index, &Selection::default(), 2), [vec![5, 4], vec![3, 2], vec![1]]);
        assert_eq!(listed(&index, &Selection::default(), 5), [vec![5, 4, 3, 2, 1]]);
    }

    #[test]
    fn every_condition_that_is_given_must_hold() {
        let index = index();
        let all = |selection: Selection| listed(&index, &selection, 10).concat();
        let rejected = vec![SubmissionState::Rejected];
        assert_eq!(all(Selection { states: rejected.clone(), ..Selection::default() }), [4, 2]);
        let codes = vec!["NEEDS_OCR".to_owned(), "NO_IDENTITY".to_owned()];
        assert_eq!(all(Selection { codes: codes.clone(), ..Selection::default() }), [2]);
        let sites = Some(vec!["yunxi".to_owned()]);
        assert_eq!(all(Selection { sites: sites.clone(), ..Selection::default() }), [5, 2]);
        assert_eq!(all(Selection { states: rejected, sites, ..Selection::default() }), [2]);
        assert!(all(Selection { sites: Some(vec!["nobody".into()]), ..Selection::default() }).is_empty());
        let (since_ms, until_ms) = (Some(2000), Some(4000));
        assert_eq!(all(Selection { since_ms, until_ms, ..Selection::default() }), [4, 3, 2]);
    }

    #[test]
    fn a_page_continues_after_its_place_although_a_time_bounds_the_list() {
        let index = index();
        let selection = Selection { until_ms: Some(4000), ..Selection::default() };
        assert_eq!(listed(&index, &selection, 1), [vec![4], vec![3], vec![2], vec![1]]);
    }

    #[test]
    fn the_oldest_are_left_out_beyond_the_limit() {
        let mut index = Index::new(2);
        for number in [2, 1, 3, 4] {
            index.put(&receipt(number, SubmissionState::Received, "", ""));
        }
        assert_eq!(listed(&index, &Selection::default(), 10), [[4, 3]]);
        assert_eq!((index.rows.len(), index.arrivals.len()), (2, 2));
        index.remove(&[4; 16]);
        assert_eq!(listed(&index, &Selection::default(), 10), [[3]]);
    }
}
