//! Checks the dependencies between the crates of this workspace, and which of them may use which external crates
//! (ARCHITECTURE.md, "Arrows").
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The crates of this workspace that each crate may use.
const ARROWS: &[(&str, &[&str])] = &[
    ("gongkai-model", &[]),
    ("gongkai-worker", &[]),
    ("gongkai-egress", &[]),
    ("gongkai-extract", &["gongkai-model"]),
    ("gongkai-forms", &["gongkai-model"]),
    ("gongkai-rules", &["gongkai-model", "gongkai-forms"]),
    (
        "gongkai-reading",
        &["gongkai-model", "gongkai-agencies", "gongkai-extract", "gongkai-forms", "gongkai-lifecycle"],
    ),
    ("gongkai-annotate", &["gongkai-model", "gongkai-extract"]),
    ("gongkai-isolation", &["gongkai-model", "gongkai-annotate", "gongkai-proto", "gongkai-reading"]),
    (
        "gongkai-check",
        &["gongkai-model", "gongkai-agencies", "gongkai-annotate", "gongkai-reading", "gongkai-rules"],
    ),
    ("gongkai-agencies", &["gongkai-model"]),
    ("gongkai-acknowledgements", &["gongkai-model", "gongkai-proto", "gongkai-worker"]),
    ("gongkai-registry", &["gongkai-agencies", "gongkai-worker"]),
    ("gongkai-lifecycle", &["gongkai-model", "gongkai-agencies"]),
    (
        "gongkai-ownership",
        &["gongkai-agencies", "gongkai-lifecycle", "gongkai-model", "gongkai-proto", "gongkai-worker"],
    ),
    (
        "gongkai-neighbours",
        &[
            "gongkai-agencies",
            "gongkai-lifecycle",
            "gongkai-model",
            "gongkai-proto",
            "gongkai-rules",
            "gongkai-worker",
        ],
    ),
    ("gongkai-store", &["gongkai-model", "gongkai-lifecycle"]),
    ("gongkai-proto", &["gongkai-model"]),
    (
        "gongkai-ingest",
        &[
            "gongkai-acknowledgements",
            "gongkai-model",
            "gongkai-proto",
            "gongkai-worker",
            "gongkai-agencies",
            "gongkai-egress",
            "gongkai-lifecycle",
            "gongkai-ownership",
            "gongkai-neighbours",
            "gongkai-registry",
            "gongkai-annotate",
            "gongkai-isolation",
            "gongkai-reading",
            "gongkai-check",
            "gongkai-rules",
        ],
    ),
    (
        "gongkai-parse",
        &[
            "gongkai-model",
            "gongkai-proto",
            "gongkai-worker",
            "gongkai-agencies",
            "gongkai-lifecycle",
            "gongkai-ownership",
            "gongkai-registry",
            "gongkai-isolation",
            "gongkai-reading",
        ],
    ),
    (
        "gongkai-validate",
        &[
            "gongkai-model",
            "gongkai-proto",
            "gongkai-worker",
            "gongkai-agencies",
            "gongkai-lifecycle",
            "gongkai-neighbours",
            "gongkai-registry",
            "gongkai-rules",
        ],
    ),
    (
        "gongkai-notify",
        &[
            "gongkai-agencies",
            "gongkai-egress",
            "gongkai-model",
            "gongkai-proto",
            "gongkai-lifecycle",
            "gongkai-registry",
            "gongkai-worker",
        ],
    ),
    (
        "gongkai-query",
        &[
            "gongkai-acknowledgements",
            "gongkai-model",
            "gongkai-proto",
            "gongkai-agencies",
            "gongkai-isolation",
            "gongkai-neighbours",
            "gongkai-reading",
            "gongkai-registry",
            "gongkai-rules",
            "gongkai-store",
            "gongkai-worker",
        ],
    ),
];

/// External crates that only some crates may use, by prefix.
const GUARDED: &[(&str, &[&str])] = &[
    ("async-nats", &["gongkai-worker", "gongkai-tests"]),
    ("opentelemetry", &["gongkai-worker", "gongkai-tests"]),
    (
        "tonic",
        &["gongkai-proto", "gongkai-ingest", "gongkai-query", "gongkai", "gongkai-tests", "gongkai-worker"],
    ),
    // The read model, and the temporary database of `gongkai check DIR`.
    ("rusqlite", &["gongkai-store", "gongkai"]),
    ("landlock", &["gongkai-isolation"]),
    ("seccompiler", &["gongkai-isolation"]),
];

#[test]
fn arrows_point_one_way_and_guarded_crates_stay_behind_their_owner() {
    let mut trouble = Vec::new();
    for (package, dependencies) in normal_dependencies() {
        let allowed = ARROWS.iter().find(|(name, _)| *name == package).map(|(_, allowed)| *allowed);
        for dependency in &dependencies {
            if let Some(allowed) = allowed
                && dependency.starts_with("gongkai")
                && !allowed.contains(&dependency.as_str())
            {
                trouble.push(format!("{package} must not use {dependency}"));
            }
            for (prefix, owners) in GUARDED {
                if dependency.starts_with(prefix) && !owners.contains(&package.as_str()) {
                    trouble.push(format!("{package} must not name {dependency}"));
                }
            }
        }
        if allowed.is_none() && !["gongkai", "gongkai-tests"].contains(&package.as_str()) {
            trouble.push(format!("{package} has no line in this test: say what it may use"));
        }
    }
    assert!(trouble.is_empty(), "{}", trouble.join("\n"));
}

fn normal_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let dependencies = package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal);
            (package.name.to_string(), dependencies.map(|d| d.name.clone()).collect())
        })
        .collect()
}
