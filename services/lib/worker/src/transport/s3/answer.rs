//! Answers of an S3 store: found, missing, unavailable, full, or refused with a code.

use bytes::Bytes;
use reqwest::{Response, StatusCode, header::HeaderMap};

use crate::transport::{Error, ErrorKind};

/// An answer, with all its content.
pub(super) struct ObjectAnswer {
    status: StatusCode,
    headers: HeaderMap,
    pub(super) content: Bytes,
}

// === impl ObjectAnswer ===

impl ObjectAnswer {
    /// Reads the whole answer.
    ///
    /// # Errors
    /// The connection broke during the answer.
    pub(super) async fn read(response: Response) -> Result<Self, reqwest::Error> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, content: response.bytes().await? })
    }

    /// Returns false if there is no such object.
    pub(super) fn is_found(&self) -> bool {
        self.status.is_success()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the answer, or an error if the store did not carry out `request`. A missing object is not an error.
    ///
    /// # Errors
    /// `ObjectsUnavailable` and `Full`: wait and try again. `Denied` and `NotFound` (the bucket): an operator has to
    /// correct it.
    pub(super) fn judge(self, request: &str) -> Result<Self, Error> {
        let code = self.code();
        match kind(self.status, code) {
            None => Ok(self),
            Some(kind) => {
                let code = if code.is_empty() { "no code" } else { code };
                let status = self.status.as_u16();
                Err(Error::new(
                    kind,
                    format!("{request}: object store answers {status} {code}{}", advice(code)),
                ))
            }
        }
    }

    /// Returns the code of an error: `<Error><Code>SlowDown</Code>…`.
    fn code(&self) -> &str {
        if self.status.is_success() {
            return "";
        }
        let text = std::str::from_utf8(&self.content).unwrap_or_default();
        let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code.map_or("", |(code, _)| code);
        if code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()) { code } else { "" }
    }
}

/// Returns the kind of an error; `None` for an answer that is not an error.
fn kind(status: StatusCode, code: &str) -> Option<ErrorKind> {
    match (status.as_u16(), code) {
        (200..=299, _) => None,
        (404, "NoSuchBucket") => Some(ErrorKind::NotFound),
        (404, _) => None,
        (507, _) | (_, "XMinioStorageFull" | "QuotaExceeded" | "InsufficientStorage") => {
            Some(ErrorKind::Full)
        }
        (413, _) | (_, "EntityTooLarge") => Some(ErrorKind::TooLarge),
        (408 | 429 | 500..=599, _) | (_, "RequestTimeout" | "SlowDown") => {
            Some(ErrorKind::ObjectsUnavailable)
        }
        (300..=399 | 401 | 403, _) => Some(ErrorKind::Denied),
        (_, "AuthorizationHeaderMalformed" | "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
            Some(ErrorKind::Denied)
        }
        _ => Some(ErrorKind::Other),
    }
}

/// Returns what an operator should do about a code.
fn advice(code: &str) -> &'static str {
    match code {
        "RequestTimeTooSkewed" => ": set the clocks",
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" => ": check objects.access_key and objects.secret_key",
        "AccessDenied" => {
            ": the key needs to read, write and delete objects of the bucket, and to list them for gongkai doctor --orphans"
        }
        "NoSuchBucket" => ": create the bucket, or correct objects.bucket",
        "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" => {
            ": check objects.endpoint and objects.region"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_the_caller_does_next() {
        use ErrorKind as K;
        for (status, code, expected) in [
            (200, "", None),
            (204, "", None),
            (404, "NoSuchKey", None),
            (404, "", None),
            (404, "NoSuchBucket", Some(K::NotFound)),
            (403, "SignatureDoesNotMatch", Some(K::Denied)),
            (403, "", Some(K::Denied)),
            (403, "QuotaExceeded", Some(K::Full)),
            (301, "PermanentRedirect", Some(K::Denied)),
            (400, "InvalidAccessKeyId", Some(K::Denied)),
            (400, "RequestTimeout", Some(K::ObjectsUnavailable)),
            (400, "BadDigest", Some(K::Other)),
            (413, "EntityTooLarge", Some(K::TooLarge)),
            (429, "", Some(K::ObjectsUnavailable)),
            (500, "InternalError", Some(K::ObjectsUnavailable)),
            (503, "SlowDown", Some(K::ObjectsUnavailable)),
            (507, "XMinioStorageFull", Some(K::Full)),
        ] {
            assert_eq!(kind(StatusCode::from_u16(status).unwrap(), code), expected, "{status} {code}");
        }
    }

    #[test]
    fn the_code_comes_from_the_answer_and_only_a_code() {
        let code = |content: &'static str| {
            let content = Bytes::from_static(content.as_bytes());
            let answer = ObjectAnswer { status: StatusCode::FORBIDDEN, headers: HeaderMap::new(), content };
            let error = answer.judge("read a").map(drop).unwrap_err();
            error.message
        };
        let full =
            "<?xml version=\"1.0\"?><Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>";
        assert_eq!(code(full), "read a: object store answers 403 RequestTimeTooSkewed: set the clocks");
        assert_eq!(code("<Code>\u{1b}[31m</Code>"), "read a: object store answers 403 no code");
        assert_eq!(code("<html>"), "read a: object store answers 403 no code");
    }
}
