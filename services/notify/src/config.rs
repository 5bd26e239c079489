//! The `[notify]` section: which findings raise alerts, and who receives them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use gongkai_model::Severity;
use gongkai_worker::{Secret, SecretUrl};
use serde::{Deserialize, Serialize};

use crate::{
    callback::CallbackSite,
    delivery::{Filter, Schedule, Secrets, Target},
    receiver_name::is_name,
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
    /// The receivers of alerts. Without any, a subscription named `log` writes every alert to the log.
    pub subscriptions: Vec<Subscription>,
    /// The sites of `[ingest.sites.*]`.
    #[serde(skip)]
    pub sites: BTreeMap<String, CallbackSite>,
}

/// `[[notify.subscriptions]]`: one receiver. An alert must match all filters; an empty list matches everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Names the durable consumer: 1 to 32 of `a-z 0-9 -`. A new name receives all alerts that are still in the stream.
    pub name: String,
    /// `webhook` or `log`.
    pub channel: ChannelKind,
    /// For `webhook`: the URL to POST to. `https`, or `http` to a loopback address.
    #[serde(default)]
    pub url: Option<SecretUrl>,
    /// For `webhook`: the Standard Webhooks secret, `whsec_…`. During rotation several, separated by white space.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Alternative to `secret`: a file with the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// For `webhook`: also deliver to private and link-local addresses.
    #[serde(default)]
    pub allow_private: bool,
    /// Alerts below this severity are not delivered.
    #[serde(default = "lowest", with = "severity_name")]
    pub min_severity: Severity,
    /// Prefixes of division codes, such as `36` for a province or `360982` for a county.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Agency keys, the `{agency}` in reports' names.
    #[serde(default)]
    pub agencies: Vec<String>,
    /// Rule ids, such as `T3-ROW`.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Sites whose rejected submissions are delivered too, by name in `[ingest.sites]`; `*` for every submission.
    /// Ingest reads this key.
    #[serde(default)]
    pub rejections: Vec<String>,
}

/// How alerts are delivered to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelKind {
    /// A signed HTTP POST.
    Webhook,
    /// A line in the service's log.
    Log,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            min_severity: Severity::Warning,
            retry_delays_s: RETRY_DELAYS_S.to_vec(),
            subscriptions: Vec::new(),
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
        let mut names = BTreeSet::new();
        for (at, subscription) in self.subscriptions.iter().enumerate() {
            let key = format!("notify.subscriptions[{at}]");
            let name = subscription.name.as_str();
            ensure!(is_name(name), "{key}.name is {name:?}: use 1 to 32 of a-z, 0-9 and -");
            ensure!(names.insert(name), "{key}.name is {name:?}, as of an earlier entry: choose another");
            subscription.filter().with_context(|| key.clone())?;
            match subscription.channel {
                ChannelKind::Webhook => drop(subscription.webhook().with_context(|| key.clone())?),
                ChannelKind::Log => subscription.check_log(&key)?,
            }
        }
        self.sites.iter().try_for_each(|(name, site)| site.webhook(name).map(drop))
    }
}

// === impl Subscription ===

impl Subscription {
    /// Creates a subscription that writes every alert to the log.
    #[must_use]
    pub fn to_log(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            channel: ChannelKind::Log,
            url: None,
            secret: None,
            secret_file: None,
            allow_private: false,
            min_severity: lowest(),
            regions: Vec::new(),
            agencies: Vec::new(),
            rules: Vec::new(),
            rejections: Vec::new(),
        }
    }

    /// Returns the filter of the subscription.
    ///
    /// # Errors
    /// A region is not a prefix of a division code.
    pub fn filter(&self) -> anyhow::Result<Filter> {
        for region in &self.regions {
            let fits = (1..=6).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_digit());
            ensure!(fits, "regions holds {region:?}: use 1 to 6 digits");
        }
        Ok(Filter {
            min_severity: self.min_severity,
            regions: self.regions.clone(),
            agencies: self.agencies.clone(),
            rules: self.rules.clone(),
        })
    }

    /// Returns the target and the signing secrets of a webhook.
    ///
    /// # Errors
    /// The URL or a secret is missing or not acceptable. The error names the key.
    pub fn webhook(&self) -> anyhow::Result<(Target, Secrets)> {
        let url = self.url.as_ref().context("url is missing: a webhook needs one")?;
        let target = Target::new(url.expose(), self.allow_private).with_context(|| format!("url {url:?}"))?;
        let secret = Secret::resolve(self.secret.as_ref(), self.secret_file.as_ref(), "secret")?;
        let secret =
            secret.context("secret is missing: set it to whsec_ and the base64 of 24 to 64 random bytes")?;
        let secrets = Secrets::new(secret.expose()).context("secret")?;
        Ok((target, secrets))
    }

    fn check_log(&self, key: &str) -> anyhow::Result<()> {
        let unused = self.url.is_some() || self.secret.is_some() || self.secret_file.is_some();
        ensure!(!unused, "{key} is a log channel: it takes no url and no secret");
        Ok(())
    }
}

fn lowest() -> Severity {
    Severity::Info
}

/// Serialises a severity by its public name.
mod severity_name {
    use gongkai_model::Severity;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(severity.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse()
            .map_err(|_| D::Error::custom(format!("{name:?} is none of INFO, REVIEW, WARNING, ERROR")))
    }
}
