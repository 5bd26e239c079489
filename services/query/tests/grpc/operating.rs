//! Dead letters over gRPC: listed, grouped, shown, tried, replayed and dropped; and reports that are run again.

use futures::StreamExt as _;
use gongkai_proto::ReportEvent;
use gongkai_proto::convert::{history, timestamp::timestamp};
use gongkai_proto::subjects::{self, Event, STREAM_REPORTS};
use gongkai_proto::v1::operations_service_client::OperationsServiceClient;
use gongkai_proto::v1::{self, DeadLetterState, ReplayOutcome};
use gongkai_query::Config;
use gongkai_worker::repetition::FirstCopy;
use gongkai_worker::{LINK_HEADER, MESSAGE_ID, Message, Output, Secret};
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

const WITHDRAWN: &str = "gongkai.v1.report.withdrawn.360982";

/// Returns a dead letter of validate. The message can be handled now unless it names nothing.
fn withdrawal(n: u64, url: &str) -> v1::DeadLetter {
    let event =
        v1::ReportWithdrawn { url: url.into(), submission_id: format!("s-{n}"), ..Default::default() };
    v1::DeadLetter {
        service: "validate".into(),
        subject: WITHDRAWN.into(),
        payload: event.encode_to_vec().into(),
        ..letter(n, "ATTEMPTS_EXHAUSTED", "no answer")
    }
}

async fn replay(bench: &Bench, request: v1::ReplayDeadLettersRequest) -> Vec<v1::ReplayedDeadLetter> {
    let stream = operations(bench).await.replay_dead_letters(request).await.unwrap().into_inner();
    stream.map(Result::unwrap).collect().await
}

fn by_filter(filter: &str, validate_only: bool) -> v1::ReplayDeadLettersRequest {
    v1::ReplayDeadLettersRequest { filter: filter.into(), validate_only, ..Default::default() }
}

fn by_name(names: &[&str], validate_only: bool) -> v1::ReplayDeadLettersRequest {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    v1::ReplayDeadLettersRequest { names, validate_only, ..Default::default() }
}

#[tokio::test]
async fn a_thousand_are_replayed_by_filter_and_the_dry_run_counts_right() {
    let bench = Bench::start().await;
    for n in 0..1000 {
        bury(&bench, &withdrawal(n, if n % 25 == 0 { "" } else { "https://a.example/" })).await;
    }
    let other = bury(&bench, &letter(5000, "UNDECODABLE", "")).await;
    let tried = replay(&bench, by_filter("service = validate", true)).await;
    let counted = |outcome| tried.iter().filter(|row| row.outcome() == outcome).count();
    assert_eq!((counted(ReplayOutcome::WouldPass), counted(ReplayOutcome::WouldFail)), (960, 40));
    let failing = tried.iter().find(|row| row.outcome() == ReplayOutcome::WouldFail).unwrap();
    assert_eq!(failing.would_fail_code, "UNREADABLE_EVENT");
    assert!(bench.broker.messages(WITHDRAWN).is_empty(), "a dry run publishes nothing");

    let done = replay(&bench, by_filter("service = validate", false)).await;
    assert!(done.len() == 1000 && done.iter().all(|row| row.outcome() == ReplayOutcome::Replayed));
    let published = bench.broker.messages(WITHDRAWN);
    let is_handled = |message: &Message| {
        matches!(
            ReportEvent::decode(&message.subject, message.payload.clone()),
            Ok(ReportEvent::Withdrawn(event)) if history::withdrawal(&event, 1, START).is_ok()
        )
    };
    assert_eq!(
        (published.len(), published.iter().filter(|message| is_handled(message)).count()),
        (1000, 960)
    );
    assert!(replay(&bench, by_filter("service = validate", false)).await.is_empty(), "none is open");
    assert_eq!(bench.broker.messages(WITHDRAWN).len(), 1000);
    // The projector buries what names nothing.
    assert_eq!(list(&bench, "state = OPEN AND service != query").await, [other]);
    assert_eq!(list(&bench, "state = REPLAYED AND message_id = s-7.ingest.0").await.len(), 1);
}

#[tokio::test]
async fn a_replay_names_its_first_copy_and_its_dead_letter() {
    let mut bench = Bench::start().await;
    let event = v1::ReportWithdrawn { url: "https://a.example/".into(), ..Default::default() };
    let sequence = bench.publish(Event::ReportWithdrawn, &event).await;
    let logged = bench.runtime().message(STREAM_REPORTS, sequence).await.unwrap().unwrap();
    let known = v1::DeadLetter {
        sequence,
        first_seen_at: Some(timestamp(logged.logged_at)),
        headers: vec![v1::Header { name: "Nats-Msg-Id".into(), value: "s-1.ingest.0".into() }],
        ..withdrawal(1, "https://a.example/")
    };
    let known = bury(&bench, &known).await;
    // Another log had a message of this sequence.
    let lost = v1::DeadLetter {
        sequence,
        first_seen_at: Some(timestamp(START - time::Duration::days(9))),
        ..withdrawal(2, "https://b.example/")
    };
    let lost = bury(&bench, &lost).await;
    let done = replay(&bench, by_name(&[&known, &lost], false)).await;
    let number = known.strip_prefix("deadLetters/").unwrap();
    assert_eq!(done[0].message_id, format!("s-1.ingest.0.replay.{number}"));
    let published = bench.broker.messages(WITHDRAWN);
    let [_, first, second] = &published[..] else { panic!("{published:?}") };
    assert_eq!(first.headers.get(MESSAGE_ID), Some(done[0].message_id.as_str()));
    assert!(first.headers.contains(LINK_HEADER));
    let copy = FirstCopy::of(&first.headers).unwrap();
    assert_eq!(
        (copy.id.as_str(), copy.sequence, copy.logged_at),
        ("s-1.ingest.0", sequence, logged.logged_at)
    );
    assert_eq!(FirstCopy::of(&second.headers), None, "the log has no such message: it counts as new");

    // What fails again names the one before.
    let headers = first.headers.sorted().into_iter();
    let headers = headers.map(|(name, value)| v1::Header { name: name.into(), value: value.into() });
    let message_id = done[0].message_id.clone();
    let failed =
        v1::DeadLetter { headers: headers.collect(), message_id, ..withdrawal(1, "https://a.example/") };
    let failed = bury(&bench, &failed).await;
    let get = async |name: &str| {
        let request = v1::GetDeadLetterRequest { name: name.into() };
        operations(&bench).await.get_dead_letter(request).await.unwrap().into_inner()
    };
    let (before, after) = (get(&known).await, get(&failed).await);
    assert_eq!((before.state(), before.failed_again_as.as_str()), (DeadLetterState::Replayed, &failed[..]));
    assert_eq!(
        (after.state(), after.replay_of.as_str(), after.replays),
        (DeadLetterState::Open, &known[..], 1)
    );
    assert_eq!(list(&bench, "state = OPEN AND replays > 0").await, [failed]);
}

#[tokio::test]
async fn dropping_takes_a_reason_and_keeps_it() {
    let bench = Bench::start().await;
    let (one, two) = (bury(&bench, &withdrawal(1, "")).await, bury(&bench, &withdrawal(2, "")).await);
    let mut client = operations(&bench).await;
    let request = |names: &[&String], reason: &str| v1::DropDeadLettersRequest {
        names: names.iter().map(|name| (*name).clone()).collect(),
        filter: String::new(),
        reason: reason.into(),
        person: "张三".into(),
    };
    for bad in ["", "two\nlines"] {
        let refused = client.drop_dead_letters(request(&[&one], bad)).await.unwrap_err();
        assert_eq!(refused.get_details_error_info().unwrap().reason, "INVALID_TEXT");
    }
    let dropped = client.drop_dead_letters(request(&[&one], "测试报文")).await.unwrap().into_inner();
    assert_eq!((&dropped.dropped, dropped.settled_before), (&vec![one.clone()], 0));
    let again = client.drop_dead_letters(request(&[&one, &two], "重复")).await.unwrap().into_inner();
    assert_eq!((&again.dropped, again.settled_before), (&vec![two], 1));
    let shown = client.get_dead_letter(v1::GetDeadLetterRequest { name: one.clone() }).await.unwrap();
    let shown = shown.into_inner();
    assert_eq!(
        (shown.state(), shown.settled_by.as_str(), shown.settled_reason.as_str(), shown.settled_at),
        (DeadLetterState::Dropped, "张三", "测试报文", Some(timestamp(START)))
    );
    let replayed = replay(&bench, by_name(&[&one], false)).await;
    assert_eq!(replayed[0].outcome(), ReplayOutcome::Settled);
    assert!(bench.broker.messages(WITHDRAWN).is_empty());

    let neither = client.drop_dead_letters(request(&[], "x")).await.unwrap_err();
    assert_eq!(neither.get_details_error_info().unwrap().reason, "INVALID_SELECTION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_reads_the_document_that_parse_would_read() {
    gongkai_isolation::testing::children_run(env!("CARGO_BIN_EXE_gongkai-query"));
    let bench = Bench::start().await;
    let document = |key: &str, kind: i32| v1::DocumentReceived {
        kind,
        content: Some(v1::ContentRef {
            key: key.into(),
            sha256: key.into(),
            filename: "a.txt".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let originals = bench.runtime().objects(subjects::BUCKET_ORIGINALS);
    originals.put("report", gongkai_isolation::testing::REPORT.into()).await.unwrap();
    originals.put("other", "今天天气很好。".into()).await.unwrap();
    let buried = async |n, payload: Vec<u8>| {
        let letter = v1::DeadLetter { payload: payload.into(), ..letter(n, "ATTEMPTS_EXHAUSTED", "") };
        bury(&bench, &letter).await
    };
    buried(1, document("report", 1).encode_to_vec()).await;
    buried(2, document("other", 1).encode_to_vec()).await;
    buried(3, document("gone", 1).encode_to_vec()).await;
    buried(4, v1::DocumentReceived::default().encode_to_vec()).await;
    buried(5, vec![0xff]).await;
    let alert = v1::AlertRaised { alert: Some(v1::Alert { state: 1, ..Default::default() }) };
    let alert = v1::DeadLetter {
        service: "notify".into(),
        subject: "gongkai.v1.alert.360982".into(),
        payload: alert.encode_to_vec().into(),
        ..letter(6, "EXHAUSTED", "")
    };
    bury(&bench, &alert).await;
    let tried = replay(&bench, by_filter("state = OPEN", true)).await;
    let seen: Vec<_> = tried
        .iter()
        .map(|row| (row.outcome(), row.would_fail_code.as_str(), row.explanation.as_str()))
        .collect();
    assert_eq!(seen[0], (ReplayOutcome::WouldPass, "", ""));
    assert_eq!(seen[1], (ReplayOutcome::WouldPass, "", "rejected: NOT_A_REPORT"));
    assert_eq!(seen[2], (ReplayOutcome::WouldFail, "ORIGINAL_MISSING", "no object gone"));
    assert_eq!((seen[3].0, seen[3].1), (ReplayOutcome::WouldFail, "NO_CONTENT"));
    assert_eq!((seen[4].0, seen[4].1), (ReplayOutcome::WouldFail, "UNDECODABLE"));
    assert_eq!(seen[5].0, ReplayOutcome::Uncertain);
}

async fn reprocess(bench: &Bench, request: v1::ReprocessReportsRequest) -> Vec<v1::ReprocessedReport> {
    let stream = operations(bench).await.reprocess_reports(request).await.unwrap().into_inner();
    stream.map(Result::unwrap).collect().await
}

#[tokio::test]
async fn current_documents_are_read_again_as_a_backfill() {
    let mut bench = Bench::start().await;
    for (year, hash, n) in [(2022, "aa", 3), (2023, "bb", 4), (2023, "cc", 5)] {
        bench.validate(&format!("agencies/361001/reports/{year}"), hash, n).await;
    }
    bench.projected().await;
    let all = v1::ReprocessReportsRequest { parent: "agencies/-/reports/-".into(), ..Default::default() };
    let named = reprocess(&bench, v1::ReprocessReportsRequest { validate_only: true, ..all.clone() }).await;
    assert_eq!(named.len(), 2);
    assert!(named.iter().all(|report| report.message_id.is_empty()));
    let backfilled = || bench.broker.messages(&subjects::backfill_filter());
    assert!(backfilled().is_empty());

    let of_year =
        v1::ReprocessReportsRequest { parent: "agencies/361001/reports/2023".into(), ..all.clone() };
    let done = reprocess(&bench, of_year.clone()).await;
    assert_eq!(done[0].name, "agencies/361001/reports/2023");
    assert!(done[0].message_id.contains(&done[0].run_id) && !done[0].run_id.is_empty());
    let published = backfilled();
    let event = ReportEvent::decode(&published[0].subject, published[0].payload.clone()).unwrap();
    let ReportEvent::Received(received) = event else { panic!("{event:?}") };
    let again = received.rereading.unwrap();
    assert_eq!((again.received_sequence, again.filed_as.as_str()), (5, "agencies/361001/reports/2023"));
    assert!(published[0].headers.contains(LINK_HEADER));
    bench.hand.advance(std::time::Duration::from_secs(1));
    reprocess(&bench, of_year).await;
    assert_eq!(backfilled().len(), 2, "another run is not swallowed");

    let late = v1::ReprocessReportsRequest {
        since: Some(timestamp(START + time::Duration::days(99))),
        ..all.clone()
    };
    assert!(reprocess(&bench, late).await.is_empty());
    let checked = v1::ReprocessReportsRequest { stage: v1::Stage::Validate.into(), ..all };
    let checked = reprocess(&bench, checked).await;
    assert!(checked.iter().all(|report| !report.skipped.is_empty()), "validate has no record of them");
}
