//! The state of one report: which events publish which alerts, in any order and through any crash.

use std::collections::BTreeSet;

use gongkai_lifecycle::{Arrival, Rank, TakenDown};
use gongkai_model::Severity;
use gongkai_notify::alerts::{
    group,
    state::{CARRY_S, ReportAlerts, ReportUpdate, Transition, UpdateKind},
    waivers::Waived,
};
use gongkai_proto::v1;
use gongkai_worker::Output;
use prost::Message as _;
use time::OffsetDateTime;

use crate::running::{DIGEST, REPORT, URL, finding};

pub(crate) const OTHER_URL: &str = "https://example.gov.cn/moved.html";

/// Returns a validation with these findings: `a` has no cause, `a@x` has the cause `x`, and `a'` has other operands.
pub(crate) fn check(sequence: u64, received: u64, url: &str, findings: &[&str]) -> ReportUpdate {
    let findings: Vec<_> = findings
        .iter()
        .map(|text| {
            let (fingerprint, cause) = text.split_once('@').unwrap_or((text, ""));
            let (fingerprint, operands_digest) = stands_on(fingerprint);
            let rule = if fingerprint == "gone" { "V-GONE" } else { "T3-ROW" };
            v1::Finding { rule: rule.into(), cause: cause.into(), operands_digest, ..finding(fingerprint) }
        })
        .collect();
    let arrival = arrival(sequence, received, url);
    let about = v1::Alert {
        report: REPORT.into(),
        region: "360982".into(),
        content_hash: arrival.content_hash.clone(),
        ..Default::default()
    };
    let alerts = group::alerts(&findings, Severity::Warning, &about);
    let change = UpdateKind::Validated {
        arrival,
        validation: 0,
        superseded: false,
        taken_down: None,
        alerts,
        carried: Vec::new(),
        waivers: Vec::new(),
    };
    event(sequence, change)
}

/// Returns an arrival of a distinct content, from the event with that sequence.
fn arrival(sequence: u64, received: u64, url: &str) -> Arrival {
    Arrival {
        rank: rank(received),
        event: sequence,
        content_hash: format!("hash-{received}"),
        url: url.into(),
        received_at: rank(received).effective_at(),
        published_at: None,
        region: "360982".parse().unwrap(),
    }
}

fn rank(sequence: u64) -> Rank {
    Rank::new(OffsetDateTime::from_unix_timestamp(i64::try_from(sequence).unwrap()).unwrap(), sequence)
}

/// Returns the fingerprint and the digest of the operands of `a` or `a'`.
fn stands_on(text: &str) -> (&str, String) {
    text.strip_suffix('\'').map_or((text, DIGEST.into()), |fingerprint| (fingerprint, "other values".into()))
}

pub(crate) fn withdrawal(sequence: u64, url: &str) -> ReportUpdate {
    event(sequence, UpdateKind::Withdrawn(TakenDown { rank: rank(sequence), url: url.into() }))
}

/// Returns the erasure of the content that was received at `received`.
fn erasure(sequence: u64, received: u64) -> ReportUpdate {
    event(sequence, UpdateKind::Erased(vec![format!("hash-{received}")]))
}

/// Returns a waiver: `a` is granted and `-a` ended. `a2` is a second waiver of the same finding.
pub(crate) fn waiver(sequence: u64, text: &str) -> ReportUpdate {
    let (name, is_ended) = text.strip_prefix('-').map_or((text, false), |ended| (ended, true));
    let (fingerprint, operands_digest) = stands_on(name.trim_end_matches('2'));
    let waived = Waived {
        name: format!("{REPORT}/waivers/{name}"),
        fingerprint: fingerprint.into(),
        operands_digest,
        is_ended,
    };
    event(sequence, UpdateKind::Waived(waived))
}

fn event(sequence: u64, change: UpdateKind) -> ReportUpdate {
    ReportUpdate {
        id: format!("event-{sequence}"),
        sequence,
        at: prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 },
        trace_id: format!("trace-{sequence}"),
        change,
    }
}

pub(crate) fn read(output: &Output) -> v1::Alert {
    v1::AlertRaised::decode(output.payload.clone()).unwrap().alert.unwrap()
}

fn words(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .map(|output| {
            let alert = read(output);
            let raised = alert.state() == v1::AlertState::Raised;
            assert_eq!(
                output.ce_type,
                if raised { "gongkai.alert.raised.v1" } else { "gongkai.alert.resolved.v1" }
            );
            let fingerprints: Vec<_> = alert.findings.iter().map(|f| f.fingerprint.as_str()).collect();
            format!("{}{}", if raised { '+' } else { '-' }, fingerprints.join(","))
        })
        .collect()
}

/// Applies events in turn and checks the alerts that each of them adds.
#[track_caller]
fn says(steps: &[(ReportUpdate, &[&str])]) -> ReportAlerts {
    let mut state = ReportAlerts::default();
    let mut carried = Vec::new();
    for (event, expected) in steps {
        let step = state.apply(event);
        let outputs = if step == Transition::Stale { carried.clone() } else { state.outputs() };
        assert_eq!(outputs[..carried.len()], carried, "what was said before comes first");
        assert_eq!(words(&outputs[carried.len()..]), *expected, "{}", event.id);
        carried = outputs;
    }
    state
}

pub(crate) fn open(state: &ReportAlerts) -> BTreeSet<String> {
    state.open().iter().flat_map(|alert| &alert.findings).map(|f| f.fingerprint.clone()).collect()
}

#[test]
fn new_findings_are_raised_and_gone_ones_resolved() {
    says(&[
        (check(10, 1, URL, &["a@x", "b@x", "c"]), &["+a,b", "+c"]),
        (check(11, 2, URL, &["a@x", "c"]), &[]),
        (check(12, 3, URL, &["c"]), &["-a"]),
        (check(13, 4, URL, &[]), &["-c"]),
        (check(14, 5, URL, &["a@x"]), &["+a"]),
    ]);
}

#[test]
fn a_second_validation_of_the_same_revision_is_compared() {
    says(&[
        (check(10, 1, URL, &["a"]), &["+a"]),
        (check(11, 1, URL, &["a"]), &[]),
        (check(12, 1, URL, &["a", "b"]), &["+b"]),
        (check(13, 1, URL, &["b"]), &["-a"]),
    ]);
}

#[test]
fn what_validate_ranked_higher_counts_whichever_came_last() {
    let ranked = |sequence, validation, rules: &[&str]| {
        let mut event = check(sequence, 1, URL, rules);
        if let UpdateKind::Validated { validation: rank, .. } = &mut event.change {
            *rank = validation;
        }
        event
    };
    says(&[
        (ranked(10, 7, &["a"]), &["+a"]),
        (ranked(11, 9, &["a", "b"]), &["+b"]),
        (ranked(12, 8, &["c"]), &[]),
        (ranked(13, 11, &["b"]), &["-a"]),
    ]);
}

#[test]
fn older_events_change_nothing() {
    let state = says(&[
        (check(20, 5, URL, &["a"]), &["+a"]),
        (check(21, 4, URL, &["b"]), &[]),
        (check(19, 5, URL, &["c"]), &[]),
        (check(20, 5, URL, &["a"]), &[]),
    ]);
    assert_eq!(open(&state), BTreeSet::from(["a".to_owned()]));
}

#[test]
fn a_finding_is_said_once_though_its_cause_moves() {
    says(&[
        (check(10, 1, URL, &["a@x"]), &["+a"]),
        (check(11, 2, URL, &["a@y"]), &[]),
        (check(12, 3, URL, &["a@y", "b@y"]), &["+a,b", "-a"]),
        (check(13, 4, URL, &[]), &["-a,b"]),
    ]);
}

#[test]
fn new_trouble_at_a_known_cause_is_said() {
    says(&[
        (check(10, 1, URL, &["a@x"]), &["+a"]),
        (check(11, 2, URL, &["b@x"]), &["+b"]),
        (check(12, 3, URL, &[]), &["-b"]),
    ]);
}

#[test]
fn a_withdrawal_resolves_what_was_received_before_it() {
    says(&[
        (check(10, 1, URL, &["a"]), &["+a"]),
        (withdrawal(11, OTHER_URL), &[]),
        (withdrawal(12, URL), &["-a"]),
        (check(13, 1, URL, &["a"]), &[]),
        (check(14, 13, URL, &["a"]), &["+a"]),
        (withdrawal(12, URL), &[]),
    ]);
}

#[test]
fn a_withdrawal_may_come_before_what_it_withdraws() {
    says(&[
        (withdrawal(12, URL), &[]),
        (check(10, 1, URL, &["a"]), &[]),
        (check(11, 2, OTHER_URL, &["a"]), &["+a"]),
    ]);
    says(&[(withdrawal(12, ""), &[]), (check(11, 2, OTHER_URL, &["a"]), &[])]);
}

#[test]
fn outputs_ride_along_for_a_day() {
    let mut state = ReportAlerts::default();
    state.apply(&check(10, 1, URL, &["a"]));
    let mut later = check(11, 2, URL, &["a", "b"]);
    later.at.seconds += CARRY_S;
    state.apply(&later);
    assert_eq!(words(&state.outputs()), ["+a", "+b"]);
    let mut latest = check(12, 3, URL, &["b"]);
    latest.at.seconds = later.at.seconds + 1;
    state.apply(&latest);
    assert_eq!(words(&state.outputs()), ["+b", "-a"]);
}

#[test]
fn the_state_stays_small() {
    let mut state = ReportAlerts::default();
    for n in 0..200 {
        let long = "长".repeat(5_000);
        let names = [format!("{n}-{long}")];
        state.apply(&check(n + 1, n + 1, URL, &[names[0].as_str()]));
    }
    assert!(state.encoded_len() < 512 * 1024, "{}", state.encoded_len());
    assert!(!state.outputs().is_empty());
}

#[test]
fn an_alert_names_the_event_behind_it() {
    let mut state = ReportAlerts::default();
    state.apply(&check(10, 1, URL, &["a"]));
    let output = &state.outputs()[0];
    let alert = read(output);
    assert_eq!(output.subject, "gongkai.v1.alert.360982");
    assert_eq!(
        output.message_id.as_deref(),
        Some(format!("event-10.notify.{}.raised", alert.alert_id).as_str())
    );
    assert_eq!((alert.trace_id.as_str(), alert.changed_at.unwrap().seconds), ("trace-10", 1_700_000_000));
}

/// A withdrawal was interrupted after the URL's record was saved. A redelivered older validation applies it.
#[test]
fn an_event_that_resolves_what_it_raised_sends_two_messages() {
    let mut state = ReportAlerts::default();
    state.apply(&check(10, 1, URL, &["a"]));
    let (mut copy, mut again) = (check(11, 2, URL, &["a"]), check(10, 1, URL, &["a"]));
    if let UpdateKind::Validated { arrival, .. } = &mut copy.change {
        arrival.content_hash = "hash-1".into();
    }
    if let UpdateKind::Validated { taken_down, .. } = &mut again.change {
        *taken_down = Some(TakenDown { rank: rank(12), url: URL.into() });
    }
    state.apply(&copy);
    assert_eq!(state.apply(&again), Transition::Advanced);
    let outputs = state.outputs();
    assert_eq!(words(&outputs), ["+a", "-a"]);
    assert_ne!(
        outputs[0].message_id, outputs[1].message_id,
        "the stream would drop the second as a duplicate"
    );
}

#[test]
fn what_is_waived_is_resolved_and_stands_again_when_the_waiver_ends() {
    let state = says(&[
        (check(10, 1, URL, &["a@x", "b@x", "c"]), &["+a,b", "+c"]),
        // One of two findings of a cause is waived. The alert stays open for the other.
        (waiver(11, "a"), &[]),
        (waiver(12, "c"), &["-c"]),
        (waiver(13, "b"), &["-b"]),
        // Another validation has the finding again, in another revision. It is still waived.
        (check(14, 1, URL, &["a@x", "b@x", "c"]), &[]),
        (check(15, 9, URL, &["a@x", "b@x", "c"]), &[]),
        (waiver(16, "-b"), &["+b"]),
        (waiver(17, "-c"), &["+c"]),
    ]);
    let last = read(state.outputs().last().unwrap());
    assert_eq!((last.state(), last.resolution()), (v1::AlertState::Raised, v1::AlertResolution::Unspecified));
}

#[test]
fn a_resolved_alert_says_whether_it_was_waived() {
    let resolution = |event: ReportUpdate| {
        let mut state = ReportAlerts::default();
        state.apply(&check(10, 1, URL, &["a"]));
        state.apply(&event);
        read(state.outputs().last().unwrap()).resolution()
    };
    assert_eq!(resolution(waiver(11, "a")), v1::AlertResolution::Waived);
    assert_eq!(resolution(check(11, 2, URL, &[])), v1::AlertResolution::Gone);
    assert_eq!(resolution(withdrawal(11, URL)), v1::AlertResolution::Gone);
}

#[test]
fn an_erasure_resolves_every_alert_without_a_quotation_whichever_comes_first() {
    let mut state = ReportAlerts::default();
    state.apply(&erasure(11, 1));
    state.apply(&check(12, 1, URL, &["a@x", "c"]));
    assert!(state.open().is_empty() && state.outputs().is_empty(), "{state:?}");
    state.apply(&check(13, 9, URL, &["a@x"]));
    assert_eq!((state.open().len(), state.current()), (1, Some(("hash-9", false))));

    let mut state = ReportAlerts::default();
    state.apply(&check(10, 1, URL, &["a"]));
    state.apply(&erasure(11, 1));
    assert_eq!(state.current(), None);
    let outputs = state.outputs();
    assert_eq!(outputs.len(), 1, "what was raised is not told again");
    let last = read(&outputs[0]);
    assert_eq!(last.resolution(), v1::AlertResolution::Erased);
    let said = &last.findings[0];
    assert_eq!((said.rule.as_str(), said.fingerprint.as_str()), ("T3-ROW", "a"));
    assert_eq!((said.message.as_str(), said.message_en.as_str(), &said.source), ("", "", &None));
}

/// An arrival leaves this report with the alerts `a` and `b`, and the report that it goes to has `a` under another fingerprint.
#[test]
fn an_alert_that_moves_with_its_arrival_keeps_its_id_and_is_not_raised_again() {
    let mut before = says(&[(check(7, 3, URL, &["a@x", "b@y"]), &["+a", "+b"])]);
    let left = event(20, UpdateKind::Left { arrival: 3, event: 19 });
    assert_eq!(before.apply(&left), Transition::Advanced);
    assert_eq!((open(&before).len(), words(&before.outputs())), (0, vec!["+a".into(), "+b".into()]));
    let (carried, _) = before.left_with(&left.id);
    assert_eq!(carried.len(), 2);
    assert_eq!(before.apply(&left), Transition::Repeat);
    assert_eq!(before.left_with(&left.id).0, carried, "after a crash too");
    before.apply(&check(8, 3, URL, &["a@x"]));
    let said = words(&before.outputs());
    assert_eq!((open(&before).len(), said.len()), (0, 2), "an earlier reading that comes late: {said:?}");

    let mut after = ReportAlerts::default();
    let mut moved = check(20, 3, URL, &["c@x", "d@z"]);
    let UpdateKind::Validated { alerts, carried: known, .. } = &mut moved.change else { unreachable!() };
    for alert in alerts {
        alert.alert_id = format!("of the other report: {}", alert.alert_id);
    }
    *known = carried.clone();
    after.apply(&moved);
    // `d` is news, `b` is over, and `c` is the `a` that is known.
    assert_eq!(words(&after.outputs()), ["+d", "-b"]);
    let raised_as = carried.iter().find(|alert| alert.cause == "x").map(|alert| alert.alert_id.clone());
    after.apply(&check(30, 9, URL, &["d@z"]));
    let end = after.outputs().last().map(read);
    assert_eq!(
        end.map(|alert| (alert.state(), alert.alert_id)),
        raised_as.map(|id| (v1::AlertState::Resolved, id))
    );
}

/// An arrival leaves this report, in which `a'` is waived, and the report that it goes to has `a'` under another fingerprint.
#[test]
fn a_finding_that_moves_with_its_arrival_is_waived_as_before() {
    let mut before = says(&[(waiver(6, "a'"), &[]), (check(7, 3, URL, &["a'", "b"]), &["+b"])]);
    let left = event(20, UpdateKind::Left { arrival: 3, event: 19 });
    before.apply(&left);
    let (carried, waivers) = before.left_with(&left.id);
    assert_eq!((waivers.len(), before.apply(&left)), (1, Transition::Repeat));
    assert_eq!(before.left_with(&left.id).1, waivers, "after a crash too");

    let mut after = ReportAlerts::default();
    let mut moved = check(20, 3, URL, &["c'", "d"]);
    let UpdateKind::Validated { carried: alerts, waivers: left_waivers, .. } = &mut moved.change else {
        unreachable!()
    };
    (*alerts, *left_waivers) = (carried, waivers);
    after.apply(&moved);
    assert_eq!(
        (words(&after.outputs()), open(&after).len()),
        (Vec::<String>::new(), 1),
        "`d` is the known `b`"
    );
    let ended = Waived {
        name: format!("{REPORT}/waivers/a'"),
        fingerprint: "c".into(),
        operands_digest: stands_on("c'").1,
        is_ended: true,
    };
    after.apply(&event(30, UpdateKind::Waived(ended)));
    assert_eq!(words(&after.outputs()), ["+c"]);
}

#[test]
fn that_a_report_is_gone_stands_until_it_comes_back() {
    let gone = |sequence| check(sequence, 1, URL, &["a", "gone"]);
    says(&[
        (check(10, 1, URL, &["a"]), &["+a"]),
        (withdrawal(11, URL), &["-a"]),
        (gone(12), &["+gone"]),
        (check(13, 12, URL, &["a"]), &["+a", "-gone"]),
    ]);
    // Validate may have processed more events than notify.
    says(&[(gone(12), &["+a", "+gone"]), (withdrawal(11, URL), &["-a"])]);
}

#[test]
fn a_waiver_lapses_when_an_operand_changes() {
    says(&[
        (waiver(9, "a"), &[]),
        (check(10, 1, URL, &["a"]), &[]),
        (check(11, 2, URL, &["a'"]), &["+a"]),
        (check(12, 3, URL, &["a"]), &["-a"]),
    ]);
}

#[test]
fn a_waiver_is_held_against_what_was_found_last_though_the_alert_is_older() {
    // The cause moves with the corrected number. The alert stays open under its old cause.
    let moved = || (check(11, 2, URL, &["a'@x"]), &[] as &[&str]);
    says(&[(check(10, 1, URL, &["a@y"]), &["+a"]), moved(), (waiver(12, "a'"), &["-a"])]);
    says(&[(check(10, 1, URL, &["a@y"]), &["+a"]), moved(), (waiver(12, "a"), &[])]);
}

#[test]
fn of_two_waivers_either_is_enough() {
    says(&[
        (check(10, 1, URL, &["a"]), &["+a"]),
        (waiver(11, "a"), &["-a"]),
        (waiver(12, "a2"), &[]),
        (waiver(13, "-a"), &[]),
        (waiver(14, "-a2"), &["+a"]),
    ]);
}
