//! Mail over SMTP: text and HTML in one message, with a connection of its own for each.
//!
//! There is no pool: mail servers close idle connections, and a mail that fails on one would wait for its next attempt.
//! The `Message-ID` follows from the envelope's id, so that a mail which is sent again after a crash can be told.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use gongkai_worker::{
    Secret,
    trace::{self, SpanKind},
};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    message::{Mailbox, MultiPart, header},
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
        response::Severity,
    },
};

use super::super::{
    channel::{Channel, Error},
    letter::Envelope,
    message::{Composer, html, plain_text},
};

/// Longest time of one answer, and of one mail: servers let strangers wait before they greet them.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_mins(1);
/// The server closes the connection, and takes the mail on another.
const CLOSING: &str = "421";

/// A mail server, and how it is spoken to.
#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) login: Option<(String, Secret)>,
    /// Certificates that count beside those of the system.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) from: Mailbox,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// By STARTTLS, without which nothing is sent.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

/// The mails of one subscription.
pub(crate) struct Email {
    server: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    composer: Composer,
}

// === impl MailServer ===

impl MailServer {
    fn transport(&self) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
        let tls = match self.security {
            Security::StartTls => Tls::Required(self.tls()?),
            Security::Tls => Tls::Wrapper(self.tls()?),
            Security::None => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host);
        let mut builder = builder.port(self.port).tls(tls).timeout(Some(ANSWER_TIMEOUT));
        if let Some((user, password)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }

    fn tls(&self) -> anyhow::Result<TlsParameters> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(file) = &self.ca_file {
            let pem = std::fs::read(file).with_context(|| format!("couldn't read {}", file.display()))?;
            let certificate =
                Certificate::from_pem(&pem).with_context(|| format!("{} is no PEM", file.display()))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        Ok(parameters.build()?)
    }
}

// === impl Email ===

impl Email {
    /// Creates a channel that sends to these addresses.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub(crate) fn new(server: &MailServer, to: Vec<Mailbox>, composer: Composer) -> anyhow::Result<Self> {
        Ok(Self {
            server: server.transport()?,
            host: server.host.clone(),
            from: server.from.clone(),
            to,
            composer,
        })
    }

    fn mail(&self, envelope: &Envelope<'_>) -> Result<Mail, lettre::error::Error> {
        let message = self.composer.compose(envelope);
        let id = format!("<{}@{}>", envelope.id(), self.from.email.domain());
        let to = self.to.iter().fold(Mail::builder(), |mail, to| mail.to(to.clone()));
        to.from(self.from.clone())
            .subject(&message.title)
            .message_id(Some(id))
            // Keeps answers such as those about holidays away (RFC 3834).
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(plain_text(&message), html(&message)))
    }
}

#[async_trait]
impl Channel for Email {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        let mail = self.mail(envelope).map_err(|error| Error::Refused(error.to_string()))?;
        let span = trace::span("SMTP", SpanKind::Client);
        span.set("server.address", &self.host);
        let sent = tokio::time::timeout(TIMEOUT, span.clone().run(self.server.send(mail))).await;
        let result = match sent {
            Ok(sent) => sent.map_err(|error| failure(&error)),
            Err(_) => Err(Error::away("timed out")),
        };
        if let Err(error) = &result {
            span.fail(error);
        }
        result.map(drop)
    }
}

/// Interprets a failed attempt: an answer of the server, or none.
fn failure(error: &smtp::Error) -> Error {
    let cause = causes(error);
    match error.status() {
        Some(code) if code.severity == Severity::PermanentNegativeCompletion => Error::Refused(cause),
        Some(code) => Error::Later { wish: None, cause, may_be_message: code.to_string() != CLOSING },
        None => Error::away(cause),
    }
}

fn causes(error: &smtp::Error) -> String {
    let mut causes = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !causes.contains(&cause_text) {
            causes = format!("{causes}: {cause_text}");
        }
        source = cause.source();
    }
    causes
}
