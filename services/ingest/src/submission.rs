//! Submissions and withdrawals, independent of the protocol.
//!
//! The id of a submission is known before anything is stored and is the same on every replica. It derives from the
//! source and id of the event, from the caller's idempotency key, or else from the content and its metadata.

mod file_limits;

pub use file_limits::FileLimits;

use bytes::Bytes;
use prost_types::Timestamp;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::places::micros;
use gongkai_agencies::{Asked, Registry};
use gongkai_lifecycle::key;
use gongkai_model::{Region, ReportKey};
use gongkai_proto::{
    convert::timestamp,
    subjects,
    v1::{AgencyHint, ContentRef, DocumentKind, DocumentReceived, ReportWithdrawn, ReviewStep, Sender, Site},
};
use gongkai_reading::{Declared, Statement};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// Content of the file.
    pub bytes: Bytes,
    /// Media type as declared; empty if unknown.
    pub media_type: String,
    /// Charset as declared; empty if unknown.
    pub charset: String,
    /// File name as declared; empty if unknown.
    pub filename: String,
}

/// The metadata that the sender gives about a report. All of it is optional.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeclaredMetadata {
    pub agency: AgencyHint,
    /// The year that the report is about; 0 if unknown.
    pub year: i32,
    pub title: String,
    /// The article's URL.
    pub url: String,
    pub published_at: Option<Timestamp>,
    /// The publishing site.
    pub site: Site,
    /// The review steps before publication.
    pub review: Vec<ReviewStep>,
    /// Source of the CloudEvent; empty if it was not an event.
    pub event_source: String,
    /// Id of the CloudEvent; empty if it was not an event.
    pub event_id: String,
    /// The time that the sender gives for the event.
    pub event_time: Option<Timestamp>,
    /// True for an old document of a bulk import, which is read when no newer document waits.
    pub is_backfill: bool,
}

/// Maximum length of a caller's idempotency key, in bytes.
pub const KEY_LIMIT: usize = 256;

/// Where a submission's id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionIdentity {
    /// The source and id of a CloudEvent.
    Event,
    /// The caller's idempotency key. The caller's name keeps the keys of different sites apart.
    Key {
        /// Name of the configured site, or empty.
        caller: String,
        /// `webhook-id`, `Idempotency-Key` or `request_id`.
        key: String,
    },
    /// The content and its metadata.
    Content,
}

/// A document to accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Published, updated or draft.
    pub kind: DocumentKind,
    /// The main body. Empty if the submission consists of attachments only.
    pub content: File,
    /// The attachments. Any of them may contain the report.
    pub attachments: Vec<File>,
    pub declared: DeclaredMetadata,
    /// Determines the id, and therefore which submissions are repetitions.
    pub identity: SubmissionIdentity,
}

/// References to the files of a submission in the object store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFiles {
    /// The main body; `None` if the submission consists of attachments only.
    pub content: Option<ContentRef>,
    pub attachments: Vec<ContentRef>,
}

/// A withdrawal to accept.
#[derive(Debug, Clone, PartialEq)]
pub struct WithdrawalRequest {
    /// The metadata. `url` is set.
    pub declared: DeclaredMetadata,
}

/// Returns true if the text has the form of a submission id: `s-` and 32 hex digits.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("s-").is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Returns the name of the site whose credentials the sender had; empty without any.
#[must_use]
pub fn sender_site(sender: Option<&Sender>) -> String {
    sender.map(|sender| sender.site.clone()).unwrap_or_default()
}

#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns a digest over several parts. Each part is preceded by its length, so that different lists never have the
/// same input.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

// === impl File ===

impl File {
    /// Returns the reference to the file in the object store. Hashes the bytes.
    #[must_use]
    pub fn reference(&self) -> ContentRef {
        let sha256 = sha256(&self.bytes);
        ContentRef {
            bucket: subjects::BUCKET_ORIGINALS.to_owned(),
            key: sha256.clone(),
            sha256,
            size_bytes: u64::try_from(self.bytes.len()).expect("a length fits 64 bits"),
            media_type: self.media_type.clone(),
            charset: self.charset.clone(),
            filename: self.filename.clone(),
        }
    }
}

// === impl StoredFiles ===

impl StoredFiles {
    /// Returns the identity of the submission's content, which covers all files.
    #[must_use]
    pub fn content_hash(&self) -> String {
        let attachments = self.attachments.iter().map(|file| file.sha256.as_str());
        gongkai_model::content_hash(self.content.as_ref().map(|content| content.sha256.as_str()), attachments)
    }
}

// === impl DeclaredMetadata ===

impl DeclaredMetadata {
    /// Returns the region of the site's code, else that of the agency's code, else the unknown region.
    ///
    /// An agency's code has a region if it is an administrative division code (6, 9 or 12 digits) or a credit code
    /// (18 characters), which contains one.
    #[must_use]
    pub fn region(&self) -> Region {
        let code = self.agency.code.as_str();
        let division = match code.len() {
            6 | 9 | 12 => Some(code),
            18 => code.get(2..8),
            _ => None,
        };
        Region::from_code(&self.site.code)
            .or_else(|| division.and_then(Region::from_code))
            .unwrap_or_default()
    }

    /// Returns the places of the article: its URL, and its agency and year, as far as the sender gives them.
    ///
    /// A submission at one of them may replace an earlier one there.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let Self { agency, year, url, .. } = self;
        places_of(agency, *year, url, self.region().as_str())
    }

    /// Sets the time of the event, which is also the time of publication if no other is given.
    #[must_use]
    pub fn at(self, event_time: Option<Timestamp>) -> Self {
        Self { published_at: self.published_at.or(event_time), event_time, ..self }
    }

    /// Returns the time that the sender gives, in microseconds since 1970.
    #[must_use]
    pub fn event_time_us(&self) -> Option<i64> {
        event_time(self.event_time).map(micros)
    }

    /// Returns the report that the agency and the year name; `None` if one of them is missing.
    ///
    /// The event of a withdrawal contains it, so that every consumer uses the same key.
    #[must_use]
    pub fn report(&self, registry: &Registry) -> Option<ReportKey> {
        key::report(&self.asked(), registry)
    }

    /// Returns the sender's metadata for reading and filing the document.
    #[must_use]
    pub fn said(&self, registry: &Registry) -> Declared {
        let said = Statement {
            agency_code: &self.agency.code,
            agency_name: &self.agency.name,
            year: self.year,
            title: &self.title,
            url: &self.url,
            region: self.region(),
        };
        Declared::new(&said, registry)
    }

    /// Returns the query to the registry for the agency, before the document is read.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            code: &self.agency.code,
            name: &self.agency.name,
            document_name: "",
            region: self.region(),
            host: gongkai_agencies::host(&self.url),
            year: self.year,
        }
    }
}

fn id_of(parts: &[&str]) -> String {
    format!("s-{}", &digest(parts)[..32])
}

/// Returns the id of a submission whose sender's id was used before. The submission `last` used it last.
#[must_use]
pub fn id_after(first_id: &str, said: &str, last: &str) -> String {
    id_of(&["after", first_id, said, last])
}

/// Returns the id of the first submission under the source and id of an event.
#[must_use]
pub fn event_id(source: &str, id: &str) -> String {
    id_of(&["event", source, id])
}

/// Returns the time that an event gives. A time that is out of range counts as not given.
#[must_use]
pub fn event_time(stated: Option<Timestamp>) -> Option<OffsetDateTime> {
    timestamp::optional(stated, "event_time").unwrap_or_default()
}

/// Returns the places of an article, as [`DeclaredMetadata::places`] does for a sender's metadata.
#[must_use]
pub fn places_of(agency: &AgencyHint, year: i32, url: &str, region: &str) -> Vec<String> {
    let is_named = year != 0 && !(agency.code.is_empty() && agency.name.is_empty());
    let name = is_named.then(|| digest(&[&agency.code, &agency.name, &year.to_string(), region]));
    let url = (!url.is_empty()).then(|| url.to_owned());
    url.into_iter().chain(name).collect()
}

/// Returns a digest of a document's content and metadata. A document with another digest is another statement, even
/// under the same id.
#[must_use]
pub fn said(event: &DocumentReceived) -> String {
    let agency = event.agency.clone().unwrap_or_default();
    let site = event.site.clone().unwrap_or_default();
    let year = event.year.to_string();
    let draft = if event.kind() == DocumentKind::Draft { "draft" } else { "" };
    let mut parts = vec!["document", draft, &agency.code, &agency.name, &year, &event.url, &site.code];
    let files = event.content_hash();
    parts.push(&files);
    parts.extend(hints(event));
    digest(&parts)
}

/// Returns what the sender says that a reader uses besides agency and year: the title, which may name both, and the charset.
///
/// Records of earlier versions lack them. A document with a title or charset that is sent again after an upgrade is read once more.
/// That is harmless: it is another arrival of the same revision.
fn hints(event: &DocumentReceived) -> impl Iterator<Item = &str> {
    let charset = event.content.as_ref().map_or("", |content| &content.charset);
    [event.title.as_str(), charset].into_iter().filter(|hint| !hint.is_empty())
}

/// Returns the key under which a document finds the last one of the same content, agency, year, region, title and charset.
///
/// Drafts, which are in logs of earlier versions, have keys of their own: a checked report must still be published.
#[must_use]
pub fn content_key(event: &DocumentReceived) -> String {
    let agency = event.agency.clone().unwrap_or_default();
    let content_hash = event.content_hash();
    let draft = if event.kind() == DocumentKind::Draft { "draft" } else { "" };
    let year = event.year.to_string();
    let mut parts = vec![content_hash.as_str(), draft, &agency.code, &agency.name, &year, &event.region];
    // A submission of one site does not make that of another redundant: the first may have been refused.
    parts.extend(event.sender.iter().map(|sender| sender.site.as_str()).filter(|site| !site.is_empty()));
    // The same bytes may be read as another report.
    parts.extend(hints(event));
    digest(&parts)
}

/// Returns a digest of a withdrawal's content and metadata.
#[must_use]
pub fn said_by_withdrawal(event: &ReportWithdrawn) -> String {
    let agency = event.agency.clone().unwrap_or_default();
    digest(&["withdrawal", &agency.code, &agency.name, &event.year.to_string(), &event.url])
}

// === impl Submission ===

impl Submission {
    /// Returns the references to all files. Hashes them, which is slow for large ones.
    #[must_use]
    pub fn references(&self) -> StoredFiles {
        StoredFiles {
            content: (!self.content.bytes.is_empty()).then(|| self.content.reference()),
            attachments: self.attachments.iter().map(File::reference).collect(),
        }
    }

    /// Returns the size of all files in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.content.bytes.len() + self.attachments.iter().map(|file| file.bytes.len()).sum::<usize>()
    }

    /// Returns the id of the first submission under the id of its sender, given the hash of the content.
    #[must_use]
    pub fn id(&self, content_hash: &str) -> String {
        let declared = &self.declared;
        match &self.identity {
            SubmissionIdentity::Event => event_id(&declared.event_source, &declared.event_id),
            SubmissionIdentity::Key { caller, key } => id_of(&["key", caller, key]),
            SubmissionIdentity::Content => id_of(&[
                "content",
                content_hash,
                // Earlier versions, which kept drafts, put the mark of a draft here.
                "",
                &declared.agency.code,
                &declared.agency.name,
                &declared.year.to_string(),
                &declared.url,
                &declared.site.code,
            ]),
        }
    }

    /// Returns the event for the log, still without the ids of this submission and of earlier ones.
    #[must_use]
    pub fn received(&self, stored: StoredFiles, received_at: Timestamp) -> DocumentReceived {
        let region = self.declared.region();
        let DeclaredMetadata {
            agency,
            year,
            title,
            url,
            published_at,
            site,
            review,
            event_source,
            event_id,
            event_time: stated,
            // The subject of the event expresses this.
            is_backfill: _,
        } = self.declared.clone();
        DocumentReceived {
            submission_id: String::new(),
            supersedes: String::new(),
            renews: String::new(),
            kind: self.kind.into(),
            content: stored.content,
            attachments: stored.attachments,
            agency: Some(agency),
            year,
            title,
            url,
            published_at,
            site: Some(site),
            region: region.to_string(),
            received_at: Some(received_at),
            event_source,
            event_id,
            review,
            event_time: event_time(stated).map(timestamp::timestamp),
            // These are set from the configuration and the credentials, not by the sender.
            review_levels: Vec::new(),
            sender: None,
            rereading: None,
        }
    }
}

// === impl WithdrawalRequest ===

impl WithdrawalRequest {
    /// Returns the id of the first submission under the source and id of the event.
    #[must_use]
    pub fn id(&self) -> String {
        event_id(&self.declared.event_source, &self.declared.event_id)
    }

    /// Returns the event for the log, still without the ids of this submission and of earlier ones.
    #[must_use]
    pub fn withdrawn(&self, report: Option<&ReportKey>, withdrawn_at: Timestamp) -> ReportWithdrawn {
        let declared = self.declared.clone();
        ReportWithdrawn {
            submission_id: String::new(),
            supersedes: String::new(),
            renews: String::new(),
            region: declared.region().to_string(),
            url: declared.url,
            agency: Some(declared.agency),
            year: declared.year,
            withdrawn_at: Some(withdrawn_at),
            report: report.map(ToString::to_string).unwrap_or_default(),
            event_time: event_time(declared.event_time).map(timestamp::timestamp),
            event_source: declared.event_source,
            event_id: declared.event_id,
            // `sender` is set from the credentials.
            sender: None,
        }
    }
}

#[cfg(test)]
mod tests;
