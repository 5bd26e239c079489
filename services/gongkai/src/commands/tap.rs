//! `gongkai tap`: prints the messages between the services as they are published.

use std::{pin::pin, process::ExitCode};

use anyhow::Context as _;
use bytes::Bytes;
use clap::ValueEnum;
use futures::StreamExt as _;
use gongkai_model::personal::masked;
use gongkai_proto::{
    convert::timestamp::CHINA,
    event::ReportEvent,
    subjects::{self, Event},
    v1,
};
use gongkai_query::dead_letters::payload;
use gongkai_worker::{
    Clock, trace,
    transport::jetstream::{JetStream, tap::Passing},
};
use prost::Message as _;
use serde::Serialize;
use time::macros::format_description;

use super::status::BrokerAddress;
use crate::{
    printer::Printer,
    table::{self, Column, Format, TableRow},
};

/// 实时查看 / Show messages between the services as they are published, decoded, personal data masked
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai tap                          everything, until Ctrl-C
  gongkai tap rejected --format json   rejections with all their fields
  gongkai tap --trace 4bf92f3577b34da6a3ce929d0e0e4736
  gongkai tap dead --count 1           the next dead letter

It reads beside the services and takes no message from them. What is published faster than it is printed may be left out.")]
pub(crate) struct Args {
    /// Only these messages
    #[arg(value_enum, default_value_t)]
    stage: Stage,
    /// Only messages of this trace
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// End after this many messages
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Output format; json has the whole message
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    broker: BrokerAddress,
}

/// The kind of messages to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Stage {
    /// All of these
    #[default]
    All,
    /// Documents that ingest accepted
    Received,
    /// Documents of a backfill
    Backfilled,
    /// Reports that parse read
    Parsed,
    /// Reports that validate checked
    Validated,
    /// Documents that are no report, or cannot be read
    Rejected,
    /// Withdrawals
    Withdrawn,
    /// Alerts, raised and resolved
    Alert,
    /// Messages that a service could not handle
    Dead,
}

/// A message as it is shown.
#[derive(Debug, PartialEq, Serialize)]
struct Shown {
    /// The time at which it was read here, RFC 3339 in 中国时间.
    time: String,
    subject: String,
    submission: String,
    trace_id: String,
    /// The agency and year, as far as the message names them.
    about: String,
    outcome: String,
    /// The decoded message. Null if it cannot be decoded.
    message: serde_json::Value,
}

/// What a message is about, in one line.
#[derive(Debug, Default)]
struct Gist {
    submission: String,
    about: String,
    outcome: String,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let nats = args.broker.common()?.nats;
    let broker = JetStream::connect(&nats.transport("gongkai-tap")?).await;
    let broker = broker.with_context(|| format!("couldn't reach the broker at {}", nats.url))?;
    let passing = broker.tap(&args.stage.filters()).await.context("couldn't look on")?;
    let wanted = passing
        .map(|message| shown(&message))
        .filter(|shown| {
            let is_wanted = args.trace.as_ref().is_none_or(|trace| *trace == shown.trace_id);
            std::future::ready(is_wanted)
        })
        .take(args.count.unwrap_or(usize::MAX));
    let mut wanted = pin!(wanted);
    let mut is_first = true;
    while let Some(shown) = wanted.next().await {
        table::follow(out, args.format, &shown, is_first)?;
        is_first = false;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(passing: &Passing) -> Shown {
    let Passing { subject, headers, payload } = passing;
    let gist = gist(subject, payload);
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+08:00");
    let now = Clock::system().now().to_offset(CHINA);
    Shown {
        time: now.format(format).unwrap_or_default(),
        subject: subject.clone(),
        submission: gist.submission,
        trace_id: trace::id_of(headers).unwrap_or_default(),
        about: masked(&gist.about).into_owned(),
        outcome: masked(&gist.outcome).into_owned(),
        message: payload::shown(subject, payload.clone()).unwrap_or_default(),
    }
}

fn gist(subject: &str, payload: &Bytes) -> Gist {
    if subject.starts_with(subjects::DEAD_PREFIX) {
        return dead(payload);
    }
    match ReportEvent::decode(subject, payload.clone()) {
        Ok(event) => of_event(event),
        Err(error) => Gist { outcome: error.to_string(), ..Gist::default() },
    }
}

fn dead(payload: &Bytes) -> Gist {
    let letter = v1::DeadLetter::decode(payload.clone()).unwrap_or_default();
    let outcome = format!("{}: {}", letter.code, letter.cause);
    Gist { about: letter.subject, outcome, ..Gist::default() }
}

fn of_event(event: ReportEvent) -> Gist {
    let of = |origin: Option<v1::Origin>, about: String, outcome: String| Gist {
        submission: origin.unwrap_or_default().submission_id,
        about,
        outcome,
    };
    let report = |report: Option<v1::ParsedReport>| report.unwrap_or_default();
    match event {
        ReportEvent::Received(it) => {
            let named =
                [it.url, it.title, it.submission_id.clone()].into_iter().find(|name| !name.is_empty());
            let about = named.unwrap_or_default();
            Gist { submission: it.submission_id, about, outcome: String::new() }
        }
        ReportEvent::Parsed(it) => {
            let read = report(it.report);
            of(it.origin, titled(&read.agency_name, read.year), format!("{} facts", read.facts.len()))
        }
        ReportEvent::Validated(it) => {
            let read = report(it.report);
            of(it.origin, titled(&read.agency_name, read.year), format!("{} findings", it.findings.len()))
        }
        ReportEvent::Rejected(it) => {
            let rejection = it.rejection.unwrap_or_default();
            let url = it.origin.as_ref().map(|origin| origin.url.clone()).unwrap_or_default();
            of(it.origin, url, format!("{}: {}", rejection.code, rejection.message))
        }
        ReportEvent::Withdrawn(it) => {
            Gist { submission: it.submission_id, about: it.url, outcome: it.report }
        }
        ReportEvent::Waived(it) => Gist { about: it.waiver.unwrap_or_default().finding, ..Gist::default() },
        ReportEvent::Erased(it) => Gist { about: it.report, ..Gist::default() },
        ReportEvent::AlertRaised(it) => alert(&it, "raised"),
        ReportEvent::AlertResolved(it) => alert(&it, "resolved"),
        ReportEvent::SubmissionEnded(it) => {
            Gist { submission: it.submission_id, about: it.site, outcome: String::new() }
        }
        ReportEvent::Deadline(it) => Gist {
            about: titled(&it.agency_name, it.year),
            outcome: format!("{}: {}", deadline_word(it.kind()), it.deadline),
            ..Gist::default()
        },
    }
}

fn deadline_word(kind: v1::DeadlineNoticeKind) -> &'static str {
    match kind {
        v1::DeadlineNoticeKind::Reminder => "due",
        v1::DeadlineNoticeKind::Missing => "missing",
        v1::DeadlineNoticeKind::Late => "late",
        v1::DeadlineNoticeKind::Unspecified => "deadline",
    }
}

fn alert(alert: &v1::Alert, change: &str) -> Gist {
    Gist {
        about: titled(&alert.agency_name, alert.year),
        outcome: format!("{change}: {}", alert.cause),
        ..Gist::default()
    }
}

fn titled(agency: &str, year: i32) -> String {
    format!("{agency} {year}")
}

// === impl Stage ===

impl Stage {
    /// Returns the subjects. Requests of a CMS are never among them: they contain whole documents.
    fn filters(self) -> Vec<String> {
        let one = |filter: String| vec![filter];
        match self {
            Self::All => {
                let mut filters = Event::ALL.map(Event::filter).to_vec();
                // Both kinds of alerts share a subject.
                filters.dedup();
                filters.extend([subjects::backfill_filter(), subjects::dead_filter()]);
                filters
            }
            Self::Received => one(Event::ReportReceived.filter()),
            Self::Backfilled => one(subjects::backfill_filter()),
            Self::Parsed => one(Event::ReportParsed.filter()),
            Self::Validated => one(Event::ReportValidated.filter()),
            Self::Rejected => one(Event::ReportRejected.filter()),
            Self::Withdrawn => one(Event::ReportWithdrawn.filter()),
            Self::Alert => one(Event::AlertRaised.filter()),
            Self::Dead => one(subjects::dead_filter()),
        }
    }
}

impl TableRow for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        ("time", |shown| shown.time.get(11..19).unwrap_or_default().to_owned()),
        ("subject", |shown| shown.subject.trim_start_matches("gongkai.v1.").to_owned()),
        ("about", |shown| shown.about.clone()),
        ("outcome", |shown| shown.outcome.clone()),
        ("trace_id", |shown| shown.trace_id.clone()),
    ];
}
