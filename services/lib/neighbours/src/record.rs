//! The record of one agency's reports. [`gongkai_lifecycle`] decides which revision is current; this module stores its
//! facts.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_lifecycle::{Arrival, History, Revision, TakenDown, arrivals, current, is_taken_down, revisions};
use gongkai_model::{AgencyKey, Region};
use gongkai_proto::{
    convert::{history, timestamp},
    v1::{AgencyRecord, ContentRecord, YearRecord},
};
use gongkai_rules::{AgencyYear, Neighbours, Publications, PublishedContent};
use time::OffsetDateTime;

use crate::cells;

/// Number of the highest revisions of a report whose contents are kept whole. Of those below, only outlines are kept, so that
/// a report may have thousands of revisions.
const WHOLE: usize = 8;

/// The revision that represents a report.
#[derive(Debug, Clone)]
pub struct CurrentRevision<'a> {
    /// The content of the revision that ranks highest.
    pub content: &'a ContentRecord,
    /// The newest arrival of the revision: the report is published with this origin.
    pub arrival: Arrival,
    /// True if every arrival of that content was withdrawn.
    pub is_withdrawn: bool,
}

/// Returns the key of an agency's record.
#[must_use]
pub fn agency_key(agency: &AgencyKey) -> String {
    format!("agencies/{agency}")
}

/// Returns the record of a year, inserted if there is none.
pub fn year_mut(record: &mut AgencyRecord, year: i32) -> &mut YearRecord {
    let at = record.reports.partition_point(|report| report.year < year);
    if record.reports.get(at).is_none_or(|report| report.year != year) {
        record.reports.insert(at, YearRecord { year, ..Default::default() });
    }
    &mut record.reports[at]
}

/// Returns the record of a year.
#[must_use]
pub fn year(record: &AgencyRecord, year: i32) -> Option<&YearRecord> {
    record.reports.iter().find(|report| report.year == year)
}

/// Records an arrival and its content. Returns true if the history changed.
pub fn record_arrival(report: &mut YearRecord, arrival: &Arrival, content: &ContentRecord) -> bool {
    if !is_erased(report, &content.content_hash) {
        record_content(report, content);
    }
    let is_news = change(report, |history| gongkai_lifecycle::record_arrival(history, arrival));
    outline_low_revisions(report);
    is_news
}

/// Reduces the contents below the highest revisions to their outlines. Nothing is compared with their cells, and the handlers of
/// higher revisions took them out of the bands of their prose.
fn outline_low_revisions(report: &mut YearRecord) {
    if report.contents.len() <= WHOLE {
        return;
    }
    let whole = highest(report);
    for content in report.contents.iter_mut().filter(|content| !whole.contains(&content.content_hash)) {
        *content = ContentRecord {
            content_hash: std::mem::take(&mut content.content_hash),
            parsed_sequence: content.parsed_sequence,
            main_hash: std::mem::take(&mut content.main_hash),
            ..ContentRecord::default()
        };
    }
}

/// Returns the hashes of the highest revisions, whose contents are kept whole.
fn highest(report: &YearRecord) -> BTreeSet<String> {
    let history = history_of(report);
    let revisions = revisions(&history);
    revisions.iter().rev().take(WHOLE).map(|revision| revision.content_hash().to_owned()).collect()
}

/// Returns the sequences of the `ReportParsed` of contents of which only the outline is kept, and which are among the highest
/// revisions, because higher ones were erased or left.
#[must_use]
pub fn outlined(report: &YearRecord) -> Vec<u64> {
    let is_outline =
        |content: &&ContentRecord| content.form.is_empty() && !is_erased(report, &content.content_hash);
    let outlines: Vec<&ContentRecord> = report.contents.iter().filter(is_outline).collect();
    if outlines.is_empty() {
        return Vec::new();
    }
    let whole = highest(report);
    let lacking = outlines.iter().filter(|content| whole.contains(&content.content_hash));
    lacking.map(|content| content.parsed_sequence).collect()
}

/// Replaces an outline by the content.
pub fn restore(report: &mut YearRecord, content: ContentRecord) {
    let outline = report.contents.iter_mut().find(|known| known.content_hash == content.content_hash);
    if let Some(outline) = outline {
        *outline = content;
    }
}

/// Records the group of siblings that the report belongs to now. Returns true if it is another one.
pub fn record_scope(report: &mut YearRecord, scope: &str) -> bool {
    if report.sibling_scopes.last().is_some_and(|present| present == scope) {
        return false;
    }
    report.sibling_scopes.retain(|known| known != scope);
    report.sibling_scopes.push(scope.to_owned());
    report.epoch += 1;
    true
}

fn record_content(report: &mut YearRecord, content: &ContentRecord) {
    let at = report.contents.partition_point(|known| known.content_hash < content.content_hash);
    match report.contents.get_mut(at) {
        Some(known) if known.content_hash == content.content_hash => {
            if known.parsed_sequence < content.parsed_sequence {
                known.clone_from(content);
            }
        }
        _ => report.contents.insert(at, content.clone()),
    }
}

/// Records a withdrawal. Returns true if the history changed.
pub fn record_withdrawal(report: &mut YearRecord, withdrawal: &TakenDown) -> bool {
    change(report, |history| gongkai_lifecycle::record_withdrawal(history, withdrawal))
}

/// Records that contents were erased. Only their bands are kept. Returns true if anything changed.
pub fn record_erasure(report: &mut YearRecord, content_hashes: &[String]) -> bool {
    for content in report.contents.iter_mut().filter(|content| content_hashes.contains(&content.content_hash))
    {
        *content = ContentRecord {
            content_hash: std::mem::take(&mut content.content_hash),
            parsed_sequence: content.parsed_sequence,
            prose_chars: content.prose_chars,
            prose_bands: std::mem::take(&mut content.prose_bands),
            ..ContentRecord::default()
        };
    }
    let is_news = change(report, |history| gongkai_lifecycle::record_erasure(history, content_hashes));
    if let Some(last) = report.last_verdict.as_mut().filter(|_| is_news) {
        // The last published findings may be those of an erased content: the current ones must be published again.
        last.findings_digest.clear();
    }
    is_news
}

/// Returns true if a content was erased.
#[must_use]
pub fn is_erased(report: &YearRecord, content_hash: &str) -> bool {
    report.erased.iter().any(|erased| erased == content_hash)
}

/// Records that an arrival was read again as another report. Returns true if that was news.
pub fn record_departure(report: &mut YearRecord, arrival: u64, event: u64) -> bool {
    let is_news = change(report, |history| gongkai_lifecycle::record_departure(history, arrival, event));
    if let Some(last) = report.last_verdict.as_mut().filter(|_| is_news) {
        // The last findings may be about what left: those about what stands now are published again.
        last.findings_digest.clear();
    }
    is_news
}

/// Changes the history of a report, and raises its epoch if that changed anything.
fn change(report: &mut YearRecord, change: impl FnOnce(&mut History) -> bool) -> bool {
    let mut history = history_of(report);
    let is_news = change(&mut history);
    if is_news {
        report.arrivals = history.arrivals.iter().map(history::arrival_record).collect();
        report.withdrawals = history.taken_down.iter().map(history::withdrawal_record).collect();
        report.departures = history::departure_records(&history);
        report.erased = history.erased.into_iter().collect();
        report.epoch += 1;
    }
    is_news
}

fn history_of(report: &YearRecord) -> History {
    history::history(&report.arrivals, &report.withdrawals, &report.erased, &report.departures)
}

fn content<'a>(report: &'a YearRecord, content_hash: &str) -> Option<&'a ContentRecord> {
    report.contents.iter().find(|content| content.content_hash == content_hash)
}

/// Returns the current revision, or `None` if nothing arrived yet.
#[must_use]
pub fn current_revision(report: &YearRecord) -> Option<CurrentRevision<'_>> {
    let history = history_of(report);
    let current = current(&history)?;
    let content = content(report, current.content_hash())?;
    Some(CurrentRevision { content, arrival: current.newest().clone(), is_withdrawn: current.is_withdrawn })
}

/// Returns the region that a report's events contain: that of the current revision, else of the last arrival.
#[must_use]
pub fn region(report: &YearRecord) -> Region {
    let current = current_revision(report).map(|current| current.arrival.region);
    let last = || report.arrivals.last().and_then(|arrival| arrival.region.parse().ok());
    current.or_else(last).unwrap_or_default()
}

/// Returns a year's report as its neighbours see it; `None` if there is none or it was withdrawn.
#[must_use]
pub fn visible(record: &AgencyRecord, of: i32) -> Option<AgencyYear> {
    let current = current_revision(year(record, of)?).filter(|current| !current.is_withdrawn)?;
    cells::agency_year(current.content, of)
}

/// Number of earlier years that a report is compared with. A change of a report affects this many later years.
pub const YEARS_BACK: i32 = 5;

/// Returns the neighbours that are in the agency's own record.
#[must_use]
pub fn neighbours(record: &AgencyRecord, of: i32, own: AgencyYear) -> Neighbours {
    let previous = of.checked_sub(1).and_then(|year| visible(record, year));
    let mut before = (2..=YEARS_BACK).filter_map(|back| of.checked_sub(back));
    let earlier = before.find(|year| visible(record, *year).is_some());
    let publications = year(record, of).map(publications).unwrap_or_default();
    Neighbours { previous, earlier, publications, ..Neighbours::new(own) }
}

/// Returns the addresses at which a report was published, with its contents.
fn publications(report: &YearRecord) -> Publications {
    let history = history_of(report);
    let mut revisions = revisions(&history);
    let Some(current) = revisions.pop() else { return Publications::default() };
    let is_live = |arrival: &&&Arrival| current.is_withdrawn || !is_taken_down(&history, arrival);
    let mut urls: Vec<String> = current.arrivals().iter().filter(is_live).map(|a| a.url.clone()).collect();
    urls.retain(|url| !url.is_empty());
    urls.sort();
    urls.dedup();
    let elsewhere = elsewhere(report, &history, &current);
    let day = |at: OffsetDateTime| timestamp::day_in_china(Some(timestamp::timestamp(at)));
    Publications {
        before: revisions.last().and_then(|before| replaced(report, before, &current)),
        is_withdrawn: current.is_withdrawn && elsewhere.is_empty(),
        first_claimed: arrivals(&history).filter_map(|arrival| day(arrival.published_at?)).min(),
        first_seen: arrivals(&history).filter_map(|arrival| day(arrival.received_at)).min(),
        elsewhere,
        urls,
    }
}

/// Returns the revision before the current one, if it was published at the same address or the address of either is
/// unknown.
fn replaced(report: &YearRecord, before: &Revision<'_>, current: &Revision<'_>) -> Option<PublishedContent> {
    let is_same =
        |arrival: &Arrival| current.arrivals().iter().any(|a| a.url == arrival.url || a.url.is_empty());
    let arrival = before.arrivals().iter().find(|arrival| arrival.url.is_empty() || is_same(arrival))?;
    published(report, arrival)
}

/// Returns the newest content at each address at which the current revision was not published.
fn elsewhere(report: &YearRecord, history: &History, current: &Revision<'_>) -> Vec<PublishedContent> {
    let mut newest: BTreeMap<&str, &Arrival> = BTreeMap::new();
    for arrival in arrivals(history).filter(|arrival| !arrival.url.is_empty()) {
        let known = newest.entry(&arrival.url).or_insert(arrival);
        if known.rank < arrival.rank {
            *known = arrival;
        }
    }
    let is_here = |url: &str| current.arrivals().iter().any(|arrival| arrival.url == url);
    let others =
        newest.into_iter().filter(|(url, arrival)| !is_here(url) && !is_taken_down(history, arrival));
    others.filter_map(|(_, arrival)| published(report, arrival)).collect()
}

fn published(report: &YearRecord, arrival: &Arrival) -> Option<PublishedContent> {
    let content = content(report, &arrival.content_hash)?;
    Some(PublishedContent {
        url: arrival.url.clone(),
        main_hash: content.main_hash.clone(),
        cells: cells::cells(&content.rows),
    })
}

#[cfg(test)]
mod tests {
    use gongkai_model::Rank;

    use super::*;

    fn arrive(report: &mut YearRecord, number: u64) {
        let at = OffsetDateTime::from_unix_timestamp(i64::try_from(number).unwrap()).unwrap();
        let arrival = Arrival {
            rank: Rank::new(at, number),
            event: number,
            content_hash: format!("hash-{number:02}"),
            url: String::new(),
            received_at: at,
            published_at: None,
            region: Region::UNKNOWN,
        };
        record_arrival(report, &arrival, &content_of(number));
    }

    fn content_of(number: u64) -> ContentRecord {
        ContentRecord {
            content_hash: format!("hash-{number:02}"),
            parsed_sequence: number,
            form: "2021".to_owned(),
            main_hash: "main".to_owned(),
            prose_hashes: vec![7; 512],
            prose_bands: vec![1, 2, 3],
            ..ContentRecord::default()
        }
    }

    fn whole(report: &YearRecord) -> Vec<u64> {
        report.contents.iter().filter(|content| !content.form.is_empty()).map(|c| c.parsed_sequence).collect()
    }

    #[test]
    fn only_the_highest_revisions_are_kept_whole_in_every_order() {
        let mut orders = [(1..=20).collect::<Vec<u64>>(), (1..=20).rev().collect()];
        orders[1].swap(3, 15);
        for order in orders {
            let mut report = YearRecord::default();
            order.iter().for_each(|number| arrive(&mut report, *number));
            assert_eq!((report.contents.len(), whole(&report)), (20, (13..=20).collect()));
            let low = &report.contents[0];
            assert_eq!(
                (low.main_hash.as_str(), low.prose_bands.len(), low.prose_hashes.len()),
                ("main", 0, 0)
            );
            assert!(outlined(&report).is_empty());
            // The three highest are erased: three lower ones are needed again.
            let erased = ["hash-18", "hash-19", "hash-20"].map(str::to_owned);
            record_erasure(&mut report, &erased);
            assert_eq!(outlined(&report), [10, 11, 12]);
            (10..=12).for_each(|number| restore(&mut report, content_of(number)));
            assert_eq!((outlined(&report), whole(&report)), (vec![], (10..=17).collect()));
        }
    }

    #[test]
    fn a_report_remembers_the_groups_of_siblings_that_it_left() {
        let mut report = YearRecord::default();
        let news: Vec<bool> =
            ["a", "a", "b", "a"].iter().map(|scope| record_scope(&mut report, scope)).collect();
        assert_eq!((news, report.epoch), (vec![true, false, true, true], 3));
        assert_eq!(report.sibling_scopes, ["b", "a"]);
    }
}
