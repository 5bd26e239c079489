//! Reports that are compared with each other, by real processes over a real broker. Two years of three counties'
//! agencies have the same final findings in two orders, with two replicas of validate that are killed in the middle.
//! Also the registry, from a list to the names of reports.

use gongkai_proto::v1::{
    GetAgencyRequest, ImportAgenciesRequest, ListAgenciesRequest, agency_service_client::AgencyServiceClient,
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    lives::Lives,
    neighbourhood::{Neighbourhood, Turn, shuffled, submit},
};

/// Three bodies in each of three counties; `cargo run -p gongkai-tests --bin orders` uses hundreds.
const AGENCIES: usize = 9;
const STRANGER: &str = "梅溪县民政局";

#[tokio::test(flavor = "multi_thread")]
async fn two_orders_two_replicas_and_a_kill_end_in_the_same_findings() {
    let neighbourhood = Neighbourhood::of(AGENCIES);
    let turns = neighbourhood.turns();
    let expected = neighbourhood.run(&turns, false).await;
    let actual = neighbourhood.run(&shuffled(&turns, 1), true).await;
    let rules = |name: &str| -> Vec<&str> {
        expected[name].iter().filter_map(|line| line.split(' ').next()).collect()
    };
    let (own, county) = (rules("agencies/C0-0001/reports/2023"), rules("agencies/C0-0000/reports/2023"));
    for rule in ["X-CARRY", "H-SIM-Y"] {
        assert!(own.contains(&rule), "{rule}: {own:?}");
    }
    assert!(!rules("agencies/C0-0001/reports/2022").contains(&"X-CARRY"));
    assert!(county.contains(&"R-SCOPE"), "{county:?}");
    assert_eq!(actual, expected);
}

/// The broker redelivers the messages that a killed process had in work. Until then, an answer of its read model that does
/// not change is not final.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_whose_process_was_killed_after_the_last_event_becomes_what_the_times_say() {
    let lives = Lives::of(4);
    // The run of this seed kills query after the last event.
    let found = lives.run(&lives.shuffled(2), 2).await;
    assert_eq!(lives.wrong(&found), 0, "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_gives_reports_their_names_and_strangers_are_listed_for_a_person() {
    let deployment = Deployment::start(&Plan::default()).await;
    let mut client = AgencyServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let wrong = ImportAgenciesRequest { csv: "code,name\nA,甲\nA,乙\n".into(), validate_only: false };
    let refused = client.import_agencies(wrong).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");

    let neighbourhood = Neighbourhood::of(AGENCIES);
    neighbourhood.import(&deployment).await;
    let request = GetAgencyRequest { name: "agencies/C0-0001".to_owned() };
    let agency = client.get_agency(request).await.unwrap().into_inner();
    assert_eq!((agency.level.as_str(), agency.parent.as_str()), ("town", "agencies/C0-0000"));
    for (name, expected) in [("云溪县第1街道办事处", "agencies/C0-0001/"), (STRANGER, "agencies/p-")]
    {
        let submission = submit(&deployment, &Turn::of(name, 2023)).await;
        let receipt = http::settled(&deployment.ingest(), &submission).await;
        assert!(receipt["report"].as_str().unwrap().starts_with(expected), "{receipt}");
    }
    let list = |filter: &str| ListAgenciesRequest { filter: filter.to_owned(), ..Default::default() };
    let listed = client.list_agencies(list("")).await.unwrap().into_inner().agencies;
    assert_eq!(listed.len(), AGENCIES);
    let mut names = Vec::new();
    for _ in 0..200 {
        let unknown = client.list_agencies(list("provisional = true")).await.unwrap().into_inner().agencies;
        names = unknown.into_iter().map(|agency| agency.display_name).collect();
        if !names.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(names, [STRANGER]);
}
