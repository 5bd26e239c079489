//! `gongkai restore`: makes an empty site what a backup has.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use bytes::Bytes;
use gongkai_proto::subjects;
use gongkai_worker::{
    Transport as _,
    transport::{Error, ErrorKind, TopologyPart},
};

use super::{
    archive, changes,
    manifest::{Manifest, StreamRecord},
    refusal::Refusal,
    site::{Site, is_object},
    size,
};
use crate::{
    commands::{check::lang::Lang, status::BrokerAddress},
    printer::{Printer, complain},
};

/// Bytes sent to the broker at once, below the smallest maximum size of messages that is usable.
const CHUNK_BYTES: usize = 256 * 1024;
/// Maximum number of entries of the register of services that are read.
const MAX_SERVICES: usize = 10_000;

/// 恢复 / Make an empty deployment what a backup has
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai restore --dry-run /var/backups/gongkai/2026-12-01   check the backup and the site, change nothing
  gongkai restore /var/backups/gongkai/2026-12-01
  gongkai restore --replicas 1 /var/backups/gongkai/2026-12-01   a backup of a cluster on one server

The services must be stopped, and the broker must hold no documents. The whole backup is checked before anything changes, and
if a step fails, nothing of it is left. Then put config.toml of the backup in its place, add the secrets, and start the
services; they continue where they were, and query makes its database again from the log.

Exit code: 0 the site is restored, 2 it is not.")]
pub(crate) struct Args {
    /// Folder of the backup
    dir: PathBuf,
    /// Check the backup and the site, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Copies of each stream and bucket; default: nats.replicas of the config
    #[arg(long, value_name = "N")]
    replicas: Option<usize>,
    #[command(flatten)]
    broker: BrokerAddress,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let lang = Lang::of_environment();
    let manifest = Manifest::verified(&args.dir)?;
    complain(lang.choose("备份完好", "the backup is whole"));
    let config = args.broker.config()?;
    let config = match args.replicas {
        Some(replicas) => config.with("nats.replicas", replicas),
        None => config,
    };
    let site = Site::connect(&config, "gongkai-restore").await?;
    ensure_same_store(&site, &manifest)?;
    ensure_empty(&site).await?;
    let (streams, bytes, from) = (manifest.streams.len(), size(manifest.bytes()), &manifest.started_at);
    if args.dry_run {
        let zh = format!("可以恢复：{streams} 个流，{bytes}，始于 {from}；什么也没有改动");
        let en = format!("can be restored: {streams} streams, {bytes}, begun {from}; nothing was changed");
        out.line(lang.choose(&zh, &en))?;
        return Ok(ExitCode::SUCCESS);
    }
    put(&site, &args.dir, &manifest).await?;
    let zh = format!("已恢复：{streams} 个流，{bytes}，始于 {from}。放回 config.toml 与密钥后，启动各服务");
    let en = format!(
        "restored: {streams} streams, {bytes}, begun {from}. Put config.toml and the secrets in place and start the services"
    );
    out.line(lang.choose(&zh, &en))?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that the objects are where this site looks for them.
fn ensure_same_store(site: &Site, manifest: &Manifest) -> Result<(), Refusal> {
    if site.objects() == manifest.objects {
        return Ok(());
    }
    let (was, is) = (named(manifest.objects), named(site.objects()));
    Err(Refusal::new(
        "OBJECTS_ELSEWHERE",
        format!("备份的 objects.store 为 {was}，本站为 {is}；请把本站配置改为 {was}"),
        format!("objects.store of the backup is {was}, and that of this site is {is}; set it to {was} here"),
    ))
}

fn named(store: gongkai_worker::config::ObjectStore) -> &'static str {
    match store {
        gongkai_worker::config::ObjectStore::Nats => "nats",
        gongkai_worker::config::ObjectStore::S3 => "s3",
    }
}

/// Checks that no service runs, and that the broker holds no documents.
async fn ensure_empty(site: &Site) -> anyhow::Result<()> {
    match site.broker.entries_of(subjects::BUCKET_REPLICAS, MAX_SERVICES).await {
        Ok(running) if !running.is_empty() => return Err(running_services(&running).into()),
        Err(error) if error.kind != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    for part in site.streams() {
        let held = site.broker.held(part).await?;
        let is_document = is_object(part) || matches!(part, TopologyPart::Stream(_));
        if let Some(held) = held.filter(|held| is_document && held.last_sequence > 0) {
            return Err(not_empty(part, held.last_sequence).into());
        }
    }
    Ok(())
}

fn running_services(running: &[(String, Bytes)]) -> Refusal {
    let names: BTreeSet<_> = running.iter().filter_map(|(key, _)| key.split('/').next()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    Refusal::new(
        "SITE_RUNNING",
        format!("有服务在运行（{names}）；请先停止，崩溃的一分钟后不再算"),
        format!("services run ({names}); stop them first: one that crashed is forgotten after a minute"),
    )
}

fn not_empty(part: TopologyPart, last: u64) -> Refusal {
    Refusal::new(
        "SITE_NOT_EMPTY",
        format!(
            "{part} 中有内容（末序号 {last}）；只能恢复到空站：停止 nats-server，移走其 store_dir，再启动"
        ),
        format!(
            "{part} has messages (up to {last}); a backup goes to an empty site only: stop nats-server, move its store_dir away, and start it again"
        ),
    )
}

/// Restores everything. After an error nothing of it is left in the broker.
async fn put(site: &Site, folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    // Streams that a new installation has, and that never had a document.
    for part in site.streams() {
        site.broker.delete_stream(&part.stream_name()).await?;
    }
    if let Err(error) = put_all(site, folder, manifest).await {
        for stream in &manifest.streams {
            site.broker.delete_stream(&stream.stream).await.ok();
        }
        return Err(error.context("couldn't restore, and the broker is empty again"));
    }
    forget_services(site).await.context("couldn't clear the register of services")?;
    // What this version has and the backup did not.
    site.broker.declare(&site.topology).await.context("couldn't create what the backup did not have")
}

/// Clears the register, which names the services of the copied site.
async fn forget_services(site: &Site) -> Result<(), Error> {
    let register = site.broker.entries(subjects::BUCKET_REPLICAS);
    for (key, _) in site.broker.entries_of(subjects::BUCKET_REPLICAS, MAX_SERVICES).await? {
        register.delete(&key).await?;
    }
    Ok(())
}

/// The marker is the first stream of a backup: with it and without the rest, no service starts to work.
async fn put_all(site: &Site, folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let total = manifest.streams.len() + manifest.archives.len();
    for (archive, done) in manifest.archives.iter().zip(1..) {
        let known = site.topology.objects.iter().find(|bucket| **bucket == archive.bucket);
        let bucket = known.with_context(|| format!("this version has no bucket {}", archive.bucket))?;
        let store = site.store.as_ref().context("the site has no S3 store")?;
        let file = File::open(folder.join(&archive.file))?;
        archive::read(store, bucket, file, archive.objects).await?;
        complain(format_args!("{done}/{total} {}", TopologyPart::Objects(bucket)));
    }
    for (stream, done) in manifest.streams.iter().zip(manifest.archives.len() + 1..) {
        put_stream(site, folder, stream)
            .await
            .with_context(|| format!("couldn't restore {}", stream.stream))?;
        complain(format_args!("{done}/{total} {}", stream.stream));
    }
    Ok(())
}

/// Restores a stream and its consumers.
async fn put_stream(site: &Site, folder: &Path, record: &StreamRecord) -> anyhow::Result<()> {
    let mut file = File::open(folder.join(&record.file))?;
    let restoration = site
        .broker
        .restore(&record.stream, &record.copy, site.common.nats.replicas)
        .await
        .map_err(appeared)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        file.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            break;
        }
        restoration.send(chunk.into()).await?;
    }
    restoration.finish().await?;
    if let Some(changes) = &record.changes {
        let part = site.streams().into_iter().find(|part| part.stream_name() == record.stream);
        let part = part.context("this version has no such bucket")?;
        let held = site.broker.held(part).await?.map_or(0, |held| held.last_sequence);
        let file = File::open(folder.join(&changes.file))?;
        changes::read(&site.broker, file, changes.messages, held).await?;
    }
    for durable in &record.consumers {
        site.broker.restore_durable(&record.stream, durable).await?;
    }
    Ok(())
}

/// Describes a stream that was created after the site was found empty.
fn appeared(error: Error) -> anyhow::Error {
    if error.kind == ErrorKind::Conflict {
        return Refusal::new(
            "SITE_RUNNING",
            "有服务正在启动；请先停止",
            "a service is starting; stop it first",
        )
        .into();
    }
    error.into()
}
