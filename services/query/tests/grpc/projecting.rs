//! The projector when it cannot write: it retries.

use std::sync::Arc;

use gongkai_proto::ReportEvent;
use gongkai_proto::subjects::{BUCKET_TEXTS, Event};
use gongkai_query::notifier::ChangeNotifier;
use gongkai_query::projector::Projector;
use gongkai_store::Store as _;
use gongkai_store::sqlite::{Options, SqliteStore};
use gongkai_worker::transport::memory::{Fault, Operation};
use gongkai_worker::{Context, Decision, Handler as _, Transport as _};
use time::macros::datetime;

use crate::harness::Bench;

fn context(sequence: u64) -> Context {
    Context {
        message_id: "m".into(),
        subject: Event::ReportValidated.prefix().into(),
        sequence,
        logged_at: datetime!(2024-01-15 10:12 UTC),
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
