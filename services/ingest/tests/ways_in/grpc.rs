//! The gRPC server over a real socket: submit, get, watch, reflection, health, errors with reasons.

use futures::StreamExt as _;
use tonic::{Code, Request, transport::Channel};
use tonic_types::StatusExt as _;

use crate::harness::{Harness, post};
use gongkai_ingest::{config::Config, grpc::Submissions};
use gongkai_proto::v1::{
    AgencyHint, Attachment, CheckReportRequest, DocumentKind, GetSubmissionRequest, Receipt, SubmissionState,
    SubmitRequest, SubmitStreamRequest, WatchSubmissionRequest,
    submission_service_client::SubmissionServiceClient, submit_stream_request::Part,
};

pub(crate) async fn served(config: Config) -> (Harness, SubmissionServiceClient<Channel>, Channel) {
    let harness = Harness::new(&config).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (intake, auth, admission) = (harness.intake.clone(), harness.auth.clone(), harness.admission.clone());
    let dry_run = harness.dry_run.clone();
    let service = Submissions::new(&config, &harness.runtime, intake, dry_run, &auth, admission);
    let runtime = harness.runtime.clone();
    tokio::spawn(async move { service.serve(listener, &runtime).await });
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    (harness, SubmissionServiceClient::new(channel.clone()), channel)
}

fn request(content: &'static str) -> SubmitRequest {
    let agency = Some(AgencyHint { name: "鹿江街道办事处".into(), ..AgencyHint::default() });
    SubmitRequest { content: content.into(), agency, year: 2023, ..SubmitRequest::default() }
}

#[tokio::test]
async fn a_report_is_submitted_asked_for_and_watched() {
    let (harness, mut client, _) = served(Config::default()).await;
    let receipt = client.submit(request("年报")).await.unwrap().into_inner();
    assert_eq!((receipt.state(), receipt.trace_id.len()), (SubmissionState::Received, 32));
    assert_eq!(harness.received()[0].submission_id, receipt.submission_id);
    let id = receipt.submission_id.clone();
    let asked = client.get_submission(GetSubmissionRequest { submission_id: id.clone() }).await.unwrap();
    assert_eq!(asked.into_inner(), receipt);
    let watch = client.watch_submission(WatchSubmissionRequest { submission_id: id.clone() }).await.unwrap();
    let mut watch = watch.into_inner();
    assert_eq!(watch.next().await.unwrap().unwrap().state(), SubmissionState::Received);
    let mut update = Receipt { submission_id: id, sequence: 9, ..Receipt::default() };
    update.set_state(SubmissionState::Rejected);
    harness.receipts.merge(update).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().state(), SubmissionState::Rejected);
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn attachments_are_submitted_with_or_without_a_main_body() {
    let (harness, mut client, _) = served(Config::default()).await;
    let attachment = Attachment {
        content: "附件".into(),
        name: "年报.txt".into(),
        media_type: "Text/Plain".into(),
        charset: "UTF-8".into(),
    };
    let with = SubmitRequest { attachments: vec![attachment], ..request("年报") };
    let receipt = client.submit(with.clone()).await.unwrap().into_inner();
    let alone = client.submit(SubmitRequest { content: "".into(), ..with }).await.unwrap().into_inner();
    assert_ne!(receipt.revision, alone.revision);
    let received = harness.received();
    assert!(received[0].content.is_some() && received[1].content.is_none());
    let file = &received[1].attachments[0];
    let said = (file.filename.as_str(), file.media_type.as_str(), file.charset.as_str());
    assert_eq!((said, file.size_bytes), (("年报.txt", "text/plain", "utf-8"), 6));
}

#[tokio::test]
async fn errors_carry_reasons() {
    let config = Config { max_body_bytes: 1024, ..Config::default() };
    let (_house, mut client, _) = served(config).await;
    let with = |change: fn(&mut SubmitRequest)| {
        let mut request = request("年报");
        change(&mut request);
        request
    };
    let cases = [
        (with(|r| r.content.clear()), Code::InvalidArgument, "EMPTY"),
        (with(|r| r.content = vec![0; 1025].into()), Code::OutOfRange, "TOO_LARGE"),
        (with(|r| r.agency.as_mut().unwrap().code = "36/10".into()), Code::InvalidArgument, "INVALID_FIELD"),
        (with(|r| r.year = 23), Code::InvalidArgument, "INVALID_FIELD"),
        (with(|r| r.kind = 77), Code::InvalidArgument, "INVALID_FIELD"),
        (with(|r| r.set_kind(DocumentKind::Draft)), Code::InvalidArgument, "INVALID_FIELD"),
    ];
    for (request, code, reason) in cases {
        let status = client.submit(request).await.unwrap_err();
        let info = status.get_details_error_info().unwrap();
        assert_eq!((status.code(), info.reason.as_str(), info.domain.as_str()), (code, reason, "gongkai"));
    }
    let status = client.submit(with(|r| r.content = vec![0; 1 << 20].into())).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    let unknown = GetSubmissionRequest { submission_id: "s-00000000000000000000000000000000".into() };
    let status = client.get_submission(unknown).await.unwrap_err();
    assert_eq!(
        (status.code(), status.get_details_error_info().unwrap().reason.as_str()),
        (Code::NotFound, "SUBMISSION_NOT_FOUND")
    );
    let watched = client.watch_submission(WatchSubmissionRequest { submission_id: "nonsense".into() }).await;
    assert_eq!(watched.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_draft_is_checked_and_not_kept() {
    let (harness, mut client, _) = served(Config::default()).await;
    let content = include_str!("../../../../tests/samples/02_tab_rows_wrong_total.txt");
    let asked =
        CheckReportRequest { content: content.into(), filename: "a.txt".into(), ..Default::default() };
    let answer = client.check_report(asked.clone()).await.unwrap().into_inner();
    let line = harness.call(post("/v1/check?filename=a.txt", content)).await.json;
    let rules: Vec<&str> = answer.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let of_line: Vec<&str> =
        line["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, of_line);
    let wrong = answer.findings.iter().find(|finding| finding.rule == "T3-ROW").unwrap();
    let report = answer.report.unwrap();
    assert_eq!(wrong.report, report.name);
    let source = report.facts.iter().find_map(|fact| fact.source.as_ref()?.start).unwrap();
    assert!(source > 0 && report.findings_summary.unwrap().error > 0);
    let nothing = CheckReportRequest { content: "通知".into(), ..asked };
    let rejected = client.check_report(nothing).await.unwrap().into_inner();
    assert_eq!((rejected.report, rejected.rejection.unwrap().code.as_str()), (None, "NOT_A_REPORT"));
    assert!(harness.received().is_empty());
}

#[tokio::test]
async fn a_token_is_asked_for_where_one_is_configured() {
    let token = "a-token-of-some-length";
    let (_house, mut client, _) =
        served(Config { tokens: vec![gongkai_worker::Secret::new(token)], ..Config::default() }).await;
    let status = client.submit(request("年报")).await.unwrap_err();
    assert_eq!(
        (status.code(), status.get_details_error_info().unwrap().reason.as_str()),
        (Code::Unauthenticated, "UNAUTHENTICATED")
    );
    let mut authorised = Request::new(request("年报"));
    authorised.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert!(client.submit(authorised).await.is_ok());
}

#[tokio::test]
async fn health_and_both_reflections_answer() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    use tonic_reflection::pb::{v1, v1alpha};
    let (_house, _, channel) = served(Config::default()).await;
    let service = "gongkai.v1.SubmissionService".to_owned();
    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest { service: service.clone() })
        .await
        .unwrap();
    assert_eq!(health.into_inner().status, 1);
    let ask = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
            service.clone(),
        )),
    };
    let mut alpha = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let answer = alpha.server_reflection_info(tokio_stream::once(ask)).await.unwrap();
    let answer = answer.into_inner().next().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(
        answer,
        v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_)
    ));
    let ask = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::FileContainingSymbol(service)),
    };
    let mut current = v1::server_reflection_client::ServerReflectionClient::new(channel);
    let answer = current.server_reflection_info(tokio_stream::once(ask)).await.unwrap();
    let answer = answer.into_inner().next().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(answer, v1::server_reflection_response::MessageResponse::FileDescriptorResponse(_)));
}

#[tokio::test]
async fn health_follows_readiness() {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    let (harness, _, channel) = served(Config::default()).await;
    let mut health = HealthClient::new(channel);
    for service in ["", "gongkai.v1.SubmissionService"] {
        let ask = HealthCheckRequest { service: service.to_owned() };
        let mut states = health.watch(ask).await.unwrap().into_inner();
        let mut until = async |wanted: ServingStatus| {
            let reached = async { while states.next().await.unwrap().unwrap().status() != wanted {} };
            tokio::time::timeout(std::time::Duration::from_secs(20), reached).await.unwrap();
        };
        until(ServingStatus::Serving).await;
        let latch = harness.runtime.latch("store");
        until(ServingStatus::NotServing).await;
        latch.release();
        until(ServingStatus::Serving).await;
    }
}

#[tokio::test]
async fn a_large_document_comes_in_pieces() {
    const PIECES: usize = 80;
    let (harness, mut client, _) = served(Config { max_body_bytes: 8 << 20, ..Config::default() }).await;
    let part = |part| SubmitStreamRequest { part: Some(part) };
    let stream = |pieces: usize| {
        let chunk =
            move |n: usize| part(Part::Chunk(vec![b'a' + u8::try_from(n % 20).unwrap(); 64 << 10].into()));
        let first = part(Part::Request(Box::new(SubmitRequest { request_id: "k".into(), ..request("") })));
        tokio_stream::iter(std::iter::once(first).chain((0..pieces).map(chunk)))
    };
    let receipt = client.submit_stream(stream(PIECES)).await.unwrap().into_inner();
    let received = harness.received().remove(0);
    assert_eq!(usize::try_from(received.content.unwrap().size_bytes).unwrap(), PIECES << 16);
    let again = client.submit_stream(stream(PIECES)).await.unwrap().into_inner();
    assert_eq!(again.submission_id, receipt.submission_id);
    let code = |error: tonic::Status| error.get_details_error_info().unwrap().reason;
    let large = client.submit_stream(stream(129)).await.unwrap_err();
    assert_eq!(code(large), "TOO_LARGE");
    let headless = tokio_stream::iter([part(Part::Chunk("x".into()))]);
    assert_eq!(code(client.submit_stream(headless).await.unwrap_err()), "INVALID_FIELD");
    // An incomplete submission leaves nothing behind.
    let broken = tokio_stream::StreamExt::chain(stream(1), tokio_stream::pending());
    let call = tokio::time::timeout(std::time::Duration::from_millis(200), client.submit_stream(broken));
    assert!(call.await.is_err());
    assert_eq!(harness.received().len(), 1);
}
