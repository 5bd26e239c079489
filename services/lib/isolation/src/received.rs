//! The files of a received document and the metadata of its sender, as the readers take them.

use gongkai_proto::v1;
use gongkai_reading::{Declared, Hints, Limits, PartId, Statement};
use prost::bytes::Bytes;

use crate::RawDocument;

/// One file of a received document, with its content.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    /// The content.
    pub bytes: Bytes,
    /// The reference to the content, with the sender's metadata of the file.
    pub content: v1::ContentRef,
    /// Its identity among the parts of the submission.
    pub id: PartId,
}

/// Returns the references to the files of a document, the main body before the attachments, and the identity of each.
pub fn received_files(
    received: &v1::DocumentReceived,
) -> impl Iterator<Item = (&v1::ContentRef, PartId)> + use<'_> {
    let main = |content: &v1::ContentRef| PartId { sha256: content.sha256.clone(), ..PartId::main() };
    let main = received.content.iter().map(move |content| (content, main(content)));
    let attachments = received
        .attachments
        .iter()
        .enumerate()
        .map(|(at, file)| (file, PartId::attachment(at, &file.filename, &file.media_type, &file.sha256)));
    main.chain(attachments)
}

/// Returns what the sender of a document said about it. A region that cannot be read counts as unknown.
#[must_use]
pub fn received_statement(received: &v1::DocumentReceived) -> Statement<'_> {
    let agency = received.agency.as_ref();
    Statement {
        agency_code: agency.map_or("", |agency| &agency.code),
        agency_name: agency.map_or("", |agency| &agency.name),
        year: received.year,
        title: &received.title,
        url: &received.url,
        region: received.region.parse().unwrap_or_default(),
    }
}

// === impl ReceivedFile ===

impl ReceivedFile {
    /// Returns the file as a document to read.
    #[must_use]
    pub fn document<'a>(&'a self, said: &'a Declared, limits: Limits) -> RawDocument<'a> {
        let given = |text: &'a str| (!text.is_empty()).then_some(text);
        let hints = Hints {
            media_type: given(&self.content.media_type),
            charset: given(&self.content.charset),
            filename: given(&self.content.filename),
        };
        RawDocument { bytes: &self.bytes, hints, known: said.known(), limits }
    }
}
