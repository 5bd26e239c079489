//! Small records in a key-value bucket, changed by compare-and-set. This is where a service keeps state between
//! messages.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};

use crate::transport::{Entries, Error, ErrorKind};

/// Pause after the second lost race. It grows by as much with each further one.
const PAUSE: Duration = Duration::from_millis(2);
/// Number of lost races after which the pause no longer grows.
const LONGEST: u32 = 20;

/// A value that a bucket can store. Every protobuf message is one. An absent record reads as the default.
pub trait Record: Default + Send + Sync {
    /// Encodes the record into its stored form.
    fn encode(&self) -> Bytes;

    /// Decodes the stored form.
    ///
    /// # Errors
    /// The value is not a record of this type. [`RecordStore`] reports it as `Unreadable`.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>>;
}

/// A bucket of records. Cheap to clone.
#[derive(Clone)]
pub struct RecordStore {
    entries: Arc<dyn Entries>,
    max_races: u32,
}

/// A record together with the revision it was read at.
#[derive(Debug)]
pub struct Versioned<R> {
    /// The record, or the default if there was none.
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
    /// Creates a store over a declared bucket. A caller that loses `max_races` races in a row for one record gets a
    /// `Conflict`.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, max_races: u32) -> Self {
        Self { entries, max_races }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Unreadable`: the stored value is not a record of this type, and no retry helps.
    pub async fn read<R: Record>(&self, key: &str) -> Result<Versioned<R>, Error> {
        Ok(match self.entries.get(key).await? {
            Some(entry) => Versioned { record: decode(key, entry.value)?, revision: Some(entry.revision) },
            None => Versioned { record: R::default(), revision: None },
        })
    }

    /// Saves a record at the revision it was read at. Returns false, and saves nothing, if the record has changed
    /// since.
    ///
    /// # Errors
    /// `Unavailable` or `Full`: try again. `TooLarge`: the record exceeds the broker's size limit, and no retry helps.
    pub async fn save<R: Record>(&self, key: &str, versioned: &Versioned<R>) -> Result<bool, Error> {
        let value = versioned.record.encode();
        let saved = match versioned.revision {
            Some(revision) => self.entries.update(key, value, revision).await,
            None => self.entries.create(key, value).await,
        };
        match saved {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads a record, applies `change`, and saves the record if `change` returned true.
    ///
    /// Starts over with the new record if it changed in between, so `change` may run several times. Returns the record
    /// as it is stored now, and the second value that `change` returned.
    ///
    /// # Errors
    /// As for [`RecordStore::read`] and [`RecordStore::save`]. `Conflict`: too many races were lost in a row; try
    /// again.
    ///
    /// # Cancel safety
    /// If the future is dropped, the record may or may not have been saved.
    pub async fn change<R: Record, T>(
        &self,
        key: &str,
        mut change: impl FnMut(&mut R) -> (bool, T) + Send,
    ) -> Result<(R, T), Error> {
        let mut race = 0;
        loop {
            let mut versioned = self.read::<R>(key).await?;
            let (is_changed, output) = change(&mut versioned.record);
            if !is_changed || self.save(key, &versioned).await? {
                return Ok((versioned.record, output));
            }
            self.lost(key, race).await?;
            race += 1;
        }
    }

    /// Deletes a record, if there is one.
    ///
    /// # Errors
    /// `Unavailable`: try again.
    pub async fn forget(&self, key: &str) -> Result<(), Error> {
        match self.entries.get(key).await? {
            Some(_) => self.entries.delete(key).await,
            None => Ok(()),
        }
    }

    /// Pauses after a lost race, longer after each. The first race is number 0.
    ///
    /// # Errors
    /// `Conflict`: this was the last race allowed.
    pub async fn lost(&self, key: &str, race: u32) -> Result<(), Error> {
        if race + 1 >= self.max_races {
            let what = format!("lost the race for entry {key} {} times", self.max_races);
            return Err(Error::new(ErrorKind::Conflict, what));
        }
        tokio::time::sleep(PAUSE * race.min(LONGEST)).await;
        Ok(())
    }

    /// Returns a stream of the current record, if there is one, and of the record after every later change.
    ///
    /// # Errors
    /// `Unavailable`: try again. An error within the stream means that the watch must be started again.
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
    let unreadable = || Error::new(ErrorKind::Unreadable, format!("entry {key} cannot be decoded"));
    R::decode(value).map_err(|error| unreadable().because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Topology, Transport as _, memory::Memory};

    const BUCKET: &str = "records";

    #[derive(Clone, PartialEq, prost::Message)]
    struct SampleRecord {
        #[prost(uint64, tag = "1")]
        n: u64,
    }

    async fn store() -> (RecordStore, Arc<dyn Entries>) {
        let memory = Memory::new();
        memory.declare(&Topology { entries: vec![BUCKET], ..Topology::default() }).await.unwrap();
        let entries = memory.entries(BUCKET);
        (RecordStore::new(entries.clone(), 3), entries)
    }

    fn add(count: &mut SampleRecord) -> (bool, u64) {
        count.n += 1;
        (true, count.n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_is_changed_by_one_at_a_time() {
        let (store, _) = store().await;
        let mine = store.read::<SampleRecord>("a").await.unwrap();
        assert_eq!(store.change("a", add).await.unwrap(), (SampleRecord { n: 1 }, 1));
        assert!(!store.save("a", &mine).await.unwrap(), "somebody was faster");
        assert_eq!(store.change("a", add).await.unwrap().1, 2);
        let unchanged = store.change("a", |count: &mut SampleRecord| (false, count.n)).await.unwrap();
        assert_eq!(unchanged, (SampleRecord { n: 2 }, 2));
        assert_eq!(store.read::<SampleRecord>("a").await.unwrap().record, SampleRecord { n: 2 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_race_lost_too_often_and_damage_are_told_apart() {
        let (store, entries) = store().await;
        assert!(store.lost("a", 1).await.is_ok());
        assert_eq!(store.lost("a", 2).await.unwrap_err().kind, ErrorKind::Conflict);
        entries.create("b", Bytes::from_static(b"\xff")).await.unwrap();
        assert_eq!(store.read::<SampleRecord>("b").await.unwrap_err().kind, ErrorKind::Unreadable);
    }
}
