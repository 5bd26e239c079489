//! What the stage counts, and how long reports take to come here. The names stand in METRICS.md.

use std::{collections::HashSet, time::Duration};

use gongkai_model::{Finding, Severity};
use gongkai_proto::convert::timestamp::time;
use gongkai_rules::RuleSet;
use gongkai_worker::{Clock, Counter, Histogram, Runtime};

const RULE: &str = "gongkai.rule.id";
const SEVERITY: &str = "gongkai.finding.severity";
/// Stands for every rule of a local pack: their ids are others' to choose, and without end.
const LOCAL: &str = "local";

/// Findings, neighbours, and the time from the hook.
pub(crate) struct Metrics {
    findings: Counter,
    neighbours: Counter,
    processing: Histogram,
    /// Ids of the compiled-in rules.
    known: HashSet<String>,
    clock: Clock,
}

// === impl Metrics ===

impl Metrics {
    /// The instruments; counters at zero, those of findings for each compiled-in rule's own severity.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let findings =
            runtime.counter("gongkai.validate.findings", "{finding}", "findings by rule and severity");
        let embedded = RuleSet::embedded();
        for rule in embedded.rules() {
            findings.add(0, &[(RULE, rule.id()), (SEVERITY, rule.severity().as_str())]);
        }
        for severity in Severity::ALL {
            findings.add(0, &[(RULE, LOCAL), (SEVERITY, severity.as_str())]);
        }
        let text = "reports validated again because a neighbour changed";
        let neighbours = runtime.counter("gongkai.validate.neighbours", "{report}", text);
        neighbours.add(0, &[]);
        let text = "time from the hook to the findings, and to who is told of an alert";
        Self {
            findings,
            neighbours,
            processing: runtime.histogram("gongkai.report.processing.duration", "s", text),
            known: embedded.rules().iter().map(|rule| rule.id().to_owned()).collect(),
            clock: runtime.clock(),
        }
    }

    /// These findings were said of a report.
    pub(crate) fn said(&self, findings: &[Finding]) {
        for finding in findings {
            let rule = if self.known.contains(&finding.rule) { &finding.rule } else { LOCAL };
            self.findings.add(1, &[(RULE, rule), (SEVERITY, finding.severity.as_str())]);
        }
    }

    /// A report was validated again.
    pub(crate) fn again(&self) {
        self.neighbours.add(1, &[]);
    }

    /// A document that came in then has its findings.
    pub(crate) fn validated(&self, received_at: Option<prost_types::Timestamp>) {
        if let Some(received) = received_at.and_then(|at| time(at, "received_at").ok()) {
            let took = Duration::try_from(self.clock.now() - received).unwrap_or_default();
            self.processing.record_duration(took, &[("gongkai.stage", "validated")]);
        }
    }
}
