//! The content of the object store after ingest, on a real nats-server and on an S3 server.

use std::{sync::Arc, time::Duration};

use gongkai_registry::Following;
use http::StatusCode;
use tokio::{sync::watch, time::timeout};

use gongkai_ingest::{
    actor::Actor,
    config::Config,
    fetch::Fetcher,
    intake::Intake,
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity},
};
use gongkai_proto::{subjects, v1::DocumentKind};
use gongkai_worker::{
    Runtime, Transport,
    testing::{NatsServer, S3Server},
    transport::{
        divided::Divided,
        jetstream::{JetStream, JetStreamSettings},
    },
};

use crate::harness::{Harness, published};

fn submission(n: usize) -> Submission {
    Submission {
        kind: DocumentKind::Published,
        content: File { bytes: "年报".repeat(50_000).into(), ..File::default() },
        attachments: Vec::new(),
        declared: DeclaredMetadata::default(),
        identity: SubmissionIdentity::Key { caller: String::new(), key: format!("k{n}") },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_submissions_of_one_content_leave_one_original() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    let runtime = Runtime::builder("ingest", broker.clone()).build();
    let fetcher = Fetcher::new(&Config::default()).unwrap();
    let intake =
        Intake::new(&Config::default(), runtime, fetcher, Following::of(watch::channel(Arc::default()).1));
    let actor = Actor::operator(None);
    let all = (0..50).map(|n| intake.submit(&actor, submission(n)));
    let receipts: Vec<_> = futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.len(), 50);
    let streams = broker.status().await.unwrap();
    let originals = streams.iter().find(|stream| stream.name.contains(subjects::BUCKET_ORIGINALS)).unwrap();
    // 300,000 bytes are three chunks, and one message describes them.
    assert_eq!(originals.messages, 4);
}

/// Two processes of ingest share only the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_that_get_one_new_content_at_once_leave_one_original_and_one_receipt() {
    const CONTENTS: usize = 12;
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
        broker.declare(&gongkai_proto::topology!()).await.unwrap();
        let runtime = Runtime::builder("ingest", broker).build();
        let registry = Following::of(watch::channel(Arc::default()).1);
        let fetcher = Fetcher::new(&Config::default()).unwrap();
        replicas.push(Intake::new(&Config::default(), runtime, fetcher, registry));
    }
    let of = |n: usize| {
        let text = format!("第{n}份{}", "年报".repeat(30_000));
        Submission {
            content: File { bytes: text.into(), ..File::default() },
            identity: SubmissionIdentity::Content,
            ..submission(n)
        }
    };
    for n in 0..CONTENTS {
        let [first, second] = [0, 1].map(|at| {
            let (replica, submission) = (replicas[at].clone(), of(n));
            tokio::spawn(async move { replica.submit(&Actor::operator(None), submission).await.unwrap() })
        });
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        // The later submission may be answered as unchanged.
        let (taken, other) = if first.duplicate_of.is_empty() { (first, second) } else { (second, first) };
        assert_eq!((&taken.duplicate_of, taken.sequence), (&String::new(), other.sequence));
        assert!(other == taken || other.duplicate_of == taken.submission_id, "{other:?} {taken:?}");
    }
    let broker = JetStream::connect(&settings).await.unwrap();
    let streams = broker.status().await.unwrap();
    let messages = |name: &str| {
        let stream = streams.iter().find(|stream| stream.name.ends_with(name)).unwrap();
        stream.messages
    };
    let contents = u64::try_from(CONTENTS).unwrap();
    // Some 180,000 bytes are two chunks, and one message describes them.
    assert_eq!(messages(subjects::BUCKET_ORIGINALS), 3 * contents);
    assert_eq!(messages(subjects::STREAM_REPORTS), contents);
}

#[tokio::test]
async fn an_s3_store_has_the_original_and_while_it_is_away_nothing_is_accepted() {
    let mut server = S3Server::start().await;
    let store = server.settings().s3().unwrap().unwrap();
    let buckets = subjects::OBJECT_BUCKETS.to_vec();
    let divide = |memory| Arc::new(Divided::new(Arc::new(memory), store, buckets)) as Arc<dyn Transport>;
    let harness = Harness::over(&Config::default(), divide).await;
    let accepted = harness.event(&published("1", "第一版")).await;
    assert_eq!(server.keys(subjects::BUCKET_ORIGINALS), [accepted.text("revision")]);
    server.stop().await;
    let event = published("2", "第二版");
    let refused = timeout(Duration::from_secs(10), harness.event(&event)).await.unwrap();
    let expected = (StatusCode::SERVICE_UNAVAILABLE, "OBJECT_STORE_UNAVAILABLE");
    assert_eq!((refused.status, refused.text("code")), expected);
    assert_eq!(refused.headers["retry-after"], "5");
    assert_eq!(harness.received().len(), 1);
    server.restart().await;
    assert_eq!(harness.event(&event).await.text("state"), "received");
}
