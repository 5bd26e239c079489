//! What `gongkai check` prints about the samples is what should be said of them: `tests/samples/said.json` has each
//! line with the reason. `GONGKAI_CORPUS=folder` adds the reports of a folder, as far as the list has them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// The severities in the words of the text, the heaviest first.
const WORDS: [&str; 4] = ["必须整改", "建议整改", "请核实", "提示"];

/// Least share of the printed lines that are on the list, in percent.
const LEAST: usize = 85;

/// Returns the lines printed about a file: the weight of each, and its rule.
fn printed(file: &Path) -> Vec<(usize, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    command.args(["check", "--lang", "zh", "--fail-on", "never"]).arg(file).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut words = line.strip_prefix("  ")?.split("  ");
        let word = words.next()?;
        let weight = WORDS.iter().position(|known| *known == word)?;
        Some((weight, words.next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// Returns the file of an entry of the list, if it is at hand.
fn file(entry: &Value) -> Option<PathBuf> {
    let name = entry["file"].as_str().unwrap();
    let folder = if entry["corpus"] == true {
        PathBuf::from(env::var_os("GONGKAI_CORPUS")?)
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples")
    };
    Some(folder.join(name)).filter(|file| entry["corpus"] != true || file.exists())
}

#[test]
fn most_lines_are_on_the_list_and_the_weightiest_comes_first() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples/said.json");
    let list: Vec<Value> = serde_json::from_slice(&std::fs::read(list).unwrap()).unwrap();
    let (mut lines, mut known) = (0, 0);
    let (mut noise, mut missed) = (Vec::new(), Vec::new());
    for entry in &list {
        let Some(file) = file(entry) else { continue };
        let printed = printed(&file);
        assert!(printed.is_sorted_by_key(|(weight, _)| *weight), "{}: {printed:?}", file.display());
        let mut wanted: Vec<&str> =
            entry["lines"].as_array().unwrap().iter().map(|line| line["rule"].as_str().unwrap()).collect();
        for (_, rule) in &printed {
            lines += 1;
            match wanted.iter().position(|wanted| wanted == rule) {
                Some(at) => {
                    wanted.remove(at);
                    known += 1;
                }
                None => noise.push(format!("{}: {rule}", file.display())),
            }
        }
        missed.extend(wanted.iter().map(|rule| format!("{}: {rule}", file.display())));
    }
    assert!(known * 100 >= lines * LEAST, "{known} of {lines} lines are on the list; not: {noise:#?}");
    assert!(missed.is_empty(), "not said: {missed:#?}");
    assert!(lines >= 20, "{lines} lines");
}
