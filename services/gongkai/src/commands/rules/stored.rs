//! Stored reports, read from the log of record and the object store.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use gongkai_model::Report;
use gongkai_proto::{ReportEvent, convert, subjects, v1};
use gongkai_rules::ReportContext;
use gongkai_worker::{
    Config, Transport as _,
    transport::{Message, jetstream::JetStream},
};
use prost::Message as _;
use time::Date;

/// The broker that stores the reports.
pub(super) struct StoredReports(JetStream);

impl StoredReports {
    /// Connects to the broker that the services use.
    ///
    /// # Errors
    /// The config is wrong, or the broker is unreachable.
    pub(super) async fn open(config: Option<&Path>, nats_url: Option<&str>) -> anyhow::Result<Self> {
        let mut config = Config::load(config, &subjects::SERVICES)?;
        if let Some(url) = nats_url {
            config = config.with("nats.url", url);
        }
        let nats = config.common()?.nats;
        let broker = JetStream::connect(&nats.transport("gongkai-rules")?).await;
        Ok(Self(broker.with_context(|| format!("couldn't reach the broker at {}", nats.url))?))
    }

    /// Calls `visit` with the newest parsed revision of each report received at or after the beginning of `since`.
    ///
    /// # Errors
    /// The broker became unreachable.
    pub(super) async fn each(
        &self,
        since: Option<Date>,
        mut visit: impl FnMut(&str, &Report, &ReportContext<'_>),
    ) -> anyhow::Result<()> {
        for parsed in self.newest(since).await?.into_values() {
            let (Some(origin), Some(header)) = (parsed.origin, parsed.report) else { continue };
            let name = header.name.clone();
            let Some(report) = self.report(header).await? else { continue };
            let key = convert::report::key(&name)?;
            let context = ReportContext {
                published_at: convert::timestamp::day_in_china(origin.published_at),
                agency: Some(&key.agency),
                ..ReportContext::default()
            };
            visit(&name, &report, &context);
        }
        Ok(())
    }

    /// Returns the last parsed event of each report, by name.
    async fn newest(&self, since: Option<Date>) -> anyhow::Result<BTreeMap<String, v1::ReportParsed>> {
        let streams = self.0.status().await.context("couldn't list the streams")?;
        let stream = streams.iter().find(|stream| stream.name == subjects::STREAM_REPORTS);
        let last = stream.map_or(0, |stream| stream.last_sequence);
        let mut newest = BTreeMap::new();
        for sequence in 1..=last {
            let message = self.0.message(subjects::STREAM_REPORTS, sequence).await?;
            let Some(parsed) = message.and_then(|logged| parsed(logged.message)) else { continue };
            let Some(name) = parsed.report.as_ref().map(|report| report.name.clone()) else { continue };
            if since.is_none_or(|since| received_on(&parsed).is_some_and(|day| day >= since)) {
                newest.insert(name, parsed);
            }
        }
        Ok(newest)
    }

    /// Returns the report with its prose, or `None` if the prose was erased.
    async fn report(&self, header: v1::ParsedReport) -> anyhow::Result<Option<Report>> {
        let key = header.text.as_ref().map(|text| text.key.as_str()).unwrap_or_default();
        let Some(bytes) = self.0.objects(subjects::BUCKET_TEXTS).get(key).await? else { return Ok(None) };
        Ok(Some(convert::report::report(header, v1::ParsedText::decode(bytes)?)?))
    }
}

fn parsed(message: Message) -> Option<v1::ReportParsed> {
    match ReportEvent::decode(&message.subject, message.payload) {
        Ok(ReportEvent::Parsed(parsed)) => Some(*parsed),
        _ => None,
    }
}

fn received_on(parsed: &v1::ReportParsed) -> Option<Date> {
    convert::timestamp::day_in_china(parsed.origin.as_ref()?.received_at)
}
