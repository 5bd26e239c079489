//! Signs calls to ingest like a site: by Standard Webhooks, over the part of the request that ingest verifies.

use anyhow::Context as _;
use gongkai_ingest::signature::{Covered, SigningKey};
use gongkai_worker::Clock;
use reqwest::{Method, Request, header::HeaderValue};

/// Signs with the secret of one site.
pub(super) struct Signer {
    key: SigningKey,
    clock: Clock,
}

impl Signer {
    pub(super) fn new(key: SigningKey) -> Self {
        Self { key, clock: Clock::system() }
    }

    /// Adds the three headers. Each call has an id of its own, so that repeated content is submitted again.
    pub(super) fn sign(&self, request: &mut Request) -> anyhow::Result<()> {
        let now = self.clock.now();
        let id = format!("cli-{:x}-{:x}", now.unix_timestamp_nanos(), std::process::id());
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let target = request.url().as_str().parse().context("the address is no URI")?;
        let covered = match request.method() {
            &Method::GET => Covered::Body(body),
            method => Covered::Request(method, &target, body),
        };
        let signature = self.key.sign(&id, now.unix_timestamp(), covered);
        let timestamp = now.unix_timestamp().to_string();
        let headers = request.headers_mut();
        for (name, value) in
            [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
        {
            headers.insert(
                name,
                HeaderValue::try_from(value).expect("hex, digits and base64 are visible ASCII"),
            );
        }
        Ok(())
    }
}
