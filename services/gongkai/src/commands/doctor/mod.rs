//! `gongkai doctor`: checks a deployment and reports what to do; with `--repair`, creates what is missing.

mod doors;
mod examination;
mod orphans;

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use gongkai_proto::subjects;
use gongkai_worker::{
    Clock, Transport,
    holdings::{
        inspector::{Inspection, inspect, repair},
        judge::{Loss, LostPart},
        room::{Shortage, WHAT_TO_DO},
    },
    transport::{
        ErrorKind, StreamState, TopologyPart,
        jetstream::{JetStream, status::StreamStatus},
        s3::S3,
    },
};
use serde::Serialize;

use self::{
    examination::{Examination, State},
    orphans::Orphan,
};
use super::status;
use crate::{
    printer::{Emphasis, ObjectFormat, Printer, clean},
    table,
};

/// A projector's consumer that was not used for this long belongs to a deleted read model.
const STALE_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

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
    let common = args.target.common()?;
    let broker = JetStream::connect(&common.nats.transport("gongkai-doctor")?).await;
    let broker = broker.with_context(|| format!("couldn't reach the broker at {}", common.nats.url))?;
    let mut topology = gongkai_proto::about!("gongkai", Vec::new()).topology;
    let objects = common.objects.s3()?;
    if objects.is_some() {
        // The broker does not hold the buckets of an S3 store.
        topology.objects.clear();
    }
    let transport: Arc<dyn Transport> = Arc::new(broker.clone());
    let marker = subjects::BUCKET_MARKER;
    let stale_since = Clock::system().now() - STALE_AFTER;
    if args.repair {
        repair(&transport, &topology, marker, &Clock::system()).await.context("couldn't repair")?;
        broker.forget_idle(subjects::STREAM_REPORTS, is_projector, stale_since).await?;
    }
    let file = common.nats.marker_file.as_deref();
    let inspection =
        inspect(&transport, &topology, marker, file).await.context("couldn't look at the streams")?;
    let streams = broker.status().await.context("couldn't list the streams")?;
    let stale = broker.idle_consumers(subjects::STREAM_REPORTS, is_projector, stale_since).await?;
    let mut checks = vec![marker_check(&inspection)];
    checks.extend(
        inspection.inventory.iter().map(|(part, held)| part_check(&inspection, *part, held.as_ref())),
    );
    if let Some(store) = &objects {
        checks.push(objects_check(store).await);
    }
    checks.extend(inspection.shortages.iter().map(shortage_check));
    checks.extend(consumer_checks(&inspection, &streams, args.repair));
    checks.extend(stale.iter().map(|name| stale_check(name)));
    checks.push(doors::check(&args.target.ingest()?));
    if !args.repair {
        // After a repair the services need some seconds.
        checks.extend(args.target.probe(&common).await?.iter().map(service_check));
    }
    let orphans = if args.orphans || args.collect_orphans {
        let until = Clock::system().now() - Duration::from_secs(common.nats.orphan_age_s);
        let store = objects.as_ref();
        Some(orphans::run(&broker, store, &inspection, until, args.collect_orphans).await?)
    } else {
        None
    };
    let well = checks.iter().all(|check| check.state != State::Wrong);
    let report = Diagnosis { well, repaired: args.repair, checks, orphans };
    match args.format {
        ObjectFormat::Json => out.line(serde_json::to_string(&report)?)?,
        ObjectFormat::Text => write(out, &report)?,
    }
    Ok(ExitCode::from(u8::from(!well)))
}

fn write(out: &mut Printer, report: &Diagnosis) -> anyhow::Result<()> {
    table::write(out, table::Format::Table, &report.checks)?;
    out.line("")?;
    if let Some(orphans) = &report.orphans {
        table::write(out, table::Format::Table, orphans)?;
        let collected = orphans.iter().filter(|orphan| orphan.collected).count();
        out.line(format!(
            "无主文件 {} 个，已回收 {collected} 个 / {} orphaned, {collected} collected",
            orphans.len(),
            orphans.len()
        ))?;
        out.line("")?;
    }
    let (style, verdict) = match (report.well, report.repaired) {
        (true, true) => (Emphasis::Green, "已修复 / repaired"),
        (true, false) => (Emphasis::Green, "一切正常 / all is well"),
        (false, _) => (Emphasis::Red, "有问题，见上 / something is wrong, see above"),
    };
    out.line(out.styled(style, verdict))?;
    Ok(())
}

/// Returns true for the consumer of a read model.
fn is_projector(name: &str) -> bool {
    name.strip_prefix(subjects::CONSUMER_QUERY).is_some_and(|rest| rest.starts_with('-'))
}

fn marker_check(inspection: &Inspection) -> Examination {
    let subject = "marker".to_owned();
    match inspection.marker {
        Some(_) => Examination::ok(subject, "记得各流应有的样子", "remembers what the broker holds"),
        None => Examination::note(
            subject,
            "NO_MARKER",
            "还没有：服务首次启动时写入",
            "not there yet: the services write it when they start for the first time",
        ),
    }
}

fn part_check(inspection: &Inspection, part: TopologyPart, held: Option<&StreamState>) -> Examination {
    let subject = part.to_string();
    if let Some(fault) = inspection.faults.iter().find(|fault| fault.part == part) {
        return fault_check(subject, fault);
    }
    match held {
        Some(held) => {
            let last = held.last_sequence;
            Examination::ok(subject, &format!("末序号 {last}"), &format!("ends at {last}"))
        }
        None => Examination::note(
            subject,
            "NOT_CREATED",
            "尚未建立：服务首次启动时建立",
            "not created yet: the services create it when they start for the first time",
        ),
    }
}

fn fault_check(subject: String, fault: &LostPart) -> Examination {
    let (code, zh) = match &fault.loss {
        Loss::Missing { last } => ("MISSING", format!("不见了（末序号曾为 {last}）")),
        Loss::Replaced { was, is } => ("REPLACED", format!("已不是原来那个（原建于 {was}，现建于 {is}）")),
        Loss::Older { was, is } => ("OLDER", format!("末序号为 {is}，此前曾到 {was}：旧副本，或尾部丢失")),
    };
    let zh = format!("{zh}。请恢复 broker 的数据，或以 gongkai doctor --repair 接受现状");
    let en =
        format!("{fault}. Put the broker's store back, or accept what is there with gongkai doctor --repair");
    Examination { subject, state: State::Wrong, code, detail_zh: zh, detail: en }
}

/// Writes, reads and deletes an object in the S3 store.
async fn objects_check(store: &S3) -> Examination {
    let subject = "object store".to_owned();
    let Err(error) = store.rehearse().await else {
        return Examination::ok(subject, "能写、能读、能删", "writes, reads and deletes");
    };
    let (code, zh) = match error.kind {
        ErrorKind::ObjectsUnavailable => ("OBJECTS_UNAVAILABLE", "无应答"),
        ErrorKind::Denied => ("OBJECTS_REFUSED", "拒绝访问，或保留已删除的对象"),
        ErrorKind::NotFound => ("BUCKET_MISSING", "没有此存储桶"),
        ErrorKind::Full => ("OBJECTS_FULL", "已满"),
        _ => ("OBJECTS_FAULTY", "不可用"),
    };
    let said = clean(&format!("{:#}", anyhow::Error::new(error)));
    Examination::wrong(subject, code, &format!("{zh}：{said}"), &said)
}

fn shortage_check(shortage: &Shortage) -> Examination {
    let subject = shortage.part.map_or_else(|| "storage of the account".to_owned(), |part| part.to_string());
    let zh = format!(
        "已满（{} / {} 字节）：流自身的上限请调高 nats.stream_max_bytes 后重启任一服务，账户或服务器的上限请在 nats-server 调高；等待中的会自行继续",
        shortage.bytes, shortage.limit
    );
    Examination::wrong(subject, "STORAGE_FULL", &zh, &format!("{shortage}: {WHAT_TO_DO}"))
}

/// Checks the consumers that every deployment has. Those of read models and subscriptions have names of their own.
///
/// Services create their consumers, which takes some seconds after a repair.
fn consumer_checks(inspection: &Inspection, streams: &[StreamStatus], is_repaired: bool) -> Vec<Examination> {
    let expected = [
        (subjects::STREAM_REPORTS, subjects::CONSUMER_PARSE),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_PARSE_BACKFILL),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY),
        (subjects::STREAM_REPORTS, subjects::CONSUMER_INGEST_STATE),
        (subjects::STREAM_DEAD, subjects::CONSUMER_INGEST_DEAD),
    ];
    let mut checks = Vec::new();
    for (stream, name) in expected {
        let Some(stream) = streams.iter().find(|status| status.name == stream) else { continue };
        let subject = format!("consumer {name}");
        checks.push(match stream.consumers.iter().find(|consumer| consumer.name == name) {
            Some(consumer) => Examination::ok(
                subject,
                &format!("待处理 {}，处理中 {}", consumer.pending, consumer.in_flight),
                &format!("{} to do, {} in work", consumer.pending, consumer.in_flight),
            ),
            None if inspection.marker.is_none() || is_repaired => Examination::note(
                subject,
                "NOT_CREATED",
                "尚未建立：其服务启动时建立",
                "not created yet: its service creates it when it starts",
            ),
            None => Examination::wrong(
                subject,
                "CONSUMER_MISSING",
                "不见了：请启动其服务，服务会在数秒内重建",
                "missing: start its service, which creates it again within seconds",
            ),
        });
    }
    checks
}

fn stale_check(name: &str) -> Examination {
    Examination::note(
        format!("consumer {name}"),
        "CONSUMER_STALE",
        "所属读模型已 7 天无人使用；gongkai doctor --repair 会删除它",
        "belongs to a read model that nobody used for 7 days; gongkai doctor --repair deletes it",
    )
}

fn service_check(health: &status::Health) -> Examination {
    let name = if health.service.is_empty() { &health.admin } else { &health.service };
    let subject = format!("service {name}");
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
