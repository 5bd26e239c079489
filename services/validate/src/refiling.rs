//! Arrivals that were read again, because the list of agencies names their agency otherwise: the report under which each is
//! filed now, and the reports that it left.
//!
//! Readings of one arrival may be handled in any order. The one whose event is last in the log counts, so each is recorded with
//! its sequence, in a record of the arrival.

use gongkai_model::ReportKey;
use gongkai_proto::v1::{ReadingRecord, ReadingsRecord};

/// Key of the record of an arrival's readings.
pub(crate) fn readings_key(arrival: u64) -> String {
    format!("readings/{arrival}")
}

/// Records that an arrival was read as a report by the event of this sequence. Returns true if that was news.
pub(crate) fn record_reading(record: &mut ReadingsRecord, report: &ReportKey, parsed_sequence: u64) -> bool {
    let report = report.to_string();
    let at = record.readings.partition_point(|known| known.report < report);
    match record.readings.get_mut(at).filter(|known| known.report == report) {
        Some(known) => {
            let is_news = known.parsed_sequence < parsed_sequence;
            known.parsed_sequence = known.parsed_sequence.max(parsed_sequence);
            is_news
        }
        None => {
            record.readings.insert(at, ReadingRecord { report, parsed_sequence });
            true
        }
    }
}

/// Returns the reports that an arrival left, if the event of this sequence is its last reading; `None` if there was a later one.
pub(crate) fn left_by(record: &ReadingsRecord, parsed_sequence: u64) -> Option<Vec<ReportKey>> {
    let is_last = record.readings.iter().all(|reading| reading.parsed_sequence <= parsed_sequence);
    let left = record.readings.iter().filter(|reading| reading.parsed_sequence < parsed_sequence);
    is_last.then(|| left.filter_map(|reading| reading.report.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_readings_the_last_in_the_log_counts_in_any_order() {
        let [a, b, c]: [ReportKey; 3] =
            ["a", "b", "c"].map(|agency| format!("agencies/{agency}/reports/2023").parse().unwrap());
        let mut record = ReadingsRecord::default();
        let mut read = |report: &ReportKey, sequence| {
            record_reading(&mut record, &a, 0);
            record_reading(&mut record, report, sequence);
            left_by(&record, sequence)
        };
        assert_eq!(read(&b, 20), Some(vec![a.clone()]));
        assert_eq!(read(&a, 40), Some(vec![b.clone()]), "back again");
        assert_eq!(read(&c, 30), None, "late");
        assert_eq!(read(&a, 40), Some(vec![b, c]), "repeated");
    }
}
