//! Notifies the relatives of a changed report, and returns the reports to validate again.

use gongkai_model::AgencyKey;
use gongkai_neighbours::{SharedRecords, notices::Concerned, record, shared_records::MIN_PROSE_CHARS};
use gongkai_proto::v1::{AgencyRecord, ContentRecord};
use gongkai_worker::Decision;

use crate::revalidation::Revalidation;

/// Notifies the relatives of an agency that its report of a year changed, and returns the reports to validate again:
/// the parent, the siblings that are compared with the report, and the report itself.
///
/// Call it after the agency's own record is saved, and validate after it returns.
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
    let Concerned { parent, siblings } = shared.notify(agency, record, year).await?;
    let mut due: Vec<Revalidation> =
        parent.map(|(parent, years)| Revalidation::new(parent, years)).into_iter().collect();
    due.extend(siblings.into_iter().map(|sibling| Revalidation::new(sibling, vec![year])));
    // A relative that arrived at the same time may have been missing when this report was validated.
    let has_children = !shared.registry.borrow().children(agency).is_empty();
    let is_compared = |content: &ContentRecord| content.prose_chars >= MIN_PROSE_CHARS;
    let has_prose = record::year(record, year).is_some_and(|report| report.contents.iter().any(is_compared));
    if has_children || has_prose {
        due.push(Revalidation { republishes: false, ..Revalidation::new(agency.clone(), vec![year]) });
    }
    Ok(due)
}
