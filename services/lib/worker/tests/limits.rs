//! A stream whose limit is reached, over a real server.

use std::sync::Arc;

use bytes::Bytes;
use gongkai_worker::holdings::inspector::inspect;
use gongkai_worker::testing::NatsServer;
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::transport::{ErrorKind, Headers, MESSAGE_ID, TopologyPart};
use gongkai_worker::{Message, Topology, Transport};

const LOG: &str = "LOG";

async fn connect(server: &NatsServer, limit: u64) -> Arc<dyn Transport> {
    let settings = JetStreamSettings {
        servers: vec![server.url()],
        stream_max_bytes: Some(limit),
        ..JetStreamSettings::default()
    };
    let transport = JetStream::connect(&settings).await.expect("the server is there");
    transport.declare(&topology()).await.expect("the stream can be declared");
    Arc::new(transport)
}

fn topology() -> Topology {
    Topology { streams: vec![(LOG, &["log.>"], None)], ..Topology::default() }
}

async fn publish(transport: &Arc<dyn Transport>, id: u64) -> Result<(), ErrorKind> {
    let mut headers = Headers::default();
    headers.insert(MESSAGE_ID, &id.to_string()).expect("a number is a header");
    let message = Message { subject: "log.a".to_owned(), headers, payload: Bytes::from_static(&[7; 500]) };
    transport.publish(message).await.map(drop).map_err(|error| error.kind)
}

#[tokio::test]
async fn a_stream_at_its_limit_is_named_and_a_higher_limit_makes_room() {
    let server = NatsServer::start().await;
    let transport = connect(&server, 100_000).await;
    let look = || async { inspect(&transport, &topology(), "marker", None).await.unwrap() };
    publish(&transport, 0).await.unwrap();
    assert!(look().await.shortages.is_empty());
    let mut id = 1;
    let refused = loop {
        match publish(&transport, id).await {
            Ok(()) => id += 1,
            Err(kind) => break kind,
        }
    };
    assert_eq!(refused, ErrorKind::Full);
    let shortages = look().await.shortages;
    assert_eq!(shortages.len(), 1);
    assert_eq!((shortages[0].part, shortages[0].limit), (Some(TopologyPart::Stream(LOG)), 100_000));
    let lower = connect(&server, 50_000).await;
    assert_eq!(publish(&lower, id).await, Err(ErrorKind::Full), "what a stream has is never taken from it");
    let higher = connect(&server, 1_000_000).await;
    publish(&higher, id).await.unwrap();
    assert!(look().await.shortages.is_empty());
}
