//! Lists of submissions over gRPC: filters, pages, and what a site's token shows.

use gongkai_ingest::config::{Config, Site};
use gongkai_proto::v1::{
    ListSubmissionsRequest, ListSubmissionsResponse, Receipt, Rejection, SubmissionState,
    submission_service_client::SubmissionServiceClient,
};
use gongkai_worker::Secret;
use prost_types::Timestamp;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::{grpc::served, harness::Harness};

const OPERATOR: &str = "the-token-of-an-operator";
const YUNXI: &str = "the-token-of-yunxi-site";

fn config() -> Config {
    let site = |token: &str| Site {
        source: format!("https://{token}.example"),
        tokens: vec![Secret::new(token)],
        ..Site::default()
    };
    let sites = [("yunxi".to_owned(), site(YUNXI)), ("other".to_owned(), site("the-token-of-another"))];
    Config { tokens: vec![Secret::new(OPERATOR)], sites: sites.into(), ..Config::default() }
}

/// Saves a receipt. Its number is its time of arrival and the last digits of its id.
async fn save(harness: &Harness, number: u8, state: SubmissionState, code: &str, site: &str) {
    let rejection = (!code.is_empty()).then(|| Rejection {
        code: code.into(),
        message: "原因".into(),
        message_en: "the reason".into(),
        ..Rejection::default()
    });
    let receipt = Receipt {
        submission_id: format!("s-{number:032x}"),
        state: state.into(),
        received_at: Some(Timestamp { seconds: i64::from(number), nanos: 0 }),
        rejection,
        site: site.into(),
        sequence: u64::from(number),
        trace_id: format!("{number:032x}"),
        ..Receipt::default()
    };
    harness.receipts.merge(receipt).await.unwrap();
}

async fn list(
    client: &mut SubmissionServiceClient<Channel>,
    token: &str,
    request: ListSubmissionsRequest,
) -> Result<ListSubmissionsResponse, Status> {
    let mut request = Request::new(request);
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    client.list_submissions(request).await.map(tonic::Response::into_inner)
}

/// Returns the numbers of the listed submissions.
async fn numbers(
    client: &mut SubmissionServiceClient<Channel>,
    token: &str,
    request: ListSubmissionsRequest,
) -> Vec<u8> {
    let answer = list(client, token, request).await.unwrap();
    let number = |receipt: &Receipt| u8::from_str_radix(&receipt.submission_id[32..], 16).unwrap();
    answer.submissions.iter().map(number).collect()
}

#[tokio::test]
async fn submissions_are_found_by_state_code_site_and_time() {
    let (harness, mut client, _) = served(config()).await;
    save(&harness, 1, SubmissionState::Rejected, "NEEDS_OCR", "yunxi").await;
    save(&harness, 2, SubmissionState::Rejected, "EMPTY", "other").await;
    save(&harness, 3, SubmissionState::Validated, "", "yunxi").await;
    save(&harness, 4, SubmissionState::Received, "", "").await;
    let all = ListSubmissionsRequest::default();
    assert_eq!(numbers(&mut client, OPERATOR, all.clone()).await, [4, 3, 2, 1]);
    let rejected = ListSubmissionsRequest { states: vec![SubmissionState::Rejected.into()], ..all.clone() };
    let answer = list(&mut client, OPERATOR, rejected).await.unwrap();
    let [second, first] = &answer.submissions[..] else { panic!("{answer:?}") };
    assert_eq!(first.rejection.as_ref().unwrap().message_en, "the reason");
    assert_eq!((first.trace_id.as_str(), first.site.as_str()), (&*format!("{:032x}", 1), "yunxi"));
    assert!(second.status_url.ends_with(&second.submission_id));
    let by_code = ListSubmissionsRequest { rejection_codes: vec!["NEEDS_OCR".into()], ..all.clone() };
    assert_eq!(numbers(&mut client, OPERATOR, by_code).await, [1]);
    let by_site = ListSubmissionsRequest { site: "yunxi".into(), ..all.clone() };
    assert_eq!(numbers(&mut client, OPERATOR, by_site).await, [3, 1]);
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let by_time = ListSubmissionsRequest { since: at(2), until: at(4), ..all.clone() };
    assert_eq!(numbers(&mut client, OPERATOR, by_time).await, [3, 2]);

    // The list follows later changes.
    save(&harness, 4, SubmissionState::Rejected, "NEEDS_OCR", "").await;
    let by_code = ListSubmissionsRequest { rejection_codes: vec!["NEEDS_OCR".into()], ..all };
    for _ in 0..500 {
        if numbers(&mut client, OPERATOR, by_code.clone()).await == [4, 1] {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the change is not listed");
}

#[tokio::test]
async fn pages_follow_one_another_and_a_token_belongs_to_its_request() {
    let (harness, mut client, _) = served(config()).await;
    for number in 1..=5 {
        save(&harness, number, SubmissionState::Received, "", "").await;
    }
    let first = ListSubmissionsRequest { page_size: 2, ..ListSubmissionsRequest::default() };
    let (mut request, mut pages) = (first.clone(), Vec::new());
    loop {
        let answer = list(&mut client, OPERATOR, request.clone()).await.unwrap();
        pages.push(answer.submissions.len());
        request.page_token = answer.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [2, 2, 1]);
    let page_token = list(&mut client, OPERATOR, first).await.unwrap().next_page_token;
    let other =
        ListSubmissionsRequest { site: "yunxi".into(), page_token, ..ListSubmissionsRequest::default() };
    assert_eq!(list(&mut client, OPERATOR, other).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_site_sees_its_own_submissions_only() {
    let (harness, mut client, _) = served(config()).await;
    save(&harness, 1, SubmissionState::Received, "", "yunxi").await;
    save(&harness, 2, SubmissionState::Received, "", "other").await;
    save(&harness, 3, SubmissionState::Received, "", "").await;
    let all = ListSubmissionsRequest::default();
    assert_eq!(numbers(&mut client, YUNXI, all.clone()).await, [1]);
    let foreign = ListSubmissionsRequest { site: "other".into(), ..all.clone() };
    let refused = list(&mut client, YUNXI, foreign).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "NOT_YOURS");
    assert_eq!(list(&mut client, "", all).await.unwrap_err().code(), Code::Unauthenticated);
    let unknown = ListSubmissionsRequest { rejection_codes: vec!["NOTHING".into()], ..Default::default() };
    assert_eq!(list(&mut client, OPERATOR, unknown).await.unwrap_err().code(), Code::InvalidArgument);
}
