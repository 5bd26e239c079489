//! Dry runs: the output of `gongkai check --format json` for a document before it is published. Nothing is stored.
//!
//! The document is read in a child process, as parse reads it. A dry run shares the CPU pool with the rest of the process,
//! so it waits for a core only for a limited time.

use std::time::Duration;

use crate::{
    config::Config,
    error::{Code, Problem},
    submission::Submission,
};
use anyhow::Context as _;
use gongkai_check::CheckLine;
use gongkai_isolation::{RawDocument, Readers, Unread};
use gongkai_model::{AgencyKey, Rejection};
use gongkai_proto::convert::timestamp::day_in_china;
use gongkai_reading::{Hints, Limits, Reading, ReportHints};
use gongkai_rules::{ReportContext, RuleSet};
use gongkai_worker::Runtime;

/// How long a dry run waits for a free core.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(10);

/// On a busy machine, a dry run may take this many times its CPU limit before its caller is told to try again.
const BUSY: u32 = 4;

/// Performs dry runs. Cheap to clone.
#[derive(Clone)]
pub struct DryRun {
    runtime: Runtime,
    readers: Readers,
    patience: Duration,
    limits: Limits,
    rules: RuleSet,
}

// === impl DryRun ===

impl DryRun {
    /// Loads the rules of the config.
    ///
    /// # Errors
    /// A rule pack is invalid, or the folder cannot be read; the error names file and line. Or no readers can be made.
    pub fn new(config: &Config, runtime: Runtime) -> anyhow::Result<Self> {
        let rules = gongkai_rules::rule_set(config.rules.as_deref()).context("ingest.rules")?;
        let readers = Readers::new(&config.isolation()).context("couldn't make readers")?;
        let limits = Limits { input_bytes: config.max_body_bytes, ..Limits::default() };
        let patience = MAX_QUEUE_TIME + Duration::from_secs(config.check_timeout_s).saturating_mul(BUSY);
        Ok(Self { runtime, readers, patience, limits, rules })
    }

    /// Starts a child and makes `/readyz` say how it is confined.
    ///
    /// # Errors
    /// No child can read, or it cannot be confined as the kernel allows. Dry runs are not safe then.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        let (latch, readers) = (self.runtime.latch("readers"), self.readers.clone());
        let confinement = self.runtime.cpu(move || readers.prepare()).await??;
        self.runtime.remark("readers", confinement);
        latch.release();
        Ok(())
    }

    /// Returns the JSON line of a document. For a document that cannot be read, the line holds the rejection.
    ///
    /// # Errors
    /// `OVERLOADED`: no core became free in time, or no child could read. The same call may succeed later.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop a check that has started.
    pub async fn line(&self, submission: Submission) -> Result<String, Problem> {
        let this = self.clone();
        let check = self.runtime.cpu(move || this.check(&submission));
        let overloaded = |why: String| Problem::new(Code::Overloaded, why);
        match tokio::time::timeout(self.patience, check).await {
            Ok(Ok(line)) => line.map(|line| line.to_json()).map_err(|unread| overloaded(unread.to_string())),
            Ok(Err(panicked)) => Err(overloaded(panicked.to_string())),
            Err(_elapsed) => Err(overloaded("every core is busy; send the same call again later".to_owned())),
        }
    }

    fn check(&self, submission: &Submission) -> Result<CheckLine, Unread> {
        let read = self.readers.read(&document(submission, self.limits), &())?;
        Ok(self.line_of(submission, read))
    }

    fn line_of(&self, submission: &Submission, read: Result<Reading, Rejection>) -> CheckLine {
        let declared = &submission.declared;
        // The same key as parse assigns, so that the fingerprints are those of the published report.
        let agency = read.as_ref().ok().map(|reading| {
            AgencyKey::from_code(&declared.agency.code)
                .unwrap_or_else(|_| AgencyKey::provisional(&reading.report.agency, declared.region()))
        });
        let published_at = day_in_china(declared.published_at);
        let context = ReportContext { published_at, agency: agency.as_ref(), ..ReportContext::default() };
        gongkai_check::line_of(&self.rules, file_name(submission), read, &context)
    }
}

fn document(submission: &Submission, limits: Limits) -> RawDocument<'_> {
    let (content, declared) = (&submission.content, &submission.declared);
    let hints = Hints {
        media_type: filled(&content.media_type),
        charset: filled(&content.charset),
        filename: filled(&content.filename),
    };
    let known = ReportHints {
        agency: filled(&declared.agency.name),
        year: (declared.year != 0).then_some(declared.year),
    };
    RawDocument { bytes: &content.bytes, hints, known, limits }
}

fn file_name(submission: &Submission) -> &str {
    filled(&submission.content.filename).unwrap_or("-")
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
