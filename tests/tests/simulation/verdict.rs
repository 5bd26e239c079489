//! Checks the invariants after a course.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use futures::StreamExt as _;
use gongkai_ingest::{receipt_store::ReceiptStore, state};
use gongkai_model::{ReportKey, Severity};
use gongkai_notify::alerts::{Alerter, state::ReportAlerts};
use gongkai_proto::{
    ReportEvent,
    subjects::{self, Event},
    v1,
};
use gongkai_query::{notifier::ChangeNotifier, projector::Projector};
use gongkai_store::{
    ReportScope, Store,
    query::FindingQuery,
    sqlite::{Options, SqliteStore},
};
use gongkai_tests::facts::expected;
use gongkai_worker::{
    Context, Handler as _, Once, Runtime, Transport as _,
    transport::{ConsumerSpec, MESSAGE_ID, memory::Memory},
};
use prost::Message as _;

use crate::{
    course::{Course, document},
    stands,
    story::{AGENCIES, CONTENTS, YEAR},
};

type Verdict = Result<(), String>;

fn same<T: PartialEq + Debug>(what: &str, actual: &T, wanted: &T) -> Verdict {
    if actual == wanted { Ok(()) } else { Err(format!("{what}: {actual:#?}\nand not {wanted:#?}")) }
}

fn reports() -> Vec<ReportKey> {
    AGENCIES.map(|agency| format!("agencies/{agency}/reports/{YEAR}").parse().unwrap()).to_vec()
}

pub(crate) async fn judge(course: &Course) -> Verdict {
    let memory = course.deployment.broker();
    memory.heal();
    ends(course).await?;
    let model = course.deployment.read_model();
    all_agree(course, &model).await?;
    let again = Rerun::over(memory).await;
    same("the read model and one without a crash", &projection(&model), &projection(&*again.store))?;
    for key in reports() {
        let (actual, wanted) =
            (stands::alerts(memory, &key).await, stands::alerts(&again.memory, &key).await);
        let open = |alerts: Option<ReportAlerts>| {
            let open = alerts.iter().flat_map(ReportAlerts::open).map(|alert| {
                let fingerprints: Vec<_> = alert.findings.iter().map(|f| f.fingerprint.clone()).collect();
                (alert.alert_id.clone(), fingerprints)
            });
            open.collect::<BTreeMap<_, _>>()
        };
        let wanted = open(wanted);
        same("the open alerts and those without a crash", &open(actual), &wanted)?;
        same("the alerts that were told last", &told(memory, &key), &wanted.into_keys().collect())?;
    }
    Ok(())
}

/// Checks that every submission ends in one state, and that only undecodable messages are dead letters.
async fn ends(course: &Course) -> Verdict {
    let memory = course.deployment.broker();
    let receipts = ReceiptStore::new(&Runtime::builder("ingest", Arc::new(memory.clone())).build());
    for (receipt, end) in &course.accepted {
        let known = receipts.get(&receipt.submission_id).await.unwrap().unwrap_or_default();
        if !state::is_final(&known) || known.state() != *end {
            return Err(format!("{} is {:?} and not {end:?}", receipt.submission_id, known.state()));
        }
    }
    let letters = memory.messages("gongkai.v1.dead.>").into_iter();
    let codes: Vec<_> = letters.map(|m| v1::DeadLetter::decode(m.payload).unwrap().code).collect();
    same("dead letters", &codes, &vec!["UNDECODABLE".to_owned(); course.malformed])
}

/// Checks that the current content in every service is the one that the oracle expects.
async fn all_agree(course: &Course, model: &dyn Store) -> Verdict {
    let (memory, keys) = (course.deployment.broker(), reports());
    let expected = expected(&course.entries);
    same("validate", &stands::by_validate(memory, &keys).await, &expected)?;
    same("query", &stands::by_query(model, &keys), &expected)?;
    same("notify", &stands::by_notify(memory, &keys).await, &expected)?;
    let receipts = ReceiptStore::new(&Runtime::builder("ingest", Arc::new(memory.clone())).build());
    let contents: Vec<_> = AGENCIES
        .iter()
        .flat_map(|agency| (0..CONTENTS).map(|content| document(agency, content)))
        .map(|text| gongkai_ingest::submission::sha256(text.as_bytes()))
        .collect();
    let up = expected.into_iter().filter(|(_, (_, is_withdrawn))| !is_withdrawn);
    let up = up.map(|(key, (content, _))| (key, content)).collect();
    same("ingest", &stands::by_ingest(&receipts, &keys, &contents).await, &up)
}

/// Returns the answers of the read model.
fn projection(store: &dyn Store) -> Vec<String> {
    let mut lines = Vec::new();
    for key in reports() {
        lines.push(format!("{:?}", store.report(&key, None).unwrap()));
        let query = FindingQuery {
            scope: ReportScope { agency: Some(key.agency), year: Some(key.year) },
            limit: 1000,
            ..FindingQuery::default()
        };
        let found = store.findings(&query).unwrap().items;
        lines.extend(found.iter().map(|found| format!("{:?} {:?}", found.finding, found.waiver)));
    }
    lines
}

/// Returns the ids of a report's alerts whose last message raised them.
fn told(memory: &Memory, key: &ReportKey) -> Vec<String> {
    let mut last = BTreeMap::new();
    for message in memory.messages(&Event::AlertRaised.filter()) {
        let alert = v1::AlertRaised::decode(message.payload).unwrap().alert.unwrap();
        if alert.report == key.to_string() {
            last.insert(alert.alert_id.clone(), alert.state() == v1::AlertState::Raised);
        }
    }
    last.into_iter().filter_map(|(id, is_raised)| is_raised.then_some(id)).collect()
}

/// The same log, handled once, in order and without faults.
struct Rerun {
    memory: Memory,
    store: Arc<dyn Store>,
    _folder: tempfile::TempDir,
}

impl Rerun {
    async fn over(broker: &Memory) -> Self {
        let memory = Memory::new();
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("read-model.db"), Options::default()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let texts = broker.objects(subjects::BUCKET_TEXTS);
        let projector = Projector::new(store.clone(), texts, ChangeNotifier::new());
        let severity: Severity = gongkai_notify::Config::default().min_severity;
        let alerter = Alerter::new(memory.entries(subjects::BUCKET_ALERTS), severity);
        for (context, event) in log(broker).await {
            match Event::of(&context.subject).unwrap() {
                Event::ReportValidated | Event::ReportWithdrawn | Event::ReportWaived => {
                    alerter.handle(event.clone(), &context).await.unwrap();
                    projector.handle(event.into(), &context).await.unwrap();
                }
                Event::ReportRejected => drop(projector.handle(event.into(), &context).await.unwrap()),
                _ => {}
            }
        }
        Self { memory, store, _folder: folder }
    }
}

/// Returns the log with its sequences and times, without undecodable messages.
async fn log(broker: &Memory) -> Vec<(Context, ReportEvent)> {
    let spec = ConsumerSpec {
        stream: subjects::STREAM_REPORTS.to_owned(),
        durable: "verdict".to_owned(),
        filters: Vec::new(),
        ack_wait: std::time::Duration::from_secs(60),
        max_ack_pending: None,
        forget_after: None,
    };
    let mut pull = broker.consumer(&spec).await.unwrap();
    let batch = pull.fetch(10_000, std::time::Duration::from_millis(1)).await.unwrap();
    let deliveries: Vec<_> = batch.map(Result::unwrap).collect().await;
    let events = deliveries.into_iter().filter_map(|delivery| {
        let event = ReportEvent::decode(&delivery.message.subject, delivery.message.payload.clone()).ok()?;
        let context = Context {
            message_id: delivery.message.headers[MESSAGE_ID].to_owned(),
            subject: delivery.message.subject,
            sequence: delivery.sequence,
            logged_at: delivery.logged_at,
            repetition: None,
            attempt: 1,
            trace_id: String::new(),
            once: Once::default(),
        };
        Some((context, event))
    });
    events.collect()
}
