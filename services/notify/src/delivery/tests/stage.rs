//! A running subscription whose messages are kept in memory, and whose time passes as fast as it can.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use gongkai_model::Severity;
use gongkai_proto::{
    subjects::{self, Event},
    v1,
};
use gongkai_worker::{Clock, Output, Runtime, Transport as _, transport::memory::Memory};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::{
    Composer, Filter, Interests, Pace, Schedule, Subscriber, Wanted,
    channel::{Channel, Error},
    letter::Envelope,
};

/// The step in which the clock follows the time of tokio.
const STEP: Duration = Duration::from_secs(1);

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) at: OffsetDateTime,
    pub(super) id: String,
    pub(super) title: String,
    /// `+` or `-` and the id of each alert.
    pub(super) alerts: Vec<String>,
    pub(super) remark: Option<String>,
}

/// A receiver in memory.
#[derive(Clone)]
pub(super) struct Inbox {
    taken: Arc<Mutex<Vec<Taken>>>,
    /// What the next attempts fail with.
    failures: Arc<Mutex<Vec<Error>>>,
    clock: Clock,
}

pub(super) struct Stage {
    pub(super) memory: Memory,
    pub(super) inbox: Inbox,
    runtime: Runtime,
    task: JoinHandle<anyhow::Result<()>>,
    ticking: JoinHandle<()>,
}

// === impl Inbox ===

impl Inbox {
    pub(super) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    pub(super) fn fails_with(&self, errors: impl IntoIterator<Item = Error>) {
        self.failures.lock().unwrap().extend(errors);
    }

    /// Returns the alerts of all messages.
    pub(super) fn alerts(&self) -> Vec<String> {
        self.taken().into_iter().flat_map(|taken| taken.alerts).collect()
    }
}

#[async_trait]
impl Channel for Inbox {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        let failure = self.failures.lock().unwrap().pop();
        if let Some(error) = failure {
            return Err(error);
        }
        let message = Composer::default().compose(envelope);
        let sign = |resolved| if resolved { '-' } else { '+' };
        let letters = envelope.letters().iter().map(|letter| letter.notice);
        let taken = Taken {
            at: self.clock.now(),
            id: envelope.id().to_owned(),
            title: message.title,
            alerts: letters.map(|notice| format!("{}{}", sign(notice.is_resolved()), notice.id())).collect(),
            remark: message.remark,
        };
        self.taken.lock().unwrap().push(taken);
        Ok(())
    }
}

// === impl Stage ===

impl Stage {
    /// Starts a subscription at this time of this clock's world.
    pub(super) async fn start(pace: Pace, at: OffsetDateTime) -> Self {
        Self::start_on(Memory::new(), pace, at, Arc::default()).await
    }

    async fn start_on(memory: Memory, pace: Pace, at: OffsetDateTime, taken: Arc<Mutex<Vec<Taken>>>) -> Self {
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        let (clock, handle) = Clock::manual(at);
        let ticking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(STEP).await;
                handle.advance(STEP);
            }
        });
        let runtime = Runtime::builder("notify", Arc::new(memory.clone()))
            .dead_prefix(subjects::DEAD_PREFIX)
            .shutdown(CancellationToken::new())
            .clock(clock.clone())
            .build();
        let inbox = Inbox { taken, failures: Arc::default(), clock };
        let filter = Filter {
            min_severity: Severity::Info,
            regions: Vec::new(),
            agencies: Vec::new(),
            rules: Vec::new(),
        };
        let interests = Interests::new("people", &[], &[]).unwrap();
        let wanted = Wanted::Alerts(filter, interests);
        let subscriber = Subscriber::new("people".to_owned(), wanted, Box::new(inbox.clone()), &runtime);
        let task = tokio::spawn({
            let runtime = runtime.clone();
            async move {
                let schedule = Schedule::new([5, 30, 120, 600].map(Duration::from_secs).to_vec());
                let events = std::iter::once(Event::AlertRaised);
                crate::deliver(events, subscriber, (&schedule, pace), &runtime).await
            }
        });
        Self { memory, inbox, runtime, task, ticking }
    }

    /// Ends the process as a kill would, and starts another one over the same broker.
    pub(super) async fn killed_and_started(self, pace: Pace) -> Self {
        let now = self.runtime.clock().now();
        self.memory.cut();
        self.task.abort();
        self.ticking.abort();
        self.memory.heal();
        Self::start_on(self.memory.connection(), pace, now, self.inbox.taken).await
    }

    pub(super) async fn raise(&self, n: usize) {
        self.publish(n, v1::Severity::Error, v1::AlertState::Raised).await;
    }

    pub(super) async fn resolve(&self, n: usize) {
        self.publish(n, v1::Severity::Error, v1::AlertState::Resolved).await;
    }

    /// Publishes an alert of report number `n / 10`.
    pub(super) async fn publish(&self, n: usize, severity: v1::Severity, state: v1::AlertState) {
        let alert = v1::Alert {
            alert_id: format!("a{n}"),
            report: format!("agencies/p-{}/reports/2023", n / 10),
            agency_name: format!("第{}街道办事处", n / 10),
            year: 2023,
            severity: severity.into(),
            findings: vec![v1::Finding { message: "合计不符".into(), ..Default::default() }],
            state: state.into(),
            ..Default::default()
        };
        let event = v1::AlertRaised { alert: Some(alert) };
        let output = Output::new(
            Event::AlertRaised.subject("360982".parse().unwrap()),
            Event::AlertRaised.ce_type(),
            &event,
        );
        self.runtime.publish(&format!("m{n}.{state:?}"), output).await.unwrap();
    }

    /// Lets time pass.
    pub(super) async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.inbox.taken().into_iter().map(|taken| taken.id).collect()
    }

    pub(super) async fn stop(self) {
        self.ticking.abort();
        self.runtime.shutdown().cancel();
        self.task.await.unwrap().unwrap();
    }
}
