//! What notify knows of one report: its open alerts, and what it said about them lately.
//!
//! A pure function of events: no broker, no clock. [`ReportAlerts::apply`] takes one event and says what to publish.
//!
//! **Order.** Validate ranks what it says of a report, since it says it again when a neighbour changes; an event that ranks
//! below what was seen does not change what is found. Events without ranks are ranked by the stream sequence of their
//! `DocumentReceived`, then by their own. What arrived and what was withdrawn is a history, and
//! [`gongkai_lifecycle`] says whether the content that alerts are about is withdrawn: then only what is found because of
//! the withdrawal stands. So the open findings after N events are the same for every order of arrival.
//!
//! **Crashes.** The state is saved before the runtime publishes, so a crash in between must not lose an alert:
//! - the outbox keeps the outputs of the last event, and a redelivery of that event gives the same outputs again,
//!   under the same message ids;
//! - an event that comes while an earlier one may still be unpublished takes the earlier one's outputs with it, in
//!   order. The earlier one's redelivery then ranks below and gives nothing: whoever carries its outputs is itself
//!   redelivered until they are published.
//!
//! What is carried was mostly published long ago: the stream's duplicate window drops it, and beyond the window the
//! delivery log does. Outputs are carried for [`CARRY_S`] after their event, far longer than redeliveries go on.

use std::collections::BTreeSet;

use gongkai_lifecycle::{Arrival, History, TakenDown, record_arrival, record_withdrawal, revisions};
use gongkai_model::Region;
use gongkai_proto::{convert::history, subjects::Event as Kind, v1};
use gongkai_worker::Output;

use super::waivers::{Parted, Waived, Waivers};

/// How long after an event its outputs ride along with later events of the report.
pub const CARRY_S: i64 = 24 * 3600;
/// Carried outputs stay below this, so that the state stays far from the broker's limit of 1 MiB a value.
const CARRY_BYTES: usize = 256 * 1024;

/// The rule that a withdrawn report breaks (已发布年报被撤下): a withdrawal does not resolve it.
const GONE: &str = "V-GONE";

/// One event of a report, as far as alerts go.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its message id: a redelivery has the same.
    pub id: String,
    /// Its stream sequence.
    pub sequence: u64,
    /// When the stream took it.
    pub at: prost_types::Timestamp,
    /// The trace it travels under.
    pub trace_id: String,
    /// What happened.
    pub change: Change,
}

/// What happened to a report.
#[derive(Debug, Clone)]
pub enum Change {
    /// A revision was validated.
    Validated {
        /// Its arrival.
        arrival: Arrival,
        /// Rank among the validations of the report; 0 from a version that did not rank.
        validation: u64,
        /// True if a newer content of the report is known: what is found in this one is history.
        superseded: bool,
        /// The withdrawal of its address that ranks highest.
        taken_down: Option<TakenDown>,
        /// What its findings amount to, from [`super::group::alerts`].
        alerts: Vec<v1::Alert>,
    },
    /// The report, or what stood at an address of it, was withdrawn.
    Withdrawn(TakenDown),
    /// A person let a finding stand, or that came to its end.
    Waived(Waived),
}

/// What [`ReportAlerts::apply`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something newer is known: save nothing, publish nothing.
    Stale,
    /// The last event again: save nothing, publish the outbox.
    Repeat,
    /// Save, then publish the outbox.
    Advanced,
}

/// The saved state of one report.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReportAlerts {
    #[prost(message, optional, tag = "1")]
    newest: Option<Validation>,
    #[prost(message, repeated, tag = "2")]
    open: Vec<v1::Alert>,
    #[prost(message, repeated, tag = "4")]
    outbox: Vec<Said>,
    #[prost(message, optional, tag = "5")]
    waivers: Option<Waivers>,
    /// What the newest validation found, waived or not: waivers are held against it, however open alerts came to be.
    #[prost(message, repeated, tag = "6")]
    found: Vec<v1::Alert>,
    /// What arrived and what was withdrawn.
    #[prost(message, optional, tag = "7")]
    history: Option<v1::HistoryRecord>,
}

/// The highest-ranked validation seen.
#[derive(Clone, PartialEq, prost::Message)]
struct Validation {
    #[prost(uint64, tag = "1")]
    received_sequence: u64,
    #[prost(uint64, tag = "2")]
    event_sequence: u64,
    #[prost(uint64, tag = "4")]
    rank: u64,
    #[prost(string, tag = "5")]
    content_hash: String,
}

/// What one event made us say.
#[derive(Clone, PartialEq, prost::Message)]
struct Said {
    #[prost(string, tag = "1")]
    event_id: String,
    #[prost(message, optional, tag = "2")]
    at: Option<prost_types::Timestamp>,
    #[prost(message, repeated, tag = "3")]
    alerts: Vec<v1::Alert>,
}

// === impl ReportAlerts ===

impl ReportAlerts {
    /// Takes one event. The outputs are in [`ReportAlerts::outputs`], unless the event is stale.
    pub fn apply(&mut self, event: &Event) -> Step {
        if self.outbox.last().is_some_and(|said| said.event_id == event.id) {
            return Step::Repeat;
        }
        self.adopt_found();
        let is_news = match &event.change {
            Change::Validated { arrival, validation, superseded, taken_down, alerts } => {
                let is_news = self.record(arrival, taken_down.as_ref());
                let validation = Validation {
                    received_sequence: arrival.rank.sequence(),
                    event_sequence: event.sequence,
                    rank: *validation,
                    content_hash: arrival.content_hash.clone(),
                };
                let is_found = !superseded && self.find(validation, alerts, &event.trace_id);
                is_news || is_found
            }
            Change::Withdrawn(taken_down) => {
                self.change_history(|history| record_withdrawal(history, taken_down))
            }
            Change::Waived(waived) => self.waivers.get_or_insert_default().note(waived),
        };
        if !is_news {
            return Step::Stale;
        }
        let mut alerts = self.settle();
        for alert in &mut alerts {
            // A waiver is no document: what it raises or resolves goes under the trace of the report.
            if !matches!(event.change, Change::Waived(_)) {
                alert.trace_id.clone_from(&event.trace_id);
            }
            alert.changed_at = Some(event.at);
        }
        self.say(event, alerts);
        Step::Advanced
    }

    /// What to publish now: the last event's outputs behind those it carries, oldest first.
    #[must_use]
    pub fn outputs(&self) -> Vec<Output> {
        self.outbox
            .iter()
            .flat_map(|said| said.alerts.iter().map(|alert| output(&said.event_id, alert)))
            .collect()
    }

    /// The alerts that stand, by id.
    #[must_use]
    pub fn open(&self) -> &[v1::Alert] {
        &self.open
    }

    /// The content of the newest validation, and whether it was withdrawn; `None` before the first.
    #[must_use]
    pub fn current(&self) -> Option<(&str, bool)> {
        let newest = self.newest.as_ref()?;
        let history = self.history.as_ref().map(History::from).unwrap_or_default();
        let is_withdrawn =
            revisions(&history).iter().any(|r| r.content_hash() == newest.content_hash && r.is_withdrawn);
        Some((&newest.content_hash, is_withdrawn))
    }

    /// A state of a version that did not keep what was found has what is open.
    fn adopt_found(&mut self) {
        if self.found.is_empty() {
            self.found.clone_from(&self.open);
        }
    }

    /// Records an arrival and the withdrawal of its address; false if both are known.
    fn record(&mut self, arrival: &Arrival, taken_down: Option<&TakenDown>) -> bool {
        self.change_history(|history| {
            let is_down = taken_down.is_some_and(|taken_down| record_withdrawal(history, taken_down));
            record_arrival(history, arrival) || is_down
        })
    }

    fn change_history(&mut self, change: impl FnOnce(&mut History) -> bool) -> bool {
        history::change_history(self.history.get_or_insert_default(), change).0
    }

    /// Makes `alerts` what is found, unless a validation that ranks higher was seen: then false.
    fn find(&mut self, validation: Validation, alerts: &[v1::Alert], trace_id: &str) -> bool {
        if self.newest.as_ref().is_some_and(|newest| !newest.is_below(&validation)) {
            return false;
        }
        let traced = |alert: &v1::Alert| v1::Alert { trace_id: trace_id.to_owned(), ..alert.clone() };
        self.found = alerts.iter().map(traced).collect();
        self.newest = Some(validation);
        true
    }

    /// Opens what is found and stands; returns the alerts to say.
    fn settle(&mut self) -> Vec<v1::Alert> {
        let is_withdrawn = self.current().is_some_and(|(_, is_withdrawn)| is_withdrawn);
        let found = if is_withdrawn { of_withdrawal(&self.found) } else { self.found.clone() };
        let Parted { standing, waived } = self.waivers.get_or_insert_default().part(&found);
        self.change(&standing, &waived)
    }

    /// Makes `alerts` the open ones; returns those to say: raised where a finding is new, resolved where all are gone, or
    /// among the `waived`.
    fn change(&mut self, alerts: &[v1::Alert], waived: &BTreeSet<String>) -> Vec<v1::Alert> {
        let known = fingerprints(&self.open);
        let current = fingerprints(alerts);
        let before = std::mem::take(&mut self.open);
        let (mut open, mut raised, mut resolved) = (Vec::new(), Vec::new(), Vec::new());

        // Findings that stand under another cause already wait: if that alert goes on, nothing is said twice.
        let mut waiting = Vec::new();
        for alert in alerts {
            if alert.findings.iter().any(|f| !known.contains(&f.fingerprint)) {
                raised.push(alert);
                open.push(alert.clone());
            } else if before.iter().any(|b| b.alert_id == alert.alert_id) {
                open.push(alert.clone());
            } else {
                waiting.push(alert);
            }
        }
        let held = fingerprints(&open);
        for mut old in before {
            if open.iter().any(|o| o.alert_id == old.alert_id) {
                continue;
            }
            let stands = |f: &v1::Finding| current.contains(&f.fingerprint) && !held.contains(&f.fingerprint);
            if old.findings.iter().any(stands) {
                old.findings.retain(stands);
                open.push(old);
            } else {
                resolved.push(old);
            }
        }
        let held = fingerprints(&open);
        for alert in waiting {
            if alert.findings.iter().any(|f| !held.contains(&f.fingerprint)) {
                raised.push(alert);
                open.push(alert.clone());
            }
        }
        open.sort_by(|a, b| a.alert_id.cmp(&b.alert_id));
        self.open = open;
        let raised = raised.into_iter().map(|alert| in_state(alert, v1::AlertState::Raised));
        raised.chain(resolved.iter().map(|alert| resolved_by(alert, waived))).collect()
    }

    /// Puts an event's outputs behind those still carried.
    fn say(&mut self, event: &Event, alerts: Vec<v1::Alert>) {
        self.outbox.retain(|said| {
            !said.alerts.is_empty() && said.at.is_some_and(|at| event.at.seconds - at.seconds <= CARRY_S)
        });
        self.outbox.push(Said { event_id: event.id.clone(), at: Some(event.at), alerts });
        while self.outbox.len() > 1
            && self.outbox.iter().map(prost::Message::encoded_len).sum::<usize>() > CARRY_BYTES
        {
            self.outbox.remove(0);
        }
    }
}

impl Validation {
    /// True if the other validation counts more: validate ranks what it says of a report; without its ranks the newer
    /// revision counts, and of one revision the newer event.
    fn is_below(&self, other: &Self) -> bool {
        if self.rank > 0 && other.rank > 0 {
            return self.rank < other.rank;
        }
        (self.received_sequence, self.event_sequence) < (other.received_sequence, other.event_sequence)
    }
}

/// What is found because the report was withdrawn; all else went with it.
fn of_withdrawal(alerts: &[v1::Alert]) -> Vec<v1::Alert> {
    alerts.iter().filter(|alert| alert.findings.iter().all(|finding| finding.rule == GONE)).cloned().collect()
}

fn fingerprints(alerts: &[v1::Alert]) -> BTreeSet<String> {
    alerts.iter().flat_map(|alert| &alert.findings).map(|finding| finding.fingerprint.clone()).collect()
}

/// An alert that is over: waived if people let stand what is left of it.
fn resolved_by(alert: &v1::Alert, waived: &BTreeSet<String>) -> v1::Alert {
    let is_waived = alert.findings.iter().any(|finding| waived.contains(&finding.fingerprint));
    let resolution = if is_waived { v1::AlertResolution::Waived } else { v1::AlertResolution::Gone };
    v1::Alert { resolution: resolution.into(), ..in_state(alert, v1::AlertState::Resolved) }
}

fn in_state(alert: &v1::Alert, state: v1::AlertState) -> v1::Alert {
    v1::Alert { state: state.into(), ..alert.clone() }
}

/// An event says at most one thing of an alert, so event and alert together name the message for good.
fn output(event_id: &str, alert: &v1::Alert) -> Output {
    let region = alert.region.parse().unwrap_or(Region::UNKNOWN);
    let wire = Some(alert.clone());
    let mut output = if alert.state() == v1::AlertState::Resolved {
        let message = v1::AlertResolved { alert: wire };
        Output::new(Kind::AlertResolved.subject(region), Kind::AlertResolved.ce_type(), &message)
    } else {
        let message = v1::AlertRaised { alert: wire };
        Output::new(Kind::AlertRaised.subject(region), Kind::AlertRaised.ce_type(), &message)
    };
    output.message_id = Some(format!("{event_id}.notify.{}", alert.alert_id));
    output
}
