//! The bodies and years that compete for a report, in the JSON line.

use gongkai_model::{Evidence, Identity};
use serde::{Deserialize, Serialize};

/// The bodies and years named, if several compete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityLine {
    /// The bodies, the chosen one first; left out if none competes with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agency: Vec<EvidenceLine<String>>,
    /// The years, the chosen one first; left out if none competes with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub year: Vec<EvidenceLine<i32>>,
}

/// A body or a year, with the weight of all that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceLine<T> {
    /// The body's fullest name, or the year.
    pub value: T,
    /// The strongest place that names it, such as `title`, `preamble`, `contact`.
    pub source: String,
    /// Sum of the weights of the places that name it.
    pub weight: u32,
}

impl IdentityLine {
    /// Creates the line of an identity, or nothing if neither bodies nor years compete.
    pub(crate) fn of(identity: &Identity) -> Option<Self> {
        identity
            .is_disputed()
            .then(|| Self { agency: rivals(&identity.agency), year: rivals(&identity.year) })
    }
}

fn rivals<T: Clone>(named: &[Evidence<T>]) -> Vec<EvidenceLine<T>> {
    let line = |evidence: &Evidence<T>| EvidenceLine {
        value: evidence.value.clone(),
        source: evidence.source.as_str().to_owned(),
        weight: evidence.weight,
    };
    if named.len() > 1 { named.iter().map(line).collect() } else { Vec::new() }
}
