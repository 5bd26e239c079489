//! Requests to an S3 store, and their signatures.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{Client, RequestBuilder, header::CONTENT_LENGTH};
use rusty_s3::{Bucket, Credentials, S3Action as _};
use sha2::{Digest as _, Sha256};

/// Header with the SHA-256 of an object in hex. The store keeps it with the object.
pub(super) const DIGEST: &str = "x-amz-meta-sha256";
/// Header with the SHA-256 in Base64, which the store compares with the content that arrives.
const CHECKSUM: &str = "x-amz-checksum-sha256";
/// How long a signature is valid beyond the time of a request, for clocks that differ.
const LEEWAY: Duration = Duration::from_secs(300);

/// A request about one object, or for one page of the list of objects.
pub(super) enum ObjectRequest<'a> {
    Get(&'a str),
    Head(&'a str),
    Delete(&'a str),
    Put {
        key: &'a str,
        content: Bytes,
        digest: [u8; 32],
    },
    /// Lists the keys that begin with `prefix`, after the page that gave the token.
    List {
        prefix: &'a str,
        token: Option<String>,
    },
}

// === impl ObjectRequest ===

impl<'a> ObjectRequest<'a> {
    pub(super) fn put(key: &'a str, content: Bytes) -> Self {
        let digest = Sha256::digest(&content).into();
        Self::Put { key, content, digest }
    }

    /// Returns true if an object, or a list of objects, travels with the request or its answer.
    pub(super) fn has_content(&self) -> bool {
        matches!(self, Self::Get(_) | Self::Put { .. } | Self::List { .. })
    }

    /// Signs the request. The signature is valid for `limit` and some leeway.
    pub(super) fn build(
        &self,
        client: &Client,
        bucket: &Bucket,
        credentials: &Credentials,
        limit: Duration,
    ) -> RequestBuilder {
        let (by, valid) = (Some(credentials), limit + LEEWAY);
        match self {
            Self::Get(key) => client.get(bucket.get_object(by, key).sign(valid)),
            Self::Head(key) => client.head(bucket.head_object(by, key).sign(valid)),
            Self::Delete(key) => client.delete(bucket.delete_object(by, key).sign(valid)),
            Self::Put { key, content, digest } => {
                let signed = [(CHECKSUM, STANDARD.encode(digest)), (DIGEST, hex(digest))];
                let mut action = bucket.put_object(by, key);
                for (name, value) in &signed {
                    action.headers_mut().insert(*name, value.as_str());
                }
                let put = client.put(action.sign(valid)).header(CONTENT_LENGTH, content.len());
                let put = signed.iter().fold(put, |put, (name, value)| put.header(*name, value));
                put.body(content.clone())
            }
            Self::List { prefix, token } => {
                let mut action = bucket.list_objects_v2(by);
                action.with_prefix(*prefix);
                if let Some(token) = token {
                    action.with_continuation_token(token);
                }
                client.get(action.sign(valid))
            }
        }
    }
}

impl fmt::Display for ObjectRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get(key) => write!(f, "read {key}"),
            Self::Head(key) => write!(f, "look up {key}"),
            Self::Delete(key) => write!(f, "delete {key}"),
            Self::Put { key, .. } => write!(f, "write {key}"),
            Self::List { prefix, .. } => write!(f, "list {prefix}"),
        }
    }
}

/// Returns the bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
