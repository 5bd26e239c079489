//! Standard Webhooks 1.0: `v1,<base64 of HMAC-SHA256>` over `id.timestamp.` and the covered part of the request
//! ([`Covered`]).
//!
//! An event is complete in its body. Where the query names the agency of a report, the signature also covers method
//! and request target. The body is signed as bytes, because a page in GB18030 is not UTF-8. The current time is an
//! argument. A site may have several secrets during rotation, and a request several signatures; one match is enough.

use std::{fmt, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac_sha256::HMAC;
use http::{HeaderMap, Method, Uri};
use time::OffsetDateTime;

use crate::error::{Code, Problem};

/// A signing secret. Its `Debug` output does not reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

/// Error: the text is not a secret of 24 to 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is whsec_ and the base64 of 24 to 64 bytes")]
pub struct InvalidSecret;

/// The part of a request that the signature covers after `id.timestamp.`.
#[derive(Debug, Clone, Copy)]
pub enum Covered<'a> {
    /// The body: `/v1/events`. A request without a body covers an empty one: `GET /v1/submissions/{id}`.
    Body(&'a [u8]),
    /// `METHOD path?query`, a line feed, the body: `/v1/reports` and `/v1/check`. Path and query are those of the
    /// request line, byte for byte, before anything is decoded.
    Request(&'a Method, &'a Uri, &'a [u8]),
}

/// The unverified signature of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// `webhook-id`: the same on every retry.
    pub id: String,
    timestamp: i64,
    sums: Vec<[u8; 32]>,
}

// === impl SigningKey ===

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl std::str::FromStr for SigningKey {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        let bytes =
            BASE64_STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).map_err(|_| InvalidSecret)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }
}

impl SigningKey {
    /// Returns the value of `webhook-signature` for a request with this `webhook-id` and `webhook-timestamp`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, covered: Covered<'_>) -> String {
        format!("v1,{}", BASE64_STANDARD.encode(self.mac(id, timestamp, covered).finalize()))
    }

    fn mac(&self, id: &str, timestamp: i64, covered: Covered<'_>) -> HMAC {
        let mut mac = HMAC::new(&self.0);
        mac.update(format!("{id}.{timestamp}."));
        let body = match covered {
            Covered::Body(body) => body,
            Covered::Request(method, target, body) => {
                let target = target.path_and_query().map_or("/", |target| target.as_str());
                mac.update(format!("{method} {target}\n"));
                body
            }
        };
        mac.update(body);
        mac
    }
}

// === impl Signature ===

impl Signature {
    /// Reads the signature of a request, if it has one.
    ///
    /// # Errors
    /// `BAD_SIGNATURE`: one of the three headers is missing or malformed.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        if names.iter().all(|name| !headers.contains_key(*name)) {
            return Ok(None);
        }
        // A webhook-id alone is an idempotency key.
        if !headers.contains_key("webhook-signature") {
            return Ok(None);
        }
        let text = |name: &str| {
            let value =
                headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
            value.ok_or_else(|| {
                Problem::new(
                    Code::BadSignature,
                    format!("请求头 {name} 缺失或不是文本"),
                    format!("header {name} is missing or no text"),
                )
            })
        };
        let timestamp = text("webhook-timestamp")?.parse().map_err(|_| {
            Problem::new(
                Code::BadSignature,
                "webhook-timestamp 须是 1970 年以来的秒数",
                "webhook-timestamp must be seconds since 1970",
            )
        })?;
        let sums = text("webhook-signature")?.split(' ').filter_map(sum).collect();
        Ok(Some(Self { id: text("webhook-id")?.to_owned(), timestamp, sums }))
    }

    /// Checks the time of the signature.
    ///
    /// # Errors
    /// `STALE_SIGNATURE`: the sender's clock is wrong, or the request is a replay.
    pub fn check_time(&self, now: OffsetDateTime, tolerance: Duration) -> Result<(), Problem> {
        let apart = now.unix_timestamp().abs_diff(self.timestamp);
        if apart > tolerance.as_secs() {
            return Err(Problem::new(
                Code::StaleSignature,
                format!(
                    "webhook-timestamp 与服务器时间相差 {apart} 秒，最多允许 {} 秒；请校准时钟",
                    tolerance.as_secs()
                ),
                format!(
                    "webhook-timestamp is {apart} s from the server's time, at most {} s are allowed",
                    tolerance.as_secs()
                ),
            ));
        }
        Ok(())
    }

    /// Returns true if one of the signatures was made with one of the secrets. Compares in constant time.
    #[must_use]
    pub fn fits(&self, secrets: &[SigningKey], covered: Covered<'_>) -> bool {
        let mac = |secret: &SigningKey| secret.mac(&self.id, self.timestamp, covered);
        secrets.iter().any(|secret| self.sums.iter().any(|sum| mac(secret).finalize_verify(sum)))
    }
}

fn sum(signature: &str) -> Option<[u8; 32]> {
    let base64 = signature.strip_prefix("v1,")?;
    BASE64_STANDARD.decode(base64).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn headers(signature: &str, timestamp: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn sign(secret: &str, body: &[u8]) -> String {
        standardwebhooks::Webhook::new(secret).unwrap().sign("msg_1", 1_705_284_720, body).unwrap()
    }

    #[test]
    fn signatures_of_the_reference_crate_fit_while_secrets_rotate() {
        let secrets = [NEW.parse().unwrap(), OLD.parse().unwrap()];
        for secret in [OLD, NEW] {
            let value = format!("v1a,xxx {} v1,AAAA", sign(secret, b"{}"));
            let claim = Signature::of(&headers(&value, "1705284720")).unwrap().unwrap();
            assert!(claim.fits(&secrets, Covered::Body(b"{}")));
            assert!(!claim.fits(&secrets, Covered::Body(b"{ }")));
            assert!(!claim.fits(&[], Covered::Body(b"{}")));
        }
        let key: SigningKey = NEW.parse().unwrap();
        assert_eq!(key.sign("msg_1", 1_705_284_720, Covered::Body(b"{}")), sign(NEW, b"{}"));
    }

    #[test]
    fn where_the_query_decides_it_is_signed_as_it_was_sent() {
        let target = |text: &'static str| Uri::from_static(text);
        let sent = target("/v1/reports?agency_name=%E4%BA%91&year=2023&x=a+b");
        let line = b"POST /v1/reports?agency_name=%E4%BA%91&year=2023&x=a+b\n\xc4\xea";
        let key: [SigningKey; 1] = [NEW.parse().unwrap()];
        // The reference crate signs text only.
        let value = key[0].sign("msg_1", 1_705_284_720, Covered::Body(line));
        let claim = Signature::of(&headers(&value, "1705284720")).unwrap().unwrap();
        let fits = |method, target: &Uri, body| claim.fits(&key, Covered::Request(method, target, body));
        assert!(fits(&Method::POST, &sent, b"\xc4\xea"));
        assert!(fits(
            &Method::POST,
            &target("http://here/v1/reports?agency_name=%E4%BA%91&year=2023&x=a+b"),
            b"\xc4\xea"
        ));
        for other in [
            "/v1/reports?agency_name=%E4%BA%91&year=2022&x=a+b",
            "/v1/reports?agency_name=%e4%ba%91&year=2023&x=a+b",
            "/v1/reports?agency_name=%E4%BA%91&year=2023&x=a%20b",
            "/v1/reports?year=2023&agency_name=%E4%BA%91&x=a+b",
            "/v1/check?agency_name=%E4%BA%91&year=2023&x=a+b",
            "/v1/reports",
        ] {
            assert!(!fits(&Method::POST, &target(other), b"\xc4\xea"), "{other}");
        }
        assert!(!fits(&Method::PUT, &sent, b"\xc4\xea") && !fits(&Method::POST, &sent, b"\xc4\xeb"));
    }

    #[test]
    fn bodies_that_are_no_utf_8_can_be_signed() {
        let secret: SigningKey = NEW.parse().unwrap();
        let value = secret.sign("msg_1", 1, Covered::Body(b"\xc4\xea"));
        let claim = Signature::of(&headers(&value, "1")).unwrap().unwrap();
        assert!(claim.fits(std::slice::from_ref(&secret), Covered::Body(b"\xc4\xea")));
        assert!(!claim.fits(&[secret], Covered::Body(b"\xc4\xeb")));
    }

    #[test]
    fn claims_out_of_time_are_stale_and_broken_ones_are_bad() {
        let claim = Signature::of(&headers("v1,x", "1705284720")).unwrap().unwrap();
        let at = |s: i64| OffsetDateTime::from_unix_timestamp(1_705_284_720 + s).unwrap();
        let tolerance = Duration::from_secs(300);
        assert!(
            claim.check_time(at(300), tolerance).is_ok() && claim.check_time(at(-300), tolerance).is_ok()
        );
        for s in [301, -301] {
            assert_eq!(claim.check_time(at(s), tolerance).unwrap_err().code, Code::StaleSignature);
        }
        assert_eq!(Signature::of(&headers("v1,x", "noon")).unwrap_err().code, Code::BadSignature);
        let mut no_id = headers("v1,x", "1");
        no_id.remove("webhook-id");
        assert_eq!(Signature::of(&no_id).unwrap_err().code, Code::BadSignature);
        assert_eq!(Signature::of(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn secrets_are_checked_and_never_shown() {
        assert!("whsec_c2hvcnQ=".parse::<SigningKey>().is_err());
        assert!("whsec_*".parse::<SigningKey>().is_err());
        assert_eq!(format!("{:?}", NEW.parse::<SigningKey>().unwrap()), "SigningKey(…)");
    }
}
