//! The journal of a submitted folder: the documents that ingest has accepted, so that an interrupted run can be resumed.
//!
//! It is a file of JSON lines beside the folder to which lines are only appended, one for each accepted document, under the name
//! of its file; of a page with attachments, the page's. A last line that was torn by a crash is cut off; its document is
//! sent again, which ingest recognises. A document counts as sent while its content, attachments included, and the options are
//! those of its last line.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead as _, BufReader, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A file as sent, and the server that accepted it.
#[derive(Debug, Serialize, Deserialize)]
struct JournalEntry {
    file: String,
    /// The hash of the content: the file's, or one that covers the attachments too.
    sha256: String,
    submission_id: String,
    /// Digest of ingest's address and the options that determine what is sent.
    to: String,
}

/// Documents that were accepted. Only one run at a time has the journal open.
#[derive(Debug)]
pub(super) struct Journal {
    to: String,
    state: Mutex<State>,
}

/// Digest of the content by digest of the path: 100,000 files use some megabytes.
type Sent = HashMap<[u8; 16], [u8; 16]>;

#[derive(Debug)]
struct State {
    file: File,
    sent: Sent,
}

/// Returns the path of a folder's journal: beside the folder, under its name.
///
/// # Errors
/// The folder has no name, such as the root.
pub(super) fn beside(folder: &Path) -> anyhow::Result<PathBuf> {
    let real = folder.canonicalize().with_context(|| format!("couldn't open {}", folder.display()))?;
    let name =
        real.file_name().context("this folder has no place beside it; name the journal with --journal")?;
    let mut name = name.to_owned();
    name.push(".submitted.jsonl");
    Ok(real.with_file_name(name))
}

/// Returns the SHA-256 in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Journal {
    /// Opens a journal, and creates it if it is missing. `to` identifies the server and the options.
    ///
    /// # Errors
    /// The file cannot be read or written, or another run has it open.
    pub(super) fn open(path: &Path, to: &str) -> anyhow::Result<Self> {
        let said = || format!("the journal {}; --journal names another", path.display());
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(said)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!("another run has {} open", path.display()),
            Err(TryLockError::Error(error)) => return Err(error).with_context(said),
        }
        let to = sha256(to.as_bytes());
        let (sent, whole) = read(&file, &to).with_context(said)?;
        file.set_len(whole).with_context(said)?;
        file.seek(io::SeekFrom::End(0)).with_context(said)?;
        Ok(Self { to, state: Mutex::new(State { file, sent }) })
    }

    /// Returns true if the last accepted content of the document is this one.
    pub(super) fn has(&self, file: &str, sha256: &str) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.sent.get(&short(file)) == Some(&short(sha256))
    }

    /// Records that a document was accepted.
    ///
    /// # Errors
    /// The line could not be written.
    pub(super) fn note(&self, file: &str, sha256: &str, submission_id: &str) -> anyhow::Result<()> {
        let entry = JournalEntry {
            file: file.to_owned(),
            sha256: sha256.to_owned(),
            submission_id: submission_id.to_owned(),
            to: self.to.clone(),
        };
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.file.write_all(&line).context("the journal could not be written")?;
        state.sent.insert(short(file), short(sha256));
        Ok(())
    }
}

/// Reads the files that were sent to `to`, and the length of the complete lines.
fn read(file: &File, to: &str) -> io::Result<(Sent, u64)> {
    let (mut sent, mut whole, mut line) = (Sent::new(), 0, Vec::new());
    let mut lines = BufReader::new(file);
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok((sent, whole));
        }
        whole += u64::try_from(read).unwrap_or(u64::MAX);
        // A malformed line is skipped; its file is sent again.
        if let Ok(entry) = serde_json::from_slice::<JournalEntry>(&line)
            && entry.to == to
        {
            sent.insert(short(&entry.file), short(&entry.sha256));
        }
    }
}

fn short(text: &str) -> [u8; 16] {
    let digest = Sha256::digest(text);
    *digest.first_chunk().expect("a SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_journal_remembers_the_last_content_and_cuts_off_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports.submitted.jsonl");
        let journal = Journal::open(&path, "http://a/").unwrap();
        assert!(Journal::open(&path, "http://a/").is_err(), "one run at a time");
        journal.note("a.txt", "1", "s-1").unwrap();
        journal.note("b.txt", "1", "s-1").unwrap();
        journal.note("b.txt", "2", "s-2").unwrap();
        drop(journal);
        let mut torn = fs::read(&path).unwrap();
        let whole = torn.len();
        torn.extend_from_slice(br#"{"file":"c.txt","sha256":"1","#);
        fs::write(&path, torn).unwrap();
        let journal = Journal::open(&path, "http://a/").unwrap();
        let has = [("a.txt", "1"), ("b.txt", "1"), ("b.txt", "2"), ("c.txt", "1")]
            .map(|(file, sha256)| journal.has(file, sha256));
        assert_eq!(has, [true, false, true, false]);
        assert_eq!(fs::metadata(&path).unwrap().len(), whole as u64);
        journal.note("c.txt", "1", "s-3").unwrap();
        drop(journal);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4);
        assert!(!Journal::open(&path, "http://b/").unwrap().has("a.txt", "1"), "sent elsewhere");
    }

    #[test]
    fn a_journal_lies_beside_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("reports");
        fs::create_dir(&folder).unwrap();
        let beside = beside(&folder.join("../reports/")).unwrap();
        assert_eq!(beside, root.path().canonicalize().unwrap().join("reports.submitted.jsonl"));
    }
}
