//! `gongkai alerts list`: lists alerts.

use std::process::ExitCode;

use clap::ValueEnum;
use gongkai_proto::v1;

use super::view::{AlertRow, AlertView};
use crate::{
    client::{self, Listing, QueryServer},
    commands::check::lang::Lang,
    filter::term,
    printer::Printer,
    table::{Format, TableRow},
};

/// 列出告警 / List alerts, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai alerts list --acknowledged false
  gongkai alerts list --region 360982 --severity error
  gongkai alerts list --state all --format json --limit 0")]
pub(super) struct Args {
    /// Which alerts to show
    #[arg(long, value_enum, default_value_t)]
    state: State,
    /// Region of the report: the first six digits of the division code
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// Key of the agency, or a part of its name
    #[arg(long, value_name = "AGENCY")]
    agency: Option<String>,
    /// Lowest severity to show
    #[arg(long, value_enum, value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// true shows alerts that somebody takes care of, false the others
    #[arg(long, value_name = "true|false")]
    acknowledged: Option<bool>,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum State {
    #[default]
    Open,
    Resolved,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Severity {
    Info,
    Review,
    Warning,
    Error,
}

pub(super) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    match args.listing.format() {
        Format::Table => {
            let lang = Lang::of_environment();
            list(args, out, |alert| Ok(AlertRow::new(&AlertView::try_from(alert)?, lang))).await
        }
        Format::Json | Format::Csv => list(args, out, AlertView::try_from).await,
    }
}

async fn list<R: TableRow>(
    args: &Args,
    out: &mut Printer,
    row: impl Fn(v1::AlertRecord) -> anyhow::Result<R>,
) -> anyhow::Result<ExitCode> {
    let (filter, show_resolved) = (args.filter(), args.state != State::Open);
    let mut client = args.server.alerts().await?;
    client::list(out, &args.listing, async |page_size, page_token| {
        let request = v1::ListAlertsRequest { page_size, page_token, filter: filter.clone(), show_resolved };
        let response = client::answer(client.list_alerts(request).await)?;
        let rows = response.alerts.into_iter().map(&row).collect::<anyhow::Result<_>>()?;
        Ok((rows, response.next_page_token))
    })
    .await
}

impl Args {
    fn filter(&self) -> String {
        let severity = self.severity.map(|severity| match severity {
            Severity::Info => "INFO",
            Severity::Review => "REVIEW",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        });
        let state = match self.state {
            State::Resolved => Some(term("state", "=", "RESOLVED")),
            State::Open | State::All => None,
        };
        let agency = self.agency.as_ref().map(|agency| match agency.is_ascii() {
            true => term("agency", "=", agency),
            false => term("agency_name", ":", agency),
        });
        let terms = [
            state,
            self.region.as_ref().map(|region| term("region", "=", region)),
            agency,
            severity.map(|severity| term("severity", ">=", severity)),
            self.acknowledged.map(|is| term("acknowledged", "=", &is.to_string())),
        ];
        terms.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
    }
}
