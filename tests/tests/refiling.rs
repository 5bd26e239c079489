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
    neighbourhood::{Neighbourhood, SOON, Turn, document, import_by_command, submit},
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

/// The findings are those of an earlier list, although query and validate die while the list is imported.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_changes_nothing() {
    let neighbourhood = Neighbourhood::of(AGENCIES);
    let turns = neighbourhood.turns();
    let expected = neighbourhood.run(&turns, false).await;
    let plan = Plan { replicas: 2, config: SOON.to_owned(), ..Plan::default() };
    let mut deployment = Deployment::start(&plan).await;
    let actual = neighbourhood.run_refiled_and_killed(&mut deployment, &turns).await;
    assert_eq!(actual, expected);
    let again = import_by_command(&deployment, &neighbourhood.registry());
    assert!(again.contains("no report moves") && !again.contains("other documents"), "{again}");
}

/// The list changes nothing but who stands under whom.
#[tokio::test(flavor = "multi_thread")]
async fn other_parents_and_siblings_lead_to_the_findings_that_they_would_have_led_to() {
    let neighbourhood = Neighbourhood::of(AGENCIES);
    let turns = neighbourhood.turns();
    let expected = neighbourhood.run(&turns, false).await;
    let deployment = Deployment::start(&Plan { replicas: 2, ..Plan::default() }).await;
    let actual = neighbourhood.run_after_another_list(&deployment, &turns).await;
    assert_eq!(actual, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_rejected_for_want_of_an_agency_is_read_again() {
    let deployment = Deployment::start(&Plan::default()).await;
    let ingest = deployment.ingest();
    let url = format!("{ingest}/v1/reports?filename=report.md&agency_code=YX-1");
    let answer = http::post(&url, "text/markdown", document(&Turn::of("本机关", 2023))).await.unwrap();
    let submission = answer.json["submission_id"].as_str().unwrap().to_owned();
    let receipt = http::settled(&ingest, &submission).await;
    assert_eq!(receipt["rejection"]["code"], "NO_IDENTITY", "{receipt}");
    let other = import_by_command(&deployment, "code,name\nYX-2,云溪县水务局\n");
    assert!(!other.contains(&submission), "{other}");
    let list = "code,name\nYX-1,云溪县档案局\nYX-2,云溪县水务局\n";
    let said = import_by_command(&deployment, list);
    assert!(said.contains(&format!("{submission}  曾被拒绝")), "{said}");
    for _ in 0..400 {
        let receipt = http::get(&format!("{ingest}/v1/submissions/{submission}")).await.unwrap().json;
        if receipt["state"] == "validated" {
            assert_eq!(receipt["report"], "agencies/YX-1/reports/2023");
            assert_eq!(receipt["rejection"], serde_json::Value::Null);
            let again = import_by_command(&deployment, list);
            assert!(!again.contains(&submission), "{again}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it stays rejected");
}

/// Sites with a token each, and the limits of two of them.
fn sites() -> String {
    let limits = [("by-agency", "agencies = [\"YX-1\"]"), ("by-region", "regions = [\"3609\"]")];
    let sites = limits.into_iter().chain([("first", ""), ("second", "")]);
    let section = |(site, limit)| {
        let token = token(site);
        format!(
            "[ingest.sites.{site}]\nsource = \"https://{site}.example\"\ntokens = [\"{token}\"]\n{limit}\n"
        )
    };
    sites.map(section).collect()
}

fn token(site: &str) -> String {
    format!("{site}-0123456789abcdef0123456789abcdef")
}

/// Submits the report of an agency for a site. Returns the submission's id and its rejection's code, if any.
async fn submit_for(deployment: &Deployment, site: &str, agency: &str, query: &str) -> (String, String) {
    let url = format!("{}/v1/reports?filename=report.md{query}", deployment.ingest());
    let body = document(&Turn::of(agency, 2023));
    let request = http::client().post(url).header("content-type", "text/markdown").bearer_auth(token(site));
    let answer = http::answer(request.body(body)).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);
    let submission = answer.json["submission_id"].as_str().unwrap().to_owned();
    let receipt = http::settled(&deployment.ingest(), &submission).await;
    (submission, receipt["rejection"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A list may settle whose report a document is: by the agency's code, by its region, or because two bodies have one name.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_were_not_their_senders_are_read_again() {
    let deployment = Deployment::start(&Plan { config: sites(), ..Plan::default() }).await;
    let before = "code,name,region\nSQ-1,石桥县教育局,361000\n";
    let _said = import_by_command(&deployment, before);
    let first = submit_for(&deployment, "first", "云溪县水务局", "&agency_code=W-1").await;
    assert_eq!(first.1, "");
    let mut submissions = Vec::new();
    for (site, agency, query) in [
        ("by-agency", "云溪县档案局", ""),
        ("by-region", "石桥县教育局", ""),
        ("second", "云溪县水务局", "&agency_code=W-2"),
        ("by-agency", "云溪县民政局", ""),
    ] {
        let (submission, code) = submit_for(&deployment, site, agency, query).await;
        assert_eq!(code, "NOT_YOURS", "{site} {agency}");
        submissions.push(submission);
    }
    let list = "code,name,region\nSQ-1,石桥县教育局,360999\nYX-1,云溪县档案局,\nW-1,云溪县水务局,\nW-2,云溪县水务局,\n";
    let said = import_by_command(&deployment, list);
    for submission in &submissions {
        assert!(said.contains(&format!("{submission}  曾被拒绝")), "{said}");
    }
    let expected = [("validated", "YX-1"), ("validated", "SQ-1"), ("validated", "W-2"), ("rejected", "")];
    for (submission, (state, agency)) in submissions.iter().zip(expected) {
        let url = format!("{}/v1/submissions/{submission}", deployment.ingest());
        let mut receipt = serde_json::Value::Null;
        for _ in 0..400 {
            receipt = http::get(&url).await.unwrap().json;
            if receipt["state"] == state {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let report =
            if agency.is_empty() { String::new() } else { format!("agencies/{agency}/reports/2023") };
        assert_eq!(
            (&receipt["state"], receipt["report"].as_str().unwrap_or_default()),
            (&state.into(), report.as_str())
        );
    }
    let again = import_by_command(&deployment, list);
    assert!(!submissions.iter().any(|submission| again.contains(submission)), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiver_moves_with_its_report_and_nobody_is_told() {
    let deployment = Deployment::start(&Plan::default()).await;
    let turn = Turn::of("云溪县第1街道办事处", 2023);
    let receipt = http::settled(&deployment.ingest(), &submit(&deployment, &turn).await).await;
    let query = format!("http://{}", deployment.query());
    let gongkai = |arguments: &[&str]| {
        let output = deployment.gongkai(&[arguments, &["--query", &query, "--format", "json"]].concat());
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let report = receipt["report"].as_str().unwrap();
    let mut findings = Vec::new();
    for _ in 0..400 {
        findings = gongkai(&["findings", report]);
        if !findings.is_empty() && deployment.messages(STREAM_ALERTS).await > Some(0) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let finding = findings.iter().find(|finding| finding["severity"] == "ERROR").expect("the sample has one");
    let name = format!("{report}/findings/{}", finding["fingerprint"].as_str().unwrap());
    let decision = ["--reason", "已核实", "--person", "张三", "--until", "2030-06-30", "--query", &query];
    let created = deployment.gongkai(&[&["waivers", "create", name.as_str()], &decision[..]].concat());
    assert!(created.status.success(), "{created:?}");
    let waived = |report: &str| {
        let all = gongkai(&["findings", report, "--filter", "waived = true"]);
        all.iter().map(|finding| finding["rule"].clone()).collect::<Vec<_>>()
    };
    until(|| waived(report) == [finding["rule"].clone()]).await;
    let told = deployment.messages(STREAM_ALERTS).await;
    let _said = import_by_command(&deployment, &format!("code,name\nYX-1,{}\n", turn.agency));
    let moved = "agencies/YX-1/reports/2023";
    until(|| waived(moved) == [finding["rule"].clone()]).await;
    let waivers = gongkai(&["waivers", "list", moved]);
    assert_eq!((waivers.len(), &waivers[0]["person"]), (1, &"张三".into()), "{waivers:?}");
    until(|| gongkai(&["waivers", "list", report])[0]["state"] == "revoked").await;
    assert_eq!(deployment.messages(STREAM_ALERTS).await, told, "nobody is told of a finding that is waived");
}

/// Waits until a question to the deployment has this answer.
async fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it does not happen");
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
