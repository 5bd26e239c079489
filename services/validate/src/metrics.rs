//! The metrics of the stage: findings, reports validated again, and the time since they were received. See METRICS.md.

use std::{collections::HashSet, time::Duration};

use gongkai_model::{Finding, Severity};
use gongkai_proto::convert::timestamp::time;
use gongkai_rules::RuleSet;
use gongkai_worker::{Clock, Counter, Histogram, Runtime};

const RULE: &str = "gongkai.rule.id";
const SEVERITY: &str = "gongkai.finding.severity";
/// Label value for every rule of a local pack, whose ids are unbounded.
const LOCAL: &str = "local";

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
    /// Registers the instruments. Counters start at zero; that of findings exists for every compiled-in rule with its
    /// severity.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let findings =
            runtime.counter("gongkai.validate.findings", "{finding}", "findings by rule and severity");
        let embedded = RuleSet::embedded();
        for rule in embedded.rules() {
            findings.add(0, &[(RULE, rule.id.as_str()), (SEVERITY, rule.severity.as_str())]);
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
            known: embedded.rules().iter().map(|rule| rule.id.clone()).collect(),
            clock: runtime.clock(),
        }
    }

    /// Counts the findings of a published report.
    pub(crate) fn published(&self, findings: &[Finding]) {
        for finding in findings {
            let rule = if self.known.contains(&finding.rule) { &finding.rule } else { LOCAL };
            self.findings.add(1, &[(RULE, rule), (SEVERITY, finding.severity.as_str())]);
        }
    }

    /// Counts a report that was validated again because a neighbour changed.
    pub(crate) fn revalidated(&self) {
        self.neighbours.add(1, &[]);
    }

    /// Records the time since a document was received.
    pub(crate) fn validated(&self, received_at: Option<prost_types::Timestamp>) {
        if let Some(received) = received_at.and_then(|at| time(at, "received_at").ok()) {
            let took = Duration::try_from(self.clock.now() - received).unwrap_or_default();
            self.processing.record_duration(took, &[("gongkai.stage", "validated")]);
        }
    }
}
