//! The main function: reports are submitted to the webhook and served over gRPC with findings, each under one trace id.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{collections::BTreeMap, time::Duration};

use gongkai_proto::v1::{
    CellState, GetReportRequest, ListFindingsRequest, ListReportsRequest, ListRevisionsRequest,
    WatchReportsRequest, report_service_client::ReportServiceClient,
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    metrics::{self, Exposition},
    samples::{self, Sample},
};
use serde_json::Value;
use tonic::transport::Channel;

async fn submit(deployment: &Deployment, sample: &Sample) -> Value {
    let url = format!("{}/v1/reports?filename={}", deployment.ingest(), sample.file);
    let answer = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    assert_eq!(answer.status, 202, "{}: {}", sample.file, answer.json);
    assert_eq!(answer.json["trace_id"].as_str().map(str::len), Some(32), "{}", answer.json);
    http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await
}

async fn reports(deployment: &Deployment) -> ReportServiceClient<Channel> {
    ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap()
}

/// Polls until the revision is served, because the read model follows the log.
async fn served(
    client: &mut ReportServiceClient<Channel>,
    receipt: &Value,
    sample: &Sample,
) -> gongkai_proto::v1::Report {
    let name = receipt["report"].as_str().unwrap_or_else(|| panic!("{}: {receipt}", sample.file)).to_owned();
    for _ in 0..300 {
        let request = GetReportRequest { name: name.clone(), as_of: None };
        match client.get_report(request).await.map(tonic::Response::into_inner) {
            Ok(report) if Some(report.content_hash.as_str()) == receipt["revision"].as_str() => {
                return report;
            }
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    panic!("{}: revision {} of {name} is not served", sample.file, receipt["revision"]);
}

fn cells(report: &gongkai_proto::v1::Report) -> BTreeMap<String, Option<String>> {
    report
        .facts
        .iter()
        .map(|fact| {
            let applicant = fact.applicant().as_str_name().trim_start_matches("APPLICANT_").to_lowercase();
            let id = match applicant.as_str() {
                "unspecified" => fact.concept.clone(),
                applicant => format!("{}[{applicant}]", fact.concept),
            };
            let value = match fact.state() {
                CellState::Reported => fact.value.clone(),
                CellState::Blank => None,
                other => Some(other.as_str_name().to_owned()),
            };
            (id, value)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_go_in_at_the_hook_and_come_out_of_grpc_checked() {
    // A site with a rate has a metric.
    let config =
        "[ingest.sites.other]\nsource = \"https://other.example\"\nevents_per_minute = 1\n".to_owned();
    let deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let mut client = reports(&deployment).await;
    for sample in samples::all() {
        let receipt = submit(&deployment, &sample).await;
        if sample.status == "rejected" {
            assert_eq!(receipt["state"], "rejected", "{}: {receipt}", sample.file);
            assert_eq!(receipt["rejection"]["code"].as_str(), sample.code.as_deref(), "{}", sample.file);
            continue;
        }
        assert_eq!(receipt["state"], "validated", "{}: {receipt}", sample.file);
        let report = served(&mut client, &receipt, &sample).await;
        assert_eq!(Some(report.agency_name.as_str()), sample.agency.as_deref());
        assert_eq!(Some(report.trace_id.as_str()), receipt["trace_id"].as_str(), "{}", sample.file);
        let difference = sample.difference(&cells(&report));
        assert!(difference.is_empty(), "{}:\n{}", sample.file, difference.join("\n"));
        assert!(report.sections.len() >= 5, "{}: {} chapters", sample.file, report.sections.len());
    }
    a_corrected_report_is_a_second_revision(&deployment, &mut client).await;
    findings_carry_their_trace_and_versions(&mut client).await;
    a_watch_resumes_behind_its_token(&mut client).await;
    the_same_content_again_changes_nothing(&deployment).await;
    the_metrics_are_those_of_the_page(&deployment).await;
}

async fn a_corrected_report_is_a_second_revision(
    deployment: &Deployment,
    client: &mut ReportServiceClient<Channel>,
) {
    let sample = samples::all().into_iter().find(|s| s.file.contains("corrected")).unwrap();
    let receipt = http::settled(
        &deployment.ingest(),
        submit(deployment, &sample).await["submission_id"].as_str().unwrap(),
    )
    .await;
    let parent = receipt["report"].as_str().unwrap().to_owned();
    let request = ListRevisionsRequest { parent, page_size: 0, page_token: String::new() };
    let revisions = client.list_revisions(request).await.unwrap().into_inner().revisions;
    let errors: Vec<u32> = revisions.iter().map(|r| r.findings_summary.unwrap_or_default().error).collect();
    assert_eq!(revisions.iter().map(|r| r.revision).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((errors[0] > 0, errors[1]), (true, 0), "the correction must be clean");
}

async fn findings_carry_their_trace_and_versions(client: &mut ReportServiceClient<Channel>) {
    let request = ListFindingsRequest {
        parent: "agencies/-/reports/-".to_owned(),
        filter: "severity >= ERROR".to_owned(),
        ..Default::default()
    };
    let findings = client.list_findings(request).await.unwrap().into_inner().findings;
    assert!(!findings.is_empty());
    for finding in findings {
        let versions = finding.versions.clone().unwrap_or_default();
        assert_eq!(finding.trace_id.len(), 32, "{finding:?}");
        for version in [versions.program, versions.parser, versions.forms, versions.rules] {
            assert!(!version.is_empty(), "a version is missing on {}", finding.rule);
        }
    }
}

async fn a_watch_resumes_behind_its_token(client: &mut ReportServiceClient<Channel>) {
    let all = ListReportsRequest { parent: "agencies/-".to_owned(), ..Default::default() };
    let served = client.list_reports(all).await.unwrap().into_inner().reports.len();
    let request = WatchReportsRequest { parent: "agencies/-".to_owned(), resume_token: String::new() };
    let mut stream = client.watch_reports(request).await.unwrap().into_inner();
    let mut changes = Vec::new();
    // There is one change per report, and one more for the corrected revision.
    for _ in 0..=served {
        changes.push(stream.message().await.unwrap().unwrap());
    }
    drop(stream);
    let resume = changes[3].resume_token.clone();
    let request = WatchReportsRequest { parent: "agencies/-".to_owned(), resume_token: resume };
    let mut again = client.watch_reports(request).await.unwrap().into_inner();
    for expected in &changes[4..] {
        assert_eq!(again.message().await.unwrap().as_ref(), Some(expected));
    }
}

async fn the_same_content_again_changes_nothing(deployment: &Deployment) {
    let sample = samples::all().remove(0);
    let once = submit(deployment, &sample).await;
    let url = format!("{}/v1/reports?filename=another-name.txt", deployment.ingest());
    let request = http::client()
        .post(url)
        .header("content-type", "text/plain")
        .header("idempotency-key", "another-submission")
        .body(sample.bytes());
    let again = http::answer(request).await.unwrap();
    assert_eq!(again.status, 202, "{}", again.json);
    assert_eq!(again.json["state"], "unchanged", "{}", again.json);
    assert_eq!(again.json["report"], once["report"]);
}

/// Checks that METRICS.md and the services have the same metrics, and that the values are those of the samples.
async fn the_metrics_are_those_of_the_page(deployment: &Deployment) {
    let mut documented = metrics::documented();
    // The streams have no limit, so its metric is absent.
    documented.remove("worker_stream_limit_bytes").unwrap();
    let mut all = exported(deployment).await;
    for _ in 0..300 {
        // Notify's metrics and the broker's figures come last, and the steps above did not wait for them.
        if all.kinds == documented {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        all = exported(deployment).await;
    }
    assert_eq!(all.kinds, documented);
    let rejected = samples::all().iter().filter(|sample| sample.status == "rejected").count();
    let counted = all.sum("gongkai_parse_documents_total", "outcome=\"rejected\"");
    assert!((counted - rejected as f64).abs() < 0.5, "{counted} of {rejected} rejections");
    assert!(all.sum("gongkai_parse_documents_total", "gongkai_document_format=\"html\"") > 0.0);
    assert!((all.sum("gongkai_parse_rejections_total", "") - counted).abs() < 0.5);
    assert!(all.sum("gongkai_parse_cells_total", "gongkai_cell_state=\"blank\"") > 0.0);
    assert!(all.sum("gongkai_validate_findings_total", "gongkai_rule_id=\"T3-ROW\"") > 0.0);
    assert!(all.sum("gongkai_report_processing_duration_seconds_count", "validated") > 0.0);
    for service in ["ingest", "parse", "validate", "notify", "query"] {
        let name = format!("service_name=\"gongkai-{service}\"");
        assert!(all.sum("target_info", &name) > 0.5, "{service} does not name itself");
    }
    let waivers = all.samples.keys().filter(|series| series.starts_with("gongkai_query_waivers_total"));
    assert_eq!(waivers.count(), 3, "at zero for each change");
}

/// Returns the metrics of all services, merged.
async fn exported(deployment: &Deployment) -> Exposition {
    let mut all = Exposition::default();
    for (service, text) in deployment.metrics().await {
        let own = Exposition::parse(&text).unwrap_or_else(|error| panic!("{service}: {error}"));
        all.kinds.extend(own.kinds);
        all.samples.extend(own.samples);
    }
    all
}
