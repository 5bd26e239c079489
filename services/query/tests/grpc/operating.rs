//! Dead letters over gRPC: listed, filtered, grouped and shown.

use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::v1::operations_service_client::OperationsServiceClient;
use gongkai_proto::v1::{self, DeadLetterState};
use gongkai_query::Config;
use gongkai_worker::{Output, Secret};
use prost::Message as _;
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use crate::harness::{Bench, START};

const RECEIVED: &str = "gongkai.v1.report.received.360982";

async fn operations(bench: &Bench) -> OperationsServiceClient<Channel> {
    OperationsServiceClient::new(bench.channel().await)
}

/// Returns a dead letter of parse.
fn letter(n: u64, code: &str, cause: &str) -> v1::DeadLetter {
    let received = v1::DocumentReceived { title: "联系人13812341234".into(), ..Default::default() };
    v1::DeadLetter {
        service: "parse".into(),
        subject: RECEIVED.into(),
        headers: vec![v1::Header { name: "x-from".into(), value: "13812341234".into() }],
        payload: received.encode_to_vec().into(),
        code: code.into(),
        cause: cause.into(),
        attempts: 6,
        buried_at: Some(timestamp(START + time::Duration::seconds(n.try_into().unwrap()))),
        trace_id: format!("{n:032x}"),
        message_id: format!("s-{n}.ingest.0"),
        sequence: n,
        ..Default::default()
    }
}

/// Publishes a dead letter and returns its resource name.
async fn bury(bench: &Bench, letter: &v1::DeadLetter) -> String {
    let output = Output::new(format!("gongkai.v1.dead.{}", letter.service), "gongkai.dead.v1", letter);
    let id = format!("{}.dead", letter.message_id);
    let sequence = bench.runtime().publish(&id, output).await.unwrap().sequence;
    format!("deadLetters/{sequence}")
}

async fn list(bench: &Bench, filter: &str) -> Vec<String> {
    let request = v1::ListDeadLettersRequest { filter: filter.into(), ..Default::default() };
    let found = operations(bench).await.list_dead_letters(request).await.unwrap().into_inner();
    found.dead_letters.into_iter().map(|letter| letter.name).collect()
}

#[tokio::test]
async fn dead_letters_are_listed_by_filter_and_page() {
    let bench = Bench::start().await;
    let mut names = Vec::new();
    for n in 1..=5 {
        let code = if n % 2 == 0 { "UNDECODABLE" } else { "ORIGINAL_MISSING" };
        names.push(bury(&bench, &letter(n, code, &format!("no object {n}f"))).await);
    }
    names.reverse();
    assert_eq!(list(&bench, "").await, names);
    assert_eq!(list(&bench, "code = UNDECODABLE AND state = OPEN").await, [&names[1][..], &names[3][..]]);
    assert_eq!(list(&bench, "service = validate").await, [""; 0]);
    assert_eq!(list(&bench, "cause : \"object 3f\" AND trace_id : 03").await, [&names[2][..]]);
    let since = "buried_at >= 2024-02-01T08:00:04Z";
    assert_eq!(list(&bench, since).await, [&names[0][..], &names[1][..]]);

    let mut client = operations(&bench).await;
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListDeadLettersRequest { page_size: 2, page_token, filter: String::new() };
        let page = client.list_dead_letters(request).await.unwrap().into_inner();
        paged.extend(page.dead_letters.into_iter().map(|letter| letter.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, names);
}

#[tokio::test]
async fn causes_of_one_kind_are_one_group() {
    let bench = Bench::start().await;
    for n in 1..=3 {
        bury(&bench, &letter(n, "ORIGINAL_MISSING", &format!("no object {n}f"))).await;
    }
    let newest = bury(&bench, &letter(4, "UNDECODABLE", "the payload is another message")).await;
    let request = v1::SummarizeDeadLettersRequest::default();
    let groups = operations(&bench).await.summarize_dead_letters(request).await.unwrap().into_inner().groups;
    let seen: Vec<_> = groups.iter().map(|g| (g.count, g.code.as_str(), g.cause.as_str())).collect();
    let undecodable = (1, "UNDECODABLE", "the payload is another message");
    assert_eq!(seen, [(3, "ORIGINAL_MISSING", "no object …"), undecodable]);
    let at = |seconds| Some(timestamp(START + time::Duration::seconds(seconds)));
    assert_eq!((groups[0].first_buried_at, groups[0].last_buried_at), (at(1), at(3)));
    assert_eq!(groups[1].newest, newest);
}

#[tokio::test]
async fn a_dead_letter_is_shown_without_personal_data() {
    let bench = Bench::start().await;
    let name = bury(&bench, &letter(1, "ATTEMPTS_EXHAUSTED", "asked 13812341234 in vain")).await;
    let request = |name: &str| v1::GetDeadLetterRequest { name: name.into() };
    let mut client = operations(&bench).await;
    let shown = client.get_dead_letter(request(&name)).await.unwrap().into_inner();
    assert_eq!((shown.state(), shown.attempts, shown.subject.as_str()), (DeadLetterState::Open, 6, RECEIVED));
    assert_eq!(shown.payload_json, r#"{"title":"联系人138****1234"}"#);
    assert_eq!(
        (shown.payload_type.as_str(), shown.cause.as_str()),
        ("gongkai.v1.DocumentReceived", "asked 138****1234 in vain")
    );
    assert_eq!(shown.headers[0].value, "138****1234");

    let undecodable = v1::DeadLetter { payload: vec![0xff].into(), ..letter(2, "UNDECODABLE", "") };
    let name = bury(&bench, &undecodable).await;
    let shown = client.get_dead_letter(request(&name)).await.unwrap().into_inner();
    assert_eq!((shown.payload_json.as_str(), shown.payload_bytes), ("", 1));

    let unknown = client.get_dead_letter(request("deadLetters/99")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(unknown.get_details_error_info().unwrap().reason, "DEAD_LETTER_NOT_FOUND");
}

#[tokio::test]
async fn only_a_token_of_query_opens_the_calls() {
    let config = Config { tokens: vec![Secret::new("operator-0123456789abcdef")], ..Config::default() };
    let bench = Bench::start_with(config).await;
    let mut client = operations(&bench).await;
    for token in [None, Some("Bearer a-sites-token-0123456789")] {
        let mut request = tonic::Request::new(v1::ListDeadLettersRequest::default());
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", token.parse().unwrap());
        }
        let refused = client.list_dead_letters(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{token:?}");
    }
    let mut request = tonic::Request::new(v1::ListDeadLettersRequest::default());
    request.metadata_mut().insert("authorization", "Bearer operator-0123456789abcdef".parse().unwrap());
    client.list_dead_letters(request).await.unwrap();
}
