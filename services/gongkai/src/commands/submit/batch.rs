//! Sends several documents at a time: which documents to send, which were sent before, and when to try again.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{
    document::SubmittedDocument,
    ingest::{Failure, FailureKind, IngestClient, ReceiptAnswer},
    journal::{self, Journal},
};
use crate::{
    commands::check::files::{DocumentSource, Walk},
    printer::complain,
};

/// Shortest and longest pause while ingest is busy or unreachable. Ingest may ask for a longer one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A document to send.
pub(super) struct BatchItem {
    /// Name in the output.
    name: String,
    origin: ItemOrigin,
    journal: Option<Arc<Journal>>,
    /// The document's name in the journal.
    entry: String,
}

enum ItemOrigin {
    /// An argument: a file, a URL or `-`.
    Named,
    /// A file of a folder, with those attached to it.
    Folder(DocumentSource),
}

/// The result of one document.
pub(super) enum DocumentOutcome {
    Taken(ReceiptAnswer),
    /// The journal has the document as accepted before.
    Known,
    Failed(Failure),
}

/// How documents are sent.
pub(super) struct Batch {
    pub(super) ingest: IngestClient,
    /// Query parameters of every document.
    pub(super) about: Vec<(&'static str, String)>,
    /// Maximum time to keep trying while ingest is busy or unreachable.
    pub(super) patience: Duration,
    /// Whether to pause after each document for as long as it took, so that ingest can serve others.
    pub(super) is_backfill: bool,
    /// Maximum wait for the end of a submission.
    pub(super) follow: Option<Duration>,
    /// Whether ingest has answered.
    pub(super) was_reached: AtomicBool,
}

/// Returns the documents of the arguments, in their order; a folder has a journal.
///
/// # Errors
/// A journal cannot be opened.
pub(super) fn items(
    names: &[String],
    journal: Option<&Path>,
    to: &str,
) -> anyhow::Result<Box<dyn Iterator<Item = BatchItem> + Send>> {
    let named = journal.map(|path| Journal::open(path, to).map(Arc::new)).transpose()?;
    let mut all: Box<dyn Iterator<Item = BatchItem> + Send> = Box::new(std::iter::empty());
    for name in names {
        let folder = PathBuf::from(name);
        if folder.is_dir() {
            let journal = match &named {
                Some(journal) => journal.clone(),
                None => Arc::new(Journal::open(&journal::beside(&folder)?, to)?),
            };
            all = Box::new(all.chain(of_folder(folder, journal)));
        } else {
            let (name, entry) = (name.clone(), name.clone());
            all = Box::new(all.chain([BatchItem {
                name,
                origin: ItemOrigin::Named,
                journal: named.clone(),
                entry,
            }]));
        }
    }
    Ok(all)
}

fn of_folder(folder: PathBuf, journal: Arc<Journal>) -> impl Iterator<Item = BatchItem> + Send {
    Walk::new(folder.clone()).map(move |source| {
        let name = source.name();
        let entry = Path::new(&name).strip_prefix(&folder).unwrap_or(Path::new(&name)).display().to_string();
        BatchItem { name, origin: ItemOrigin::Folder(source), journal: Some(journal.clone()), entry }
    })
}

// === impl Batch ===

impl Batch {
    /// Sends a document, unless it was sent before, and returns its name and result.
    pub(super) async fn submit(&self, item: BatchItem) -> (String, DocumentOutcome) {
        let name = item.name.clone();
        let outcome = match self.try_submit(item).await {
            Ok(Some(receipt)) => DocumentOutcome::Taken(receipt),
            Ok(None) => DocumentOutcome::Known,
            Err(failure) => DocumentOutcome::Failed(failure),
        };
        (name, outcome)
    }

    async fn try_submit(
        &self,
        BatchItem { name, origin, journal, entry }: BatchItem,
    ) -> Result<Option<ReceiptAnswer>, Failure> {
        let document = match origin {
            ItemOrigin::Named => SubmittedDocument::read(&name).await,
            ItemOrigin::Folder(source) => SubmittedDocument::of_source(source),
        };
        let document = document.map_err(Failure::unreadable)?;
        let sha256 = journal.as_ref().map(|journal| (journal, document.content_hash()));
        if sha256.as_ref().is_some_and(|(journal, sha256)| journal.has(&entry, sha256)) {
            return Ok(None);
        }
        let begun = Instant::now();
        let receipt = self.send(&document).await?;
        if let Some((journal, sha256)) = sha256 {
            journal.note(&entry, &sha256, &receipt.submission_id).map_err(Failure::fatal)?;
        }
        if self.is_backfill {
            sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
        }
        Ok(Some(match self.follow {
            Some(limit) => self.ingest.follow(receipt, limit).await?,
            None => receipt,
        }))
    }

    /// Sends a document. Retries while ingest is busy, or unreachable after an earlier answer.
    async fn send(&self, document: &SubmittedDocument) -> Result<ReceiptAnswer, Failure> {
        let mut about: Vec<_> = self.about.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let is_url_given = about.iter().any(|(name, _)| *name == "url");
        about.extend(document.url.as_deref().filter(|_| !is_url_given).map(|url| ("url", url)));
        about.extend(document.filename().map(|filename| ("filename", filename)));
        let (end, mut pause) = (Instant::now() + self.patience, FIRST_PAUSE);
        loop {
            let failure = match self.ingest.submit(document, &about).await {
                Ok(receipt) => {
                    self.was_reached.store(true, Ordering::Relaxed);
                    return Ok(receipt);
                }
                Err(failure) => failure,
            };
            let asked = match failure.kind {
                FailureKind::Busy(asked) => asked.unwrap_or_default(),
                FailureKind::Away if self.was_reached.load(Ordering::Relaxed) => Duration::ZERO,
                _ => return Err(failure),
            };
            let wait = asked.max(pause);
            if Instant::now() + wait > end {
                return Err(failure);
            }
            if pause == FIRST_PAUSE {
                complain(format_args!("{:#}; trying again", failure.error));
            }
            pause = LONGEST_PAUSE.min(pause * 2);
            sleep(wait).await;
        }
    }
}
