//! Damaged files: damage is refused when a file is opened, and noticed while it is open.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use gongkai_store::sqlite::{Options, SqliteStore};
use gongkai_store::{ArrivalEvent, ArrivalOutcome, Error, LogIdentity, Mark, Store as _, Write};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, macros::datetime};

const START: OffsetDateTime = datetime!(2024-01-15 10:12 UTC);
/// Number of pages with which every page is verified.
const ALL: usize = usize::MAX;

fn open(path: &Path) -> Result<SqliteStore, Error> {
    SqliteStore::open(path, Options::default())
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("query.db")
}

fn mark(sequence: u64) -> Mark {
    Mark { sequence, logged_at: START + Duration::nanoseconds(i64::try_from(sequence).unwrap()) }
}

/// Writes events, each a withdrawal of some length.
fn fill(store: &SqliteStore, events: std::ops::Range<u64>) {
    for sequence in events {
        let withdrawal = gongkai_model::Withdrawal {
            rank: gongkai_model::Rank::new(START, sequence),
            url: format!("https://a.example/{sequence}/{}", "x".repeat(500)),
            report: None,
            withdrawn_at: START,
        };
        store.write(&[Write::Withdrawal(withdrawal)], &[mark(sequence)]).unwrap();
    }
}

/// Creates a closed file with this many events.
fn filled(path: &Path, events: u64) {
    let store = open(path).unwrap();
    fill(&store, 1..events + 1);
    store.close();
}

fn flip(path: &Path, at: u64) {
    let file = File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

/// Copies the file and those beside it in the state that a crash would leave.
fn copy(from: &Path, to: &Path) {
    for suffix in ["", "-wal", "-sums"] {
        let named = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        fs::copy(named(from), named(to)).unwrap();
    }
}

#[test]
fn a_flipped_byte_is_noticed_wherever_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path, 400);
    // Pages in the write-ahead log supersede those of the file; all others must match.
    let length = fs::metadata(&path).unwrap().len();
    let pages = length / 4096;
    assert!(pages > 40, "{pages}");
    let mut noticed = 0;
    for page in 0..pages {
        flip(&path, page * 4096 + 2000 + page);
        noticed += u64::from(matches!(open(&path), Err(Error::Damaged(_))));
        flip(&path, page * 4096 + 2000 + page);
    }
    assert!(noticed > pages * 3 / 4, "{noticed} of {pages}");
    assert_eq!(open(&path).unwrap().position().events, 400);
}

#[test]
fn a_flipped_byte_is_noticed_while_the_file_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = open(&path).unwrap();
    fill(&store, 1..400);
    store.verify(ALL).unwrap();
    store.verify(1).unwrap();
    // The time of modification reveals it, however few pages are verified.
    flip(&path, 4096 * 20 + 77);
    assert!(matches!(store.verify(1), Err(Error::Damaged(_))));
    flip(&path, 4096 * 20 + 77);
    store.verify(1).unwrap();
}

#[test]
fn another_file_in_its_place_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = open(&path).unwrap();
    let other = folder.path().join("other");
    fs::copy(&path, &other).unwrap();
    fs::rename(&other, &path).unwrap();
    assert!(matches!(store.verify(1), Err(Error::Damaged(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(store.verify(1), Err(Error::Damaged(_))));
}

#[test]
fn a_truncated_file_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path, 400);
    for length in [4096 * 10, 4096 * 10 + 5, 100] {
        File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        assert!(matches!(open(&path), Err(Error::Damaged(_))), "{length}");
    }
}

#[test]
fn files_without_or_with_foreign_checksums_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    filled(&path, 300);
    let sums = folder.path().join("query.db-sums");
    let kept = fs::read(&sums).unwrap();
    fs::remove_file(&sums).unwrap();
    assert!(matches!(open(&path), Err(Error::Damaged(_))));
    for other in [&b""[..], b"GKSUMS01", &kept[..kept.len() - 3], &[&kept[..], &[0; 4]].concat()] {
        fs::write(&sums, other).unwrap();
        assert!(matches!(open(&path), Err(Error::Damaged(_))), "{}", other.len());
    }
    fs::write(&sums, kept).unwrap();
    open(&path).unwrap();
}

/// Fills a file with 200 events, copies it, and fills the original up to `end`. Returns the copy.
fn outdated_copy(path: &Path, end: u64) -> PathBuf {
    let older = path.with_file_name("older.db");
    filled(path, 200);
    copy(path, &older);
    let store = open(path).unwrap();
    fill(&store, 201..end);
    store.close();
    older
}

/// The copy is intact. Only the log's consumer shows that there were more events.
#[test]
fn an_older_copy_opens_and_knows_how_far_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let older = outdated_copy(&path, 500);
    let older = open(&older).unwrap();
    assert_eq!((older.position().events, older.position().newest), (200, Some(mark(200))));
}

#[test]
fn an_older_file_with_a_newer_log_beside_it_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let older = outdated_copy(&path, 700);
    fs::copy(folder.path().join("query.db-wal"), folder.path().join("older.db-wal")).unwrap();
    assert!(matches!(open(&older), Err(Error::Damaged(_))));
    // The reverse case: the file is newer than its checksums.
    fs::copy(folder.path().join("older.db-sums"), folder.path().join("query.db-sums")).unwrap();
    assert!(matches!(open(&path), Err(Error::Damaged(_))));
}

/// Whenever the process dies, committed events are present and every page is as it was written.
#[test]
fn a_crash_at_any_time_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let crashed = folder.path().join("crashed.db");
    let store = open(&path).unwrap();
    for event in 1..150 {
        fill(&store, event..event + 1);
        if event % 20 == 0 || (126..131).contains(&event) {
            copy(&path, &crashed);
            let again = open(&crashed).unwrap();
            assert_eq!(again.position().events, event);
            fill(&again, 1000..1130);
            again.verify(ALL).unwrap();
            again.close();
            assert_eq!(open(&crashed).unwrap().position().events, event + 130);
        }
    }
}

/// A reader of an old state keeps a checkpoint from completing.
#[test]
fn a_slow_reader_does_not_look_like_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let store = open(&path).unwrap();
    fill(&store, 1..100);
    let reader = rusqlite::Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM event").unwrap();
    fill(&store, 100..400);
    store.verify(ALL).unwrap();
    let crashed = folder.path().join("crashed.db");
    copy(&path, &crashed);
    assert_eq!(open(&crashed).unwrap().position().events, 399);
    reader.execute_batch("COMMIT").unwrap();
    fill(&store, 400..700);
    store.verify(ALL).unwrap();
}

#[test]
fn a_closed_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&path_in(&folder)).unwrap();
    store.close();
    assert!(matches!(store.last_change(), Err(Error::Closed)));
    assert!(matches!(store.write(&[], &[mark(1)]), Err(Error::Closed)));
    assert!(matches!(store.verify(1), Err(Error::Closed)));
}

#[test]
fn a_file_is_of_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&path_in(&folder)).unwrap();
    assert_eq!((store.log().unwrap(), store.is_whole().unwrap()), (None, false));
    let log = LogIdentity { created: START + Duration::nanoseconds(7), first_sequence: 1 };
    store.begin(&log).unwrap();
    store.set_whole().unwrap();
    assert_eq!((store.log().unwrap(), store.is_whole().unwrap()), (Some(log), true));
    fill(&store, 3..5);
    let again = store.write(&[], &[mark(4)]);
    again.unwrap();
    let other = Mark { logged_at: START, ..mark(3) };
    let arrival = ArrivalEvent {
        moved_from: Vec::new(),
        submission_id: "s".into(),
        arrival: gongkai_model::Arrival {
            rank: gongkai_model::Rank::new(START, 3),
            event: 3,
            content_hash: "aa".into(),
            url: String::new(),
            received_at: START,
            published_at: None,
            region: "360982".parse().unwrap(),
        },
        event_at: START,
        event_time: None,
        outcome: ArrivalOutcome::Rejected,
    };
    let written = store.write(&[Write::Arrival(Box::new(arrival))], &[other]);
    assert!(matches!(written, Err(Error::OtherLog { sequence: 3 })), "{written:?}");
    assert_eq!(store.position().events, 2);
}
