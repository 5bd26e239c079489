//! `gongkai agencies`: reads and replaces the registry of agencies.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Subcommand;
use gongkai_proto::v1::{self, RefilingReason};
use serde::Serialize;

use crate::{
    client::{self, Listing, QueryServer},
    printer::Printer,
    table::{Column, TableRow},
};

/// 机构名录 / Manage the registry of agencies
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai agencies import agencies.csv
  gongkai agencies import agencies.csv --dry-run
  gongkai agencies list
  gongkai agencies list --provisional     list agencies that report but are not in the registry")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Import(Import),
    List(ListAgencies),
}

/// 导入名录 / Replace the registry with a CSV file in UTF-8 or GB18030
///
/// Columns: code, name, aliases, parent, level, kind, region, site_domain, deadline, contact, channel (代码, 名称, 别名,
/// 上级代码, 层级, 类型, 行政区划代码, 网站域名, 公布期限, 联系人, 通知渠道). Only code and name must be given; a deadline is a
/// day as MM-DD. New reports are filed under the codes of the registry. Stored reports that the registry names
/// otherwise are read again in the background and filed under its codes too; each is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai agencies import agencies.csv
  gongkai agencies import agencies.csv --dry-run")]
struct Import {
    /// CSV file with the registry
    file: PathBuf,
    /// Check the file and show which reports it would move
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    server: QueryServer,
}

/// 查看名录 / List agencies
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai agencies list
  gongkai agencies list --provisional --format csv")]
struct ListAgencies {
    /// Show the agencies that have reports but are not in the registry
    #[arg(long)]
    provisional: bool,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Serialize)]
struct AgencyView {
    name: String,
    display_name: String,
    parent: String,
    level: String,
    kind: String,
    region: String,
    site_domain: String,
    aliases: Vec<String>,
    provisional: bool,
    deadline: String,
    deadline_listed: bool,
    contact: String,
    channel: String,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Import(args) => import(&args, out).await,
        Command::List(args) => list(&args, out).await,
    }
}

async fn import(args: &Import, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let file = args.file.display();
    let csv = tokio::fs::read(&args.file).await.with_context(|| format!("couldn't read {file}"))?;
    let mut client = args.server.agencies().await?;
    let request = v1::ImportAgenciesRequest { csv: csv.clone().into(), validate_only: args.dry_run };
    let count = client::answer(client.import_agencies(request).await)?.agencies;
    out.line(match args.dry_run {
        true => format!(
            "名录可用，共 {count} 个机构（未导入） / the list is usable, {count} agencies (not imported)"
        ),
        false => format!("已导入 {count} 个机构 / imported {count} agencies"),
    })?;
    refile(args, csv, out).await?;
    Ok(ExitCode::SUCCESS)
}

/// Requests another reading of the documents that the new list settles differently, and prints them.
async fn refile(args: &Import, csv: Vec<u8>, out: &mut Printer) -> anyhow::Result<()> {
    let csv = if args.dry_run { csv } else { Vec::new() }.into();
    let request = v1::RefileReportsRequest { csv, validate_only: args.dry_run };
    let mut client = args.server.agencies().await?;
    let mut found = client::answer(client.refile_reports(request).await)?;
    let (mut moved, mut others) = (0_usize, 0_usize);
    while let Some(report) = found.message().await.map_err(|status| client::query_error(&status))? {
        let reason = report.reason();
        let v1::RefiledReport { from, to, agency_name, documents, submission_id, .. } = report;
        let is_move = matches!(reason, RefilingReason::Moved | RefilingReason::Unspecified);
        *(if is_move { &mut moved } else { &mut others }) += 1;
        out.line(match reason {
            RefilingReason::Entry => format!("{from}  {agency_name}  条目有变 / another entry"),
            RefilingReason::Rejected => format!("{submission_id}  曾被拒绝 / was rejected"),
            _ => format!("{from} → {to}  {agency_name} ({documents})"),
        })?;
    }
    out.line(match (moved, args.dry_run) {
        (0, _) => "没有报告需要改归 / no report moves".to_owned(),
        (_, true) => format!("{moved} 份报告将改归以上编码 / {moved} reports would move"),
        (_, false) => {
            format!("{moved} 份报告改归以上编码，正在后台重新读取 / {moved} reports move; they are read again in the background")
        }
    })?;
    if others > 0 {
        out.line(format!(
            "另有 {others} 份文件重新读取、核查 / {others} other documents are read and checked again"
        ))?;
    }
    Ok(())
}

async fn list(args: &ListAgencies, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.agencies().await?;
    client::list(out, &args.listing, async |page_size, page_token| {
        let filter = if args.provisional { "provisional = true" } else { "" }.to_owned();
        let request = v1::ListAgenciesRequest { page_size, page_token, filter };
        let response = client::answer(client.list_agencies(request).await)?;
        Ok((response.agencies.into_iter().map(AgencyView::from).collect(), response.next_page_token))
    })
    .await
}

impl From<v1::Agency> for AgencyView {
    fn from(agency: v1::Agency) -> Self {
        Self {
            name: agency.name,
            display_name: agency.display_name,
            parent: agency.parent,
            level: agency.level,
            kind: agency.kind,
            region: agency.region,
            site_domain: agency.site_domain,
            aliases: agency.aliases.into_iter().map(|alias| alias.name).collect(),
            provisional: agency.provisional,
            deadline: agency.deadline,
            deadline_listed: agency.deadline_listed,
            contact: agency.contact,
            channel: agency.channel,
        }
    }
}

impl TableRow for AgencyView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("agency", |agency| code(&agency.name)),
        ("name", |agency| agency.display_name.clone()),
        ("parent", |agency| code(&agency.parent)),
        ("level", |agency| agency.level.clone()),
        ("kind", |agency| agency.kind.clone()),
        ("region", |agency| agency.region.clone()),
        ("deadline", |agency| agency.deadline.clone()),
    ];
}

fn code(name: &str) -> String {
    name.strip_prefix("agencies/").unwrap_or(name).to_owned()
}
