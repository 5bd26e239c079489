//! `gongkai findings`: lists findings.

use std::process::ExitCode;

use gongkai_proto::v1;

use crate::{
    client::{self, Listing, QueryServer},
    printer::Printer,
    view::FindingView,
};

/// 疑点列表 / List findings of the newest revisions
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai findings
  gongkai findings agencies/p-0123456789abcdef/reports/2023
  gongkai findings --filter 'severity >= WARNING AND year = 2023 AND waived = false'
  gongkai findings --format json --limit 0 | jq -r .rule | sort | uniq -c")]
pub(crate) struct Args {
    /// Reports to list: agencies/{agency}/reports/{year}, with - for any agency or year
    #[arg(default_value = "agencies/-/reports/-")]
    parent: String,
    /// Filter: terms joined by AND on severity, rule, year, concept and waived
    #[arg(long, default_value = "", value_name = "TERMS")]
    filter: String,
    /// Order: report or severity; a trailing " desc" reverses it
    #[arg(long, default_value = "", value_name = "COLUMN")]
    order_by: String,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: QueryServer,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut client = args.server.reports().await?;
    client::list(out, &args.listing, async |page_size, page_token| {
        let request = v1::ListFindingsRequest {
            parent: args.parent.clone(),
            filter: args.filter.clone(),
            order_by: args.order_by.clone(),
            page_size,
            page_token,
        };
        let response = client::answer(client.list_findings(request).await)?;
        let rows = response.findings.into_iter().map(FindingView::try_from).collect::<anyhow::Result<_>>()?;
        Ok((rows, response.next_page_token))
    })
    .await
}
