//! What is kept of one agency's reports, as pure functions: taking in what arrives, and saying what stands.
//!
//! Nothing here depends on the order in which things came: sequences rank, sets are kept sorted, of two the higher counts.

use gongkai_proto::{
    convert::timestamp,
    v1::{AgencyRecord, ArrivalRecord, ContentRecord, WithdrawalRecord, YearRecord},
};
use gongkai_rules::{AgencyYear, Neighbours, Publications, Published};

use crate::cells;

/// What stands of a report.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The newest content: that whose first arrival ranks highest.
    pub content: &'a ContentRecord,
    /// Its newest arrival: what is said of the report is said under its name.
    pub arrival: &'a ArrivalRecord,
    /// True if all arrivals of that content were taken down.
    pub is_withdrawn: bool,
}

/// The record of a year, made if there is none.
pub fn year_mut(record: &mut AgencyRecord, year: i32) -> &mut YearRecord {
    let at = record.reports.partition_point(|report| report.year < year);
    if record.reports.get(at).is_none_or(|report| report.year != year) {
        record.reports.insert(at, YearRecord { year, ..Default::default() });
    }
    &mut record.reports[at]
}

/// The record of a year.
#[must_use]
pub fn year(record: &AgencyRecord, year: i32) -> Option<&YearRecord> {
    record.reports.iter().find(|report| report.year == year)
}

/// Takes in an arrival and its content; true if that is news.
pub fn take_arrival(report: &mut YearRecord, arrival: &ArrivalRecord, content: &ContentRecord) -> bool {
    let at = report.arrivals.partition_point(|known| known.received_sequence < arrival.received_sequence);
    let is_news = match report.arrivals.get_mut(at) {
        Some(known) if known.received_sequence == arrival.received_sequence => {
            let is_newer = known.parsed_sequence < arrival.parsed_sequence;
            if is_newer {
                known.clone_from(arrival);
            }
            is_newer
        }
        _ => {
            report.arrivals.insert(at, arrival.clone());
            true
        }
    };
    let at = report.contents.partition_point(|known| known.content_hash < content.content_hash);
    match report.contents.get_mut(at) {
        Some(known) if known.content_hash == content.content_hash => {
            if known.parsed_sequence < content.parsed_sequence {
                known.clone_from(content);
            }
        }
        _ => report.contents.insert(at, content.clone()),
    }
    report.epoch += u64::from(is_news);
    is_news
}

/// Takes in a withdrawal; true if that is news. An empty URL takes down the report wherever it stood.
pub fn take_withdrawal(report: &mut YearRecord, url: &str, sequence: u64) -> bool {
    let at = report.withdrawals.partition_point(|known| known.url.as_str() < url);
    match report.withdrawals.get_mut(at) {
        Some(known) if known.url == url && known.sequence >= sequence => return false,
        Some(known) if known.url == url => known.sequence = sequence,
        _ => report.withdrawals.insert(at, WithdrawalRecord { sequence, url: url.to_owned() }),
    }
    report.epoch += 1;
    true
}

/// Contents with the rank of each, oldest first.
fn revisions(report: &YearRecord) -> Vec<(u64, &ContentRecord)> {
    let first = |content: &ContentRecord| {
        let own = report.arrivals.iter().filter(|arrival| arrival.content_hash == content.content_hash);
        own.map(|arrival| arrival.received_sequence).min()
    };
    let mut ranked: Vec<(u64, &ContentRecord)> =
        report.contents.iter().filter_map(|content| Some((first(content)?, content))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked
}

fn arrivals<'a>(report: &'a YearRecord, content: &ContentRecord) -> impl Iterator<Item = &'a ArrivalRecord> {
    let hash = content.content_hash.clone();
    report.arrivals.iter().filter(move |arrival| arrival.content_hash == hash)
}

fn is_down(report: &YearRecord, arrival: &ArrivalRecord) -> bool {
    report.withdrawals.iter().any(|withdrawal| {
        let names = withdrawal.url.is_empty() || withdrawal.url == arrival.url;
        names && withdrawal.sequence > arrival.received_sequence
    })
}

/// What stands; `None` if nothing came in yet.
#[must_use]
pub fn standing(report: &YearRecord) -> Option<Standing<'_>> {
    let (_, content) = revisions(report).pop()?;
    let arrival = arrivals(report, content).max_by_key(|arrival| arrival.received_sequence)?;
    let is_withdrawn = arrivals(report, content).all(|arrival| is_down(report, arrival));
    Some(Standing { content, arrival, is_withdrawn })
}

/// The year's report as its neighbours see it; `None` if there is none or it was withdrawn.
#[must_use]
pub fn visible(record: &AgencyRecord, of: i32) -> Option<AgencyYear> {
    let standing = standing(year(record, of)?).filter(|standing| !standing.is_withdrawn)?;
    cells::agency_year(standing.content, of)
}

/// How many years back a report looks at the agency's own; a change is felt as many years on.
pub const YEARS_BACK: i32 = 5;

/// The neighbours that the agency's own record knows.
#[must_use]
pub fn neighbours(record: &AgencyRecord, of: i32, own: AgencyYear) -> Neighbours {
    let previous = of.checked_sub(1).and_then(|year| visible(record, year));
    let mut before = (2..=YEARS_BACK).filter_map(|back| of.checked_sub(back));
    let earlier = before.find(|year| visible(record, *year).is_some());
    let publications = year(record, of).map(publications).unwrap_or_default();
    Neighbours { previous, earlier, publications, ..Neighbours::new(own) }
}

/// Where and in which contents a report was published.
fn publications(report: &YearRecord) -> Publications {
    let Some(standing) = standing(report) else { return Publications::default() };
    let current = standing.content;
    let mut urls: Vec<String> = arrivals(report, current)
        .filter(|arrival| standing.is_withdrawn || !is_down(report, arrival))
        .map(|arrival| arrival.url.clone())
        .filter(|url| !url.is_empty())
        .collect();
    urls.sort();
    urls.dedup();
    let elsewhere = elsewhere(report, current);
    let days = |at: fn(&ArrivalRecord) -> Option<prost_types::Timestamp>| {
        report.arrivals.iter().filter_map(move |arrival| timestamp::day_in_china(at(arrival))).min()
    };
    Publications {
        before: before(report, current),
        is_withdrawn: standing.is_withdrawn && elsewhere.is_empty(),
        first_claimed: days(|arrival| arrival.published_at),
        first_seen: days(|arrival| arrival.received_at),
        elsewhere,
        urls,
    }
}

/// The revision before the newest, if it stood at the same address or nobody knows where.
fn before(report: &YearRecord, current: &ContentRecord) -> Option<Published> {
    let mut revisions = revisions(report);
    revisions.pop();
    let (_, before) = revisions.pop()?;
    let is_same = |arrival: &ArrivalRecord| {
        arrivals(report, current).any(|newer| newer.url == arrival.url || newer.url.is_empty())
    };
    let arrival = arrivals(report, before).find(|arrival| arrival.url.is_empty() || is_same(arrival))?;
    Some(published(arrival, before))
}

/// The newest content at each address where the newest of all does not stand.
fn elsewhere(report: &YearRecord, current: &ContentRecord) -> Vec<Published> {
    let mut newest: std::collections::BTreeMap<&str, &ArrivalRecord> = std::collections::BTreeMap::new();
    for arrival in report.arrivals.iter().filter(|arrival| !arrival.url.is_empty()) {
        newest.insert(&arrival.url, arrival);
    }
    let is_here = |url: &str| arrivals(report, current).any(|arrival| arrival.url == url);
    let others = newest.into_iter().filter(|(url, arrival)| !is_here(url) && !is_down(report, arrival));
    let content =
        |arrival: &ArrivalRecord| report.contents.iter().find(|c| c.content_hash == arrival.content_hash);
    others.filter_map(|(_, arrival)| Some(published(arrival, content(arrival)?))).collect()
}

fn published(arrival: &ArrivalRecord, content: &ContentRecord) -> Published {
    Published {
        url: arrival.url.clone(),
        main_hash: content.main_hash.clone(),
        cells: cells::cells(&content.rows),
    }
}
