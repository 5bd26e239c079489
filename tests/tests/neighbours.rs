//! Reports held against each other by real processes over a real broker: two years of a county's agencies, in two orders,
//! with two replicas of validate and both killed in the middle, end in the same findings; and the registry on its way from
//! a list to the reports' names.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{collections::BTreeMap, time::Duration};

use gongkai_proto::v1::{
    GetAgencyRequest, ImportAgenciesRequest, ListAgenciesRequest, ListFindingsRequest, ListReportsRequest,
    agency_service_client::AgencyServiceClient, report_service_client::ReportServiceClient,
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http, samples,
};

const NAMES: [&str; 5] =
    ["云溪县人民政府", "云溪县档案局", "云溪县教育局", "云溪县水务局", "云溪县鹿江街道办事处"];
const STRANGER: &str = "青溪县民政局";
const LIST: &str = "代码,名称,上级代码\nYX,云溪县人民政府,\nYX-1,云溪县档案局,YX\nYX-2,云溪县教育局,YX\n\
                    YX-3,云溪县水务局,YX\nYX-4,云溪县鹿江街道办事处,YX\n";

type Findings = BTreeMap<String, Vec<String>>;

/// A clean report with another agency, year and number of licences.
fn document(agency: &str, year: i32) -> Vec<u8> {
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("05_")).unwrap();
    let text = String::from_utf8(sample.bytes()).unwrap();
    let licences = 100 + agency.len() * 7 + usize::try_from(year).unwrap() % 10;
    let text = text.replace("云溪县住房和城乡建设局", agency).replace("2023", &year.to_string());
    text.replace("| 行政许可 | 1764 |", &format!("| 行政许可 | {licences} |")).into_bytes()
}

async fn submit(deployment: &Deployment, agency: &str, year: i32) -> String {
    let url = format!("{}/v1/reports?filename=report.md", deployment.ingest());
    let answer = http::post(&url, "text/markdown", document(agency, year)).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json["submission_id"].as_str().unwrap().to_owned()
}

async fn import(deployment: &Deployment) {
    let mut client = AgencyServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let wrong = ImportAgenciesRequest { csv: "code,name\nA,甲\nA,乙\n".into(), validate_only: false };
    let refused = client.import_agencies(wrong).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
    let csv = LIST.as_bytes().to_vec();
    let request = ImportAgenciesRequest { csv: csv.into(), validate_only: false };
    assert_eq!(client.import_agencies(request).await.unwrap().into_inner().agencies, 5);
    // Services follow within moments; query is one of them.
    for _ in 0..200 {
        let request = GetAgencyRequest { name: "agencies/YX-4".to_owned() };
        if let Ok(agency) = client.get_agency(request).await {
            let agency = agency.into_inner();
            assert_eq!((agency.level.as_str(), agency.parent.as_str()), ("town", "agencies/YX"));
            tokio::time::sleep(Duration::from_secs(2)).await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the registry did not reach query");
}

/// All findings, once they stay as they are.
async fn findings(deployment: &Deployment, reports: usize) -> Findings {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let (mut before, mut same) = (Findings::new(), 0);
    for _ in 0..600 {
        let all =
            ListReportsRequest { parent: "agencies/-".to_owned(), page_size: 1000, ..Default::default() };
        let names = client.list_reports(all).await.unwrap().into_inner().reports;
        let mut now: Findings = names.into_iter().map(|report| (report.name, Vec::new())).collect();
        let request = ListFindingsRequest {
            parent: "agencies/-/reports/-".to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let response = client.list_findings(request).await.unwrap().into_inner();
        assert!(response.next_page_token.is_empty(), "one page holds them");
        for finding in response.findings {
            let line = format!(
                "{} {} {:?} {:?} {}",
                finding.rule, finding.severity, finding.expected, finding.actual, finding.message
            );
            now.entry(finding.report).or_default().push(line);
        }
        same = if now == before && now.len() == reports { same + 1 } else { 0 };
        if same > 40 {
            return now;
        }
        before = now;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("findings do not come to rest: {} of {reports} reports", before.len());
}

async fn run(order: &[(&str, i32)], killed: bool) -> Findings {
    let mut deployment = Deployment::start(&Plan { replicas: 2, ..Plan::default() }).await;
    import(&deployment).await;
    let mut submissions = Vec::new();
    for (at, (agency, year)) in order.iter().enumerate() {
        submissions.push(submit(&deployment, agency, *year).await);
        if killed && at == order.len() / 2 {
            deployment.kill_and_restart("validate");
        }
    }
    deployment.ready().await;
    for submission in &submissions {
        let receipt = http::settled(&deployment.ingest(), submission).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
    }
    let found = findings(&deployment, order.len()).await;
    provisional_agencies_are_listed_for_a_person(&deployment).await;
    found
}

async fn provisional_agencies_are_listed_for_a_person(deployment: &Deployment) {
    let mut client = AgencyServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let list = |filter: &str| ListAgenciesRequest { filter: filter.to_owned(), ..Default::default() };
    let listed = client.list_agencies(list("")).await.unwrap().into_inner().agencies;
    assert_eq!(listed.len(), NAMES.len());
    let unknown = client.list_agencies(list("provisional = true")).await.unwrap().into_inner().agencies;
    let names: Vec<&str> = unknown.iter().map(|agency| agency.display_name.as_str()).collect();
    assert_eq!(names, [STRANGER]);
    assert!(unknown[0].name.starts_with("agencies/p-"), "{}", unknown[0].name);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_orders_two_replicas_and_a_kill_end_in_the_same_findings() {
    let all = || NAMES.into_iter().chain([STRANGER]);
    let plain: Vec<(&str, i32)> =
        [2022, 2023].into_iter().flat_map(|year| all().map(move |name| (name, year))).collect();
    let mut shuffled = plain.clone();
    shuffled.reverse();
    shuffled.rotate_left(5);
    let expected = run(&plain, false).await;
    let actual = run(&shuffled, true).await;
    let rules = |name: &str| -> Vec<&str> {
        expected[name].iter().filter_map(|line| line.split(' ').next()).collect()
    };
    for rule in ["X-CARRY", "H-SIM-Y"] {
        assert!(
            rules("agencies/YX-1/reports/2023").contains(&rule),
            "{:?}",
            rules("agencies/YX-1/reports/2023")
        );
    }
    assert!(!rules("agencies/YX-1/reports/2022").contains(&"X-CARRY"));
    assert!(
        rules("agencies/YX/reports/2023").contains(&"R-SCOPE"),
        "{:?}",
        rules("agencies/YX/reports/2023")
    );
    assert_eq!(actual, expected);
}
