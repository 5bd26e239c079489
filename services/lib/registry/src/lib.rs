//! Stores the registry of agencies in the broker, so that every service reads the same list.
//!
//! Each list is an object under its digest, and one entry names the current list. This crate stores, reads and follows
//! it. The list itself is a [`Registry`] of `gongkai-agencies`.

#![warn(missing_docs)]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use gongkai_agencies::{Registry, read_csv, write_csv};
use gongkai_worker::{
    OnFailure, Record, RecordStore, Recurring, Runtime,
    transport::{Entries, Error, ErrorKind, Objects},
};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

/// Key of the entry that names the current list.
const CURRENT: &str = "registry";
/// Key of the entry that names the list by which all stored reports are filed and checked.
const SETTLED: &str = "settled";
/// Pause before a retry.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of lost races in a row before [`RegistryStore::put`] fails.
const MAX_RACES: u32 = 8;

/// The stored registry of agencies. Cheap to clone.
#[derive(Clone)]
pub struct RegistryStore {
    records: RecordStore,
    objects: Arc<dyn Objects>,
}

/// The current list of agencies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Following {
    list: watch::Receiver<Arc<Registry>>,
    /// Why the list was not read yet.
    unread: watch::Receiver<Option<ErrorKind>>,
}

/// Key of the current list; empty if none was ever stored.
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
    /// Creates a store over two declared buckets.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, objects: Arc<dyn Objects>) -> Self {
        Self { records: RecordStore::new(entries, MAX_RACES), objects }
    }

    /// Returns the current list, or an empty one if none was ever stored.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Unreadable`: the stored list cannot be parsed.
    pub async fn read(&self) -> Result<Registry, Error> {
        self.named(&self.newest().await?).await
    }

    /// Returns the name of the current list, or an empty one if none was ever stored. Reads the broker, so that every list that was
    /// stored before the call is seen.
    ///
    /// # Errors
    /// `Unavailable`: try again.
    pub async fn newest(&self) -> Result<String, Error> {
        Ok(self.records.read::<Current>(CURRENT).await?.record.0)
    }

    /// Returns a stored list by its name. The empty name is that of the empty list.
    ///
    /// # Errors
    /// As for [`RegistryStore::read`].
    pub async fn named(&self, name: &str) -> Result<Registry, Error> {
        if name.is_empty() { Ok(Registry::default()) } else { self.load(name).await }
    }

    /// Replaces the current list. Returns once the new one is durable; services follow within moments.
    ///
    /// # Errors
    /// `Conflict`: other writers replaced the list during every attempt. Otherwise the broker did not answer. In both
    /// cases try again; the call is idempotent.
    pub async fn put(&self, registry: &Registry) -> Result<(), Error> {
        let list = write_csv(registry);
        let name = hex::encode(Sha256::digest(&list));
        self.objects.put(&name, list.into()).await?;
        // Versions before this entry settled all reports by the list that they stored.
        let Current(before) = self.records.read(CURRENT).await?.record;
        let settle = |settled: &mut Current| {
            let is_new = settled.0.is_empty() && !before.is_empty();
            if is_new {
                settled.0.clone_from(&before);
            }
            (is_new, ())
        };
        self.records.change(SETTLED, settle).await?;
        let replace = |current: &mut Current| (true, current.0.clone_from(&name));
        self.records.change(CURRENT, replace).await.map(drop)
    }

    /// Returns the list by which all stored reports were last settled; an empty one if there is none.
    ///
    /// # Errors
    /// As for [`RegistryStore::read`].
    pub async fn settled(&self) -> Result<Registry, Error> {
        let Current(name) = self.records.read(SETTLED).await?.record;
        self.named(&name).await
    }

    /// Records that all stored reports are settled by a stored list.
    ///
    /// # Errors
    /// As for [`RegistryStore::put`].
    pub async fn settle(&self, list: &Registry) -> Result<(), Error> {
        let settle = |settled: &mut Current| {
            let is_new = settled.0 != list.name();
            list.name().clone_into(&mut settled.0);
            (is_new, ())
        };
        self.records.change(SETTLED, settle).await.map(drop)
    }

    /// Follows the current list until the runtime shuts down. Returns at once, even if the broker is unavailable.
    #[must_use]
    pub fn follow(self, runtime: &Runtime) -> Following {
        let (list, followed) = watch::channel(Arc::default());
        let (unread, followed_unread) = watch::channel(Some(ErrorKind::Unavailable));
        let shutdown = runtime.shutdown();
        runtime.spawn("registry", OnFailure::ShutDown, async move {
            let forwarding = async {
                list.send_replace(Arc::new(self.read_first(&unread).await));
                unread.send_replace(None);
                self.forward(&list).await;
            };
            shutdown.run_until_cancelled(forwarding).await;
            Ok(())
        });
        Following { list: followed, unread: followed_unread }
    }

    async fn read_first(&self, unread: &watch::Sender<Option<ErrorKind>>) -> Registry {
        let failure = Recurring::new();
        loop {
            match self.read().await {
                Ok(registry) => return registry,
                Err(error) => {
                    unread.send_replace(Some(error.kind));
                    // The runtime logs outages.
                    if !error.kind.is_outage()
                        && let Some(failures) = failure.due()
                    {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            failures,
                            "registry not read"
                        );
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn forward(&self, sender: &watch::Sender<Arc<Registry>>) {
        let failure = Recurring::new();
        loop {
            if let Err(error) = self.forward_while_reached(sender).await
                && !error.kind.is_outage()
                && let Some(failures) = failure.due()
            {
                tracing::warn!(error = &error as &dyn std::error::Error, failures, "registry not followed");
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
        let unreadable = || Error::new(ErrorKind::Unreadable, format!("registry {name} cannot be parsed"));
        let list = read_csv(&list).map_err(|error| unreadable().because(error))?;
        Ok(list.named(name))
    }
}

// === impl Following ===

impl Following {
    /// Creates a followed list from one that the caller provides.
    #[must_use]
    pub fn of(list: watch::Receiver<Arc<Registry>>) -> Self {
        Self { list, unread: watch::channel(None).1 }
    }

    /// Returns the current list.
    ///
    /// # Errors
    /// The list was not read yet; the error has the kind of the failure. An empty list would be a different answer.
    pub fn current(&self) -> Result<Arc<Registry>, Error> {
        match *self.unread.borrow() {
            None => Ok(self.list.borrow().clone()),
            Some(kind) => Err(Error::new(kind, "the list of agencies is not read yet")),
        }
    }

    /// Returns a receiver of the list and every later one. The list is empty until it is read.
    #[must_use]
    pub fn latest(&self) -> watch::Receiver<Arc<Registry>> {
        self.list.clone()
    }

    /// Waits until the list is read, and returns a receiver of it and every later one. At shutdown it may be empty.
    pub async fn read(mut self) -> watch::Receiver<Arc<Registry>> {
        // An error means that the runtime shuts down.
        self.unread.wait_for(Option::is_none).await.ok();
        self.list
    }
}
