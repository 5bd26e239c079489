//! Evaluates deadlines one by one: publishes what is due about each, and saves that it was said.

use std::sync::Arc;

use gongkai_agencies::Agency;
use gongkai_model::ReportKey;
use gongkai_proto::subjects::BUCKET_ALERTS;
use gongkai_registry::Following;
use gongkai_worker::{
    Counter, RecordStore, Recurring, Runtime,
    transport::{Error, ErrorKind},
};

use super::{
    china::day_in_china,
    config::DeadlineConfig,
    notice,
    publications::Publications,
    said::Said,
    step::{Deadline, Occasion, Step},
    timetable::Timetable,
};
use crate::alerts::{Follower, report_key, state::ReportAlerts};

/// Maximum number of lost races in a row for one record.
const MAX_RACES: u32 = 16;
/// Label of the kind of a notice, and its values.
const LABEL: &str = "gongkai.deadline.notice";
const LABELS: [&str; 3] = ["reminder", "missing", "late"];

/// Evaluates the deadlines of listed agencies. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator(Arc<Inner>);

struct Inner {
    registry: Following,
    config: DeadlineConfig,
    timetable: Timetable,
    records: RecordStore,
    runtime: Runtime,
    said: Counter,
    unreadable: Recurring,
}

// === impl Evaluator ===

impl Evaluator {
    /// Creates an evaluator for the agencies of a followed list.
    #[must_use]
    pub fn new(config: DeadlineConfig, registry: Following, runtime: &Runtime) -> Self {
        let said = runtime.counter(
            "gongkai.notify.deadline.notices",
            "{notice}",
            "reminders, missing and late reports that were published",
        );
        for label in LABELS {
            said.add(0, &[(LABEL, label)]);
        }
        Self(Arc::new(Inner {
            registry,
            timetable: Timetable::new(&config),
            config,
            records: RecordStore::new(runtime.entries(BUCKET_ALERTS), MAX_RACES),
            said,
            runtime: runtime.clone(),
            unreadable: Recurring::new(),
        }))
    }

    pub(super) fn registry(&self) -> &Following {
        &self.0.registry
    }

    pub(super) fn config(&self) -> &DeadlineConfig {
        &self.0.config
    }

    pub(super) fn timetable(&self) -> &Timetable {
        &self.0.timetable
    }

    pub(super) fn records(&self) -> &RecordStore {
        &self.0.records
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// Says everything that is due about an agency's deadline. A record that cannot be read is logged and holds back
    /// nothing else.
    ///
    /// The report may change between the two reads. Whoever changes it evaluates it afterwards; and after a report was
    /// said to be missing, it is read again here. So one of the two sees what the other did.
    ///
    /// # Errors
    /// `Unavailable` or `Full`: try again. `Conflict`: too many races were lost; try again.
    pub(super) async fn evaluate(
        &self,
        agency: &Agency,
        deadline: Deadline,
        occasion: Occasion,
    ) -> Result<(), Error> {
        match self.say_all(agency, deadline, occasion).await {
            Err(error) if error.kind == ErrorKind::Unreadable => {
                let (agency, error) = (agency.code.as_str(), &error as &dyn std::error::Error);
                tracing::error!(agency, year = deadline.year, error, "deadline not evaluated");
                Ok(())
            }
            said => said,
        }
    }

    async fn say_all(&self, agency: &Agency, deadline: Deadline, occasion: Occasion) -> Result<(), Error> {
        let Inner { timetable, records, runtime, said: count, .. } = &*self.0;
        let report = ReportKey { agency: agency.code.clone(), year: deadline.year };
        let key = Said::key(&report);
        let mut race = 0;
        loop {
            let state = records.read::<ReportAlerts>(&report_key(&report)).await?.record;
            let publications = Publications::of(&state.history(), deadline.last_day);
            let mut said = records.read::<Said>(&key).await?;
            let now = runtime.clock().now();
            let step = timetable.step(deadline, publications, &said.record, now, occasion);
            let Some(step) = step else { return Ok(()) };
            let output = notice::message(agency, deadline, step, publications, &said.record, now);
            runtime.publish("", output).await?;
            said.record = said.record.after(step);
            if records.save(&key, &said).await? {
                count.add(1, &[(LABEL, label(step))]);
                tracing::debug!(report = %report, ?step, "deadline notice published");
                if step != Step::Missing {
                    return Ok(());
                }
            } else {
                records.lost(&key, race).await?;
                race += 1;
            }
        }
    }
}

#[async_trait::async_trait]
impl Follower for Evaluator {
    /// Evaluates the deadline of a report.
    ///
    /// # Errors
    /// As for [`Self::evaluate`]. Or the list of agencies was not read yet: try again.
    async fn report_changed(&self, report: &ReportKey) -> Result<(), Error> {
        let list = match self.0.registry.current() {
            Ok(list) => list,
            Err(error) if error.kind.is_outage() => return Err(error),
            Err(error) => {
                if let Some(failures) = self.0.unreadable.due() {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, failures, "no deadline is known without the list of agencies");
                }
                return Ok(());
            }
        };
        let Some(agency) = list.get(&report.agency) else { return Ok(()) };
        let deadline = self.0.config.due_on(agency).and_then(|day| Deadline::new(day, report.year));
        // Until the deadline is over, only sweeps say anything.
        let today = day_in_china(self.0.runtime.clock().now());
        let Some(deadline) = deadline.filter(|deadline| deadline.last_day < today) else { return Ok(()) };
        self.evaluate(agency, deadline, Occasion::Change).await
    }
}

fn label(step: Step) -> &'static str {
    let [reminder, missing, late] = LABELS;
    match step {
        Step::Remind { .. } => reminder,
        Step::Missing => missing,
        Step::Late => late,
    }
}
