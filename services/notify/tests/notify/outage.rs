//! Receivers that are away, with a real broker and two replicas of notify.

use std::{sync::Arc, time::Duration};

use gongkai_notify::{Config, Notify, delivery::Backlog};
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_worker::{
    Output, Runtime, Service, Transport,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use prost::Message as _;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::{alert, config},
    receiver::{Receiver, Request},
};

/// One process of notify.
pub(crate) struct Replica {
    runtime: Runtime,
    broker: JetStream,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Replica {
    pub(crate) async fn start(server: &NatsServer, config: &Config) -> Self {
        let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
        let broker = JetStream::connect(&settings).await.unwrap();
        broker.declare(&gongkai_proto::topology!()).await.unwrap();
        let runtime = Runtime::builder(Notify::NAME, Arc::new(broker.clone()))
            .dead_prefix(subjects::DEAD_PREFIX)
            .shutdown(CancellationToken::new())
            .build();
        let task = tokio::spawn(Notify::run(config.clone(), runtime.clone()));
        Self { runtime, broker, task }
    }

    pub(crate) async fn publish(&self, id: &str, alert_id: &str, state: v1::AlertState) {
        self.publish_event(id, Event::AlertRaised, &alert(alert_id, state)).await;
    }

    pub(crate) async fn publish_event(&self, id: &str, event: Event, message: &impl prost::Message) {
        let output = Output::new(event.subject("360982".parse().unwrap()), event.ce_type(), message);
        self.runtime.publish(id, output).await.unwrap();
    }

    /// Returns the number of alerts that wait for the receiver of a subscription.
    async fn waiting(&self, subscription: &str) -> usize {
        let entries = self.broker.entries(subjects::BUCKET_DELIVERIES);
        let entry = entries.get(subscription).await.unwrap();
        entry.map_or(0, |entry| Backlog::decode(entry.value).unwrap().len())
    }

    pub(crate) async fn until_waiting(&self, subscription: &str, count: usize) {
        let waiting = async {
            while self.waiting(subscription).await != count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(25), waiting).await.unwrap();
    }

    /// Stops notify as a kill would, without draining.
    pub(crate) async fn kill(self) {
        self.task.abort();
        self.task.await.unwrap_err();
    }

    pub(crate) async fn stop(self) {
        self.runtime.shutdown().cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_away_for_800_alerts_delays_no_other_and_gets_its_own_in_order() {
    let (away, url) = Receiver::start([]).await;
    away.goes_away(503);
    let (other, other_url) = Receiver::start([]).await;
    let mut both = config(&url, "");
    both.subscriptions.push(config(&other_url, "").subscriptions.remove(0));
    both.subscriptions[0].name = "away".to_owned();
    both.subscriptions[1].name = "other".to_owned();
    both.retry_delays_s = vec![2; 20];
    let server = NatsServer::start().await;
    let replicas = [Replica::start(&server, &both).await, Replica::start(&server, &both).await];

    // 90 alerts are raised per second, and every fourth message is the end of one.
    let mut published = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(11));
    for n in 0..800 {
        pace.tick().await;
        let (alert_id, state) = match n % 4 {
            3 => (format!("a{}", n - 3), v1::AlertState::Resolved),
            _ => (format!("a{n}"), v1::AlertState::Raised),
        };
        published.push(Instant::now());
        replicas[n % 2].publish(&format!("m{n}"), &alert_id, state).await;
    }
    other.until("all alerts", |other| other.taken().len() == 800).await;
    let mut delays: Vec<_> = other
        .taken()
        .iter()
        .map(|request| request.at - published[usize::try_from(request.sequence()).unwrap() - 1])
        .collect();
    delays.sort_unstable();
    let p99 = delays[delays.len() * 99 / 100];
    println!("the other receiver: p50 {:?}, p99 {p99:?}", delays[delays.len() / 2]);
    assert!(p99 < Duration::from_secs(2), "{p99:?}");

    replicas[0].until_waiting("away", 800).await;
    println!("the receiver that is away: {} requests", away.seen().len());
    assert!(away.seen().len() < 60, "{} requests", away.seen().len());
    away.comes_back();
    let back = Instant::now();
    away.until("all alerts", |away| away.taken().len() >= 800).await;
    println!("all taken {:?} after it came back", back.elapsed());
    replicas[0].until_waiting("away", 0).await;
    let taken = away.taken();
    let sequences: Vec<_> = taken.iter().map(Request::sequence).collect();
    assert_eq!(sequences, (1..=800).collect::<Vec<_>>(), "in order, each once");

    let raised = Instant::now();
    replicas[0].publish("new", "new", v1::AlertState::Raised).await;
    away.until("a new alert", |away| away.taken().len() == 801).await;
    println!("a new alert {:?}", raised.elapsed());
    assert!(raised.elapsed() < Duration::from_secs(2));
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_outlives_a_restart_of_notify_and_of_the_broker() {
    let (receiver, url) = Receiver::start([]).await;
    receiver.goes_away(503);
    let mut config = config(&url, "");
    config.retry_delays_s = vec![3, 3, 3];
    let mut server = NatsServer::start().await;
    let replica = Replica::start(&server, &config).await;
    for n in 0..10 {
        replica.publish(&format!("m{n}"), &format!("a{n}"), v1::AlertState::Raised).await;
    }
    replica.until_waiting("office", 10).await;
    replica.stop().await;
    server.restart().await;
    let before = receiver.seen().len();
    let replica = Replica::start(&server, &config).await;
    receiver.until("another try", |receiver| receiver.seen().len() > before).await;
    assert_eq!(receiver.seen().len(), before + 1, "one at a time");
    receiver.comes_back();
    replica.until_waiting("office", 0).await;
    let sequences: Vec<_> = receiver.taken().iter().map(Request::sequence).collect();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
    replica.stop().await;
}
