//! The cells and findings of every sample are those of `expected.json`.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::collections::BTreeMap;

use gongkai_tests::samples::{self, Sample};
use serde_json::Value;

fn line(sample: &Sample) -> Value {
    let bytes = sample.bytes();
    let hints = gongkai_check::Hints { filename: Some(&sample.file), ..Default::default() };
    let line = gongkai_check::check(&sample.file, &bytes, &hints, &gongkai_check::Limits::default());
    serde_json::to_value(line).unwrap()
}

#[test]
fn every_cell_of_every_sample_is_right() {
    for sample in samples::all().into_iter().filter(|s| s.status == "ok") {
        let line = line(&sample);
        assert_eq!(line["status"], "ok", "{}: {}", sample.file, line["rejection"]);
        let report = &line["report"];
        assert_eq!(report["agency"].as_str(), sample.agency.as_deref(), "{}", sample.file);
        assert_eq!(report["year"].as_i64(), sample.year.map(i64::from), "{}", sample.file);
        assert_eq!(report["form"].as_str(), sample.form.as_deref(), "{}", sample.file);
        assert_eq!(report["variant"].as_str(), sample.variant.as_deref(), "{}", sample.file);
        let difference = sample.difference(&cells(report));
        assert!(difference.is_empty(), "{}:\n{}", sample.file, difference.join("\n"));
    }
}

#[test]
fn only_the_named_rules_speak() {
    for sample in samples::all().into_iter().filter(|s| s.status == "ok") {
        let line = line(&sample);
        let mut silent = sample.rules.clone();
        let mut unexpected = Vec::new();
        for finding in line["findings"].as_array().unwrap().iter().filter(|f| f["severity"] != "INFO") {
            let rule = finding["rule"].as_str().unwrap();
            match silent.iter().position(|expected| expected == rule) {
                Some(at) => drop(silent.remove(at)),
                None => unexpected.push(format!("{rule}: {}", finding["message"])),
            }
        }
        let as_named = silent.is_empty() && unexpected.is_empty();
        assert!(
            as_named,
            "{}: silent though named: {silent:?}; not named:\n{}",
            sample.file,
            unexpected.join("\n")
        );
    }
}

#[test]
fn what_is_no_report_is_rejected_with_its_code() {
    for sample in samples::all().into_iter().filter(|s| s.status == "rejected") {
        let line = line(&sample);
        assert_eq!(line["status"], "rejected", "{}", sample.file);
        assert_eq!(line["rejection"]["code"].as_str(), sample.code.as_deref(), "{}", sample.file);
        assert!(line["rejection"]["message"].as_str().is_some_and(|m| !m.is_empty()), "{}", sample.file);
    }
}

/// Returns the value of each cell; a state other than reported or blank is represented by its name.
fn cells(report: &Value) -> BTreeMap<String, Option<String>> {
    let facts = report["facts"].as_array().unwrap();
    facts
        .iter()
        .map(|fact| {
            let concept = fact["concept"].as_str().unwrap();
            let id = match fact["applicant"].as_str() {
                Some(applicant) => format!("{concept}[{applicant}]"),
                None => concept.to_owned(),
            };
            let value = match fact["state"].as_str().unwrap() {
                "reported" => Some(fact["value"].as_str().unwrap().to_owned()),
                "blank" => None,
                other => Some(other.to_owned()),
            };
            (id, value)
        })
        .collect()
}
