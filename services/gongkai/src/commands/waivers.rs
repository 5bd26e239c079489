//! `gongkai waivers`: creates, lists and revokes waivers of findings.

use std::process::ExitCode;

use clap::Subcommand;
use gongkai_proto::{convert::timestamp::timestamp, v1};

use crate::{
    client::{self, Listing, QueryServer},
    printer::{Printer, clean},
    times,
    view::WaiverView,
};

/// 销号（经核实无须整改） / Accept findings with a reason, for a limited time
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai waivers create agencies/361001/reports/2023/findings/0f3c… --reason 上级已同意保留 --person 张三 --until 2026-12-31
  gongkai waivers list agencies/361001
  gongkai waivers revoke agencies/361001/reports/2023/waivers/8a01… --reason 数据有误 --person 李四")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    List(ListWaivers),
    Revoke(Revoke),
}

/// 将一个疑点销号（经核实无须整改） / Accept a finding; the alert is resolved once all findings of its cause are waived
///
/// The waiver survives new runs of the rules and lapses when an operand of the finding changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai waivers create agencies/361001/reports/2023/findings/0f3c… --reason 上级已同意保留 --person 张三 --until 2026-12-31")]
struct Create {
    /// Name of the finding: agencies/{agency}/reports/{year}/findings/{fingerprint}, from the columns report and
    /// fingerprint of `gongkai findings`
    finding: String,
    /// Reason for the waiver
    #[arg(long)]
    reason: String,
    /// Person who decides
    #[arg(long)]
    person: String,
    /// Last day of the waiver (yyyy-mm-dd, China time), or its end (RFC 3339)
    #[arg(long, value_name = "DAY")]
    until: String,
    #[command(flatten)]
    server: QueryServer,
}

/// 查看销号记录 / List all waivers, including ended ones, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai waivers list
  gongkai waivers list agencies/361001/reports/2023 --format csv")]
struct ListWaivers {
    /// Reports whose waivers to list: agencies/{agency}/reports/{year}, with - for any agency or year
    #[arg(default_value = "agencies/-/reports/-")]
    parent: String,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: QueryServer,
}

/// 撤销销号 / End a waiver; an alert is raised again if the report still has the finding
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai waivers revoke agencies/361001/reports/2023/waivers/8a01… --reason 数据有误 --person 李四")]
struct Revoke {
    /// Name of the waiver: agencies/{agency}/reports/{year}/waivers/{waiver}, from `gongkai waivers list`
    name: String,
    /// Reason for the revocation
    #[arg(long)]
    reason: String,
    /// Person who decides
    #[arg(long)]
    person: String,
    #[command(flatten)]
    server: QueryServer,
}

pub(crate) async fn run(args: Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Create(args) => create(args, out).await,
        Command::List(args) => list(&args, out).await,
        Command::Revoke(args) => revoke(args, out).await,
    }
}

async fn create(args: Create, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let until = times::end("--until", &args.until)?;
    let request = v1::CreateWaiverRequest {
        finding: args.finding,
        reason: args.reason,
        person: args.person,
        expires_at: Some(timestamp(until)),
    };
    let mut client = args.server.alerts().await?;
    let waiver = client::answer(client.create_waiver(request).await)?;
    out.line(format!("已销号 / waived: {}", clean(&waiver.name)))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(args: &ListWaivers, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.alerts().await?;
    client::list(out, &args.listing, async |page_size, page_token| {
        let request = v1::ListWaiversRequest { parent: args.parent.clone(), page_size, page_token };
        let response = client::answer(client.list_waivers(request).await)?;
        let rows = response.waivers.into_iter().map(WaiverView::try_from).collect::<anyhow::Result<_>>()?;
        Ok((rows, response.next_page_token))
    })
    .await
}

async fn revoke(args: Revoke, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let request = v1::RevokeWaiverRequest { name: args.name, reason: args.reason, person: args.person };
    let mut client = args.server.alerts().await?;
    let waiver = client::answer(client.revoke_waiver(request).await)?;
    out.line(format!("已撤销销号 / revoked: {}", clean(&waiver.name)))?;
    Ok(ExitCode::SUCCESS)
}
