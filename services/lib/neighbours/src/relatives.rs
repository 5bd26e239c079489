//! Reads the bodies around an agency: the children that the registry lists, and a sibling with similar prose.
//!
//! The figures of the children are in one record of their parent (`rollups/…`), so that validating a parent reads one
//! record and not one for each child. Reports of one year and one scope whose prose has a band in common are members
//! of one record (`bands/…`). Each is compared only with the member of the smallest key, not with all members.

use futures::future::{try_join, try_join_all};
use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, AgencyKind, AgencyProfile, Region};
use gongkai_proto::v1::{AgencyRecord, BandRecord, RollupRecord};
use gongkai_rules::{AgencyYear, Child, Children, Neighbours, Publications, Sibling};
use gongkai_worker::transport::Error;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    cells, record,
    shared_entry::other_members,
    shared_records::{self, MIN_PROSE_CHARS, SharedRecords, band_key, rollup_key, sibling_scope},
};

/// The report whose relatives are read.
#[derive(Debug, Clone, Copy)]
pub struct Compared<'a> {
    /// Agency of the report.
    pub agency: &'a AgencyKey,
    /// The parts of the report that neighbours need.
    pub own: &'a AgencyYear,
    /// Region of the report's event.
    pub region: Region,
    /// True if the report is withdrawn, so that it is not compared with siblings.
    pub is_withdrawn: bool,
    /// The registry's entry of the agency.
    pub profile: Option<&'a AgencyProfile>,
}

/// An agency's relatives in one year.
#[derive(Debug, Default)]
pub struct Relatives {
    children: Option<Children>,
    sibling: Option<Sibling>,
    /// A digest over every record that was read.
    inputs: Sha256,
}

impl Relatives {
    /// Returns a digest of every record that was read.
    #[must_use]
    pub fn digest(&self) -> Vec<u8> {
        self.inputs.clone().finalize().to_vec()
    }

    /// Adds the relatives to the neighbours from the agency's own record.
    #[must_use]
    pub fn join(self, neighbours: Neighbours) -> Neighbours {
        Neighbours { children: self.children, sibling: self.sibling, ..neighbours }
    }
}

impl SharedRecords {
    /// Reads the neighbours of a report that is not published: the agency's publications are not its own.
    ///
    /// # Errors
    /// `Unavailable`: a record could not be read; try again. `Unreadable`: a value is not such a record.
    pub async fn of_draft(
        &self,
        agency: &AgencyKey,
        own: AgencyYear,
        region: Region,
    ) -> Result<Neighbours, Error> {
        let profile = self.profile(agency);
        let compared = Compared { agency, own: &own, region, is_withdrawn: false, profile: profile.as_ref() };
        let key = record::agency_key(agency);
        let reading = self.records.read::<AgencyRecord>(&key);
        let (read, relatives) = try_join(reading, self.relatives(compared)).await?;
        let year = own.year;
        Ok(without_publications(relatives.join(record::neighbours(&read.record, year, own))))
    }

    /// Reads the relatives of an agency's report.
    ///
    /// # Errors
    /// As for [`SharedRecords::of_draft`].
    pub async fn relatives(&self, compared: Compared<'_>) -> Result<Relatives, Error> {
        let Compared { agency, own, region, is_withdrawn, profile } = compared;
        let mut relatives = Relatives::default();
        let registry = self.registry.borrow().clone();
        let listed = shared_records::children(&registry, agency);
        if !listed.is_empty() {
            let record: RollupRecord = self.records.read(&rollup_key(agency, own.year)).await?.record;
            relatives.inputs.update(record.encode_to_vec());
            listed.iter().for_each(|key| relatives.inputs.update(key.as_str()));
            relatives.children = Some(children(&record, &registry, &listed));
        }
        let is_compared = !is_withdrawn && own.minhash.chars >= MIN_PROSE_CHARS;
        if let Some(scope) = sibling_scope(region, profile).filter(|_| is_compared) {
            self.read_sibling(agency, own, &scope, &mut relatives).await?;
        }
        Ok(relatives)
    }

    /// Returns the one of the first members of the report's bands whose prose is most similar.
    async fn read_sibling(
        &self,
        agency: &AgencyKey,
        own: &AgencyYear,
        scope: &str,
        relatives: &mut Relatives,
    ) -> Result<(), Error> {
        let bands = own.bands.iter().map(|band| self.band(own.year, scope, *band));
        let bands = try_join_all(bands).await?;
        let mut firsts: Vec<Option<AgencyKey>> = Vec::new();
        for band in &bands {
            let first = other_members(band, agency).next().and_then(|key| AgencyKey::from_code(key).ok());
            firsts.push(first.filter(|first| !firsts.iter().flatten().any(|known| known == first)));
        }
        let theirs = firsts.iter().flatten().map(|first| self.agency(first));
        let mut theirs = try_join_all(theirs).await?.into_iter();
        let mut nearest: Option<(f64, Sibling)> = None;
        for (band, first) in bands.iter().zip(&firsts) {
            // The epochs of all other members, former ones included: a band that a member joined and left must have
            // another digest than a band that it never joined.
            for member in band.members.iter().filter(|member| member.agency != agency.as_str()) {
                relatives.inputs.update(&member.agency);
                relatives.inputs.update(member.epoch.to_be_bytes());
            }
            let Some((first, theirs)) = first.as_ref().and_then(|first| Some((first, theirs.next()?))) else {
                continue;
            };
            let epoch = record::year(&theirs, own.year).map_or(0, |report| report.epoch);
            relatives.inputs.update(first.as_str());
            relatives.inputs.update(epoch.to_be_bytes());
            let Some(theirs) = record::visible(&theirs, own.year) else { continue };
            let similarity = own.minhash.similarity(&theirs.minhash);
            if nearest.as_ref().is_none_or(|(best, _)| similarity > *best) {
                let sibling = Sibling { agency_name: theirs.agency_name, minhash: theirs.minhash };
                nearest = Some((similarity, sibling));
            }
        }
        relatives.sibling = nearest.map(|(_, sibling)| sibling);
        Ok(())
    }

    async fn band(&self, year: i32, scope: &str, band: u64) -> Result<BandRecord, Error> {
        Ok(self.records.read(&band_key(year, scope, band)).await?.record)
    }

    async fn agency(&self, agency: &AgencyKey) -> Result<AgencyRecord, Error> {
        Ok(self.records.read(&record::agency_key(agency)).await?.record)
    }
}

/// Returns the neighbours of a content that is not the current revision: the agency's publications are not its own.
#[must_use]
pub fn without_publications(neighbours: Neighbours) -> Neighbours {
    Neighbours { publications: Publications::default(), ..neighbours }
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
