//! Addresses: a withdrawal may name one, a history is kept by report.

use gongkai_model::{Rank, ReportKey, TakenDown, UrlIndex, Withdrawal};

/// Records that a report arrived with the address; false if that is known.
pub fn record_report(index: &mut UrlIndex, report: &ReportKey) -> bool {
    !index.reports.contains(report) && index.reports.insert(report.clone())
}

/// Records a withdrawal of the address; false if it, or one that ranks higher, is known.
pub fn record_url_withdrawal(index: &mut UrlIndex, rank: Rank) -> bool {
    let is_new = index.withdrawn < Some(rank);
    index.withdrawn = index.withdrawn.max(Some(rank));
    is_new
}

/// The reports that a withdrawal concerns and what each records: the report that it names wherever it stood, and what
/// else arrived with its address.
#[must_use]
pub fn concerned(withdrawal: &Withdrawal, index: &UrlIndex) -> Vec<(ReportKey, TakenDown)> {
    let taken_down = |url: &str| TakenDown { rank: withdrawal.rank, url: url.to_owned() };
    let named = withdrawal.report.iter().map(|key| (key.clone(), taken_down("")));
    let others = index.reports.iter().filter(|key| withdrawal.report.as_ref() != Some(key));
    let at_url = others.map(|key| (key.clone(), taken_down(&withdrawal.url)));
    named.chain(at_url.filter(|_| !withdrawal.url.is_empty())).collect()
}
