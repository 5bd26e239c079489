//! The registry, and the records that agencies share with their relatives.

use std::sync::Arc;

use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, AgencyKind, AgencyProfile, Region};
use gongkai_worker::RecordStore;
use tokio::sync::watch;

/// Number of characters of prose below which two reports are not compared. The rules have the same bound.
pub const MIN_PROSE_CHARS: u32 = 200;

/// Access to an agency's profile and to the records that it shares with its parent and its siblings. Cheap to clone.
#[derive(Clone)]
pub struct SharedRecords {
    /// The records of the bucket.
    pub records: RecordStore,
    /// The current registry.
    pub registry: watch::Receiver<Arc<Registry>>,
}

impl SharedRecords {
    /// Returns the registry's entry of an agency.
    #[must_use]
    pub fn profile(&self, agency: &AgencyKey) -> Option<AgencyProfile> {
        self.registry.borrow().get(agency).map(gongkai_agencies::Agency::profile)
    }
}

/// Returns the bodies below an agency whose figures its report may add up. Bodies that are led by a superior body
/// report elsewhere.
#[must_use]
pub fn children(registry: &Registry, agency: &AgencyKey) -> Vec<AgencyKey> {
    let is_led_from_above = |key: &AgencyKey| {
        registry.get(key).is_some_and(|child| child.profile().kind == Some(AgencyKind::Vertical))
    };
    registry.children(agency).iter().filter(|key| !is_led_from_above(key)).cloned().collect()
}

/// Returns the group within which an agency has siblings: the children of its parent, else the agencies of its
/// region. `None` if neither is known.
#[must_use]
pub fn sibling_scope(region: Region, profile: Option<&AgencyProfile>) -> Option<String> {
    if let Some(parent) = profile.and_then(|profile| profile.parent.as_ref()) {
        return Some(format!("p-{parent}"));
    }
    let listed = profile.map(|profile| profile.region).filter(|region| *region != Region::UNKNOWN);
    let region = listed.unwrap_or(region);
    (region != Region::UNKNOWN).then(|| format!("r-{region}"))
}

/// Returns the key of the record of the children's figures for a year.
#[must_use]
pub fn rollup_key(agency: &AgencyKey, year: i32) -> String {
    format!("rollups/{agency}/{year}")
}

/// Returns the key of the record of the reports whose prose has a band in common.
#[must_use]
pub fn band_key(year: i32, scope: &str, band: u64) -> String {
    format!("bands/{year}/{scope}/{band:016x}")
}
