//! Interprets the end of a child: a rejection of the document that it read, or a failure unrelated to the document.

use std::{fmt, io, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use gongkai_model::{Rejection, RejectionCode};

/// Message of Rust's allocator before it aborts.
const NO_MEMORY: &str = "memory allocation of";

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGXCPU: i32 = 24;

/// Error: a document was not read, for a reason unrelated to it. The same call may succeed later.
#[derive(Debug, thiserror::Error)]
#[error("the document could not be read now: {0}")]
pub struct Unread(Reason);

/// Why an exchange with a child ended before the answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// No child could be started.
    #[error("couldn't start a reader: {0}")]
    NotStarted(io::Error),
    /// The child sent something that is not a frame of the protocol.
    #[error("a reader and this program don't understand each other: {0}")]
    Nonsense(io::Error),
    /// The child used no CPU time for this long and sent nothing.
    #[error("a reader stood still for {} s", .0.as_secs())]
    Silent(Duration),
    /// The child ended.
    #[error("a reader ended with {status}")]
    Ended {
        status: ExitStatus,
        /// The end of the child's standard error.
        said: String,
    },
}

impl Unread {
    /// Returns true if no child could be started, so that no document can be read now.
    #[must_use]
    pub fn is_for_want_of_readers(&self) -> bool {
        matches!(self.0, Reason::NotStarted(_))
    }
}

impl From<Reason> for Unread {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// The limits of reading one document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadingCost {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu: Duration,
}

// === impl Reason ===

impl Reason {
    /// Returns true if the child was ended from outside: by the kernel because the machine ran out of memory, or by an
    /// operator.
    pub(crate) fn is_from_outside(&self) -> bool {
        let Self::Ended { status, .. } = self else { return false };
        matches!(status.signal(), Some(SIGHUP | SIGINT | SIGKILL | SIGTERM))
    }

    /// Returns the rejection of the document that the child read, or `None` if the end is unrelated to the document.
    pub(crate) fn rejection(&self, cost: ReadingCost) -> Option<Rejection> {
        let Self::Ended { status, said } = self else { return None };
        match status.signal()? {
            SIGHUP | SIGINT | SIGKILL | SIGTERM => None,
            SIGXCPU => Some(too_slow(cost.cpu)),
            _ if said.contains(NO_MEMORY) => Some(too_much_memory(cost.memory_bytes)),
            _ => Some(crashed()),
        }
    }
}

/// CPU time that each document may use, and additional CPU time for each MiB. Reports take some tens of milliseconds,
/// so this suffices on slow machines too.
const CPU_AT_LEAST: Duration = Duration::from_secs(4);
const CPU_PER_MIB: Duration = Duration::from_secs(4);

impl ReadingCost {
    /// Returns the cost allowed for a document of this size.
    pub(crate) fn of(self, bytes: usize) -> Self {
        Self { cpu: cpu_of(self.cpu, bytes), ..self }
    }
}

/// Returns the CPU time that a document of this size may use, in whole seconds and at most `most`.
pub(crate) fn cpu_of(most: Duration, bytes: usize) -> Duration {
    let mebibytes = u32::try_from(bytes >> 20).unwrap_or(u32::MAX);
    most.min(CPU_AT_LEAST.saturating_add(CPU_PER_MIB.saturating_mul(mebibytes)))
}

fn too_slow(limit: Duration) -> Rejection {
    Rejection::new(
        RejectionCode::TooSlow,
        format!(
            "读取所用处理器时间超过 {} 秒，已停止；请检查文件是否完整、是否混入大量无关内容。",
            limit.as_secs()
        ),
        format!("reading used more than {} s of CPU time and was given up", limit.as_secs()),
    )
}

fn too_much_memory(limit: u64) -> Rejection {
    let megabytes = limit >> 20;
    let rejection = Rejection::new(
        RejectionCode::TooLarge,
        format!("文件过大：读取所需内存超过 {megabytes} MiB；请另存为 DOCX 或 HTML 后提交。"),
        format!("reading the document takes more memory than {megabytes} MiB; save it as DOCX or HTML"),
    );
    Rejection { retryable: true, ..rejection }
}

/// Returns the rejection of a document that made its child crash.
fn crashed() -> Rejection {
    Rejection::new(
        RejectionCode::ParserPanic,
        "程序在读取本文件时异常退出，文件已保留供排查；请把文件发给维护人员。",
        "the program crashed on this document; it is kept for us to look at, please send it to the maintainers",
    )
}

impl fmt::Display for ReadingCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB and {} s of CPU time for a document", self.memory_bytes >> 20, self.cpu.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(signal: i32, said: &str) -> Option<RejectionCode> {
        let reason = Reason::Ended { status: ExitStatus::from_raw(signal), said: said.to_owned() };
        let cost = ReadingCost { memory_bytes: 1 << 20, cpu: Duration::from_secs(1) };
        let rejection = reason.rejection(cost);
        assert!(rejection.as_ref().is_none_or(|rejection| rejection.retryable));
        rejection.map(|rejection| rejection.code)
    }

    #[test]
    fn a_document_may_use_what_its_size_justifies() {
        let seconds = |mebibytes: usize| cpu_of(Duration::from_secs(20), mebibytes << 20).as_secs();
        assert_eq!([0, 1, 3, 4, 32].map(seconds), [4, 8, 16, 20, 20]);
        assert_eq!(cpu_of(Duration::from_secs(1), 0), Duration::from_secs(1));
    }

    #[test]
    fn only_an_end_of_its_own_is_the_documents_fault() {
        let (abort, fault, killed, terminated) = (6, 11, 9, 15);
        assert_eq!(code(abort, "memory allocation of 7 bytes failed"), Some(RejectionCode::TooLarge));
        assert_eq!(code(abort, "panic in a destructor"), Some(RejectionCode::ParserPanic));
        assert_eq!(code(fault, ""), Some(RejectionCode::ParserPanic));
        assert_eq!(code(SIGXCPU, ""), Some(RejectionCode::TooSlow));
        assert_eq!(code(killed, ""), None);
        assert_eq!(code(terminated, ""), None);
        assert_eq!(
            Reason::Silent(Duration::ZERO).rejection(ReadingCost { memory_bytes: 0, cpu: Duration::ZERO }),
            None
        );
    }
}
