//! The running services, from the register in the broker.

use std::collections::{BTreeMap, BTreeSet};

use gongkai_proto::subjects;
use gongkai_worker::{
    Record as _, Replica,
    transport::{Error, ErrorKind, jetstream::JetStream},
};

use crate::{
    printer::clean,
    table::{Column, TableRow},
};

/// Maximum number of entries that are read.
const MAX: usize = 10_000;

/// Returns the replicas by service and start.
///
/// # Errors
/// The broker did not answer.
pub(super) async fn list(broker: &JetStream) -> Result<Vec<Replica>, Error> {
    let entries = match broker.entries_of(subjects::BUCKET_REPLICAS, MAX).await {
        Ok(entries) => entries,
        // No service of this version has run yet.
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut replicas: Vec<Replica> =
        entries.into_iter().filter_map(|(_, value)| Replica::decode(value).ok()).collect();
    replicas.sort_by(|a, b| (&a.service, &a.started_at).cmp(&(&b.service, &b.started_at)));
    Ok(replicas)
}

/// Returns the services by version, unless all have the same.
pub(super) fn differing(replicas: &[Replica]) -> Option<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for replica in replicas {
        versions.entry(&replica.version).or_default().insert(&replica.service);
    }
    let named = versions.iter().map(|(version, services)| {
        let services: Vec<_> = services.iter().copied().collect();
        format!("{version} ({})", services.join(" "))
    });
    (versions.len() > 1).then(|| clean(&named.collect::<Vec<_>>().join(", ")))
}

impl TableRow for Replica {
    const COLUMNS: &'static [Column<Self>] = &[
        ("service", |replica| clean(&replica.service)),
        ("version", |replica| clean(&replica.version)),
        ("host", |replica| clean(&replica.host)),
        ("started", |replica| clean(&replica.started_at)),
        ("instance", |replica| clean(&replica.instance)),
        ("consumers", |replica| clean(&replica.consumers.join(" "))),
    ];
    const LEFT_OUT: &'static [&'static str] = &["instance", "consumers"];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(service: &str, version: &str) -> Replica {
        Replica { service: service.to_owned(), version: version.to_owned(), ..Replica::default() }
    }

    #[test]
    fn versions_that_differ_are_named_with_their_services() {
        assert_eq!(differing(&[]), None);
        assert_eq!(differing(&[replica("parse", "1.2.3"), replica("notify", "1.2.3")]), None);
        let mixed = [replica("parse", "1.2.3"), replica("parse", "1.3.0"), replica("notify", "1.2.3")];
        assert_eq!(differing(&mixed).unwrap(), "1.2.3 (notify parse), 1.3.0 (parse)");
    }
}
