//! `gongkai-ingest`: the way in, as a program of its own.

use std::process::ExitCode;

use gongkai_ingest::Ingest;
use gongkai_proto::subjects;
use gongkai_worker::{About, Topology};

fn main() -> ExitCode {
    gongkai_worker::main::<Ingest>(About {
        program: "gongkai-ingest",
        version: env!("CARGO_PKG_VERSION"),
        // What a dry run uses.
        versions: gongkai_check::labels(),
        sections: &subjects::SERVICES,
        topology: Topology {
            streams: subjects::STREAMS.to_vec(),
            objects: subjects::OBJECT_BUCKETS.to_vec(),
            entries: subjects::ENTRY_BUCKETS.to_vec(),
        },
        dead_prefix: subjects::DEAD_PREFIX,
    })
}
