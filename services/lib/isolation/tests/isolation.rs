//! Children of a real program: documents that exceed their limits, and children that die.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    cell::RefCell,
    fs,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use gongkai_annotate::{Lang, Remark, RemarkSheet};
use gongkai_isolation::{
    RawDocument, Readers, ReadersSettings,
    testing::{self, REPORT},
};
use gongkai_model::{MediaType, Rejection, RejectionCode, Severity, Source, Span};
use gongkai_reading::{Hints, Limits, Reading, ReportHints, Steps};
use rustix::process::{Pid, Signal, kill_process};

fn readers(settings: &ReadersSettings) -> Readers {
    testing::children_run(env!("CARGO_BIN_EXE_isolated-reader"));
    Readers::new(settings).unwrap()
}

fn one_child() -> ReadersSettings {
    ReadersSettings { children: 1, ..ReadersSettings::default() }
}

fn document(bytes: &[u8]) -> RawDocument<'_> {
    let hints = Hints { filename: Some("a.txt"), ..Hints::default() };
    RawDocument { bytes, hints, known: ReportHints::default(), limits: Limits::default() }
}

fn read(readers: &Readers, bytes: &[u8]) -> Result<Reading, Rejection> {
    readers.read(&document(bytes), &()).unwrap()
}

fn here(bytes: &[u8]) -> Result<Reading, Rejection> {
    let RawDocument { hints, limits, .. } = document(bytes);
    gongkai_reading::read(bytes, &hints, &limits)
}

/// Returns a page without text. The time to read it grows with the number of its tags.
fn slow(tags: usize) -> Vec<u8> {
    format!("<html><body>{}", "<b></b>".repeat(tags)).into_bytes()
}

/// Number of tags of a page that takes long enough to be killed, but can be read completely.
const STRUCK: usize = 200_000;

/// Returns the processes that this one has started and that have not been waited for, dead ones included.
fn children() -> Vec<u32> {
    let parent = std::process::id().to_string();
    let is_ours = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(parent.as_str()))
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_ours).collect()
}

/// Returns the state of a process. `Z` is dead and not yet waited for.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn strike(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Sends a signal to the child once it has begun to read.
struct Struck(Signal, RefCell<u32>);

impl Steps for Struck {
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R {
        if name == "extract" && *self.1.borrow() > 0 {
            *self.1.borrow_mut() -= 1;
            children().into_iter().for_each(|pid| strike(pid, self.0));
        }
        work()
    }

    fn known(&self, _: MediaType) {}
}

/// Records the steps in order.
#[derive(Default)]
struct Seen(RefCell<Vec<String>>);

impl Steps for Seen {
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R {
        self.0.borrow_mut().push(name.to_owned());
        let result = work();
        self.0.borrow_mut().push(format!("/{name}"));
        result
    }

    fn known(&self, media_type: MediaType) {
        self.0.borrow_mut().push(media_type.as_str().to_owned());
    }
}

#[test]
fn a_child_reads_what_this_process_would_and_tells_of_its_steps() {
    let readers = readers(&one_child());
    let confinement = readers.prepare().unwrap();
    assert!(confinement.contains("landlock") && confinement.contains("seccomp"), "{confinement}");
    for text in [REPORT, "关于放假的通知", ""] {
        assert_eq!(read(&readers, text.as_bytes()), here(text.as_bytes()));
    }
    let seen = Seen::default();
    assert!(readers.read(&document(REPORT.as_bytes()), &seen).unwrap().is_ok());
    let steps =
        ["sniff", "/sniff", "decode", "/decode", "text/plain", "extract", "/extract", "match", "/match"];
    assert_eq!(seen.0.take(), steps);
    assert_eq!(children().len(), 1, "one child for all documents");
    drop(readers);
    assert_eq!(children(), Vec::<u32>::new(), "none is left, alive or dead");
}

#[test]
fn a_document_that_takes_too_much_memory_is_too_large_and_the_next_is_read() {
    let readers = readers(&ReadersSettings { memory_bytes: 24 << 20, ..one_child() });
    let rejection = read(&readers, &vec![b'a'; 20 << 20]).unwrap_err();
    assert_eq!((rejection.code, rejection.retryable), (RejectionCode::TooLarge, true));
    assert!(rejection.message_en.contains("24 MiB"), "{rejection}");
    assert!(read(&readers, REPORT.as_bytes()).is_ok());
}

#[test]
fn a_document_that_takes_too_much_cpu_time_is_too_slow_and_the_next_is_read() {
    let readers = readers(&ReadersSettings { cpu: Duration::from_secs(1), ..one_child() });
    let rejection = read(&readers, &slow(4 << 20)).unwrap_err();
    assert_eq!((rejection.code, rejection.retryable), (RejectionCode::TooSlow, true));
    assert!(read(&readers, REPORT.as_bytes()).is_ok());
}

#[test]
fn a_crash_is_a_rejection_and_a_kill_is_none() {
    let readers = readers(&one_child());
    let (page, endless) = (slow(STRUCK), slow(4 << 20));
    let attempt =
        |page: &[u8], signal, times| readers.read(&document(page), &Struck(signal, RefCell::new(times)));
    let struck = |page: &[u8], signal, times| {
        let rejection = attempt(page, signal, times).unwrap().unwrap_err();
        (rejection.code, rejection.retryable)
    };
    assert_eq!(struck(&endless, Signal::ABORT, 1), (RejectionCode::ParserPanic, true));
    let unhurt = (here(&page).unwrap_err().code, false);
    assert_eq!(struck(&page, Signal::KILL, 1), unhurt, "read again, alone");
    assert_eq!(struck(&page, Signal::TERM, 1), unhurt);
    // The child is killed again while it reads alone. That is still from outside, so a later attempt may succeed.
    let unread = attempt(&endless, Signal::KILL, 2).map(drop).unwrap_err();
    assert!(unread.to_string().contains("signal: 9") && !unread.is_for_want_of_readers(), "{unread}");
    // A child that ends while it is idle rejects no document.
    assert!(read(&readers, REPORT.as_bytes()).is_ok());
    children().into_iter().for_each(|pid| strike(pid, Signal::ABORT));
    let are_dead = || children().into_iter().all(|pid| state(pid) == Some('Z'));
    assert!((0..500).any(|_| are_dead() || {
        thread::sleep(Duration::from_millis(10));
        false
    }));
    assert!(read(&readers, REPORT.as_bytes()).is_ok());
}

#[test]
fn a_child_that_stands_still_is_given_up_and_its_document_is_not_rejected() {
    let readers = readers(&ReadersSettings { patience: Duration::from_millis(50), ..one_child() });
    let steps = Struck(Signal::STOP, RefCell::new(1));
    let page = slow(4 << 20);
    let unread = readers.read(&document(&page), &steps).map(drop).unwrap_err();
    assert!(unread.to_string().contains("stood still"), "{unread}");
    assert!(read(&readers, REPORT.as_bytes()).is_ok());
}

#[test]
fn a_program_that_is_no_reader_is_said_to_be_none() {
    // The call runs in a process of its own, because a process sets its program only once.
    let output = Command::new(env!("CARGO_BIN_EXE_isolated-reader")).arg("--anything").output().unwrap();
    assert!(!output.status.success());
    let output = Command::new(env!("CARGO_BIN_EXE_isolated-reader"))
        .args(["--read-documents-from-stdin", "x", "y"])
        .output()
        .unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}

#[test]
fn many_documents_share_few_children() {
    let readers = readers(&ReadersSettings { children: 2, ..ReadersSettings::default() });
    let expect = here(REPORT.as_bytes());
    let most = Arc::new(Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert_eq!(read(&readers, REPORT.as_bytes()), expect);
                    let mut most = most.lock().unwrap();
                    *most = children().len().max(*most);
                }
            });
        }
    });
    assert!(*most.lock().unwrap() <= 2);
}

#[test]
fn a_child_makes_the_copy_that_this_process_would() {
    let readers = readers(&one_child());
    let source = Source { span: Some(Span { start: 0, end: 6 }), ..Source::default() };
    let remark = Remark {
        severity: Severity::Warning,
        label: "建议整改".to_owned(),
        rule: "S-TITLE".to_owned(),
        place: "标题".to_owned(),
        problem: "标题不合要求".to_owned(),
        advice: String::new(),
        legal: String::new(),
        sources: vec![source],
    };
    let sheet = RemarkSheet {
        lang: Lang::Chinese,
        subject: "云溪县档案局".to_owned(),
        remarks: vec![remark],
        ..RemarkSheet::default()
    };
    let bytes = REPORT.as_bytes();
    let RawDocument { hints, limits, .. } = document(bytes);
    let copy = readers.annotate(&document(bytes), &sheet).unwrap();
    assert_eq!(copy, gongkai_annotate::annotate(bytes, &hints, &limits, &sheet));
    assert!(copy.is_ok_and(|copy| copy.bytes.windows(7).any(|window| window == b"</mark>")));
    // The same child still reads, and a refusal passes through.
    assert_eq!(read(&readers, bytes), here(bytes));
    let refused = readers.annotate(&document(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), &sheet).unwrap();
    assert_eq!(refused.unwrap_err().code, RejectionCode::UnsupportedFormat);
}
