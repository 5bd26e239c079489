//! `[objects]`: the store of originals, parsed texts and registries.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::url::SecretUrl;
use crate::transport::s3;

/// `[objects]`: the store of originals, parsed texts and registries. The keys other than `store` are for S3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectsSettings {
    /// The broker's own object store, or an S3 store.
    pub store: ObjectStore,
    /// URL of the store, such as `https://s3.example:9000`.
    pub endpoint: Option<SecretUrl>,
    /// Name of the bucket, which must exist and keep no versions.
    pub bucket: Option<String>,
    /// Region used in request signatures.
    pub region: String,
    /// True for `endpoint/bucket/key`, false for `bucket.endpoint/key`.
    pub path_style: bool,
    /// Id of the access key.
    pub access_key: Option<String>,
    /// Secret of the access key.
    pub secret_key: Option<Secret>,
    /// File with the secret of the access key.
    pub secret_key_file: Option<PathBuf>,
    /// PEM file of certificates to trust besides the system's.
    pub root_certificates_file: Option<PathBuf>,
    /// Timeout of connecting, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Timeout of a request without content, in milliseconds, retries included.
    pub request_timeout_ms: u64,
    /// Timeout of reading or writing an object, in seconds, retries included.
    pub object_timeout_s: u64,
}

/// Where objects are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectStore {
    /// In the broker, beside the streams.
    #[default]
    Nats,
    /// In an S3 store.
    S3,
}

// === impl ObjectsSettings ===

impl Default for ObjectsSettings {
    fn default() -> Self {
        Self {
            store: ObjectStore::Nats,
            endpoint: None,
            bucket: None,
            region: "us-east-1".to_owned(),
            path_style: true,
            access_key: None,
            secret_key: None,
            secret_key_file: None,
            root_certificates_file: None,
            connect_timeout_ms: 2000,
            request_timeout_ms: 5000,
            object_timeout_s: 30,
        }
    }
}

impl ObjectsSettings {
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        self.s3().map(drop)
    }

    /// Returns a client of the S3 store, or `None` if objects are stored in the broker.
    ///
    /// # Errors
    /// A setting is missing or invalid, or a file cannot be read. The error names the key.
    pub fn s3(&self) -> anyhow::Result<Option<s3::S3>> {
        if self.store == ObjectStore::Nats {
            let is_bare = self.endpoint.is_none() && self.bucket.is_none();
            ensure!(is_bare, "objects.endpoint and objects.bucket are for objects.store = \"s3\"");
            return Ok(None);
        }
        let endpoint = self.endpoint.as_ref().context("objects.endpoint must name the S3 store")?;
        let secret = (self.secret_key.as_ref(), self.secret_key_file.as_ref());
        let secret = Secret::resolve(secret.0, secret.1, "objects.secret_key")?;
        let timeouts = [self.connect_timeout_ms, self.request_timeout_ms, self.object_timeout_s];
        ensure!(timeouts.iter().all(|timeout| *timeout > 0), "the timeouts of objects must be above 0");
        let given = |key: &str, value: &Option<String>| {
            let value = value.clone().filter(|value| !value.is_empty());
            value.with_context(|| format!("objects.{key} must be set for objects.store = \"s3\""))
        };
        s3::S3::new(s3::S3Settings {
            endpoint: endpoint.expose().to_owned(),
            bucket: given("bucket", &self.bucket)?,
            region: self.region.clone(),
            path_style: self.path_style,
            access_key: given("access_key", &self.access_key)?,
            secret_key: secret
                .context("objects.secret_key or secret_key_file must be set")?
                .expose()
                .to_owned(),
            root_certificates: self.root_certificates_file.clone(),
            connect_timeout: Duration::from_millis(self.connect_timeout_ms),
            request_timeout: Duration::from_millis(self.request_timeout_ms),
            object_timeout: Duration::from_secs(self.object_timeout_s),
        })
        .map(Some)
    }
}
