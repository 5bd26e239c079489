//! Small records in a key-value bucket, changed by compare-and-set: what a service keeps between messages.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};

use crate::transport::{Entries, Error, ErrorKind};

/// After a lost race; grows with each.
const PAUSE: Duration = Duration::from_millis(2);
/// Lost races after which the pause grows no more.
const LONGEST: u32 = 20;

/// What a bucket can hold. Every protobuf message is one. An absent record reads as the default.
pub trait Record: Default + Send + Sync {
    /// The stored form.
    fn encode(&self) -> Bytes;

    /// Reads the stored form.
    ///
    /// # Errors
    /// The value is no such record.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>>;
}

/// A bucket of records. Cheap to clone.
#[derive(Clone)]
pub struct RecordStore {
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

// === impl Record ===

impl<M: prost::Message + Default> Record for M {
    fn encode(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(prost::Message::decode(value)?)
    }
}

// === impl RecordStore ===

impl RecordStore {
    /// Over a declared bucket; who loses `max_races` races in a row for one record is told of a conflict.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, max_races: u32) -> Self {
        Self { entries, max_races }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The store was not reached: try again. `Unreadable`: the record is none of ours.
    pub async fn read<R: Record>(&self, key: &str) -> Result<Noted<R>, Error> {
        Ok(match self.entries.get(key).await? {
            Some(entry) => Noted { record: decode(key, entry.value)?, revision: Some(entry.revision) },
            None => Noted { record: R::default(), revision: None },
        })
    }

    /// Saves a record; false if somebody else was faster.
    ///
    /// # Errors
    /// The store was not reached: try again. `TooLarge`: the record does not fit into the bucket.
    pub async fn save<R: Record>(&self, key: &str, noted: &Noted<R>) -> Result<bool, Error> {
        let value = noted.record.encode();
        let saved = match noted.revision {
            Some(revision) => self.entries.update(key, value, revision).await,
            None => self.entries.create(key, value).await,
        };
        match saved {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a record, lets `change` work on it, and saves it if `change` says so; again where somebody else was faster.
    /// Gives the record as it stands and what `change` gave.
    ///
    /// # Errors
    /// As for [`RecordStore::read`] and [`RecordStore::save`]; `Conflict` when somebody else was faster too often.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether the record was saved.
    pub async fn change<R: Record, T>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> (bool, T) + Send,
    ) -> Result<(R, T), Error> {
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
    /// `Conflict`: it was one too many.
    pub async fn lost(&self, key: &str, race: u32) -> Result<(), Error> {
        if race + 1 >= self.max_races {
            let what = format!("lost the race for entry {key} {} times", self.max_races);
            return Err(Error::new(ErrorKind::Conflict, what));
        }
        tokio::time::sleep(PAUSE * race.min(LONGEST)).await;
        Ok(())
    }

    /// Yields the record as it stands, if there is one, then as it stands after every later change.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn watch<R: Record + 'static>(
        &self,
        key: &str,
    ) -> Result<BoxStream<'static, Result<R, Error>>, Error> {
        let key = key.to_owned();
        let entries = self.entries.watch(&key).await?;
        Ok(entries.map(move |entry| decode(&key, entry?.value)).boxed())
    }
}

fn decode<R: Record>(key: &str, value: Bytes) -> Result<R, Error> {
    let unreadable = || Error::new(ErrorKind::Unreadable, format!("entry {key} does not read"));
    R::decode(value).map_err(|error| unreadable().because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Topology, Transport as _, memory::Memory};

    const BUCKET: &str = "records";

    #[derive(Clone, PartialEq, prost::Message)]
    struct Count {
        #[prost(uint64, tag = "1")]
        n: u64,
    }

    async fn store() -> (RecordStore, Arc<dyn Entries>) {
        let memory = Memory::new();
        memory.declare(&Topology { entries: vec![BUCKET], ..Topology::default() }).await.unwrap();
        let entries = memory.entries(BUCKET);
        (RecordStore::new(entries.clone(), 3), entries)
    }

    fn add(count: &mut Count) -> (bool, u64) {
        count.n += 1;
        (true, count.n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_is_changed_by_one_at_a_time() {
        let (store, _) = store().await;
        let mine = store.read::<Count>("a").await.unwrap();
        assert_eq!(store.change("a", add).await.unwrap(), (Count { n: 1 }, 1));
        assert!(!store.save("a", &mine).await.unwrap(), "somebody was faster");
        assert_eq!(store.change("a", add).await.unwrap().1, 2);
        let unchanged = store.change("a", |count: &mut Count| (false, count.n)).await.unwrap();
        assert_eq!(unchanged, (Count { n: 2 }, 2));
        assert_eq!(store.read::<Count>("a").await.unwrap().record, Count { n: 2 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_race_lost_too_often_and_damage_are_told_apart() {
        let (store, entries) = store().await;
        assert!(store.lost("a", 1).await.is_ok());
        assert_eq!(store.lost("a", 2).await.unwrap_err().kind, ErrorKind::Conflict);
        entries.create("b", Bytes::from_static(b"\xff")).await.unwrap();
        assert_eq!(store.read::<Count>("b").await.unwrap_err().kind, ErrorKind::Unreadable);
    }
}
