//! The child's end: reads documents from its standard input until that ends.

use std::{
    cell::RefCell,
    env,
    io::{self, BufReader, BufWriter, Read, Write},
    process::ExitCode,
    time::Duration,
};

use gongkai_annotate::RemarkSheet;
use gongkai_model::MediaType;
use gongkai_reading::{Hints, Limits, Steps};
use prost::Message as _;
use rustix::{
    process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit},
    thread::set_name,
    time::{ClockId, clock_gettime},
};

use crate::{
    fault,
    frame::{self, Frame, FrameTag},
    message::{ReadingAnswer, ReadingRequest, STEPS},
    wall,
};

/// The first argument of a child. Only [`Readers`](crate::Readers) starts a program with it.
pub(crate) const ARGUMENT: &str = "--read-documents-from-stdin";

/// A child that has grown by more than this fraction (1 / `GROWN`) of its memory limit accepts no further document.
const GROWN: u64 = 8;

/// Reads documents, if this process was started as a child of [`Readers`](crate::Readers).
///
/// Call it first in `main` of each program that reads documents, before any thread is started and any file is opened.
/// Returns `None` if the process was started in another way; otherwise the exit code, once the parent closes the
/// pipe.
#[must_use]
pub fn run_child() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
    let (Some(memory), Some(cpu)) = (number(), number()) else { return Some(ExitCode::FAILURE) };
    // The parent notices that the pipes end, and reads the standard error.
    Some(serve(memory, cpu).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

fn serve(memory: u64, most_cpu: u64) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    set_name(c"gongkai-reader")?;
    warm_up();
    let size = wall::ProcessSize::open()?;
    let begun = size.bytes()?;
    let confinement = wall::confine(begun.saturating_add(memory))?;
    let mut input = BufReader::new(io::stdin().lock());
    let output = RefCell::new(BufWriter::new(io::stdout().lock()));
    frame::write(&mut *output.borrow_mut(), FrameTag::Ready, confinement.to_string().as_bytes())?;
    while let Some(request) = frame::read(&mut input)? {
        let (mut request, document) = document(&request, &mut input)?;
        let mut limits = request.limits().ok_or_else(|| frame::invalid("a request of another version"))?;
        let cpu = fault::cpu_of(Duration::from_secs(most_cpu), document.len());
        limit_cpu(cpu.as_secs())?;
        // The PDF reader stops by itself before that, so that the child can continue.
        limits.drawing_time = limits.drawing_time.min(cpu * 3 / 4);
        let mut answer = match request.take_sheet() {
            None => read(&document, &request, &limits, &output),
            Some(sheet) => {
                let sheet = sheet.into_sheet().ok_or_else(|| frame::invalid("remarks of another version"))?;
                annotate(&document, &request, &limits, &sheet)
            }
        };
        drop(document);
        answer.is_last = size.bytes()? > begun.saturating_add(memory / GROWN);
        frame::write(&mut *output.borrow_mut(), FrameTag::Answer, &answer.encode_to_vec())?;
        if answer.is_last {
            break;
        }
    }
    Ok(())
}

/// Reads a document, and reports its steps to the parent.
fn read(
    document: &[u8],
    request: &ReadingRequest,
    limits: &Limits,
    output: &RefCell<impl Write>,
) -> ReadingAnswer {
    let told = Told { output };
    let result = gongkai_reading::read_in_steps(document, &request.hints(), limits, &request.known(), &told);
    ReadingAnswer::of(&result)
}

/// Makes a marked copy of a document.
fn annotate(
    document: &[u8],
    request: &ReadingRequest,
    limits: &Limits,
    sheet: &RemarkSheet,
) -> ReadingAnswer {
    let copy =
        gongkai_reading::guarded(|| gongkai_annotate::annotate(document, &request.hints(), limits, sheet));
    ReadingAnswer::of_copy(copy)
}

/// Loads the data that every document needs: the forms and the character tables. Memory that is used later counts as
/// the document's.
fn warm_up() {
    let page = "<p>云溪县档案局2023年政府信息公开工作年度报告</p><p>國(guó)務(wù)院報(bào)告一、总体情况</p>";
    // The page is not a report.
    drop(gongkai_reading::read(page.as_bytes(), &Hints::default(), &Limits::default()));
}

/// Reads the document of a request.
fn document(request: &Frame, input: &mut impl Read) -> io::Result<(ReadingRequest, Vec<u8>)> {
    let broken = || frame::invalid("a document without a request");
    if request.tag != FrameTag::Request {
        return Err(broken());
    }
    let request = ReadingRequest::decode(request.payload.as_slice()).map_err(|_| broken())?;
    match frame::read(input)? {
        Some(Frame { tag: FrameTag::Document, payload }) => Ok((request, payload)),
        _ => Err(broken()),
    }
}

/// Limits the CPU time of the next document to this many seconds. The kernel counts whole seconds of the process, so
/// a second that has already begun is added.
fn limit_cpu(seconds: u64) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let maximum = getrlimit(Resource::Cpu).maximum;
    let current = used.saturating_add(seconds).saturating_add(1);
    let current = maximum.map_or(current, |maximum| current.min(maximum));
    Ok(setrlimit(Resource::Cpu, Rlimit { current: Some(current), maximum })?)
}

/// Reports each step to the parent.
struct Told<'o, W: Write> {
    output: &'o RefCell<W>,
}

impl<W: Write> Told<'_, W> {
    fn tell(&self, tag: FrameTag, payload: &[u8]) {
        // If the parent is gone, writing the answer fails.
        frame::write(&mut *self.output.borrow_mut(), tag, payload).ok();
    }
}

impl<W: Write> Steps for Told<'_, W> {
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R {
        let number = STEPS.iter().position(|step| *step == name).and_then(|number| u8::try_from(number).ok());
        let Some(number) = number else { return work() };
        self.tell(FrameTag::Begin, &[number]);
        let result = work();
        self.tell(FrameTag::End, &[]);
        result
    }

    fn known(&self, media_type: MediaType) {
        self.tell(FrameTag::Known, media_type.as_str().as_bytes());
    }
}
