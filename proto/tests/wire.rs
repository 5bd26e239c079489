//! Checks that logs of earlier versions stay readable: `wire/<version>` has every event in the encoding of that
//! version (`.bin`), with every field filled, and its decoded form (`.txt`). Every later version decodes the same.
//!
//! `make gen` runs this with `GONGKAI_GEN=write` and writes the files of the present version. Those of other versions
//! are never rewritten.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the switch of a developer's tool, not a setting of the program; helpers of tests are tests"
)]

mod samples;

use std::{collections::BTreeSet, fs, path::PathBuf};

use gongkai_model::Region;
use gongkai_proto::{
    ReportEvent,
    event::Undecodable,
    subjects::{self, DEAD_PREFIX, Event},
    v1,
};
use prost::bytes::Bytes;

fn folder(version: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/wire", version].iter().collect()
}

/// Returns the file stem of an event: its CloudEvents type without the common parts.
fn stem(event: Event) -> &'static str {
    event.ce_type().strip_prefix("gongkai.").and_then(|name| name.strip_suffix(".v1")).unwrap()
}

/// Returns every field and its value, one per line.
fn read(stem_: &str, payload: Vec<u8>) -> String {
    let payload = Bytes::from(payload);
    let Some(event) = Event::ALL.into_iter().find(|event| stem(*event) == stem_) else {
        if stem_ == "alert.acknowledged" {
            let subject = subjects::acknowledged_subject("a", Region::UNKNOWN);
            return format!("{:#?}\n", v1::AlertAcknowledged::try_from((subject.as_str(), payload)).unwrap());
        }
        if stem_ == "dead.settled" {
            let subject = subjects::settled_subject("parse");
            return format!("{:#?}\n", v1::DeadLetterSettled::try_from((subject.as_str(), payload)).unwrap());
        }
        let subject = format!("{DEAD_PREFIX}.parse");
        return format!("{:#?}\n", v1::DeadLetter::try_from((subject.as_str(), payload)).unwrap());
    };
    format!("{:#?}\n", ReportEvent::decode(&event.subject(Region::UNKNOWN), payload).unwrap())
}

/// Returns the first line of a recorded reading that another lacks. Lines that the record lacks are new fields.
fn first_lost<'a>(recorded: &'a str, read: &str) -> Option<&'a str> {
    let mut lines = read.lines();
    recorded.lines().find(|recorded| !lines.any(|line| line == *recorded))
}

#[test]
fn logs_of_every_version_are_read() {
    let today = folder(env!("CARGO_PKG_VERSION"));
    let write = std::env::var("GONGKAI_GEN").is_ok_and(|v| v == "write");
    for (stem, payload) in samples::all() {
        let (bin, txt) = (today.join(format!("{stem}.bin")), today.join(format!("{stem}.txt")));
        if write {
            fs::create_dir_all(&today).unwrap();
            fs::write(&bin, &payload).unwrap();
            fs::write(&txt, read(stem, payload)).unwrap();
        } else {
            let is_current = fs::read(&bin).is_ok_and(|old| old == payload);
            assert!(is_current, "{} is stale: run `make gen` and commit the result", bin.display());
        }
    }
    for version in fs::read_dir(folder("")).unwrap() {
        let version = version.unwrap().path();
        for (stem, _) in samples::all() {
            let payload = fs::read(version.join(format!("{stem}.bin"))).unwrap();
            let recorded = fs::read_to_string(version.join(format!("{stem}.txt"))).unwrap();
            let read = read(stem, payload);
            let lost = first_lost(&recorded, &read);
            assert_eq!(lost, None, "{stem} of {} is read otherwise:\n{read}", version.display());
        }
    }
}

#[test]
fn the_samples_fill_every_field_with_a_value_of_its_own() {
    for (stem, payload) in samples::all() {
        let read = read(stem, payload);
        let leaves = read.lines().map(str::trim).filter(|line| !line.ends_with(['{', '[', '(']));
        let leaves =
            leaves.filter_map(|line| line.strip_suffix(',')).filter(|line| !line.ends_with(['}', ']', ')']));
        let mut seen = BTreeSet::new();
        for leaf in leaves {
            let value = leaf.split_once(": ").map_or(leaf, |(_, value)| value);
            assert!(
                !["0", "\"\"", "b\"\"", "None", "false", "Unspecified"].contains(&value),
                "{stem}: {leaf}"
            );
            let is_name = value.chars().all(char::is_alphabetic);
            assert!(
                is_name || seen.insert(value.to_owned()),
                "{stem}: another field has the value of {leaf}"
            );
        }
        assert!(!read.contains("[],"), "{stem} has an empty list");
    }
}

#[test]
fn what_is_no_event_of_ours_is_refused() {
    let empty = || Bytes::new();
    for subject in [
        "",
        "gongkai.v1.report",
        "gongkai.v1.report.burnt.360982",
        "gongkai.v1.report.parsedx.360982",
        "gongkai.v1.dead.parse",
    ] {
        let refused = ReportEvent::decode(subject, empty());
        assert!(matches!(refused, Err(Undecodable::Subject(_))), "{subject}: {refused:?}");
    }
    for event in Event::ALL {
        let refused = ReportEvent::decode(&event.subject(Region::UNKNOWN), Bytes::from_static(b"\xff"));
        assert!(matches!(refused, Err(Undecodable::Payload(..))), "{event:?}: {refused:?}");
    }
    let refused = ReportEvent::decode(&Event::AlertRaised.subject(Region::UNKNOWN), empty());
    assert!(matches!(refused, Err(Undecodable::AlertState(0))), "{refused:?}");
    let refused = v1::DeadLetter::try_from(("gongkai.v1.report.parsed.360982", empty()));
    assert!(matches!(refused, Err(Undecodable::Subject(_))), "{refused:?}");
}
