//! Stores of the handlers' own, such as a database or a mail server, while they are unavailable.
//!
//! An outage of such a store lasts while a message waits for it. Meanwhile `/readyz` names the store, a metric counts
//! the messages, and one line a minute at most is logged. What one process's services share is not here: each service
//! waits for stores of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use tokio::time::Instant;

use crate::metrics::{Meters, Tally};
use crate::readiness::{Latch, Readiness};
use crate::recurring::Recurring;

/// The own stores of one service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OwnStores(Arc<Inner>);

struct Inner {
    readiness: Readiness,
    meters: Meters,
    stores: Mutex<BTreeMap<&'static str, OwnStore>>,
}

struct OwnStore {
    level: Tally,
    waiting: usize,
    /// Held while a message waits.
    latch: Option<Latch>,
    since: Instant,
    failure: Recurring,
    /// True if this outage was logged, so that its end is logged too.
    was_said: bool,
}

/// A message that waits for a store, until it is dropped.
pub(crate) struct Waiting {
    stores: OwnStores,
    name: &'static str,
}

// === impl OwnStores ===

impl OwnStores {
    pub(crate) fn new(readiness: Readiness, meters: Meters) -> Self {
        Self(Arc::new(Inner { readiness, meters, stores: Mutex::default() }))
    }

    /// Creates the metric of a store that is not away, so that it starts at zero.
    pub(crate) fn know(&self, name: &'static str) {
        let mut stores = self.lock();
        self.store(&mut stores, name);
    }

    /// Records that a call to the store failed, and that a message waits for it from now on.
    pub(crate) fn away(&self, name: &'static str, cause: &anyhow::Error) -> Waiting {
        let mut stores = self.lock();
        let store = self.store(&mut stores, name);
        if store.waiting == 0 {
            let latch = self.0.readiness.latch("own store");
            latch.say(format!("{name}, which does not answer: {cause:#}"));
            store.latch = Some(latch);
            store.since = Instant::now();
        }
        store.waiting += 1;
        store.level.add(1);
        if let Some(failures) = store.failure.due() {
            store.was_said = true;
            let (seconds, error) = (store.since.elapsed().as_secs(), format!("{cause:#}"));
            tracing::error!(
                store = name,
                error,
                failures,
                seconds,
                "store does not answer; trying again until it does"
            );
        }
        Waiting { stores: self.clone(), name }
    }

    fn store<'s>(
        &self,
        stores: &'s mut BTreeMap<&'static str, OwnStore>,
        name: &'static str,
    ) -> &'s mut OwnStore {
        stores.entry(name).or_insert_with(|| OwnStore {
            level: self.0.meters.level(
                "worker.store.waiting",
                "{message}",
                "messages that wait for a store of the service's own",
                vec![KeyValue::new("store", name)],
            ),
            waiting: 0,
            latch: None,
            since: Instant::now(),
            failure: Recurring::new(),
            was_said: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, OwnStore>> {
        self.0.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut stores = self.stores.lock();
        let Some(store) = stores.get_mut(self.name) else { return };
        store.level.add(-1);
        store.waiting -= 1;
        if store.waiting > 0 {
            return;
        }
        store.latch = None;
        if std::mem::take(&mut store.was_said) {
            let seconds = store.since.elapsed().as_secs();
            tracing::info!(store = self.name, seconds, "no message waits for the store");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recurring::REPEAT;
    use crate::testing::LogCapture;

    #[tokio::test(start_paused = true)]
    async fn an_outage_lasts_while_a_message_waits_and_is_logged_once_a_minute() {
        let log = LogCapture::start();
        let readiness = Readiness::default();
        let stores = OwnStores::new(readiness.clone(), Meters::local());
        stores.know("db");
        let refused = anyhow::anyhow!("connection refused");
        let first = stores.away("db", &refused);
        assert_eq!(readiness.waiting(), ["db, which does not answer: connection refused"]);
        tokio::time::advance(REPEAT / 2).await;
        let second = stores.away("db", &refused);
        assert_eq!(log.lines().len(), 1);
        drop(first);
        assert!(!readiness.is_ready(), "the second message still waits");
        drop(second);
        assert!(readiness.is_ready());
        assert_eq!(log.lines()[1]["message"], "no message waits for the store");
        // A store that comes and goes is not logged each time.
        drop(stores.away("db", &refused));
        assert_eq!(log.lines().len(), 2);
        tokio::time::advance(REPEAT).await;
        drop(stores.away("db", &refused));
        let lines = log.lines();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            (&lines[2]["fields"]["store"], &lines[2]["fields"]["failures"]),
            (&"db".into(), &3.into())
        );
    }
}
