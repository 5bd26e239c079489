//! The runtime's `DeadLetter` and the one of `gongkai-proto` have the same encoding.

use gongkai_proto::v1;
use gongkai_worker::dead_letter::{DeadLetter, DeadLetterHeader};
use prost::Message as _;

#[test]
fn what_the_runtime_buries_reads_as_the_wires_dead_letter() {
    let written = DeadLetter {
        service: "parse".to_owned(),
        subject: "gongkai.v1.report.received.360982".to_owned(),
        headers: vec![DeadLetterHeader { name: "Nats-Msg-Id".to_owned(), value: "s-7.ingest.0".to_owned() }],
        payload: vec![1, 2, 3].into(),
        code: "UNDECODABLE".to_owned(),
        cause: "no such field".to_owned(),
        attempts: 6,
        first_seen_at: Some(prost_types::Timestamp { seconds: 11, nanos: 12 }),
        buried_at: Some(prost_types::Timestamp { seconds: 13, nanos: 14 }),
        trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned(),
        message_id: "s-7.ingest.0".to_owned(),
        service_version: "0.1.0".to_owned(),
        sequence: 41,
    };
    let read = v1::DeadLetter::decode(written.encode_to_vec().as_slice()).unwrap();
    assert_eq!(
        read,
        v1::DeadLetter {
            service: written.service,
            subject: written.subject,
            headers: vec![v1::Header { name: "Nats-Msg-Id".to_owned(), value: "s-7.ingest.0".to_owned() }],
            payload: written.payload,
            code: written.code,
            cause: written.cause,
            attempts: 6,
            first_seen_at: written.first_seen_at,
            buried_at: written.buried_at,
            trace_id: written.trace_id,
            message_id: written.message_id,
            service_version: written.service_version,
            sequence: 41,
        }
    );
}
