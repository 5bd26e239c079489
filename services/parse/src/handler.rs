//! The handler of the stage: it loads the original and its attachments, reads them, stores the text, and publishes
//! the facts.
//!
//! A document that is not a report is a normal output, `ReportRejected`, and so is an erased one. If the original
//! cannot be loaded, the message is retried; if it does not exist and was not erased, the message is buried. A
//! replica of the object store may lag behind the event, so the first deliveries retry in that case too.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use async_trait::async_trait;
use bytes::Bytes;
use gongkai_agencies::{Asked, Registry};
use gongkai_isolation::{Readers, ReceivedFile, received_files, received_statement};
use gongkai_model::{Difference, Part, Region, Rejection, RejectionCode, ReportKey, Versions, effective_at};
use gongkai_ownership::{Owners, SiteLimits, Thing};
use gongkai_proto::{
    ReportEvent, convert,
    subjects::{self, Event},
    v1,
};
use gongkai_reading::{Declared, JointReading, Limits, PartId, Reading, read_parts};
use gongkai_worker::{
    Context, Decision, Handler, Latch, Output, RecordStore, Runtime,
    transport::{MAX_MESSAGE_BYTES, Objects},
};
use prost::Message as _;
use tokio::{sync::watch, time::Instant};

use crate::{
    config::Config,
    metrics::{Metrics, Observer},
};

/// Media type of the texts in the object store.
const PARSED_TEXT: &str = "application/protobuf; type=gongkai.v1.ParsedText";

/// First and longest pause before a failed start of a child is repeated.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Number of deliveries after which a missing original leads to a dead letter.
const ORIGINAL_ATTEMPTS: u32 = 3;
/// Number of deliveries after which a document that is read again is filed by the list of agencies that is there.
const REGISTRY_ATTEMPTS: u32 = 4;
/// Maximum size of an event in bytes: half of a message, because validate adds its findings to the same facts.
const EVENT_LIMIT: usize = MAX_MESSAGE_BYTES / 2;

pub struct Reader {
    originals: Arc<dyn Objects>,
    texts: Arc<dyn Objects>,
    /// Ingest's records of contents. Only read here.
    contents: RecordStore,
    runtime: Runtime,
    limits: Limits,
    readers: Readers,
    versions: Versions,
    registry: watch::Receiver<Arc<Registry>>,
    owners: Owners,
    metrics: Metrics,
}

impl Reader {
    /// Creates a handler. `readers` read the documents, `registry` resolves the agencies of reports.
    #[must_use]
    pub fn new(
        config: &Config,
        runtime: &Runtime,
        readers: Readers,
        registry: watch::Receiver<Arc<Registry>>,
    ) -> Self {
        Self {
            originals: runtime.objects(subjects::BUCKET_ORIGINALS),
            texts: runtime.objects(subjects::BUCKET_TEXTS),
            contents: RecordStore::new(runtime.entries(subjects::BUCKET_CONTENTS), 1),
            runtime: runtime.clone(),
            limits: config.limits(),
            readers,
            versions: gongkai_reading::versions(),
            registry,
            owners: Owners::new(runtime),
            metrics: Metrics::new(runtime),
        }
    }

    /// Loads an original, or returns that it was erased.
    async fn original(
        &self,
        content: &v1::ContentRef,
        attempt: u32,
    ) -> Result<Result<Bytes, Rejection>, Decision> {
        if let Some(found) = self.originals.get(&content.key).await? {
            return Ok(Ok(found));
        }
        let known = self.contents.read::<v1::KnownContent>(&content.sha256).await?.record;
        if known.erased.is_some() {
            return Ok(Err(Rejection::erased()));
        }
        let missing = anyhow!("no object {}", content.key);
        if attempt < ORIGINAL_ATTEMPTS {
            Err(Decision::retry(missing))
        } else {
            Err(Decision::bury("ORIGINAL_MISSING", missing))
        }
    }

    /// Loads the main body and the attachments, or returns that one of them was erased.
    async fn files(
        &self,
        received: &v1::DocumentReceived,
        attempt: u32,
    ) -> Result<Result<Vec<ReceivedFile>, Rejection>, Decision> {
        let mut files = Vec::new();
        for (content, id) in received_files(received) {
            match self.original(content, attempt).await? {
                Ok(bytes) => files.push(ReceivedFile { bytes, content: content.clone(), id }),
                Err(erased) => return Ok(Err(erased)),
            }
        }
        Ok(Ok(files))
    }

    /// Reads the files of a submission in children, and occupies a slot of the CPU pool meanwhile. A fault of a
    /// reader affects only this submission. If a child is ended from outside, the submission is retried and not
    /// rejected. While no child can be started, it waits, `/readyz` gives the reason, and no attempt is used up
    /// before the deadline.
    async fn read(
        &self,
        files: Vec<ReceivedFile>,
        said: Arc<Declared>,
        steps: Vec<Observer>,
    ) -> Result<JointReading, Decision> {
        let (mut unready, mut pause) = (None::<Latch>, FIRST_PAUSE);
        let work = Arc::new((files, said, steps));
        loop {
            let (limits, readers, work) = (self.limits, self.readers.clone(), work.clone());
            let read = move || {
                let (files, said, steps) = &*work;
                let ids: Vec<PartId> = files.iter().map(|file| file.id.clone()).collect();
                read_parts(&ids, |at| readers.read(&files[at].document(said, limits), &steps[at]))
            };
            match self.runtime.cpu(read).await.map_err(Decision::retry)? {
                Err(unread) if unread.is_for_want_of_readers() => {
                    unready.get_or_insert_with(|| self.runtime.latch("readers")).say(unread.to_string());
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                read => return read.map_err(Decision::retry),
            }
        }
    }

    async fn parsed(
        &self,
        reading: &Reading,
        (key, differences): (&ReportKey, &[Difference]),
        received: &v1::DocumentReceived,
        origin: v1::Origin,
    ) -> Result<Output, Decision> {
        let report = &reading.report;
        let text = convert::report::text(report).encode_to_vec();
        let reference = self.text_reference(&text, report.year, &origin.content_hash);
        self.texts.put(&reference.key, text.into()).await?;
        let header = convert::report::header(report, key, reading.media_type, reference);
        let event = v1::ReportParsed {
            origin: Some(origin),
            report: Some(header),
            versions: Some((&self.versions).into()),
            differences: differences.iter().map(Into::into).collect(),
            filed_as: received.rereading.as_ref().map(|again| again.filed_as.clone()).unwrap_or_default(),
            registry: received.rereading.as_ref().map(|again| again.registry.clone()).unwrap_or_default(),
        };
        Ok(output(Event::ReportParsed, received, &event))
    }

    /// Returns the reference to a stored text. Its key derives from the original and the versions of parser and
    /// forms, so that reading a document again replaces the text. It includes the year, because a sender may declare
    /// it: the same page sent for two years results in two texts.
    fn text_reference(&self, text: &[u8], year: i32, content_hash: &str) -> v1::ContentRef {
        v1::ContentRef {
            bucket: subjects::BUCKET_TEXTS.to_owned(),
            key: format!("{content_hash}.p{}.f{}.y{year}", self.versions.parser, self.versions.forms),
            size_bytes: text.len() as u64,
            media_type: PARSED_TEXT.to_owned(),
            ..Default::default()
        }
    }

    /// Returns true if the sender may publish the report that was read. A report without an owner is assigned to the
    /// sender's site.
    async fn is_of_its_sender(
        &self,
        asked: &Asked<'_>,
        (key, registry): (&ReportKey, &Registry),
        received: &v1::DocumentReceived,
        sequence: u64,
    ) -> Result<bool, Decision> {
        let Some(sender) = received.sender.as_ref().filter(|_| received.kind() != v1::DocumentKind::Draft)
        else {
            return Ok(true);
        };
        let limits = SiteLimits { agencies: sender.agencies.clone(), regions: sender.regions.clone() };
        if limits.outside(asked, registry).is_some() {
            return Ok(false);
        }
        let (name, site) = (key.to_string(), sender.site.as_str());
        let report = Thing::Report(&name);
        let owner = match (site, sender.anonymous) {
            ("", false) => return Ok(true),
            ("", true) => self.owners.of(report).await?,
            (site, _) => self.owners.claim(report, site, sequence).await?,
        };
        Ok(owner.is_empty() || owner == site)
    }

    fn rejected(
        &self,
        rejection: &Rejection,
        parts: &[Part],
        received: &v1::DocumentReceived,
        (origin, registry, context): (v1::Origin, &Registry, &Context),
    ) -> Vec<Output> {
        if let Some(again) = &received.rereading {
            let (report, code) = (&again.filed_as, rejection.code.to_string());
            tracing::warn!(report, code, "the document was read again and rejected; nothing changes");
            return Vec::new();
        }
        let event = v1::ReportRejected {
            origin: Some(origin),
            rejection: Some(rejection.into()),
            versions: Some((&self.versions).into()),
            trace_id: context.trace_id.clone(),
            parts: parts.iter().map(Into::into).collect(),
            registry: registry.name().to_owned(),
        };
        vec![output(Event::ReportRejected, received, &event)]
    }
}

#[async_trait]
impl Handler for Reader {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        let started = Instant::now();
        let ReportEvent::Received(received) = event else { return Err(Decision::unexpected(context)) };
        if received.content.is_none() && received.attachments.is_empty() {
            return Err(Decision::bury("NO_CONTENT", anyhow!("the event names no original")));
        }
        let registry = self.registry.borrow().clone();
        await_registry(&registry, &received, context.attempt)?;
        let files = self.files(&received, context.attempt).await?;
        let origin = origin(&received, context);
        let files = match files {
            Ok(files) => files,
            Err(erased) => {
                log_rejected(&received, &erased, None, started);
                return Ok(self.rejected(&erased, &[], &received, (origin, &registry, context)));
            }
        };
        let steps: Vec<Observer> = files.iter().map(|_| Observer::default()).collect();
        let said = Arc::new(Declared::new(&received_statement(&received), &registry));
        let JointReading { result, parts, decided_by } =
            self.read(files, said.clone(), steps.clone()).await?;
        let steps = &steps[decided_by];
        let read = match result {
            Ok(reading) => {
                let (key, differences) = said.identify(&reading.report, &registry);
                let asked = said.asked(&reading.report);
                let named = (&key, &*registry);
                if self.is_of_its_sender(&asked, named, &received, origin.received_sequence).await? {
                    let parsed =
                        self.parsed(&reading, (&key, &differences), &received, origin.clone()).await?;
                    if parsed.payload.len() <= EVENT_LIMIT {
                        Ok((parsed, reading, key))
                    } else {
                        Err(too_large())
                    }
                } else {
                    Err(not_yours())
                }
            }
            Err(rejection) => Err(rejection),
        };
        Ok(match read {
            Ok((parsed, reading, key)) => {
                self.metrics.parsed(steps, &reading.report);
                log_parsed(&received, &key, steps, started);
                vec![parsed]
            }
            Err(rejection) => {
                self.metrics.rejected(steps, rejection.code);
                log_rejected(&received, &rejection, Some(steps), started);
                self.rejected(&rejection, &parts, &received, (origin, &registry, context))
            }
        })
    }
}

fn log_parsed(received: &v1::DocumentReceived, key: &ReportKey, steps: &Observer, started: Instant) {
    tracing::info!(
        submission_id = received.submission_id,
        report = %key,
        format = steps.format(),
        duration_ms = millis(started),
        "document parsed"
    );
}

fn log_rejected(
    received: &v1::DocumentReceived,
    rejection: &Rejection,
    steps: Option<&Observer>,
    started: Instant,
) {
    tracing::info!(
        submission_id = received.submission_id,
        code = rejection.code.as_str(),
        format = steps.map(Observer::format),
        duration_ms = millis(started),
        "document rejected"
    );
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns an error if the document is read again for a list of agencies that this process does not follow yet.
fn await_registry(
    registry: &Registry,
    received: &v1::DocumentReceived,
    attempt: u32,
) -> Result<(), Decision> {
    let awaited = received.rereading.as_ref().map_or("", |again| &again.registry);
    if awaited.is_empty() || awaited == registry.name() || attempt >= REGISTRY_ATTEMPTS {
        return Ok(());
    }
    Err(Decision::retry(anyhow!("the list of agencies is not {awaited} yet")))
}

/// Returns the region of the event, or `000000` if it has none.
fn region(received: &v1::DocumentReceived) -> Region {
    received.region.parse().unwrap_or_default()
}

/// Returns the origin of a document. It takes effect at the sender's time, but no later than its arrival in the log,
/// whose clock all documents share. An invalid time counts as not given.
fn origin(received: &v1::DocumentReceived, context: &Context) -> v1::Origin {
    let v1::DocumentReceived {
        submission_id,
        kind,
        content,
        attachments: _,
        agency,
        year,
        title: _,
        url,
        published_at,
        site,
        region: _,
        received_at,
        event_source: _,
        event_id: _,
        review,
        review_levels,
        event_time,
        supersedes: _,
        renews: _,
        sender,
        rereading,
    } = received;
    let (received_sequence, effective) = match rereading {
        Some(again) => (again.received_sequence, again.effective_at),
        None => (context.sequence, None),
    };
    let event_time = convert::timestamp::optional(*event_time, "event_time").unwrap_or_default();
    v1::Origin {
        submission_id: submission_id.clone(),
        kind: *kind,
        content_hash: received.content_hash(),
        received_sequence,
        received_at: *received_at,
        published_at: *published_at,
        url: url.clone(),
        site: site.clone(),
        region: region(received).to_string(),
        content: content.clone(),
        effective_at: effective
            .or_else(|| Some(convert::timestamp::timestamp(effective_at(event_time, context.logged_at)))),
        event_time: event_time.map(convert::timestamp::timestamp),
        review: review.clone(),
        review_levels: review_levels.clone(),
        declared_agency: agency.clone(),
        declared_year: *year,
        sender_site: sender.as_ref().map(|sender| sender.site.clone()).unwrap_or_default(),
    }
}

fn output(event: Event, received: &v1::DocumentReceived, message: &impl prost::Message) -> Output {
    Output::new(event.subject(region(received)), event.ce_type(), message)
}

fn too_large() -> Rejection {
    Rejection::new(
        RejectionCode::TooLarge,
        "表格单元格中的内容过长，不是年度报告应有的数据；请检查文件后重新报送。",
        "what stands in the table cells is far too long for a report; check the document and send it again",
    )
}

fn not_yours() -> Rejection {
    Rejection::new(
        RejectionCode::NotYours,
        "文件内容属于其他机关，或该报告由其他站点发布，本站点无权报送；如有疑问请联系管理员。",
        "the document is another agency's report, or another site published this report first; ask the operator",
    )
}
