//! What findings rest on, in one digest that is kept: its encoding must not change with the compiler or with a field's name.

use gongkai_model::AgencyProfile;
use sha2::{Digest as _, Sha256};

/// Takes in what the registry knows of an agency. Every field goes in with its length or a mark of absence.
pub(crate) fn take_profile(hash: &mut Sha256, profile: Option<&AgencyProfile>) {
    let Some(profile) = profile else { return take(hash, None) };
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
    fields.into_iter().for_each(|field| take(hash, field));
}

fn take(hash: &mut Sha256, field: Option<&str>) {
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
        take_profile(&mut hash, profile);
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
        // As it is kept: another value makes every report be settled anew.
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
