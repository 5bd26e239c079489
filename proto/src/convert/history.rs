//! Arrivals and withdrawals: from events, in the same way for every consumer, and to and from the records that
//! consumers keep.

use gongkai_model::{
    AgencyKey, Arrival, Erasure, History, Rank, Region, ReportKey, TakenDown, UrlIndex, Withdrawal,
    effective_at,
};
use time::OffsetDateTime;

use super::{
    Error,
    timestamp::{self, timestamp as wire},
};
use crate::v1;

/// Returns the arrival of a stage event. `event` ranks the event among those about the same arrival.
///
/// # Errors
/// The origin is invalid in every version: bury the event.
pub fn arrival(origin: &v1::Origin, event: u64) -> Result<Arrival, Error> {
    let v1::Origin {
        submission_id: _,
        kind: _,
        content_hash,
        received_sequence,
        received_at,
        published_at,
        url,
        site: _,
        region: of_region,
        content: _,
        effective_at,
        review: _,
        review_levels: _,
        event_time: _,
        declared_agency: _,
        declared_year: _,
        sender_site: _,
    } = origin;
    if *received_sequence == 0 {
        return Err(Error::Missing { field: "origin.received_sequence" });
    }
    if content_hash.is_empty() {
        return Err(Error::Missing { field: "origin.content_hash" });
    }
    let received_at = timestamp::required(*received_at, "origin.received_at")?;
    let effective = timestamp::optional(*effective_at, "origin.effective_at")?;
    Ok(Arrival {
        rank: Rank::new(effective.unwrap_or(received_at), *received_sequence),
        event,
        content_hash: content_hash.clone(),
        url: url.clone(),
        received_at,
        published_at: timestamp::optional(*published_at, "origin.published_at")?,
        region: region(of_region)?,
    })
}

/// Returns the withdrawal of an event. It takes effect at its sender's time, but no later than when the log stored
/// it.
///
/// The report is the one that ingest resolved. Events of earlier versions contain a hint instead: its code, or its
/// name and region, determine the key, and a malformed code names no report.
///
/// # Errors
/// The event names neither a URL nor a report, or has an invalid value: bury it.
pub fn withdrawal(
    event: &v1::ReportWithdrawn,
    sequence: u64,
    logged_at: OffsetDateTime,
) -> Result<Withdrawal, Error> {
    let report = match event.report.as_str() {
        "" => hinted(event)?,
        name => Some(name.parse().map_err(|_| Error::unknown("report", name))?),
    };
    if event.url.is_empty() && report.is_none() {
        return Err(Error::Missing { field: "url" });
    }
    let event_time = timestamp::optional(event.event_time, "event_time")?;
    Ok(Withdrawal {
        rank: Rank::new(effective_at(event_time, logged_at), sequence),
        url: event.url.clone(),
        report,
        withdrawn_at: timestamp::optional(event.withdrawn_at, "withdrawn_at")?.unwrap_or(logged_at),
    })
}

/// Returns the erasure of an event.
///
/// # Errors
/// The event names no report or no content, or has a name that no version writes: bury it.
pub fn erasure(event: &v1::ReportErased) -> Result<Erasure, Error> {
    let key = |name: &String| name.parse().map_err(|_| Error::unknown("reports", name));
    let reports: Vec<ReportKey> = event.reports.iter().map(key).collect::<Result<_, _>>()?;
    if reports.is_empty() || event.content_hashes.is_empty() {
        return Err(Error::Missing { field: "reports" });
    }
    Ok(Erasure {
        reports,
        content_hashes: event.content_hashes.clone(),
        reason: event.reason.clone(),
        person: event.person.clone(),
        erased_at: timestamp::required(event.erased_at, "erased_at")?,
    })
}

fn hinted(event: &v1::ReportWithdrawn) -> Result<Option<ReportKey>, Error> {
    let Some(hint) = event.agency.as_ref().filter(|_| event.year != 0) else { return Ok(None) };
    let agency = match (hint.code.as_str(), hint.name.as_str()) {
        ("", "") => None,
        ("", name) => Some(AgencyKey::provisional(name, region(&event.region)?)),
        (code, _) => AgencyKey::from_code(code).ok(),
    };
    Ok(agency.map(|agency| ReportKey { agency, year: event.year }))
}

fn region(text: &str) -> Result<Region, Error> {
    if text.is_empty() {
        Ok(Region::UNKNOWN)
    } else {
        text.parse().map_err(|_| Error::unknown("region", text))
    }
}

/// Returns the history of a report from its records, which [`arrival_record`] and [`withdrawal_record`] created. A
/// withdrawal of an earlier version, which recorded no effective time, takes effect with the last arrival before it.
#[must_use]
pub fn history(
    arrivals: &[v1::ArrivalRecord],
    withdrawals: &[v1::WithdrawalRecord],
    erased: &[String],
    departures: &[v1::DepartureRecord],
) -> History {
    let arrivals: Vec<Arrival> = arrivals.iter().map(recorded_arrival).collect();
    let last_before = |sequence: u64| {
        let before = arrivals.iter().filter(|arrival| arrival.rank.sequence() < sequence);
        before.map(|arrival| arrival.rank.effective_at()).max().unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let taken_down = |record: &v1::WithdrawalRecord| TakenDown {
        rank: Rank::new(
            time(record.effective_at).unwrap_or_else(|| last_before(record.sequence)),
            record.sequence,
        ),
        url: record.url.clone(),
    };
    let taken_down = withdrawals.iter().map(taken_down).collect();
    let departures = departures.iter().map(|record| (record.received_sequence, record.parsed_sequence));
    History {
        arrivals,
        taken_down,
        erased: erased.iter().cloned().collect(),
        departures: departures.collect(),
    }
}

fn recorded_arrival(record: &v1::ArrivalRecord) -> Arrival {
    let received_at = time(record.received_at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Arrival {
        rank: Rank::new(time(record.effective_at).unwrap_or(received_at), record.received_sequence),
        event: record.parsed_sequence,
        content_hash: record.content_hash.clone(),
        url: record.url.clone(),
        received_at,
        published_at: time(record.published_at),
        region: record.region.parse().unwrap_or_default(),
    }
}

fn time(timestamp: Option<prost_types::Timestamp>) -> Option<OffsetDateTime> {
    timestamp::optional(timestamp, "time").ok().flatten()
}

/// Converts an arrival to its record.
#[must_use]
pub fn arrival_record(arrival: &Arrival) -> v1::ArrivalRecord {
    v1::ArrivalRecord {
        received_sequence: arrival.rank.sequence(),
        parsed_sequence: arrival.event,
        content_hash: arrival.content_hash.clone(),
        url: arrival.url.clone(),
        received_at: Some(wire(arrival.received_at)),
        published_at: arrival.published_at.map(wire),
        region: arrival.region.to_string(),
        effective_at: Some(wire(arrival.rank.effective_at())),
    }
}

/// Converts a withdrawal to its record.
#[must_use]
pub fn withdrawal_record(withdrawal: &TakenDown) -> v1::WithdrawalRecord {
    v1::WithdrawalRecord {
        sequence: withdrawal.rank.sequence(),
        url: withdrawal.url.clone(),
        effective_at: Some(wire(withdrawal.rank.effective_at())),
    }
}

/// The records of the departures, by arrival.
#[must_use]
pub fn departure_records(history: &History) -> Vec<v1::DepartureRecord> {
    let record = |(received_sequence, parsed_sequence): (&u64, &u64)| v1::DepartureRecord {
        received_sequence: *received_sequence,
        parsed_sequence: *parsed_sequence,
    };
    history.departures.iter().map(record).collect()
}

impl From<&v1::HistoryRecord> for History {
    fn from(record: &v1::HistoryRecord) -> Self {
        history(&record.arrivals, &record.withdrawals, &record.erased, &record.departures)
    }
}

impl From<&History> for v1::HistoryRecord {
    fn from(history: &History) -> Self {
        Self {
            arrivals: history.arrivals.iter().map(arrival_record).collect(),
            withdrawals: history.taken_down.iter().map(withdrawal_record).collect(),
            erased: history.erased.iter().cloned().collect(),
            departures: departure_records(history),
        }
    }
}

impl From<&v1::UrlIndexRecord> for UrlIndex {
    fn from(record: &v1::UrlIndexRecord) -> Self {
        let withdrawn =
            time(record.withdrawal_effective_at).map(|at| Rank::new(at, record.withdrawal_sequence));
        Self { reports: record.reports.iter().filter_map(|name| name.parse().ok()).collect(), withdrawn }
    }
}

impl From<&UrlIndex> for v1::UrlIndexRecord {
    fn from(index: &UrlIndex) -> Self {
        Self {
            reports: index.reports.iter().map(ToString::to_string).collect(),
            withdrawal_sequence: index.withdrawn.map_or(0, |rank| rank.sequence()),
            withdrawal_effective_at: index.withdrawn.map(|rank| wire(rank.effective_at())),
        }
    }
}

/// Applies `change` to the history in a record. Returns the history, and true if `change` returned true.
pub fn change_history(
    record: &mut v1::HistoryRecord,
    change: impl FnOnce(&mut History) -> bool,
) -> (bool, History) {
    let mut history = History::from(&*record);
    let is_news = change(&mut history);
    if is_news {
        *record = (&history).into();
    }
    (is_news, history)
}

/// Changes the index of a URL in a record, like [`change_history`].
pub fn change_index(
    record: &mut v1::UrlIndexRecord,
    change: impl FnOnce(&mut UrlIndex) -> bool,
) -> (bool, UrlIndex) {
    let mut index = UrlIndex::from(&*record);
    let is_news = change(&mut index);
    if is_news {
        *record = (&index).into();
    }
    (is_news, index)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AT: OffsetDateTime = datetime!(2024-03-05 08:00:00.000003 UTC);

    fn origin() -> v1::Origin {
        v1::Origin {
            received_sequence: 41,
            content_hash: "ab12".into(),
            url: "https://a/".into(),
            received_at: Some(wire(AT)),
            region: "360982".into(),
            ..Default::default()
        }
    }

    #[test]
    fn an_arrival_takes_effect_when_its_origin_says_else_when_it_was_received() {
        let stated = datetime!(2024-02-01 08:00 UTC);
        assert_eq!(arrival(&origin(), 43).unwrap().rank, Rank::new(AT, 41));
        let origin = v1::Origin { effective_at: Some(wire(stated)), ..origin() };
        let arrival = arrival(&origin, 43).unwrap();
        assert_eq!((arrival.rank, arrival.event, arrival.received_at), (Rank::new(stated, 41), 43, AT));
    }

    #[test]
    fn an_origin_without_sequence_content_or_time_is_refused() {
        for (origin, field) in [
            (v1::Origin { received_sequence: 0, ..origin() }, "origin.received_sequence"),
            (v1::Origin { content_hash: String::new(), ..origin() }, "origin.content_hash"),
            (v1::Origin { received_at: None, ..origin() }, "origin.received_at"),
        ] {
            assert_eq!(arrival(&origin, 1), Err(Error::Missing { field }));
        }
    }

    #[test]
    fn withdrawals_name_an_address_a_report_or_both() {
        let hint = |code: &str, name: &str| Some(v1::AgencyHint { code: code.into(), name: name.into() });
        let event = v1::ReportWithdrawn { url: "https://a/".into(), year: 2023, ..Default::default() };
        let report = |event: &v1::ReportWithdrawn| {
            withdrawal(event, 7, AT).map(|w| w.report.map(|key| key.to_string()).unwrap_or_default())
        };
        assert_eq!(report(&event).unwrap(), "");
        let resolved = v1::ReportWithdrawn {
            report: "agencies/361001/reports/2022".into(),
            agency: hint("9", ""),
            ..event.clone()
        };
        assert_eq!(report(&resolved).unwrap(), "agencies/361001/reports/2022");
        let by_code = v1::ReportWithdrawn { agency: hint("361001", "某街道"), ..event.clone() };
        assert_eq!(report(&by_code).unwrap(), "agencies/361001/reports/2023");
        let by_name =
            v1::ReportWithdrawn { agency: hint("", "某街道"), region: "360982".into(), ..event.clone() };
        let expected = AgencyKey::provisional("某街道", "360982".parse().unwrap());
        assert_eq!(report(&by_name).unwrap(), format!("agencies/{expected}/reports/2023"));
        // A malformed code names no report, but the withdrawal of the URL still counts.
        let malformed = v1::ReportWithdrawn { agency: hint("36 10", "某街道"), ..event.clone() };
        assert_eq!(report(&malformed).unwrap(), "");
        let nothing = v1::ReportWithdrawn { url: String::new(), ..malformed };
        assert_eq!(report(&nothing), Err(Error::Missing { field: "url" }));
        let damaged = v1::ReportWithdrawn { report: "agencies/x".into(), ..event };
        assert_eq!(report(&damaged), Err(Error::unknown("report", "agencies/x")));
    }

    #[test]
    fn a_withdrawal_takes_effect_by_its_own_time_but_not_after_it_came_in() {
        let at = |seconds: i64| v1::ReportWithdrawn {
            url: "https://a/".into(),
            event_time: Some(wire(AT + time::Duration::seconds(seconds))),
            ..Default::default()
        };
        let effective = |event| withdrawal(&event, 7, AT).unwrap().rank.effective_at();
        assert_eq!(effective(at(-60)), AT - time::Duration::seconds(60));
        assert_eq!(effective(at(60)), AT);
        let damaged = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        let event = v1::ReportWithdrawn { event_time: damaged, ..at(0) };
        assert!(matches!(withdrawal(&event, 7, AT), Err(Error::Unknown { field: "event_time", .. })));
    }

    #[test]
    fn a_history_and_an_address_survive_their_records() {
        let taken_down = TakenDown { rank: Rank::new(AT, 50), url: "https://a/".into() };
        let arrivals = vec![arrival(&origin(), 43).unwrap()];
        let whole = History {
            arrivals,
            taken_down: vec![taken_down],
            erased: ["ab12".to_owned()].into(),
            departures: [(41, 60)].into(),
        };
        assert_eq!(History::from(&v1::HistoryRecord::from(&whole)), whole);
        let index = UrlIndex {
            reports: ["agencies/a/reports/2022", "agencies/b/reports/2023"]
                .map(|n| n.parse().unwrap())
                .into(),
            withdrawn: Some(Rank::new(AT, 50)),
        };
        assert_eq!(UrlIndex::from(&v1::UrlIndexRecord::from(&index)), index);
        assert_eq!(UrlIndex::from(&v1::UrlIndexRecord::default()), UrlIndex::default());
    }

    #[test]
    fn a_withdrawal_recorded_without_its_time_follows_the_arrivals_before_it() {
        let arrivals = [arrival_record(&arrival(&origin(), 43).unwrap())];
        let recorded = |sequence| v1::WithdrawalRecord { sequence, ..Default::default() };
        let rank = |sequence| history(&arrivals, &[recorded(sequence)], &[], &[]).taken_down[0].rank;
        let arrived = Rank::new(AT, 41);
        assert!(rank(42) > arrived && rank(40) < arrived);
    }
}
