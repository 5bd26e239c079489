//! Small protobuf records in a key-value bucket, changed by compare-and-set: what a handler keeps between messages.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use prost::Message;

use crate::{
    handler::Decision,
    transport::{Entries, ErrorKind},
};

/// After a lost race; grows with each.
const PAUSE: Duration = Duration::from_millis(2);
/// Lost races after which the pause grows no more.
const LONGEST: u32 = 20;

/// A bucket of records. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    entries: Arc<dyn Entries>,
    max_races: u32,
}

/// A record as read, and what to save it against.
#[derive(Debug)]
pub struct Noted<R> {
    /// The record; the default if there was none.
    pub record: R,
    revision: Option<u64>,
}

impl Ledger {
    /// Over a declared bucket; a message that loses `max_races` races in a row is tried again later.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, max_races: u32) -> Self {
        Self { entries, max_races }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The store was not reached: retry. The record is none of ours: bury.
    pub async fn read<R: Message + Default>(&self, key: &str) -> Result<Noted<R>, Decision> {
        let entry = self.entries.get(key).await.map_err(Decision::retry)?;
        let revision = entry.as_ref().map(|entry| entry.revision);
        let decode =
            |value: Bytes| R::decode(value).map_err(|error| Decision::bury("STATE_UNREADABLE", error));
        let record = entry.map_or_else(|| Ok(R::default()), |entry| decode(entry.value))?;
        Ok(Noted { record, revision })
    }

    /// Saves a record; false if somebody else was faster.
    ///
    /// # Errors
    /// The store was not reached: retry. The record is too large for the bucket: bury.
    pub async fn save<R: Message>(&self, key: &str, noted: &Noted<R>) -> Result<bool, Decision> {
        let value = noted.record.encode_to_vec().into();
        let saved = match noted.revision {
            Some(revision) => self.entries.update(key, value, revision).await,
            None => self.entries.create(key, value).await,
        };
        match saved {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            Err(error) if error.kind == ErrorKind::TooLarge => Err(Decision::bury("STATE_TOO_LARGE", error)),
            Err(error) => Err(Decision::retry(error)),
        }
    }

    /// Reads a record, lets `change` work on it, and saves it if `change` says so; again where somebody else was faster.
    /// Gives the record as it stands and what `change` gave.
    ///
    /// # Errors
    /// As for [`Ledger::read`] and [`Ledger::save`]; and retry when somebody else was faster too often.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether the record was saved.
    pub async fn change<R, T>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> (bool, T) + Send,
    ) -> Result<(R, T), Decision>
    where
        R: Message + Default,
    {
        let mut race = 0;
        loop {
            let mut noted = self.read::<R>(key).await?;
            let (is_changed, told) = change(&mut noted.record);
            if !is_changed || self.save(key, &noted).await? {
                return Ok((noted.record, told));
            }
            self.lost(key, race).await?;
            race += 1;
        }
    }

    /// Waits a little after a lost race, the first being 0, longer after each.
    ///
    /// # Errors
    /// It was one too many: retry the message later.
    pub async fn lost(&self, key: &str, race: u32) -> Result<(), Decision> {
        if race + 1 >= self.max_races {
            let what = anyhow::anyhow!("lost the race for entry {key} {} times", self.max_races);
            return Err(Decision::retry(what));
        }
        tokio::time::sleep(PAUSE * race.min(LONGEST)).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Topology, Transport as _, memory::Memory};

    const BUCKET: &str = "records";

    #[derive(Clone, PartialEq, Message)]
    struct Count {
        #[prost(uint64, tag = "1")]
        n: u64,
    }

    async fn ledger() -> (Ledger, Arc<dyn Entries>) {
        let memory = Memory::new();
        memory.declare(&Topology { entries: vec![BUCKET], ..Topology::default() }).await.unwrap();
        let entries = memory.entries(BUCKET);
        (Ledger::new(entries.clone(), 3), entries)
    }

    fn add(count: &mut Count) -> (bool, u64) {
        count.n += 1;
        (true, count.n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_is_changed_by_one_at_a_time() {
        let (ledger, _) = ledger().await;
        let mine = ledger.read::<Count>("a").await.unwrap();
        assert_eq!(ledger.change("a", add).await.unwrap(), (Count { n: 1 }, 1));
        assert!(!ledger.save("a", &mine).await.unwrap(), "somebody was faster");
        assert_eq!(ledger.change("a", add).await.unwrap().1, 2);
        let unchanged = ledger.change("a", |count: &mut Count| (false, count.n)).await.unwrap();
        assert_eq!(unchanged, (Count { n: 2 }, 2));
        assert_eq!(ledger.read::<Count>("a").await.unwrap().record, Count { n: 2 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_race_lost_too_often_is_tried_later_and_damage_is_buried() {
        let (ledger, entries) = ledger().await;
        assert!(ledger.lost("a", 1).await.is_ok());
        assert!(matches!(ledger.lost("a", 2).await, Err(Decision::Retry { .. })));
        entries.create("b", Bytes::from_static(b"\xff")).await.unwrap();
        assert!(matches!(ledger.read::<Count>("b").await, Err(Decision::Bury { .. })));
    }
}
