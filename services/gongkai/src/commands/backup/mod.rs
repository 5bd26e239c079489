//! `gongkai backup` and `gongkai restore`: a deployment in a folder, copied while it runs.
//!
//! A backup is what a crash of all services would leave: everything that was acknowledged before its start is in it,
//! and of what is in work, each step is in it only with the steps before. The services continue from it as after a
//! crash.
//!
//! - [`site`]: what is copied, and in which order; [`changes`]: what a stream gets meanwhile; [`archive`]: the objects of an
//!   S3 store;
//! - [`manifest`]: what is in a backup, and whether it still is; [`folder`]: writing it;
//! - [`restore`]: the way back.

mod archive;
mod changes;
mod folder;
mod manifest;
mod refusal;
pub(crate) mod restore;
mod site;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use gongkai_proto::subjects;
use gongkai_worker::{
    Clock,
    transport::{ErrorKind, TopologyPart, jetstream::snapshots::Durable},
};
use time::format_description::well_known::Rfc3339;

use self::{
    folder::Folder,
    manifest::{ArchiveRecord, ChangesRecord, Manifest, StreamRecord},
    refusal::Refusal,
    site::Site,
};
use super::{check::lang::Lang, status::BrokerAddress};
use crate::printer::{Printer, complain};

/// File of the settings.
const SETTINGS: &str = "config.toml";

/// 备份 / Copy a running deployment into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai backup /var/backups/gongkai/2026-12-01
  gongkai backup --config gongkai.toml /mnt/backup/before-upgrade
  gongkai backup --verify /var/backups/gongkai/2026-12-01     check a backup, without a broker

The services run on. In the backup are all streams and buckets of the broker, the originals and texts from the object store,
and the settings without their secrets; not in it are secrets, keys and certificates, and the database of query, which is made
again from the log. Everything that was acknowledged before the start is in it. The folder has its name when it is complete.

Exit code: 0 the backup is complete, 2 there is none.")]
pub(crate) struct Args {
    /// Folder of the backup, which must not exist
    dir: PathBuf,
    /// Compare an existing backup with its manifest, and do nothing else
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    broker: BrokerAddress,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let manifest = if args.verify { Manifest::verified(&args.dir)? } else { take(args).await? };
    let (folder, bytes) = (args.dir.display(), size(manifest.bytes()));
    let log = manifest.streams.iter().find(|stream| stream.stream == subjects::STREAM_REPORTS);
    let last = log.map_or(0, |log| log.last_sequence);
    let zh = format!("备份完好：{folder}，{bytes}，始于 {}，日志末序号 {last}", manifest.started_at);
    let en = format!("backup is whole: {folder}, {bytes}, begun {}, log up to {last}", manifest.started_at);
    out.line(Lang::of_environment().choose(&zh, &en))?;
    Ok(ExitCode::SUCCESS)
}

/// Makes a backup.
async fn take(args: &Args) -> anyhow::Result<Manifest> {
    let config = args.broker.config()?;
    let settings = site::settings(&config)?;
    let site = Site::connect(&config, "gongkai-backup").await?;
    let folder = Folder::create(&args.dir)?;
    let mut manifest = Manifest::begin(site.broker.server().version, site.objects(), now());
    let mut file = folder.file(SETTINGS)?;
    file.write_all(settings.as_bytes())?;
    manifest.files.push(folder.record(&file, SETTINGS)?);
    let streams = site.streams();
    // Where the consumers are is asked first: what they settled has had its effects before anything is copied.
    let mut consumers = Vec::new();
    for part in &streams {
        consumers.push(durables(&site, *part).await?);
    }
    let total = streams.len() + site.store.as_ref().map_or(0, |_| site.topology.objects.len());
    for (part, consumers) in streams.into_iter().zip(consumers) {
        let before = manifest.bytes();
        copy(&site, &folder, part, consumers, &mut manifest).await?;
        report(&manifest, total, part, before);
    }
    if let Some(store) = &site.store {
        for bucket in &site.topology.objects {
            let name = format!("{bucket}.zip");
            let (file, before) = (folder.file(&name)?, manifest.bytes());
            let objects = archive::write(store, bucket, &file).await?;
            manifest.files.push(folder.record(&file, &name)?);
            manifest.archives.push(ArchiveRecord { bucket: (*bucket).to_owned(), file: name, objects });
            report(&manifest, total, TopologyPart::Objects(bucket), before);
        }
    }
    manifest.ended_at = now();
    folder.seal(&manifest)?;
    Ok(manifest)
}

/// Returns the durable consumers of a stream. The consumer of a read model is not among them, because it belongs to a
/// database that is not in the backup.
async fn durables(site: &Site, part: TopologyPart) -> anyhow::Result<Vec<Durable>> {
    let found = site.broker.durables(&part.stream_name()).await.map_err(|error| missing(part, error))?;
    Ok(found.into_iter().filter(|durable| subjects::service_of(&durable.name) != Some("query")).collect())
}

/// Copies a stream into a file.
async fn copy(
    site: &Site,
    folder: &Folder,
    part: TopologyPart,
    consumers: Vec<Durable>,
    manifest: &mut Manifest,
) -> anyhow::Result<()> {
    let stream = part.stream_name();
    let name = format!("{stream}.snapshot");
    let mut snapshot = site.broker.snapshot(&stream).await.map_err(|error| missing(part, error))?;
    let mut file = folder.file(&name)?;
    while let Some(chunk) = snapshot.next().await? {
        file.write_all(&chunk).with_context(|| format!("couldn't write {name}"))?;
    }
    manifest.files.push(folder.record(&file, &name)?);
    let (copy, mut changes) = (snapshot.copy, None);
    let last_sequence = copy.last_sequence();
    if site.replaces(part) {
        let name = format!("{stream}.changes");
        let file = folder.file(&name)?;
        let messages = changes::write(&site.broker, &stream, last_sequence, &file).await?;
        manifest.files.push(folder.record(&file, &name)?);
        changes = Some(ChangesRecord { file: name, messages });
    }
    manifest.streams.push(StreamRecord { stream, file: name, changes, last_sequence, consumers, copy });
    Ok(())
}

/// Describes a failed call. A deployment that is whole has every part.
fn missing(part: TopologyPart, error: gongkai_worker::transport::Error) -> anyhow::Error {
    if error.kind != ErrorKind::NotFound {
        return error.into();
    }
    Refusal::new(
        "PART_MISSING",
        format!("broker 中没有 {part}；请先运行 gongkai doctor"),
        format!("the broker has no {part}; run gongkai doctor first"),
    )
    .into()
}

/// Reports the part that was copied last. The backup had `before` bytes without it.
fn report(manifest: &Manifest, total: usize, part: TopologyPart, before: u64) {
    let done = manifest.streams.len() + manifest.archives.len();
    complain(format_args!("{done}/{total} {}: {}", part.stream_name(), size(manifest.bytes() - before)));
}

fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}

fn now() -> String {
    Clock::system().now().format(&Rfc3339).expect("a date of this era has an RFC 3339 form")
}
