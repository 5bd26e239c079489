//! Services that start over a lost store report the loss.

use std::time::Instant;

use gongkai_proto::{
    subjects,
    v1::{
        GetSubmissionRequest, ListAgenciesRequest, ListReportsRequest,
        agency_service_client::AgencyServiceClient, report_service_client::ReportServiceClient,
        submission_service_client::SubmissionServiceClient,
    },
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::harness::{NOTICED, accepted, all_say, context, refused, repaired, serves};

fn reason(status: &Status) -> (Code, String) {
    let info = status.get_error_details().error_info().cloned();
    (status.code(), info.map(|info| info.reason).unwrap_or_default())
}

/// Polls until the answer is that the store is lost.
async fn reads_say_that_the_store_is_lost(deployment: &Deployment) {
    let lost = (Code::Unavailable, "STORE_LOST".to_owned());
    let started = Instant::now();
    let mut reports = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    loop {
        let request = ListReportsRequest { parent: "agencies/-".to_owned(), ..Default::default() };
        let answer = reports.list_reports(request).await;
        if answer.as_ref().is_err_and(|status| reason(status) == lost) {
            return;
        }
        assert!(started.elapsed() < NOTICED, "{answer:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_start_over_a_lost_log_answer_that_it_is_lost() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    let before = accepted(&deployment, 1).await;
    let submission_id = before["submission_id"].as_str().unwrap().to_owned();
    context(&mut deployment).await.delete_stream(subjects::STREAM_REPORTS).await.unwrap();
    all_say(&deployment, "stream GONGKAI_REPORTS is missing").await;
    reads_say_that_the_store_is_lost(&deployment).await;

    for service in ["ingest", "query", "parse"] {
        deployment.kill_and_restart(service);
    }
    all_say(&deployment, "stream GONGKAI_REPORTS is missing").await;
    let started = Instant::now();
    while http::get(&format!("{}/v1/submissions/{submission_id}", deployment.ingest())).await.is_err() {
        assert!(started.elapsed() < NOTICED, "ingest does not listen");
    }
    refused(&deployment, 2).await;
    let lost = (Code::Unavailable, "STORE_LOST".to_owned());
    let address = format!("http://{}", deployment.submissions());
    let mut submissions = SubmissionServiceClient::connect(address).await.unwrap();
    let request = GetSubmissionRequest { submission_id };
    assert_eq!(reason(&submissions.get_submission(request).await.unwrap_err()), lost);
    reads_say_that_the_store_is_lost(&deployment).await;
    let mut agencies = AgencyServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let refused = agencies.list_agencies(ListAgenciesRequest::default()).await.unwrap_err();
    assert_eq!(reason(&refused), lost, "no list is another answer than an empty one");

    repaired(&deployment, "stream GONGKAI_REPORTS", "MISSING").await;
    let receipt = accepted(&deployment, 1).await;
    serves(&deployment, receipt["revision"].as_str().unwrap()).await;
}
