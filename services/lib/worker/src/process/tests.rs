//! The tree of spans of one hop, recorded by a test exporter.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use opentelemetry::trace::{SpanId, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

use super::*;
use crate::handler::Raw;
use crate::plan::Consume;
use crate::runtime::Runtime;
use crate::trace::Tracer;
use crate::transport::memory::Memory;
use crate::transport::{Topology, Transport as _};

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Kept {
    fn span(&self, name: &str) -> SpanData {
        let all = self.0.lock().unwrap();
        let found = all.iter().find(|span| span.name == name).cloned();
        found.unwrap_or_else(|| {
            panic!("no span {name} among {:?}", all.iter().map(|span| &span.name).collect::<Vec<_>>())
        })
    }
}

struct Forward;

#[async_trait]
impl Handler for Forward {
    type Input = Raw;

    async fn handle(&self, Raw(payload): Raw, context: &Context) -> Result<Vec<Output>, Decision> {
        assert_eq!(trace::current_trace_id(), context.trace_id);
        Ok(vec![Output { payload, ..Output::new("out.b", "test.v1", &()) }])
    }
}

/// Publishes one message within a server span and consumes it. Returns the memory transport, the spans and the trace
/// id.
async fn one_hop(tracer: impl Fn(Kept) -> Tracer, edit: impl FnOnce(&mut Message)) -> (Memory, Kept, String) {
    let (memory, kept) = (Memory::new(), Kept::default());
    let streams: Vec<(&str, &[&str], Option<u32>)> =
        vec![("FIRST", &["first.>"], None), ("IN", &["in.>"], None), ("OUT", &["out.>"], None)];
    memory.declare(&Topology { streams, ..Topology::default() }).await.unwrap();
    let tracer = tracer(kept.clone());
    let runtime = Runtime::builder("stage", Arc::new(memory.clone())).tracer(tracer.clone()).build();

    let server = tracer.start("POST /v1/things", SpanKind::Server, &tracer.base(), Vec::new);
    let trace_id = server.trace_id();
    let output = Output::new("first.a", "test.v1", &"x".to_owned());
    let publishing = runtime.publish("one", output);
    server.run(publishing).await.unwrap();
    let mut message = memory.messages("first.>").remove(0);
    message.subject = "in.a".to_owned();
    edit(&mut message);
    memory.publish(message).await.unwrap();

    let consuming = tokio::spawn({
        let runtime = runtime.clone();
        async move { runtime.consume(Consume::new("IN", "stage", ["in.>"]), Forward).await }
    });
    memory.until(|memory| memory.settlements("IN", "stage").len() == 1).await;
    runtime.shutdown().cancel();
    consuming.await.unwrap().unwrap();
    (memory, kept, trace_id)
}

fn exporting(kept: Kept) -> Tracer {
    let provider = SdkTracerProvider::builder().with_simple_exporter(kept).build();
    Tracer::exporting("stage", provider.tracer("test"))
}

#[tokio::test(start_paused = true)]
async fn one_message_is_one_trace() {
    let (memory, kept, trace_id) = one_hop(exporting, |_| {}).await;
    let [server, sent, process, forwarded, ack] =
        ["POST /v1/things", "publish first.a", "process in.a", "publish out.b", "ack in.a"]
            .map(|name| kept.span(name));
    for span in [&server, &sent, &process, &forwarded, &ack] {
        assert_eq!(span.span_context.trace_id().to_string(), trace_id, "{}", span.name);
        assert!(span.links.is_empty());
    }
    assert_eq!(server.parent_span_id, SpanId::INVALID);
    assert_eq!(sent.parent_span_id, server.span_context.span_id());
    assert_eq!(process.parent_span_id, sent.span_context.span_id());
    assert_eq!(forwarded.parent_span_id, process.span_context.span_id());
    assert_eq!(ack.parent_span_id, process.span_context.span_id());
    let header = &memory.messages("out.>")[0].headers["traceparent"];
    assert_eq!(*header, format!("00-{trace_id}-{}-01", forwarded.span_context.span_id()));
}

#[tokio::test(start_paused = true)]
async fn a_replay_is_a_trace_of_its_own_with_a_link() {
    let mark = |message: &mut Message| drop(message.headers.insert(LINK_HEADER, "true"));
    let (_, kept, trace_id) = one_hop(exporting, mark).await;
    let (sent, process) = (kept.span("publish first.a"), kept.span("process in.a"));
    assert_eq!(process.parent_span_id, SpanId::INVALID);
    assert_ne!(process.span_context.trace_id().to_string(), trace_id);
    assert_eq!(process.links.len(), 1);
    assert_eq!(process.links[0].span_context.span_id(), sent.span_context.span_id());
}

#[tokio::test(start_paused = true)]
async fn trace_ids_are_real_and_kept_when_nothing_is_exported() {
    let (memory, kept, trace_id) = one_hop(|_| Tracer::silent("stage"), |_| {}).await;
    assert!(kept.0.lock().unwrap().is_empty());
    assert_ne!(trace_id, "0".repeat(32));
    let header = &memory.messages("out.>")[0].headers["traceparent"];
    assert!(header.starts_with(&format!("00-{trace_id}-")) && header.ends_with("-01"), "{header}");
}
