//! A document to submit, from a file, standard input or the web, with the files attached to it.

use std::{fs::File, io::Read, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, Url, header::CONTENT_TYPE};

use super::journal::sha256;
use crate::commands::check::files::DocumentSource;

/// The size that ingest accepts by default.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// A document's bytes and their origin.
#[derive(Default)]
pub(super) struct SubmittedDocument {
    main: NamedBytes,
    /// Empty for a document without attachments.
    attachments: Vec<NamedBytes>,
    media_type: Option<String>,
    pub(super) url: Option<String>,
}

/// The bytes of a file and its name.
#[derive(Default)]
struct NamedBytes {
    bytes: Vec<u8>,
    filename: Option<String>,
}

/// The body of a call to ingest.
pub(super) struct RequestBody {
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

impl SubmittedDocument {
    /// Reads a file, standard input (`-`) or a URL.
    pub(super) async fn read(name: &str) -> anyhow::Result<Self> {
        if name == "-" {
            let bytes = tokio::task::spawn_blocking(|| bounded(std::io::stdin().lock())).await??;
            return Ok(Self { main: NamedBytes { bytes, filename: None }, ..Self::default() });
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            return Self::fetch(name).await;
        }
        let bytes = bounded(File::open(name).context("couldn't open the file")?)?;
        let filename = Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Self { main: NamedBytes { bytes, filename }, ..Self::default() })
    }

    /// Reads a document of a folder with its attachments.
    pub(super) fn of_source(source: DocumentSource) -> anyhow::Result<Self> {
        let limit = usize::try_from(MAX_BYTES)?;
        let (mut files, mut length) = (Vec::new(), 0);
        for file in source.files() {
            let bytes = file.read(limit).with_context(|| format!("couldn't read {}", file.name()))?;
            length += bytes.len();
            check_length(length)?;
            files.push(NamedBytes { bytes, filename: file.filename().map(str::to_owned) });
        }
        let mut files = files.into_iter();
        let main = files.next().unwrap_or_default();
        Ok(Self { main, attachments: files.collect(), ..Self::default() })
    }

    /// Returns the hash that identifies the content: of the document and its attachments.
    pub(super) fn content_hash(&self) -> String {
        let attachments: Vec<String> = self.attachments.iter().map(|file| sha256(&file.bytes)).collect();
        gongkai_model::content_hash(Some(&sha256(&self.main.bytes)), attachments.iter().map(String::as_str))
    }

    /// Returns the name of the document's file.
    pub(super) fn filename(&self) -> Option<&str> {
        self.main.filename.as_deref()
    }

    /// Returns the body for `/v1/reports`: the bytes, or a form with a part for each file.
    pub(super) fn body(&self) -> RequestBody {
        let content_type = self.media_type.as_deref().unwrap_or("application/octet-stream").to_owned();
        if self.attachments.is_empty() {
            return RequestBody { content_type, bytes: self.main.bytes.clone() };
        }
        // No file contains the hash of all files.
        let boundary = format!("gongkai-{}", self.content_hash());
        let mut bytes = Vec::new();
        for (field, file) in std::iter::once(("file", &self.main))
            .chain(self.attachments.iter().map(|file| ("attachment", file)))
        {
            let filename = file.filename.as_deref().unwrap_or_default();
            let filename = filename.replace('"', "%22").replace(['\r', '\n'], "_");
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{filename}\"\r\n\r\n"
            );
            bytes.extend_from_slice(head.as_bytes());
            bytes.extend_from_slice(&file.bytes);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        RequestBody { content_type: format!("multipart/form-data; boundary={boundary}"), bytes }
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
        let main = NamedBytes { bytes, filename: filename.map(str::to_owned) };
        Ok(Self { main, attachments: Vec::new(), media_type, url: Some(address.to_owned()) })
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
