//! Where the registry of agencies lies so that every service reads the same: the list as an object named by its digest,
//! and an entry that says which list counts.
//!
//! What a list says and how it is asked is `gongkai-agencies`; here it is put, read and followed.

#![warn(missing_docs)]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use gongkai_agencies::{Registry, read_csv, write_csv};
use gongkai_worker::{
    OnFailure, Record, RecordStore, Runtime,
    transport::{Entries, Error, ErrorKind, Objects},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// The entry that names the list.
const CURRENT: &str = "registry";
/// Before asking a broker again that was away.
const PAUSE: Duration = Duration::from_secs(1);
/// Lost races in a row before the caller is told.
const MAX_RACES: u32 = 8;

/// The registry's place in the broker. Cheap to clone.
#[derive(Clone)]
pub struct RegistryStore {
    records: RecordStore,
    objects: Arc<dyn Objects>,
}

/// Name of the list that counts; empty if none was ever put.
#[derive(Default)]
struct Current(String);

impl Record for Current {
    fn encode(&self) -> Bytes {
        self.0.clone().into()
    }

    fn decode(name: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(String::from_utf8(name.into())?))
    }
}

impl RegistryStore {
    /// Over two declared buckets.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, objects: Arc<dyn Objects>) -> Self {
        Self { records: RecordStore::new(entries, MAX_RACES), objects }
    }

    /// The list that counts; an empty one if none was ever put.
    ///
    /// # Errors
    /// The broker was not reached, or what lies there is no list of ours.
    pub async fn read(&self) -> Result<Registry, Error> {
        let Current(name) = self.records.read(CURRENT).await?.record;
        if name.is_empty() { Ok(Registry::default()) } else { self.load(&name).await }
    }

    /// Puts a list in place of the one before. Returns once it is durable; services follow within moments.
    ///
    /// # Errors
    /// The broker was not reached, or others put lists at the same time again and again: nothing counts that did not before.
    pub async fn put(&self, registry: &Registry) -> Result<(), Error> {
        let list = write_csv(registry);
        let name = hex::encode(Sha256::digest(&list));
        self.objects.put(&name, list.into()).await?;
        let replace = |current: &mut Current| (true, current.0.clone_from(&name));
        self.records.change(CURRENT, replace).await.map(drop)
    }

    /// The list that counts now and every later one. Waits for the broker, so that a service does not begin without the
    /// list; ends with the runtime.
    pub async fn follow(self, runtime: &Runtime) -> watch::Receiver<Arc<Registry>> {
        let first = loop {
            match self.read().await {
                Ok(registry) => break registry,
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "registry not read"),
            }
            tokio::select! {
                () = runtime.shutdown().cancelled_owned() => break Registry::default(),
                () = tokio::time::sleep(PAUSE) => {}
            }
        };
        let (sender, receiver) = watch::channel(Arc::new(first));
        let shutdown = runtime.shutdown();
        runtime.spawn("registry", OnFailure::ShutDown, async move {
            shutdown.run_until_cancelled(self.forward(&sender)).await;
            Ok(())
        });
        receiver
    }

    async fn forward(&self, sender: &watch::Sender<Arc<Registry>>) {
        loop {
            if let Err(error) = self.forward_while_reached(sender).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "registry not followed");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn forward_while_reached(&self, sender: &watch::Sender<Arc<Registry>>) -> Result<(), Error> {
        let mut later = self.records.watch::<Current>(CURRENT).await?;
        while let Some(current) = later.next().await {
            let registry = self.load(&current?.0).await?;
            tracing::info!(agencies = registry.len(), "registry read");
            sender.send_replace(Arc::new(registry));
        }
        Ok(())
    }

    async fn load(&self, name: &str) -> Result<Registry, Error> {
        let list = self.objects.get(name).await?;
        let list =
            list.ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("registry {name} is not there")))?;
        let unreadable = || Error::new(ErrorKind::Unreadable, format!("registry {name} does not read"));
        read_csv(&list).map_err(|error| unreadable().because(error))
    }
}
