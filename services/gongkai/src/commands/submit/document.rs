//! A document to submit, from a file, standard input or the web.

use std::{fs::File, io::Read, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, Url, header::CONTENT_TYPE};

/// The size that ingest accepts by default.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// A document's bytes and their origin.
pub(super) struct SubmittedDocument {
    pub(super) bytes: Vec<u8>,
    pub(super) media_type: Option<String>,
    pub(super) filename: Option<String>,
    pub(super) url: Option<String>,
}

impl SubmittedDocument {
    /// Reads a file, standard input (`-`) or a URL.
    pub(super) async fn read(name: &str) -> anyhow::Result<Self> {
        if name == "-" {
            let bytes = tokio::task::spawn_blocking(|| bounded(std::io::stdin().lock())).await??;
            return Ok(Self { bytes, media_type: None, filename: None, url: None });
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            return Self::fetch(name).await;
        }
        let bytes = bounded(File::open(name).context("couldn't open the file")?)?;
        let filename = Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { bytes, media_type: None, filename, url: None })
    }

    /// Fetches a page.
    async fn fetch(address: &str) -> anyhow::Result<Self> {
        let url = Url::parse(address).context("is no address")?;
        let client = client(&url).timeout(FETCH_TIMEOUT).build()?;
        let response =
            client.get(url.clone()).send().await.context("couldn't fetch it")?.error_for_status()?;
        let media_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut response = response;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.context("couldn't fetch all of it")? {
            bytes.extend_from_slice(&chunk);
            check_length(bytes.len())?;
        }
        let filename = url.path_segments().and_then(|mut s| s.next_back()).filter(|s| !s.is_empty());
        Ok(Self { bytes, media_type, filename: filename.map(str::to_owned), url: Some(address.to_owned()) })
    }
}

/// Returns an HTTP client builder. For plain HTTP it loads no certificate authorities, which a minimal machine may
/// lack.
pub(super) fn client(server: &Url) -> reqwest::ClientBuilder {
    // Only the first call in a process has an effect.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = Client::builder().user_agent(concat!("gongkai/", env!("CARGO_PKG_VERSION")));
    if server.scheme() == "http" { builder.tls_certs_only([]).no_proxy() } else { builder }
}

fn bounded(source: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).context("couldn't read it")?;
    check_length(bytes.len())?;
    Ok(bytes)
}

fn check_length(bytes: usize) -> anyhow::Result<()> {
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_BYTES) {
        return Ok(());
    }
    bail!("is over {} MiB", MAX_BYTES / 1024 / 1024)
}
