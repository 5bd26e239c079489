//! Reads the bodies around an agency: the children that the registry lists, and a sibling with similar prose.
//!
//! What children reported is one record of their parent (`rollups/…`), so that validating a parent reads one record and
//! not one for each child. Reports of one year and one scope whose prose has a band in common are members of one record
//! (`bands/…`); each is compared with the member of the smallest key there, so that nothing is compared with everything.

use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, AgencyKind, AgencyProfile};
use gongkai_proto::v1::{AgencyRecord, BandRecord, RollupRecord};
use gongkai_rules::{Child, Children, Neighbours, Sibling};
use gongkai_worker::Decision;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    cells,
    record::{self, CurrentRevision},
    shared_entry::other_members,
    shared_records::{self, MIN_PROSE_CHARS, SharedRecords, band_key, rollup_key, sibling_scope},
};

/// What is known of an agency's relatives in one year.
#[derive(Debug, Default)]
pub(crate) struct Relatives {
    children: Option<Children>,
    sibling: Option<Sibling>,
    /// Over every record that was read.
    inputs: Sha256,
}

impl Relatives {
    /// A digest of every record that was read.
    pub(crate) fn digest(&self) -> Vec<u8> {
        self.inputs.clone().finalize().to_vec()
    }

    /// Adds the relatives to what the agency's own record says.
    pub(crate) fn join(self, neighbours: Neighbours) -> Neighbours {
        Neighbours { children: self.children, sibling: self.sibling, ..neighbours }
    }
}

impl SharedRecords {
    /// Reads the relatives of an agency's report.
    ///
    /// # Errors
    /// A record was not reached: retry. It is none of ours: bury.
    pub(crate) async fn relatives(
        &self,
        agency: &AgencyKey,
        year: i32,
        current: &CurrentRevision<'_>,
        profile: Option<&AgencyProfile>,
    ) -> Result<Relatives, Decision> {
        let mut relatives = Relatives::default();
        let registry = self.registry.borrow().clone();
        let listed = shared_records::children(&registry, agency);
        if !listed.is_empty() {
            let record: RollupRecord = self.records.read(&rollup_key(agency, year)).await?.record;
            relatives.inputs.update(record.encode_to_vec());
            listed.iter().for_each(|key| relatives.inputs.update(key.as_str()));
            relatives.children = Some(children(&record, &registry, &listed));
        }
        let is_compared = !current.is_withdrawn && current.content.prose_chars >= MIN_PROSE_CHARS;
        if let Some(scope) = sibling_scope(&current.arrival, profile).filter(|_| is_compared) {
            self.read_sibling(agency, year, current, &scope, &mut relatives).await?;
        }
        Ok(relatives)
    }

    /// Of the first members of the report's bands, the one whose prose is most similar.
    async fn read_sibling(
        &self,
        agency: &AgencyKey,
        year: i32,
        current: &CurrentRevision<'_>,
        scope: &str,
        relatives: &mut Relatives,
    ) -> Result<(), Decision> {
        let own = cells::agency_year(current.content, year);
        let mut nearest: Option<(f64, Sibling)> = None;
        let mut compared: Vec<AgencyKey> = Vec::new();
        for band in &current.content.prose_bands {
            let band: BandRecord = self.records.read(&band_key(year, scope, *band)).await?.record;
            // The epochs of all others, of former members too: a member that came and went must leave another digest
            // than one that never was.
            for member in band.members.iter().filter(|member| member.agency != agency.as_str()) {
                relatives.inputs.update(&member.agency);
                relatives.inputs.update(member.epoch.to_be_bytes());
            }
            let first = other_members(&band, agency).next().and_then(|key| AgencyKey::from_code(key).ok());
            let Some(first) = first.filter(|first| !compared.contains(first)) else { continue };
            let theirs: AgencyRecord = self.records.read(&record::agency_key(&first)).await?.record;
            let epoch = record::year(&theirs, year).map_or(0, |report| report.epoch);
            relatives.inputs.update(first.as_str());
            relatives.inputs.update(epoch.to_be_bytes());
            compared.push(first);
            let (Some(own), Some(theirs)) = (&own, record::visible(&theirs, year)) else { continue };
            let similarity = own.minhash.similarity(&theirs.minhash);
            if nearest.as_ref().is_none_or(|(best, _)| similarity > *best) {
                let sibling = Sibling { agency_name: theirs.agency_name, minhash: theirs.minhash };
                nearest = Some((similarity, sibling));
            }
        }
        relatives.sibling = nearest.map(|(_, sibling)| sibling);
        Ok(())
    }
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
