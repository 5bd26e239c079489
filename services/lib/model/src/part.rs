//! The files of a submission: the page and its attachments.
//!
//! A submission of one file has no parts: the file is the document. Of several, the first that is a report carries
//! the facts.

use sha2::{Digest as _, Sha256};

use crate::{
    fact::{FactId, State},
    rejection::Rejection,
};

/// One file of a submission that has attachments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name of an attachment; absent for the main body.
    pub name: Option<String>,
    /// Media type as detected, else as declared; empty if unknown.
    pub media_type: String,
    /// SHA-256 of the file's bytes, in hex.
    pub sha256: String,
    /// What the file was read as.
    pub content: PartContent,
}

/// What a file of a submission was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartContent {
    /// The report: its facts and its prose come from here.
    Carrier,
    /// The same report once more, or another report.
    Report {
        /// The name of the body in the report.
        agency: String,
        /// Year of the report.
        year: i32,
        /// The cells that differ from the report, with their states here. Empty for another year.
        different: Vec<(FactId, State)>,
    },
    /// The file is not a report. It is kept.
    Other(Rejection),
}

/// Returns the identity of a submission's content: 64 hex digits.
///
/// For a single file it is the SHA-256 of its bytes. With attachments it covers all files in the order given: it is
/// the SHA-256 of `gongkai.parts.1` and, each after a line feed, the SHA-256 of the main body (empty if there is
/// none) and of every attachment, in hex. Names and declared types do not count.
#[must_use]
pub fn content_hash<'a>(main: Option<&'a str>, attachments: impl IntoIterator<Item = &'a str>) -> String {
    let mut attachments = attachments.into_iter().peekable();
    if let (Some(main), None) = (main, attachments.peek()) {
        return main.to_owned();
    }
    let mut hash = Sha256::new();
    hash.update("gongkai.parts.1");
    for part in std::iter::once(main.unwrap_or_default()).chain(attachments) {
        hash.update("\n");
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_one_file_is_its_own_and_that_of_several_covers_all() {
        assert_eq!(content_hash(Some("aa"), []), "aa");
        let hashes = [
            content_hash(Some("aa"), ["bb"]),
            content_hash(Some("aa"), ["cc"]),
            content_hash(Some("bb"), ["aa"]),
            content_hash(Some("aa"), ["bb", "cc"]),
            content_hash(None, ["aa"]),
            content_hash(None, ["aa", "bb"]),
        ];
        assert!(hashes.iter().all(|hash| hash.len() == 64));
        let distinct: std::collections::BTreeSet<&String> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
        // The value is stored: if it changes, every submission with attachments becomes a new revision.
        assert_eq!(hashes[0], hex::encode(Sha256::digest("gongkai.parts.1\naa\nbb")),);
    }
}
