//! Submissions and withdrawals, independent of the protocol that they came by.
//!
//! The id of a submission is known before anything is stored and is the same on every replica. It derives from the source
//! and id of the event, from the caller's idempotency key, or else from the content and its metadata.

use bytes::Bytes;
use prost_types::Timestamp;
use sha2::{Digest, Sha256};

use gongkai_agencies::{Asked, Registry};
use gongkai_lifecycle::key;
use gongkai_model::{Region, ReportKey};
use gongkai_proto::{
    subjects,
    v1::{AgencyHint, ContentRef, DocumentKind, DocumentReceived, ReportWithdrawn, ReviewStep, Site},
};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// The bytes.
    pub bytes: Bytes,
    /// As declared; empty if unknown.
    pub media_type: String,
    /// As declared; empty if unknown.
    pub charset: String,
    /// As declared; empty if unknown.
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
}

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
    pub content: File,
    pub attachments: Vec<File>,
    pub declared: DeclaredMetadata,
    /// What the id derives from, and hence which submissions are repeats.
    pub identity: SubmissionIdentity,
}

/// References to the files of a submission in the object store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFiles {
    pub content: ContentRef,
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

#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns a digest over several parts. Each part is preceded by its length, so that no two lists give the same input.
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

// === impl DeclaredMetadata ===

impl DeclaredMetadata {
    /// Returns the region of the site's code, else of the agency's code, else unknown.
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

    /// Returns the places that the article takes: its URL, and agency and year, as far as the sender says them.
    ///
    /// What is accepted at one of them may replace what was accepted there before.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let Self { agency, year, url, .. } = self;
        let is_named = *year != 0 && !(agency.code.is_empty() && agency.name.is_empty());
        let name = is_named
            .then(|| digest(&[&agency.code, &agency.name, &year.to_string(), self.region().as_str()]));
        let url = (!url.is_empty()).then(|| url.clone());
        url.into_iter().chain(name).collect()
    }

    /// Returns the report that agency and year name; `None` if one of them is missing.
    ///
    /// On a withdrawal it rides on the event, so that every consumer uses the same key.
    #[must_use]
    pub fn report(&self, registry: &Registry) -> Option<ReportKey> {
        let asked = Asked {
            code: &self.agency.code,
            name: &self.agency.name,
            document_name: "",
            region: self.region(),
            host: key::host(&self.url),
            year: self.year,
        };
        key::report(&asked, registry)
    }
}

fn id_of(parts: &[&str]) -> String {
    format!("s-{}", &digest(parts)[..32])
}

// === impl Submission ===

impl Submission {
    /// Returns the references to all files. Hashes them, which takes a while if they are large.
    #[must_use]
    pub fn references(&self) -> StoredFiles {
        StoredFiles {
            content: self.content.reference(),
            attachments: self.attachments.iter().map(File::reference).collect(),
        }
    }

    /// Returns the size of all files in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.content.bytes.len() + self.attachments.iter().map(|file| file.bytes.len()).sum::<usize>()
    }

    /// Returns the id, given the hash of the content.
    #[must_use]
    pub fn id(&self, content_hash: &str) -> String {
        let declared = &self.declared;
        match &self.identity {
            SubmissionIdentity::Event => id_of(&["event", &declared.event_source, &declared.event_id]),
            SubmissionIdentity::Key { caller, key } => id_of(&["key", caller, key]),
            SubmissionIdentity::Content => id_of(&[
                "content",
                content_hash,
                if self.is_draft() { "draft" } else { "" },
                &declared.agency.code,
                &declared.agency.name,
                &declared.year.to_string(),
                &declared.url,
                &declared.site.code,
            ]),
        }
    }

    /// Returns the id of a submission without an id of its sender's whose content was submitted before, at `sequence` in the
    /// log, and is no longer current.
    #[must_use]
    pub fn id_after(&self, content_hash: &str, sequence: u64) -> String {
        id_of(&["again", &self.id(content_hash), &sequence.to_string()])
    }

    /// Returns the key under which a submission finds the last submission of the same content, agency, year and region.
    ///
    /// Drafts have keys of their own, because a report that was checked as a draft must still be published.
    #[must_use]
    pub fn content_key(&self, content_hash: &str) -> String {
        let declared = &self.declared;
        digest(&[
            content_hash,
            if self.is_draft() { "draft" } else { "" },
            &declared.agency.code,
            &declared.agency.name,
            &declared.year.to_string(),
            declared.region().as_str(),
        ])
    }

    /// Returns true if the document is only checked and never published.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.kind == DocumentKind::Draft
    }

    /// Returns the event for the log, once the files are stored.
    #[must_use]
    pub fn received(&self, id: &str, stored: StoredFiles, received_at: Timestamp) -> DocumentReceived {
        let region = self.declared.region();
        let DeclaredMetadata { agency, year, title, url, published_at, site, review, event_source, event_id } =
            self.declared.clone();
        DocumentReceived {
            submission_id: id.to_owned(),
            kind: self.kind.into(),
            content: Some(stored.content),
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
            // Set from the configuration, not by the sender.
            review_levels: Vec::new(),
        }
    }
}

// === impl WithdrawalRequest ===

impl WithdrawalRequest {
    /// Returns the id, which derives from the source and id of the event.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(&["event", &self.declared.event_source, &self.declared.event_id])
    }

    /// Returns the event for the log.
    #[must_use]
    pub fn withdrawn(
        &self,
        id: &str,
        report: Option<&ReportKey>,
        withdrawn_at: Timestamp,
    ) -> ReportWithdrawn {
        ReportWithdrawn {
            submission_id: id.to_owned(),
            url: self.declared.url.clone(),
            agency: Some(self.declared.agency.clone()),
            year: self.declared.year,
            region: self.declared.region().to_string(),
            withdrawn_at: Some(withdrawn_at),
            report: report.map(ToString::to_string).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(identity: SubmissionIdentity) -> Submission {
        let content = File { bytes: "年报".into(), ..File::default() };
        Submission {
            kind: DocumentKind::Published,
            content,
            attachments: Vec::new(),
            declared: DeclaredMetadata::default(),
            identity,
        }
    }

    #[test]
    fn ids_depend_on_what_identifies_and_on_nothing_else() {
        let event = |source: &str, id: &str| {
            let mut submission = submission(SubmissionIdentity::Event);
            submission.declared.event_source = source.into();
            submission.declared.event_id = id.into();
            submission.id("hash")
        };
        assert!(is_id(&event("a", "b")));
        assert_eq!(event("a", "b"), event("a", "b"));
        assert_ne!(event("a", "bc"), event("ab", "c"), "parts must not run into each other");
        let key =
            |caller: &str| submission(SubmissionIdentity::Key { caller: caller.into(), key: "1".into() });
        assert_eq!(key("a").id("one hash"), key("a").id("another hash"));
        assert_ne!(key("a").id(""), key("b").id(""), "keys of two sites do not meet");
        assert_ne!(
            submission(SubmissionIdentity::Content).id("x"),
            submission(SubmissionIdentity::Content).id("y")
        );
    }

    #[test]
    fn a_draft_does_not_hide_the_publication() {
        let published = submission(SubmissionIdentity::Content);
        let draft = Submission { kind: DocumentKind::Draft, ..published.clone() };
        assert_ne!(draft.content_key("x"), published.content_key("x"));
        assert_ne!(draft.id("x"), published.id("x"));
        let updated = Submission { kind: DocumentKind::Updated, ..published.clone() };
        assert_eq!(updated.content_key("x"), published.content_key("x"));
    }

    #[test]
    fn the_region_comes_from_the_site_then_from_the_agency() {
        let region = |site: &str, agency: &str| {
            let mut declared = DeclaredMetadata::default();
            declared.site.code = site.into();
            declared.agency.code = agency.into();
            declared.region().to_string()
        };
        assert_eq!(region("3609820001", "110000"), "360982");
        assert_eq!(region("bm01000001", "110000"), "110000");
        assert_eq!(region("", "360982004000"), "360982");
        assert_eq!(region("", "11360982014897123X"), "360982");
        assert_eq!(region("", "1234567"), "000000");
        assert_eq!(region("", ""), "000000");
    }
}
