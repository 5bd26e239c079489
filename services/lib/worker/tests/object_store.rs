//! Objects in an S3 store: the common cases, and those that only such a store has.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{fs, net::TcpListener, sync::Arc, time::Duration};

use gongkai_worker::{
    Secret, Transport as _,
    config::ObjectsSettings,
    objects_test_suite,
    testing::{
        S3Server,
        transport_suite::{OBJECTS, topology},
    },
    transport::{Error, ErrorKind, divided::Divided, memory::Memory, s3::S3},
};
use tokio::time::{Instant, timeout};

async fn divided() -> (Divided, S3Server) {
    let server = S3Server::start().await;
    let broker = Memory::new();
    broker.declare(&topology()).await.unwrap();
    (Divided::new(Arc::new(broker), client(&server.settings()), vec![OBJECTS]), server)
}

objects_test_suite!(
    #[tokio::test]
    divided
);

fn client(settings: &ObjectsSettings) -> S3 {
    settings.s3().unwrap().unwrap()
}

async fn refusal(settings: &ObjectsSettings) -> Error {
    client(settings).objects(OBJECTS).put("key", "content".into()).await.unwrap_err()
}

#[tokio::test]
async fn a_signature_that_is_not_ours_is_refused_with_its_code() {
    let server = S3Server::start().await;
    let wrong = ObjectsSettings { secret_key: Some(Secret::new("another")), ..server.settings() };
    let error = refusal(&wrong).await;
    assert_eq!(error.kind, ErrorKind::Denied);
    assert!(error.message.contains("403 SignatureDoesNotMatch: check objects.access_key"), "{error}");
    let stranger = ObjectsSettings { access_key: Some("stranger".into()), ..server.settings() };
    assert_eq!(refusal(&stranger).await.kind, ErrorKind::Denied);
    assert!(client(&wrong).probe().await.is_err() && client(&server.settings()).probe().await.is_ok());
}

#[tokio::test]
async fn content_that_changed_in_the_store_is_not_given_back() {
    let server = S3Server::start().await;
    let objects = client(&server.settings()).objects(OBJECTS);
    objects.put("key", "content".into()).await.unwrap();
    fs::write(server.file(OBJECTS, "key"), "c0ntent").unwrap();
    let error = objects.get("key").await.unwrap_err();
    assert!(error.message.contains("another SHA-256"), "{error}");
    objects.put("key", "content".into()).await.unwrap();
    assert_eq!(objects.get("key").await.unwrap(), Some("content".into()), "storing it again mends it");
}

#[tokio::test]
async fn no_key_leads_out_of_its_bucket() {
    let server = S3Server::start().await;
    let objects = client(&server.settings()).objects(OBJECTS);
    for key in ["", "../key", "a/./b", "a//b", "/a"] {
        assert_eq!(objects.put(key, "content".into()).await.unwrap_err().kind, ErrorKind::Other, "{key}");
    }
}

#[tokio::test]
async fn all_objects_of_a_bucket_are_listed_page_by_page_and_no_others() {
    let server = S3Server::start().await;
    let store = client(&server.settings());
    let keys: Vec<_> = (0..2_300).map(|n| format!("{n:064x}.7.0")).collect();
    store.objects(OBJECTS).put(&keys[0], "content".into()).await.unwrap();
    for key in &keys[1..] {
        fs::copy(server.file(OBJECTS, &keys[0]), server.file(OBJECTS, key)).unwrap();
    }
    store.objects("another").put("key", "content".into()).await.unwrap();
    let mut listed = store.stored(OBJECTS).await.unwrap();
    listed.sort_by(|a, b| a.key.cmp(&b.key));
    let found: Vec<_> = listed.iter().map(|object| object.key.clone()).collect();
    assert!(found == keys, "{} objects are listed", found.len());
    assert!(listed.iter().all(|object| object.bytes == 7), "of another size");
    assert_eq!(store.stored("third").await.unwrap(), []);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_from_the_broker_and_comes_back() {
    let mut server = S3Server::start().await;
    let objects = client(&server.settings()).objects(OBJECTS);
    objects.put("key", "content".into()).await.unwrap();
    server.stop().await;
    let error = objects.get("key").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ObjectsUnavailable);
    assert!(!format!("{error:?}").contains("Signature"), "{error:?}");
    server.restart().await;
    assert_eq!(objects.get("key").await.unwrap(), Some("content".into()));
    assert_eq!(client(&server.settings()).rehearse().await.map_err(|error| error.message), Ok(()));
}

#[tokio::test]
async fn a_store_that_never_answers_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = S3Server::start().await;
    let settings = ObjectsSettings {
        endpoint: Some(format!("http://{}", silent.local_addr().unwrap()).into()),
        request_timeout_ms: 300,
        ..server.settings()
    };
    let (objects, started) = (client(&settings).objects(OBJECTS), Instant::now());
    let asked = timeout(Duration::from_secs(10), objects.exists("key")).await.unwrap();
    assert_eq!(asked.unwrap_err().kind, ErrorKind::ObjectsUnavailable);
    assert!(started.elapsed() >= Duration::from_millis(300));
}
