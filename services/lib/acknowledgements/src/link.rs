//! The links in notices that acknowledge an alert.
//!
//! A link ends in a token: claims in protobuf and their HMAC-SHA-256, in base64url. Whoever has the link may acknowledge
//! that alert once, for one subscription, until it expires. Notify makes tokens and ingest checks them; both have the key
//! from the configuration. A token is a pure function of the alert, the subscription, the time and the key.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gongkai_proto::v1;
use gongkai_worker::Secret;
use hmac_sha256::HMAC;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Path of a link's address before the token.
pub const PATH: &str = "/v1/acknowledgements/";
/// What the HMAC covers before the claims, so that a key that is used elsewhere too makes no token.
const PURPOSE: &[u8] = b"gongkai.acknowledgement.v1\0";
const MAC_BYTES: usize = 32;
/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 1024;
/// Longest name of an agency in a token, in characters.
const LONGEST_NAME: usize = 40;
/// Shortest key, in characters.
const SHORTEST_KEY: usize = 32;
const DAY_S: u64 = 24 * 3600;

/// `[ingest.acknowledgements]`: the links that acknowledge alerts. Ingest and notify read it. Without a key there are no
/// links.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkSettings {
    /// The key that signs links, at least 32 characters at random. Prefer `key_file`.
    pub key: Option<Secret>,
    /// File with the key.
    pub key_file: Option<PathBuf>,
    /// How long a link is valid, in seconds.
    pub link_valid_s: u64,
}

/// The key that signs tokens.
#[derive(Clone)]
pub struct LinkKey(Secret);

/// What a token says.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Claims {
    /// The alert.
    #[prost(string, tag = "1")]
    pub alert_id: String,
    /// The `changed_at` of the alert when it was raised.
    #[prost(message, optional, tag = "2")]
    pub raised_at: Option<prost_types::Timestamp>,
    /// The alert's region.
    #[prost(string, tag = "3")]
    pub region: String,
    /// The agency's name, for the page; cut if it is long.
    #[prost(string, tag = "4")]
    pub agency_name: String,
    /// The year of the report, for the page.
    #[prost(int32, tag = "5")]
    pub year: i32,
    /// The subscription that the notice went to.
    #[prost(string, tag = "6")]
    pub subscription: String,
    /// The second, since 1970, from which the token is no longer valid.
    #[prost(int64, tag = "7")]
    pub expires_at_s: i64,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is malformed, or was not signed with this key.
    #[error("the link was not made by this system, or was cut off")]
    Forged,
    /// It was valid.
    #[error("the link has expired")]
    Expired,
}

// === impl LinkSettings ===

impl Default for LinkSettings {
    fn default() -> Self {
        Self { key: None, key_file: None, link_valid_s: 7 * DAY_S }
    }
}

impl LinkSettings {
    /// Returns the key, or `None` if there is none.
    ///
    /// # Errors
    /// The key is too short or cannot be read, or links would be valid for no time or for more than a year. The error names
    /// the setting.
    pub fn signing_key(&self) -> anyhow::Result<Option<LinkKey>> {
        let name = "ingest.acknowledgements.key";
        let key = Secret::resolve(self.key.as_ref(), self.key_file.as_ref(), name)?;
        ensure!(
            (60..=365 * DAY_S).contains(&self.link_valid_s),
            "ingest.acknowledgements.link_valid_s is {}: use 60 to {}",
            self.link_valid_s,
            365 * DAY_S
        );
        key.map(|key| LinkKey::new(key).with_context(|| name.to_owned())).transpose()
    }

    /// Returns how long a link is valid.
    #[must_use]
    pub fn validity(&self) -> Duration {
        Duration::from_secs(self.link_valid_s)
    }
}

// === impl LinkKey ===

impl LinkKey {
    /// Creates a key.
    ///
    /// # Errors
    /// It is too short to be hard to guess.
    pub fn new(key: Secret) -> anyhow::Result<Self> {
        ensure!(
            key.expose().chars().count() >= SHORTEST_KEY,
            "the key is too short: use {SHORTEST_KEY} characters at random, as from `openssl rand -base64 32`"
        );
        Ok(Self(key))
    }

    /// Returns the address of the link with which a subscription acknowledges an alert that was raised. `public_url` is where
    /// ingest is reached.
    #[must_use]
    pub fn link(&self, public_url: &str, claims: &Claims) -> String {
        format!("{}{PATH}{}", public_url.trim_end_matches('/'), self.token(claims))
    }

    /// Returns the token of claims.
    #[must_use]
    pub fn token(&self, claims: &Claims) -> String {
        let mut bytes = claims.encode_to_vec();
        let mac = self.mac(&bytes).finalize();
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns what a token says, if it is valid at this time. The comparison takes the same time for any signature.
    ///
    /// # Errors
    /// The token is forged or has expired.
    pub fn claims(&self, token: &str, now: OffsetDateTime) -> Result<Claims, BadToken> {
        let bytes = Some(token).filter(|token| token.len() <= LONGEST_TOKEN);
        let bytes = bytes.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok()).ok_or(BadToken::Forged)?;
        let (claims, mac) = bytes.split_last_chunk::<MAC_BYTES>().ok_or(BadToken::Forged)?;
        if !self.mac(claims).finalize_verify(mac) {
            return Err(BadToken::Forged);
        }
        let claims = Claims::decode(claims).map_err(|_| BadToken::Forged)?;
        if now.unix_timestamp() >= claims.expires_at_s { Err(BadToken::Expired) } else { Ok(claims) }
    }

    fn mac(&self, claims: &[u8]) -> HMAC {
        let mut mac = HMAC::new(self.0.expose());
        mac.update(PURPOSE);
        mac.update(claims);
        mac
    }
}

// === impl Claims ===

impl Claims {
    /// Returns the claims of a link in the notice about an alert that was raised.
    #[must_use]
    pub fn of(alert: &v1::Alert, subscription: &str, now: OffsetDateTime, validity: Duration) -> Self {
        Self {
            alert_id: alert.alert_id.clone(),
            raised_at: alert.changed_at,
            region: alert.region.clone(),
            agency_name: alert.agency_name.chars().take(LONGEST_NAME).collect(),
            year: alert.year,
            subscription: subscription.to_owned(),
            expires_at_s: now.unix_timestamp().saturating_add_unsigned(validity.as_secs()),
        }
    }

    /// Returns the acknowledgement that the link makes. `person` may be empty: the subscription stands for the person then.
    #[must_use]
    pub fn acknowledgement(
        &self,
        person: &str,
        comment: &str,
        at: prost_types::Timestamp,
    ) -> v1::Acknowledgement {
        v1::Acknowledgement {
            alert_id: self.alert_id.clone(),
            person: if person.is_empty() { self.subscription.clone() } else { person.to_owned() },
            comment: comment.to_owned(),
            acknowledged_at: Some(at),
            way: v1::AcknowledgementWay::Link.into(),
            subscription: self.subscription.clone(),
            raised_at: self.raised_at,
            region: self.region.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-28 08:00 UTC);

    fn key(text: &str) -> LinkKey {
        LinkKey::new(Secret::new(text.repeat(SHORTEST_KEY))).unwrap()
    }

    fn claims() -> Claims {
        let alert = v1::Alert {
            alert_id: "0f3c5a0e8a5f4c1d9be2a7c6d5e4f301".into(),
            agency_name: "樟树市鹿江街道办事处".into(),
            year: 2023,
            region: "360982".into(),
            changed_at: Some(prost_types::Timestamp { seconds: 1_795_000_000, nanos: 123_456_789 }),
            ..v1::Alert::default()
        };
        Claims::of(&alert, "county-office", NOW, LinkSettings::default().validity())
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let token = key("k").token(&claims());
        assert!(token.len() < 240 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert_eq!(key("k").claims(&token, NOW), Ok(claims()));
        let week = time::Duration::days(7);
        assert_eq!(key("k").claims(&token, NOW + week - time::Duration::SECOND), Ok(claims()));
        assert_eq!(key("k").claims(&token, NOW + week), Err(BadToken::Expired));
        let link = key("k").link("https://gongkai.example/", &claims());
        assert_eq!(link, format!("https://gongkai.example/v1/acknowledgements/{token}"));
    }

    #[test]
    fn no_other_token_is_accepted() {
        let token = key("k").token(&claims());
        assert_eq!(key("x").claims(&token, NOW), Err(BadToken::Forged));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(key("k").claims(&forged, NOW), Err(BadToken::Forged), "byte {at}");
        }
        for bad in ["", "A", &token[..token.len() - 4], &format!("{token}AAAA"), &"A".repeat(2000)] {
            assert_eq!(key("k").claims(bad, NOW), Err(BadToken::Forged), "{bad}");
        }
    }

    #[test]
    fn a_short_key_is_refused() {
        let settings = LinkSettings { key: Some(Secret::new("short")), ..LinkSettings::default() };
        let error = format!("{:#}", settings.signing_key().err().unwrap());
        assert!(error.contains("ingest.acknowledgements.key") && error.contains("openssl"), "{error}");
        assert!(LinkSettings::default().signing_key().unwrap().is_none());
        let never = LinkSettings { link_valid_s: 0, ..LinkSettings::default() };
        assert!(never.signing_key().err().unwrap().to_string().contains("link_valid_s"));
    }
}
