//! Submissions: a document, or the word that one was withdrawn, as ingest takes it in, whatever way it came.
//!
//! A submission's id is known before anything is stored, and the same on every replica: from the event's source and
//! id, from the caller's idempotency key, or else from the content and everything said about it.

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

/// A file as it came in.
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

/// What the sender says about a report besides its content. All of it may be absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// Whose report.
    pub agency: AgencyHint,
    /// Of which year; 0 if unknown.
    pub year: i32,
    /// The article's title.
    pub title: String,
    /// The article's URL.
    pub url: String,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// The publishing site.
    pub site: Site,
    /// How it was reviewed before publication.
    pub review: Vec<ReviewStep>,
    /// The CloudEvent's source; empty if it did not come as one.
    pub event_source: String,
    /// The CloudEvent's id.
    pub event_id: String,
}

/// Where a submission's id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A CloudEvent: its source and id.
    Event,
    /// The caller's own key, and who the caller is: keys of two sites do not meet.
    Key {
        /// Name of the configured site or empty.
        caller: String,
        /// `webhook-id`, `Idempotency-Key` or `request_id`.
        key: String,
    },
    /// The content and what is said about it.
    Content,
}

/// A document on its way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Published, updated or a draft.
    pub kind: DocumentKind,
    /// The document.
    pub content: File,
    /// What came with it.
    pub attachments: Vec<File>,
    /// What the sender says of it.
    pub about: About,
    /// What makes a repeat a repeat.
    pub identity: Identity,
}

/// Where a submission's files lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The document.
    pub content: ContentRef,
    /// What came with it.
    pub attachments: Vec<ContentRef>,
}

/// A withdrawal on its way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Withdrawal {
    /// What the sender says; `url` is set.
    pub about: About,
}

/// `s-` and 32 hex digits.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("s-").is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// SHA-256 in hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A digest over parts that cannot run into each other: each is preceded by its length.
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
    /// Where the file lies once it is stored.
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

// === impl About ===

impl About {
    /// The region, by the site's code, else by the agency's, else unknown. An agency's code counts if it is an
    /// administrative division code (6, 9 or 12 digits); a credit code (18 characters) has its division inside.
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
}

fn id_of(parts: &[&str]) -> String {
    format!("s-{}", &digest(parts)[..32])
}

// === impl Submission ===

impl Submission {
    /// Where the files will lie: hashes them all, which takes a while for large ones.
    #[must_use]
    pub fn references(&self) -> Stored {
        Stored {
            content: self.content.reference(),
            attachments: self.attachments.iter().map(File::reference).collect(),
        }
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> usize {
        self.content.bytes.len() + self.attachments.iter().map(|file| file.bytes.len()).sum::<usize>()
    }

    /// The id, given the content's hash.
    #[must_use]
    pub fn id(&self, content_hash: &str) -> String {
        let about = &self.about;
        match &self.identity {
            Identity::Event => id_of(&["event", &about.event_source, &about.event_id]),
            Identity::Key { caller, key } => id_of(&["key", caller, key]),
            Identity::Content => id_of(&[
                "content",
                content_hash,
                if self.is_draft() { "draft" } else { "" },
                &about.agency.code,
                &about.agency.name,
                &about.year.to_string(),
                &about.url,
                &about.site.code,
            ]),
        }
    }

    /// Key under which a second arrival of the same content finds the first: by content, agency, year and region.
    /// Drafts are apart: a report that was checked as a draft must still be published.
    #[must_use]
    pub fn content_key(&self, content_hash: &str) -> String {
        let about = &self.about;
        digest(&[
            content_hash,
            if self.is_draft() { "draft" } else { "" },
            &about.agency.code,
            &about.agency.name,
            &about.year.to_string(),
            about.region().as_str(),
        ])
    }

    /// True if it is checked and answered, and never published.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.kind == DocumentKind::Draft
    }

    /// The event, for the log, once the files are stored.
    #[must_use]
    pub fn received(&self, id: &str, stored: Stored, received_at: Timestamp) -> DocumentReceived {
        let about = self.about.clone();
        DocumentReceived {
            submission_id: id.to_owned(),
            kind: self.kind.into(),
            content: Some(stored.content),
            attachments: stored.attachments,
            year: about.year,
            published_at: about.published_at,
            region: about.region().to_string(),
            received_at: Some(received_at),
            agency: Some(about.agency),
            title: about.title,
            url: about.url,
            site: Some(about.site),
            event_source: about.event_source,
            event_id: about.event_id,
            review: about.review,
        }
    }
}

// === impl Withdrawal ===

impl Withdrawal {
    /// The id: of the event's source and id.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(&["event", &self.about.event_source, &self.about.event_id])
    }

    /// The report that it names by agency and year, so that every consumer means the same one.
    #[must_use]
    pub fn report(&self, registry: &Registry) -> Option<ReportKey> {
        let About { agency, year, url, .. } = &self.about;
        let asked = Asked {
            code: &agency.code,
            name: &agency.name,
            document_name: "",
            region: self.about.region(),
            host: key::host(url),
            year: *year,
        };
        key::report(&asked, registry)
    }

    /// The event, for the log.
    #[must_use]
    pub fn withdrawn(
        &self,
        id: &str,
        report: Option<&ReportKey>,
        withdrawn_at: Timestamp,
    ) -> ReportWithdrawn {
        ReportWithdrawn {
            submission_id: id.to_owned(),
            url: self.about.url.clone(),
            agency: Some(self.about.agency.clone()),
            year: self.about.year,
            region: self.about.region().to_string(),
            withdrawn_at: Some(withdrawn_at),
            report: report.map(ToString::to_string).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(identity: Identity) -> Submission {
        let content = File { bytes: "年报".into(), ..File::default() };
        Submission {
            kind: DocumentKind::Published,
            content,
            attachments: Vec::new(),
            about: About::default(),
            identity,
        }
    }

    #[test]
    fn ids_depend_on_what_identifies_and_on_nothing_else() {
        let event = |source: &str, id: &str| {
            let mut submission = submission(Identity::Event);
            submission.about.event_source = source.into();
            submission.about.event_id = id.into();
            submission.id("hash")
        };
        assert!(is_id(&event("a", "b")));
        assert_eq!(event("a", "b"), event("a", "b"));
        assert_ne!(event("a", "bc"), event("ab", "c"), "parts must not run into each other");
        let key = |caller: &str| submission(Identity::Key { caller: caller.into(), key: "1".into() });
        assert_eq!(key("a").id("one hash"), key("a").id("another hash"));
        assert_ne!(key("a").id(""), key("b").id(""), "keys of two sites do not meet");
        assert_ne!(submission(Identity::Content).id("x"), submission(Identity::Content).id("y"));
    }

    #[test]
    fn a_draft_does_not_hide_the_publication() {
        let published = submission(Identity::Content);
        let draft = Submission { kind: DocumentKind::Draft, ..published.clone() };
        assert_ne!(draft.content_key("x"), published.content_key("x"));
        assert_ne!(draft.id("x"), published.id("x"));
        let updated = Submission { kind: DocumentKind::Updated, ..published.clone() };
        assert_eq!(updated.content_key("x"), published.content_key("x"));
    }

    #[test]
    fn the_region_comes_from_the_site_then_from_the_agency() {
        let region = |site: &str, agency: &str| {
            let mut about = About::default();
            about.site.code = site.into();
            about.agency.code = agency.into();
            about.region().to_string()
        };
        assert_eq!(region("3609820001", "110000"), "360982");
        assert_eq!(region("bm01000001", "110000"), "110000");
        assert_eq!(region("", "360982004000"), "360982");
        assert_eq!(region("", "11360982014897123X"), "360982");
        assert_eq!(region("", "1234567"), "000000");
        assert_eq!(region("", ""), "000000");
    }
}
