//! What ingest leaves in the object store of a real nats-server.

use std::sync::Arc;

use tokio::sync::watch;

use gongkai_ingest::{
    config::Config,
    fetch::Fetcher,
    intake::Intake,
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity},
};
use gongkai_proto::{subjects, v1::DocumentKind};
use gongkai_worker::{
    Runtime, Transport,
    testing::NatsServer,
    transport::jetstream::{JetStream, Settings},
};

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
    let settings = Settings { servers: vec![server.url()], ..Settings::default() };
    let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    let runtime = Runtime::builder("ingest", broker.clone()).build();
    let fetcher = Fetcher::new(&Config::default()).unwrap();
    let intake = Intake::new(runtime, fetcher, "", watch::channel(Arc::default()).1);
    let all = (0..50).map(|n| intake.submit(submission(n)));
    let receipts: Vec<_> = futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.len(), 50);
    let streams = broker.status().await.unwrap();
    let originals = streams.iter().find(|stream| stream.name.contains(subjects::BUCKET_ORIGINALS)).unwrap();
    // 300,000 bytes are three pieces, and one message says what they are.
    assert_eq!(originals.messages, 4);
}
