//! Fetches content that an event gives by URL. Only allowed hosts are contacted, and size and time are bounded.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Url, redirect};

use crate::{
    config::Config,
    error::{Code, Problem, quote},
    publication,
    submission::File,
};

/// Maximum number of redirects. Each of them must lead to an allowed host.
const REDIRECT_LIMIT: usize = 5;

/// Fetches content over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    hosts: Arc<[String]>,
    limit: usize,
}

// === impl Fetcher ===

impl Fetcher {
    /// Creates a fetcher for the hosts that the config allows.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        // Fails only if the same provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let hosts: Arc<[String]> =
            config.fetch_allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        let listed = hosts.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            let is_allowed = attempt.previous().len() <= REDIRECT_LIMIT && is_listed(&listed, attempt.url());
            if is_allowed { attempt.follow() } else { attempt.error("redirected off the list") }
        });
        let client = Client::builder()
            .redirect(policy)
            .timeout(Duration::from_secs(config.fetch_timeout_s))
            .no_proxy()
            .build()?;
        Ok(Self { client, hosts, limit: config.max_body_bytes })
    }

    /// Fetches `url`. The sender's declared media type and charset take precedence over those of the response.
    ///
    /// # Errors
    /// `FETCH_NOT_ALLOWED`, `TOO_LARGE`, `INVALID_FIELD`: a retry does not help. `FETCH_FAILED`: try again later.
    pub async fn fetch(&self, url: &str, declared: File) -> Result<File, Problem> {
        let parsed = Url::parse(url)
            .map_err(|_| Problem::invalid("data.content.url", url, "must be an absolute URL"))?;
        if !is_listed(&self.hosts, &parsed) {
            return Err(Problem::new(
                Code::FetchNotAllowed,
                format!(
                    "\"{}\" is not in ingest.fetch_allowed_hosts; send the content as base64 or text",
                    quote(url)
                ),
            ));
        }
        let response = self.client.get(parsed).send().await.map_err(|error| failed(&error))?;
        let response = response.error_for_status().map_err(|error| failed(&error))?;
        let content_type = response.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let fetched = publication::file(self.body(response).await?, &content_type);
        Ok(File {
            bytes: fetched.bytes,
            media_type: first(declared.media_type, fetched.media_type),
            charset: first(declared.charset, fetched.charset),
            filename: declared.filename,
        })
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, Problem> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > self.limit {
                return Err(Problem::new(
                    Code::TooLarge,
                    format!("the fetched content is over {} bytes", self.limit),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// Returns true if the URL's host is allowed. The port counts where it is not the scheme's default.
fn is_listed(hosts: &[String], url: &Url) -> bool {
    let is_web = matches!(url.scheme(), "http" | "https");
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    is_web && hosts.contains(&authority)
}

fn failed(error: &reqwest::Error) -> Problem {
    tracing::warn!(error = error as &dyn std::error::Error, "content was not fetched");
    let cause = match error.status() {
        Some(status) => format!("the host answered {}", status.as_u16()),
        None if error.is_timeout() => "the host did not answer in time".to_owned(),
        None if error.is_redirect() => "the host redirected to where we may not follow".to_owned(),
        None => "the host was not reached".to_owned(),
    };
    Problem::new(Code::FetchFailed, cause)
}

fn first(declared: String, fetched: String) -> String {
    if declared.is_empty() { fetched } else { declared }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_and_ports_are_asked() {
        let hosts = ["www.example.gov.cn".to_owned(), "cms.local:8443".to_owned()];
        let listed = |url: &str| is_listed(&hosts, &Url::parse(url).unwrap());
        assert!(listed("https://WWW.example.gov.cn/a") && listed("http://www.example.gov.cn/a"));
        assert!(listed("https://cms.local:8443/a"));
        for url in [
            "https://www.example.gov.cn:8443/a",
            "https://cms.local/a",
            "https://evil.example/www.example.gov.cn",
            "https://www.example.gov.cn@evil.example/",
            "ftp://www.example.gov.cn/a",
            "file:///etc/passwd",
        ] {
            assert!(!listed(url), "{url}");
        }
    }
}
