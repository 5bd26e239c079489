//! Replays every input on which a fuzz target failed (`make fuzz` finds them, `tests/fuzz/findings` keeps them), and
//! runs every sample through the target of its format, so that the targets stay usable.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use gongkai_tests::samples;

#[expect(unreachable_pub, reason = "the crate of the fuzz targets holds it too, and there it is public")]
#[path = "../fuzz/src/drive.rs"]
mod drive;

/// Maximum time for an input: the fuzzer's limit, for a build that is about twenty times slower.
const LONGEST: Duration = Duration::from_secs(10);

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn replay(target: &str, name: &str, bytes: &[u8]) {
    let begun = Instant::now();
    drive::drive(target, bytes).unwrap_or_else(|broken| panic!("{name}: {broken}"));
    assert!(begun.elapsed() < LONGEST, "{name} took {:?}", begun.elapsed());
}

#[test]
fn what_was_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/findings");
    for target in files(&folder).iter().filter(|path| path.is_dir()) {
        let name = target.file_name().unwrap().to_str().unwrap();
        assert!(drive::TARGETS.contains(&name), "{name} is no target");
        let inputs = files(target);
        assert!(!inputs.is_empty(), "nothing is kept for {name}");
        inputs.iter().for_each(|path| replay(name, &path.display().to_string(), &fs::read(path).unwrap()));
    }
}

#[test]
fn every_sample_goes_through_its_target() {
    let mut seen = Vec::new();
    for sample in samples::all() {
        let target = match sample.file.rsplit('.').next().unwrap() {
            "txt" => "text",
            "md" => "markdown",
            other => other,
        };
        replay(target, &sample.file, &sample.bytes());
        seen.push(target.to_owned());
    }
    replay("matcher", "two cells", &[24, 60, 70, 61, 70, 2]);
    replay("docx", "a part", "<w:document xmlns:w='w'><w:p><w:t>一</w:t></w:p></w:document>".as_bytes());
    replay("pdf", "a page", b"BT /G 10 Tf 40 700 Td (12) Tj ET");
    assert!(["text", "markdown", "html"].iter().all(|target| seen.iter().any(|s| s == target)));
}
