//! The state and the history of an alert, from the messages about it.
//!
//! A message may be in the stream twice, if notify published it again after the stream forgot its id. Copies are dropped:
//! those that an alert was raised or resolved at the same time, and those of an acknowledgement of the same raising.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use gongkai_acknowledgements::raised_at;
use gongkai_model::ReportKey;
use gongkai_proto::{
    convert::{finding::severity, timestamp::timestamp},
    v1::{self, AlertStepKind},
};
use gongkai_store::query::{Condition, severity_rank};
use time::OffsetDateTime;

use crate::filter::comparing;

/// A field of an alert that filters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertField {
    State,
    Agency,
    AgencyName,
    Report,
    Year,
    Region,
    Severity,
    Acknowledged,
    /// In Unix nanoseconds.
    RaisedAt,
}

/// What the index keeps of a message about an alert.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The alert was raised or resolved.
    Changed(Arc<ChangedAlert>),
    /// A person takes care of it.
    Acknowledged(Arc<v1::Acknowledgement>),
}

/// An alert as it was raised or resolved, without its findings.
#[derive(Debug, Clone)]
pub struct ChangedAlert {
    at: OffsetDateTime,
    is_raised: bool,
    report: String,
    agency_name: String,
    year: i32,
    region: String,
    severity: i32,
    resolution: i32,
    rules: Vec<String>,
    trace_id: String,
}

/// An alert with what became of it.
#[derive(Debug, Clone)]
pub struct Standing {
    pub id: Arc<str>,
    pub is_open: bool,
    /// Since when it is open, or was before it was resolved.
    pub opened_at: OffsetDateTime,
    /// Sequence of the message that opened it. It orders lists.
    pub opened: u64,
    /// Sequence of the message that last raised or resolved it.
    pub last: u64,
    /// The acknowledgements that apply, the earliest first.
    pub acknowledgements: Vec<Arc<v1::Acknowledgement>>,
    steps: Vec<(AlertStepKind, Entry)>,
    changed: Arc<ChangedAlert>,
}

// === impl Entry ===

impl Entry {
    /// Returns the entry of an alert that was raised or resolved at a time.
    #[must_use]
    pub fn changed(alert: v1::Alert, at: OffsetDateTime) -> Self {
        let is_raised = alert.state() == v1::AlertState::Raised;
        let mut rules: Vec<String> = alert.findings.into_iter().map(|finding| finding.rule).collect();
        rules.sort();
        rules.dedup();
        Self::Changed(Arc::new(ChangedAlert {
            at,
            is_raised,
            report: alert.report,
            agency_name: alert.agency_name,
            year: alert.year,
            region: alert.region,
            severity: alert.severity,
            resolution: alert.resolution,
            rules,
            trace_id: alert.trace_id,
        }))
    }
}

// === impl Standing ===

impl Standing {
    /// Derives an alert from its entries in the order of the stream. Returns `None` if it was never raised or resolved.
    #[must_use]
    pub fn of(id: &Arc<str>, entries: &BTreeMap<u64, Entry>) -> Option<Self> {
        let mut standing: Option<Self> = None;
        let (mut changes, mut acknowledged) = (HashSet::new(), HashSet::new());
        for (sequence, entry) in entries {
            match entry {
                Entry::Changed(changed) if changes.insert((changed.is_raised, changed.at)) => {
                    let before = standing.take();
                    standing = Some(Self::after(before, id, *sequence, changed));
                }
                Entry::Acknowledged(one)
                    if acknowledged.insert((&one.person, &one.subscription, raised_at(one))) =>
                {
                    if let Some(standing) = &mut standing {
                        standing.acknowledge(one);
                    }
                }
                Entry::Changed(_) | Entry::Acknowledged(_) => {}
            }
        }
        standing
    }

    fn after(before: Option<Self>, id: &Arc<str>, sequence: u64, changed: &Arc<ChangedAlert>) -> Self {
        let was_open = before.as_ref().is_some_and(|before| before.is_open);
        let kind = match (&before, changed.is_raised) {
            (_, false) => AlertStepKind::Resolved,
            (None, true) => AlertStepKind::Raised,
            (Some(_), true) if was_open => AlertStepKind::Extended,
            (Some(_), true) => AlertStepKind::Reopened,
        };
        let mut standing = before.unwrap_or_else(|| Self {
            id: id.clone(),
            is_open: false,
            opened_at: changed.at,
            opened: sequence,
            last: sequence,
            acknowledgements: Vec::new(),
            steps: Vec::new(),
            changed: changed.clone(),
        });
        if !(was_open && changed.is_raised) {
            standing.acknowledgements.clear();
        }
        if !was_open && changed.is_raised {
            (standing.opened_at, standing.opened) = (changed.at, sequence);
        }
        standing.is_open = changed.is_raised;
        (standing.last, standing.changed) = (sequence, changed.clone());
        standing.steps.push((kind, Entry::Changed(changed.clone())));
        standing
    }

    /// Adds an acknowledgement. It applies if it is about the alert as it is open now.
    fn acknowledge(&mut self, one: &Arc<v1::Acknowledgement>) {
        if self.is_open && raised_at(one) >= Some(self.opened_at) {
            self.acknowledgements.push(one.clone());
        }
        self.steps.push((AlertStepKind::Acknowledged, Entry::Acknowledged(one.clone())));
    }

    /// Returns the alert's region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.changed.region
    }

    /// Returns the answer about this alert, without its history.
    #[must_use]
    pub fn record(&self, alert: v1::Alert) -> v1::AlertRecord {
        v1::AlertRecord {
            name: format!("alerts/{}", self.id),
            alert: Some(alert),
            raised_at: Some(timestamp(self.opened_at)),
            acknowledgements: self.acknowledgements.iter().map(|one| (**one).clone()).collect(),
            history: Vec::new(),
        }
    }

    /// Returns what happened to the alert, the earliest first.
    #[must_use]
    pub fn history(&self) -> Vec<v1::AlertStep> {
        self.steps.iter().map(|(kind, entry)| step(*kind, entry)).collect()
    }

    /// Returns true if a condition of a filter holds.
    #[must_use]
    pub fn meets(&self, condition: &Condition<AlertField>) -> bool {
        let ChangedAlert { report, agency_name, region, year, .. } = &*self.changed;
        let rank = || severity(self.changed.severity).map_or(0, severity_rank);
        match condition.field {
            AlertField::State => comparing::text(if self.is_open { "OPEN" } else { "RESOLVED" }, condition),
            AlertField::Agency => {
                report.parse::<ReportKey>().is_ok_and(|key| comparing::text(key.agency.as_str(), condition))
            }
            AlertField::AgencyName => comparing::text(agency_name, condition),
            AlertField::Report => comparing::text(report, condition),
            AlertField::Year => comparing::number((*year).into(), condition),
            AlertField::Region => comparing::text(region, condition),
            AlertField::Severity => comparing::number(rank(), condition),
            AlertField::Acknowledged => comparing::flag(!self.acknowledgements.is_empty(), condition),
            AlertField::RaisedAt => i64::try_from(self.opened_at.unix_timestamp_nanos())
                .is_ok_and(|at| comparing::number(at, condition)),
        }
    }
}

fn step(kind: AlertStepKind, entry: &Entry) -> v1::AlertStep {
    match entry {
        Entry::Changed(changed) => v1::AlertStep {
            kind: kind.into(),
            at: Some(timestamp(changed.at)),
            rules: changed.rules.clone(),
            severity: changed.severity,
            resolution: changed.resolution,
            acknowledgement: None,
            trace_id: changed.trace_id.clone(),
        },
        Entry::Acknowledged(one) => v1::AlertStep {
            kind: kind.into(),
            at: one.acknowledged_at,
            acknowledgement: Some((**one).clone()),
            ..v1::AlertStep::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn at(second: i64) -> OffsetDateTime {
        datetime!(2026-01-01 00:00 UTC) + time::Duration::seconds(second)
    }

    fn changed(state: v1::AlertState, second: i64) -> Entry {
        Entry::changed(v1::Alert { state: state.into(), ..v1::Alert::default() }, at(second))
    }

    fn raised(second: i64) -> Entry {
        changed(v1::AlertState::Raised, second)
    }

    fn resolved(second: i64) -> Entry {
        changed(v1::AlertState::Resolved, second)
    }

    fn acknowledged(person: &str, raised: i64) -> Entry {
        Entry::Acknowledged(Arc::new(v1::Acknowledgement {
            person: person.into(),
            raised_at: Some(timestamp(at(raised))),
            ..v1::Acknowledgement::default()
        }))
    }

    fn standing(entries: Vec<Entry>) -> Standing {
        Standing::of(&"a".into(), &(1..).zip(entries).collect()).unwrap()
    }

    fn kinds(standing: &Standing) -> Vec<AlertStepKind> {
        standing.steps.iter().map(|(kind, _)| *kind).collect()
    }

    #[test]
    fn an_acknowledgement_applies_until_the_alert_is_resolved() {
        use AlertStepKind::{Acknowledged, Extended, Raised, Reopened, Resolved};
        let mut entries = vec![raised(1), acknowledged("张三", 1), raised(2), acknowledged("李四", 1)];
        let people = |standing: &Standing| {
            standing.acknowledgements.iter().map(|a| a.person.clone()).collect::<Vec<_>>()
        };
        let open = standing(entries.clone());
        assert_eq!((open.is_open, open.opened, people(&open)), (true, 1, vec!["张三".into(), "李四".into()]));
        entries.push(resolved(3));
        let ended = standing(entries.clone());
        assert_eq!((ended.is_open, people(&ended).len()), (false, 0));
        // A late answer to the first notice is history, and says nothing about the reopened alert.
        entries.extend([raised(4), acknowledged("王五", 1)]);
        let reopened = standing(entries);
        assert_eq!((reopened.is_open, reopened.opened_at, people(&reopened).len()), (true, at(4), 0));
        assert_eq!(
            kinds(&reopened),
            [Raised, Acknowledged, Extended, Acknowledged, Resolved, Reopened, Acknowledged]
        );
    }

    #[test]
    fn copies_change_nothing() {
        let once = vec![raised(1), acknowledged("张三", 1), resolved(2)];
        let twice = [once.clone(), once.clone()].concat();
        assert_eq!(kinds(&standing(twice.clone())), kinds(&standing(once)));
        assert!(!standing(twice).is_open);
    }
}
