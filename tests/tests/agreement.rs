//! Ingest, validate, notify and the read model each keep their own record of a report. They handle the same random
//! events, each in an order of its own and with repetitions. In the end they agree on which content is current, and it
//! is what the oracle expects.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

#[path = "support/stands.rs"]
mod stands;

use std::{collections::BTreeSet, sync::Arc};

use gongkai_agencies::Registry;
use gongkai_ingest::progress::Stages;
use gongkai_model::{ReportKey, Severity, effective_at};
use gongkai_notify::alerts::Alerter;
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::{time, timestamp},
    subjects::{self, Event},
    v1,
};
use gongkai_query::{notifier::ChangeNotifier, projector::Projector};
use gongkai_rules::RuleSet;
use gongkai_store::{
    Store,
    sqlite::{Options, SqliteStore},
};
use gongkai_tests::facts::{Entry, Withdrawn, arrived, expected};
use gongkai_validate::Validator;
use gongkai_worker::{
    Context, Handler, Message, Runtime, Transport,
    transport::{Headers, MESSAGE_ID, memory::Memory},
};
use proptest::{collection::vec, prelude::*, sample::select};
use prost::Message as _;
use time::{Duration, OffsetDateTime, macros::datetime};
use tokio::sync::watch;

/// There are few of each, so that random events collide: copies, repeated contents, reports at one address.
const AGENCIES: [&str; 2] = ["361001", "361002"];
const YEAR: i32 = 2023;
const CONTENTS: [&str; 2] = ["aa", "bb"];
const URLS: [&str; 3] = ["", "https://a.example.gov.cn/1.html", "https://a.example.gov.cn/2.html"];

fn reports() -> Vec<ReportKey> {
    AGENCIES.map(|agency| format!("agencies/{agency}/reports/{YEAR}").parse().unwrap()).to_vec()
}

/// Returns an arrival that takes effect when it enters the log, once [`timed`].
fn arrival(report: ReportKey, content: &str, url: &str) -> Entry {
    let (content, url) = (content.to_owned(), url.to_owned());
    Entry::Arrival { report, content, url, effective_at: logged_at(0) }
}

fn withdrawn(report: Option<ReportKey>, code: &str, name: &str, year: i32, url: &str) -> Entry {
    let [code, name, url] = [code, name, url].map(str::to_owned);
    Entry::Withdrawal(Withdrawn { report, code, name, year, url, effective_at: logged_at(0) })
}

/// An entry and the minute of its sender's time, if it has one.
type Said = (Entry, Option<u64>);

/// Returns the sequence of each entry in the log.
fn sequences(entries: &[Said]) -> Vec<u64> {
    let places = |entry: &Entry| if matches!(entry, Entry::Arrival { .. }) { 2 } else { 1 };
    let next = |next: &mut u64, (entry, _): &Said| Some(std::mem::replace(next, *next + places(entry)));
    entries.iter().scan(1, next).collect()
}

/// Returns the entries with their effective times.
fn timed(entries: &[Said]) -> Vec<Entry> {
    let effective = |(sequence, (entry, said)): (u64, &Said)| {
        let mut entry = entry.clone();
        let at = effective_at(said.map(logged_at), logged_at(sequence));
        match &mut entry {
            Entry::Arrival { effective_at, .. } => *effective_at = at,
            Entry::Withdrawal(withdrawn) => withdrawn.effective_at = at,
            Entry::Erasure(_) => {}
        }
        entry
    };
    sequences(entries).into_iter().zip(entries).map(effective).collect()
}

fn untimed(entries: impl IntoIterator<Item = Entry>) -> Vec<Said> {
    entries.into_iter().map(|entry| (entry, None)).collect()
}

fn entry() -> impl Strategy<Value = Said> {
    let published = (select(reports()), select(CONTENTS.to_vec()), select(URLS.to_vec()))
        .prop_map(|(report, content, url)| arrival(report, content, url));
    // The report is resolved, or given by code, by a malformed code, by a name that two registries might resolve
    // differently, or not at all.
    let agency =
        (select(vec!["", "361001", "361002", "36 10/01", "长".repeat(30).leak()]), select(vec!["", "某局"]));
    let taken_down = (
        proptest::option::of(select(reports())),
        agency,
        select(vec![0, YEAR - 1, YEAR]),
        select(URLS.to_vec()),
    )
        .prop_map(|(report, (code, name), year, url)| withdrawn(report, code, name, year, url));
    let erased = select(reports()).prop_map(Entry::Erasure);
    // The sender's time may be after the last entry of a story.
    (prop_oneof![6 => published, 4 => taken_down, 1 => erased], proptest::option::of(0..20_u64))
}

/// Generates a story, and for each of the four consumers an order of its events.
fn story() -> impl Strategy<Value = (Vec<Said>, [Vec<usize>; 4])> {
    vec(entry(), 2..9).prop_flat_map(|entries| {
        // Indices of events. The range includes the validated events, which are added later; excess indices are
        // ignored.
        let order = || Just((0..60_usize).collect::<Vec<_>>()).prop_shuffle();
        (Just(entries), [order(), order(), order(), order()])
    })
}

/// A message of the log.
#[derive(Debug, Clone)]
struct Logged {
    sequence: u64,
    subject: String,
    id: String,
    payload: prost::bytes::Bytes,
}

/// Returns when the log stored a message: it stores one per minute.
fn logged_at(sequence: u64) -> OffsetDateTime {
    datetime!(2024-01-15 10:12 UTC) + Duration::minutes(i64::try_from(sequence).unwrap())
}

impl Logged {
    fn context(&self) -> Context {
        Context {
            message_id: self.id.clone(),
            subject: self.subject.clone(),
            sequence: self.sequence,
            logged_at: logged_at(self.sequence),
            repetition: None,
            attempt: 1,
            trace_id: format!("{:032x}", self.sequence),
            once: gongkai_worker::Once::default(),
        }
    }

    fn event(&self) -> ReportEvent {
        ReportEvent::decode(&self.subject, self.payload.clone()).unwrap()
    }
}

/// A deployment over a broker in memory: each consumer with its own store.
struct World {
    memory: Memory,
    log: Vec<Logged>,
    checker: Validator,
    alerter: Alerter,
    store: Arc<dyn Store>,
    projector: Projector,
    stages: Stages,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let memory = Memory::new();
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        let runtime = Runtime::builder("agreement", Arc::new(memory.clone())).build();
        let (_, registry) = watch::channel(Arc::new(Registry::default()));
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("read-model.db"), Options::default()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        Self {
            checker: Validator::new(&runtime, RuleSet::embedded(), registry),
            alerter: Alerter::new(memory.entries(subjects::BUCKET_ALERTS), Severity::Warning),
            projector: Projector::new(
                store.clone(),
                memory.objects(subjects::BUCKET_TEXTS),
                ChangeNotifier::new(),
            ),
            stages: Stages::new(&runtime),
            log: Vec::new(),
            store,
            memory,
            _folder: folder,
        }
    }

    async fn publish(&mut self, event: Event, id: String, payload: Vec<u8>) -> u64 {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, &id).unwrap();
        let subject = event.subject("360982".parse().unwrap());
        let message = Message { subject: subject.clone(), headers, payload: payload.into() };
        let payload = message.payload.clone();
        let sequence = self.memory.publish(message).await.unwrap().sequence;
        self.log.push(Logged { sequence, subject, id, payload });
        sequence
    }

    async fn enter(&mut self, entries: &[Said], at: usize) {
        let (entry, said) = &entries[at];
        let said = said.map(logged_at).map(timestamp);
        match entry {
            Entry::Arrival { report, content, url, .. } => {
                let id = format!("s-{at:032x}");
                let received = self.publish(Event::ReportReceived, id.clone(), Vec::new()).await;
                let parsed = parsed(&id, received, report, content, url, said);
                self.publish(Event::ReportParsed, format!("{id}.parse.0"), parsed.encode_to_vec()).await;
            }
            Entry::Withdrawal(withdrawn) => {
                let id = format!("s-{at:032x}");
                let event = withdrawal(&id, withdrawn, said);
                self.publish(Event::ReportWithdrawn, id, event.encode_to_vec()).await;
            }
            Entry::Erasure(report) => {
                // The erasure enters the log even if there is nothing to erase, so that sequences can be computed
                // beforehand.
                let event = erasure(report, arrived(&timed(&entries[..at]), report));
                self.publish(Event::ReportErased, format!("e-{at:032x}"), event.encode_to_vec()).await;
            }
        }
    }

    /// Returns the events of some kinds in a consumer's order. Some occur twice.
    fn deliveries(&self, kinds: &[Event], order: &[usize]) -> Vec<Logged> {
        let of_kind = |logged: &&Logged| kinds.contains(&Event::of(&logged.subject).unwrap());
        let events: Vec<&Logged> = self.log.iter().filter(of_kind).collect();
        let again = order.iter().filter(|place| **place % 3 == 0);
        let all = order.iter().chain(again).filter_map(|place| events.get(*place));
        all.map(|logged| (*logged).clone()).collect()
    }

    /// Runs validate first, because its messages enter the log, each once.
    async fn validate(&mut self, order: &[usize]) {
        let taken = [Event::ReportParsed, Event::ReportWithdrawn, Event::ReportErased];
        for logged in self.deliveries(&taken, order) {
            let Ok(outputs) = self.checker.handle(logged.event(), &logged.context()).await else { continue };
            for (at, output) in outputs.into_iter().enumerate() {
                let id = output.message_id.unwrap_or_else(|| format!("{}.validate.{at}", logged.id));
                if self.log.iter().all(|known| known.id != id) {
                    let event = Event::of(&output.subject).unwrap();
                    self.publish(event, id, output.payload.to_vec()).await;
                }
            }
        }
    }

    async fn hand_out(&self, [notify, query, ingest]: [&[usize]; 3]) {
        let said = [Event::ReportValidated, Event::ReportWithdrawn, Event::ReportErased];
        for logged in self.deliveries(&said, notify) {
            let _buried = self.alerter.handle(logged.event(), &logged.context()).await;
        }
        let read = [said.as_slice(), &[Event::ReportRejected]].concat();
        for logged in self.deliveries(&read, query) {
            let _buried = self.projector.handle(logged.event().into(), &logged.context()).await;
        }
        let stages = [Event::ReportParsed, Event::ReportValidated, Event::ReportWithdrawn];
        let stages = [stages.as_slice(), &[Event::ReportRejected, Event::ReportErased]].concat();
        for logged in self.deliveries(&stages, ingest) {
            let _buried = self.stages.handle(logged.event().into(), &logged.context()).await;
        }
    }
}

fn erasure(report: &ReportKey, contents: BTreeSet<String>) -> v1::ReportErased {
    v1::ReportErased {
        report: report.to_string(),
        reports: vec![report.to_string()],
        content_hashes: contents.into_iter().collect(),
        reason: "申请".to_owned(),
        person: "王五".to_owned(),
        region: "360982".to_owned(),
        erased_at: Some(timestamp(logged_at(0))),
        ..Default::default()
    }
}

fn parsed(
    id: &str,
    received: u64,
    report: &ReportKey,
    content: &str,
    url: &str,
    said: Option<prost_types::Timestamp>,
) -> v1::ReportParsed {
    let at = Some(timestamp(logged_at(received)));
    let stated = said.map(|said| time(said, "said").unwrap());
    v1::ReportParsed {
        filed_as: String::new(),
        registry: String::new(),
        differences: Vec::new(),
        origin: Some(v1::Origin {
            submission_id: id.to_owned(),
            kind: v1::DocumentKind::Published.into(),
            content_hash: content.to_owned(),
            received_sequence: received,
            received_at: at,
            effective_at: Some(timestamp(effective_at(stated, logged_at(received)))),
            event_time: said,
            url: url.to_owned(),
            region: "360982".to_owned(),
            ..Default::default()
        }),
        report: Some(v1::ParsedReport {
            name: report.to_string(),
            agency_name: format!("{}局", report.agency),
            year: report.year,
            form: "2021".to_owned(),
            variant: "standard".to_owned(),
            facts: facts(content),
            ..Default::default()
        }),
        versions: Some(v1::Versions::default()),
    }
}

/// Returns facts for chapter 三: received 11 and carried in 5 do not equal outcomes 13 and carried out 4, so that
/// each content raises an alert.
fn facts(content: &str) -> Vec<v1::Fact> {
    let more = u32::from(content.as_bytes()[0] - b'a');
    let fact = |concept: &str, value: u32| v1::Fact {
        concept: concept.to_owned(),
        applicant: v1::Applicant::Total.into(),
        state: v1::CellState::Reported.into(),
        value: Some(value.to_string()),
        ..Default::default()
    };
    vec![
        fact("requests.received", 11 + more),
        fact("requests.carried_in", 5),
        fact("requests.outcome.total", 13 + more),
        fact("requests.carried_out", 4),
    ]
}

fn withdrawal(id: &str, withdrawn: &Withdrawn, said: Option<prost_types::Timestamp>) -> v1::ReportWithdrawn {
    let Withdrawn { report, code, name, year, url, .. } = withdrawn;
    v1::ReportWithdrawn {
        submission_id: id.to_owned(),
        url: url.clone(),
        agency: Some(v1::AgencyHint { code: code.clone(), name: name.clone() }),
        year: *year,
        region: "360982".to_owned(),
        withdrawn_at: None,
        report: report.as_ref().map(ToString::to_string).unwrap_or_default(),
        event_time: said,
        ..Default::default()
    }
}

async fn agree(entries: &[Said], orders: &[Vec<usize>; 4]) -> Result<(), TestCaseError> {
    let mut world = World::new().await;
    for at in 0..entries.len() {
        world.enter(entries, at).await;
    }
    let [validate, rest @ ..] = orders;
    world.validate(validate).await;
    world.hand_out(rest.each_ref().map(Vec::as_slice)).await;

    let expected = expected(&timed(entries));
    let keys = reports();
    prop_assert_eq!(stands::by_validate(&world.memory, &keys).await, expected.clone(), "validate");
    prop_assert_eq!(stands::by_query(&*world.store, &keys), expected.clone(), "the read model");
    prop_assert_eq!(stands::by_notify(&world.memory, &keys).await, expected.clone(), "notify");
    for (key, (_, is_withdrawn)) in &expected {
        let alerts = stands::alerts(&world.memory, key).await.unwrap();
        let stands = alerts.open().iter().flat_map(|alert| &alert.findings).any(|f| f.rule != "V-GONE");
        prop_assert_eq!(stands, !is_withdrawn, "the alerts of {}", key);
    }
    for key in keys.iter().filter(|key| !expected.contains_key(key)) {
        let open = stands::alerts(&world.memory, key).await.map_or(0, |alerts| alerts.open().len());
        prop_assert_eq!(open, 0, "the alerts of {}, of which nothing is left", key);
    }
    let up = expected.into_iter().filter(|(_, (_, is_withdrawn))| !is_withdrawn);
    let contents = CONTENTS.map(str::to_owned);
    prop_assert_eq!(
        stands::by_ingest(world.stages.receipts(), &keys, &contents).await,
        up.map(|(key, (content, _))| (key, content)).collect(),
        "ingest"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn four_consumers_agree_on_what_stands((entries, orders) in story()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(agree(&entries, &orders))?;
    }
}

/// The withdrawal applies to the address although the code is malformed, and the receipt, the alerts and the read model
/// agree on that.
#[tokio::test(start_paused = true)]
async fn a_malformed_code_beside_an_address_takes_down_what_stood_there() {
    let report = reports().remove(0);
    let entries = untimed([arrival(report, "aa", URLS[1]), withdrawn(None, "36 10/01", "", YEAR, URLS[1])]);
    assert!(expected(&timed(&entries)).values().all(|(_, is_withdrawn)| *is_withdrawn));
    agree(&entries, &in_order()).await.unwrap();
}

/// A report is withdrawn only once its last copy is taken down.
#[tokio::test(start_paused = true)]
async fn a_report_stands_while_one_copy_of_it_does() {
    let report = reports().remove(0);
    let published = |url| arrival(report.clone(), "aa", url);
    let taken_down = |url| withdrawn(None, "", "", 0, url);
    let mut entries = untimed([published(URLS[1]), published(URLS[2]), taken_down(URLS[2])]);
    assert!(expected(&timed(&entries)).values().all(|(_, is_withdrawn)| !is_withdrawn));
    agree(&entries, &in_order()).await.unwrap();
    entries.push((taken_down(URLS[1]), None));
    agree(&entries, &in_order()).await.unwrap();
}

/// An `updated` of March is followed by a `published` of February that was delayed.
#[tokio::test(start_paused = true)]
async fn a_late_event_does_not_put_the_older_text_in_front() {
    let [report, other] = reports().try_into().unwrap();
    let entries = [
        (arrival(report.clone(), "bb", URLS[1]), Some(1)),
        (arrival(report.clone(), "aa", URLS[1]), Some(0)),
        // The withdrawal arrives before its publication.
        (withdrawn(Some(other.clone()), "", "", 0, ""), Some(5)),
        (arrival(other.clone(), "aa", URLS[2]), Some(4)),
    ];
    let stands = expected(&timed(&entries));
    assert_eq!((&stands[&report], &stands[&other]), (&("bb".into(), false), &("aa".into(), true)));
    agree(&entries, &in_order()).await.unwrap();
}

fn in_order() -> [Vec<usize>; 4] {
    std::array::from_fn(|_| (0..60).collect())
}
