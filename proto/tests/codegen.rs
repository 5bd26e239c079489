//! Compares `src/gen` with the `.proto` files, compiled with protox, which needs no protoc.
//!
//! `make gen` runs this with `GONGKAI_GEN=write` and rewrites the files; without it a difference fails.
#![expect(
    clippy::disallowed_methods,
    reason = "the switch of a developer's tool, not a setting of the program"
)]

use std::{error::Error, fs, path::Path};

const PROTOS: [&str; 8] = [
    "agency_service",
    "alert_service",
    "report",
    "events",
    "neighbours",
    "operations_service",
    "submission_service",
    "report_service",
];

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    generate(root, fresh.path()).unwrap();
    let checked_in = root.join("src/gen");
    let write = std::env::var("GONGKAI_GEN").is_ok_and(|v| v == "write");
    for name in ["gongkai.v1.rs", "descriptors.bin"] {
        let new = fs::read(fresh.path().join(name)).unwrap();
        let old = fs::read(checked_in.join(name)).unwrap_or_default();
        if write {
            fs::write(checked_in.join(name), &new).unwrap();
        } else {
            assert!(new == old, "proto/src/gen/{name} is stale: run `make gen` and commit the result");
        }
    }
}

fn generate(root: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = PROTOS.iter().map(|p| format!("gongkai/v1/{p}.proto")).collect();
    let descriptors = protox::Compiler::new([root])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(&files)?
        .file_descriptor_set();
    let config =
        tonic_prost_build::configure().bytes(".").boxed(".gongkai.v1.SubmitStreamRequest.part.request");
    config.out_dir(out).compile_fds(descriptors)?;
    // Reflection needs names and types, not comments.
    let bare = protox::Compiler::new([root])?
        .include_imports(true)
        .include_source_info(false)
        .open_files(&files)?
        .encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), bare)?;
    Ok(())
}
