//! The trial of parse: are the originals there, and does reading them give a result?

use gongkai_isolation::{ReceivedFile, received_files, received_statement};
use gongkai_proto::v1;
use gongkai_reading::{Declared, Limits, PartId, read_parts};
use gongkai_worker::dead_letter::PANIC;
use gongkai_worker::transport::Error;

use super::{Trials, verdict::Verdict};

impl Trials {
    /// Tells whether parse would read a document or reject it. A rejection is a result too.
    pub(super) async fn parse(&self, received: &v1::DocumentReceived) -> Result<Verdict, Error> {
        if received.content.is_none() && received.attachments.is_empty() {
            return Ok(Verdict::fails("NO_CONTENT", "the event names no original"));
        }
        let mut files = Vec::new();
        for (content, id) in received_files(received) {
            match self.originals.get(&content.key).await? {
                Some(bytes) => files.push(ReceivedFile { bytes, content: content.clone(), id }),
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

    async fn read(
        &self,
        files: Vec<ReceivedFile>,
        received: &v1::DocumentReceived,
    ) -> Result<Verdict, Error> {
        let said = Declared::new(&received_statement(received), &self.registry.borrow());
        let readers = self.readers.clone();
        let read = move || {
            let ids: Vec<PartId> = files.iter().map(|file| file.id.clone()).collect();
            read_parts(&ids, |at| readers.read(&files[at].document(&said, Limits::default()), &()))
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
}
