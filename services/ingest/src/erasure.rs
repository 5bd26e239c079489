//! Permanent erasure of reports on demand.
//!
//! [`Eraser::erase`] finds all contents of a report and publishes a tombstone, `ReportErased`, which names them and
//! every object that holds them. Ingest's durable consumer ([`crate::progress`]) then calls [`Eraser::carry_out`]: it
//! marks the contents, so that intake refuses them and parse skips them, and then deletes the objects. Nothing else
//! deletes them. The tombstone comes first, so its redelivery completes the erasure after a crash at any point:
//!
//! | crash after | state | what follows |
//! |---|---|---|
//! | publishing the tombstone | nothing is deleted | the consumer handles it |
//! | marking the contents | they are refused, objects remain | the tombstone is delivered again; marks are found |
//! | deleting some objects | the others remain | the same; deleting a missing object is no error |
//!
//! A stage may be at work on a content while it is erased and store a text afterwards. When its event arrives,
//! [`crate::progress`] has the text deleted by [`Eraser::read_again`]. If that event names another report, a
//! tombstone follows for it. A document may also be in work that nobody knows yet to be of the report. An erasure covers
//! all that the log had before its tombstone: when such a document is read, a tombstone of its own follows
//! ([`Eraser::follow`]).

use std::{collections::BTreeSet, sync::Arc};

use futures::future::try_join_all;
use gongkai_lifecycle::{self as lifecycle, Arrival};
use gongkai_model::ReportKey;
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    subjects::{self, BUCKET_ORIGINALS, BUCKET_TEXTS, Event},
    v1::{ContentRef, DocumentReceived, EraseReportRequest, Erasure, KnownContent, ReportErased},
};
use gongkai_worker::{
    Output, Runtime,
    inert::is_active,
    transport::{self, Objects},
};

use crate::{
    contents::ContentStore,
    error::{Code, Problem},
    receipt_store::ReceiptStore,
    submission::digest,
};

/// Maximum number of characters of a reason.
const REASON_LIMIT: usize = 1000;
const PERSON_LIMIT: usize = 100;

/// Erases reports. Cheap to clone.
#[derive(Clone)]
pub struct Eraser {
    runtime: Runtime,
    receipts: ReceiptStore,
    contents: ContentStore,
    originals: Arc<dyn Objects>,
    texts: Arc<dyn Objects>,
}

/// The contents and objects that a tombstone names.
#[derive(Default)]
struct Found {
    reports: BTreeSet<String>,
    contents: BTreeSet<String>,
    files: BTreeSet<String>,
    /// Bucket and key.
    objects: BTreeSet<(&'static str, String)>,
    region: String,
}

// === impl Eraser ===

impl Eraser {
    /// Creates an eraser over the broker of a runtime.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            receipts: ReceiptStore::new(runtime),
            contents: ContentStore::new(runtime),
            originals: runtime.objects(BUCKET_ORIGINALS),
            texts: runtime.objects(BUCKET_TEXTS),
            runtime: runtime.clone(),
        }
    }

    /// Publishes the tombstone of all contents of a report that are known so far. If all of them were erased
    /// before, returns the earlier erasure.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `REPORT_NOT_FOUND`, or the broker did not answer. Nothing was erased.
    ///
    /// # Cancel safety
    /// If the future is dropped, the report may or may not have been erased. Call again.
    pub async fn erase(&self, request: EraseReportRequest) -> Result<Erasure, Problem> {
        let EraseReportRequest { name, reason, person } = request;
        let report: ReportKey = name.parse().map_err(|_| {
            Problem::invalid(
                "name",
                &name,
                "须是 agencies/{机关}/reports/{年度}",
                "must be agencies/{agency}/reports/{year}",
            )
        })?;
        let reason = line("reason", &reason, REASON_LIMIT)?;
        let person = line("person", &person, PERSON_LIMIT)?;
        let history = self.receipts.history(&name).await?;
        let mut found = Found::default();
        for arrival in lifecycle::arrivals(&history) {
            self.find(arrival, &mut found).await?;
        }
        if found.contents.is_empty() {
            return self.erased_before(&report, history.erased.first()).await;
        }
        self.keep_shared(&mut found).await?;
        found.reports.insert(name.clone());
        let erased_at = Some(timestamp(self.runtime.clock().now()));
        let tombstone = ReportErased { report: name, reason, person, erased_at, ..found.tombstone() };
        self.runtime.publish(&message_id(&tombstone), output(&tombstone)).await?;
        tracing::info!(
            report = tombstone.report,
            person = tombstone.person,
            contents = tombstone.content_hashes.len(),
            objects = tombstone.objects.len(),
            "report erased: its tombstone is in the log"
        );
        Ok(answer(tombstone))
    }

    /// Finds every object that contains the content of an arrival.
    async fn find(&self, arrival: &Arrival, found: &mut Found) -> Result<(), transport::Error> {
        found.region = arrival.region.to_string();
        self.find_content(&arrival.content_hash, found).await?;
        // Earlier versions did not record by content which report it was read as.
        if let Some(ReportEvent::Parsed(parsed)) = self.logged(arrival.event).await? {
            let origin = parsed.origin.unwrap_or_default();
            if let Some(report) = parsed.report.filter(|_| origin.content_hash == arrival.content_hash) {
                found.add_reading(&report.name, &report.text.unwrap_or_default().key);
            }
        }
        let Some(ReportEvent::Received(received)) = self.logged(arrival.rank.sequence()).await? else {
            return Ok(());
        };
        // After a loss the log may have another document under this sequence.
        if received.content_hash() != arrival.content_hash {
            return Ok(());
        }
        for file in received.content.iter().chain(&received.attachments) {
            found.files.insert(file.sha256.clone());
            // The file may also be a report of its own.
            let known = self.contents.get(&file.sha256).await?;
            if !known.reports.is_empty() {
                self.find_content(&file.sha256, found).await?;
            }
        }
        Ok(())
    }

    /// Leaves out the files that other, unerased contents share.
    async fn keep_shared(&self, found: &mut Found) -> Result<(), transport::Error> {
        let mut own = BTreeSet::new();
        for file in std::mem::take(&mut found.files) {
            let known = self.contents.get(&file).await?;
            if known.contents.iter().all(|content| found.contents.contains(content)) {
                own.insert(file);
            }
        }
        // The key of an original is its SHA-256.
        found.objects.extend(own.iter().map(|file| (BUCKET_ORIGINALS, file.clone())));
        found.files = own;
        Ok(())
    }

    async fn find_content(&self, content_hash: &str, found: &mut Found) -> Result<(), transport::Error> {
        found.contents.insert(content_hash.to_owned());
        // The hash of a single file is its key; the identity of several files is not the key of an object.
        found.files.insert(content_hash.to_owned());
        let KnownContent { reports, texts, erased: _, contents: _ } = self.contents.get(content_hash).await?;
        found.reports.extend(reports);
        found.objects.extend(texts.into_iter().map(|key| (BUCKET_TEXTS, key)));
        Ok(())
    }

    async fn logged(&self, sequence: u64) -> Result<Option<ReportEvent>, transport::Error> {
        let logged = self.runtime.message(subjects::STREAM_REPORTS, sequence).await?;
        Ok(logged
            .and_then(|logged| ReportEvent::decode(&logged.message.subject, logged.message.payload).ok()))
    }

    /// Returns the earlier erasure of a report that includes this content.
    async fn erased_before(&self, report: &ReportKey, content: Option<&String>) -> Result<Erasure, Problem> {
        let known = match content {
            Some(content_hash) => self.contents.get(content_hash).await?,
            None => KnownContent::default(),
        };
        let not_found = || {
            Problem::new(
                Code::ReportNotFound,
                format!("此处没有读过报告 {report}"),
                format!("no report {report} was read here"),
            )
        };
        known.erased.map(answer).ok_or_else(not_found)
    }

    /// Refuses files that were erased.
    ///
    /// # Errors
    /// `ERASED`, or the broker did not answer.
    pub async fn refuse_erased(&self, event: &DocumentReceived) -> Result<(), Problem> {
        let files = event.content.iter().chain(&event.attachments).map(|file| file.sha256.clone());
        let all = files.chain([event.content_hash()]);
        let known = try_join_all(all.map(|hash| async move { self.contents.get(&hash).await })).await?;
        match known.into_iter().find_map(|known| known.erased) {
            Some(_) => Err(Problem::new(
                Code::Erased,
                "内容完全相同的文件或附件已依申请删除；更正后的可以再报",
                "a document or attachment of exactly this content was erased on demand; a corrected one is taken",
            )),
            None => Ok(()),
        }
    }

    /// Records for each file of a document which content it is part of, if the document has several files.
    ///
    /// # Errors
    /// The broker did not answer. Recording the same again is harmless.
    pub async fn record_files(&self, event: &DocumentReceived) -> Result<(), transport::Error> {
        let content_hash = event.content_hash();
        for file in event.content.iter().chain(&event.attachments).filter(|_| !event.attachments.is_empty()) {
            self.contents.record_file(&file.sha256, &content_hash).await?;
        }
        Ok(())
    }

    /// Records that a content was read. If it was erased meanwhile, deletes its text and original again, and returns
    /// the tombstone to publish if it was read as a report that has none.
    ///
    /// # Errors
    /// A store did not answer. Calling again continues.
    pub async fn read_again(
        &self,
        content_hash: &str,
        report: &str,
        text: &str,
    ) -> Result<Vec<Output>, transport::Error> {
        let known = self.contents.record_reading(content_hash, report, text).await?;
        let Some(tombstone) = known.erased else { return Ok(Vec::new()) };
        self.texts.delete(text).await?;
        for file in &tombstone.file_hashes {
            self.originals.delete(file).await?;
        }
        if report.is_empty() || tombstone.reports.iter().any(|known| known == report) {
            return Ok(Vec::new());
        }
        let follows = ReportErased {
            report: report.to_owned(),
            reports: vec![report.to_owned()],
            content_hashes: vec![content_hash.to_owned()],
            file_hashes: Vec::new(),
            objects: Vec::new(),
            ..tombstone
        };
        let mut output = output(&follows);
        output.message_id = Some(message_id(&follows));
        Ok(vec![output])
    }

    /// Carries out the tombstone with this sequence: marks the contents, records the erasure in the histories of the
    /// reports, and deletes the objects. Returns the tombstones that follow for what arrived before it and was read
    /// meanwhile.
    ///
    /// # Errors
    /// A store did not answer, or keeps deleted objects. Calling again continues.
    pub async fn carry_out(
        &self,
        tombstone: &ReportErased,
        sequence: u64,
    ) -> Result<Vec<Output>, transport::Error> {
        let mark = ReportErased { objects: Vec::new(), ..tombstone.clone() };
        let mut objects: BTreeSet<(&str, String)> =
            tombstone.objects.iter().map(|object| (object.bucket.as_str(), object.key.clone())).collect();
        for content in tombstone.content_hashes.iter().chain(&tombstone.file_hashes) {
            let known = self.contents.record_erasure(content, &mark).await?;
            objects.extend(known.texts.into_iter().map(|key| (BUCKET_TEXTS, key)));
        }
        for report in &tombstone.reports {
            self.receipts.record_erasure(report, &tombstone.content_hashes).await?;
        }
        for (bucket, key) in &objects {
            self.delete(bucket, key).await?;
        }
        tracing::info!(report = tombstone.report, objects = objects.len(), "erased objects are deleted");
        self.receipts.record_erased_report(&tombstone.report, &mark, sequence).await?;
        self.follow(&tombstone.report).await
    }

    /// Returns the tombstone for what arrived of a report before its erasure and was read after it, if there is any.
    ///
    /// # Errors
    /// The broker did not answer. Calling again returns the same.
    pub async fn follow(&self, report: &str) -> Result<Vec<Output>, transport::Error> {
        let Some((before, first)) = self.receipts.erased_report(report).await? else { return Ok(Vec::new()) };
        let history = self.receipts.history(report).await?;
        let mut found = Found::default();
        for arrival in lifecycle::arrivals(&history).filter(|arrival| arrival.rank.sequence() < before) {
            self.find(arrival, &mut found).await?;
        }
        if found.contents.is_empty() {
            return Ok(Vec::new());
        }
        self.keep_shared(&mut found).await?;
        found.reports.insert(report.to_owned());
        let ReportErased { reason, person, erased_at, .. } = first;
        let follows =
            ReportErased { report: report.to_owned(), reason, person, erased_at, ..found.tombstone() };
        tracing::info!(report, "a document that came before the erasure of its report is erased too");
        Ok(vec![Output { message_id: Some(message_id(&follows)), ..output(&follows) }])
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), transport::Error> {
        match bucket {
            BUCKET_TEXTS => self.texts.delete(key).await,
            _ => self.originals.delete(key).await,
        }
    }
}

// === impl Found ===

impl Found {
    fn add_reading(&mut self, report: &str, text: &str) {
        self.reports.insert(report.to_owned());
        if !text.is_empty() {
            self.objects.insert((BUCKET_TEXTS, text.to_owned()));
        }
    }

    fn tombstone(self) -> ReportErased {
        let object = |(bucket, key): (&str, String)| ContentRef {
            bucket: bucket.to_owned(),
            key,
            ..ContentRef::default()
        };
        ReportErased {
            reports: self.reports.into_iter().collect(),
            content_hashes: self.contents.into_iter().collect(),
            file_hashes: self.files.into_iter().collect(),
            objects: self.objects.into_iter().map(object).collect(),
            region: self.region,
            ..ReportErased::default()
        }
    }
}

fn output(tombstone: &ReportErased) -> Output {
    let region = tombstone.region.parse().unwrap_or_default();
    Output::new(Event::ReportErased.subject(region), Event::ReportErased.ce_type(), tombstone)
}

/// Returns an id that is the same for the same reports and contents, so that a repeated call enters the log once.
fn message_id(tombstone: &ReportErased) -> String {
    let parts: Vec<&str> =
        tombstone.reports.iter().chain(&tombstone.content_hashes).map(String::as_str).collect();
    format!("e-{}", &digest(&parts)[..32])
}

fn answer(tombstone: ReportErased) -> Erasure {
    let ReportErased {
        report,
        reports,
        content_hashes,
        file_hashes,
        objects: _,
        reason,
        person,
        region: _,
        erased_at,
    } = tombstone;
    Erasure { report, reports, content_hashes, file_hashes, reason, person, erased_at }
}

/// Checks that a text is a single line of at most `most` characters.
fn line(field: &str, text: &str, most: usize) -> Result<String, Problem> {
    let length = text.trim().chars().count();
    if length == 0 || length > most || text.chars().any(is_active) {
        return Err(Problem::invalid(
            field,
            text,
            &format!("须是一行 1 至 {most} 个字符"),
            &format!("must be 1 to {most} characters on one line"),
        ));
    }
    Ok(text.trim().to_owned())
}
