//! The status of streams and consumers on a real server.

use gongkai_worker::{
    Message, Topology, Transport,
    testing::{NatsServer, transport_suite::spec},
    transport::{
        ConsumerSpec, ErrorKind, Headers,
        jetstream::{JetStream, JetStreamSettings},
    },
};

#[tokio::test]
async fn streams_and_consumers_show_what_waits() {
    let server = NatsServer::start().await;
    let transport = JetStream::connect(&JetStreamSettings {
        servers: vec![server.url()],
        ..JetStreamSettings::default()
    })
    .await
    .unwrap();
    assert_eq!(transport.status().await.unwrap(), []);
    let topology =
        Topology { streams: vec![("LOOK", &["look.>"], None)], entries: vec!["look"], ..Topology::default() };
    transport.declare(&topology).await.unwrap();
    for n in 0..3_u8 {
        let message =
            Message { subject: "look.a".into(), headers: Headers::default(), payload: vec![n].into() };
        transport.publish(message).await.unwrap();
    }
    let reader = ConsumerSpec { stream: "LOOK".into(), ..spec("reader") };
    transport.consumer(&reader).await.unwrap();

    let streams = transport.status().await.unwrap();
    assert_eq!(streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["KV_look", "LOOK"]);
    assert_eq!((streams[1].messages, streams[1].last_sequence), (3, 3));
    let consumer = &streams[1].consumers[0];
    assert_eq!((consumer.name.as_str(), consumer.pending, consumer.in_flight), ("reader", 3, 0));
}

#[tokio::test]
async fn entries_are_listed_until_they_are_deleted_or_expire() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let transport = JetStream::connect(&settings).await.unwrap();
    let topology =
        Topology { entries: vec!["lasting"], expiring: vec![("fleeting", 1)], ..Topology::default() };
    transport.declare(&topology).await.unwrap();
    for bucket in topology.entries.iter().chain(topology.expiring.iter().map(|(bucket, _)| bucket)) {
        let entries = transport.entries(bucket);
        for key in ["a/1", "b/2", "c/3"] {
            entries.create(key, key.into()).await.unwrap();
        }
        entries.delete("b/2").await.unwrap();
    }
    let both = [("a/1".to_owned(), "a/1".into()), ("c/3".to_owned(), "c/3".into())];
    assert_eq!(transport.entries_of("lasting", 10).await.unwrap(), both);
    assert_eq!(transport.entries_of("lasting", 1).await.unwrap(), both[..1]);
    while !transport.entries_of("fleeting", 10).await.unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let error = transport.entries_of("absent", 10).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
