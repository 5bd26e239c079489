//! The status of streams and consumers on a real server.

use gongkai_worker::{
    Message, Topology, Transport,
    testing::{NatsServer, transport_suite::spec},
    transport::{
        ConsumerSpec, Headers,
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
