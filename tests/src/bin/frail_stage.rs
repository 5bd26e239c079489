//! A stage for tests: it forwards numbers, and some messages crash it. `frail_stage URL` runs until it is killed.
//!
//! The payload determines the effect of a message: `abort` ends the process in the handler, `wait N` waits N ms.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gongkai_worker::config::WorkerSettings;
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::{Consume, Context, Decision, Handler, Output, Raw, Runtime};

struct Frail;

#[async_trait]
impl Handler for Frail {
    type Input = Raw;

    async fn handle(&self, Raw(payload): Raw, _: &Context) -> Result<Vec<Output>, Decision> {
        if *payload == *b"abort" {
            std::process::abort();
        }
        let text = String::from_utf8_lossy(&payload);
        let wait = text.strip_prefix("wait ").and_then(|wait| wait.parse().ok()).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(vec![Output::new("out.done", "test.done.v1", &text.into_owned())])
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let transport =
        JetStream::connect(&JetStreamSettings { servers: vec![url], ..JetStreamSettings::default() }).await?;
    let settings = WorkerSettings { concurrency: 16, retry_base_ms: 20, ..WorkerSettings::default() };
    let runtime = Runtime::builder("stage", Arc::new(transport)).settings(settings).build();
    let mut consume = Consume::new("IN", "stage", ["in.>"]);
    consume.ack_wait = Some(Duration::from_millis(400));
    runtime.consume(consume, Frail).await
}
