//! A digest of everything that findings depend on. It is stored, so its encoding must not depend on the compiler or on
//! names of fields.

use gongkai_model::{AgencyProfile, Versions};
use gongkai_neighbours::{Relatives, record};
use gongkai_proto::v1::AgencyRecord;
use sha2::{Digest as _, Sha256};

/// Returns the digest for one year, 32 hex digits. It covers the years that it is compared with, the relatives, the
/// registry's entry, and the versions of the rules and the program. A value never recurs after an input changed,
/// because epochs only grow.
pub(crate) fn inputs_digest(
    record: &AgencyRecord,
    year: i32,
    relatives: &Relatives,
    profile: Option<&AgencyProfile>,
    versions: &Versions,
) -> String {
    let mut hash = Sha256::new();
    for back in 0..=record::YEARS_BACK {
        let report = year.checked_sub(back).and_then(|year| record::year(record, year));
        hash.update(report.map_or(0, |report| report.epoch).to_be_bytes());
    }
    hash.update(relatives.digest());
    add_profile(&mut hash, profile);
    hash.update(&versions.rules);
    hash.update(&versions.program);
    hex::encode(&hash.finalize()[..16])
}

/// Adds the registry's entry: every field with its length, or a mark of absence.
fn add_profile(hash: &mut Sha256, profile: Option<&AgencyProfile>) {
    let Some(profile) = profile else { return add(hash, None) };
    let AgencyProfile { key, name, level, kind, region, parent, site_domain } = profile;
    let fields = [
        Some(key.as_str()),
        Some(name),
        level.map(gongkai_model::Level::as_str),
        kind.map(gongkai_model::AgencyKind::as_str),
        Some(region.as_str()),
        parent.as_ref().map(gongkai_model::AgencyKey::as_str),
        site_domain.as_deref(),
    ];
    fields.into_iter().for_each(|field| add(hash, field));
}

fn add(hash: &mut Sha256, field: Option<&str>) {
    match field {
        Some(text) => hash.update(format!("{}:{text}", text.len())),
        None => hash.update("-"),
    }
}

#[cfg(test)]
mod tests {
    use gongkai_model::{AgencyKey, AgencyKind, Level};

    use super::*;

    fn digest(profile: Option<&AgencyProfile>) -> String {
        let mut hash = Sha256::new();
        add_profile(&mut hash, profile);
        hex::encode(&hash.finalize()[..8])
    }

    #[test]
    fn every_field_counts_and_the_encoding_stays() {
        let base = AgencyProfile {
            key: AgencyKey::from_code("11360982014501").unwrap(),
            name: "青溪市水务局".to_owned(),
            level: Some(Level::County),
            kind: Some(AgencyKind::Department),
            region: "360982".parse().unwrap(),
            parent: None,
            site_domain: None,
        };
        // The digest is stored: if it changes, every report is validated again.
        assert_eq!(digest(Some(&base)), "4f01fe73d19cdfde");
        let others = [
            AgencyProfile { key: AgencyKey::from_code("1").unwrap(), ..base.clone() },
            AgencyProfile { name: "青溪市水利局".to_owned(), ..base.clone() },
            AgencyProfile { level: None, ..base.clone() },
            AgencyProfile { kind: Some(AgencyKind::Vertical), ..base.clone() },
            AgencyProfile { region: "360000".parse().unwrap(), ..base.clone() },
            AgencyProfile { parent: Some(base.key.clone()), ..base.clone() },
            AgencyProfile { site_domain: Some(String::new()), ..base.clone() },
        ];
        for other in others.iter().map(Some).chain([None]) {
            assert_ne!(digest(other), digest(Some(&base)), "{other:?}");
        }
    }
}
