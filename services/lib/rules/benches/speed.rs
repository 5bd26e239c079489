//! The cost of all rules: `make bench`, or `cargo bench -p gongkai-rules --bench speed`.
//!
//! Prints the time of one report on one warm core, for the report of the tests: clean, with an error, with long prose,
//! and with a report of the year before.
#![expect(clippy::unwrap_used, reason = "a measuring program may stop")]

#[path = "../tests/suite/real.rs"]
mod real;

use std::time::Instant;

use gongkai_model::{AgencyKey, Report, State};
use gongkai_rules::{AgencyYear, Neighbours, ReportContext, RuleSet};

/// Number of evaluations in one sample. A sample fits into one time slice of a busy machine; the fastest sample
/// counts.
const EVALUATIONS: u32 = 8;
const SAMPLES: u32 = 300;

fn main() {
    let clean = real::report();
    let mut broken = clean.clone();
    let total =
        broken.facts.iter_mut().find(|fact| fact.id.to_string() == "requests.received[total]").unwrap();
    total.state = State::Reported(7.into());
    // Some offices write ten pages of prose.
    let mut long = clean.clone();
    let prose: Vec<_> = long.sections[0].paragraphs.iter().cycle().take(60).cloned().collect();
    long.sections[0].paragraphs = prose;
    for (name, report) in [("clean", &clean), ("broken", &broken), ("long", &long)] {
        measure(name, report, None);
    }
    // The data for neighbours is computed once, when a report arrives.
    let start = Instant::now();
    let kind = gongkai_agencies::kind_of(&clean.agency);
    let own = AgencyYear::of(&clean, kind);
    say(&format!("summary for neighbours: {:.0} µs, once a report", start.elapsed().as_secs_f64() * 1e6));
    let mut before = clean.clone();
    before.year -= 1;
    let previous = Some(AgencyYear::of(&before, kind));
    let neighbours = Neighbours { previous, ..Neighbours::new(own) };
    measure("neighbours", &clean, Some(&neighbours));
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn say(line: &str) {
    println!("{line}");
}

fn measure(name: &str, report: &Report, neighbours: Option<&Neighbours>) {
    let rules = RuleSet::embedded();
    let agency = AgencyKey::from_code("p-0123456789abcdef").unwrap();
    let by_name = gongkai_agencies::nature_of(&report.agency);
    let context = ReportContext { agency: Some(&agency), by_name, neighbours, ..ReportContext::default() };
    let mut best = f64::MAX;
    let mut findings = 0;
    for _ in 0..SAMPLES {
        let start = Instant::now();
        for _ in 0..EVALUATIONS {
            findings = rules.evaluate(report, &context).len();
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(EVALUATIONS));
    }
    let chars: usize =
        report.sections.iter().flat_map(|s| &s.paragraphs).map(|p| p.text.chars().count()).sum();
    say(&format!("{name}: {best:.0} µs a report ({chars} characters of prose, {findings} findings)"));
}
