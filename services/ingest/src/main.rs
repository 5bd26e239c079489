//! `gongkai-ingest`: the way in, as a program of its own.

use std::process::ExitCode;

use gongkai_ingest::Ingest;
use gongkai_proto::subjects;
use gongkai_worker::{About, Topology};

fn main() -> ExitCode {
    let versions = gongkai_check::versions();
    gongkai_worker::main::<Ingest>(About {
        program: "gongkai-ingest",
        version: env!("CARGO_PKG_VERSION"),
        // What a dry run uses. Kept for the life of the process.
        versions: vec![
            ("parser", &*versions.parser.leak()),
            ("forms", &*versions.forms.leak()),
            ("rules", &*versions.rules.leak()),
        ]
        .leak(),
        sections: &subjects::SERVICES,
        topology: Topology {
            streams: subjects::STREAMS.to_vec(),
            objects: subjects::OBJECT_BUCKETS.to_vec(),
            entries: subjects::ENTRY_BUCKETS.to_vec(),
        },
        dead_prefix: subjects::DEAD_PREFIX,
    })
}
