//! `gongkai dead list`: lists dead letters, or groups of them.

use std::process::ExitCode;

use clap::ValueEnum;
use gongkai_proto::v1;

use super::{
    selection::Selection,
    view::{DeadLetterView, GroupView},
};
use crate::{
    client::{self, Listing, QueryServer},
    filter::term,
    printer::Printer,
};

/// 死信列表 / List dead letters, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai dead list --groups
  gongkai dead list --service parse --since 2026-01-01
  gongkai dead list --state all --format json --limit 0")]
pub(super) struct Args {
    /// Show one row for each service, code and kind of cause
    #[arg(long)]
    groups: bool,
    /// Which dead letters to show: open ones were neither replayed nor dropped
    #[arg(long, value_enum, default_value_t)]
    state: State,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    listing: Listing,
    #[command(flatten)]
    server: QueryServer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum State {
    #[default]
    Open,
    Replayed,
    Dropped,
    All,
}

pub(super) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let mut terms = args.selection.terms()?;
    let state = match args.state {
        State::Open => Some("OPEN"),
        State::Replayed => Some("REPLAYED"),
        State::Dropped => Some("DROPPED"),
        State::All => None,
    };
    terms.extend(state.map(|state| term("state", "=", state)));
    let filter = terms.join(" AND ");
    let mut client = args.server.operations().await?;
    if args.groups {
        return client::list(out, &args.listing, async |_, _| {
            let request = v1::SummarizeDeadLettersRequest { filter: filter.clone() };
            let response = client::answer(client.summarize_dead_letters(request).await)?;
            let rows = response.groups.into_iter().map(GroupView::try_from).collect::<anyhow::Result<_>>()?;
            Ok((rows, String::new()))
        })
        .await;
    }
    client::list(out, &args.listing, async |page_size, page_token| {
        let request = v1::ListDeadLettersRequest { page_size, page_token, filter: filter.clone() };
        let response = client::answer(client.list_dead_letters(request).await)?;
        let rows = response.dead_letters.into_iter().map(DeadLetterView::try_from);
        Ok((rows.collect::<anyhow::Result<_>>()?, response.next_page_token))
    })
    .await
}
