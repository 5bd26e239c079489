//! `gongkai rules test`: performs a shadow run. Reports are checked twice, by the rules in force and with a new pack,
//! and the difference is shown. Nothing is published.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use gongkai_isolation::Readers;
use gongkai_model::{Finding, Report};
use gongkai_reading::Limits;
use gongkai_rules::{ReportContext, RuleSet};
use serde::Serialize;
use time::Date;

use super::stored;
use crate::{
    commands::check::{
        files::{self, DocumentSource},
        joint,
    },
    printer::{Printer, complain},
    table::{self, Column, Format, TableRow},
};

/// 试运行规则包 / Show what a new rule pack would change, without publishing anything
///
/// Runs the pack's own examples, then checks each report with the current rules and with the new pack, and shows which
/// findings would appear, disappear or change. Rules that need other reports are silent in both runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai rules test --pack new-rules/ reports/
  gongkai rules test --pack new-rules/ --since 2024-01-01
  gongkai rules test --pack new-rules/ --rules /etc/gongkai/rules --format csv

Exit code: 0 no finding would change, 1 at least one would, 2 the test could not run or an example failed.")]
pub(super) struct Args {
    /// Folder with the new pack (*.toml)
    #[arg(long, value_name = "DIR")]
    pack: PathBuf,
    /// Folder with the current local packs, if any
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Files and folders to test the pack on; default: the stored reports
    #[arg(value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Test only stored reports that were received on this day or later (YYYY-MM-DD, UTC)
    #[arg(long, value_name = "DATE", value_parser = day)]
    since: Option<Date>,
    /// Config file of the services, with the address of the broker
    #[arg(long, value_name = "FILE", env = "GONGKAI_CONFIG")]
    config: Option<PathBuf>,
    /// Address of the broker
    #[arg(long, value_name = "URL")]
    nats_url: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A finding that the new pack adds, removes or changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct FindingChange {
    change: &'static str,
    report: String,
    rule: String,
    /// The finding with the rules in force; empty if there was none.
    before: String,
    /// The finding with the new pack; empty if there is none.
    after: String,
    message: String,
}

/// The rules in force, and the rules with the new pack.
struct Trial {
    before: RuleSet,
    after: RuleSet,
    changes: Vec<FindingChange>,
    reports: usize,
}

pub(super) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let before = gongkai_rules::rule_set(args.rules.as_deref())?;
    let after = match &args.rules {
        Some(present) => gongkai_rules::rule_set_of(&[present, &args.pack])?,
        None => gongkai_rules::rule_set(Some(&args.pack))?,
    };
    let (count, failures) = after.run_examples(gongkai_agencies::nature_of);
    if !failures.is_empty() {
        failures.iter().for_each(|failure| complain(format_args!("{failure}")));
        complain(format_args!(
            "规则包的例子 {} 个不成立，未试运行 / {0} of {count} examples do not hold, nothing tried",
            failures.len()
        ));
        return Ok(ExitCode::from(2));
    }
    if count > 0 {
        complain(format_args!("规则包的例子全部成立：{count} 个 / all {count} examples of the packs hold"));
    }
    let mut trial = Trial { before, after, changes: Vec::new(), reports: 0 };
    if args.files.is_empty() {
        let source = stored::StoredReports::open(args.config.as_deref(), args.nats_url.as_deref()).await?;
        source.each(args.since, |name, report, context| trial.try_on(name, report, context)).await?;
    } else {
        let readers = Readers::new(&gongkai_isolation::ReadersSettings::default())?;
        for source in files::sources(args.files) {
            trial.try_source(source, &readers)?;
        }
    }
    table::write(out, args.format, &trial.changes)?;
    complain(format_args!("{}", trial.summary()));
    Ok(ExitCode::from(u8::from(!trial.changes.is_empty())))
}

fn day(text: &str) -> Result<Date, String> {
    let form = time::macros::format_description!("[year]-[month]-[day]");
    Date::parse(text, form).map_err(|_| "a day is written YYYY-MM-DD, such as 2024-01-31".to_owned())
}

// === impl Trial ===

impl Trial {
    fn try_source(&mut self, source: DocumentSource, readers: &Readers) -> anyhow::Result<()> {
        let name = source.name();
        let read = joint::read(source, readers, Limits::default());
        match read.with_context(|| format!("couldn't read {name}"))?.result {
            Ok(reading) => self.try_on(&name, &reading.report, &ReportContext::default()),
            Err(rejection) => complain(format_args!("{name}: {}", rejection.message)),
        }
        Ok(())
    }

    fn try_on(&mut self, name: &str, report: &Report, context: &ReportContext<'_>) {
        self.reports += 1;
        let by_name = gongkai_agencies::nature_of(&report.agency);
        let context = &ReportContext { by_name, ..*context };
        let findings = |rules: &RuleSet| rules.evaluate(report, context);
        self.changes.extend(difference(name, &findings(&self.before), &findings(&self.after)));
    }

    fn summary(&self) -> String {
        let count = |kind| self.changes.iter().filter(|change| change.change == kind).count();
        let touched: BTreeSet<&str> = self.changes.iter().map(|change| change.report.as_str()).collect();
        format!(
            "试运行 {} 份报告，其中 {} 份有变化：新增 {}，消失 {}，改变 {} / {0} reports tried, {1} would change: \
             {2} findings come, {3} go, {4} change",
            self.reports,
            touched.len(),
            count("added"),
            count("removed"),
            count("changed"),
        )
    }
}

/// Returns the differences, by fingerprint: a finding keeps it when its severity or wording changes.
fn difference(report: &str, before: &[Finding], after: &[Finding]) -> Vec<FindingChange> {
    let keyed = |findings: &[Finding]| -> BTreeMap<String, Finding> {
        findings.iter().map(|finding| (finding.fingerprint.clone(), finding.clone())).collect()
    };
    let (before, after) = (keyed(before), keyed(after));
    let fingerprints: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change =
        |fingerprint: &&String| FindingChange::of(report, before.get(*fingerprint), after.get(*fingerprint));
    fingerprints.iter().filter_map(change).collect()
}

// === impl FindingChange ===

impl FindingChange {
    /// Returns the change, or `None` if nothing visible differs.
    fn of(report: &str, before: Option<&Finding>, after: Option<&Finding>) -> Option<Self> {
        let change = match (before, after) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(old), Some(new)) if old.severity != new.severity || old.message != new.message => "changed",
            _ => return None,
        };
        let shown = after.or(before)?;
        let severity = |finding: Option<&Finding>| finding.map(|finding| finding.severity.to_string());
        Some(Self {
            change,
            report: report.to_owned(),
            rule: shown.rule.clone(),
            before: severity(before).unwrap_or_default(),
            after: severity(after).unwrap_or_default(),
            message: shown.message.clone(),
        })
    }
}

impl TableRow for FindingChange {
    const COLUMNS: &'static [Column<Self>] = &[
        ("change", |row| row.change.to_owned()),
        ("report", |row| row.report.clone()),
        ("rule", |row| row.rule.clone()),
        ("before", |row| row.before.clone()),
        ("after", |row| row.after.clone()),
        ("message", |row| row.message.clone()),
    ];
}
