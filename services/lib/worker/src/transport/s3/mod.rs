//! Objects in an S3 store: AWS, MinIO, Ceph, or another store with that protocol.
//!
//! `rusty-s3` signs a URL for each request (Signature Version 4), and our HTTP client sends it. Each of our buckets is
//! a prefix in the one bucket of the configuration: `gongkai-originals/<key>`. An object carries its SHA-256. The store
//! verifies it when it stores the object, and this module when it reads the object. Redirects are not followed, so only
//! the configured store is contacted.

mod answer;
mod request;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Certificate, Client, Url, redirect::Policy};
use rusty_s3::{Bucket, Credentials, UrlStyle, actions::ListObjectsV2};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::{sleep, timeout};

use self::{
    answer::ObjectAnswer,
    request::{DIGEST, ObjectRequest, hex},
};
use super::{Error, ErrorKind, Objects, StoredObject};

/// Pauses before a request is sent again that the store could not answer.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// Key of the object with which [`S3::probe`] checks that the store reads and writes.
const PROBE: &str = "gongkai-probe/ready";
/// Key of the object that [`S3::rehearse`] writes, reads and deletes.
const REHEARSAL: &str = "gongkai-probe/doctor";

/// Address, credentials and timeouts of a store.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// URL of the store, `http` or `https`.
    pub endpoint: String,
    /// Name of the bucket, which must exist.
    pub bucket: String,
    /// Region used in request signatures.
    pub region: String,
    /// True for `endpoint/bucket/key`, false for `bucket.endpoint/key`.
    pub path_style: bool,
    /// Id of the access key.
    pub access_key: String,
    /// Secret of the access key.
    pub secret_key: String,
    /// PEM file of certificates to trust besides the system's.
    pub root_certificates: Option<PathBuf>,
    /// Timeout of connecting.
    pub connect_timeout: Duration,
    /// Timeout of a request without content, such as a look-up, retries included.
    pub request_timeout: Duration,
    /// Timeout of reading or writing an object, retries included.
    pub object_timeout: Duration,
}

/// A client of one bucket of an S3 store. Cheap to clone.
#[derive(Clone)]
pub struct S3(Arc<Inner>);

struct Inner {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
    settings: S3Settings,
}

/// A bucket of the topology: a prefix in the store's bucket.
struct Prefix {
    store: S3,
    name: &'static str,
}

// === impl S3 ===

impl S3 {
    /// Creates a client. Connects on first use.
    ///
    /// # Errors
    /// A setting is invalid: the endpoint, the bucket's name, or the file of certificates. The process must not start.
    pub fn new(settings: S3Settings) -> anyhow::Result<Self> {
        use anyhow::Context as _;
        let endpoint: Url = settings.endpoint.parse().context("objects.endpoint must be a URL")?;
        let style = if settings.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let client = client(&settings, endpoint.scheme() == "http")?;
        let bucket = Bucket::new(endpoint, style, settings.bucket.clone(), settings.region.clone())
            .context("objects.endpoint and objects.bucket make no address")?;
        let credentials = Credentials::new(&*settings.access_key, &*settings.secret_key);
        Ok(Self(Arc::new(Inner { client, bucket, credentials, settings })))
    }

    /// Returns a bucket of the topology, which is a prefix in the store's bucket.
    #[must_use]
    pub fn objects(&self, name: &'static str) -> Arc<dyn Objects> {
        Arc::new(Prefix { store: self.clone(), name })
    }

    /// Checks for readiness whether the store answers and accepts the access key. Writes a small object if there is
    /// none yet: without permission to list, a store gives the same answer for a missing object and a refusal.
    ///
    /// # Errors
    /// `ObjectsUnavailable`: try again. Other kinds need an operator.
    pub async fn probe(&self) -> Result<(), Error> {
        match self.send(ObjectRequest::Head(PROBE)).await {
            Ok(answer) if answer.is_found() => Ok(()),
            Err(error) if error.kind == ErrorKind::ObjectsUnavailable => Err(error),
            _ => self.send(ObjectRequest::put(PROBE, Bytes::from_static(b"gongkai"))).await.map(drop),
        }
    }

    /// Writes an object, reads it, deletes it, and checks that it is gone, for `gongkai doctor`.
    ///
    /// # Errors
    /// A step failed. The error is also `Denied` if the bucket keeps deleted objects.
    pub async fn rehearse(&self) -> Result<(), Error> {
        let content = Bytes::from_static(b"gongkai doctor");
        self.send(ObjectRequest::put(REHEARSAL, content.clone())).await?;
        if self.read(REHEARSAL).await? != Some(content) {
            return Err(Error::new(ErrorKind::Other, "object store does not give back what it took"));
        }
        self.delete(REHEARSAL).await?;
        if self.send(ObjectRequest::Head(REHEARSAL)).await?.is_found() {
            return Err(Error::new(ErrorKind::Denied, "object store keeps an object that was deleted"));
        }
        Ok(())
    }

    /// Returns the objects of a bucket of the topology, for `gongkai doctor`. Objects without a size or a storage time
    /// are left out.
    ///
    /// # Errors
    /// `ObjectsUnavailable`: try again. `Denied`: the access key may not list the bucket.
    pub async fn stored(&self, name: &str) -> Result<Vec<StoredObject>, Error> {
        let (prefix, mut objects, mut token) = (format!("{name}/"), Vec::new(), None);
        loop {
            let answer = self.send(ObjectRequest::List { prefix: &prefix, token }).await?;
            let page = String::from_utf8_lossy(&answer.content);
            let page = ListObjectsV2::parse_response(&page).map_err(|error| {
                Error::new(ErrorKind::Other, format!("list {prefix}: not a list of objects")).because(error)
            })?;
            objects.extend(page.contents.into_iter().filter_map(|object| {
                let stored_at = OffsetDateTime::parse(&object.last_modified?, &Rfc3339).ok()?;
                let key = object.key.strip_prefix(&prefix)?.to_owned();
                Some(StoredObject { key, bytes: object.size?, stored_at })
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let answer = self.send(ObjectRequest::Get(key)).await?;
        if !answer.is_found() {
            return Ok(None);
        }
        let expected = answer.header(DIGEST).unwrap_or_else(|| key.rsplit('/').next().unwrap_or_default());
        if expected != hex(&Sha256::digest(&answer.content)) {
            return Err(Error::new(
                ErrorKind::Other,
                format!("object {key} has another SHA-256 than it was stored with"),
            ));
        }
        Ok(Some(answer.content))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let answer = self.send(ObjectRequest::Delete(key)).await?;
        if answer.header("x-amz-delete-marker") == Some("true") {
            let what = "object store keeps versions, so that what is deleted stays: switch versioning of the bucket off and \
                        delete its older versions";
            return Err(Error::new(ErrorKind::Denied, what));
        }
        Ok(())
    }

    /// Sends a request, and sends it again while the store cannot answer, within the request's time.
    async fn send(&self, request: ObjectRequest<'_>) -> Result<ObjectAnswer, Error> {
        let settings = &self.0.settings;
        let limit = if request.has_content() { settings.object_timeout } else { settings.request_timeout };
        let sending = async {
            let mut pauses = PAUSES.into_iter();
            loop {
                match (self.send_once(&request, limit).await, pauses.next()) {
                    (Err(error), Some(pause)) if error.kind == ErrorKind::ObjectsUnavailable => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "asking again");
                        sleep(pause).await;
                    }
                    (result, _) => return result,
                }
            }
        };
        let late =
            |_| Error::new(ErrorKind::ObjectsUnavailable, format!("{request}: no answer in {limit:?}"));
        timeout(limit, sending).await.map_err(late)?
    }

    async fn send_once(&self, request: &ObjectRequest<'_>, limit: Duration) -> Result<ObjectAnswer, Error> {
        let Inner { client, bucket, credentials, .. } = &*self.0;
        let response = request.build(client, bucket, credentials, limit).send().await;
        let failed = |error: reqwest::Error| {
            // The URL contains the signature.
            let what = format!("{request}: object store at {} does not answer", bucket.base_url());
            Error::new(ErrorKind::ObjectsUnavailable, what).because(error.without_url())
        };
        let answer = ObjectAnswer::read(response.map_err(failed)?).await.map_err(failed)?;
        answer.judge(&request.to_string())
    }
}

fn client(settings: &S3Settings, is_plain: bool) -> anyhow::Result<Client> {
    use anyhow::Context as _;
    // Fails only if the same provider is installed already.
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .user_agent(concat!("gongkai/", env!("CARGO_PKG_VERSION")));
    if is_plain {
        // Plain HTTP verifies nothing, so do not require CA certificates.
        builder = builder.tls_certs_only([]);
    } else if let Some(file) = &settings.root_certificates {
        let certificates = std::fs::read(file).map_err(anyhow::Error::new);
        let certificates = certificates.and_then(|pem| Ok(Certificate::from_pem_bundle(&pem)?));
        let named = || format!("couldn't read {} (objects.root_certificates_file)", file.display());
        builder = builder.tls_certs_merge(certificates.with_context(named)?);
    }
    builder.build().context("couldn't make a client for the object store")
}

// === impl Prefix ===

impl Prefix {
    /// Returns the key of an object in the store's bucket.
    ///
    /// # Errors
    /// The key has a segment that a URL cannot contain.
    fn key(&self, key: &str) -> Result<String, Error> {
        if key.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Error::new(ErrorKind::Other, format!("no object can have the key {key:?}")));
        }
        Ok(format!("{}/{key}", self.name))
    }
}

#[async_trait]
impl Objects for Prefix {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        self.store.send(ObjectRequest::put(&self.key(key)?, content)).await.map(drop)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.store.read(&self.key(key)?).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.store.send(ObjectRequest::Head(&self.key(key)?)).await?.is_found())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.store.delete(&self.key(key)?).await
    }
}
