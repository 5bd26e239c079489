//! The expected state after arrivals and withdrawals, computed without any code of the product: the oracle of the tests
//! in which all stages work on one log.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_model::ReportKey;
use time::OffsetDateTime;

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A document of a report.
    Arrival {
        /// The report.
        report: ReportKey,
        /// Hash of the document's content.
        content: String,
        /// URL of publication; empty if unknown.
        url: String,
        /// When the arrival takes effect: at the sender's time, but no later than the arrival itself.
        effective_at: OffsetDateTime,
    },
    /// A withdrawal.
    Withdrawal(Withdrawn),
    /// An erasure of all earlier arrivals of a report.
    Erasure(ReportKey),
}

/// The content of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    /// The report that ingest resolved; events of earlier versions only have hints.
    pub report: Option<ReportKey>,
    /// The agency's code.
    pub code: String,
    /// The agency's name.
    pub name: String,
    /// The report's year, or 0.
    pub year: i32,
    /// The URL; empty if there is none.
    pub url: String,
    /// When the withdrawal takes effect, as for an arrival.
    pub effective_at: OffsetDateTime,
}

/// The current content of each report, and true if that content is withdrawn.
pub type Stands = BTreeMap<ReportKey, (String, bool)>;

impl Withdrawn {
    /// Returns the report that a withdrawal means: the resolved one, else that of a well-formed code.
    fn meant(&self) -> Option<ReportKey> {
        let by_code = || format!("agencies/{}/reports/{}", self.code, self.year).parse().ok();
        self.report.clone().or_else(|| by_code().filter(|_| self.year != 0))
    }
}

/// Returns the contents of a report among some entries.
#[must_use]
pub fn arrived(entries: &[Entry], report: &ReportKey) -> BTreeSet<String> {
    let of_report = |entry: &Entry| match entry {
        Entry::Arrival { report: of, content, .. } if of == report => Some(content.clone()),
        _ => None,
    };
    entries.iter().filter_map(of_report).collect()
}

/// Returns the contents of a report that are erased.
fn erased(entries: &[Entry], report: &ReportKey) -> BTreeSet<String> {
    let of_erasure = |(at, entry): (usize, &Entry)| match entry {
        Entry::Erasure(of) if of == report => arrived(&entries[..at], report),
        _ => BTreeSet::new(),
    };
    entries.iter().enumerate().flat_map(of_erasure).collect()
}

impl Entry {
    fn effective_at(&self) -> OffsetDateTime {
        match self {
            // An erasure has no rank.
            Self::Erasure(_) => OffsetDateTime::UNIX_EPOCH,
            Self::Arrival { effective_at, .. } => *effective_at,
            Self::Withdrawal(withdrawn) => withdrawn.effective_at,
        }
    }
}

/// Returns for each report the content that took effect last. It is withdrawn if each of its arrivals is followed by
/// a withdrawal of its address or of the report. Of entries that took effect at the same time, the later one counts.
/// Erased contents count as if they had never arrived.
#[must_use]
pub fn expected(entries: &[Entry]) -> Stands {
    let all = entries;
    let mut entries: Vec<&Entry> = entries.iter().collect();
    // The sort is stable: entries of one time stay in their order.
    entries.sort_by_key(|entry| entry.effective_at());
    let mut stands = Stands::new();
    for entry in &entries {
        let Entry::Arrival { report, content, .. } = entry else { continue };
        if erased(all, report).contains(content) {
            continue;
        }
        let is_withdrawn_after = |from: usize, url: &str| {
            entries[from..].iter().any(|later| match later {
                Entry::Withdrawal(w) => {
                    w.meant().as_ref() == Some(report) || (!url.is_empty() && w.url == url)
                }
                Entry::Arrival { .. } | Entry::Erasure(_) => false,
            })
        };
        let is_up = |(from, other): (usize, &&Entry)| match other {
            Entry::Arrival { report: of, content: again, url, .. } => {
                of == report && again == content && !is_withdrawn_after(from, url)
            }
            Entry::Withdrawal(_) | Entry::Erasure(_) => false,
        };
        let is_withdrawn = !entries.iter().enumerate().any(is_up);
        stands.insert(report.clone(), (content.clone(), is_withdrawn));
    }
    stands
}
