//! Fetches content that an event gives by URL. Only allowed hosts are contacted, and size and time are bounded.
//!
//! A listed name may resolve to a public address or to an address in a private network, where many CMSs are, but not
//! to this machine or link, unless it is `localhost`. An IP address in a URL must itself be listed, in any notation.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use gongkai_egress::{self as egress, Guard, Reach};
use reqwest::{Client, Url, redirect};

use crate::{
    config::Config,
    error::{Code, Problem, quote},
    publication::{self, RemoteFiles},
    submission::{File, FileLimits, Submission},
};

/// Maximum number of redirects. Each of them must lead to an allowed host.
const REDIRECT_LIMIT: usize = 5;

/// Maximum number of bytes of a refusal that are examined.
const REFUSAL_LIMIT: usize = 64 * 1024;

/// Fetches content over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    client: Client,
    hosts: Arc<[String]>,
    limit: usize,
    files: FileLimits,
}

// === impl Fetcher ===

impl Fetcher {
    /// Creates a fetcher for the hosts that the config allows.
    ///
    /// # Errors
    /// TLS could not be set up, such as on a machine without CA certificates if a host is allowed.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        // Fails only if the same provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let hosts: Arc<[String]> = config.fetch_allowed_hosts.iter().map(|host| usual(host)).collect();
        let listed = hosts.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            let is_allowed = attempt.previous().len() <= REDIRECT_LIMIT && is_listed(&listed, attempt.url());
            if is_allowed { attempt.follow() } else { attempt.error("redirected off the list") }
        });
        let mut builder = Client::builder()
            .redirect(policy)
            .dns_resolver(Guard::new(Reach::Private, vec!["localhost".to_owned()]))
            .timeout(Duration::from_secs(config.fetch_timeout_s))
            .no_proxy();
        if hosts.is_empty() {
            // Nothing is fetched, so do not require CA certificates.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self {
            client: builder.build()?,
            hosts,
            limit: config.max_body_bytes,
            files: config.file_limits(),
        })
    }

    /// Fetches the files of a submission that its event gives by URL, one after another.
    ///
    /// # Errors
    /// As for [`Self::fetch`]. `TOO_LARGE` also if there are too many attachments, or too many bytes in all.
    pub async fn complete(&self, submission: &mut Submission, remote: &RemoteFiles) -> Result<(), Problem> {
        self.files.check_number(submission)?;
        if let Some(url) = &remote.content {
            let declared = std::mem::take(&mut submission.content);
            submission.content = self.fetch("data.content.url", url, declared).await?;
        }
        for (at, url) in remote.attachments.iter().enumerate() {
            let (Some(url), Some(file)) = (url, submission.attachments.get_mut(at)) else { continue };
            let declared = std::mem::take(file);
            let name = first(declared.filename.clone(), last_segment(url));
            let fetched = self.fetch(&format!("data.attachments[{at}].url"), url, declared).await?;
            *file = File { filename: name, ..fetched };
            self.files.check_size(submission)?;
        }
        Ok(())
    }

    /// Fetches `url`. The sender's declared media type and charset take precedence over those of the response.
    ///
    /// # Errors
    /// `FETCH_NOT_ALLOWED`, `CHALLENGE_PAGE`, `TOO_LARGE`, `INVALID_FIELD`: a retry does not help. `FETCH_FAILED`: try
    /// again later.
    async fn fetch(&self, field: &str, url: &str, declared: File) -> Result<File, Problem> {
        let parsed = Url::parse(url)
            .map_err(|_| Problem::invalid(field, url, "须是完整的网址", "must be an absolute URL"))?;
        if !is_listed(&self.hosts, &parsed) {
            return Err(Problem::new(
                Code::FetchNotAllowed,
                format!(
                    "“{}”不在 ingest.fetch_allowed_hosts 之列；请以 base64 或 text 直接发送内容",
                    quote(url)
                ),
                format!(
                    "\"{}\" is not in ingest.fetch_allowed_hosts; send the content as base64 or text",
                    quote(url)
                ),
            ));
        }
        let response = self.client.get(parsed).send().await.map_err(|error| failed(&error))?;
        let response = self.success(response).await?;
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

    /// Returns a successful response. A refusal may be a robot check (瑞数, acw_tc, 知道创宇, Cloudflare), which no
    /// retry passes; one with a status of success is rejected by parse.
    async fn success(&self, mut response: reqwest::Response) -> Result<reqwest::Response, Problem> {
        let Err(error) = response.error_for_status_ref() else { return Ok(response) };
        let mut page = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            page.extend_from_slice(&chunk);
            if page.len() > REFUSAL_LIMIT {
                break;
            }
        }
        if !gongkai_reading::has_robot_check(&String::from_utf8_lossy(&page)) {
            return Err(failed(&error));
        }
        Err(Problem::new(
            Code::ChallengePage,
            "对方网站以人机验证页面应答；请将本服务加入其白名单，或以 base64 或 text 直接发送内容",
            "the host answered with a robot check; have it let this server through, or send the content as base64 or text",
        ))
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Bytes, Problem> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > self.limit {
                return Err(Problem::new(
                    Code::TooLarge,
                    format!("抓取到的内容超过 {} 字节", self.limit),
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
    matches!(url.scheme(), "http" | "https") && hosts.contains(&authority(url))
}

/// Normalises a host of the list as [`authority`] does. Text that is not a host matches no URL.
fn usual(host: &str) -> String {
    Url::parse(&format!("http://{host}")).map_or_else(|_| host.to_owned(), |url| authority(&url))
}

/// Returns the host and port of a URL. An IP address is normalised, to IPv4 if it is one.
fn authority(url: &Url) -> String {
    let host = egress::address(url).map_or_else(|| egress::host(url), |address| address.to_string());
    url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

fn failed(error: &reqwest::Error) -> Problem {
    tracing::warn!(error = error as &dyn std::error::Error, "content was not fetched");
    let (chinese, english) = match error.status() {
        Some(status) => {
            (format!("对方主机应答 {}", status.as_u16()), format!("the host answered {}", status.as_u16()))
        }
        None if error.is_timeout() => {
            ("对方主机没有及时应答".to_owned(), "the host did not answer in time".to_owned())
        }
        None if error.is_redirect() => (
            "对方主机跳转到不允许抓取的地址".to_owned(),
            "the host redirected to where we may not follow".to_owned(),
        ),
        None => ("连不上对方主机".to_owned(), "the host was not reached".to_owned()),
    };
    Problem::new(Code::FetchFailed, chinese, english)
}

/// Returns the name of the file at a URL; empty if it has none.
fn last_segment(url: &str) -> String {
    let url = Url::parse(url).ok();
    let segments = url.as_ref().and_then(Url::path_segments);
    segments.and_then(|mut segments| segments.next_back()).unwrap_or_default().to_owned()
}

fn first(declared: String, fetched: String) -> String {
    if declared.is_empty() { fetched } else { declared }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn an_address_is_listed_however_it_is_written() {
        let hosts = ["127.0.0.1:8080", "0x7f.2", "[::1]:80"].map(usual);
        assert_eq!(hosts, ["127.0.0.1:8080", "127.0.0.2", "::1"]);
        let listed = |url: &str| is_listed(&hosts, &Url::parse(url).unwrap());
        for url in [
            "http://0x7f.1:8080/",
            "http://2130706433:8080/",
            "http://[::ffff:127.0.0.1]:8080/",
            "http://127.2/",
        ] {
            assert!(listed(url), "{url}");
        }
        for url in ["http://0x7f.1/", "http://127.0.0.3/", "http://[::2]/"] {
            assert!(!listed(url), "{url}");
        }
    }

    /// Starts a server that sends `answer` on every connection, and returns its port.
    async fn answering(answer: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if stream.read(&mut [0; 1024]).await.unwrap_or(0) == 0 {
                    continue;
                }
                stream.write_all(answer.as_bytes()).await.ok();
            }
        });
        port
    }

    #[tokio::test]
    async fn a_redirect_leads_to_no_other_spelling_of_this_machine() {
        let redirect = "HTTP/1.1 302 Found\r\nlocation: http://2130706433:1/\r\ncontent-length: 0\r\n\r\n";
        let port = answering(redirect.to_owned()).await;
        let host = format!("localhost:{port}");
        let fetcher = |hosts: Vec<String>| {
            Fetcher::new(&Config { fetch_allowed_hosts: hosts, ..Config::default() }).unwrap()
        };
        let fetch = async |fetcher: &Fetcher, url: String| {
            fetcher
                .fetch("data.content.url", &url, publication::file(Bytes::new(), ""))
                .await
                .err()
                .map(|problem| problem.detail_en)
        };
        let refused = fetch(&fetcher(vec![host.clone()]), format!("http://{host}/")).await.unwrap();
        assert!(refused.contains("redirected"), "{refused}");
    }

    #[tokio::test]
    async fn a_robot_check_is_told_from_other_refusals() {
        for (status, page, code) in [
            (412, "<script>$_ts=window['$_ts'];if(!$_ts)$_ts={};</script>", Code::ChallengePage),
            (
                521,
                "<script>document.cookie='__jsl_clid_s=1';location.href=location.href</script>",
                Code::ChallengePage,
            ),
            (
                403,
                "<title>Just a moment...</title><script>window._cf_chl_opt={};a='/cdn-cgi/challenge-platform'</script>",
                Code::ChallengePage,
            ),
            (403, "<script>var arg1='5';reload('acw_sc__v2='+arg1)</script>", Code::ChallengePage),
            (404, "<h1>Not found</h1>", Code::FetchFailed),
            (503, "<script>alert('busy')</script>", Code::FetchFailed),
        ] {
            let length = page.len();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{page}");
            let host = format!("localhost:{}", answering(answer).await);
            let config = Config { fetch_allowed_hosts: vec![host.clone()], ..Config::default() };
            let fetched = Fetcher::new(&config)
                .unwrap()
                .fetch("data.content.url", &format!("http://{host}/"), File::default())
                .await;
            assert_eq!(fetched.err().map(|problem| problem.code), Some(code), "{status} {page}");
        }
    }

    #[test]
    fn only_listed_hosts_and_ports_are_asked() {
        let hosts = ["www.example.gov.cn".to_owned(), "cms.local:8443".to_owned()];
        let listed = |url: &str| is_listed(&hosts, &Url::parse(url).unwrap());
        assert!(listed("https://WWW.example.gov.cn/a") && listed("http://www.example.gov.cn/a"));
        assert!(listed("https://cms.local:8443/a") && listed("https://www.example.gov.cn./a"));
        for url in [
            "https://www.example.gov.cn:8443/a",
            "https://cms.local/a",
            "https://evil.example/www.example.gov.cn",
            "https://www.example.gov.cn@evil.example/",
            "ftp://www.example.gov.cn/a",
            "file:///etc/passwd",
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://[::1]/",
            "http://www.example.gov.cn.evil.example/",
        ] {
            assert!(!listed(url), "{url}");
        }
    }
}
