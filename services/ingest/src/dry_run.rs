//! Dry runs: the findings that a document would get if it were published. Nothing is stored.
//!
//! The document is read in a child process, as in parse, and compared with the stored reports around it by the same
//! code as in validate. If these cannot be read, the answer lists the rules that were not applied.
//!
//! Drafts have cores of their own, one for each reader, and a queue of their own, so submissions never wait for them.
//! The queue is bounded in length and time.

mod marked;

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::Context as _;
use gongkai_agencies::Registry;
use gongkai_check::{NotCheckedLine, Places};
use gongkai_isolation::{RawDocument, Readers, Unread};
use gongkai_model::{Difference, Report, ReportKey, ReviewStep};
use gongkai_neighbours::SharedRecords;
use gongkai_proto::{
    convert::{review, timestamp::day_in_china},
    subjects::BUCKET_NEIGHBOURS,
};
use gongkai_reading::{Hints, JointReading, Limits, PartId, Reading, ReportHints, read_parts};
use gongkai_rules::{AgencyYear, Neighbours, Publication, ReportContext, RuleSet, Scope};
use gongkai_worker::{RecordStore, Runtime};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

use crate::{
    blocking,
    checked_draft::CheckedDraft,
    config::Config,
    error::{Code, Problem},
    fetch::Fetcher,
    publication::RemoteFiles,
    review::ReviewLevels,
    submission::{File, FileLimits, Submission, sha256},
};

/// How long a draft waits for a free core.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(5);

/// Maximum time for reading the reports around a draft.
const NEIGHBOURS_TIME: Duration = Duration::from_secs(1);

/// On a busy machine, a dry run may take this many times its CPU limit before its caller is asked to try again.
const BUSY: u32 = 4;

/// Performs dry runs. Cheap to clone.
#[derive(Clone)]
pub struct DryRun {
    runtime: Runtime,
    readers: Readers,
    fetcher: Fetcher,
    neighbours: SharedRecords,
    review_levels: ReviewLevels,
    limits: Limits,
    files: FileLimits,
    rules: RuleSet,
    /// The positions of the forms' cells, in words.
    form_places: Arc<Places>,
    /// Drafts in work or waiting.
    line: Arc<Semaphore>,
    cores: Arc<Semaphore>,
    places: usize,
    patience: Duration,
}

// === impl DryRun ===

impl DryRun {
    /// Loads the rules of the config. `registry` resolves the agencies of drafts.
    ///
    /// # Errors
    /// A rule pack is invalid, or the folder cannot be read; the error names the file and the line. Or no readers can
    /// be created.
    pub fn new(
        config: &Config,
        runtime: Runtime,
        fetcher: Fetcher,
        registry: watch::Receiver<Arc<Registry>>,
    ) -> anyhow::Result<Self> {
        let places = match config.check_readers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            readers => readers,
        };
        // The store is only read, so it loses no race.
        let records = RecordStore::new(runtime.entries(BUCKET_NEIGHBOURS), 1);
        let rules = gongkai_rules::rule_set(config.rules.as_deref()).context("ingest.rules")?;
        Ok(Self {
            readers: Readers::new(&config.isolation()).context("couldn't make readers")?,
            form_places: Arc::new(Places::new(&rules)),
            rules,
            neighbours: SharedRecords { records, registry },
            review_levels: ReviewLevels::new(config),
            limits: Limits { input_bytes: config.max_body_bytes, ..Limits::default() },
            files: config.file_limits(),
            // The other half of the slots is for submissions.
            line: Arc::new(Semaphore::new((config.max_requests / 2).clamp(1, Semaphore::MAX_PERMITS))),
            cores: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            patience: MAX_QUEUE_TIME + Duration::from_secs(config.check_timeout_s).saturating_mul(BUSY),
            places,
            fetcher,
            runtime,
        })
    }

    /// Starts all children, so that no draft waits for one, and adds to `/readyz` how they are confined.
    ///
    /// # Errors
    /// No child can read, or it cannot be confined as the kernel allows. Dry runs are not safe then.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        let latch = self.runtime.latch("readers");
        let starting = (0..self.places).map(|_| {
            let readers = self.readers.clone();
            self.runtime.cpu(move || readers.prepare())
        });
        for confinement in futures::future::try_join_all(starting).await? {
            self.runtime.remark("readers", confinement?);
        }
        latch.release();
        Ok(())
    }

    /// Checks the draft of an event. If its content is given by URL, it is fetched first.
    ///
    /// # Errors
    /// As for [`Self::check`], and those of [`Fetcher::complete`].
    pub async fn event(&self, mut draft: Submission, remote: &RemoteFiles) -> Result<CheckedDraft, Problem> {
        self.fetcher.complete(&mut draft, remote).await?;
        self.check(draft).await
    }

    /// Checks a document. One that cannot be read is answered with its rejection.
    ///
    /// # Errors
    /// `OVERLOADED`: too many drafts wait, no core became free in time, or no child could read. The same call may
    /// succeed later. `EMPTY`, `TOO_LARGE`: as for a submission. `INVALID_FIELD`: a step of review has an impossible
    /// time.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop a step that has started, and leaves nothing behind.
    pub async fn check(&self, draft: Submission) -> Result<CheckedDraft, Problem> {
        self.files.check(&draft)?;
        let _in_line = self
            .line
            .clone()
            .try_acquire_owned()
            .map_err(|_| busy("同时检查的草稿过多", "too many drafts at once"))?;
        let checked = timeout(self.patience, self.steps(draft)).await;
        checked.unwrap_or_else(|_elapsed| Err(busy("处理器正忙", "every core is busy")))
    }

    async fn steps(&self, draft: Submission) -> Result<CheckedDraft, Problem> {
        let review = review::steps(&draft.declared.review).map_err(|error| {
            Problem::new(Code::InvalidField, "review.at 不是有效的时间", error.to_string())
        })?;
        let core = timeout(MAX_QUEUE_TIME, self.core())
            .await
            .map_err(|_| busy("处理器正忙", "every core is busy"))?;
        let (readers, limits) = (self.readers.clone(), self.limits);
        let registry = self.neighbours.registry.borrow().clone();
        let said = draft.declared.said(&registry);
        let read = self.on(core, move || {
            let read = read_files(&readers, &draft, said.known(), limits);
            let read = read.map(|(JointReading { result, parts, .. }, content_hash)| {
                let of_year =
                    |reading: Reading| (AgencyYear::of(&reading.report, kind_of(&reading.report)), reading);
                (result.map(of_year), parts, content_hash)
            });
            (draft, said, read)
        });
        let (draft, said, read) = read.await?;
        let (read, parts, content_hash) =
            read.map_err(|unread| busy("读取进程不可用", &unread.to_string()))?;
        let (own, reading) = match read {
            Ok(read) => read,
            Err(rejection) => return Ok(CheckedDraft { parts, ..self.answer(draft, Err(rejection), None) }),
        };
        let (key, differences) = said.identify(&reading.report, &registry);
        let neighbours = self.read_neighbours(&key, own, &draft).await;
        let this = self.clone();
        let judge = move || {
            let around = (&neighbours, differences.as_slice());
            CheckedDraft { parts, content_hash, ..this.judge(draft, reading, &key, around, &review) }
        };
        self.on(self.core().await, judge).await
    }

    async fn core(&self) -> OwnedSemaphorePermit {
        self.cores.clone().acquire_owned().await.expect("the semaphore is never closed")
    }

    /// Runs a step on a blocking thread. The step occupies its core until it ends.
    fn on<T: Send + 'static>(
        &self,
        core: OwnedSemaphorePermit,
        step: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Problem>> {
        blocking::run_sized(usize::MAX, move || {
            let _held = core;
            step()
        })
    }

    /// Reads the reports that the draft is compared with.
    async fn read_neighbours(
        &self,
        key: &ReportKey,
        own: AgencyYear,
        draft: &Submission,
    ) -> Result<Neighbours, Problem> {
        let reading = self.neighbours.of_draft(&key.agency, own, draft.declared.region());
        match timeout(NEIGHBOURS_TIME, reading).await {
            Ok(read) => Ok(read?),
            Err(_elapsed) => Err(Problem::new(
                Code::BrokerUnavailable,
                "消息系统没有及时应答",
                "the broker does not answer in time",
            )),
        }
    }

    fn judge(
        &self,
        draft: Submission,
        reading: Reading,
        key: &ReportKey,
        (neighbours, differences): (&Result<Neighbours, Problem>, &[Difference]),
        review: &[ReviewStep],
    ) -> CheckedDraft {
        let declared = &draft.declared;
        let profile = self.neighbours.profile(&key.agency);
        // A draft without any step of review may still be under review.
        let review_levels = if review.is_empty() { Vec::new() } else { self.review_levels.of(declared) };
        let published_at = day_in_china(declared.published_at);
        let context = ReportContext {
            published_at,
            // The same key as parse assigns, so that the fingerprints are those of the published report.
            agency: Some(&key.agency),
            profile: profile.as_ref(),
            publication: Publication {
                url: filled(&declared.url),
                site_code: filled(&declared.site.code),
                site_domain: profile.as_ref().and_then(|profile| profile.site_domain.as_deref()),
                column: filled(&declared.site.column),
                first_seen: None,
                review,
                review_levels: &review_levels,
            },
            neighbours: neighbours.as_ref().ok(),
            differences,
            ..ReportContext::default()
        };
        let not_checked = neighbours.as_ref().err().map(|problem| {
            let rules = self.rules_over_neighbours(&reading.report, published_at);
            not_checked(problem, rules)
        });
        let outcome = gongkai_check::evaluate(&self.rules, reading, &context);
        self.answer(draft, outcome.map(|checked| (key.clone(), checked)), not_checked)
    }

    fn answer(
        &self,
        submission: Submission,
        outcome: Result<(ReportKey, gongkai_check::Checked), gongkai_model::Rejection>,
        not_checked: Option<NotCheckedLine>,
    ) -> CheckedDraft {
        let versions = self.rules.versions().clone();
        CheckedDraft {
            submission,
            outcome,
            parts: Vec::new(),
            content_hash: String::new(),
            not_checked,
            versions,
        }
    }

    /// Returns the ids of the rules that compare the report with others.
    fn rules_over_neighbours(&self, report: &Report, published_at: Option<time::Date>) -> Vec<String> {
        let compares = self.rules.rules().iter().filter(|rule| {
            matches!(rule.scope, Scope::CrossYear | Scope::RollUp) && rule.applies_to(report, published_at)
        });
        let mut ids: Vec<String> = compares.map(|rule| rule.id.clone()).collect();
        ids.dedup();
        ids
    }
}

fn busy(chinese: &str, english: &str) -> Problem {
    Problem::new(
        Code::Overloaded,
        format!("{chinese}，请稍后原样重试"),
        format!("{english}; send the same call again later"),
    )
}

fn not_checked(problem: &Problem, rules: Vec<String>) -> NotCheckedLine {
    NotCheckedLine {
        code: problem.code.as_str().to_owned(),
        message: format!(
            "暂时读不到上年度报告和上下级、同级机构的数据，{} 条比对规则没有检查，其余已查；请稍后再查一次。",
            rules.len()
        ),
        message_en: format!(
            "the stored reports around this one cannot be read now, so {} rules were not applied; check again later",
            rules.len()
        ),
        rules,
    }
}

/// Reads the files of a draft in children, and returns the hash of its content too.
fn read_files(
    readers: &Readers,
    draft: &Submission,
    known: ReportHints<'_>,
    limits: Limits,
) -> Result<(JointReading, String), Unread> {
    let main = Some(&draft.content).filter(|file| !file.bytes.is_empty());
    let main = main.map(|file| (file, PartId { sha256: sha256(&file.bytes), ..PartId::main() }));
    let attachments = draft.attachments.iter().enumerate().map(|(at, file)| {
        (file, PartId::attachment(at, &file.filename, &file.media_type, &sha256(&file.bytes)))
    });
    let (files, ids): (Vec<&File>, Vec<PartId>) = main.into_iter().chain(attachments).unzip();
    let main = ids.iter().find(|id| id.name.is_none()).map(|id| id.sha256.as_str());
    let attachments = ids.iter().filter(|id| id.name.is_some()).map(|id| id.sha256.as_str());
    let content_hash = gongkai_model::content_hash(main, attachments);
    let read = read_parts(&ids, |at| readers.read(&document(files[at], known, limits), &()))?;
    Ok((read, content_hash))
}

fn kind_of(report: &Report) -> Option<gongkai_model::AgencyKind> {
    gongkai_agencies::kind_of(&report.agency)
}

fn document<'a>(file: &'a File, known: ReportHints<'a>, limits: Limits) -> RawDocument<'a> {
    let hints = Hints {
        media_type: filled(&file.media_type),
        charset: filled(&file.charset),
        filename: filled(&file.filename),
    };
    RawDocument { bytes: &file.bytes, hints, known, limits }
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
