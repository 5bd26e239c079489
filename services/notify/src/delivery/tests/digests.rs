//! Messages about reports, digests, limits and quiet hours.

use std::time::Duration;

use gongkai_model::Severity;
use gongkai_proto::v1;
use gongkai_worker::transport::memory::{Fault, Operation};
use time::{OffsetDateTime, macros::datetime};

use super::{
    super::{Limit, Pace, Quiet, channel::Error},
    stage::Stage,
};

const NOON: OffsetDateTime = datetime!(2026-03-31 12:00 +8);
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

fn every(window: Duration) -> Pace {
    Pace { window: Some(window), ..Pace::default() }
}

#[tokio::test(start_paused = true)]
async fn the_alerts_of_300_reports_within_an_hour_are_one_digest() {
    let stage = Stage::start(every(HOUR), NOON).await;
    for n in 0..300 {
        stage.raise(10 * n).await;
        stage.pass(Duration::from_secs(11)).await;
    }
    stage.pass(HOUR).await;
    let taken = stage.inbox.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].title, "年度报告核查汇总：300份报告，必须整改300项");
    assert_eq!(taken[0].alerts.len(), 300);
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_few_reports_have_a_message_each_with_all_their_alerts() {
    let stage = Stage::start(every(2 * MINUTE), NOON).await;
    for n in [0, 1, 2, 10, 11, 20] {
        stage.raise(n).await;
    }
    stage.pass(3 * MINUTE).await;
    let alerts: Vec<_> = stage.inbox.taken().into_iter().map(|taken| taken.alerts.join(" ")).collect();
    assert_eq!(alerts, ["+a0 +a1 +a2", "+a10 +a11", "+a20"]);
    assert_eq!(stage.inbox.taken()[1].title, "第1街道办事处2023年度报告：必须整改2项");
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_ends_within_the_window_cancels_out_and_other_ends_ride_along() {
    let stage = Stage::start(every(HOUR), NOON).await;
    stage.raise(0).await;
    stage.pass(2 * HOUR).await;
    for n in [10, 20, 30, 40] {
        stage.raise(n).await;
    }
    stage.resolve(20).await;
    stage.resolve(0).await;
    stage.raise(50).await;
    stage.resolve(50).await;
    stage.pass(2 * HOUR).await;
    let taken = stage.inbox.taken();
    assert_eq!(taken[1].alerts, ["+a10", "+a30", "+a40", "-a0"]);
    assert_eq!(taken[1].remark.as_deref(), Some("期间发现、又已解决的2项不再列出"));
    assert_eq!(taken[1].title, "年度报告核查汇总：4份报告，必须整改3项、已解决1项");
    stage.raise(60).await;
    stage.resolve(60).await;
    stage.pass(2 * HOUR).await;
    assert_eq!(stage.inbox.taken().len(), 2, "nothing is left to say");
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_digest_has_the_same_id_after_a_kill_and_while_the_receiver_is_away() {
    // The process dies before it can record the first, or the last, delivered alert.
    for (unrecorded, again) in [("people/a0", 50), ("people/a490", 1)] {
        let stage = Stage::start(every(HOUR), NOON).await;
        stage.inbox.fails_with([Error::away("503"), Error::away("503")]);
        for n in 0..50 {
            stage.raise(10 * n).await;
        }
        stage.memory.plan(Fault::fail(Operation::Write).on(unrecorded).always());
        stage.pass(HOUR + 10 * MINUTE).await;
        stage.raise(600).await;
        assert_eq!(stage.inbox.taken().len(), 1);
        let stage = stage.killed_and_started(every(HOUR)).await;
        stage.pass(2 * HOUR).await;
        let taken = stage.inbox.taken();
        assert_eq!(taken.iter().map(|taken| taken.alerts.len()).collect::<Vec<_>>(), [50, again, 1]);
        assert_eq!((taken[0].id == taken[1].id, stage.ids().len()), (true, 2));
        stage.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_minute_has_more_messages_than_the_limit_and_no_alert_is_lost_or_told_twice() {
    let limit = Limit::per_minute(20);
    let stage = Stage::start(Pace { limits: vec![limit], ..every(Duration::from_secs(2)) }, NOON).await;
    for n in 0..1000 {
        stage.raise(10 * n).await;
        stage.pass(Duration::from_millis(if n % 7 == 0 { 1_500 } else { 200 })).await;
    }
    stage.pass(MINUTE).await;
    let taken = stage.inbox.taken();
    for span in taken.windows(limit.messages + 1) {
        assert!(span[limit.messages].at - span[0].at >= MINUTE, "{span:?}");
    }
    let mut alerts = stage.inbox.alerts();
    alerts.sort();
    alerts.dedup();
    assert_eq!((alerts.len(), stage.inbox.alerts().len()), (1000, 1000));
    assert!(taken.len() < 200, "{} messages", taken.len());
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_at_night_but_what_may_pass() {
    let night = Quiet::new("22:00-07:00", true, Some(Severity::Error)).unwrap();
    let pace = || Pace { quiet: Some(night.clone()), ..every(MINUTE) };
    let friday_night = datetime!(2026-04-03 23:00 +8);
    let stage = Stage::start(pace(), friday_night).await;
    stage.publish(0, v1::Severity::Warning, v1::AlertState::Raised).await;
    stage.publish(10, v1::Severity::Error, v1::AlertState::Raised).await;
    stage.pass(HOUR).await;
    assert_eq!(stage.inbox.alerts(), ["+a10"]);
    let stage = stage.killed_and_started(pace()).await;
    stage.pass(65 * HOUR).await;
    let taken = stage.inbox.taken();
    assert_eq!(taken[1..].iter().map(|taken| taken.alerts.join(" ")).collect::<Vec<_>>(), ["+a0"]);
    let monday = datetime!(2026-04-06 07:00 +8);
    assert!(taken[1].at >= monday, "{}", taken[1].at);
    stage.stop().await;
}

#[tokio::test(start_paused = true)]
async fn alerts_that_go_by_themselves_keep_a_limit_too() {
    let pace = Pace { limits: vec![Limit::per_minute(3)], ..Pace::default() };
    let stage = Stage::start(pace, NOON).await;
    for n in 0..10 {
        stage.raise(10 * n).await;
    }
    stage.pass(Duration::from_secs(30)).await;
    assert_eq!(stage.inbox.taken().len(), 3);
    stage.pass(5 * MINUTE).await;
    assert_eq!(stage.inbox.alerts().len(), 10);
    assert!(stage.inbox.taken().iter().all(|taken| taken.alerts.len() == 1));
    stage.stop().await;
}
