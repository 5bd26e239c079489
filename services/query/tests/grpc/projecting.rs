//! The projector when it cannot write, and when the list of agencies changed meanwhile.

use std::sync::Arc;

use futures::StreamExt as _;
use gongkai_agencies::Registry;
use gongkai_proto::ReportEvent;
use gongkai_proto::subjects::{BUCKET_AGENCIES, BUCKET_REGISTRIES, BUCKET_TEXTS, Event, backfill_filter};
use gongkai_proto::v1::{self, agency_service_client::AgencyServiceClient};
use gongkai_query::notifier::ChangeNotifier;
use gongkai_query::projector::Projector;
use gongkai_registry::RegistryStore;
use gongkai_store::Store as _;
use gongkai_store::sqlite::{Options, SqliteStore};
use gongkai_worker::transport::memory::{Fault, Operation};
use gongkai_worker::{Context, Decision, Handler as _, Transport as _};
use prost::Message as _;
use time::macros::datetime;

use crate::harness::{Bench, origin};

fn context(sequence: u64) -> Context {
    Context {
        message_id: "m".into(),
        subject: Event::ReportValidated.prefix().into(),
        sequence,
        logged_at: datetime!(2024-01-15 10:12 UTC),
        repetition: None,
        attempt: 5,
        trace_id: String::new(),
        once: gongkai_worker::Once::default(),
    }
}

#[tokio::test]
async fn a_bucket_that_is_away_is_waited_for_and_a_repeat_is_harmless() {
    let bench = Bench::start().await;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("other.db"), Options::default()).unwrap();
    let store = Arc::new(store);
    let projector = Projector::new(store.clone(), bench.broker.objects(BUCKET_TEXTS), ChangeNotifier::new());
    let event = bench.validated(3, "agencies/361001/reports/2023", "aa", 2).await;
    let project = || async {
        projector.handle(ReportEvent::Validated(Box::new(event.clone())).into(), &context(4)).await
    };
    bench.broker.plan(Fault::fail(Operation::Get).always());
    assert!(matches!(project().await, Err(Decision::Unavailable(_))));
    assert_eq!(store.last_change().unwrap(), 0);
    bench.broker.heal();
    for _ in 0..2 {
        assert_eq!(project().await.unwrap(), []);
        assert_eq!(store.last_change().unwrap(), 1);
    }
}

#[tokio::test]
async fn events_that_no_version_of_ours_writes_are_buried() {
    let bench = Bench::start().await;
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("other.db"), Options::default()).unwrap();
    let projector =
        Projector::new(Arc::new(store), bench.broker.objects(BUCKET_TEXTS), ChangeNotifier::new());
    let good = bench.validated(3, "agencies/361001/reports/2023", "aa", 2).await;
    let mut unsequenced = good.clone();
    unsequenced.origin.as_mut().unwrap().received_sequence = 0;
    let mut nameless = good.clone();
    nameless.report.as_mut().unwrap().name = "report 7".into();
    let mut contradictory = good.clone();
    contradictory.report.as_mut().unwrap().facts[2].value = Some("0".into());
    let mut damaged = good.clone();
    damaged.report.as_mut().unwrap().text.as_mut().unwrap().key = "damaged".into();
    bench.broker.objects(BUCKET_TEXTS).put("damaged", vec![0xff; 9].into()).await.unwrap();
    for (event, expected) in [
        (unsequenced, "INVALID_EVENT"),
        (nameless, "INVALID_EVENT"),
        (contradictory, "INVALID_EVENT"),
        (damaged, "DAMAGED_TEXT"),
    ] {
        match projector.handle(ReportEvent::Validated(Box::new(event)).into(), &context(4)).await {
            Err(Decision::Bury { code, .. }) => assert_eq!(code, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let unexpected = ReportEvent::Received(Box::default());
    let result = projector.handle(unexpected.into(), &context(4)).await;
    assert!(matches!(result, Err(Decision::Bury { code: "UNEXPECTED_EVENT", .. })), "{result:?}");
}

/// A document that declares this code, and its rejection by a parse with this list.
async fn reject(bench: &mut Bench, code: &str, list: &Registry) -> u64 {
    let agency = v1::AgencyHint { code: code.into(), ..Default::default() };
    let event =
        v1::DocumentReceived { agency: Some(agency), submission_id: "s-1".into(), ..Default::default() };
    let received = bench.publish(Event::ReportReceived, &event).await;
    let rejection = v1::Rejection { code: "NO_IDENTITY".into(), ..Default::default() };
    let event = v1::ReportRejected {
        origin: Some(origin(received, "aa")),
        rejection: Some(rejection),
        registry: list.name().into(),
        ..Default::default()
    };
    bench.publish(Event::ReportRejected, &event).await;
    received
}

/// The documents that are read again: arrival and list.
fn read_again(bench: &Bench) -> Vec<(u64, String)> {
    let decode = |message: &gongkai_worker::transport::Message| {
        let event = v1::DocumentReceived::decode(message.payload.clone()).unwrap();
        let again = event.rereading.unwrap();
        assert_eq!(again.effective_at, origin(again.received_sequence, "aa").effective_at);
        (again.received_sequence, again.registry)
    };
    bench.broker.messages(&backfill_filter()).iter().map(decode).collect()
}

#[tokio::test]
async fn a_rejection_by_an_older_list_is_read_again_whenever_it_arrives() {
    let mut bench = Bench::start().await;
    let lists =
        RegistryStore::new(bench.broker.entries(BUCKET_AGENCIES), bench.broker.objects(BUCKET_REGISTRIES));
    let store = async |csv: &str| {
        lists.put(&gongkai_agencies::read_csv(csv.as_bytes()).unwrap()).await.unwrap();
        lists.read().await.unwrap()
    };
    let older = store("code,name\nYX-9,云溪县水务局\n").await;
    // It is stored before the list, so the call that settles the list finds it.
    let early = reject(&mut bench, "YX-1", &older).await;
    bench.projected().await;
    assert_eq!(read_again(&bench), []);
    let newer = store("code,name\nYX-1,云溪县档案局\nYX-9,云溪县水务局\n").await;
    let settle = async || {
        let mut client = AgencyServiceClient::new(bench.channel().await);
        let found = client.refile_reports(v1::RefileReportsRequest::default()).await.unwrap().into_inner();
        found.map(|found| found.unwrap().submission_id).collect::<Vec<_>>().await
    };
    assert_eq!(settle().await, ["s-1"]);
    let newest = newer.name().to_owned();
    assert_eq!(read_again(&bench), [(early, newest.clone())]);
    // Parse did not follow the list yet, and its event is stored after that call.
    let late = reject(&mut bench, "YX-1", &older).await;
    bench.projected().await;
    assert_eq!(read_again(&bench), [(early, newest.clone()), (late, newest.clone())]);
    // The newest list decided, or it does not have the code either.
    reject(&mut bench, "YX-1", &newer).await;
    reject(&mut bench, "YX-2", &older).await;
    bench.projected().await;
    assert_eq!(read_again(&bench).len(), 2);
    // The event is delivered again to a service that was killed before it acknowledged it, or whose read model is lost.
    bench.restart(true).await;
    bench.projected().await;
    let again = read_again(&bench);
    assert!(again.iter().all(|again| [early, late].contains(&again.0)), "{again:?}");
}
