//! Small protobuf records in a key-value bucket, changed by compare-and-set.

use std::sync::Arc;

use gongkai_worker::{
    Decision,
    transport::{Entries, Error, ErrorKind},
};
use prost::Message;

/// Lost races in a row before the message is tried again later.
const MAX_RACES: usize = 16;

/// A bucket of records. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<dyn Entries>);

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
    pub(crate) async fn read<R: Message + Default>(&self, key: &str) -> Result<R, Decision> {
        let entry = self.0.get(key).await.map_err(Decision::retry)?;
        entry.map_or_else(|| Ok(R::default()), |entry| decode(entry.value))
    }

    /// Reads a record, lets `change` work on it, and saves it if `change` says so; repeats when somebody else was
    /// faster. Returns what `change` returned with the record as it stands.
    ///
    /// # Errors
    /// As for [`Ledger::read`]; and retry when somebody else was faster too often.
    pub(crate) async fn change<R, T>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> (bool, T) + Send,
    ) -> Result<(R, T), Decision>
    where
        R: Message + Default,
    {
        for _ in 0..MAX_RACES {
            let entry = self.0.get(key).await.map_err(Decision::retry)?;
            let revision = entry.as_ref().map(|entry| entry.revision);
            let mut record = entry.map_or_else(|| Ok(R::default()), |entry| decode(entry.value))?;
            let (save, told) = change(&mut record);
            if !save {
                return Ok((record, told));
            }
            match self.save(key, &record, revision).await {
                Ok(()) => return Ok((record, told)),
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Err(error) if error.kind == ErrorKind::TooLarge => {
                    return Err(Decision::bury("STATE_TOO_LARGE", error));
                }
                Err(error) => return Err(Decision::retry(error)),
            }
        }
        Err(Decision::retry(anyhow::anyhow!("lost the race for entry {key} {MAX_RACES} times")))
    }

    async fn save(&self, key: &str, record: &impl Message, revision: Option<u64>) -> Result<(), Error> {
        let value = record.encode_to_vec().into();
        match revision {
            Some(revision) => self.0.update(key, value, revision).await?,
            None => self.0.create(key, value).await?,
        };
        Ok(())
    }
}

fn decode<R: Message + Default>(value: bytes::Bytes) -> Result<R, Decision> {
    R::decode(value).map_err(|error| Decision::bury("STATE_UNREADABLE", error))
}
