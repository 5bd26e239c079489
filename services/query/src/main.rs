//! `gongkai-query`: the read model behind gRPC, as a program of its own.

use std::process::ExitCode;

use gongkai_proto::subjects;
use gongkai_query::Query;
use gongkai_worker::{About, Topology};

fn main() -> ExitCode {
    gongkai_worker::main::<Query>(About {
        program: "gongkai-query",
        version: env!("CARGO_PKG_VERSION"),
        versions: Vec::new(),
        sections: &subjects::SERVICES,
        topology: Topology {
            streams: subjects::STREAMS.to_vec(),
            objects: subjects::OBJECT_BUCKETS.to_vec(),
            entries: subjects::ENTRY_BUCKETS.to_vec(),
        },
        dead_prefix: subjects::DEAD_PREFIX,
    })
}
