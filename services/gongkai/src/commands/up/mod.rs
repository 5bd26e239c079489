//! `gongkai up`: runs a broker and all five services on this machine, in one command.
//!
//! The broker is a child process on a loopback port; the services share this process. At shutdown the services drain
//! first, then the broker is stopped.

mod binary;
mod broker;
mod settings;

use std::{
    fs::{self, File},
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use gongkai_ingest::Ingest;
use gongkai_notify::Notify;
use gongkai_parse::Parse;
use gongkai_query::Query;
use gongkai_rules::RuleSet;
use gongkai_validate::Validate;
use gongkai_worker::{Process, filesystem::ensure_local};
use tokio::time::sleep;

use self::{broker::Broker, settings::UpSettings};
use crate::printer::{Emphasis, Printer, complain};

/// Exit code for a wrong flag or setting (`EX_USAGE`).
const USAGE: u8 = 64;
const READY_POLL: Duration = Duration::from_millis(100);

/// 在本机启动全部服务 / Run a NATS server and all services on this machine, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai up
  gongkai up --data /var/lib/gongkai --config gongkai.toml
  gongkai up --nats-url nats://10.0.0.5:4222
  GONGKAI_INGEST__HTTP_ADDRESS=127.0.0.1:9080 gongkai up

The NATS server is the first of these that is 2.15.1 or later: --nats-server, the one beside this program
(as in a release), on the PATH, DATA/bin/nats-server, .tools/bin/nats-server. Otherwise the pinned version is installed
into DATA/bin once, which requires python3 and the network.

Default ports: 8080 HTTP (ingest.http_address), 50052 gRPC of ingest (ingest.grpc_address), 50051 gRPC of query
(query.bind), 8081 to 8085 admin (admin.port), 4222 NATS (nats.url). A port that is in use is an error; port 0 chooses
a free one. DATA contains nats/, the log of record with all originals, and gongkai-query.db, which can be rebuilt from it.

The log of record is synced to disk every second (--sync-interval). A power failure can lose events that were accepted
within that second; a crash of these programs loses nothing. With 'always' every event is synced, which is several times
slower.")]
pub(crate) struct Args {
    /// Folder for all data
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// TOML file with settings; without it, the defaults apply
    #[arg(long, value_name = "FILE", env = "GONGKAI_CONFIG")]
    config: Option<PathBuf>,
    /// Path of the nats-server program to start
    #[arg(long, value_name = "PATH", conflicts_with = "nats_url")]
    nats_server: Option<PathBuf>,
    /// Use this running NATS server instead of starting one
    #[arg(long, value_name = "URL")]
    nats_url: Option<String>,
    /// Interval at which the NATS server syncs to disk: a duration such as 1s, or always
    #[arg(long, value_name = "DURATION", default_value = "1s", conflicts_with = "nats_url", value_parser = sync_interval)]
    sync_interval: String,
    /// Print the effective config, secrets redacted, and exit
    #[arg(long)]
    dump_config: bool,
}

/// The services and their admin addresses.
type Admins = Vec<(&'static str, SocketAddr)>;

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let settings = UpSettings::read(args.config.as_deref(), args.nats_url.as_deref(), &args.data);
    if args.dump_config {
        return match settings.and_then(|settings| settings.dump()) {
            Ok(text) => out.line(text.trim_end()).map(|()| ExitCode::SUCCESS).map_err(Into::into),
            Err(error) => Ok(refuse(&error)),
        };
    }
    let starts_broker = args.nats_url.is_none();
    let settings = match settings.and_then(|settings| settings.with_free_ports(starts_broker)) {
        Ok(settings) => settings,
        Err(error) => return Ok(refuse(&error)),
    };
    let data = absolute(&args.data)?;
    ensure_local(&data, "--data")?;
    let _lock = lock(&data)?;
    let mut broker = match &args.nats_url {
        Some(_) => None,
        None => {
            let binary = binary::find(args.nats_server.as_deref(), &data).await?;
            Some(Broker::start(&binary, &data, settings.broker_address()?, &args.sync_interval).await?)
        }
    };
    let result = serve(settings, broker.as_mut(), out).await;
    if let Some(broker) = broker {
        broker.stop().await;
    }
    result
}

/// Reports a setting that is invalid.
fn refuse(error: &anyhow::Error) -> ExitCode {
    complain(format_args!("{error:#}"));
    ExitCode::from(USAGE)
}

/// Runs the services until a signal arrives, a service fails or the broker is given up.
async fn serve(
    settings: UpSettings,
    broker: Option<&mut Broker>,
    out: &mut Printer,
) -> anyhow::Result<ExitCode> {
    let addresses = settings.addresses();
    let mut process = Process::boot(
        gongkai_proto::about!("gongkai", RuleSet::embedded().versions().labels()),
        settings.common,
    )?;
    let admins = vec![
        ("ingest", process.spawn::<Ingest>(settings.ingest).await?),
        ("parse", process.spawn::<Parse>(settings.parse).await?),
        ("validate", process.spawn::<Validate>(settings.validate).await?),
        ("notify", process.spawn::<Notify>(settings.notify).await?),
        ("query", process.spawn::<Query>(settings.query).await?),
    ];
    let shutdown = process.shutdown();
    let stuck = process.broker_stuck();
    let mut running = pin!(process.run_until_stopped());
    let mut ready = pin!(all_ready(&admins));
    let mut given_up = pin!(async {
        match broker {
            Some(broker) => broker.keep(stuck).await,
            None => std::future::pending().await,
        }
    });
    let (mut is_announced, mut is_orphaned) = (false, false);
    loop {
        tokio::select! {
            code = &mut running => return Ok(if is_orphaned { ExitCode::FAILURE } else { code }),
            result = &mut ready, if !is_announced => {
                result?;
                is_announced = true;
                announce(out, &addresses, &admins)?;
            }
            () = &mut given_up, if !is_orphaned => {
                is_orphaned = true;
                shutdown.cancel();
            }
        }
    }
}

/// Waits until every service is ready.
fn all_ready(admins: &Admins) -> impl Future<Output = anyhow::Result<()>> + use<> {
    let addresses: Vec<_> = admins.iter().map(|(_, address)| *address).collect();
    async move {
        let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build()?;
        for address in addresses {
            let url = format!("http://{address}/readyz");
            while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                sleep(READY_POLL).await;
            }
        }
        Ok(())
    }
}

fn announce(out: &mut Printer, addresses: &[(&'static str, String)], admins: &Admins) -> anyhow::Result<()> {
    out.line(out.styled(Emphasis::Bold, "公开已启动 / gongkai is up"))?;
    for (what, address) in addresses {
        out.line(format!("  {what:<16} {address}"))?;
    }
    for (service, address) in admins {
        out.line(format!("  {:<16} http://{address}/readyz", format!("admin {service}")))?;
    }
    out.line("按 Ctrl-C 停止 / Ctrl-C stops everything")?;
    out.flush()?;
    Ok(())
}

/// Returns the absolute path of the data folder, because the broker runs in another working directory.
fn absolute(data: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(data).with_context(|| format!("couldn't create --data {}", data.display()))?;
    fs::canonicalize(data).with_context(|| format!("couldn't find --data {}", data.display()))
}

/// Locks the data folder: two brokers would damage each other's store.
fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join("lock");
    let file = File::create(&path).with_context(|| format!("couldn't write {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!("another `gongkai up` runs in {}: stop it, or choose another --data", data.display());
    }
    Ok(file)
}

fn sync_interval(text: &str) -> Result<String, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = &text[digits.len()..];
    let fits =
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && ["ms", "s", "m"].contains(&unit);
    if text == "always" || fits {
        Ok(text.to_owned())
    } else {
        Err("use such as 500ms, 1s or 2m, or always".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_intervals_are_durations_or_always() {
        for good in ["always", "1s", "500ms", "2m"] {
            assert_eq!(sync_interval(good).as_deref(), Ok(good));
        }
        for bad in ["", "1", "s", "1h\n", "1s }", "never"] {
            assert!(sync_interval(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_data_folder_serves_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        assert!(lock(folder.path()).unwrap_err().to_string().contains("--data"));
        drop(first);
        lock(folder.path()).unwrap();
    }
}
