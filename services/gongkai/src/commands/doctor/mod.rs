//! `gongkai doctor`: checks a deployment and reports what to do; with `--repair`, creates what is missing.
//!
//! A part that cannot be reached is one of the findings: the others are examined all the same.

mod broker;
mod certificates;
mod clocks;
mod disks;
mod doors;
mod examination;
mod objects;
mod orphans;
mod settings;

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use gongkai_proto::subjects;
use gongkai_worker::{
    Clock,
    transport::{jetstream::JetStream, s3::S3},
};
use serde::Serialize;

use self::{
    broker::Broker,
    examination::{Examination, State},
    orphans::Orphan,
    settings::Settings,
};
use super::{check::lang::Lang, status};
use crate::{
    printer::{Emphasis, ObjectFormat, Printer, clean},
    table,
};

/// Exit code if the broker cannot be queried.
const NO_BROKER: u8 = 2;

/// 体检与修复 / Check a deployment: broker, streams, object store, consumers, services
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai doctor
  gongkai doctor --config gongkai.toml --format json
  gongkai doctor --repair              accept the broker's current data and create missing parts
  gongkai doctor --collect-orphans     delete stored files whose documents are not in the log

A stream or bucket that is lost or replaced is never created again silently: the services are not ready until the
broker's store is restored, or --repair accepts the loss. The lost data stays lost. Running services continue within
seconds. --repair also deletes the consumers of read models that were not used for 7 days.

An orphan is an original or a text in the object store whose document is not in the log, for example after a crash between
the two writes. --orphans lists the orphans that are older than nats.orphan_age_s; --collect-orphans deletes them. Both
read the whole log. A file that was stored before the current log, or before the last accepted loss, is never an orphan.

Exit code: 0 no problem, 1 a problem, 2 the broker cannot be queried.")]
pub(crate) struct Args {
    #[command(flatten)]
    target: status::ServiceAddresses,
    /// Accept the broker's current data and create missing parts
    #[arg(long)]
    repair: bool,
    /// List stored files whose documents are not in the log
    #[arg(long, conflicts_with = "repair")]
    orphans: bool,
    /// Delete stored files whose documents are not in the log
    #[arg(long, conflicts_with = "repair")]
    collect_orphans: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ObjectFormat,
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    well: bool,
    repaired: bool,
    checks: Vec<Examination>,
    /// Stored files whose documents are not in the log, if they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    orphans: Option<Vec<Orphan>>,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let (report, has_broker) = match settings::check(&args.target.broker.config()) {
        Ok((settings, checks)) => diagnose(args, &settings, checks).await?,
        Err(check) => (Diagnosis::new(vec![check], args.repair, None), false),
    };
    match args.format {
        ObjectFormat::Json => out.line(serde_json::to_string(&report)?)?,
        ObjectFormat::Text => write(out, &report)?,
    }
    Ok(if has_broker { ExitCode::from(u8::from(!report.well)) } else { ExitCode::from(NO_BROKER) })
}

/// Examines everything that the settings lead to. Returns false beside the report if the broker cannot be queried.
async fn diagnose(
    args: &Args,
    settings: &Settings,
    mut checks: Vec<Examination>,
) -> anyhow::Result<(Diagnosis, bool)> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let common = &settings.common;
    let objects = common.objects.s3()?;
    let broker = match reach(args, settings, objects.is_none()).await {
        Ok(broker) => Some(broker),
        Err(error) if args.changes_or_reads_all() => return Err(error),
        Err(error) => {
            checks.push(unreachable(&error));
            None
        }
    };
    if let Some(broker) = &broker {
        checks.extend(broker.checks(common));
        // A stream that does not answer is reported by other checks.
        let offset = broker.connection.clock_offset(subjects::STREAM_REPORTS).await.ok().flatten();
        checks.extend(offset.map(clocks::of_broker));
    }
    if let Some(store) = &objects {
        checks.push(objects::check(store).await);
    }
    checks.extend(certificates::check(settings).await);
    checks.extend(disks::check(&settings.query.database));
    checks.push(doors::check(&settings.ingest));
    if !args.repair {
        // After a repair the services need some seconds.
        for health in args.target.probe(common).await? {
            checks.push(service_check(&health));
            checks.extend(clocks::of_service(&health));
        }
    }
    let orphans = match &broker {
        Some(broker) if args.reads_all() => Some(orphaned(args, settings, broker, objects.as_ref()).await?),
        _ => None,
    };
    Ok((Diagnosis::new(checks, args.repair, orphans), broker.is_some()))
}

async fn reach(args: &Args, settings: &Settings, keeps_objects: bool) -> anyhow::Result<Broker> {
    let nats = &settings.common.nats;
    let connection = JetStream::connect(&nats.transport("gongkai-doctor")?).await;
    let connection = connection.with_context(|| format!("couldn't reach the broker at {}", nats.url))?;
    Broker::examine(connection, &settings.common, keeps_objects, args.repair).await
}

async fn orphaned(
    args: &Args,
    settings: &Settings,
    broker: &Broker,
    objects: Option<&S3>,
) -> anyhow::Result<Vec<Orphan>> {
    let until = Clock::system().now() - Duration::from_secs(settings.common.nats.orphan_age_s);
    orphans::run(&broker.connection, objects, &broker.inspection, until, args.collect_orphans).await
}

fn unreachable(error: &anyhow::Error) -> Examination {
    let said = clean(&format!("{error:#}"));
    Examination::wrong("nats-server".to_owned(), "BROKER_UNREACHABLE", &format!("无法查询：{said}"), &said)
}

// === impl Args, Diagnosis ===

impl Args {
    /// Returns true if the whole log is read.
    fn reads_all(&self) -> bool {
        self.orphans || self.collect_orphans
    }

    /// Returns true if the command is for the broker: without one it fails.
    fn changes_or_reads_all(&self) -> bool {
        self.repair || self.reads_all()
    }
}

impl Diagnosis {
    fn new(checks: Vec<Examination>, repaired: bool, orphans: Option<Vec<Orphan>>) -> Self {
        let well = checks.iter().all(|check| check.state != State::Wrong);
        Self { well, repaired, checks, orphans }
    }
}

fn write(out: &mut Printer, report: &Diagnosis) -> anyhow::Result<()> {
    let lang = Lang::of_environment();
    let rows: Vec<_> = report.checks.iter().map(|check| check.row(lang)).collect();
    table::write(out, table::Format::Table, &rows)?;
    out.line("")?;
    if let Some(orphans) = &report.orphans {
        table::write(out, table::Format::Table, orphans)?;
        let collected = orphans.iter().filter(|orphan| orphan.collected).count();
        let zh = format!("无主文件 {} 个，已回收 {collected} 个", orphans.len());
        let en = format!("{} orphaned, {collected} collected", orphans.len());
        out.line(lang.choose(&zh, &en))?;
        out.line("")?;
    }
    let (style, verdict) = match (report.well, report.repaired) {
        (true, true) => (Emphasis::Green, lang.choose("已修复", "repaired")),
        (true, false) => (Emphasis::Green, lang.choose("一切正常", "all is well")),
        (false, _) => (Emphasis::Red, lang.choose("有问题，见上", "something is wrong, see above")),
    };
    out.line(out.styled(style, verdict))?;
    Ok(())
}

fn service_check(health: &status::Health) -> Examination {
    let subject = format!("service {}", health.name());
    if health.ready {
        return Examination::ok(subject, "就绪", "ready");
    }
    let said = clean(&health.detail);
    if health.answered {
        Examination::wrong(subject, "NOT_READY", &format!("未就绪：{said}"), &said)
    } else {
        let zh = format!("{} 无应答：未运行，或在别处（--admin）", health.admin);
        let en = format!("{said} at {}: it does not run, or runs elsewhere (--admin)", health.admin);
        Examination::note(subject, "NO_ANSWER", &zh, &en)
    }
}
