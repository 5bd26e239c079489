//! Dry runs: the output of `gongkai check --format json` for a document before it is published. Nothing is stored.
//!
//! A dry run shares the CPU pool with the rest of the process, so it waits for a core only for a limited time.

use std::time::Duration;

use crate::{
    config::Config,
    error::{Code, Problem},
    submission::Submission,
};
use anyhow::Context as _;
use gongkai_check::Line;
use gongkai_model::{AgencyKey, Rejection, RejectionCode};
use gongkai_proto::convert::timestamp::day_in_china;
use gongkai_reading::{Hints, Known, Limits};
use gongkai_rules::{Context, RuleSet};
use gongkai_worker::{Runtime, runtime::Unfinished};

/// How long a dry run waits for a free core.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(10);

/// Performs dry runs. Cheap to clone.
#[derive(Clone)]
pub struct DryRun {
    runtime: Runtime,
    timeout: Duration,
    limits: Limits,
    rules: RuleSet,
}

// === impl DryRun ===

impl DryRun {
    /// Loads the rules of the config.
    ///
    /// # Errors
    /// A rule pack is invalid, or the folder cannot be read. The error names file and line.
    pub fn new(config: &Config, runtime: Runtime) -> anyhow::Result<Self> {
        let rules = gongkai_rules::rule_set(config.rules.as_deref()).context("ingest.rules")?;
        let limits = Limits { input_bytes: config.max_body_bytes, ..Limits::default() };
        Ok(Self { runtime, timeout: Duration::from_secs(config.check_timeout_s), limits, rules })
    }

    /// Returns the JSON line of a document. For a document that cannot be read, the line holds the rejection.
    ///
    /// # Errors
    /// `OVERLOADED`: no core became free in time.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop a check that has started.
    pub async fn line(&self, submission: Submission) -> Result<String, Problem> {
        let file = file_name(&submission);
        let (limits, rules) = (self.limits, self.rules.clone());
        let check =
            self.runtime.cpu_within(self.timeout, move || check(&submission, &limits, &rules).to_json());
        let Ok(result) = tokio::time::timeout(MAX_QUEUE_TIME + self.timeout, check).await else {
            return Err(Problem::new(Code::Overloaded, "every core is busy; send the same call again later"));
        };
        let refused = |unfinished| Line::of_rejection(&file, &rejection(&unfinished), self.rules.versions());
        Ok(result.unwrap_or_else(|unfinished| refused(unfinished).to_json()))
    }
}

fn check(submission: &Submission, limits: &Limits, rules: &RuleSet) -> Line {
    let (file, content, declared) = (file_name(submission), &submission.content, &submission.declared);
    let hints = Hints {
        media_type: filled(&content.media_type),
        charset: filled(&content.charset),
        filename: filled(&content.filename),
    };
    let known =
        Known { agency: filled(&declared.agency.name), year: (declared.year != 0).then_some(declared.year) };
    let reading = match gongkai_reading::read_known(&content.bytes, &hints, limits, &known) {
        Ok(reading) => reading,
        Err(rejection) => return Line::of_rejection(&file, &rejection, rules.versions()),
    };
    // The same key as parse assigns, so that the fingerprints are those of the published report.
    let agency = AgencyKey::from_code(&declared.agency.code)
        .unwrap_or_else(|_| AgencyKey::provisional(&reading.report.agency, declared.region()));
    let published_at = day_in_china(declared.published_at);
    let by_name = gongkai_agencies::nature_of(&reading.report.agency);
    let context = Context { published_at, agency: Some(&agency), by_name, ..Context::default() };
    let findings = rules.evaluate(&reading.report, &context);
    Line::of_report(&file, &reading, &findings, rules.versions())
}

fn file_name(submission: &Submission) -> String {
    filled(&submission.content.filename).unwrap_or("-").to_owned()
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn rejection(unfinished: &Unfinished) -> Rejection {
    match unfinished {
        Unfinished::TooSlow(limit) => Rejection::new(
            RejectionCode::TooSlow,
            format!("读取超过 {} 秒，已停止；请检查文件是否完整、是否混入大量无关内容。", limit.as_secs()),
            format!("reading took longer than {} s and was given up", limit.as_secs()),
        ),
        Unfinished::Panicked(_) => Rejection::new(
            RejectionCode::ParserPanic,
            "程序在读取本文件时出错；请把文件发给维护人员。",
            "the program failed on this document; please send it to the maintainers",
        ),
    }
}
