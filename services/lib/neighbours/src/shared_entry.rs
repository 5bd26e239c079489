//! Entries that several agencies keep in one record.

use gongkai_model::AgencyKey;
use gongkai_proto::v1::{BandMember, BandRecord, RollupLine};

/// One agency's entry in a shared record.
pub trait SharedEntry: Clone {
    /// Returns the key of the agency.
    fn agency(&self) -> &str;
    /// Grows with every change of the report from which the entry is derived.
    fn epoch(&self) -> u64;
}

impl SharedEntry for RollupLine {
    fn agency(&self) -> &str {
        &self.agency
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl SharedEntry for BandMember {
    fn agency(&self) -> &str {
        &self.agency
    }

    fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// Inserts or replaces an agency's entry; `entries` is sorted by agency. Returns false if there is an entry of the same
/// or a later epoch.
pub fn put<E: SharedEntry>(entries: &mut Vec<E>, entry: &E) -> bool {
    let at = entries.partition_point(|known| known.agency() < entry.agency());
    match entries.get_mut(at) {
        Some(known) if known.agency() == entry.agency() && known.epoch() >= entry.epoch() => return false,
        Some(known) if known.agency() == entry.agency() => known.clone_from(entry),
        _ => entries.insert(at, entry.clone()),
    }
    true
}

/// Returns the current members of a band except one agency, by key.
pub fn other_members<'a>(
    band: &'a BandRecord,
    agency: &AgencyKey,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let agency = agency.to_string();
    let others = band.members.iter().filter(move |member| member.stands && member.agency != agency);
    others.map(|member| member.agency.as_str())
}

/// Returns the members of a band that are compared with this agency: all others if its key is the smallest, else the
/// first if this agency's key comes next after it.
pub fn compared_with(band: &BandRecord, agency: &AgencyKey) -> Vec<AgencyKey> {
    let others: Vec<&str> = other_members(band, agency).collect();
    let compared = match others.as_slice() {
        [first, ..] if agency.as_str() < *first => others.as_slice(),
        [first, rest @ ..] if rest.first().is_none_or(|second| agency.as_str() < *second) => &[*first],
        _ => &[],
    };
    compared.iter().filter_map(|key| AgencyKey::from_code(key).ok()).collect()
}
