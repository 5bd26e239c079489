//! The parent's end: one child, and the exchange with it.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::fd::AsFd as _,
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
    time::Duration,
};

use gongkai_reading::Steps;
use prost::Message as _;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::ioctl_fionbio,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::{
    fault::Reason,
    frame::{self, Frame, FrameTag},
    message::{self, ReadingAnswer, ReadingRequest, STEPS},
};

/// Number of waits without progress after which a child is killed. Waits are counted instead of time, because time
/// also passes while this process is suspended.
const SILENT_WAITS: u32 = 12;

/// Maximum number of bytes of a child's standard error that are kept.
const SAID: usize = 16 << 10;

/// How long a child that closed its pipes may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// Maximum nesting of steps. They do not nest at present.
const DEEPEST: usize = 4;

/// A child and the output that it has sent.
pub(crate) struct ReaderProcess {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    arrived: Vec<u8>,
    said: Vec<u8>,
    /// True until the standard error ends, which may be before the standard output does.
    may_say: bool,
    /// Length of one wait for progress.
    patience: Duration,
    /// CPU time of the child at the last wait in which nothing arrived, in the kernel's ticks.
    ticks: Option<u64>,
    waits: u32,
}

/// Which pipes are readable or writable.
struct Woken {
    input: bool,
    output: bool,
    errors: bool,
}

// === impl ReaderProcess ===

impl ReaderProcess {
    /// Wraps a child that was started with three pipes.
    pub(crate) fn new(mut process: Child, patience: Duration) -> io::Result<Self> {
        let (Some(input), Some(output), Some(errors)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(io::Error::other("a child without pipes"));
        };
        // Writes must not block: while one waits for room, the end of the child is watched too.
        ioctl_fionbio(&input, true)?;
        let (arrived, said) = (Vec::new(), Vec::new());
        Ok(Self {
            process,
            input,
            output,
            errors,
            arrived,
            said,
            may_say: true,
            patience,
            ticks: None,
            waits: 0,
        })
    }

    /// Waits until the child can read, and returns a description of its confinement.
    pub(crate) fn ready(&mut self) -> Result<String, Reason> {
        match self.next()? {
            Frame { tag: FrameTag::Ready, payload } => Ok(String::from_utf8_lossy(&payload).into_owned()),
            _ => Err(nonsense()),
        }
    }

    /// Returns true if the child still runs. It may have been ended while it was idle.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Lets the child serve a request about a document. After an error, discard the child.
    pub(crate) fn serve(
        &mut self,
        request: &ReadingRequest,
        document: &[u8],
        steps: &impl Steps,
    ) -> Result<ReadingAnswer, Reason> {
        let request = request.encode_to_vec();
        let heads =
            [frame::head(FrameTag::Request, request.len()), frame::head(FrameTag::Document, document.len())];
        let [first, second] = heads.map(|head| head.map_err(Reason::Nonsense));
        self.send(&first?)?;
        self.send(&request)?;
        self.send(&second?)?;
        self.send(document)?;
        let answer = self.listen(steps, 0)?.ok_or_else(nonsense)?;
        if !self.said.is_empty() {
            tracing::warn!(said = %String::from_utf8_lossy(&self.said).trim_end(), "a reader complained");
            self.said.clear();
        }
        Ok(answer)
    }

    /// Follows the child through its steps. Returns `None` at the end of the step in which it was called.
    fn listen(&mut self, steps: &impl Steps, depth: usize) -> Result<Option<ReadingAnswer>, Reason> {
        loop {
            let Frame { tag, payload } = self.next()?;
            match tag {
                FrameTag::Begin if depth < DEEPEST => {
                    let step = payload.first().and_then(|number| STEPS.get(usize::from(*number)));
                    let name = step.ok_or_else(nonsense)?;
                    if let Some(answer) = steps.step(name, || self.listen(steps, depth + 1))? {
                        return Ok(Some(answer));
                    }
                }
                FrameTag::End if depth > 0 => return Ok(None),
                FrameTag::Known => {
                    let name = std::str::from_utf8(&payload).ok();
                    steps.known(name.and_then(message::media_type).ok_or_else(nonsense)?);
                }
                FrameTag::Answer => {
                    return ReadingAnswer::decode(payload.as_slice()).map(Some).map_err(|_| nonsense());
                }
                _ => return Err(nonsense()),
            }
        }
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Reason> {
        while !bytes.is_empty() {
            match self.input.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let woken = self.wait(true)?;
                    if woken.output && self.take_output()? == 0 {
                        return Err(self.ended());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(self.ended()),
            }
        }
        Ok(())
    }

    /// Waits for the next frame.
    fn next(&mut self) -> Result<Frame, Reason> {
        loop {
            if let Some(frame) = frame::take(&mut self.arrived).map_err(Reason::Nonsense)? {
                return Ok(frame);
            }
            if self.wait(false)?.output && self.take_output()? == 0 {
                return Err(self.ended());
            }
        }
    }

    /// Waits until a pipe is readable or has ended, and reads the available standard error.
    fn wait(&mut self, is_sending: bool) -> Result<Woken, Reason> {
        loop {
            let woken = self.poll(is_sending).map_err(Reason::Nonsense)?;
            if woken.errors {
                self.take_errors();
            }
            if woken.input || woken.output {
                self.waits = 0;
                return Ok(woken);
            }
            if !woken.errors {
                self.note_silence()?;
            }
        }
    }

    fn poll(&self, is_sending: bool) -> io::Result<Woken> {
        let timeout = Timespec {
            tv_sec: self.patience.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: self.patience.subsec_nanos().into(),
        };
        let mut fds = vec![PollFd::new(&self.output, PollFlags::IN)];
        if self.may_say {
            fds.push(PollFd::new(&self.errors, PollFlags::IN));
        }
        if is_sending {
            fds.push(PollFd::new(&self.input, PollFlags::OUT));
        }
        loop {
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut woken = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut next = |is_polled: bool| is_polled && woken.next().unwrap_or(false);
        Ok(Woken { output: next(true), errors: next(self.may_say), input: next(is_sending) })
    }

    /// Counts a wait in which the child used no CPU time.
    fn note_silence(&mut self) -> Result<(), Reason> {
        let ticks = ticks(self.process.id());
        self.waits = if ticks == self.ticks { self.waits + 1 } else { 0 };
        self.ticks = ticks;
        if self.waits > SILENT_WAITS {
            return Err(Reason::Silent(self.patience * SILENT_WAITS));
        }
        Ok(())
    }

    fn take_output(&mut self) -> Result<usize, Reason> {
        let mut buffer = [0; 64 << 10];
        let read = self.output.read(&mut buffer).map_err(Reason::Nonsense)?;
        self.arrived.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    fn take_errors(&mut self) -> usize {
        let mut buffer = [0; 4 << 10];
        let read = self.errors.read(&mut buffer).unwrap_or(0);
        self.may_say = read > 0;
        self.said.extend_from_slice(&buffer[..read]);
        let surplus = self.said.len().saturating_sub(SAID);
        self.said.drain(..surplus);
        read
    }

    /// Returns how the child ended, after it has closed its pipes.
    fn ended(&mut self) -> Reason {
        if !self.has_ended_within(ENDING) {
            self.process.kill().ok();
        }
        let status = match self.process.wait() {
            Ok(status) => status,
            Err(error) => return Reason::Nonsense(error),
        };
        while self.take_errors() > 0 {}
        Reason::Ended { status, said: String::from_utf8_lossy(&self.said).trim_end().to_owned() }
    }

    fn has_ended_within(&self, limit: Duration) -> bool {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        let Some(Ok(process)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { return false };
        let limit = Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: 0 };
        let mut fds = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
        poll(&mut fds, Some(&limit)).is_ok_and(|ready| ready > 0)
    }
}

impl Drop for ReaderProcess {
    /// Ends the child, and waits for its end, so that no zombie process is left.
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Returns the CPU time that a process has used, in the kernel's ticks.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain blanks.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(field(11)? + field(12)?)
}

fn nonsense() -> Reason {
    Reason::Nonsense(frame::invalid("an answer to another question"))
}
