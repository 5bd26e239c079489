use super::*;

const NOW: i64 = 1_000_000;

fn schedule() -> Schedule {
    Schedule::new([5, 30].map(Duration::from_secs).to_vec())
}

fn away(sequences: &[u64]) -> Backlog {
    let mut backlog = Backlog::default();
    for sequence in sequences {
        backlog.start_waiting(*sequence, &schedule(), None, NOW);
    }
    backlog
}

fn sequences(batches: &[Batch]) -> Vec<u64> {
    batches.iter().flat_map(|batch| batch.sequences.clone()).collect()
}

fn due(backlog: &Backlog, now_ms: i64, max: usize) -> Vec<u64> {
    sequences(&backlog.due(&Pace::default(), now_ms, max))
}

fn next(backlog: &Backlog, wish: Option<Duration>, now_ms: i64) -> Option<Duration> {
    backlog.next_attempt(&schedule(), &Pace::default(), wish, now_ms)
}

fn tried(sequence: u64) -> Vec<Tried> {
    vec![Tried { sequence, alert_id: "a".into() }]
}

fn refused(sequence: u64) -> Pass {
    Pass { refused: tried(sequence), ..Pass::default() }
}

fn failed(sequence: u64) -> Pass {
    Pass { away: vec![sequence], ..Pass::default() }
}

#[test]
fn the_first_failure_starts_the_schedule_and_everything_waits_in_the_order_of_the_stream() {
    let mut backlog = Backlog::default();
    assert_eq!(backlog.hold_back(3, "a", NOW), HoldBack::Deliver);
    assert_eq!(backlog.start_waiting(7, &schedule(), None, NOW), Some(Duration::from_secs(5)));
    assert_eq!(backlog.start_waiting(5, &schedule(), None, NOW), None, "the timer is set");
    for sequence in [9, 8, 9] {
        assert_eq!(backlog.hold_back(sequence, "b", NOW), HoldBack::Wait);
    }
    assert_eq!(due(&backlog, NOW, 10), [5, 7, 8, 9]);
    assert_eq!(due(&backlog, NOW, 2), [5, 7]);
}

#[test]
fn it_is_bounded() {
    let mut backlog = away(&[1]);
    for sequence in 2.. {
        if backlog.hold_back(sequence, "a", NOW) == HoldBack::Full {
            break;
        }
    }
    assert_eq!(backlog.len(), MAX_WAITING);
    assert_eq!(backlog.hold_back(2, "a", NOW), HoldBack::Wait, "it waits already");
}

#[test]
fn an_attempt_that_fails_puts_all_off_and_one_that_succeeds_lets_all_go() {
    let mut backlog = away(&[1, 2, 3]);
    backlog.apply(&failed(1), &schedule(), NOW);
    assert_eq!(next(&backlog, None, NOW), Some(Duration::from_secs(30)));
    assert_eq!(next(&backlog, Some(Duration::from_secs(60)), NOW), Some(Duration::from_secs(60)));
    backlog.apply(&Pass { done: vec![1], ..Pass::default() }, &schedule(), NOW);
    assert_eq!(next(&backlog, None, NOW), Some(Duration::ZERO));
    assert!(backlog.is_away(), "2 and 3 are still before any new alert");
    backlog.apply(&Pass { done: vec![2, 3], ..Pass::default() }, &schedule(), NOW);
    assert_eq!(next(&backlog, None, NOW), None);
    assert_eq!(backlog.hold_back(4, "a", NOW), HoldBack::Deliver);
}

#[test]
fn a_delivery_is_given_up_after_its_attempts_or_after_as_long_as_they_take() {
    let mut backlog = away(&[1]);
    backlog.hold_back(2, "b", NOW);
    backlog.hold_back(3, "c", NOW + 20_000);
    backlog.apply(&failed(1), &schedule(), NOW + 5_000);
    assert_eq!(backlog.spent(&schedule(), NOW + 5_000), [0; 0]);
    backlog.apply(&failed(1), &schedule(), NOW + 36_000);
    assert_eq!(backlog.spent(&schedule(), NOW + 36_000), [1, 2], "3 came later");
}

#[test]
fn a_delivery_set_apart_holds_back_its_own_alert_only() {
    let mut backlog = away(&[1, 2]);
    let pass = Pass { done: vec![2], ..refused(1) };
    backlog.apply(&pass, &schedule(), NOW);
    assert!(!backlog.is_away());
    assert_eq!(backlog.hold_back(3, "b", NOW), HoldBack::Deliver);
    assert_eq!(backlog.hold_back(4, "a", NOW), HoldBack::Wait);
    assert!(backlog.is_behind(4, "a") && !backlog.is_behind(1, "a") && !backlog.is_behind(4, "b"));
    assert!(due(&backlog, NOW, 10).is_empty());
    assert_eq!(next(&backlog, None, NOW), Some(Duration::from_secs(30)));
    assert_eq!(due(&backlog, NOW + 30_000, 10), [1, 4]);
    let pass = Pass { behind: tried(4), ..refused(1) };
    backlog.apply(&pass, &schedule(), NOW + 30_000);
    assert_eq!(backlog.spent(&schedule(), NOW + 30_000), [1]);
    assert_eq!(next(&backlog, None, NOW + 30_000), Some(Duration::from_secs(30)));
}

#[test]
fn what_waited_in_another_stream_is_dropped_and_what_is_recalled_comes_in_order() {
    let mut backlog = away(&[700, 701]);
    assert_eq!(backlog.move_to(1), 0, "of a version that did not say");
    assert_eq!(backlog.move_to(2), 2);
    assert!(backlog.is_empty());
    backlog.start_waiting(5, &schedule(), None, NOW);
    backlog.recall(&[(7, NOW), (5, NOW), (6, NOW)]);
    assert_eq!(due(&backlog, NOW, 10), [5, 6, 7]);
    assert_eq!((backlog.move_to(2), backlog.len()), (0, 3));
}

#[test]
fn the_timer_of_a_round_can_be_set_again_for_what_is_left() {
    let mut backlog = away(&[1]);
    backlog.start_round(NOW + 5_000);
    assert_eq!((backlog.round(), backlog.left(NOW + 2_000)), (1, Some(Duration::from_secs(3))));
    assert_eq!(backlog.left(NOW + 9_000), Some(Duration::ZERO));
    assert_eq!(Backlog::default().left(NOW), None);
}

#[test]
fn a_receiver_that_goes_away_beside_one_set_apart_starts_its_schedule() {
    let mut backlog = away(&[1, 2]);
    backlog.apply(&Pass { done: vec![2], ..refused(1) }, &schedule(), NOW);
    assert_eq!(backlog.start_waiting(5, &schedule(), None, NOW), Some(Duration::from_secs(5)));
    assert_eq!(due(&backlog, NOW, 10), [5]);
}

fn hourly() -> Pace {
    Pace { window: Some(Duration::from_hours(1)), ..Pace::default() }
}

const HOUR: i64 = 3_600_000;

#[test]
fn what_comes_within_a_window_is_due_at_its_end_and_planned_once() {
    let (mut backlog, pace) = (Backlog::default(), hourly());
    assert_eq!(backlog.collect(5, true, &pace, NOW), Some(Duration::from_hours(1)));
    backlog.start_round(NOW + HOUR);
    assert_eq!(backlog.collect(4, true, &pace, NOW + 60_000), None, "the window is open");
    assert!(!backlog.is_away(), "nothing was tried");
    assert_eq!((backlog.collecting(), backlog.unplanned(&pace, NOW + HOUR - 1)), (2, vec![]));
    assert_eq!(backlog.unplanned(&pace, NOW + HOUR), [4, 5]);
    backlog.plan(&[vec![4, 5, 6]]);
    backlog.plan(&[vec![5]]);
    assert_eq!(backlog.due(&pace, NOW + HOUR, 9), [Batch { sequences: vec![4, 5] }]);
    assert_eq!(backlog.collect(7, true, &pace, NOW + HOUR), Some(Duration::from_hours(1)));
    backlog.apply(&Pass { done: vec![4, 5], ..Pass::default() }, &schedule(), NOW + HOUR);
    assert!(!backlog.has_batches() && backlog.holds(7));
}

#[test]
fn a_crowd_ends_the_window_early() {
    let (mut backlog, pace) = (Backlog::default(), hourly());
    for sequence in 1..CROWD as u64 {
        assert!(backlog.collect(sequence, true, &pace, NOW).is_none() || sequence == 1);
        backlog.start_round(NOW + HOUR);
    }
    assert!(backlog.unplanned(&pace, NOW).is_empty());
    assert_eq!(backlog.collect(CROWD as u64, true, &pace, NOW), Some(Duration::ZERO));
    assert_eq!(backlog.unplanned(&pace, NOW).len(), CROWD);
}

#[test]
fn a_night_and_a_limit_put_the_next_message_off_but_not_what_passes() {
    let night = super::super::quiet::Quiet::new("00:00-23:59", false, None).unwrap();
    let pace =
        Pace { quiet: Some(night), limits: vec![super::super::pace::Limit::per_minute(2)], ..hourly() };
    let mut backlog = Backlog::default();
    backlog.collect(1, false, &pace, NOW);
    backlog.collect(2, true, &pace, NOW);
    assert_eq!(backlog.unplanned(&pace, NOW + HOUR), [2]);
    backlog.record_sent(&[NOW + HOUR, NOW + HOUR + 10_000], &pace);
    let left = backlog.next_attempt(&schedule(), &pace, None, NOW + HOUR + 30_000);
    assert_eq!(left, Some(Duration::from_secs(30)));
}

#[test]
fn a_subscription_at_fault_gives_nothing_up_and_one_that_is_gone_is_not_tried() {
    let mut backlog = away(&[1]);
    let fault = |fault| Pass { fault: Some(fault), ..failed(1) };
    let refused = || fault(Error::Refused("400".into()));
    backlog.apply(&refused(), &schedule(), NOW);
    assert!(!backlog.is_suspended(), "it may pass");
    for _ in 0..5 {
        backlog.apply(&refused(), &schedule(), NOW + HOUR);
    }
    backlog.apply(&failed(1), &schedule(), NOW + HOUR);
    assert!(backlog.is_suspended_for("REFUSED") && backlog.spent(&schedule(), NOW + HOUR).is_empty());
    assert_eq!(next(&backlog, None, NOW), Some(Duration::from_secs(30)), "it is tried on the schedule");
    backlog.apply(&fault(Error::Gone("410".into())), &schedule(), NOW);
    assert_eq!((next(&backlog, None, NOW), backlog.left(NOW)), (None, None));
    assert!(backlog.resume() && backlog.left(NOW).is_some());
    backlog.hold_back(2, "b", NOW);
    backlog.apply(&Pass { done: vec![1], is_accepted: true, ..Pass::default() }, &schedule(), NOW + HOUR);
    assert!(!backlog.is_suspended() && !backlog.resume());
    backlog.apply(&failed(2), &schedule(), NOW + HOUR);
    assert!(backlog.spent(&schedule(), NOW + HOUR).is_empty(), "it has all its attempts again");
}
