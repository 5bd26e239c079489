//! One document, one trace: from the HTTP request to the projection and the notification.

use gongkai_tests::{
    collector::{Collector, Span},
    deployment::{Deployment, Plan},
    http, samples,
};

const SERVER: i32 = 2;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

fn find<'a>(spans: &'a [Span], service: &str, name: &str) -> &'a Span {
    spans.iter().find(|s| s.service == service && s.name.starts_with(name)).unwrap_or_else(|| {
        let list: Vec<String> = spans.iter().map(|s| format!("{} {}", s.service, s.name)).collect();
        panic!("no span {name} of {service} among\n{}", list.join("\n"))
    })
}

fn complete(spans: &[Span]) -> bool {
    let has =
        |service: &str, name: &str| spans.iter().any(|s| s.service == service && s.name.starts_with(name));
    has("gongkai-ingest", "POST /v1/reports")
        && has("gongkai-query", "ack gongkai.v1.report.validated")
        && has("gongkai-notify", "ack gongkai.v1.alert")
        && ["parse", "validate"].iter().all(|s| has(&format!("gongkai-{s}"), "ack gongkai.v1.report"))
        && has("gongkai-notify", "ack gongkai.v1.report.validated")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_request_to_the_projection_and_the_notification() {
    let collector = Collector::start().await;
    let plan = Plan { otlp_endpoint: Some(collector.endpoint()), ..Plan::default() };
    let deployment = Deployment::start(&plan).await;
    let sample = samples::all().into_iter().find(|s| s.rules.contains(&"T3-ROW".to_owned())).unwrap();
    let url = format!("{}/v1/reports?filename={}", deployment.ingest(), sample.file);
    let answer = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    let trace_id = answer.json["trace_id"].as_str().unwrap().to_owned();

    let spans = collector.wait_for(&trace_id, complete).await;

    let request = find(&spans, "gongkai-ingest", "POST /v1/reports");
    assert_eq!((request.kind, request.parent_id.as_str()), (SERVER, ""));
    let mut parent = request;
    for (producer, consumer, subject) in [
        ("gongkai-ingest", "gongkai-parse", "gongkai.v1.report.received"),
        ("gongkai-parse", "gongkai-validate", "gongkai.v1.report.parsed"),
        ("gongkai-validate", "gongkai-notify", "gongkai.v1.report.validated"),
        ("gongkai-notify", "gongkai-notify", "gongkai.v1.alert"),
    ] {
        let publish = find(&spans, producer, &format!("publish {subject}"));
        let process = find(&spans, consumer, &format!("process {subject}"));
        assert_eq!((publish.kind, process.kind), (PRODUCER, CONSUMER), "{subject}");
        assert!(leads_to(&spans, parent, publish), "{producer} publishes {subject} outside its work");
        assert_eq!(process.parent_id, publish.span_id, "{consumer} on {subject}");
        assert!(
            process.links.is_empty(),
            "{consumer} on {subject}: a first delivery has a parent, not a link"
        );
        assert_eq!(publish.attribute("messaging.system"), Some("nats"));
        let ack = spans.iter().find(|s| s.name.starts_with("ack") && s.parent_id == process.span_id);
        assert!(ack.is_some_and(|a| a.service == consumer), "{consumer} does not acknowledge {subject}");
        parent = process;
    }
    for (service, subject, steps) in [
        ("gongkai-parse", "gongkai.v1.report.received", &["sniff", "decode", "extract", "match"][..]),
        ("gongkai-validate", "gongkai.v1.report.parsed", &["rules", "neighbours"]),
    ] {
        let process = find(&spans, service, &format!("process {subject}"));
        for step in steps {
            let span = find(&spans, service, step);
            assert_eq!(span.parent_id, process.span_id, "{step} is a step of {service}");
        }
    }
    let validated = find(&spans, "gongkai-validate", "publish gongkai.v1.report.validated");
    let projected = find(&spans, "gongkai-query", "process gongkai.v1.report.validated");
    assert_eq!(projected.parent_id, validated.span_id);
}

/// Returns true if `to` is a descendant of `from`.
fn leads_to(spans: &[Span], from: &Span, to: &Span) -> bool {
    let mut at = to;
    while at.span_id != from.span_id {
        match spans.iter().find(|s| s.span_id == at.parent_id) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callers_trace_is_continued() {
    let collector = Collector::start().await;
    let plan = Plan { otlp_endpoint: Some(collector.endpoint()), ..Plan::default() };
    let deployment = Deployment::start(&plan).await;
    let sample = samples::all().remove(0);
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = http::client()
        .post(format!("{}/v1/reports", deployment.ingest()))
        .header("content-type", "text/plain")
        .header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01"))
        .body(sample.bytes());
    let answer = http::answer(request).await.unwrap();
    assert_eq!(answer.json["trace_id"].as_str(), Some(trace_id), "{}", answer.json);
    // Exporters send with a delay: wait for both ends of the trace.
    let done = |spans: &[Span]| {
        let has = |name: &str| spans.iter().any(|s| s.name.starts_with(name));
        has("POST /v1/reports") && has("ack gongkai.v1.report.validated")
    };
    let spans = collector.wait_for(trace_id, done).await;
    assert_eq!(find(&spans, "gongkai-ingest", "POST /v1/reports").parent_id, "00f067aa0ba902b7");
}
