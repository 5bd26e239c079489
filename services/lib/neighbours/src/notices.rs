//! Writes a changed report into the records that it shares with its parent and its siblings, and returns which of them it
//! concerns.

use gongkai_model::{AgencyKey, AgencyProfile, Applicant, Concept, FactId};
use gongkai_proto::v1::{AgencyRecord, BandMember, BandRecord, RollupLine, RollupRecord};
use gongkai_rules::{Cells, figures};
use gongkai_worker::transport::Error;

use crate::{
    cells, record,
    shared_entry::{compared_with, put},
    shared_records::{MIN_PROSE_CHARS, SharedRecords, band_key, rollup_key},
};

/// The relatives that a changed report concerns.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    /// The parent, with the years of its reports.
    pub parent: Option<(AgencyKey, Vec<i32>)>,
    /// The siblings whose reports of the same year are compared with the report, sorted.
    pub siblings: Vec<AgencyKey>,
}

impl SharedRecords {
    /// Writes an agency's report of a year into the records of its relatives.
    ///
    /// Call it after the agency's own record is saved, and read the relatives after it returns: if two agencies change at
    /// the same time, the one whose notice is saved last then sees the other.
    ///
    /// # Errors
    /// `Unavailable`, `Full` or `Conflict`: try again. `Unreadable` or `TooLarge`: no retry helps.
    pub async fn notify(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
    ) -> Result<Concerned, Error> {
        let profile = self.profile(agency);
        Ok(Concerned {
            parent: self.notify_parent(agency, record, year, profile.as_ref()).await?,
            siblings: self.notify_siblings(agency, record, year).await?,
        })
    }

    /// Writes the report's figures into the parent's records of its year and of the next, which is compared with it.
    async fn notify_parent(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
        profile: Option<&AgencyProfile>,
    ) -> Result<Option<(AgencyKey, Vec<i32>)>, Error> {
        let Some(parent) = profile.and_then(|profile| profile.parent.clone()) else { return Ok(None) };
        let mut years = Vec::new();
        for year in [Some(year), year.checked_add(1)].into_iter().flatten() {
            let Some(line) = rollup_line(agency, record, year) else { continue };
            let change = |rollup: &mut RollupRecord| (put(&mut rollup.lines, &line), ());
            self.records.change(&rollup_key(&parent, year), change).await?;
            years.push(year);
        }
        Ok(Some((parent, years)))
    }

    /// Writes the report into the records of the bands of its prose, in its present group of siblings and in former
    /// ones.
    async fn notify_siblings(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
    ) -> Result<Vec<AgencyKey>, Error> {
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
                        self.records.change(&band_key(year, scope, *band), change).await?;
                    siblings.extend(compared_with(&band, agency));
                }
            }
        }
        siblings.sort();
        siblings.dedup();
        Ok(siblings)
    }
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
