//! The `[notify]` section: which findings raise alerts, and who receives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use gongkai_model::Severity;
use serde::{Deserialize, Serialize};

use crate::{
    callback::CallbackSite,
    deadlines::DeadlineConfig,
    delivery::{Composer, ReportUrl, Schedule},
    receiver_name::is_name,
    severity_name,
    smtp::Smtp,
    subscription::Subscription,
};

/// The schedule of Standard Webhooks, with shorter steps in the first minutes: most failures are short.
const RETRY_DELAYS_S: [u64; 9] = [5, 30, 2 * 60, 10 * 60, 3600, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600];
/// Longest delay: far below the age at which the broker drops a timer.
const LONGEST_DELAY_S: u64 = 7 * 24 * 3600;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Findings below this severity raise no alert: `INFO`, `REVIEW`, `WARNING` or `ERROR`.
    #[serde(with = "severity_name")]
    pub min_severity: Severity,
    /// How long after each failed attempt a delivery is tried again. If it fails after the last delay, it becomes a
    /// dead letter.
    pub retry_delays_s: Vec<u64>,
    /// The address of a report's page, for the links in messages to people: a URL with `{agency}` and perhaps `{year}`.
    /// If empty, messages link the published document only.
    pub report_url_template: String,
    /// The mail server of the subscriptions with `channel = "email"`.
    pub smtp: Smtp,
    /// The receivers of alerts. Without any, a subscription named `log` writes every alert to the log.
    pub subscriptions: Vec<Subscription>,
    /// What is said about the deadlines of listed agencies.
    pub deadlines: DeadlineConfig,
    /// The sites of `[ingest.sites.*]`.
    #[serde(skip)]
    pub sites: BTreeMap<String, CallbackSite>,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            min_severity: Severity::Warning,
            retry_delays_s: RETRY_DELAYS_S.to_vec(),
            report_url_template: String::new(),
            smtp: Smtp::default(),
            subscriptions: Vec::new(),
            deadlines: DeadlineConfig::default(),
            sites: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Returns the configured subscriptions, or one that writes to the log if there are none.
    #[must_use]
    pub fn effective_subscriptions(&self) -> Vec<Subscription> {
        if self.subscriptions.is_empty() {
            vec![Subscription::to_log("log")]
        } else {
            self.subscriptions.clone()
        }
    }

    /// Returns when failed deliveries are tried again.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule::new(self.retry_delays_s.iter().copied().map(Duration::from_secs).collect())
    }

    /// Returns who writes the messages of a subscription.
    ///
    /// # Errors
    /// `report_url_template` is not acceptable.
    pub(crate) fn composer(&self, subscription: &Subscription) -> anyhow::Result<Composer> {
        Ok(Composer { language: subscription.language, report_url: self.report_url()? })
    }

    fn report_url(&self) -> anyhow::Result<Option<ReportUrl>> {
        let template = Some(&self.report_url_template).filter(|template| !template.is_empty());
        let url = template.map(|template| ReportUrl::new(template)).transpose();
        url.with_context(|| format!("notify.report_url_template is {:?}", self.report_url_template))
    }

    /// Checks delays, names, URLs and secrets.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(
            !self.retry_delays_s.is_empty()
                && self.retry_delays_s.iter().all(|delay| (1..=LONGEST_DELAY_S).contains(delay)),
            "notify.retry_delays_s is {:?}: use one or more numbers from 1 to {LONGEST_DELAY_S}",
            self.retry_delays_s
        );
        self.deadlines.check()?;
        let mut names = BTreeSet::new();
        for (at, subscription) in self.subscriptions.iter().enumerate() {
            let key = format!("notify.subscriptions[{at}]");
            let name = subscription.name.as_str();
            ensure!(is_name(name), "{key}.name is {name:?}: use 1 to 32 of a-z, 0-9 and -");
            ensure!(names.insert(name), "{key}.name is {name:?}, as of an earlier entry: choose another");
            subscription.filter().with_context(|| key.clone())?;
            subscription.interests().with_context(|| key.clone())?;
            subscription.pace().with_context(|| key.clone())?;
            subscription.receiver(&self.smtp).with_context(|| key.clone())?;
        }
        self.report_url()?;
        self.sites.iter().try_for_each(|(name, site)| site.webhook(name).map(drop))
    }
}
