//! `gongkai adapters`: tests the adapters of ingest on samples.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Subcommand;
use gongkai_ingest::{
    Config,
    adapters::{self, mapping::Mapping},
    cloudevent::{CloudEvent, EventData},
    error::Problem,
    publication,
};
use gongkai_proto::subjects;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::printer::{Printer, complain};

/// Maximum characters of a text in the output.
const TEXT_LIMIT: usize = 200;

/// 适配器 / Adapters for CMSs that send a format of their own
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai adapters test sample.json --config gongkai.toml
  gongkai adapters test sample.xml --adapter jiaohuan --config gongkai.toml")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(Test),
}

/// 试一条报文 / Show the event that a sample becomes
///
/// Prints the event that [ingest.adapters.NAME] makes of the body in FILE, with long texts cut. Needs no server, reads
/// no secrets and submits nothing. Exit code: 0 the event is valid, 1 ingest would refuse it, 2 the config or the file
/// cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai adapters test sample.json --config gongkai.toml
  gongkai adapters test sample.xml --adapter jiaohuan --config gongkai.toml --content-type 'text/xml; charset=gbk'")]
struct Test {
    /// A body as the CMS sends it
    file: PathBuf,
    /// The NAME of [ingest.adapters.NAME]; not needed if there is only one
    #[arg(long)]
    adapter: Option<String>,
    /// The config file of ingest
    #[arg(long)]
    config: Option<PathBuf>,
    /// The Content-Type that the CMS sends
    #[arg(long)]
    content_type: Option<String>,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let Command::Test(args) = args.command;
    let config = gongkai_worker::Config::load(args.config.as_deref(), &subjects::SERVICES)?;
    let config: Config = config.section("ingest")?;
    config.validate()?;
    adapters::validate(&config)?;
    let name = match (args.adapter, config.adapters.first_key_value()) {
        (None, Some((only, _))) if config.adapters.len() == 1 => only.clone(),
        (name, _) => name.context("name one of [ingest.adapters.*] with --adapter")?,
    };
    let mapping = adapters::mapping(&config, &name)?;
    let bytes = tokio::fs::read(&args.file).await;
    let bytes = bytes.with_context(|| format!("couldn't read {}", args.file.display()))?;
    let (shown, refusal) = event(&mapping, &args.content_type.unwrap_or_default(), bytes);
    if let Some(shown) = shown {
        for line in format!("{shown:#}").lines() {
            out.json_text(line)?;
        }
    }
    let Some(problem) = refusal else { return Ok(ExitCode::SUCCESS) };
    complain(format_args!("{}: {} / {}", problem.code.as_str(), problem.detail, problem.detail_en));
    Ok(ExitCode::from(1))
}

/// Returns the event for people, and the reason for a refusal.
fn event(mapping: &Mapping, content_type: &str, bytes: Vec<u8>) -> (Option<Value>, Option<Problem>) {
    match mapping.event(content_type, &bytes.into()) {
        Ok(mapped) => (Some(shown(&mapped.event)), publication::read(mapped.event).err()),
        Err(problem) => (None, Some(problem)),
    }
}

fn shown(event: &CloudEvent) -> Value {
    let data = match &event.data {
        EventData::Json(data) => cut(data),
        EventData::None | EventData::Document(..) => Value::Null,
    };
    let time = event.time.and_then(|time| time.format(&Rfc3339).ok());
    json!({"id": event.id, "source": event.source, "type": event.r#type, "time": time, "data": data})
}

/// The same value with long texts cut.
fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(TEXT_LIMIT) {
            Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()).into(),
            None => text.as_str().into(),
        },
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), cut(value))).collect())
        }
        other => other.clone(),
    }
}
