//! Reports and withdrawals lead to the same findings in every order, with repetitions, any number of replicas, a
//! broker that fails and loses answers, and a replica that is killed.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gongkai_agencies::{Registry, read_csv};
use gongkai_model::Applicant;
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_rules::RuleSet;
use gongkai_validate::Validator;
use gongkai_worker::{
    Consume, Message, Runtime, Transport,
    transport::{
        Headers, MESSAGE_ID,
        memory::{Fault, Memory, Operation},
    },
};
use proptest::{collection::vec, prelude::*};
use prost::Message as _;
use tokio::{sync::watch, task::JoinHandle};

/// A county's government, its office and a bureau, and a bureau of another county.
const AGENCIES: [(&str, &str); 4] = [
    ("YX", "云溪县人民政府"),
    ("YX-B", "云溪县人民政府办公室"),
    ("YX-D", "云溪县档案局"),
    ("ZZ", "青溪县水务局"),
];
const LIST: &str = "code,name,parent,region\nYX,云溪县人民政府,,360982\nYX-B,云溪县人民政府办公室,YX,360982\n\
                    YX-D,云溪县档案局,YX,360982\n";
/// Sequences up to `FILLING` rank before every withdrawal, and sequences from `LATE` on after every one.
const FILLING: u64 = 60;
const LATE: u64 = 10_000;

/// An input of the stage.
#[derive(Debug, Clone)]
enum Item {
    Report { agency: usize, year: i32, content: u32, site: u8, late: bool },
    Withdrawal { agency: usize, year: i32, site: Option<u8> },
}

/// The order and the faults of a delivery of the inputs.
#[derive(Debug, Clone)]
struct Course {
    order: Vec<usize>,
    replicas: usize,
    faults: Vec<(Operation, bool, u32)>,
    killed_after: Option<usize>,
}

type Said = BTreeMap<String, Vec<String>>;

fn items() -> impl Strategy<Value = Vec<Item>> {
    let report = (0..4_usize, 2021..2024_i32, 0..3_u32, 0..2_u8, any::<bool>())
        .prop_map(|(agency, year, content, site, late)| Item::Report { agency, year, content, site, late });
    let withdrawal = (0..4_usize, 2021..2024_i32, proptest::option::of(0..2_u8))
        .prop_map(|(agency, year, site)| Item::Withdrawal { agency, year, site });
    vec(prop_oneof![5 => report, 1 => withdrawal], 3..9)
}

fn course(count: usize) -> impl Strategy<Value = Course> {
    let operations = [Operation::Publish, Operation::Write, Operation::Read, Operation::Get, Operation::Ack];
    let fault = (prop::sample::select(operations.to_vec()), any::<bool>(), 1..3_u32);
    let twice: Vec<usize> = (0..count).chain(0..count / 2).collect();
    (Just(twice).prop_shuffle(), 1..4_usize, vec(fault, 0..8), proptest::option::of(0..6_usize))
        .prop_map(|(order, replicas, faults, killed_after)| Course { order, replicas, faults, killed_after })
}

fn url(agency: usize, year: i32, site: u8) -> String {
    format!("https://{}.example.gov.cn/{year}/{site}.html", AGENCIES[agency].0)
}

fn fact(concept: &str, applicant: v1::Applicant, value: u32) -> v1::Fact {
    v1::Fact {
        concept: concept.to_owned(),
        applicant: applicant.into(),
        state: v1::CellState::Reported.into(),
        value: Some(value.to_string()),
        ..Default::default()
    }
}

/// Returns facts that agree with some neighbours and not with others.
fn facts(agency: usize, year: i32, content: u32) -> Vec<v1::Fact> {
    let own = u32::try_from(agency).unwrap() * 7 + content;
    let year = u32::try_from(year).unwrap() - 2000;
    let total = v1::Applicant::from(Applicant::Total);
    let plain = v1::Applicant::Unspecified;
    vec![
        fact("proactive.normative_documents.issued", plain, 2 + content),
        fact("proactive.normative_documents.repealed", plain, 1),
        fact("proactive.normative_documents.in_force", plain, 30 + year),
        fact("requests.received", total, 11 + own),
        fact("requests.carried_in", total, 5 + year % 2),
        fact("requests.outcome.total", total, 12 + own),
        fact("requests.carried_out", total, 5 + content % 2),
        fact("disputes.reconsideration.total", plain, 3 + own),
    ]
}

/// Returns a chapter one that is the same for all agencies and different for each content.
fn text(year: i32, content: u32) -> v1::ParsedText {
    let word = |n: u32| char::from_u32(0x4e00 + n % 3000).unwrap();
    let own: String = (0..260).map(|n| word(n * 31 + content * 977)).collect();
    let paragraph = |text: String| v1::TextParagraph { text, ..Default::default() };
    let section = v1::TextSection {
        number: 1,
        title: "一、总体情况".to_owned(),
        paragraphs: vec![paragraph(own), paragraph("以下数据汇总全县行政机关情况，包括各部门。".to_owned())],
        ..Default::default()
    };
    v1::ParsedText { year, sections: vec![section], ..Default::default() }
}

fn text_key(year: i32, content: u32) -> String {
    format!("text-{year}-{content}")
}

fn parsed(agency: usize, year: i32, content: u32, site: u8, received_sequence: u64) -> v1::ReportParsed {
    let (code, name) = AGENCIES[agency];
    let at = prost_types::Timestamp { seconds: i64::from(year - 1969) * 31_557_600 + 2_000_000, nanos: 0 };
    // The report was received before or after every withdrawal, which takes effect when the broker stores it.
    let seconds = if received_sequence < LATE { 0 } else { 4_000_000_000 };
    v1::ReportParsed {
        origin: Some(v1::Origin {
            submission_id: format!("s-{received_sequence}"),
            content_hash: format!("{code}-{year}-{content}"),
            received_sequence,
            received_at: Some(at),
            published_at: Some(at),
            effective_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            url: url(agency, year, site),
            region: "360982".to_owned(),
            ..Default::default()
        }),
        report: Some(v1::ParsedReport {
            name: format!("agencies/{code}/reports/{year}"),
            agency_name: name.to_owned(),
            year,
            form: "2021".to_owned(),
            variant: "standard".to_owned(),
            facts: facts(agency, year, content),
            text: Some(v1::ContentRef { key: text_key(year, content), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn message(item: &Item, at: usize, copy: usize) -> Message {
    let place = u64::try_from(at).unwrap();
    let (event, payload) = match item {
        Item::Report { agency, year, content, site, late } => {
            let received = if *late { LATE + place } else { place + 1 };
            let parsed = parsed(*agency, *year, *content, *site, received);
            (Event::ReportParsed, parsed.encode_to_vec())
        }
        Item::Withdrawal { agency, year, site } => {
            let (code, _) = AGENCIES[*agency];
            let hint = v1::AgencyHint { code: code.to_owned(), ..Default::default() };
            let withdrawn = v1::ReportWithdrawn {
                url: site.map(|site| url(*agency, *year, site)).unwrap_or_default(),
                agency: site.is_none().then_some(hint),
                year: *year,
                ..Default::default()
            };
            (Event::ReportWithdrawn, withdrawn.encode_to_vec())
        }
    };
    let mut headers = Headers::new();
    headers.insert(MESSAGE_ID, &format!("s-{at}.{copy}")).unwrap();
    Message { subject: event.subject("360982".parse().unwrap()), headers, payload: payload.into() }
}

async fn broker() -> Memory {
    let memory = Memory::new();
    memory.declare(&gongkai_proto::topology!()).await.unwrap();
    for n in 0..FILLING {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, &format!("filling-{n}")).unwrap();
        let subject = Event::ReportReceived.subject("360982".parse().unwrap());
        memory.publish(Message { subject, headers, payload: bytes::Bytes::new() }).await.unwrap();
    }
    for year in 2021..2024 {
        for content in 0..3 {
            let objects = memory.objects(subjects::BUCKET_TEXTS);
            objects.put(&text_key(year, content), text(year, content).encode_to_vec().into()).await.unwrap();
        }
    }
    memory
}

fn replica(memory: &Memory) -> JoinHandle<anyhow::Result<()>> {
    let registry: Arc<Registry> = Arc::new(read_csv(LIST.as_bytes()).unwrap());
    let runtime =
        Runtime::builder("validate", Arc::new(memory.clone())).dead_prefix(subjects::DEAD_PREFIX).build();
    tokio::spawn(async move {
        let (_keep, registry) = watch::channel(registry);
        let filters = [Event::ReportParsed.filter(), Event::ReportWithdrawn.filter()];
        let consume = Consume {
            concurrency: Some(4),
            max_attempts: Some(1000),
            ..Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE, filters)
        };
        let checker = Validator::new(&runtime, RuleSet::embedded(), registry);
        runtime.consume(consume, checker).await
    })
}

async fn run(items: &[Item], course: &Course) -> Said {
    let memory = broker().await;
    for (operation, is_lost, times) in &course.faults {
        let fault = if *is_lost { Fault::lose_answer(*operation) } else { Fault::fail(*operation) };
        memory.plan(fault.times(*times));
    }
    let mut replicas: Vec<_> = (0..course.replicas).map(|_| replica(&memory)).collect();
    for (copy, at) in course.order.iter().enumerate() {
        // The sender retries until the broker has stored it, as ingest and parse do.
        while memory.publish(message(&items[*at], *at, copy)).await.is_err() {}
    }
    let count = course.order.len();
    let settled = |memory: &Memory| {
        let state = memory.consumer_state(subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE);
        state.map_or(0, |state| state.settled)
    };
    if let Some(after) = course.killed_after.filter(|after| *after < count) {
        memory.until(|memory| settled(memory) >= after).await;
        replicas.remove(0).abort();
        replicas.push(replica(&memory));
    }
    memory.until(|memory| settled(memory) >= count).await;
    replicas.iter().for_each(JoinHandle::abort);
    assert!(memory.messages("gongkai.v1.dead.>").is_empty(), "nothing is given up");
    said(&memory)
}

/// Returns the findings of highest rank for each report.
fn said(memory: &Memory) -> Said {
    let mut best: BTreeMap<String, v1::ReportValidated> = BTreeMap::new();
    for message in memory.messages(&Event::ReportValidated.filter()) {
        let event = v1::ReportValidated::decode(message.payload).unwrap();
        let name = event.report.as_ref().unwrap().name.clone();
        let is_best = best.get(&name).is_none_or(|known| known.validation < event.validation);
        if is_best && !event.superseded {
            best.insert(name, event);
        }
    }
    let line = |finding: &v1::Finding| {
        let (expected, actual) = (finding.expected.as_deref(), finding.actual.as_deref());
        format!("{} {} {expected:?} {actual:?} {}", finding.rule, finding.severity, finding.message)
    };
    best.into_iter().map(|(name, event)| (name, event.findings.iter().map(line).collect())).collect()
}

fn plainly(items: &[Item]) -> Course {
    Course { order: (0..items.len()).collect(), replicas: 1, faults: Vec::new(), killed_after: None }
}

fn simulated<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let limited = async { tokio::time::timeout(Duration::from_secs(3600), future).await.unwrap() };
    runtime.unwrap().block_on(limited)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_course_ends_in_the_same_findings(
        (items, course) in items().prop_flat_map(|items| {
            let count = items.len();
            (Just(items), course(count))
        })
    ) {
        let expected = simulated(run(&items, &plainly(&items)));
        let actual = simulated(run(&items, &course));
        prop_assert_eq!(actual, expected);
    }
}

fn rules_of(said: &Said, name: &str) -> Vec<String> {
    said[name].iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The property would also hold if no rule about neighbours ever fired; this test shows that some do.
#[test]
fn neighbours_are_held_against_each_other() {
    let report = |agency, year, content, site| Item::Report { agency, year, content, site, late: false };
    let items = [
        report(0, 2021, 1, 0),
        report(0, 2022, 0, 0),
        report(0, 2023, 0, 0),
        report(1, 2022, 2, 0),
        report(2, 2022, 0, 0),
        report(2, 2022, 0, 1),
        report(3, 2021, 0, 0),
        report(3, 2023, 0, 0),
        Item::Withdrawal { agency: 1, year: 2022, site: Some(0) },
    ];
    let said = simulated(run(&items, &plainly(&items)));
    let has = |name: &str, rule: &str| rules_of(&said, name).iter().any(|own| own == rule);
    for (name, rule) in [
        ("agencies/YX/reports/2022", "X-CARRY"),
        ("agencies/YX/reports/2022", "R-LB"),
        ("agencies/YX-B/reports/2022", "V-GONE"),
        ("agencies/YX-D/reports/2022", "V-DUPL"),
        ("agencies/ZZ/reports/2023", "H-SIM-P"),
        ("agencies/ZZ/reports/2023", "X-GAP"),
    ] {
        assert!(has(name, rule), "{name} lacks {rule}: {:?}", rules_of(&said, name));
    }
    assert!(!has("agencies/ZZ/reports/2021", "X-GAP"));
}

/// Three years are missing, whichever report comes first; a report between them closes the gap.
#[test]
fn a_gap_of_several_years_is_told_in_every_order() {
    let report = |year| Item::Report { agency: 3, year, content: 0, site: 0, late: false };
    let gaps = |years: &[i32]| {
        let items: Vec<Item> = years.iter().copied().map(report).collect();
        let said = simulated(run(&items, &plainly(&items)));
        rules_of(&said, "agencies/ZZ/reports/2023").iter().filter(|rule| *rule == "X-GAP").count()
    };
    assert_eq!((gaps(&[2019, 2023]), gaps(&[2023, 2019])), (1, 1));
    assert_eq!((gaps(&[2023, 2022, 2019]), gaps(&[2019, 2022, 2023])), (0, 0));
    // Years further back are not compared.
    assert_eq!(gaps(&[2017, 2023]), 0);
}

/// A late report changes the findings of the next year only.
#[test]
fn a_late_year_changes_the_next_and_only_that_is_said_again() {
    let report = |year| Item::Report { agency: 3, year, content: 0, site: 0, late: false };
    let items = [report(2023), report(2021), report(2022)];
    let said = simulated(async {
        let memory = broker().await;
        let replica = replica(&memory);
        for (at, item) in items.iter().enumerate() {
            memory.publish(message(item, at, 0)).await.unwrap();
            memory
                .until(|memory| {
                    let state = memory.consumer_state(subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE);
                    state.is_some_and(|state| state.settled > at)
                })
                .await;
        }
        replica.abort();
        memory.messages(&Event::ReportValidated.filter())
    });
    let years: Vec<i32> = said
        .into_iter()
        .map(|message| v1::ReportValidated::decode(message.payload).unwrap().report.unwrap().year)
        .collect();
    // After 2021, 2023 lacks a year between; 2022 closes the gap and is compared with both.
    assert_eq!(years, [2023, 2021, 2023, 2022, 2023]);
}
