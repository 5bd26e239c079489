//! `[[notify.subscriptions]]`: one receiver, what it receives, and over which channel.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use gongkai_model::Severity;
use gongkai_worker::Secret;
use serde::{Deserialize, Serialize};

use crate::{
    delivery::{Dingtalk, Feishu, Filter, Language, Secrets, Target, Wecom},
    receiver::Receiver,
    severity_name,
    smtp::Smtp,
};

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

    /// Returns the receiver.
    ///
    /// # Errors
    /// A setting is missing, not acceptable, or not one of this channel. The error names the key.
    pub(crate) fn receiver(&self, smtp: &Smtp) -> anyhow::Result<Receiver> {
        self.check_unused()?;
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
        ] {
            ensure!(!(is_set && is_unused), "{channel} takes no {key}");
        }
        Ok(())
    }
}

fn lowest() -> Severity {
    Severity::Info
}
