//! The checksum of every page of the file, kept in a file beside it.
//!
//! SQLite notices damage only where it breaks the shape of a tree; a flipped byte inside a value would be returned as
//! if it had been written. Between two checkpoints nothing writes to the main file, and only this module makes
//! checkpoints. The checksums are computed after each checkpoint, and every page must match until the next.
//!
//! A checkpoint may change the pages that are in the write-ahead log, and the log contains their new content. Until
//! the checkpoint completes, and after a crash, those pages are [loose](Checksums::loose): SQLite reads them from the
//! log. The log is overwritten only after the checksums of the checkpoint are on disk. The salt shows whether the log
//! belongs to the file: it grows by one with each log.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::files::beside;
use crate::error::Error;

const MAGIC: &[u8; 8] = b"GKSUMS01";
/// Magic, page size, salt.
const HEADER: u64 = 16;
const SUM: u64 = 4;
/// Number of pages read at once.
const BLOCK: usize = 64;
const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// The checksums of a file, which nothing else may write to or checkpoint.
pub(super) struct Checksums {
    path: PathBuf,
    /// Stays open: closing any handle of a file drops the locks that SQLite holds on it for this process.
    main: File,
    side: File,
    page_size: usize,
    /// The checksums, from page 1 on.
    sums: Vec<u32>,
    /// Pages that the write-ahead log supersedes.
    loose: BTreeSet<usize>,
    /// The page at which the next [`Self::verify_some`] begins, from 0.
    next: usize,
    stamp: Stamp,
}

/// Inode, size and time of modification of a file. One of them changes when it is written or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

/// The pages of a write-ahead log, and the first half of its salt.
#[derive(Debug, Default)]
struct WriteAheadLog {
    salt: Option<u32>,
    pages: BTreeSet<usize>,
}

// === impl Checksums ===

impl Checksums {
    /// Creates the checksums of a new file, whose only connection is `writer`.
    pub(super) fn create(path: &Path, writer: &Connection) -> Result<Self, Error> {
        let main = File::open(path)?;
        let page_size = page_size(&main)?;
        let side = File::options().create(true).truncate(true).read(true).write(true).open(side_of(path))?;
        let stamp = Stamp::of(&main.metadata()?);
        let (sums, loose) = (Vec::new(), BTreeSet::new());
        let mut new = Self { path: path.to_owned(), main, side, page_size, sums, loose, next: 0, stamp };
        new.checkpoint(writer)?;
        Ok(new)
    }

    /// Reads the checksums and compares every page with them. Call it before SQLite opens the file.
    ///
    /// # Errors
    /// `Damaged` if a page differs, if there are no checksums, or if the write-ahead log belongs to another copy.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        let main = File::open(path)?;
        let side = match File::options().read(true).write(true).open(side_of(path)) {
            Ok(side) => side,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Damaged("it has no checksums: an earlier version wrote it".to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        let bytes = fs::read(side_of(path))?;
        let (page_size, salt, sums) = parse(&bytes).ok_or_else(|| damaged("its checksums are unreadable"))?;
        let log = WriteAheadLog::read(path, page_size)?;
        if log.salt.is_some_and(|found| found != salt && found != salt.wrapping_add(1)) {
            return Err(damaged("the write-ahead log beside it is of another copy"));
        }
        let stamp = Stamp::of(&main.metadata()?);
        let mut loaded =
            Self { path: path.to_owned(), main, side, page_size, sums, loose: log.pages, next: 0, stamp };
        loaded.verify_all()?;
        Ok(loaded)
    }

    /// Copies pages from the write-ahead log into the file, except those that a reader still needs unchanged.
    ///
    /// # Errors
    /// The affected pages stay loose. Call it again.
    pub(super) fn checkpoint(&mut self, writer: &Connection) -> Result<(), Error> {
        let log = WriteAheadLog::read(&self.path, self.page_size)?;
        self.loose.extend(log.pages);
        let (busy, frames, copied): (i64, i64, i64) =
            writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        if busy == 0 && frames == copied {
            self.compute_loose(log.salt.unwrap_or_default())?;
        }
        self.stamp = Stamp::of(&fs::metadata(&self.path)?);
        Ok(())
    }

    /// Compares at least `pages` pages with their checksums, in turn. Compares all at once if the file was modified.
    ///
    /// # Errors
    /// `Damaged` if a page differs, or if the file was replaced by another.
    pub(super) fn verify_some(&mut self, pages: usize) -> Result<(), Error> {
        let found = match fs::metadata(&self.path) {
            Ok(found) => Stamp::of(&found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("it was removed")),
            Err(error) => return Err(error.into()),
        };
        if found.inode != self.stamp.inode {
            return Err(damaged("another file was put in its place"));
        }
        if found != self.stamp {
            self.verify_all()?;
            self.stamp = found;
            return Ok(());
        }
        let end = self.next.saturating_add(pages);
        self.verify(self.next, end)?;
        self.next = if end >= self.sums.len() { 0 } else { end };
        Ok(())
    }

    fn verify_all(&mut self) -> Result<(), Error> {
        let size = self.page_size as u64;
        let bytes = self.main.metadata()?.len();
        let pages = usize::try_from(bytes / size).map_err(|_| Error::OutOfRange("pages"))?;
        if bytes % size != 0
            || self.sums.len() > pages
            || !(self.sums.len()..pages).all(|page| self.loose.contains(&page))
        {
            return Err(damaged("its length is not what was written"));
        }
        self.verify(0, self.sums.len())
    }

    fn verify(&self, from: usize, to: usize) -> Result<(), Error> {
        let to = to.min(self.sums.len());
        for start in (from..to).step_by(BLOCK) {
            let pages = start..to.min(start + BLOCK);
            let block = self.read(start, pages.len())?;
            for (page, bytes) in pages.zip(block.chunks(self.page_size)) {
                if self.sums[page] != crc32fast::hash(bytes) && !self.loose.contains(&page) {
                    return Err(Error::Damaged(format!("page {} is not as it was written", page + 1)));
                }
            }
        }
        Ok(())
    }

    /// Computes the checksums of the loose pages and stores them. No page is loose afterwards.
    fn compute_loose(&mut self, salt: u32) -> Result<(), Error> {
        let size = self.page_size as u64;
        let pages =
            usize::try_from(self.main.metadata()?.len() / size).map_err(|_| Error::OutOfRange("pages"))?;
        self.loose.extend(self.sums.len()..pages);
        self.sums.resize(pages, 0);
        self.side.write_all_at(&header(self.page_size, salt), 0)?;
        for page in self.loose.iter().copied().filter(|page| *page < pages) {
            let sum = crc32fast::hash(&self.read(page, 1)?);
            self.sums[page] = sum;
            self.side.write_all_at(&sum.to_le_bytes(), HEADER + page as u64 * SUM)?;
        }
        self.side.set_len(HEADER + pages as u64 * SUM)?;
        self.side.sync_data()?;
        self.loose.clear();
        Ok(())
    }

    fn read(&self, page: usize, count: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; count * self.page_size];
        match self.main.read_exact_at(&mut bytes, (page * self.page_size) as u64) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(damaged("its length is not what was written"))
            }
            read => read.map(|()| bytes).map_err(Into::into),
        }
    }
}

// === impl WriteAheadLog, Stamp ===

impl WriteAheadLog {
    /// Reads the frames' headers, up to the first frame with another salt, which is from an earlier use of the log
    /// file.
    fn read(path: &Path, page_size: usize) -> Result<Self, Error> {
        let file = match File::open(beside(path, "-wal")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let length = file.metadata()?.len();
        if length < WAL_HEADER as u64 {
            return Ok(Self::default());
        }
        let mut header = [0; WAL_HEADER];
        file.read_exact_at(&mut header, 0)?;
        let salts = &header[16..24];
        let mut pages = BTreeSet::new();
        let frame = (FRAME_HEADER + page_size) as u64;
        let mut at = WAL_HEADER as u64;
        while at + frame <= length {
            let mut header = [0; FRAME_HEADER];
            file.read_exact_at(&mut header, at)?;
            if header[8..16] != *salts {
                break;
            }
            pages.extend((number(&header, 0) as usize).checked_sub(1));
            at += frame;
        }
        Ok(Self { salt: Some(number(&header, 16)), pages })
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

fn side_of(path: &Path) -> PathBuf {
    beside(path, "-sums")
}

fn damaged(what: &str) -> Error {
    Error::Damaged(what.to_owned())
}

/// Reads a number in SQLite's format.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Returns the page size from the file's own header.
fn page_size(main: &File) -> Result<usize, Error> {
    let mut header = [0; 18];
    main.read_exact_at(&mut header, 0)?;
    Ok(match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        size => size.into(),
    })
}

fn header(page_size: usize, salt: u32) -> Vec<u8> {
    let size = u32::try_from(page_size).expect("a page has 65,536 bytes at most");
    [&MAGIC[..], &size.to_le_bytes(), &salt.to_le_bytes()].concat()
}

/// Parses page size, salt and checksums. Returns `None` if the file is malformed.
fn parse(bytes: &[u8]) -> Option<(usize, u32, Vec<u32>)> {
    let (header, sums) = bytes.strip_prefix(MAGIC)?.split_at_checked(8)?;
    let (size, salt) = header.split_at(4);
    let little = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?));
    let page_size = usize::try_from(little(size)?).ok()?;
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() || sums.len() % 4 != 0 {
        return None;
    }
    Some((page_size, little(salt)?, sums.chunks(4).map(little).collect::<Option<_>>()?))
}
