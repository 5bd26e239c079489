//! The files of a read model: locking them, and moving those of a replaced one aside.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Number of replaced read models that are kept.
const KEPT: u32 = 2;

/// The lock on the file of a read model. It is released when it is dropped, and when the process ends.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held, not used")] File);

/// Locks the file of a read model, in which no two processes may write. Returns `None` if another process has locked
/// it.
///
/// # Errors
/// The folder is missing or not writable.
pub fn lock(path: &Path) -> Result<Option<FileLock>, Error> {
    let file = File::options().create(true).append(true).open(beside(path, "-lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Renames the files of a read model, so that another can be created in its place. Returns the new name.
///
/// The names are `<path>.aside.1` for the latest and `<path>.aside.2` for the one before; an older one is removed.
/// The store must be closed.
///
/// # Errors
/// A file cannot be renamed or removed.
pub fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let named = |number: u32| beside(path, &format!(".aside.{number}"));
    for suffix in FILES {
        remove(&beside(&named(KEPT), suffix))?;
        for number in (1..KEPT).rev() {
            rename(&beside(&named(number), suffix), &beside(&named(number + 1), suffix))?;
        }
        rename(&beside(path, suffix), &beside(&named(1), suffix))?;
    }
    // This is an index of the log file, which SQLite creates again when it is missing.
    remove(&beside(path, "-shm"))?;
    Ok(named(1))
}

/// Suffixes of a read model's files: the database, its write-ahead log, its checksums.
const FILES: [&str; 3] = ["", "-wal", "-sums"];

/// Returns `path` with `suffix` at its end.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    unless_missing(fs::rename(from, to))
}

fn remove(path: &Path) -> Result<(), Error> {
    unless_missing(fs::remove_file(path))
}

fn unless_missing(done: io::Result<()>) -> Result<(), Error> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_replaced_read_models_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("query.db");
        for content in ["one", "two", "three"] {
            fs::write(&path, content).unwrap();
            fs::write(beside(&path, "-wal"), content).unwrap();
            fs::write(beside(&path, "-shm"), content).unwrap();
            assert_eq!(set_aside(&path).unwrap(), folder.path().join("query.db.aside.1"));
        }
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            ["query.db.aside.1", "query.db.aside.1-wal", "query.db.aside.2", "query.db.aside.2-wal"]
        );
        assert_eq!(fs::read_to_string(folder.path().join("query.db.aside.1")).unwrap(), "three");
    }

    #[test]
    fn one_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("query.db");
        let first = lock(&path).unwrap();
        assert!(first.is_some());
        assert!(lock(&path).unwrap().is_none());
        drop(first);
        assert!(lock(&path).unwrap().is_some());
    }
}
