//! Records in the bucket of neighbours, saved by compare-and-set.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gongkai_worker::{
    Decision,
    transport::{Entries, ErrorKind},
};
use prost::Message;

/// Lost races in a row before the message is tried again later.
pub(crate) const MAX_RACES: u32 = 40;
/// After a lost race; grows with each.
const PAUSE: Duration = Duration::from_millis(2);

/// The bucket. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<dyn Entries>);

/// A record as read, and what to save it against.
pub(crate) struct Read<R> {
    pub(crate) record: R,
    revision: Option<u64>,
}

impl Ledger {
    /// Over a declared bucket.
    #[must_use]
    pub(crate) fn new(entries: Arc<dyn Entries>) -> Self {
        Self(entries)
    }

    /// Reads a record; the default if there is none.
    ///
    /// # Errors
    /// The store was not reached: retry. The record is none of ours: bury.
    pub(crate) async fn read<R: Message + Default>(&self, key: &str) -> Result<Read<R>, Decision> {
        let entry = self.0.get(key).await.map_err(Decision::retry)?;
        let revision = entry.as_ref().map(|entry| entry.revision);
        let decode =
            |value: Bytes| R::decode(value).map_err(|error| Decision::bury("STATE_UNREADABLE", error));
        let record = entry.map_or_else(|| Ok(R::default()), |entry| decode(entry.value))?;
        Ok(Read { record, revision })
    }

    /// Saves a record; false if somebody else was faster.
    ///
    /// # Errors
    /// The store was not reached: retry. The record is too large for the bucket: bury.
    pub(crate) async fn save<R: Message>(&self, key: &str, read: &Read<R>) -> Result<bool, Decision> {
        let value = read.record.encode_to_vec().into();
        let saved = match read.revision {
            Some(revision) => self.0.update(key, value, revision).await,
            None => self.0.create(key, value).await,
        };
        match saved {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            Err(error) if error.kind == ErrorKind::TooLarge => Err(Decision::bury("STATE_TOO_LARGE", error)),
            Err(error) => Err(Decision::retry(error)),
        }
    }

    /// Changes a record until nobody else was faster; saves it only if `change` says so. Returns it as it stands.
    ///
    /// # Errors
    /// As for [`Ledger::read`] and [`Ledger::save`]; and retry when somebody else was faster too often.
    pub(crate) async fn change<R: Message + Default>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> bool + Send,
    ) -> Result<R, Decision> {
        for race in 0..MAX_RACES {
            let mut read = self.read::<R>(key).await?;
            if !change(&mut read.record) || self.save(key, &read).await? {
                return Ok(read.record);
            }
            lost(race).await;
        }
        Err(too_many(key))
    }
}

/// Waits a little, longer after each lost race.
pub(crate) async fn lost(race: u32) {
    tokio::time::sleep(PAUSE * race.min(20)).await;
}

/// Others were faster too often.
pub(crate) fn too_many(key: &str) -> Decision {
    Decision::retry(anyhow::anyhow!("lost the race for entry {key} {MAX_RACES} times"))
}
