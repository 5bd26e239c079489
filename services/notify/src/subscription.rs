//! `[[notify.subscriptions]]`: one receiver, what it receives, and over which channel.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use gongkai_model::Severity;
use gongkai_worker::Secret;
use serde::{Deserialize, Serialize};

use crate::{
    delivery::{
        Dingtalk, Feishu, Filter, Interests, Language, Limit, NoticeKind, Pace, Quiet, Secrets, Target, Wecom,
    },
    receiver::Receiver,
    severity_name,
    smtp::Smtp,
};

/// How long alerts to people are collected if the config does not say.
const DIGEST: Duration = Duration::from_hours(1);
/// How long the alerts of one report may take to come in.
const MOMENT: Duration = Duration::from_secs(2);
/// Longest time for which alerts are collected.
const LONGEST_DIGEST: Duration = Duration::from_hours(24);
const MOST_PER_MINUTE: usize = 1000;

/// One receiver. An alert must match all filters; an empty list matches everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Names the durable consumer: 1 to 32 of `a-z 0-9 -`. A new name receives all alerts that are still in the stream.
    pub name: String,
    /// `webhook`, `email`, `wecom`, `dingtalk`, `feishu`, `alertmanager` or `log`.
    pub channel: ChannelKind,
    /// The language of messages to people: `zh` or `en`.
    #[serde(default)]
    pub language: Language,
    /// The URL to POST to; of `alertmanager` its base address. `https`, or `http` to a loopback address.
    /// It may hold a token, so it is not shown.
    #[serde(default)]
    pub url: Option<Secret>,
    /// Alternative to `url`: a file with the URL.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// For `webhook` the Standard Webhooks secret, `whsec_…`, during rotation several, separated by white space; for
    /// `dingtalk` and `feishu` the secret that signs, if the robot has one; for `alertmanager` the bearer token, if a
    /// proxy asks for one.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Alternative to `secret`: a file with the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Also deliver to private and link-local addresses.
    #[serde(default)]
    pub allow_private: bool,
    /// For `email`: the addresses to send to, over the server of `[notify.smtp]`.
    #[serde(default)]
    pub to: Vec<String>,
    /// For channels to people: how long alerts are collected before they go together, in seconds; 0: for a moment, in which
    /// the alerts of one report come in. Absent: one hour.
    #[serde(default)]
    pub digest_s: Option<u64>,
    /// The most messages in a minute. Absent: what the platform allows, or without limit.
    #[serde(default)]
    pub max_per_minute: Option<usize>,
    /// The hours in which nothing is delivered, such as `22:00-07:00`, in China's time. Empty: none.
    #[serde(default)]
    pub quiet_hours: String,
    /// Nothing is delivered on Saturdays and Sundays.
    #[serde(default)]
    pub quiet_weekends: bool,
    /// The severity from which on alerts are delivered in quiet hours too. Empty: none are.
    #[serde(default)]
    pub quiet_passes: String,
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
    /// The kinds of messages: `finding`, `resolved`, `rejected`, `reminder`, `missing`, `late`. Empty: `finding` and
    /// `resolved`, and `rejected` if `rejections` names sites. Notices about the deadlines of agencies for which the
    /// registry names this subscription come in any case.
    #[serde(default)]
    pub events: Vec<NoticeKind>,
}

/// How alerts are delivered to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ChannelKind {
    /// A signed HTTP POST.
    Webhook,
    /// A mail.
    Email,
    /// A group robot of 企业微信.
    Wecom,
    /// A group robot of 钉钉.
    Dingtalk,
    /// A group robot of 飞书.
    Feishu,
    /// Alertmanager, version 2 of its interface.
    Alertmanager,
    /// A line in the service's log.
    Log,
}

// === impl ChannelKind ===

impl ChannelKind {
    /// Returns true if people read what is sent.
    fn is_for_people(self) -> bool {
        matches!(self, Self::Email | Self::Wecom | Self::Dingtalk | Self::Feishu)
    }

    /// Returns the limits of the platform.
    fn limits(self) -> &'static [Limit] {
        match self {
            Self::Wecom => Wecom::LIMITS,
            Self::Dingtalk => Dingtalk::LIMITS,
            Self::Feishu => Feishu::LIMITS,
            Self::Webhook | Self::Email | Self::Alertmanager | Self::Log => &[],
        }
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
            language: Language::default(),
            url: None,
            url_file: None,
            secret: None,
            secret_file: None,
            allow_private: false,
            to: Vec::new(),
            digest_s: None,
            max_per_minute: None,
            quiet_hours: String::new(),
            quiet_weekends: false,
            quiet_passes: String::new(),
            min_severity: lowest(),
            regions: Vec::new(),
            agencies: Vec::new(),
            rules: Vec::new(),
            rejections: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Returns the kinds of messages that the subscription wants.
    ///
    /// # Errors
    /// `events` and `rejections` contradict each other.
    pub fn interests(&self) -> anyhow::Result<Interests> {
        Interests::new(&self.name, &self.events, &self.rejections)
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

    /// Returns the receiver.
    ///
    /// # Errors
    /// A setting is missing, not acceptable, or not one of this channel. The error names the key.
    pub(crate) fn receiver(&self, smtp: &Smtp) -> anyhow::Result<Receiver> {
        self.check_unused()?;
        self.check_numbers()?;
        Ok(match self.channel {
            ChannelKind::Log => Receiver::Log(self.name.clone()),
            ChannelKind::Webhook => Receiver::Webhook(self.target()?, self.signing_secrets()?),
            ChannelKind::Wecom => Receiver::Robot(self.target()?, Box::new(Wecom)),
            ChannelKind::Dingtalk => Receiver::Robot(self.target()?, Box::new(Dingtalk::new(self.secret()?))),
            ChannelKind::Feishu => Receiver::Robot(self.target()?, Box::new(Feishu::new(self.secret()?))),
            ChannelKind::Alertmanager => Receiver::Alertmanager(self.target()?, self.secret()?),
            ChannelKind::Email => Receiver::Email(Box::new(smtp.server()?), self.addresses()?),
        })
    }

    /// Returns how fast the receiver may be told, and how much at once.
    ///
    /// # Errors
    /// A setting is not acceptable. The error names the key.
    pub(crate) fn pace(&self) -> anyhow::Result<Pace> {
        let window = self.channel.is_for_people().then(|| {
            let window = self.digest_s.map_or(DIGEST, Duration::from_secs);
            window.max(MOMENT)
        });
        let limits = self.channel.limits().iter().copied();
        let own = self.max_per_minute.map(Limit::per_minute);
        Ok(Pace { window, limits: limits.chain(own).collect(), quiet: self.quiet()? })
    }

    fn quiet(&self) -> anyhow::Result<Option<Quiet>> {
        let passes = Some(self.quiet_passes.as_str()).filter(|name| !name.is_empty());
        let passes = passes.map(str::parse).transpose().with_context(|| {
            format!("quiet_passes is {:?}: use INFO, REVIEW, WARNING or ERROR", self.quiet_passes)
        })?;
        let is_set = !self.quiet_hours.is_empty() || self.quiet_weekends;
        let quiet = Quiet::new(&self.quiet_hours, self.quiet_weekends, passes).context("quiet_hours")?;
        Ok(is_set.then_some(quiet))
    }

    fn check_numbers(&self) -> anyhow::Result<()> {
        let longest = LONGEST_DIGEST.as_secs();
        ensure!(
            self.digest_s.is_none_or(|digest| digest <= longest),
            "digest_s is {:?}: use 0 to {longest}",
            self.digest_s.unwrap_or_default()
        );
        ensure!(
            self.max_per_minute.is_none_or(|most| (1..=MOST_PER_MINUTE).contains(&most)),
            "max_per_minute is {:?}: use 1 to {MOST_PER_MINUTE}",
            self.max_per_minute.unwrap_or_default()
        );
        Ok(())
    }

    fn target(&self) -> anyhow::Result<Target> {
        let channel: &str = self.channel.into();
        let url = Secret::resolve(self.url.as_ref(), self.url_file.as_ref(), "url")?;
        let url = url.with_context(|| format!("url is missing: {channel} needs one"))?;
        Target::new(url.expose(), self.allow_private).context("url")
    }

    fn secret(&self) -> anyhow::Result<Option<Secret>> {
        Secret::resolve(self.secret.as_ref(), self.secret_file.as_ref(), "secret")
    }

    fn signing_secrets(&self) -> anyhow::Result<Secrets> {
        let secret = self.secret()?;
        let secret =
            secret.context("secret is missing: set it to whsec_ and the base64 of 24 to 64 random bytes")?;
        Secrets::new(secret.expose()).context("secret")
    }

    fn addresses(&self) -> anyhow::Result<Vec<lettre::message::Mailbox>> {
        ensure!(!self.to.is_empty(), "to is empty: email needs addresses");
        self.to.iter().map(|text| text.parse().with_context(|| format!("to holds {text:?}"))).collect()
    }

    /// Checks that no key is set that the channel does not read.
    fn check_unused(&self) -> anyhow::Result<()> {
        use ChannelKind::{Email, Log, Wecom};
        let channel: &str = self.channel.into();
        let has_secret = self.secret.is_some() || self.secret_file.is_some();
        for (key, is_set, is_unused) in [
            ("url", self.url.is_some() || self.url_file.is_some(), matches!(self.channel, Log | Email)),
            ("secret", has_secret, matches!(self.channel, Log | Email | Wecom)),
            ("to", !self.to.is_empty(), self.channel != Email),
            ("digest_s", self.digest_s.is_some(), !self.channel.is_for_people()),
        ] {
            ensure!(!(is_set && is_unused), "{channel} takes no {key}");
        }
        Ok(())
    }
}

fn lowest() -> Severity {
    Severity::Info
}
