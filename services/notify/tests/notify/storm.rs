//! A receiver that accepts, throttles, fails, refuses, redirects, says that it is gone and stalls, all mixed, under two
//! replicas. Time, broker and receivers are real.
//!
//! `GONGKAI_STORM_S` makes it last longer, and lets the replicas be killed in turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gongkai_proto::v1;
use gongkai_worker::testing::NatsServer;
use tokio::time::{Instant, interval, timeout};

use crate::{delivery::config, outage::Replica, receiver::Receiver};

/// Alerts in a second.
const RATE: u64 = 20;

/// Returns how long the storm lasts, and whether replicas are killed meanwhile.
#[expect(clippy::disallowed_methods, reason = "a test takes its size from the script that runs it")]
fn length() -> (u64, bool) {
    let given = std::env::var("GONGKAI_STORM_S").ok().and_then(|seconds| seconds.parse().ok());
    (given.unwrap_or(6), given.is_some())
}

/// Returns the ids under which each state of each alert was accepted.
fn ids(receiver: &Receiver) -> BTreeMap<String, BTreeSet<String>> {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for request in receiver.taken() {
        let what = format!("{} {}", request.alert_id(), request.body["data"]["state"]);
        ids.entry(what).or_default().insert(request.headers["webhook-id"].to_str().unwrap().to_owned());
    }
    ids
}

async fn until_all(receiver: &Receiver, count: usize, bound: Duration) {
    let waiting = async {
        while ids(receiver).len() < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = timeout(bound, waiting).await;
    assert!(waited.is_ok(), "{} of {count} taken", ids(receiver).len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_alert_comes_through_a_storm_and_none_under_two_ids() {
    let (seconds, kills) = length();
    let (stormy, url) = Receiver::start([]).await;
    let (calm, calm_url) = Receiver::start([]).await;
    let mut both = config(&url, "");
    both.subscriptions.push(config(&calm_url, "").subscriptions.remove(0));
    both.subscriptions[0].name = "stormy".to_owned();
    both.subscriptions[1].name = "calm".to_owned();
    both.retry_delays_s = vec![1; 1000];
    let server = NatsServer::start().await;
    let mut replicas = [Replica::start(&server, &both).await, Replica::start(&server, &both).await];
    stormy.storms();
    let mut pace = interval(Duration::from_millis(1000 / RATE));
    let (mut published, mut killed) = (Vec::new(), 0);
    for n in 0..seconds * RATE {
        pace.tick().await;
        let (alert_id, state) = match n % 4 {
            3 => (format!("a{}", n - 3), v1::AlertState::Resolved),
            _ => (format!("a{n}"), v1::AlertState::Raised),
        };
        published.push(Instant::now());
        replicas[0].publish(&format!("m{n}"), &alert_id, state).await;
        if kills && n % (3 * RATE) == 2 * RATE {
            let new = Replica::start(&server, &both).await;
            std::mem::replace(&mut replicas[killed % 2], new).kill().await;
            killed += 1;
        }
    }
    stormy.calms_down();
    // The subscription is mended, and notify started.
    let third = Replica::start(&server, &both).await;
    // What was in the hands of a killed process comes again after the broker's wait for it.
    let bound = Duration::from_secs(if kills { 120 } else { 25 });
    let calm_at = Instant::now();
    until_all(&stormy, published.len(), bound).await;
    let cleared = calm_at.elapsed();
    until_all(&calm, published.len(), bound).await;
    assert!(ids(&stormy).values().all(|ids| ids.len() == 1), "{:?}", ids(&stormy));
    let mut delays: Vec<_> = calm
        .taken()
        .iter()
        .map(|request| request.at - published[usize::try_from(request.sequence()).unwrap() - 1])
        .collect();
    delays.sort_unstable();
    println!(
        "{} alerts in {seconds} s, {killed} replicas killed; stormy: {} requests for {} accepted, the last {cleared:?} after \
         the storm; calm: p50 {:?}, p99 {:?}",
        published.len(),
        stormy.seen().len(),
        stormy.taken().len(),
        delays[delays.len() / 2],
        delays[delays.len() * 99 / 100],
    );
    for replica in replicas.into_iter().chain([third]) {
        replica.stop().await;
    }
}
