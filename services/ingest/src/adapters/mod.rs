//! Adapters: map what a CMS posts in a format of its own to an event.
//!
//! `[ingest.adapters.<name>]` ([`settings`]) defines the proof of the sender ([`proof`]), the place of each field in the
//! body ([`mod@mapping`]) and the format of the answer ([`answer`]). An adapter acts for one site. Its events are handled by
//! [`crate::reception`] like all others.
//!
//! An HMAC covers the body and no time, so a captured call can be sent again unchanged. While it is the latest call of
//! its id, or if it has a `time`, it is the same submission and changes nothing. Otherwise the old content stands again.
//! `sent_at` prevents that: a call that was sent at another time than now is refused.

pub mod answer;
mod body;
mod json;
pub mod mapping;
pub mod proof;
pub mod settings;
mod times;
mod value_limit;
mod value_source;
mod xml;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use time::OffsetDateTime;

use self::{answer::Answers, mapping::Mapping, proof::Proof};
use crate::{
    config::{Config, Site},
    error::{Code, Problem},
};
use gongkai_worker::Clock;

/// The configured adapters. Cheap to clone.
#[derive(Clone)]
pub struct Adapters(Arc<BTreeMap<String, Arc<Adapter>>>);

/// One adapter.
pub struct Adapter {
    pub mapping: Mapping,
    pub proof: Proof,
    pub answers: Answers,
    /// The site on whose behalf its calls act.
    pub site: String,
    tolerance: Duration,
    clock: Clock,
}

// === impl Adapters ===

impl Adapters {
    /// Reads the adapters and their secrets.
    ///
    /// # Errors
    /// A setting is invalid, or a file of a secret cannot be read. The error names the key and never the secret.
    pub fn new(config: &Config, clock: &Clock) -> anyhow::Result<Self> {
        let adapter = |name: &String| Ok((name.clone(), Arc::new(Adapter::new(config, name, clock)?)));
        let adapters: anyhow::Result<_> = config.adapters.keys().map(adapter).collect();
        Ok(Self(Arc::new(adapters?)))
    }

    /// Returns all adapters.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Adapter>> {
        self.0.values()
    }

    /// Returns the adapter of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Adapter>> {
        self.0.get(name).cloned()
    }
}

// === impl Adapter ===

impl Adapter {
    fn new(config: &Config, name: &str, clock: &Clock) -> anyhow::Result<Self> {
        let settings = &config.adapters[name];
        Ok(Self {
            mapping: Mapping::new(name, settings, site_of(config, name)?)?,
            proof: Proof::new(name, settings)?,
            answers: Answers::new(name, settings)?,
            site: settings.site.clone(),
            tolerance: Duration::from_secs(config.signature_tolerance_s),
            clock: clock.clone(),
        })
    }

    /// Refuses a call that was not sent now, if the time is known.
    ///
    /// # Errors
    /// `STALE_SIGNATURE`.
    pub fn check_time(&self, sent_at: Option<OffsetDateTime>) -> Result<(), Problem> {
        let Some(sent_at) = sent_at else { return Ok(()) };
        let difference = (self.clock.now() - sent_at).unsigned_abs();
        if difference <= self.tolerance {
            return Ok(());
        }
        let (off, allowed) = (difference.as_secs(), self.tolerance.as_secs());
        Err(Problem::new(
            Code::StaleSignature,
            format!("报文的发送时间与本机相差 {off} 秒，超过允许的 {allowed} 秒；请重新生成报文并校准时钟"),
            format!(
                "the call says it was sent {off} s from now, and {allowed} s are allowed; make it anew and check the clocks"
            ),
        ))
    }
}

/// Checks the settings of all adapters, and reads no secret.
///
/// # Errors
/// A setting is invalid. The error names the key.
pub fn validate(config: &Config) -> anyhow::Result<()> {
    for (name, settings) in &config.adapters {
        let is_name = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
        anyhow::ensure!(is_name, "ingest.adapters.{name}: a name is 1 to 32 of a-z, 0-9, - and _");
        Mapping::new(name, settings, site_of(config, name)?)?;
        Answers::new(name, settings)?;
        Proof::validate(name, settings)?;
    }
    Ok(())
}

/// Returns the mapping of one adapter, without reading its secrets.
///
/// # Errors
/// There is no such adapter, or a setting is invalid.
pub fn mapping(config: &Config, name: &str) -> anyhow::Result<Mapping> {
    let settings = config.adapters.get(name).with_context(|| {
        let known: Vec<_> = config.adapters.keys().map(String::as_str).collect();
        format!("there is no [ingest.adapters.{name}] in the config; it has: {}", known.join(", "))
    })?;
    Mapping::new(name, settings, site_of(config, name)?)
}

fn site_of<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a Site> {
    let site = &config.adapters[name].site;
    config.sites.get(site).with_context(|| {
        format!("ingest.adapters.{name}.site: \"{site}\" must be the name of one of [ingest.sites.*]")
    })
}
