//! A report in an attachment, with its sender's metadata, through all services.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use base64::Engine as _;
use gongkai_proto::v1::{
    Finding, GetReportRequest, ListFindingsRequest, Report, report_service_client::ReportServiceClient,
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    samples::{self, Sample},
};
use serde_json::{Value, json};
use tonic::transport::Channel;

const DOCX: &str = "13_word_docx.docx";
const HTML: &str = "09_html_single_row_other.html";

fn sample(file: &str) -> Sample {
    samples::all().into_iter().find(|sample| sample.file == file).unwrap()
}

fn attachment(name: &str, bytes: &[u8]) -> Value {
    json!({"name": name, "base64": base64::engine::general_purpose::STANDARD.encode(bytes)})
}

/// Sends an event and returns the receipt of the outcome.
async fn settled(deployment: &Deployment, id: &str, data: Value) -> Value {
    let event = json!({
        "specversion": "1.0", "type": "gongkai.report.published.v1", "id": id,
        "source": "https://www.yunxi.example/cms", "subject": format!("https://www.yunxi.example/{id}.html"),
        "datacontenttype": "application/json", "data": data,
    });
    let url = format!("{}/v1/events", deployment.ingest());
    let answer =
        http::post(&url, "application/cloudevents+json", event.to_string().into_bytes()).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);
    http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await
}

/// Returns the report and its findings, once the read model has the revision.
async fn served(client: &mut ReportServiceClient<Channel>, receipt: &Value) -> (Report, Vec<Finding>) {
    assert_eq!(receipt["state"], "validated", "{receipt}");
    let name = receipt["report"].as_str().unwrap().to_owned();
    for _ in 0..300 {
        let request = GetReportRequest { name: name.clone(), as_of: None };
        if let Ok(report) = client.get_report(request).await.map(tonic::Response::into_inner)
            && Some(report.content_hash.as_str()) == receipt["revision"].as_str()
        {
            let request = ListFindingsRequest { parent: name, ..Default::default() };
            return (report, client.list_findings(request).await.unwrap().into_inner().findings);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{receipt} is not served");
}

fn roles(receipt: &Value) -> Vec<(&str, &str)> {
    let parts = receipt["parts"].as_array().unwrap().iter();
    parts.map(|part| (part["name"].as_str().unwrap_or(""), part["role"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_read_wherever_it_stands_and_held_against_its_sender() {
    let deployment = Deployment::start(&Plan::default()).await;
    let url = format!("http://{}", deployment.query());
    let mut client = ReportServiceClient::connect(url).await.unwrap();
    the_attachment_of_a_page_is_read(&deployment, &mut client).await;
    an_unreadable_attachment_is_named(&deployment).await;
    page_and_attachment_are_compared(&deployment, &mut client).await;
    sender_and_document_are_compared(&deployment, &mut client).await;
}

async fn the_attachment_of_a_page_is_read(
    deployment: &Deployment,
    client: &mut ReportServiceClient<Channel>,
) {
    let docx = sample(DOCX);
    let page = "<html><body><h1>年度报告</h1><p>详见附件。</p></body></html>";
    let attachments = json!([
        attachment("封面.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        attachment("年报.docx", &docx.bytes())
    ]);
    let receipt =
        settled(deployment, "page", json!({"content": {"text": page}, "attachments": attachments})).await;
    assert_eq!(roles(&receipt), [("", "other"), ("封面.png", "other"), ("年报.docx", "carrier")]);
    assert_eq!(receipt["parts"][1]["rejection"]["code"], "UNSUPPORTED_FORMAT");
    let (report, _) = served(client, &receipt).await;
    assert_eq!(Some(report.agency_name), docx.agency);
    assert_eq!(report.facts.len(), docx.facts.len());
    let parts =
        report.facts.iter().filter_map(|fact| fact.source.as_ref()).map(|source| source.part.as_str());
    assert!(parts.clone().count() > 100 && parts.clone().all(|part| part == "年报.docx"));
    let alone = json!({"attachments": [attachment("年报.docx", &docx.bytes())]});
    let receipt = settled(deployment, "alone", alone).await;
    assert_eq!((roles(&receipt), &receipt["state"]), (vec![("年报.docx", "carrier")], &json!("validated")));
}

async fn an_unreadable_attachment_is_named(deployment: &Deployment) {
    let data = json!({"content": {"text": "<p>详见附件。</p>"}, "attachments": [attachment("年报.pdf", b"%PDF-1.7\nx")]});
    let receipt = settled(deployment, "broken", data).await;
    assert_eq!((&receipt["state"], &receipt["rejection"]["code"]), (&json!("rejected"), &json!("CORRUPT")));
    let message = receipt["rejection"]["message"].as_str().unwrap();
    assert!(message.starts_with("附件《年报.pdf》："), "{message}");
    assert_eq!(roles(&receipt), [("", "other"), ("年报.pdf", "other")]);
}

async fn page_and_attachment_are_compared(
    deployment: &Deployment,
    client: &mut ReportServiceClient<Channel>,
) {
    let html = String::from_utf8(sample(HTML).bytes()).unwrap();
    let cell = sample(HTML).facts["proactive.licensing.decisions"].clone().unwrap();
    let other = html.replacen(&format!(">{cell}<"), ">9876<", 1);
    assert_ne!(html, other, "{cell}");
    let data = json!({"content": {"text": html, "media_type": "text/html"}, "attachments": [attachment("年报.html", other.as_bytes())]});
    let receipt = settled(deployment, "compared", data).await;
    assert_eq!(roles(&receipt), [("", "carrier"), ("年报.html", "report")]);
    let (report, findings) = served(client, &receipt).await;
    assert!(report.facts.iter().filter_map(|fact| fact.source.as_ref()).all(|source| source.part.is_empty()));
    let multi: Vec<&Finding> = findings.iter().filter(|finding| finding.rule == "V-MULTI").collect();
    assert_eq!(multi.len(), 1, "{findings:?}");
    assert!(multi[0].message.contains("年报.html") && multi[0].facts.len() == 1, "{:?}", multi[0]);
}

async fn sender_and_document_are_compared(
    deployment: &Deployment,
    client: &mut ReportServiceClient<Channel>,
) {
    let docx = sample(DOCX);
    let bytes = attachment("", &docx.bytes())["base64"].clone();
    let year = docx.year.unwrap() - 1;
    let data = |title: &str| json!({"agency": {"name": "云溪县天文局"}, "year": year, "title": title, "content": {"base64": bytes}});
    let receipt = settled(deployment, "declared", data("年报")).await;
    let read = docx.agency.clone().unwrap();
    let expected = json!([
        {"field": "agency", "declared": "云溪县天文局", "read": read},
        {"field": "year", "declared": year.to_string(), "read": (year + 1).to_string()},
    ]);
    assert_eq!(receipt["differences"], expected);
    let (report, findings) = served(client, &receipt).await;
    assert_eq!((report.agency_name, report.year), (read, year + 1));
    let rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert!(rules.contains(&"S-AGENCY") && rules.contains(&"S-YEAR"), "{rules:?}");
}
