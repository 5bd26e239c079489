//! `gongkai list`: lists reports.

use std::process::ExitCode;

use gongkai_proto::v1;

use crate::{
    client::{self, Listing, QueryServer},
    printer::Printer,
    view::ReportView,
};

/// 年报列表 / List reports
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai list
  gongkai list agencies/p-0123456789abcdef
  gongkai list --filter 'year = 2023 AND error > 0' --order-by 'received_at desc'
  gongkai list --format csv --limit 0 > reports.csv")]
pub(crate) struct Args {
    /// Agency, as agencies/{agency}; agencies/- for all agencies
    #[arg(default_value = "agencies/-")]
    parent: String,
    /// Filter: terms joined by AND on year, form, variant, agency_name, region and error
    #[arg(long, default_value = "", value_name = "TERMS")]
    filter: String,
    /// Order: name, year, agency_name or received_at; a trailing " desc" reverses it
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
        let request = v1::ListReportsRequest {
            parent: args.parent.clone(),
            filter: args.filter.clone(),
            order_by: args.order_by.clone(),
            page_size,
            page_token,
        };
        let response = client::answer(client.list_reports(request).await)?;
        let rows = response.reports.into_iter().map(ReportView::try_from).collect::<anyhow::Result<_>>()?;
        Ok((rows, response.next_page_token))
    })
    .await
}
