//! The trial of parse: are the originals there, and does reading them give a result?

use std::sync::Arc;

use gongkai_isolation::RawDocument;
use gongkai_proto::v1;
use gongkai_reading::{Declared, Hints, Limits, PartId, Statement, read_parts};
use gongkai_worker::dead_letter::PANIC;
use gongkai_worker::transport::Error;
use prost::bytes::Bytes;

use super::{Trials, verdict::Verdict};

/// One file of a submission.
struct File {
    bytes: Bytes,
    content: v1::ContentRef,
    id: PartId,
}

impl Trials {
    /// Tells whether parse would read a document or reject it. A rejection is a result too.
    pub(super) async fn parse(&self, received: &v1::DocumentReceived) -> Result<Verdict, Error> {
        if received.content.is_none() && received.attachments.is_empty() {
            return Ok(Verdict::fails("NO_CONTENT", "the event names no original"));
        }
        let main = received.content.iter().map(|content| (content, PartId::main()));
        let attachments =
            received.attachments.iter().enumerate().map(|(at, file)| {
                (file, PartId::attachment(at, &file.filename, &file.media_type, &file.sha256))
            });
        let mut files = Vec::new();
        for (content, id) in main.chain(attachments) {
            match self.originals.get(&content.key).await? {
                Some(bytes) => files.push(File { bytes, content: content.clone(), id }),
                None if self.is_erased(content).await? => {
                    return Ok(Verdict::Passes("rejected: the content was erased".to_owned()));
                }
                None => {
                    return Ok(Verdict::fails("ORIGINAL_MISSING", &format!("no object {}", content.key)));
                }
            }
        }
        self.read(files, received).await
    }

    async fn is_erased(&self, content: &v1::ContentRef) -> Result<bool, Error> {
        let known = self.contents.read::<v1::KnownContent>(&content.sha256).await?.record;
        Ok(known.erased.is_some())
    }

    async fn read(&self, files: Vec<File>, received: &v1::DocumentReceived) -> Result<Verdict, Error> {
        let said = Arc::new(self.declared(received));
        let readers = self.readers.clone();
        let read = move || {
            let ids: Vec<PartId> = files.iter().map(|file| file.id.clone()).collect();
            read_parts(&ids, |at| readers.read(&document(&files[at], &said), &()))
        };
        Ok(match self.runtime.cpu(read).await {
            Ok(Ok(read)) => match read.result {
                Ok(_) => Verdict::passes(),
                Err(rejection) => Verdict::Passes(format!("rejected: {}", rejection.code)),
            },
            Ok(Err(unread)) => Verdict::Uncertain(unread.to_string()),
            Err(panicked) => Verdict::fails(PANIC, &panicked),
        })
    }

    fn declared(&self, received: &v1::DocumentReceived) -> Declared {
        let agency = received.agency.as_ref();
        let said = Statement {
            agency_code: agency.map_or("", |agency| &agency.code),
            agency_name: agency.map_or("", |agency| &agency.name),
            year: received.year,
            title: &received.title,
            url: &received.url,
            region: received.region.parse().unwrap_or_default(),
        };
        Declared::new(&said, &self.registry.borrow())
    }
}

fn document<'a>(file: &'a File, said: &'a Declared) -> RawDocument<'a> {
    let given = |text: &'a str| (!text.is_empty()).then_some(text);
    let hints = Hints {
        media_type: given(&file.content.media_type),
        charset: given(&file.content.charset),
        filename: given(&file.content.filename),
    };
    RawDocument { bytes: &file.bytes, hints, known: said.known(), limits: Limits::default() }
}
