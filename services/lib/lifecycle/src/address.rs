//! The index from URLs to reports. A withdrawal may name a URL, but histories are kept by report.

use gongkai_model::{Rank, ReportKey, TakenDown, UrlIndex, Withdrawal};

/// Records that a report arrived at the URL of the index. Returns false if that was known.
pub fn record_report(index: &mut UrlIndex, report: &ReportKey) -> bool {
    !index.reports.contains(report) && index.reports.insert(report.clone())
}

/// Records a withdrawal of the URL. Returns false if a withdrawal of the same or higher rank was known.
pub fn record_url_withdrawal(index: &mut UrlIndex, rank: Rank) -> bool {
    let is_new = index.withdrawn < Some(rank);
    index.withdrawn = index.withdrawn.max(Some(rank));
    is_new
}

/// Returns the reports that a withdrawal applies to, each with the argument for
/// [`crate::record_withdrawal`].
///
/// These are the report that the withdrawal names, which is taken down at every URL, and the other reports that arrived
/// at its URL. `index` is the index of that URL.
#[must_use]
pub fn concerned(withdrawal: &Withdrawal, index: &UrlIndex) -> Vec<(ReportKey, TakenDown)> {
    let taken_down = |url: &str| TakenDown { rank: withdrawal.rank, url: url.to_owned() };
    let named = withdrawal.report.iter().map(|key| (key.clone(), taken_down("")));
    let others = index.reports.iter().filter(|key| withdrawal.report.as_ref() != Some(key));
    let at_url = others.map(|key| (key.clone(), taken_down(&withdrawal.url)));
    named.chain(at_url.filter(|_| !withdrawal.url.is_empty())).collect()
}
