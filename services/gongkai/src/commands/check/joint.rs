//! Reads a source and the files attached to it as one document.

use std::io;

use gongkai_isolation::{RawDocument, Readers};
use gongkai_reading::{Hints, JointReading, Limits, PartId, ReportHints, read_parts};
use sha2::{Digest as _, Sha256};

use super::files::DocumentSource;

/// Reads each file of a source in a child and joins the readings.
///
/// # Errors
/// A file cannot be read, or no child can be started.
pub(in crate::commands) fn read(
    source: DocumentSource,
    readers: &Readers,
    limits: Limits,
) -> io::Result<JointReading> {
    let files = source.files();
    let contents = files.iter().map(|file| file.read(limits.input_bytes)).collect::<io::Result<Vec<_>>>()?;
    let sha256 = |at: usize| hex::encode(Sha256::digest(&contents[at]));
    let ids: Vec<PartId> = match files.len() {
        1 => vec![PartId::main()],
        many => (0..many)
            .map(|at| match at {
                0 => PartId { sha256: sha256(0), ..PartId::main() },
                at => PartId::attachment(at - 1, files[at].filename().unwrap_or_default(), "", &sha256(at)),
            })
            .collect(),
    };
    read_parts(&ids, |at| {
        let hints = Hints { filename: files[at].filename(), ..Hints::default() };
        let document = RawDocument { bytes: &contents[at], hints, known: ReportHints::default(), limits };
        readers.read(&document, &())
    })
    .map_err(io::Error::other)
}
