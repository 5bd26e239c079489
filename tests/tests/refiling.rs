//! A list of agencies that is imported over stored reports: they move to its codes and have the findings that they would have if
//! the list had been there first. Nobody is told again what they were told.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use gongkai_proto::{
    subjects::STREAM_ALERTS,
    v1::{GetReportRequest, report_service_client::ReportServiceClient},
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    neighbourhood::{Neighbourhood, Turn, import_by_command, submit},
};
use tonic_types::StatusExt as _;

/// Two bodies in each of three counties.
const AGENCIES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_later_list_leads_to_the_same_findings_as_an_earlier_one() {
    let neighbourhood = Neighbourhood::of(AGENCIES);
    let turns = neighbourhood.turns();
    let expected = neighbourhood.run(&turns, false).await;
    let deployment = Deployment::start(&Plan { replicas: 2, ..Plan::default() }).await;
    let (actual, said) = neighbourhood.run_refiled(&deployment, &turns).await;
    assert_eq!(actual.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert_eq!(actual, expected);
    assert_eq!(said.matches(" → ").count(), turns.len(), "{said}");
    assert!(said.contains(&format!("{} reports move", turns.len())), "{said}");
    let again = import_by_command(&deployment, &neighbourhood.registry());
    assert!(again.contains("no report moves"), "{again}");
}

/// The reason and the metadata of the error for a report that is not there, once it is not.
async fn absence(deployment: &Deployment, name: &str) -> (String, String) {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    for _ in 0..400 {
        if let Err(status) = client.get_report(GetReportRequest { name: name.to_owned(), as_of: None }).await
        {
            let info = status.get_details_error_info().unwrap();
            return (info.reason, info.metadata.get("moved_to").cloned().unwrap_or_default());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{name} stays where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_name_says_where_the_report_went_and_the_document_is_known() {
    let deployment = Deployment::start(&Plan::default()).await;
    let (turn, ingest) = (Turn::of("云溪县第1街道办事处", 2023), deployment.ingest());
    let submission = submit(&deployment, &turn).await;
    let receipt = http::settled(&ingest, &submission).await;
    let first = receipt["report"].as_str().unwrap().to_owned();
    let told = deployment.messages(STREAM_ALERTS).await;
    let list = |code: &str| format!("code,name\n{code},{}\n", turn.agency);
    let dry = {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("agencies.csv");
        std::fs::write(&file, list("YX-1")).unwrap();
        let query = format!("http://{}", deployment.query());
        let file = file.display().to_string();
        deployment.gongkai(&["agencies", "import", &file, "--dry-run", "--query", &query])
    };
    let dry = String::from_utf8(dry.stdout).unwrap();
    assert!(dry.contains(&format!("{first} → agencies/YX-1/reports/2023")), "{dry}");

    // To a code, to another, and back.
    let mut before = first;
    for code in ["YX-1", "YX-2", "YX-1"] {
        let said = import_by_command(&deployment, &list(code));
        let after = format!("agencies/{code}/reports/2023");
        assert!(said.contains(&format!("{before} → {after}")), "{said}");
        assert_eq!(absence(&deployment, &before).await, ("MOVED".to_owned(), after.clone()));
        before = after;
    }
    let receipt = http::get(&format!("{ingest}/v1/submissions/{submission}")).await.unwrap().json;
    assert_eq!((&receipt["report"], &receipt["state"]), (&before.as_str().into(), &"validated".into()));
    let again = submit(&deployment, &turn).await;
    assert_eq!(again, submission, "the content stands");
    assert_eq!(deployment.messages(STREAM_ALERTS).await, told, "nobody is told again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_withdrawn_by_its_name_stays_withdrawn_under_its_new_one() {
    let deployment = Deployment::start(&Plan::default()).await;
    let (turn, ingest) = (Turn::of("云溪县第1街道办事处", 2023), deployment.ingest());
    let submission = submit(&deployment, &turn).await;
    let receipt = http::settled(&ingest, &submission).await;
    let event = serde_json::json!({"specversion": "1.0", "type": "gongkai.report.withdrawn.v1", "id": "w",
        "source": "https://www.yunxi.example", "data": {"agency": {"name": turn.agency}, "year": 2023,
            "url": "https://www.yunxi.example/elsewhere.html"}});
    let body = event.to_string().into_bytes();
    let answer = http::post(&format!("{ingest}/v1/events"), "application/cloudevents+json", body).await;
    assert_eq!(answer.unwrap().json["withdrawal"]["hit"], "report");
    let _said = import_by_command(&deployment, &format!("code,name\nYX-1,{}\n", turn.agency));
    let before = receipt["report"].as_str().unwrap();
    assert_eq!(absence(&deployment, before).await.1, "agencies/YX-1/reports/2023");
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    for _ in 0..400 {
        let request = GetReportRequest { name: "agencies/YX-1/reports/2023".to_owned(), as_of: None };
        if client.get_report(request).await.unwrap().into_inner().withdrawn {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it stands again");
}
