//! Bodies around an agency: those below it that the registry lists, and a sibling whose prose is the same.
//!
//! What children reported lies in one record of their parent's (`rollups/…`), so that a parent reads one record and not
//! one of each child. Reports of one year and one scope whose prose shares a band stand in one record (`bands/…`); each is
//! held against the one of the smallest key there, so that nothing is compared with everything.

use gongkai_agencies::Registry;
use gongkai_lifecycle::Arrival;
use gongkai_model::{AgencyKey, AgencyKind, AgencyProfile, Applicant, Concept, FactId, Region};
use gongkai_proto::v1::{AgencyRecord, BandMember, BandRecord, ContentRecord, RollupLine, RollupRecord};
use gongkai_rules::{Cells, Child, Children, Neighbours, Sibling, figures};
use gongkai_worker::{Context, Decision, Output};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    cells,
    record::{self, Standing},
    settle::{Ask, Settler, agency_key},
};

/// Characters of prose below which no two are compared: the rules' own bound.
const LEAST_CHARS: u32 = 200;

/// What is known of an agency's relatives.
#[derive(Debug, Default)]
pub(crate) struct Relatives {
    children: Option<Children>,
    sibling: Option<Sibling>,
    /// What it was taken from.
    taken: Sha256,
}

impl Relatives {
    /// A digest of everything here.
    pub(crate) fn digest(&self) -> Vec<u8> {
        self.taken.clone().finalize().to_vec()
    }

    pub(crate) fn join(self, neighbours: Neighbours) -> Neighbours {
        Neighbours { children: self.children, sibling: self.sibling, ..neighbours }
    }
}

impl Settler {
    /// Reads what is known of an agency's relatives.
    pub(crate) async fn relatives(
        &self,
        agency: &AgencyKey,
        year: i32,
        standing: &Standing<'_>,
        profile: Option<&AgencyProfile>,
    ) -> Result<Relatives, Decision> {
        let mut relatives = Relatives::default();
        let registry = self.registry.borrow().clone();
        let listed = listed(&registry, agency);
        if !listed.is_empty() {
            let record: RollupRecord = self.ledger.read(&rollup_key(agency, year)).await?.record;
            relatives.taken.update(record.encode_to_vec());
            listed.iter().for_each(|key| relatives.taken.update(key.as_str()));
            relatives.children = Some(children(&record, &registry, &listed));
        }
        let scope = scope(&standing.arrival, profile).filter(|_| standing.content.prose_chars >= LEAST_CHARS);
        if let Some(scope) = scope.filter(|_| !standing.is_withdrawn) {
            self.sibling(agency, year, standing, &scope, &mut relatives).await?;
        }
        Ok(relatives)
    }

    async fn sibling(
        &self,
        agency: &AgencyKey,
        year: i32,
        standing: &Standing<'_>,
        scope: &str,
        relatives: &mut Relatives,
    ) -> Result<(), Decision> {
        let own = cells::agency_year(standing.content, year);
        let mut nearest: Option<(f64, Sibling)> = None;
        let mut asked: Vec<AgencyKey> = Vec::new();
        for band in &standing.content.prose_bands {
            let record: BandRecord = self.ledger.read(&band_key(year, scope, *band)).await?.record;
            // All of the others' epochs, gone ones too: who came and went leaves another basis than who never was.
            for member in record.members.iter().filter(|member| member.agency != agency.as_str()) {
                relatives.taken.update(&member.agency);
                relatives.taken.update(member.epoch.to_be_bytes());
            }
            let Some(first) = others(&record, agency).next().and_then(|key| AgencyKey::from_code(key).ok())
            else {
                continue;
            };
            if asked.contains(&first) {
                continue;
            }
            let theirs: AgencyRecord = self.ledger.read(&agency_key(&first)).await?.record;
            let epoch = record::year(&theirs, year).map_or(0, |report| report.epoch);
            relatives.taken.update(first.as_str());
            relatives.taken.update(epoch.to_be_bytes());
            asked.push(first);
            let (Some(own), Some(theirs)) = (&own, record::visible(&theirs, year)) else { continue };
            let similarity = own.sketch.similarity(&theirs.sketch);
            if nearest.as_ref().is_none_or(|(best, _)| similarity > *best) {
                let sibling = Sibling { agency_name: theirs.agency_name, sketch: theirs.sketch };
                nearest = Some((similarity, sibling));
            }
        }
        relatives.sibling = nearest.map(|(_, sibling)| sibling);
        Ok(())
    }

    /// Tells an agency's relatives what has become of its reports, and settles those it concerns. The agency's own record
    /// is saved by now: whoever settles a relative later sees it.
    ///
    /// # Errors
    /// As for [`Settler::change`].
    pub(crate) async fn spread(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let profile = self.profile(agency);
        let mut outputs = self.spread_up(agency, record, year, profile.as_ref(), context).await?;
        outputs.extend(self.spread_aside(agency, record, year, profile.as_ref(), context).await?);
        // Whoever came at the same time may have looked for us before we were there, and we for them: look once more.
        let has_children = !self.registry.borrow().children(agency).is_empty();
        let is_long = |content: &ContentRecord| content.prose_chars >= LEAST_CHARS;
        let has_prose = record::year(record, year).is_some_and(|report| report.contents.iter().any(is_long));
        if has_children || has_prose {
            let years = [year];
            let again = Ask { pays: false, ..Ask::other(agency, &years, context) };
            outputs.extend(self.look(again).await?);
        }
        Ok(outputs)
    }

    async fn spread_up(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
        profile: Option<&AgencyProfile>,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let Some(parent) = profile.and_then(|profile| profile.parent.clone()) else { return Ok(Vec::new()) };
        let mut years = Vec::new();
        for year in [Some(year), year.checked_add(1)].into_iter().flatten() {
            let Some(line) = line(agency, record, year) else { continue };
            let place = |rollup: &mut RollupRecord| (put(&mut rollup.lines, &line), ());
            self.ledger.change(&rollup_key(&parent, year), place).await?;
            years.push(year);
        }
        self.look(Ask::other(&parent, &years, context)).await
    }

    async fn spread_aside(
        &self,
        agency: &AgencyKey,
        record: &AgencyRecord,
        year: i32,
        profile: Option<&AgencyProfile>,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let Some((report, standing)) =
            record::year(record, year).and_then(|r| Some((r, record::standing(r)?)))
        else {
            return Ok(Vec::new());
        };
        let Some(scope) = scope(&standing.arrival, profile) else { return Ok(Vec::new()) };
        let mut concerned: Vec<AgencyKey> = Vec::new();
        for content in report.contents.iter().filter(|content| content.prose_chars >= LEAST_CHARS) {
            let stands = !standing.is_withdrawn && content.content_hash == standing.content.content_hash;
            for band in &content.prose_bands {
                let stands =
                    stands || (!standing.is_withdrawn && standing.content.prose_bands.contains(band));
                let member = BandMember { agency: agency.to_string(), epoch: report.epoch, stands };
                let place = |record: &mut BandRecord| (put(&mut record.members, &member), ());
                let (band, ()): (BandRecord, ()) =
                    self.ledger.change(&band_key(year, &scope, *band), place).await?;
                concerned.extend(concerned_by(&band, agency));
            }
        }
        concerned.sort();
        concerned.dedup();
        let mut outputs = Vec::new();
        for other in &concerned {
            outputs.extend(self.look(Ask::other(other, &[year], context)).await?);
        }
        Ok(outputs)
    }
}

/// The bodies below that a report may sum up: those led from above report elsewhere.
fn listed(registry: &Registry, agency: &AgencyKey) -> Vec<AgencyKey> {
    let is_led_from_above = |key: &AgencyKey| {
        registry.get(key).is_some_and(|child| child.profile().kind == Some(AgencyKind::Vertical))
    };
    registry.children(agency).iter().filter(|key| !is_led_from_above(key)).cloned().collect()
}

fn children(record: &RollupRecord, registry: &Registry, listed: &[AgencyKey]) -> Children {
    let child = |key: &AgencyKey| {
        let line = record.lines.iter().find(|line| line.agency == key.as_str() && line.stands)?;
        let profile = registry.get(key)?.profile();
        Some(Child {
            name: line.agency_name.clone(),
            is_office: profile.kind == Some(AgencyKind::Office),
            cells: cells::cells(&line.rows),
            carried_out_before: line.carried_out_before.as_deref().and_then(|number| number.parse().ok()),
        })
    };
    Children {
        registered: u32::try_from(listed.len()).unwrap_or(u32::MAX),
        reported: listed.iter().filter_map(child).collect(),
    }
}

/// One body's part in its parent's record; `None` if nothing of the year was ever seen.
fn line(agency: &AgencyKey, record: &AgencyRecord, year: i32) -> Option<RollupLine> {
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
        // Grows with either year, as both only grow.
        epoch: report.epoch + before.map_or(0, |before| before.epoch),
        stands: cells.is_some(),
        rows: cells.as_ref().map(cells::rows).unwrap_or_default(),
        carried_out_before: earlier
            .and_then(|earlier| earlier.cells.value(&carried_out))
            .map(|v| v.to_string()),
    })
}

/// A part that one body has in a record shared with others.
trait Part: Clone {
    /// Whose it is.
    fn agency(&self) -> &str;
    /// Grows with every change of what it was made of.
    fn epoch(&self) -> u64;
}

impl Part for RollupLine {
    fn agency(&self) -> &str {
        &self.agency
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl Part for BandMember {
    fn agency(&self) -> &str {
        &self.agency
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// Puts a body's part in its place, by agency; false if a part as new is there.
fn put<P: Part>(parts: &mut Vec<P>, part: &P) -> bool {
    let at = parts.partition_point(|known| known.agency() < part.agency());
    match parts.get_mut(at) {
        Some(known) if known.agency() == part.agency() && known.epoch() >= part.epoch() => return false,
        Some(known) if known.agency() == part.agency() => known.clone_from(part),
        _ => parts.insert(at, part.clone()),
    }
    true
}

/// The agencies in a band but one, by key.
fn others<'a>(record: &'a BandRecord, agency: &AgencyKey) -> impl Iterator<Item = &'a str> {
    let agency = agency.to_string();
    let standing = record.members.iter().filter(move |member| member.stands && member.agency != agency);
    standing.map(|member| member.agency.as_str())
}

/// Those in a band that are held against this agency: all others if its key is the smallest, else the first if it comes
/// next after it.
fn concerned_by(record: &BandRecord, agency: &AgencyKey) -> Vec<AgencyKey> {
    let others: Vec<&str> = others(record, agency).collect();
    let concerned = match others.as_slice() {
        [first, ..] if agency.as_str() < *first => others.as_slice(),
        [first, rest @ ..] if rest.first().is_none_or(|second| agency.as_str() < *second) => &[*first],
        _ => &[],
    };
    concerned.iter().filter_map(|key| AgencyKey::from_code(key).ok()).collect()
}

/// Whose siblings an agency's are: the parent's children, else those of the same county. Nobody's if neither is known.
fn scope(arrival: &Arrival, profile: Option<&AgencyProfile>) -> Option<String> {
    if let Some(parent) = profile.and_then(|profile| profile.parent.as_ref()) {
        return Some(format!("p-{parent}"));
    }
    let region = profile.map(|profile| profile.region).filter(|region| *region != Region::UNKNOWN);
    let region = region.unwrap_or(arrival.region);
    (region != Region::UNKNOWN).then(|| format!("r-{region}"))
}

fn rollup_key(agency: &AgencyKey, year: i32) -> String {
    format!("rollups/{agency}/{year}")
}

fn band_key(year: i32, scope: &str, band: u64) -> String {
    format!("bands/{year}/{scope}/{band:016x}")
}
