//! The pool of children.

use std::{
    fmt, io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use gongkai_annotate::{MarkedCopy, RemarkSheet};
use gongkai_model::Rejection;
use gongkai_reading::{Reading, Steps};

use crate::{
    child::ARGUMENT,
    document::RawDocument,
    fault::{ReadingCost, Reason, Unread},
    frame,
    message::{ReadingAnswer, ReadingRequest},
    process::ReaderProcess,
    room::{self, Reservation, Room},
};

/// Path by which this program is started again. It names the running program even after an update replaced the file.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// Number of children, and limits of reading one document.
#[derive(Debug, Clone)]
pub struct ReadersSettings {
    /// Number of children, which is the number of documents read at once. 0 means one for each core, but no more than
    /// fit in 900 MiB, each with its memory limit and [`CHILD_BYTES`](crate::CHILD_BYTES). All pools of the process
    /// with 0 share these 900 MiB.
    pub children: usize,
    /// Bytes of memory that reading one document may use in addition to a child's initial memory.
    pub memory_bytes: u64,
    /// Maximum CPU time for one document, rounded up to whole seconds. A small document gets less: 4 s, and 4 s for
    /// each MiB.
    pub cpu: Duration,
    /// Interval of the checks whether a silent child still works. A child that used no CPU time over twelve intervals
    /// is killed, and its document is not rejected.
    pub patience: Duration,
}

impl Default for ReadersSettings {
    fn default() -> Self {
        Self {
            children: 0,
            memory_bytes: 384 << 20,
            cpu: Duration::from_secs(20),
            patience: Duration::from_secs(10),
        }
    }
}

/// Children that read documents. Cheap to clone; the children end with the last clone.
///
/// A child is started when it is first needed, serves many documents, and is replaced once it has died or grown.
#[derive(Clone)]
pub struct Readers(Arc<Pool>);

struct Pool {
    cost: ReadingCost,
    patience: Duration,
    starter: Starter,
    room: Arc<Room>,
    /// Share of the room that a document occupies.
    share: u64,
    idle: Mutex<Vec<ReaderProcess>>,
}

// === impl Readers ===

impl Readers {
    /// Creates a pool. No child is started yet.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn new(settings: &ReadersSettings) -> io::Result<Self> {
        let (room, share) = match settings.children {
            0 => room::automatic(settings.memory_bytes),
            children => (Arc::new(Room::new(u64::try_from(children).unwrap_or(u64::MAX))), 1),
        };
        let seconds = settings.cpu.as_secs() + u64::from(settings.cpu.subsec_nanos() > 0);
        let cost = ReadingCost { memory_bytes: settings.memory_bytes, cpu: Duration::from_secs(seconds) };
        Ok(Self(Arc::new(Pool {
            cost,
            patience: settings.patience,
            starter: Starter::new()?,
            room,
            share,
            idle: Mutex::default(),
        })))
    }

    /// Starts a child, if there is none, and returns a description of how children are confined. Blocks until the
    /// child can read.
    ///
    /// # Errors
    /// No child can be started, or it could not be confined as the kernel allows. Nothing can be read then.
    pub fn prepare(&self) -> Result<String, Unread> {
        let _reservation = self.0.reserve();
        let (reader, confinement) = self.0.start()?;
        self.0.lock_idle().push(reader);
        Ok(format!("documents are read in child processes: {confinement}; {}", self.0.cost))
    }

    /// Reads a document as [`gongkai_reading::read_in_steps`] does, in a child. Blocks until a child is free and has
    /// read it.
    ///
    /// If the child dies, the document is rejected: `TOO_LARGE` for lack of memory, `TOO_SLOW` for lack of CPU time,
    /// else `PARSER_PANIC`; all of them `retryable`. If the child was ended from outside, the document is read once
    /// more, while no other is read.
    ///
    /// # Errors
    /// No child could read it, for a reason unrelated to the document: none can be started, or two of them were ended
    /// from outside. Try again later.
    pub fn read(
        &self,
        document: &RawDocument<'_>,
        steps: &impl Steps,
    ) -> Result<Result<Reading, Rejection>, Unread> {
        let call = Call { request: ReadingRequest::of(document), document: document.bytes };
        self.0
            .answer(&call, steps)?
            .map_or_else(|rejection| Ok(Err(rejection)), |answer| interpret(answer.into_result()))
    }

    /// Makes the marked copy of a document as [`gongkai_annotate::annotate`] does, in a child. Blocks until a child is
    /// free and has made it.
    ///
    /// # Errors
    /// As for [`Readers::read`]; a child that dies is a refusal of the copy with the same codes.
    pub fn annotate(
        &self,
        document: &RawDocument<'_>,
        sheet: &RemarkSheet,
    ) -> Result<Result<MarkedCopy, Rejection>, Unread> {
        let call = Call { request: ReadingRequest::of_copy(document, sheet), document: document.bytes };
        self.0
            .answer(&call, &())?
            .map_or_else(|rejection| Ok(Err(rejection)), |answer| interpret(answer.into_copy()))
    }
}

/// Returns the result in an answer, which is absent if the child is of another version.
fn interpret<T>(result: Option<Result<T, Rejection>>) -> Result<Result<T, Rejection>, Unread> {
    result.ok_or_else(|| Reason::Nonsense(frame::invalid("an answer of another version")).into())
}

/// What a child is asked.
struct Call<'a> {
    request: ReadingRequest,
    document: &'a [u8],
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readers").field(&self.0.cost).finish()
    }
}

// === impl Pool ===

impl Pool {
    /// Returns the answer to a call, or the rejection of a document that ended its child.
    fn answer(
        &self,
        call: &Call<'_>,
        steps: &impl Steps,
    ) -> Result<Result<ReadingAnswer, Rejection>, Unread> {
        let reason = match self.answer_at(self.reserve(), call, steps) {
            Ok(answer) => return Ok(Ok(answer)),
            Err(reason) => reason,
        };
        if !reason.is_from_outside() {
            return self.rejected(reason, call.document);
        }
        tracing::warn!(error = &reason as &dyn std::error::Error, "the document will be read again, alone");
        match self.answer_at(self.room.whole(), call, steps) {
            Ok(answer) => Ok(Ok(answer)),
            Err(reason) => self.rejected(reason, call.document),
        }
    }

    fn answer_at(
        &self,
        reservation: Reservation<'_>,
        call: &Call<'_>,
        steps: &impl Steps,
    ) -> Result<ReadingAnswer, Reason> {
        let mut reader = match self.idle() {
            Some(reader) => reader,
            None => self.start()?.0,
        };
        let answer = reader.serve(&call.request, call.document, steps)?;
        if !answer.is_last {
            self.lock_idle().push(reader);
        }
        drop(reservation);
        Ok(answer)
    }

    fn rejected<T>(&self, reason: Reason, document: &[u8]) -> Result<Result<T, Rejection>, Unread> {
        let Some(rejection) = reason.rejection(self.cost.of(document.len())) else {
            return Err(reason.into());
        };
        let said = if let Reason::Ended { said, .. } = &reason { said.as_str() } else { "" };
        let error = &reason as &dyn std::error::Error;
        tracing::warn!(error, said, code = rejection.code.as_str(), "a document ended its reader");
        Ok(Err(rejection))
    }

    fn start(&self) -> Result<(ReaderProcess, String), Reason> {
        let mut command = Command::new(program());
        command
            .arg0("gongkai-reader")
            .arg(ARGUMENT)
            .arg(self.cost.memory_bytes.to_string())
            .arg(self.cost.cpu.as_secs().to_string())
            .env_clear()
            // Otherwise the allocator reserves a gigabyte of address space, which counts towards the limit.
            .env("MIMALLOC_ARENA_RESERVE", "16384")
            .current_dir("/")
            // A signal from the terminal reaches only the parent, which finishes the documents in progress.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = self.starter.start(command).map_err(Reason::NotStarted)?;
        let mut reader = ReaderProcess::new(child, self.patience).map_err(Reason::NotStarted)?;
        match reader.ready() {
            Ok(confinement) => Ok((reader, confinement)),
            // A child that cannot be confined reports that and ends.
            Err(Reason::Ended { status, said }) => {
                Err(Reason::NotStarted(io::Error::other(format!("it ended with {status}: {said}"))))
            }
            Err(reason) => Err(reason),
        }
    }

    fn idle(&self) -> Option<ReaderProcess> {
        std::iter::from_fn(|| self.lock_idle().pop())
            .find_map(|mut reader| reader.is_alive().then_some(reader))
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<ReaderProcess>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve(&self) -> Reservation<'_> {
        self.room.reserve(self.share)
    }
}

/// Starts children on a thread of its own: the kernel ends a child with the thread that started it, and threads that
/// read documents are short-lived.
struct Starter(mpsc::Sender<(Command, mpsc::Sender<io::Result<Child>>)>);

impl Starter {
    fn new() -> io::Result<Self> {
        let (sender, commands) = mpsc::channel::<(Command, mpsc::Sender<io::Result<Child>>)>();
        thread::Builder::new().name("readers".to_owned()).spawn(move || {
            for (mut command, answer) in commands {
                // The caller may be gone; the child then ends when its pipes close.
                answer.send(command.spawn()).ok();
            }
        })?;
        Ok(Self(sender))
    }

    fn start(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts readers is gone");
        let (sender, answer) = mpsc::channel();
        self.0.send((command, sender)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

#[cfg(feature = "testing")]
fn program() -> PathBuf {
    crate::testing::program().unwrap_or_else(|| OWN_PROGRAM.into())
}

#[cfg(not(feature = "testing"))]
fn program() -> PathBuf {
    OWN_PROGRAM.into()
}
