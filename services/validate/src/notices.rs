//! Writes a changed report into the records that it shares with its relatives, and returns the reports to validate
//! again.

use gongkai_model::{AgencyKey, AgencyProfile, Applicant, Concept, FactId};
use gongkai_neighbours::{
    SharedRecords, cells, record,
    shared_entry::{compared_with, put},
    shared_records::{MIN_PROSE_CHARS, band_key, rollup_key},
};
use gongkai_proto::v1::{AgencyRecord, BandMember, BandRecord, ContentRecord, RollupLine, RollupRecord};
use gongkai_rules::{Cells, figures};
use gongkai_worker::Decision;

use crate::revalidation::Revalidation;

/// Notifies the relatives of an agency that its report of a year changed, and returns the reports to validate again:
/// the parent, the siblings that are compared with the report, and the report itself.
///
/// Call it after the agency's own record is saved, and validate after it returns: if two agencies change at the same
/// time, the one whose notice is saved last then sees the other.
///
/// # Errors
/// A record could not be read, or too many races were lost: retry. A value is not such a record, or is too large:
/// bury.
pub(crate) async fn notify_relatives(
    shared: &SharedRecords,
    agency: &AgencyKey,
    record: &AgencyRecord,
    year: i32,
) -> Result<Vec<Revalidation>, Decision> {
    let profile = shared.profile(agency);
    let mut due = Vec::new();
    due.extend(notify_parent(shared, agency, record, year, profile.as_ref()).await?);
    due.extend(notify_siblings(shared, agency, record, year).await?);
    // A relative that arrived at the same time may have been missing when this report was validated.
    let has_children = !shared.registry.borrow().children(agency).is_empty();
    let is_compared = |content: &ContentRecord| content.prose_chars >= MIN_PROSE_CHARS;
    let has_prose = record::year(record, year).is_some_and(|report| report.contents.iter().any(is_compared));
    if has_children || has_prose {
        due.push(Revalidation { republishes: false, ..Revalidation::new(agency.clone(), vec![year]) });
    }
    Ok(due)
}

/// Writes the report's figures into the parent's records of its year and of the next, which is compared with it.
async fn notify_parent(
    shared: &SharedRecords,
    agency: &AgencyKey,
    record: &AgencyRecord,
    year: i32,
    profile: Option<&AgencyProfile>,
) -> Result<Option<Revalidation>, Decision> {
    let Some(parent) = profile.and_then(|profile| profile.parent.clone()) else { return Ok(None) };
    let mut years = Vec::new();
    for year in [Some(year), year.checked_add(1)].into_iter().flatten() {
        let Some(line) = rollup_line(agency, record, year) else { continue };
        let change = |rollup: &mut RollupRecord| (put(&mut rollup.lines, &line), ());
        shared.records.change(&rollup_key(&parent, year), change).await?;
        years.push(year);
    }
    Ok(Some(Revalidation::new(parent, years)))
}

/// Writes the report into the records of the bands of its prose, in its present group of siblings and in former ones.
async fn notify_siblings(
    shared: &SharedRecords,
    agency: &AgencyKey,
    record: &AgencyRecord,
    year: i32,
) -> Result<Vec<Revalidation>, Decision> {
    let Some(report) = record::year(record, year) else { return Ok(Vec::new()) };
    // `None` if all arrivals were erased: then no band contains the report any more.
    let current = record::current_revision(report).filter(|current| !current.is_withdrawn);
    let mut siblings: Vec<AgencyKey> = Vec::new();
    for scope in &report.sibling_scopes {
        let standing = current.as_ref().filter(|_| report.sibling_scopes.last() == Some(scope));
        for content in report.contents.iter().filter(|content| content.prose_chars >= MIN_PROSE_CHARS) {
            for band in &content.prose_bands {
                let stands = standing.is_some_and(|current| current.content.prose_bands.contains(band));
                let member = BandMember { agency: agency.to_string(), epoch: report.epoch, stands };
                let change = |band: &mut BandRecord| (put(&mut band.members, &member), ());
                let (band, ()): (BandRecord, ()) =
                    shared.records.change(&band_key(year, scope, *band), change).await?;
                siblings.extend(compared_with(&band, agency));
            }
        }
    }
    siblings.sort();
    siblings.dedup();
    Ok(siblings.into_iter().map(|sibling| Revalidation::new(sibling, vec![year])).collect())
}

/// Returns an agency's line in its parent's record, or `None` if no report of the year was ever received.
fn rollup_line(agency: &AgencyKey, record: &AgencyRecord, year: i32) -> Option<RollupLine> {
    let report = record::year(record, year)?;
    let before = year.checked_sub(1).and_then(|before| record::year(record, before));
    let seen = record::visible(record, year);
    let cells = seen
        .as_ref()
        .map(|seen| Cells::new(figures().into_iter().map(|id| (id.clone(), seen.cells.state(&id)))));
    let carried_out =
        FactId { concept: Concept::new("requests.carried_out"), applicant: Some(Applicant::Total) };
    let earlier = year.checked_sub(1).and_then(|before| record::visible(record, before));
    Some(RollupLine {
        agency: agency.to_string(),
        agency_name: seen.map(|seen| seen.agency_name).unwrap_or_default(),
        // The sum grows with either year, because epochs only grow.
        epoch: report.epoch + before.map_or(0, |before| before.epoch),
        stands: cells.is_some(),
        rows: cells.as_ref().map(cells::rows).unwrap_or_default(),
        carried_out_before: earlier
            .and_then(|earlier| earlier.cells.value(&carried_out))
            .map(|v| v.to_string()),
    })
}
