//! The keys of `[ingest.sites.*]` that notify reads: where the receipt of an ended submission is posted, and the
//! secrets that sign it.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use gongkai_worker::{Secret, SecretUrl};
use serde::Deserialize;

use crate::{
    delivery::{Secrets, Target},
    receiver_name::is_name,
};

/// The settings of a publishing site that notify uses. Ingest checks the other keys.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CallbackSite {
    /// Where to post. `https`, or `http` to a loopback address. If absent, nothing is posted.
    pub callback_url: Option<SecretUrl>,
    /// Also post to private and link-local addresses.
    pub callback_allow_private: bool,
    /// The site's Standard Webhooks secrets, `whsec_…`. Each of them signs.
    pub secrets: Vec<Secret>,
    /// Files with one secret each.
    pub secret_files: Vec<PathBuf>,
}

impl CallbackSite {
    /// Returns the target and the signing secrets of the site's callback, or `None` if it has no callback. `name` is
    /// the site's name.
    ///
    /// # Errors
    /// Name, URL or secrets are not acceptable. The error names the key.
    pub fn webhook(&self, name: &str) -> anyhow::Result<Option<(Target, Secrets)>> {
        let Some(url) = self.callback_url.as_ref() else { return Ok(None) };
        let key = format!("ingest.sites.{name}");
        ensure!(is_name(name), "{key} has a callback_url: name such a site with 1 to 32 of a-z, 0-9 and -");
        let target = Target::new(url.expose(), self.callback_allow_private)
            .with_context(|| format!("{key}.callback_url {url:?}"))?;
        let secrets = Secret::with_files(&self.secrets, &self.secret_files, &format!("{key}.secret_files"))?;
        let secrets: Vec<_> = secrets.iter().map(Secret::expose).collect();
        let secrets = Secrets::new(&secrets.join("\n")).with_context(|| {
            format!("{key}.callback_url needs {key}.secrets, which sign what is sent there")
        })?;
        Ok(Some((target, secrets)))
    }
}
