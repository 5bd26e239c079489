//! The `[notify.smtp]` section: the mail server of the subscriptions with `channel = "email"`.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use gongkai_worker::Secret;
use serde::{Deserialize, Serialize};

use crate::delivery::{MailServer, Security};

/// A mail server that takes mails from this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    /// Name of the server, which its certificate must have. Empty: no mail.
    pub host: String,
    /// The port; 0 for the usual one: 587, with `tls` 465, with `none` 25.
    pub port: u16,
    /// `starttls`, `tls` or `none`. `none` is for loopback addresses, unless `allow_plain` is set.
    pub security: Security,
    /// Also send without encryption over a network.
    pub allow_plain: bool,
    /// Name of the account; empty: without a login.
    pub user: String,
    /// Password of the account.
    pub password: Option<Secret>,
    /// Alternative to `password`: a file with it.
    pub password_file: Option<PathBuf>,
    /// PEM file with a certificate authority that counts beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// The sender: an address, or a name and an address, as in `公开办 <gk@example.gov.cn>`.
    pub from: String,
}

// === impl Smtp ===

impl Smtp {
    /// Returns the server.
    ///
    /// # Errors
    /// A setting is missing or not acceptable. The error names the key.
    pub(crate) fn server(&self) -> anyhow::Result<MailServer> {
        ensure!(!self.host.is_empty(), "notify.smtp.host is missing: a subscription with email needs it");
        let is_plain_allowed = self.allow_plain || is_here(&self.host);
        ensure!(
            self.security != Security::None || is_plain_allowed,
            "notify.smtp.security is none, which is for this machine only: use starttls or tls, or set \
             notify.smtp.allow_plain = true"
        );
        let from = self.from.parse().with_context(|| format!("notify.smtp.from is {:?}", self.from))?;
        Ok(MailServer {
            host: self.host.clone(),
            port: if self.port == 0 { self.usual_port() } else { self.port },
            security: self.security,
            login: self.login()?,
            ca_file: self.ca_file.clone(),
            from,
        })
    }

    fn login(&self) -> anyhow::Result<Option<(String, Secret)>> {
        let password =
            Secret::resolve(self.password.as_ref(), self.password_file.as_ref(), "notify.smtp.password")?;
        match (self.user.as_str(), password) {
            ("", None) => Ok(None),
            ("", Some(_)) => anyhow::bail!("notify.smtp.user is missing beside the password"),
            (_, None) => anyhow::bail!("notify.smtp.password_file is missing beside the user"),
            (user, Some(password)) => Ok(Some((user.to_owned(), password))),
        }
    }

    fn usual_port(&self) -> u16 {
        match self.security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        }
    }
}

/// Returns true if a host is this machine, as the operator writes it.
fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
