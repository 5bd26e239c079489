//! Signatures of Standard Webhooks: `v1,` and the HMAC-SHA256 of the id, the timestamp and the body.

use standardwebhooks::Webhook;

/// Key lengths that the specification allows, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The signing secrets of one receiver: one, or several during rotation.
pub struct Secrets(Vec<Webhook>);

/// Error: a secret cannot be used. It does not contain the secret.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("is empty")]
    Empty,
    /// The secret is not `whsec_` and base64.
    #[error("must be whsec_ and base64")]
    Malformed,
    /// The key is too short, or longer than the specification allows.
    #[error("must be the base64 of 24 to 64 bytes, not of {0}")]
    Length(usize),
}

// === impl Secrets ===

impl Secrets {
    /// Parses secrets separated by white space.
    ///
    /// # Errors
    /// There is no secret, or one of them cannot be used.
    pub fn new(text: &str) -> Result<Self, Unusable> {
        let secrets: Vec<Webhook> = text.split_whitespace().map(key).collect::<Result<_, _>>()?;
        if secrets.is_empty() { Err(Unusable::Empty) } else { Ok(Self(secrets)) }
    }

    /// Returns the `webhook-signature` header, with one signature per secret.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let sign = |key: &Webhook| {
            key.sign(id, timestamp, body.as_bytes())
                .expect("signing fails only on a body that is not UTF-8, and this one is a str")
        };
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

fn key(text: &str) -> Result<Webhook, Unusable> {
    use base64::Engine as _;
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| Unusable::Malformed)?;
    if !KEY_BYTES.contains(&bytes.len()) {
        return Err(Unusable::Length(bytes.len()));
    }
    Webhook::from_bytes(bytes).map_err(|_| Unusable::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
    const TWO: &str = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4";

    #[test]
    fn every_secret_signs_while_they_are_rotated() {
        let one = Secrets::new(ONE).unwrap().sign("m", 1, "{}");
        let two = Secrets::new(TWO).unwrap().sign("m", 1, "{}");
        assert_eq!(
            Secrets::new(&format!("{ONE}\n{TWO}\n")).unwrap().sign("m", 1, "{}"),
            format!("{one} {two}")
        );
        assert!(one.starts_with("v1,") && one != two);
    }

    #[test]
    fn weak_and_broken_secrets_are_refused_and_never_printed() {
        for bad in ["", "  ", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", "hunter2"] {
            let error = Secrets::new(bad).unwrap_err().to_string();
            assert!(bad.trim().is_empty() || !error.contains(bad), "{error}");
        }
        assert_eq!(format!("{:?}", Secrets::new(ONE).unwrap()), "1 secrets");
    }
}
