//! Orphaned objects: originals whose documents are not in the log, and texts of such documents.
//!
//! An object is an orphan if no event of the log names the hash in its key, it was stored after the log was created
//! and after the last accepted loss, and it is older than `nats.orphan_age_s`. Objects from before the present log
//! are kept: they are the remains of a lost log.
//!
//! A sender may publish the same content while it is deleted. Therefore the log is read on after each deletion, and
//! an object that an event names by then is restored; a sender that publishes later checks for the object again
//! (`Intake::submit`).

use std::{collections::HashSet, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use gongkai_proto::{
    ReportEvent,
    subjects::{BUCKET_ORIGINALS, BUCKET_TEXTS, Event, STREAM_REPORTS},
    v1,
};
use gongkai_worker::{
    Transport,
    holdings::inspector::Inspection,
    transport::{self, StoredObject, TopologyPart, divided::Divided, jetstream::JetStream, s3::S3},
};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::table::{Column, TableRow};

/// The buckets with an object per document.
const BUCKETS: [&str; 2] = [BUCKET_ORIGINALS, BUCKET_TEXTS];
/// Number of messages of the log that are read ahead.
const READ_AHEAD: usize = 64;
/// Pause after each deletion, so that the services have priority.
const PAUSE: Duration = Duration::from_millis(20);
/// Maximum number of objects that one run deletes.
const MAX_COLLECTED: usize = 10_000;

/// An object that no event names.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Orphan {
    bucket: &'static str,
    key: String,
    bytes: u64,
    stored_at: String,
    pub(super) collected: bool,
}

/// The hashes that the log names, up to a sequence.
struct NamedHashes {
    transport: Arc<dyn Transport>,
    hashes: HashSet<String>,
    next: u64,
}

/// Lists the orphans that were stored before `until`, and deletes them if `collects`. The objects are in `store`, or in
/// the broker if there is none.
///
/// # Errors
/// The log or a bucket was lost or replaced, or the broker did not answer. Objects that were deleted before stay
/// deleted.
pub(super) async fn run(
    broker: &JetStream,
    store: Option<&S3>,
    inspection: &Inspection,
    until: OffsetDateTime,
    collects: bool,
) -> anyhow::Result<Vec<Orphan>> {
    let mut transport: Arc<dyn Transport> = Arc::new(broker.clone());
    if let Some(store) = store {
        transport = Arc::new(Divided::new(transport, store.clone(), BUCKETS.to_vec()));
    }
    let since = since(inspection)?;
    let mut named = NamedHashes { transport: transport.clone(), hashes: HashSet::new(), next: 1 };
    let mut orphans = Vec::new();
    for bucket in BUCKETS {
        // Objects that are stored after this are too young.
        for object in
            stored(broker, store, bucket).await.with_context(|| format!("couldn't list {bucket}"))?
        {
            if since < object.stored_at && object.stored_at < until {
                let stored_at = object.stored_at.format(&Rfc3339)?;
                let (key, bytes) = (object.key, object.bytes);
                orphans.push(Orphan { bucket, key, bytes, stored_at, collected: false });
            }
        }
    }
    named.read_on().await?;
    orphans.retain(|orphan| !named.names(orphan));
    if collects {
        for orphan in orphans.iter_mut().take(MAX_COLLECTED) {
            orphan.collected = collect(&mut named, orphan).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(orphans)
}

/// Returns the time after which an object must have been stored to be an orphan.
fn since(inspection: &Inspection) -> anyhow::Result<OffsetDateTime> {
    let marker = inspection
        .marker
        .as_ref()
        .context("nothing tells whether the log is whole: there is no marker yet")?;
    for part in [
        TopologyPart::Stream(STREAM_REPORTS),
        TopologyPart::Objects(BUCKET_ORIGINALS),
        TopologyPart::Objects(BUCKET_TEXTS),
    ] {
        let fault = inspection.faults.iter().find(|fault| fault.part == part);
        ensure!(
            fault.is_none(),
            "nothing is collected: {}",
            fault.map(ToString::to_string).unwrap_or_default()
        );
    }
    let log = inspection.inventory.iter().find(|(part, _)| *part == TopologyPart::Stream(STREAM_REPORTS));
    let log = log.and_then(|(_, held)| *held).context("there is no log yet")?;
    let accepted = OffsetDateTime::from_unix_timestamp_nanos(i128::from(marker.accepted_ms) * 1_000_000)?;
    Ok(log.created.max(accepted))
}

/// Returns the objects of a bucket, which is in the S3 store if there is one, and in the broker otherwise.
async fn stored(
    broker: &JetStream,
    store: Option<&S3>,
    bucket: &str,
) -> Result<Vec<StoredObject>, transport::Error> {
    match store {
        Some(store) => store.stored(bucket).await,
        None => broker.stored(bucket).await,
    }
}

/// Deletes an orphan. Returns false if an event names it meanwhile.
async fn collect(named: &mut NamedHashes, orphan: &Orphan) -> anyhow::Result<bool> {
    let objects = named.transport.objects(orphan.bucket);
    let Some(content) = objects.get(&orphan.key).await? else { return Ok(true) };
    named.read_on().await?;
    if named.names(orphan) {
        return Ok(false);
    }
    objects.delete(&orphan.key).await?;
    named.read_on().await?;
    if named.names(orphan) {
        objects.put(&orphan.key, content).await?;
        return Ok(false);
    }
    Ok(true)
}

// === impl NamedHashes ===

impl NamedHashes {
    fn names(&self, orphan: &Orphan) -> bool {
        // The key of a text continues with the version of the parser.
        let hash = orphan.key.split('.').next().unwrap_or_default();
        self.hashes.contains(hash)
    }

    /// Reads the rest of the log.
    async fn read_on(&mut self) -> anyhow::Result<()> {
        let state = self.transport.stream_state(STREAM_REPORTS).await?;
        let from = self.next.max(state.first_sequence);
        let read = |sequence| self.transport.message(STREAM_REPORTS, sequence);
        let mut messages = stream::iter(from..=state.last_sequence).map(read).buffered(READ_AHEAD);
        while let Some(logged) = messages.next().await {
            let message = logged.context("couldn't read the log")?;
            // A gap may be a replica that lags behind, and the original of a missed event would be deleted.
            let message = message.context("a message of the log was not found; try again")?.message;
            if Event::of(&message.subject) == Some(Event::ReportReceived) {
                let event = ReportEvent::try_from((message.subject.as_str(), message.payload));
                self.hashes.extend(event.ok().into_iter().flat_map(hashes));
            }
        }
        self.next = state.last_sequence + 1;
        Ok(())
    }
}

/// Returns the contents that an event names.
fn hashes(event: ReportEvent) -> Vec<String> {
    let ReportEvent::Received(event) = event else { return Vec::new() };
    let v1::DocumentReceived { content, attachments, .. } = *event;
    content.into_iter().chain(attachments).map(|content| content.sha256).collect()
}

impl TableRow for Orphan {
    const COLUMNS: &'static [Column<Self>] = &[
        ("bucket", |orphan| orphan.bucket.to_owned()),
        ("key", |orphan| orphan.key.clone()),
        ("bytes", |orphan| orphan.bytes.to_string()),
        ("stored", |orphan| orphan.stored_at.clone()),
        ("collected", |orphan| if orphan.collected { "已回收 yes" } else { "否 no" }.to_owned()),
    ];
}

#[cfg(test)]
mod tests {
    use gongkai_proto::subjects::BUCKET_MARKER;
    use gongkai_worker::{
        Clock, Output, Runtime,
        holdings::{
            inspector::{inspect, repair},
            judge::{Loss, LostPart},
        },
        testing::{NatsServer, S3Server},
        transport::{Topology, jetstream::JetStreamSettings},
    };

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    struct Bench {
        store: Option<S3>,
        broker: JetStream,
        transport: Arc<dyn Transport>,
        _server: NatsServer,
    }

    impl Bench {
        /// Starts a broker whose loss was accepted once, with one original from before the loss.
        async fn start() -> Self {
            Self::start_over(None).await
        }

        /// The same with the objects in this store.
        async fn start_over(store: Option<S3>) -> Self {
            let server = NatsServer::start().await;
            let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
            let broker = JetStream::connect(&settings).await.unwrap();
            let mut transport: Arc<dyn Transport> = Arc::new(broker.clone());
            transport.declare(&topology(store.as_ref())).await.unwrap();
            if let Some(store) = &store {
                transport = Arc::new(Divided::new(transport, store.clone(), BUCKETS.to_vec()));
            }
            let this = Self { store, transport, broker, _server: server };
            this.put(BUCKET_ORIGINALS, "before").await;
            let clock = Clock::system();
            repair(&this.transport, &topology(this.store.as_ref()), BUCKET_MARKER, &clock).await.unwrap();
            this
        }

        async fn put(&self, bucket: &'static str, key: &str) {
            self.transport.objects(bucket).put(key, "年报".into()).await.unwrap();
        }

        async fn receive(&self, hash: &str) {
            let content = Some(v1::ContentRef { sha256: hash.to_owned(), ..Default::default() });
            let event = v1::DocumentReceived { content, ..Default::default() };
            let subject = Event::ReportReceived.subject("360982".parse().unwrap());
            let runtime = Runtime::builder("test", self.transport.clone()).build();
            let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
            runtime.publish(hash, output).await.unwrap();
        }

        async fn run(&self, until: OffsetDateTime, collects: bool) -> anyhow::Result<Vec<(String, bool)>> {
            let topology = topology(self.store.as_ref());
            let inspection = inspect(&self.transport, &topology, BUCKET_MARKER, None).await?;
            let mut orphans: Vec<_> = run(&self.broker, self.store.as_ref(), &inspection, until, collects)
                .await?
                .into_iter()
                .map(|orphan| (orphan.key, orphan.collected))
                .collect();
            orphans.sort();
            Ok(orphans)
        }

        async fn keys(&self) -> Vec<String> {
            let mut keys = Vec::new();
            for bucket in BUCKETS {
                let stored = stored(&self.broker, self.store.as_ref(), bucket);
                keys.extend(stored.await.unwrap().into_iter().map(|object| object.key));
            }
            keys.sort();
            keys
        }
    }

    /// Returns the topology of a broker, without the buckets that are in an S3 store.
    fn topology(store: Option<&S3>) -> Topology {
        let mut topology = gongkai_proto::topology!();
        if store.is_some() {
            topology.objects.clear();
        }
        topology
    }

    #[tokio::test]
    async fn what_no_event_names_is_listed_and_then_collected_and_nothing_else() {
        collects_what_no_event_names(Bench::start().await).await;
    }

    #[tokio::test]
    async fn orphans_in_an_s3_store_are_collected_too() {
        let server = S3Server::start().await;
        let bench = Bench::start_over(server.settings().s3().unwrap()).await;
        collects_what_no_event_names(bench).await;
    }

    async fn collects_what_no_event_names(bench: Bench) {
        for key in ["named", "orphan"] {
            bench.put(BUCKET_ORIGINALS, key).await;
            bench.put(BUCKET_TEXTS, &format!("{key}.1.0")).await;
        }
        bench.receive("named").await;
        let now = Clock::system().now();
        assert!(bench.run(now - MINUTE, true).await.unwrap().is_empty(), "all are too young");
        let orphans =
            |collected| vec![("orphan".to_owned(), collected), ("orphan.1.0".to_owned(), collected)];
        assert_eq!(bench.run(now + MINUTE, false).await.unwrap(), orphans(false));
        assert_eq!(bench.keys().await.len(), 5, "a look changes nothing");
        assert_eq!(bench.run(now + MINUTE, true).await.unwrap(), orphans(true));
        assert_eq!(bench.keys().await, ["before", "named", "named.1.0"]);
    }

    #[tokio::test]
    async fn what_an_event_names_meanwhile_stays() {
        let bench = Bench::start().await;
        bench.put(BUCKET_ORIGINALS, "late").await;
        let orphan = Orphan {
            bucket: BUCKET_ORIGINALS,
            key: "late".to_owned(),
            bytes: 0,
            stored_at: String::new(),
            collected: false,
        };
        let mut named = NamedHashes { transport: bench.transport.clone(), hashes: HashSet::new(), next: 1 };
        named.read_on().await.unwrap();
        bench.receive("late").await;
        assert!(!collect(&mut named, &orphan).await.unwrap());
        assert_eq!(bench.keys().await, ["before", "late"]);
    }

    #[tokio::test]
    async fn nothing_is_collected_while_the_log_is_lost() {
        let bench = Bench::start().await;
        bench.put(BUCKET_ORIGINALS, "orphan").await;
        let topology = gongkai_proto::topology!();
        let mut inspection = inspect(&bench.transport, &topology, BUCKET_MARKER, None).await.unwrap();
        let loss = Loss::Missing { last: 7 };
        inspection.faults.push(LostPart { part: TopologyPart::Stream(STREAM_REPORTS), loss });
        let refused =
            run(&bench.broker, None, &inspection, Clock::system().now() + MINUTE, true).await.unwrap_err();
        assert!(
            refused.to_string().contains("nothing is collected: stream GONGKAI_REPORTS is missing"),
            "{refused}"
        );
        assert_eq!(bench.keys().await, ["before", "orphan"]);
    }
}
