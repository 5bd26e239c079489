//! `gongkai pause` and `gongkai resume`: hold back the messages of a stage for a time.
//!
//! Both ask the broker and no service, like `gongkai status`: a stage is paused when something is wrong, and then query
//! may be the service that does not answer.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, bail, ensure};
use gongkai_ingest::times;
use gongkai_proto::subjects;
use gongkai_worker::{Clock, transport::jetstream::JetStream};
use time::OffsetDateTime;

use super::status::BrokerAddress;
use crate::printer::{Printer, clean, in_china};

/// 暂停一个环节 / Hold back the messages of a stage for a time
///
/// Messages in work finish, and those behind them wait in the broker: nothing is lost, and no attempt is used up. Every
/// pause has an end. The broker keeps it, so it survives restarts of the services.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai pause parse --for 2h
  gongkai pause notify --until '2026-12-01 08:00'
  gongkai pause parse-backfill --for 8h        only this consumer; `gongkai status` lists their names")]
#[command(group = clap::ArgGroup::new("end").required(true))]
pub(crate) struct PauseArgs {
    /// ingest, parse, validate, notify or query; or the name of one consumer
    stage: String,
    /// End of the pause: RFC 3339, or 2026-12-01 08:00 in the time of China
    #[arg(long, value_name = "TIME", group = "end")]
    until: Option<String>,
    /// Length of the pause, such as 90s, 30m, 2h or 1d
    #[arg(long = "for", value_name = "DURATION", group = "end", value_parser = duration)]
    length: Option<Duration>,
    #[command(flatten)]
    broker: BrokerAddress,
}

/// 恢复一个环节 / End the pause of a stage
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai resume parse")]
pub(crate) struct ResumeArgs {
    /// ingest, parse, validate, notify or query; or the name of one consumer
    stage: String,
    #[command(flatten)]
    broker: BrokerAddress,
}

pub(crate) async fn pause(args: PauseArgs, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let now = Clock::system().now();
    let until = args.end(now)?;
    ensure!(until > now, "the pause would have ended already: it is {} now", in_china(now));
    let (broker, consumers) = consumers(&args.broker, &args.stage).await?;
    for (stream, name) in consumers {
        broker.pause_consumer(&stream, &name, until).await?;
        out.line(format!("已暂停 / paused until {}: {}", in_china(until), clean(&name)))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn resume(args: ResumeArgs, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let (broker, consumers) = consumers(&args.broker, &args.stage).await?;
    for (stream, name) in consumers {
        broker.resume_consumer(&stream, &name).await?;
        out.line(format!("已恢复 / resumed: {}", clean(&name)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Connects to the broker. Returns the streams and names of the stage's consumers too.
async fn consumers(
    address: &BrokerAddress,
    stage: &str,
) -> anyhow::Result<(JetStream, Vec<(String, String)>)> {
    let common = address.common()?;
    let broker = JetStream::connect(&common.nats.transport("gongkai-pause")?).await;
    let broker = broker.with_context(|| format!("couldn't reach the broker at {}", common.nats.url))?;
    let streams = broker.status().await.context("couldn't list the consumers")?;
    let all = streams.into_iter().flat_map(|stream| {
        stream.consumers.into_iter().map(move |consumer| (stream.name.clone(), consumer.name))
    });
    let known: Vec<_> = all.filter(|(_, name)| subjects::service_of(name).is_some()).collect();
    let wanted = |name: &str| name == stage || subjects::service_of(name) == Some(stage);
    let (found, others): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, name)| wanted(name));
    if found.is_empty() {
        let others: Vec<_> = others.iter().map(|(_, name)| name.as_str()).collect();
        bail!("{stage} has no consumer at this broker, which has: {}", others.join(", "));
    }
    Ok((broker, found))
}

/// Parses a number with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number with s, m, h or d, such as 30m".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

impl PauseArgs {
    fn end(&self, now: OffsetDateTime) -> anyhow::Result<OffsetDateTime> {
        match (&self.until, self.length) {
            (Some(until), _) => times::time("--until", until)
                .map_err(|problem| anyhow::anyhow!("{} / {}", problem.detail, problem.detail_en)),
            (None, length) => {
                let length = time::Duration::try_from(length.unwrap_or_default())?;
                now.checked_add(length).context("--for is too long")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        let seconds = |text| duration(text).map(|length| length.as_secs()).ok();
        assert_eq!(["90s", "30m", "2h", "1d"].map(seconds), [Some(90), Some(1800), Some(7200), Some(86_400)]);
        assert_eq!(["", "2", "h", "1.5h", "-1h", "2 h", "2时"].map(seconds), [None; 7]);
    }
}
