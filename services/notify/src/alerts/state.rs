//! The state of one report: its open alerts, and the outputs of its latest events.
//!
//! [`ReportAlerts::apply`] takes one event and updates the state; [`ReportAlerts::outputs`] returns what to publish.
//! Both depend only on the events: they use no broker and no clock.
//!
//! **Order.** Validate ranks its validations of a report, because it validates the report again when a neighbour
//! changes. An event that ranks below one already seen does not change the findings. Events without a rank are
//! ordered by the stream sequence of their `DocumentReceived`, then by their own. Arrivals and withdrawals form a
//! history, from which [`gongkai_lifecycle`] derives whether the validated content is withdrawn. If it is, only
//! findings about the withdrawal remain; for erased content none remain. The open findings after N events are
//! therefore the same for every order of the events.
//!
//! **Crashes.** The state is saved before the runtime publishes, and a crash in between must not lose an alert:
//! - The outbox keeps the outputs of the last event. A redelivery of that event returns the same outputs under the
//!   same message ids.
//! - If an event comes while the outputs of an earlier one may still be unpublished, it returns those first. A
//!   redelivery of the earlier event is then stale and returns nothing, but the later event is itself redelivered
//!   until all outputs are published.
//!
//! Most outputs that are returned again were published long ago. The stream's duplicate window drops them; after
//! that, the record of deliveries does. Outputs are kept for [`CARRY_S`] seconds after their event, far longer than
//! redeliveries last.

use std::collections::BTreeSet;

use gongkai_lifecycle::{
    Arrival, History, TakenDown, arrivals, record_arrival, record_departure, record_erasure,
    record_withdrawal, revisions,
};
use gongkai_model::Region;
use gongkai_proto::{convert::history, subjects::Event, v1};
use gongkai_worker::Output;

use super::waivers::{LeftWaiver, Split, Waived, Waivers};

/// Seconds after an event during which later events of the report return its outputs again.
pub const CARRY_S: i64 = 24 * 3600;
/// Maximum size of the outbox in bytes. It keeps the state well below the broker's limit of 1 MiB.
const CARRY_BYTES: usize = 256 * 1024;

/// The rule that a withdrawn report breaks (已发布年报被撤下). A withdrawal does not resolve its alert.
const GONE: &str = "V-GONE";

/// A change of a report, and the event that brought it.
#[derive(Debug, Clone)]
pub struct ReportUpdate {
    /// Message id of the event. A redelivery has the same.
    pub id: String,
    /// Stream sequence of the event.
    pub sequence: u64,
    /// When the stream stored the event.
    pub at: prost_types::Timestamp,
    /// Trace id of the event.
    pub trace_id: String,
    pub change: UpdateKind,
}

/// What an event changes in a report.
#[derive(Debug, Clone)]
pub enum UpdateKind {
    /// A revision was validated.
    Validated {
        /// The arrival of the validated revision.
        arrival: Arrival,
        /// Rank among the validations of the report; 0 in events of versions without ranks.
        validation: u64,
        /// True if a newer content of the report is known, so that these findings no longer matter.
        superseded: bool,
        /// The withdrawal of the arrival's URL with the highest rank.
        taken_down: Option<TakenDown>,
        /// The alerts of the revision's findings, from [`super::group::alerts`].
        alerts: Vec<v1::Alert>,
        /// The alerts that were open in the reports that the arrival left.
        carried: Vec<v1::Alert>,
        /// The waivers that applied there, under the names that they have in this report.
        waivers: Vec<LeftWaiver>,
    },
    /// An arrival was read again as another report, by the event of this sequence.
    Left {
        /// Stream sequence of the arrival.
        arrival: u64,
        /// Stream sequence of the reading.
        event: u64,
    },
    /// The report, or what was published at one of its URLs, was withdrawn.
    Withdrawn(TakenDown),
    /// A waiver was granted or ended.
    Waived(Waived),
    /// The contents with these hashes were erased.
    Erased(Vec<String>),
}

/// Result of [`ReportAlerts::apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The event changes nothing. Neither save nor publish.
    Stale,
    /// The event is a redelivery of the last one. Publish the outbox; there is nothing to save.
    Repeat,
    /// The state has changed. Save it, then publish the outbox.
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
    outbox: Vec<Queued>,
    #[prost(message, optional, tag = "5")]
    waivers: Option<Waivers>,
    /// The alerts of the newest validation before waivers are applied.
    #[prost(message, repeated, tag = "6")]
    found: Vec<v1::Alert>,
    #[prost(message, optional, tag = "7")]
    history: Option<v1::HistoryRecord>,
    /// The ids under which alerts were raised that came with the arrival from another report.
    #[prost(message, repeated, tag = "8")]
    carried: Vec<CarriedAlert>,
}

/// An alert that keeps its id in another report: a receiver that knows it as open learns of its end.
#[derive(Clone, PartialEq, prost::Message)]
struct CarriedAlert {
    /// Its id in this report.
    #[prost(string, tag = "1")]
    alert_id: String,
    /// The id under which it was raised.
    #[prost(string, tag = "2")]
    raised_as: String,
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

/// The outputs of one event.
#[derive(Clone, PartialEq, prost::Message)]
struct Queued {
    #[prost(string, tag = "1")]
    event_id: String,
    #[prost(message, optional, tag = "2")]
    at: Option<prost_types::Timestamp>,
    #[prost(message, repeated, tag = "3")]
    alerts: Vec<v1::Alert>,
    /// Alerts that ended because their arrival left. The report that it went to carries them on or resolves them.
    #[prost(message, repeated, tag = "4")]
    left: Vec<v1::Alert>,
    /// Waivers that applied to what left.
    #[prost(message, repeated, tag = "5")]
    left_waivers: Vec<LeftWaiver>,
}

// === impl ReportAlerts ===

impl ReportAlerts {
    /// Applies one event. Unless it is stale, [`ReportAlerts::outputs`] returns what to publish.
    pub fn apply(&mut self, event: &ReportUpdate) -> Transition {
        if self.outbox.last().is_some_and(|queued| queued.event_id == event.id) {
            return Transition::Repeat;
        }
        self.adopt_found();
        let in_force = self.waivers.get_or_insert_default().in_force(&self.found);
        if !self.record_change(event) {
            return Transition::Stale;
        }
        let mut alerts = self.reconcile();
        if let UpdateKind::Validated { carried, .. } = &event.change {
            self.carry(&mut alerts, carried);
        }
        self.name_as_raised(&mut alerts);
        self.complete(&mut alerts, event);
        let (event_id, at) = (event.id.clone(), Some(event.at));
        let queued = match &event.change {
            UpdateKind::Left { .. } => {
                let left_waivers = if self.found.is_empty() { in_force } else { Vec::new() };
                Queued { event_id, at, alerts: Vec::new(), left: alerts, left_waivers }
            }
            _ => Queued { event_id, at, alerts, ..Queued::default() },
        };
        self.queue(queued, event.at.seconds);
        Transition::Advanced
    }

    /// Records what an event changes. Returns false if that was known.
    fn record_change(&mut self, event: &ReportUpdate) -> bool {
        match &event.change {
            UpdateKind::Validated {
                arrival, validation, superseded, taken_down, alerts, waivers, ..
            } => {
                let is_changed = self.record(arrival, taken_down.as_ref());
                let validation = Validation {
                    received_sequence: arrival.rank.sequence(),
                    event_sequence: event.sequence,
                    rank: *validation,
                    content_hash: arrival.content_hash.clone(),
                };
                let is_found = !superseded && self.replace_found(validation, alerts, &event.trace_id);
                if is_found {
                    self.waivers.get_or_insert_default().adopt(waivers, &self.found);
                }
                is_changed || is_found
            }
            UpdateKind::Withdrawn(taken_down) => {
                self.change_history(|history| record_withdrawal(history, taken_down))
            }
            UpdateKind::Left { arrival, event } => {
                self.change_history(|history| record_departure(history, *arrival, *event))
            }
            UpdateKind::Waived(waived) => self.waivers.get_or_insert_default().record(waived),
            UpdateKind::Erased(contents) => self.erase(contents),
        }
    }

    /// Adds the event to the alerts that it leads to, and takes the quotations out of those about erased contents.
    fn complete(&self, alerts: &mut [v1::Alert], event: &ReportUpdate) {
        for alert in alerts {
            if alert.state() == v1::AlertState::Resolved && self.is_erased(&alert.content_hash) {
                without_quotations(alert);
            }
            // A waiver is not a document, so its alerts keep the trace of the report.
            if !matches!(event.change, UpdateKind::Waived(_)) {
                alert.trace_id.clone_from(&event.trace_id);
            }
            alert.changed_at = Some(event.at);
        }
    }

    /// Returns the alerts that ended and the waivers that apply no longer because their arrival left with this event.
    #[must_use]
    pub fn left_with(&self, event_id: &str) -> (Vec<v1::Alert>, Vec<LeftWaiver>) {
        let queued = || self.outbox.iter().filter(|queued| queued.event_id == event_id);
        (
            queued().flat_map(|queued| queued.left.clone()).collect(),
            queued().flat_map(|queued| queued.left_waivers.clone()).collect(),
        )
    }

    /// Returns the outputs to publish, oldest first: those of recent events, then those of the last one.
    #[must_use]
    pub fn outputs(&self) -> Vec<Output> {
        self.outbox
            .iter()
            .flat_map(|queued| queued.alerts.iter().map(|alert| output(&queued.event_id, alert)))
            .collect()
    }

    /// Returns the open alerts, sorted by id.
    #[must_use]
    pub fn open(&self) -> &[v1::Alert] {
        &self.open
    }

    /// Returns the content hash of the newest validation and whether it is withdrawn; `None` before the first
    /// validation, and if that content was erased.
    #[must_use]
    pub fn current(&self) -> Option<(&str, bool)> {
        let newest = self.newest.as_ref().filter(|newest| !self.is_erased(&newest.content_hash))?;
        let is_withdrawn = revisions(&self.history())
            .iter()
            .any(|r| r.content_hash() == newest.content_hash && r.is_withdrawn);
        Some((&newest.content_hash, is_withdrawn))
    }

    /// Returns the arrivals and withdrawals of the report.
    #[must_use]
    pub fn history(&self) -> History {
        self.history.as_ref().map(History::from).unwrap_or_default()
    }

    /// Fills `found` from the open alerts, for a state saved by a version without `found`.
    fn adopt_found(&mut self) {
        if self.found.is_empty() {
            self.found.clone_from(&self.open);
        }
    }

    /// Records an arrival and the withdrawal of its URL. Returns false if both were known.
    fn record(&mut self, arrival: &Arrival, taken_down: Option<&TakenDown>) -> bool {
        self.change_history(|history| {
            let is_recorded = taken_down.is_some_and(|taken_down| record_withdrawal(history, taken_down));
            record_arrival(history, arrival) || is_recorded
        })
    }

    fn change_history(&mut self, change: impl FnOnce(&mut History) -> bool) -> bool {
        history::change_history(self.history.get_or_insert_default(), change).0
    }

    /// Replaces the findings. Returns false, and replaces nothing, if a validation of higher rank was seen.
    fn replace_found(&mut self, validation: Validation, alerts: &[v1::Alert], trace_id: &str) -> bool {
        if self.newest.as_ref().is_some_and(|newest| !newest.is_below(&validation)) {
            return false;
        }
        let traced = |alert: &v1::Alert| v1::Alert { trace_id: trace_id.to_owned(), ..alert.clone() };
        self.found = alerts.iter().map(traced).collect();
        self.newest = Some(validation);
        true
    }

    /// Records that contents were erased, and drops their queued outputs. Returns false if that was known.
    fn erase(&mut self, contents: &[String]) -> bool {
        for queued in &mut self.outbox {
            queued.alerts.retain(|alert| !contents.contains(&alert.content_hash));
        }
        self.change_history(|history| record_erasure(history, contents))
    }

    fn is_erased(&self, content_hash: &str) -> bool {
        self.history
            .as_ref()
            .is_some_and(|history| history.erased.iter().any(|erased| erased == content_hash))
    }

    /// Returns true if a content was erased, or if all that arrived of it left.
    fn is_gone(&self, content_hash: &str) -> bool {
        let history = self.history();
        let counts = || arrivals(&history).any(|arrival| arrival.content_hash == content_hash);
        self.is_erased(content_hash) || (!history.departures.is_empty() && !counts())
    }

    /// Goes on with the alerts that came with an arrival: one that is raised here under other fingerprints keeps its id and is
    /// not raised again, one that is not ends.
    fn carry(&mut self, alerts: &mut Vec<v1::Alert>, carried: &[v1::Alert]) {
        for old in carried {
            let grounds = grounds(old);
            let same = self.open.iter().find(|alert| self::grounds(alert) == grounds);
            let Some(alert_id) = same.map(|alert| alert.alert_id.clone()) else {
                alerts.push(resolved_by(old, &BTreeSet::new()));
                continue;
            };
            let is_raise =
                |alert: &v1::Alert| alert.alert_id == alert_id && alert.state() == v1::AlertState::Raised;
            alerts.retain(|alert| !is_raise(alert));
            self.carried.retain(|known| known.alert_id != alert_id);
            self.carried.push(CarriedAlert { alert_id, raised_as: old.alert_id.clone() });
        }
    }

    /// Gives alerts the ids under which they were raised.
    fn name_as_raised(&self, alerts: &mut [v1::Alert]) {
        for alert in alerts {
            if let Some(known) = self.carried.iter().find(|known| known.alert_id == alert.alert_id) {
                alert.alert_id.clone_from(&known.raised_as);
            }
        }
    }

    /// Recomputes the open alerts from findings, withdrawals, erasures and waivers. Returns the alerts to publish.
    fn reconcile(&mut self) -> Vec<v1::Alert> {
        if self.newest.as_ref().is_some_and(|newest| self.is_gone(&newest.content_hash)) {
            self.found.clear();
        }
        let is_withdrawn = self.current().is_some_and(|(_, is_withdrawn)| is_withdrawn);
        let found = if is_withdrawn { of_withdrawal(&self.found) } else { self.found.clone() };
        let Split { effective, waived } = self.waivers.get_or_insert_default().split(&found);
        self.change(&effective, &waived)
    }

    /// Replaces the open alerts by `alerts` and returns those to publish: raised if a finding is new, resolved if all
    /// findings are gone or `waived`.
    fn change(&mut self, alerts: &[v1::Alert], waived: &BTreeSet<String>) -> Vec<v1::Alert> {
        let known = fingerprints(&self.open);
        let current = fingerprints(alerts);
        let before = std::mem::take(&mut self.open);
        let (mut open, mut raised, mut resolved) = (Vec::new(), Vec::new(), Vec::new());

        // An alert whose findings are all open under another cause is held back: it is raised only if the alert with
        // that cause is resolved.
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

    /// Appends the outputs of an event to the outbox, and drops those that are too old or too many.
    fn queue(&mut self, last: Queued, now_s: i64) {
        self.outbox.retain(|queued| {
            let is_empty =
                queued.alerts.is_empty() && queued.left.is_empty() && queued.left_waivers.is_empty();
            !is_empty && queued.at.is_some_and(|at| now_s - at.seconds <= CARRY_S)
        });
        self.outbox.push(last);
        while self.outbox.len() > 1
            && self.outbox.iter().map(prost::Message::encoded_len).sum::<usize>() > CARRY_BYTES
        {
            self.outbox.remove(0);
        }
    }
}

impl Validation {
    /// Returns true if the other validation takes precedence: the one of higher rank, or, without ranks, the one of the
    /// newer revision, and of one revision the newer event.
    fn is_below(&self, other: &Self) -> bool {
        if self.rank > 0 && other.rank > 0 {
            return self.rank < other.rank;
        }
        (self.received_sequence, self.event_sequence) < (other.received_sequence, other.event_sequence)
    }
}

/// Returns the alerts about the withdrawal itself. All others end with the withdrawn content.
fn of_withdrawal(alerts: &[v1::Alert]) -> Vec<v1::Alert> {
    alerts.iter().filter(|alert| alert.findings.iter().all(|finding| finding.rule == GONE)).cloned().collect()
}

fn fingerprints(alerts: &[v1::Alert]) -> BTreeSet<String> {
    alerts.iter().flat_map(|alert| &alert.findings).map(|finding| finding.fingerprint.clone()).collect()
}

/// Returns a resolved alert, marked as waived if any of its findings is.
fn resolved_by(alert: &v1::Alert, waived: &BTreeSet<String>) -> v1::Alert {
    let is_waived = alert.findings.iter().any(|finding| waived.contains(&finding.fingerprint));
    let resolution = if is_waived { v1::AlertResolution::Waived } else { v1::AlertResolution::Gone };
    v1::Alert { resolution: resolution.into(), ..in_state(alert, v1::AlertState::Resolved) }
}

/// Returns what an alert rests on, the same in whichever report it is.
fn grounds(alert: &v1::Alert) -> (i32, BTreeSet<(&str, &str, &str)>) {
    let of_findings = alert.findings.iter();
    let of_findings = of_findings.map(|f| (f.rule.as_str(), f.cause.as_str(), f.operands_digest.as_str()));
    (alert.year, of_findings.collect())
}

/// Replaces the quoted findings of a resolved alert by their names, because their content was erased.
fn without_quotations(alert: &mut v1::Alert) {
    alert.set_resolution(v1::AlertResolution::Erased);
    for finding in &mut alert.findings {
        *finding = v1::Finding {
            rule: std::mem::take(&mut finding.rule),
            severity: finding.severity,
            fingerprint: std::mem::take(&mut finding.fingerprint),
            cause: std::mem::take(&mut finding.cause),
            ..v1::Finding::default()
        };
    }
}

fn in_state(alert: &v1::Alert, state: v1::AlertState) -> v1::Alert {
    v1::Alert { state: state.into(), ..alert.clone() }
}

/// Creates the message for an alert. Event id, alert id and state identify it: an event that is delivered again may
/// resolve an alert that it raised, if a withdrawal was handled in between.
fn output(event_id: &str, alert: &v1::Alert) -> Output {
    let region = alert.region.parse().unwrap_or(Region::UNKNOWN);
    let wire = Some(alert.clone());
    let mut output = if alert.state() == v1::AlertState::Resolved {
        let message = v1::AlertResolved { alert: wire };
        Output::new(Event::AlertResolved.subject(region), Event::AlertResolved.ce_type(), &message)
    } else {
        let message = v1::AlertRaised { alert: wire };
        Output::new(Event::AlertRaised.subject(region), Event::AlertRaised.ce_type(), &message)
    };
    let state = if alert.state() == v1::AlertState::Resolved { "resolved" } else { "raised" };
    output.message_id = Some(format!("{event_id}.notify.{}.{state}", alert.alert_id));
    output
}
