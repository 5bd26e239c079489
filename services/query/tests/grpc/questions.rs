//! Reports, revisions, findings, facts: answers and errors.

use gongkai_proto::subjects::{BUCKET_TEXTS, Event};
use gongkai_proto::v1::{self, GetReportRequest, ListReportsRequest};
use gongkai_worker::Transport as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::harness::{Bench, origin};

const A: &str = "agencies/361001/reports/2023";

fn get(name: &str) -> GetReportRequest {
    GetReportRequest { name: name.into(), as_of: None }
}

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info().expect("every error has an ErrorInfo");
    assert_eq!(info.domain, "gongkai");
    assert!(!status.get_details_localized_message().unwrap().message.is_empty());
    (status.code(), info.reason)
}

#[tokio::test]
async fn a_report_comes_out_whole() {
    let mut bench = Bench::start().await;
    bench.validate(A, "aa", 5).await;
    bench.projected().await;
    let mut client = bench.client().await;
    let report = client.get_report(get(A)).await.unwrap().into_inner();
    assert_eq!((report.name.as_str(), report.agency.as_str(), report.year), (A, "agencies/361001", 2023));
    assert_eq!((report.form.as_str(), report.variant.as_str(), report.revision), ("2021", "standard", 1));
    assert_eq!((report.agency_name.as_str(), report.region.as_str()), ("361001街道办事处", "360982"));
    assert_eq!((report.content_hash.as_str(), report.url.as_str()), ("aa", "https://aa.example/"));
    assert_eq!((report.media_type.as_str(), report.trace_id.len()), ("text/html", 32));
    assert_eq!((report.preamble.as_str(), report.sections[0].text.as_str()), ("第5稿", "第一段\n共5条"));
    let values: Vec<_> = report.facts.iter().map(|f| f.value.as_deref()).collect();
    assert_eq!(values, [Some("5.20"), Some("5"), None]);
    let summary = report.findings_summary.unwrap();
    assert_eq!((summary.error, summary.warning, summary.review, summary.info), (1, 1, 0, 1));
    assert!(report.received_at.is_some() && report.published_at.is_none() && !report.withdrawn);
    assert_eq!(report.versions.unwrap().rules, "4");
}

#[tokio::test]
async fn revisions_as_of_and_withdrawal() {
    let mut bench = Bench::start().await;
    bench.validate(A, "aa", 1).await;
    bench.validate(A, "bb", 2).await;
    bench.projected().await;
    let mut client = bench.client().await;
    let request = v1::ListRevisionsRequest { parent: A.into(), page_size: 1, page_token: String::new() };
    let first = client.list_revisions(request.clone()).await.unwrap().into_inner();
    let request = v1::ListRevisionsRequest { page_token: first.next_page_token, ..request };
    let second = client.list_revisions(request).await.unwrap().into_inner();
    let hashes = [&first.revisions[0].content_hash, &second.revisions[0].content_hash];
    assert_eq!((hashes, second.next_page_token.as_str()), ([&"aa".to_owned(), &"bb".to_owned()], ""));
    let (older, newer) = (first.revisions[0].event_time.unwrap(), second.revisions[0].event_time.unwrap());
    assert!(older.seconds < newer.seconds);
    let then = GetReportRequest { as_of: first.revisions[0].received_at, ..get(A) };
    let then = client.get_report(then).await.unwrap().into_inner();
    assert_eq!((then.preamble.as_str(), then.event_time), ("第1稿", Some(older)));
    let gone = v1::ReportWithdrawn { url: "https://bb.example/".into(), ..Default::default() };
    bench.publish(Event::ReportWithdrawn, &gone).await;
    bench.projected().await;
    assert!(client.get_report(get(A)).await.unwrap().into_inner().withdrawn);
}

#[tokio::test]
async fn an_unreadable_cell_has_its_reason_and_the_places_of_both_readings() {
    let mut bench = Bench::start().await;
    let received = bench.receive().await;
    let mut event = bench.validated(received, A, "aa", 3).await;
    let cell = |text: &str, column| v1::Source {
        text: text.into(),
        table: Some(1),
        row: Some(3),
        column: Some(column),
        part: "年报.docx".into(),
        ..Default::default()
    };
    let mut fact = v1::Fact {
        concept: "requests.carried_in".into(),
        applicant: v1::Applicant::Total.into(),
        candidates: vec![cell("7", 8), cell("70", 9)],
        ..Default::default()
    };
    fact.set_state(v1::CellState::Unreadable);
    fact.set_unread_reason(v1::UnreadReason::CutsDiffer);
    event.report.as_mut().unwrap().facts.push(fact.clone());
    bench.publish(Event::ReportValidated, &event).await;
    bench.projected().await;
    let report = bench.client().await.get_report(get(A)).await.unwrap().into_inner();
    assert_eq!(report.facts.last(), Some(&fact));
}

#[tokio::test]
async fn drafts_are_no_revisions_and_rejections_no_reports() {
    let mut bench = Bench::start().await;
    let received = bench.receive().await;
    let mut draft = bench.validated(received, A, "aa", 3).await;
    draft.origin = Some(v1::Origin { kind: v1::DocumentKind::Draft.into(), ..origin(received, "aa") });
    bench.publish(Event::ReportValidated, &draft).await;
    let received = bench.receive().await;
    let rejected = v1::ReportRejected { origin: Some(origin(received, "bb")), ..Default::default() };
    bench.publish(Event::ReportRejected, &rejected).await;
    bench.projected().await;
    let mut client = bench.client().await;
    let status = client.get_report(get(A)).await.unwrap_err();
    assert_eq!(reason(&status), (Code::NotFound, "REPORT_NOT_FOUND".into()));
}

#[tokio::test]
async fn erased_prose_leaves_the_facts() {
    let mut bench = Bench::start().await;
    let received = bench.receive().await;
    let event = bench.validated(received, A, "aa", 4).await;
    bench.broker.objects(BUCKET_TEXTS).delete("aa.4").await.unwrap();
    bench.publish(Event::ReportValidated, &event).await;
    bench.projected().await;
    let report = bench.client().await.get_report(get(A)).await.unwrap().into_inner();
    assert_eq!((report.preamble.as_str(), report.sections.len(), report.facts.len()), ("", 0, 3));
}

#[tokio::test]
async fn an_event_that_cannot_be_is_buried_and_the_next_one_is_not() {
    let mut bench = Bench::start().await;
    let broken = v1::ReportValidated { origin: Some(origin(3, "aa")), ..Default::default() };
    bench.publish(Event::ReportValidated, &broken).await;
    bench.validate(A, "bb", 2).await;
    bench.projected().await;
    assert!(bench.client().await.get_report(get(A)).await.is_ok());
    assert_eq!(
        bench.broker.messages("dead.query").len() + bench.broker.messages("gongkai.v1.dead.>").len(),
        1
    );
}

#[tokio::test]
async fn pages_do_not_shift_when_reports_come_in() {
    let mut bench = Bench::start().await;
    for agency in 361_001..361_006 {
        bench.validate(&format!("agencies/{agency}/reports/2023"), &format!("h{agency}"), 2).await;
    }
    bench.projected().await;
    let mut client = bench.client().await;
    let mut request = ListReportsRequest { parent: "agencies/-".into(), page_size: 2, ..Default::default() };
    let mut seen = Vec::new();
    for extra in 0.. {
        let page = client.list_reports(request.clone()).await.unwrap().into_inner();
        assert!(page.reports.iter().all(|r| r.facts.is_empty() && r.sections.is_empty()));
        seen.extend(page.reports.into_iter().map(|r| r.agency_name));
        for agency in ["360000", "369999"] {
            bench
                .validate(&format!("agencies/{agency}-{extra}/reports/2023"), &format!("{agency}{extra}"), 1)
                .await;
        }
        bench.projected().await;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || extra == 9 {
            break;
        }
    }
    seen.retain(|name| name.starts_with("36100"));
    let expected: Vec<_> = (361_001..361_006).map(|agency| format!("{agency}街道办事处")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn filters_orders_and_wildcards() {
    let mut bench = Bench::start().await;
    for (agency, year, n) in [("361001", 2022, 1), ("361001", 2023, 2), ("361002", 2023, 5)] {
        bench.validate(&format!("agencies/{agency}/reports/{year}"), &format!("h{agency}{year}"), n).await;
    }
    bench.projected().await;
    let mut client = bench.client().await;
    for (parent, filter, order_by, expected) in [
        ("agencies/-", "", "", "361001/2022 361001/2023 361002/2023"),
        ("agencies/361001", "", "year desc", "361001/2023 361001/2022"),
        ("agencies/-", r#"year = 2023 AND agency_name : "361002""#, "", "361002/2023"),
        ("agencies/-", "info > 0", "received_at desc", "361002/2023 361001/2023"),
        ("agencies/-", "withdrawn = true", "", ""),
    ] {
        let request = ListReportsRequest {
            parent: parent.into(),
            filter: filter.into(),
            order_by: order_by.into(),
            ..Default::default()
        };
        let page = client.list_reports(request).await.unwrap().into_inner();
        let names: Vec<_> = page.reports.iter().map(|r| format!("{}/{}", &r.agency[9..], r.year)).collect();
        assert_eq!(names.join(" "), expected, "{parent} {filter} {order_by}");
    }
    for (parent, filter, expected) in [
        ("agencies/-/reports/-", "severity >= WARNING", 6),
        ("agencies/-", r#"rule = "S-SECT""#, 2),
        ("agencies/361001/reports/-", "", 5),
        ("agencies/-/reports/2022", "year = 2023", 0),
    ] {
        let request = v1::ListFindingsRequest {
            parent: parent.into(),
            filter: filter.into(),
            order_by: "severity desc".into(),
            ..Default::default()
        };
        let findings = client.list_findings(request).await.unwrap().into_inner().findings;
        assert_eq!(findings.len(), expected, "{parent} {filter}");
        assert!(findings.windows(2).all(|w| w[0].severity >= w[1].severity));
        assert!(findings.iter().all(|f| f.report.starts_with("agencies/") && f.trace_id.len() == 32));
    }
    for (filter, expected) in [
        ("value > 1.5", 4),
        (r#"concept : "requests." AND state = blank"#, 3),
        ("applicant = total AND value = 5", 1),
    ] {
        let request = v1::QueryFactsRequest {
            parent: "agencies/-".into(),
            filter: filter.into(),
            ..Default::default()
        };
        let facts = client.query_facts(request).await.unwrap().into_inner().facts;
        assert_eq!(facts.len(), expected, "{filter}");
    }
}

#[tokio::test]
async fn errors_have_reasons() {
    let mut bench = Bench::start().await;
    for agency in ["361001", "361002"] {
        bench.validate(&format!("agencies/{agency}/reports/2023"), agency, 2).await;
    }
    bench.projected().await;
    let mut client = bench.client().await;
    let all = ListReportsRequest { parent: "agencies/-".into(), page_size: 1, ..Default::default() };
    let token = client.list_reports(all.clone()).await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    let cases = [
        (ListReportsRequest { page_size: -1, ..all.clone() }, "INVALID_PAGE_SIZE"),
        (ListReportsRequest { parent: "everything".into(), ..all.clone() }, "INVALID_NAME"),
        (ListReportsRequest { filter: "yaer = 1".into(), ..all.clone() }, "INVALID_FILTER"),
        (ListReportsRequest { order_by: "size".into(), ..all.clone() }, "INVALID_ORDER_BY"),
        (ListReportsRequest { page_token: "x".into(), ..all.clone() }, "INVALID_PAGE_TOKEN"),
        (
            ListReportsRequest { page_token: token.clone(), filter: "year = 2023".into(), ..all.clone() },
            "INVALID_PAGE_TOKEN",
        ),
    ];
    for (request, expected) in cases {
        let status = client.list_reports(request).await.unwrap_err();
        assert_eq!(reason(&status), (Code::InvalidArgument, expected.to_owned()));
        assert!(!status.get_details_bad_request().unwrap().field_violations.is_empty());
    }
    let filter = ListReportsRequest { filter: "year = 2023 AND yaer = 1".into(), ..all.clone() };
    let info = client.list_reports(filter).await.unwrap_err().get_details_error_info().unwrap();
    assert_eq!(info.metadata["position"], "17");
    // A token is valid with another page size.
    let more = ListReportsRequest { page_token: token, page_size: 9, ..all };
    assert_eq!(client.list_reports(more).await.unwrap().into_inner().reports.len(), 1);
    for name in ["agencies/-/reports/2023", "agencies/361001", ""] {
        let status = client.get_report(get(name)).await.unwrap_err();
        assert_eq!(reason(&status), (Code::InvalidArgument, "INVALID_NAME".into()));
    }
    let as_of = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    let status = client.get_report(GetReportRequest { as_of, ..get(A) }).await.unwrap_err();
    assert_eq!(reason(&status), (Code::InvalidArgument, "INVALID_TIME".into()));
    let missing = v1::ListRevisionsRequest { parent: "agencies/x/reports/2023".into(), ..Default::default() };
    let status = client.list_revisions(missing).await.unwrap_err();
    assert_eq!(reason(&status), (Code::NotFound, "REPORT_NOT_FOUND".into()));
}
