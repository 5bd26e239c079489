//! The manifest of a backup: what is in it, with the size and the SHA-256 of each file and a digest of its own.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use anyhow::Context as _;
use gongkai_worker::{
    config::ObjectStore,
    transport::jetstream::snapshots::{Durable, StreamCopy},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;

/// Name of the manifest in the folder. It is written last: a folder without one is no complete backup.
pub(super) const MANIFEST: &str = "manifest.json";
/// What the manifest says of itself, so that another program's folder is recognised.
const KIND: &str = "gongkai backup";
/// Version of the layout of the folder.
const FORMAT: u64 = 1;

/// The contents of a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    kind: String,
    format: u64,
    /// Version of the program that made the backup.
    pub(super) program: String,
    /// Version of the nats-server that the streams were copied from.
    pub(super) server: String,
    /// When the backup began, RFC 3339. Everything that was acknowledged before is in it.
    pub(super) started_at: String,
    /// When the last part was complete, RFC 3339.
    pub(super) ended_at: String,
    /// Where the site keeps its objects: `nats` is in the streams, `s3` in the archives.
    pub(super) objects: ObjectStore,
    /// The streams, in the order in which they were copied. A bucket of the broker is a stream too.
    pub(super) streams: Vec<StreamRecord>,
    /// The buckets of an S3 store.
    pub(super) archives: Vec<ArchiveRecord>,
    /// Every file of the folder but the manifest.
    pub(super) files: Vec<FileRecord>,
}

/// A stream in a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StreamRecord {
    /// Name of the stream.
    pub(super) stream: String,
    /// The server's snapshot of it.
    pub(super) file: String,
    /// What came while the snapshot was made, of a stream whose messages are replaced.
    pub(super) changes: Option<ChangesRecord>,
    /// Sequence of its last message when its copy began.
    pub(super) last_sequence: u64,
    /// Its durable consumers as they were before the first stream was copied.
    pub(super) consumers: Vec<Durable>,
    /// Its settings and its state in the server's JSON.
    pub(super) copy: StreamCopy,
}

/// The messages that came while a snapshot was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ChangesRecord {
    /// The messages.
    pub(super) file: String,
    /// Number of messages.
    pub(super) messages: u64,
}

/// A bucket of an S3 store in a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ArchiveRecord {
    /// Name of the bucket.
    pub(super) bucket: String,
    /// ZIP archive of its objects by their keys.
    pub(super) file: String,
    /// Number of objects.
    pub(super) objects: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    /// Name in the folder.
    pub(super) file: String,
    /// Size in bytes.
    pub(super) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
}

/// The manifest as it is written.
#[derive(Serialize, Deserialize)]
struct Sealed {
    manifest: Value,
    /// SHA-256 of the manifest's compact JSON.
    sha256: String,
}

// === impl Manifest ===

impl Manifest {
    /// Starts the manifest of a backup that begins now.
    pub(super) fn begin(server: String, objects: ObjectStore, started_at: String) -> Self {
        Self {
            kind: KIND.to_owned(),
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            server,
            ended_at: started_at.clone(),
            started_at,
            objects,
            streams: Vec::new(),
            archives: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Returns the text of the file.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let manifest = serde_json::to_value(self)?;
        let sha256 = digest(&manifest);
        Ok(serde_json::to_string_pretty(&Sealed { manifest, sha256 })?)
    }

    /// Reads the manifest of a backup, and compares each file with it.
    ///
    /// # Errors
    /// A [`Refusal`] that says what is wrong, or a file cannot be read.
    pub(super) fn verified(folder: &Path) -> anyhow::Result<Self> {
        let manifest = Self::read(folder)?;
        for expected in &manifest.files {
            check(folder, expected)?;
        }
        Ok(manifest)
    }

    fn read(folder: &Path) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(folder.join(MANIFEST)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(incomplete(folder).into()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("couldn't read {}", folder.join(MANIFEST).display()));
            }
        };
        let Sealed { manifest, sha256 } = serde_json::from_str(&text).map_err(|_| {
            damaged(MANIFEST, "不完整或不是本程序所写", "is cut off, or not written by gongkai")
        })?;
        if manifest["kind"] != KIND {
            return Err(foreign().into());
        }
        if manifest["format"] != FORMAT {
            return Err(newer(&manifest).into());
        }
        if digest(&manifest) != sha256 {
            return Err(
                damaged(MANIFEST, "与其自身的 SHA-256 不符", "has another SHA-256 than it states").into()
            );
        }
        serde_json::from_value(manifest).context("the manifest has another form than this version writes")
    }

    /// Returns the number of bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

// === impl FileRecord ===

impl FileRecord {
    /// Reads a file of a folder and describes it.
    pub(super) fn of(folder: &Path, file: &str) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let bytes = io::copy(&mut File::open(folder.join(file))?, &mut hash)?;
        Ok(Self { file: file.to_owned(), bytes, sha256: hex::encode(hash.finalize()) })
    }
}

/// Compares a file with its record.
fn check(folder: &Path, expected: &FileRecord) -> anyhow::Result<()> {
    let FileRecord { file, bytes, .. } = expected;
    if file.contains(['/', '\\']) || file.starts_with('.') {
        return Err(damaged(MANIFEST, "含有不合法的文件名", "names a file that is none of the folder").into());
    }
    let found = match FileRecord::of(folder, file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged(file, "不见了", "is missing").into());
        }
        Err(error) => return Err(error).with_context(|| format!("couldn't read {file}")),
    };
    if found.bytes != *bytes {
        let zh = format!("应为 {bytes} 字节，实为 {} 字节", found.bytes);
        let en = format!("has {} bytes where {bytes} were written", found.bytes);
        return Err(damaged(file, &zh, &en).into());
    }
    if found != *expected {
        return Err(damaged(file, "与清单中的 SHA-256 不符", "has another SHA-256 than was written").into());
    }
    Ok(())
}

fn digest(manifest: &Value) -> String {
    hex::encode(Sha256::digest(manifest.to_string()))
}

fn damaged(file: &str, zh: &str, en: &str) -> Refusal {
    Refusal::new(
        "BACKUP_DAMAGED",
        format!("{file} {zh}；请改用另一份备份"),
        format!("{file} {en}; use another backup"),
    )
}

fn incomplete(folder: &Path) -> Refusal {
    let folder = folder.display();
    Refusal::new(
        "BACKUP_INCOMPLETE",
        format!("{folder} 中没有 {MANIFEST}：不是备份，或备份未完成；请改用另一份备份"),
        format!("{folder} has no {MANIFEST}: it is no backup, or was not finished; use another backup"),
    )
}

fn foreign() -> Refusal {
    Refusal::new(
        "BACKUP_FOREIGN",
        "这是别的程序的备份；请指定 gongkai backup 所写的目录",
        "another program wrote this backup; name a folder that gongkai backup wrote",
    )
}

fn newer(manifest: &Value) -> Refusal {
    let program = manifest["program"].as_str().unwrap_or("?");
    Refusal::new(
        "BACKUP_VERSION",
        format!(
            "此备份由 gongkai {program} 所写，格式为 {}，本程序只认 {FORMAT}；请用该版本恢复",
            manifest["format"]
        ),
        format!(
            "gongkai {program} wrote this backup in format {}, and this program knows {FORMAT}; restore it with that version",
            manifest["format"]
        ),
    )
}
