//! Reads the current content from the store of each service.

use std::collections::BTreeMap;

use gongkai_ingest::receipt_store::ReceiptStore;
use gongkai_model::ReportKey;
use gongkai_neighbours::record;
use gongkai_notify::alerts::{report_key, state::ReportAlerts};
use gongkai_proto::{subjects, v1};
use gongkai_store::Store;
use gongkai_tests::facts::Stands;
use gongkai_worker::{Transport as _, transport::memory::Memory};
use prost::Message as _;

pub(crate) async fn by_validate(memory: &Memory, keys: &[ReportKey]) -> Stands {
    let entries = memory.entries(subjects::BUCKET_NEIGHBOURS);
    let mut stands = Stands::new();
    for key in keys {
        let Some(entry) = entries.get(&format!("agencies/{}", key.agency)).await.unwrap() else { continue };
        let record = v1::AgencyRecord::decode(entry.value).unwrap();
        if let Some(current) = record::year(&record, key.year).and_then(record::current_revision) {
            stands.insert(key.clone(), (current.content.content_hash.clone(), current.is_withdrawn));
        }
    }
    stands
}

pub(crate) async fn alerts(memory: &Memory, key: &ReportKey) -> Option<ReportAlerts> {
    let entry = memory.entries(subjects::BUCKET_ALERTS).get(&report_key(key)).await.unwrap()?;
    Some(ReportAlerts::decode(entry.value).unwrap())
}

pub(crate) async fn by_notify(memory: &Memory, keys: &[ReportKey]) -> Stands {
    let mut stands = Stands::new();
    for key in keys {
        let Some(alerts) = alerts(memory, key).await else { continue };
        if let Some((content, is_withdrawn)) = alerts.current() {
            stands.insert(key.clone(), (content.to_owned(), is_withdrawn));
        }
    }
    stands
}

pub(crate) fn by_query(store: &dyn Store, keys: &[ReportKey]) -> Stands {
    let stands = |key: &ReportKey| {
        let revision = store.report(key, None).unwrap()?.revision;
        Some((key.clone(), (revision.origin.content_hash, revision.withdrawn)))
    };
    keys.iter().filter_map(stands).collect()
}

/// Asks ingest for each content whether it is current.
pub(crate) async fn by_ingest(
    receipts: &ReceiptStore,
    keys: &[ReportKey],
    contents: &[String],
) -> BTreeMap<ReportKey, String> {
    let mut stands = BTreeMap::new();
    for key in keys {
        for content in contents {
            if receipts.current_rank(&key.to_string(), content).await.unwrap().is_some() {
                assert_eq!(stands.insert(key.clone(), content.clone()), None, "two contents of {key} stand");
            }
        }
    }
    stands
}
