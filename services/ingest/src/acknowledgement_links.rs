//! The links in notices that acknowledge an alert.
//!
//! The token of a link is its credential: who has it needs no other. Acknowledgements are events of the stream of alerts;
//! that a link was used is read from there, by every replica.

use gongkai_acknowledgements::{
    Acknowledgements, Recorded,
    link::{BadToken, Claims, LinkKey},
};
use gongkai_proto::{convert::timestamp::timestamp, v1};
use gongkai_worker::{Clock, Runtime};

use crate::{
    config::Config,
    error::{Code, Problem},
};

/// Longest name of a person, in characters.
const LONGEST_PERSON: usize = 100;
/// Longest comment, in characters.
const LONGEST_COMMENT: usize = 2000;

/// Checks links and records acknowledgements.
pub struct AcknowledgementLinks {
    key: Option<LinkKey>,
    acknowledgements: Acknowledgements,
    clock: Clock,
}

// === impl AcknowledgementLinks ===

impl AcknowledgementLinks {
    /// Creates the links with the key of the config.
    ///
    /// # Errors
    /// The key cannot be read or is too short. The error names the setting.
    pub fn new(config: &Config, runtime: &Runtime) -> anyhow::Result<Self> {
        Ok(Self {
            key: config.acknowledgements.signing_key()?,
            acknowledgements: Acknowledgements::new(runtime.clone()),
            clock: runtime.clock(),
        })
    }

    /// Returns what a link is about, and whether it was used. Changes nothing.
    ///
    /// # Errors
    /// `LINK_INVALID`, `LINK_EXPIRED`, or the broker did not answer.
    pub async fn open(&self, token: &str) -> Result<(Claims, bool), Problem> {
        let claims = self.claims(token)?;
        let known = self.acknowledgements.earlier(&self.acknowledgement(&claims, "", "")).await?;
        Ok((claims, known.is_some()))
    }

    /// Acknowledges the alert of a link. A link that was used returns the acknowledgement that it made.
    ///
    /// # Errors
    /// `LINK_INVALID`, `LINK_EXPIRED`, `INVALID_FIELD`, or the broker did not store it.
    pub async fn acknowledge(
        &self,
        token: &str,
        person: &str,
        comment: &str,
    ) -> Result<(Claims, Recorded), Problem> {
        let claims = self.claims(token)?;
        let person = line("person", person, LONGEST_PERSON)?;
        let comment = line("comment", comment, LONGEST_COMMENT)?;
        let new = self.acknowledgement(&claims, person, comment);
        let recorded = self.acknowledgements.record(new).await?;
        Ok((claims, recorded))
    }

    fn claims(&self, token: &str) -> Result<Claims, Problem> {
        let checked = match &self.key {
            Some(key) => key.claims(token, self.clock.now()),
            None => Err(BadToken::Forged),
        };
        checked.map_err(|bad| match bad {
            BadToken::Forged => Problem::new(
                Code::LinkInvalid,
                "此链接无效：可能没有复制完整，或不是本系统发出的；请打开通知中的原链接",
                "the link is not one of this system, or was cut off; open the link in the notice itself",
            ),
            BadToken::Expired => Problem::new(
                Code::LinkExpired,
                "此链接已过期；请用 gongkai alerts acknowledge 确认，或联系管理员",
                "the link has expired; use `gongkai alerts acknowledge`, or ask an operator",
            ),
        })
    }

    fn acknowledgement(&self, claims: &Claims, person: &str, comment: &str) -> v1::Acknowledgement {
        let now = self.clock.now().truncate_to_microsecond();
        claims.acknowledgement(person, comment, timestamp(now))
    }
}

/// Returns a text of a form's field, which may be empty.
fn line<'a>(field: &str, text: &'a str, most: usize) -> Result<&'a str, Problem> {
    let text = text.trim();
    if text.chars().count() <= most && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    let (zh, en) =
        (format!("最多 {most} 字，且不能换行"), format!("takes at most {most} characters on one line"));
    Err(Problem::invalid(field, text, &zh, &en))
}
