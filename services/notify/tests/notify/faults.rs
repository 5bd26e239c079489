//! Subscriptions at fault: their receivers answer 410, a redirect, or that they refuse what they get.
//!
//! Time and receivers are real; the delays are shortened.

use gongkai_notify::Config;
use gongkai_worker::transport::memory::Memory;

use crate::{
    delivery::{config, raise},
    receiver::{Receiver, Request},
    running::Running,
};

fn quick(url: &str) -> Config {
    Config { retry_delays_s: vec![1; 2], ..config(url, "") }
}

/// Starts notify with one webhook, whose receiver answers with this status.
async fn started(status: u16) -> (Running, Receiver) {
    let (receiver, url) = Receiver::start([]).await;
    receiver.goes_away(status);
    (Running::start(Memory::new(), quick(&url)).await, receiver)
}

fn codes(running: &Running) -> Vec<String> {
    running.dead().into_iter().map(|letter| letter.code).collect()
}

#[tokio::test]
async fn a_fault_is_told_once_and_everything_is_delivered_once_it_is_mended() {
    for (status, code) in [(400, "REFUSED"), (307, "REDIRECTED")] {
        let (running, receiver) = started(status).await;
        for n in 0..5 {
            raise(&running, &format!("m{n}"), &format!("a{n}")).await;
        }
        running.until_waiting("office", 5).await;
        running.memory.until(|memory| memory.messages("gongkai.v1.dead.*").len() == 1).await;
        let before = receiver.seen().len();
        receiver
            .until("more attempts than the schedule has", |receiver| receiver.seen().len() > before + 1)
            .await;
        assert_eq!(codes(&running), [code]);
        let cause = running.dead().remove(0).cause;
        assert!(cause.contains("subscription office is suspended"), "{cause}");
        receiver.comes_back();
        running.caught_up("office").await;
        let taken: Vec<_> = receiver.taken().iter().map(Request::alert_id).collect();
        assert_eq!(taken, ["a0", "a1", "a2", "a3", "a4"]);
        assert_eq!(codes(&running), [code], "nothing was given up");
        running.stop().await;
    }
}

#[tokio::test]
async fn an_alert_that_only_is_refused_has_its_attempts_and_holds_up_no_other() {
    let (running, receiver) = started(503).await;
    receiver.dislikes("bad", 400);
    raise(&running, "m1", "bad").await;
    raise(&running, "m2", "a2").await;
    running.until_waiting("office", 2).await;
    receiver.comes_back();
    running.caught_up("office").await;
    let taken: Vec<_> = receiver.taken().iter().map(Request::alert_id).collect();
    assert_eq!((taken, codes(&running)), (vec!["a2".to_owned()], vec!["ATTEMPTS_EXHAUSTED".to_owned()]));
    assert!(running.dead()[0].cause.contains("400"), "{}", running.dead()[0].cause);
    running.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_nothing_before_notify_starts_again() {
    let (running, receiver) = started(410).await;
    raise(&running, "m0", "a0").await;
    running.memory.until(|memory| memory.messages("gongkai.v1.dead.*").len() == 1).await;
    running.until_waiting("office", 1).await;
    let before = receiver.seen().len();
    for n in 1..4 {
        raise(&running, &format!("m{n}"), &format!("a{n}")).await;
    }
    running.until_waiting("office", 4).await;
    running.memory.until(|memory| memory.timers().is_empty()).await;
    assert_eq!((receiver.seen().len(), codes(&running)), (before, vec!["GONE".to_owned()]));
    receiver.comes_back();
    let memory = running.stop().await;
    let running = Running::start(memory, quick(&receiver.url())).await;
    running.caught_up("office").await;
    let taken: Vec<_> = receiver.taken().iter().map(Request::alert_id).collect();
    assert_eq!((taken.len(), codes(&running).len()), (4, 1));
    running.stop().await;
}
