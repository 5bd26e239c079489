//! Sweeps: when the time of a step has come, the agencies that it concerns are evaluated.
//!
//! One record has the time up to which sweeps are complete. The timer is set for the next step after that time, so that
//! a sweep that was missed, because nothing ran, is done at the start. It is set at the start, for a new list, after
//! each sweep, and every hour in case that the broker lost it; setting it again replaces it.
//!
//! A sweep first waits for the reports that are already in the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, MonthDay};
use gongkai_proto::subjects::{
    CONSUMER_NOTIFY, CONSUMER_PARSE, CONSUMER_VALIDATE, DUE_DEADLINES, STREAM_REPORTS, TIMER_DEADLINES,
};
use gongkai_worker::{
    Context, Decision, Handler, Output, Recurring,
    transport::{ConsumerLag, Error, ErrorKind},
};
use prost::bytes::Bytes;
use time::OffsetDateTime;

use super::{
    china::day_in_china,
    config::DeadlineConfig,
    evaluator::Evaluator,
    step::{Deadline, Occasion},
    timetable::Timetable,
};
use crate::alerts::Rebuilder;

/// Key of the record of sweeps.
const SWEPT: &str = "deadlines/swept";
/// CloudEvents type of the timer that fired.
const CE_DUE: &str = "gongkai.deadlines.due.v1";
/// Agencies that are evaluated at the same time.
const AT_ONCE: usize = 64;
/// Longest timer: far below the age at which the broker drops one.
const LONGEST_TIMER: Duration = Duration::from_hours(7 * 24);
/// Time after which the timer is set again.
const SET_AGAIN: Duration = Duration::from_hours(1);
/// The consumers that a report passes before its deadline is evaluated, in their order.
const STAGES: [&str; 3] = [CONSUMER_PARSE, CONSUMER_VALIDATE, CONSUMER_NOTIFY];
/// Longest time that a sweep waits for them.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Pause between two looks at them.
const LOOK: Duration = Duration::from_millis(200);
/// Pause before a retry.
const PAUSE: Duration = Duration::from_secs(1);

/// The timer fired. It carries nothing: what is due follows from the clock.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Alarm {}

/// The record of sweeps.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Swept {
    /// Everything that was due up to this time was said, in seconds of Unix time. 0 before the first list.
    #[prost(int64, tag = "1")]
    until_s: i64,
}

/// The agencies of a list by their last day.
struct Plan {
    list: Arc<Registry>,
    agencies: BTreeMap<MonthDay, Vec<AgencyKey>>,
}

/// Sweeps the deadlines. Handles the timer. Cheap to clone.
#[derive(Clone)]
pub struct Sweeper {
    evaluator: Evaluator,
    reports: Rebuilder,
    plan: Arc<Mutex<Option<Arc<Plan>>>>,
}

// === impl Alarm ===

impl TryFrom<(&str, Bytes)> for Alarm {
    type Error = prost::DecodeError;

    fn try_from((_, payload): (&str, Bytes)) -> Result<Self, Self::Error> {
        prost::Message::decode(payload)
    }
}

// === impl Plan ===

impl Plan {
    fn new(list: Arc<Registry>, config: &DeadlineConfig) -> Self {
        let mut agencies: BTreeMap<MonthDay, Vec<AgencyKey>> = BTreeMap::new();
        for agency in list.iter() {
            if let Some(day) = config.due_on(agency) {
                agencies.entry(day).or_default().push(agency.code.clone());
            }
        }
        Self { list, agencies }
    }

    /// Returns the deadlines around a time, with the agencies of each.
    fn around(&self, at: OffsetDateTime) -> impl Iterator<Item = (Deadline, &[AgencyKey])> {
        let this_year = day_in_china(at).year();
        // A report is due in the year after its own.
        let years = this_year.saturating_sub(2)..=this_year;
        let of_day = move |day: MonthDay| years.clone().filter_map(move |year| Deadline::new(day, year));
        self.agencies.iter().flat_map(move |(day, agencies)| {
            of_day(*day).map(move |deadline| (deadline, agencies.as_slice()))
        })
    }

    /// Returns the deadlines with a step after `from` and up to `to`.
    fn due_between(
        &self,
        from: OffsetDateTime,
        to: OffsetDateTime,
        timetable: &Timetable,
    ) -> Vec<(Deadline, AgencyKey)> {
        let is_due = |deadline: Deadline| timetable.times(deadline.last_day).any(|at| from < at && at <= to);
        let due = self.around(to).filter(|(deadline, _)| is_due(*deadline));
        due.flat_map(|(deadline, agencies)| agencies.iter().map(move |agency| (deadline, agency.clone())))
            .collect()
    }

    /// Returns the time of the first step after `from`.
    fn next_after(&self, from: OffsetDateTime, timetable: &Timetable) -> Option<OffsetDateTime> {
        let times = self.around(from).flat_map(|(deadline, _)| timetable.times(deadline.last_day));
        times.filter(|at| *at > from).min()
    }
}

// === impl Sweeper ===

impl Sweeper {
    /// Creates the handler of the timer. Run [`Self::watch`] beside it. While `reports` restores the records of
    /// reports, nothing is swept.
    #[must_use]
    pub fn new(evaluator: Evaluator, reports: Rebuilder) -> Self {
        Self { evaluator, reports, plan: Arc::default() }
    }

    /// Keeps the timer set until shutdown.
    ///
    /// # Errors
    /// Never; a failure is retried.
    pub async fn watch(self) -> anyhow::Result<()> {
        let runtime = self.evaluator.runtime();
        let failure = Recurring::new();
        let forever = async {
            let mut list = self.evaluator.registry().clone().read().await;
            loop {
                list.borrow_and_update();
                let pause = match self.set_timer().await {
                    Ok(()) => SET_AGAIN,
                    Err(error) => {
                        // The runtime logs outages.
                        if !error.kind.is_outage()
                            && let Some(failures) = failure.due()
                        {
                            let error = &error as &dyn std::error::Error;
                            tracing::warn!(error, failures, "timer of the deadlines not set");
                        }
                        PAUSE
                    }
                };
                tokio::select! {
                    // The sender lives until shutdown.
                    _ = list.changed() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        };
        runtime.shutdown().run_until_cancelled(forever).await;
        Ok(())
    }

    /// Sets the timer for the next step after the last sweep. Begins the record of sweeps for the first list.
    async fn set_timer(&self) -> Result<(), Error> {
        let runtime = self.evaluator.runtime();
        let plan = self.plan().await?;
        if plan.agencies.is_empty() {
            return Ok(());
        }
        let now = runtime.clock().now();
        let swept = self.swept_until(now).await?;
        let Some(next) = plan.next_after(swept, self.evaluator.timetable()) else { return Ok(()) };
        let after = Duration::try_from(next - now).unwrap_or_default().min(LONGEST_TIMER);
        runtime.schedule(TIMER_DEADLINES, Output::new(DUE_DEADLINES, CE_DUE, &Alarm {}), after).await
    }

    /// Returns the time up to which sweeps are complete, which is `now` if there was none.
    async fn swept_until(&self, now: OffsetDateTime) -> Result<OffsetDateTime, Error> {
        let begin = |swept: &mut Swept| {
            let is_first = swept.until_s == 0;
            if is_first {
                swept.until_s = now.unix_timestamp();
            }
            (is_first, ())
        };
        let Swept { until_s } = self.evaluator.records().change(SWEPT, begin).await?.0;
        Ok(OffsetDateTime::from_unix_timestamp(until_s).unwrap_or(now))
    }

    /// Evaluates the agencies that had a step since the last sweep.
    async fn sweep(&self) -> Result<(), Error> {
        let plan = self.plan().await?;
        let now = self.evaluator.runtime().clock().now();
        let swept = self.swept_until(now).await?;
        let due = plan.due_between(swept, now, self.evaluator.timetable());
        if !due.is_empty() {
            tracing::info!(agencies = due.len(), "deadlines swept");
            self.until_caught_up().await?;
        }
        let evaluate = |(deadline, agency): (Deadline, AgencyKey)| {
            let (plan, evaluator) = (plan.clone(), self.evaluator.clone());
            async move {
                match plan.list.get(&agency) {
                    Some(agency) => evaluator.evaluate(agency, deadline, Occasion::Sweep).await,
                    None => Ok(()),
                }
            }
        };
        stream::iter(due).map(evaluate).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let finish = |swept: &mut Swept| {
            let is_later = swept.until_s < now.unix_timestamp();
            swept.until_s = swept.until_s.max(now.unix_timestamp());
            (is_later, ())
        };
        self.evaluator.records().change(SWEPT, finish).await.map(drop)
    }

    /// Waits until every report that is in the log now was read, validated and handled here: what waits in the log is
    /// not missing. A message that takes long holds the sweep back for [`LONGEST_WAIT`] at most.
    async fn until_caught_up(&self) -> Result<(), Error> {
        let runtime = self.evaluator.runtime();
        let passing = async {
            for stage in STAGES {
                let last = runtime.stream_state(STREAM_REPORTS).await?.last_sequence;
                let is_past = |lag: ConsumerLag| lag.outstanding == 0 || lag.floor >= last;
                while !runtime.consumer_lag(STREAM_REPORTS, stage).await?.is_none_or(is_past) {
                    tokio::time::sleep(LOOK).await;
                }
            }
            Ok(())
        };
        let passed = tokio::time::timeout(LONGEST_WAIT, passing).await;
        passed.unwrap_or_else(|_| {
            tracing::warn!("reports that wait in the log may be said to be missing");
            Ok(())
        })
    }

    /// Returns the plan of the current list.
    async fn plan(&self) -> Result<Arc<Plan>, Error> {
        let list = self.evaluator.registry().current()?;
        let known = self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(plan) = known.filter(|plan| Arc::ptr_eq(&plan.list, &list)) {
            return Ok(plan);
        }
        let config = self.evaluator.config().clone();
        let plan = self.evaluator.runtime().cpu(move || Plan::new(list, &config)).await;
        let plan = Arc::new(plan.map_err(|error| {
            Error::new(ErrorKind::Other, "the list of agencies was not read").because(error)
        })?);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan.clone());
        Ok(plan)
    }
}

#[async_trait::async_trait]
impl Handler for Sweeper {
    type Input = Alarm;

    async fn handle(&self, _: Alarm, _: &Context) -> Result<Vec<Output>, Decision> {
        self.reports.ready()?;
        self.sweep().await?;
        self.set_timer().await?;
        Ok(Vec::new())
    }
}
