//! Saying of a report what follows from what is known, once, whoever finds out and in whatever order. See DESIGN.md.

use std::sync::Arc;

use anyhow::anyhow;
use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, AgencyProfile, Finding};
use gongkai_proto::{
    ReportEvent,
    subjects::{self, Event},
    v1::{self, AgencyRecord, SaidRecord},
};
use gongkai_rules::{Neighbours, RuleSet};
use gongkai_worker::{
    Context, Decision, Output, RecordStore, Runtime,
    trace::{self, Kind},
    transport::Objects,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::{
    UNREADABLE_EVENT, basis, cells,
    metrics::Metrics,
    record,
    relatives::Relatives,
    subject::{Subject, digest},
};

/// Settles reports: reads what is known, applies the rules, notes what is said, and says it.
pub(crate) struct Settler {
    pub(crate) ledger: RecordStore,
    pub(crate) texts: Arc<dyn Objects>,
    pub(crate) runtime: Runtime,
    pub(crate) rules: RuleSet,
    pub(crate) registry: tokio::sync::watch::Receiver<Arc<Registry>>,
    pub(crate) metrics: Metrics,
}

/// What is asked of one agency's record.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) agency: &'a AgencyKey,
    /// The years to settle.
    pub(crate) years: &'a [i32],
    /// The report whose event this is: it is answered in any case, the others only if their findings changed.
    pub(crate) own: Option<&'a Subject>,
    /// False where the same input has already said what it owed.
    pub(crate) pays: bool,
    pub(crate) context: &'a Context,
}

impl<'a> Ask<'a> {
    /// Asks to settle years of somebody who is not the input's own.
    pub(crate) fn other(agency: &'a AgencyKey, years: &'a [i32], context: &'a Context) -> Self {
        Self { agency, years, own: None, pays: true, context }
    }
}

/// One year's findings and everything needed to say them.
struct Verdict {
    subject: Subject,
    findings: Vec<Finding>,
    /// Of the findings.
    digest: String,
}

/// What is said of a report once the record is saved.
struct Told {
    output: Output,
    findings: Vec<Finding>,
    /// The report is not the input's: it was looked at again.
    is_again: bool,
}

impl Settler {
    /// Changes an agency's record and settles some of its years in the same write.
    ///
    /// # Errors
    /// A store was not reached, or others were faster too often: retry. A record or an event is none of ours: bury.
    pub(crate) async fn change(
        &self,
        ask: Ask<'_>,
        take: &(dyn Fn(&mut AgencyRecord) -> bool + Sync),
    ) -> Result<(AgencyRecord, Vec<Output>), Decision> {
        let key = agency_key(ask.agency);
        let mut race = 0;
        loop {
            let mut read = self.ledger.read::<AgencyRecord>(&key).await?;
            let mut is_changed = take(&mut read.record);
            let mut told = Vec::new();
            for year in ask.years {
                is_changed |= self.settle(ask, *year, &mut read.record, &mut told).await?;
            }
            if !is_changed || self.ledger.save(&key, &read).await? {
                return Ok((read.record, told.into_iter().map(|told| self.counted(told)).collect()));
            }
            self.ledger.lost(&key, race).await?;
            race += 1;
        }
    }

    /// Settles years without changing anything else.
    ///
    /// # Errors
    /// As for [`Settler::change`].
    pub(crate) async fn look(&self, ask: Ask<'_>) -> Result<Vec<Output>, Decision> {
        Ok(self.change(ask, &|_| false).await?.1)
    }

    fn counted(&self, told: Told) -> Output {
        self.metrics.said(&told.findings);
        if told.is_again {
            self.metrics.again();
        }
        told.output
    }

    /// Settles one year. True if the record changed.
    async fn settle(
        &self,
        ask: Ask<'_>,
        year: i32,
        record: &mut AgencyRecord,
        told: &mut Vec<Told>,
    ) -> Result<bool, Decision> {
        let Some(report) = record::year(record, year) else { return Ok(false) };
        let Some(standing) = record::standing(report) else { return Ok(false) };
        let Some(seen) = cells::agency_year(standing.content, year) else { return Ok(false) };
        let (context, own) = (ask.context, ask.own.filter(|own| own.key.year == year));
        let profile = self.profile(ask.agency);
        let looking = self.relatives(ask.agency, year, &standing, profile.as_ref());
        let relatives = trace::span("neighbours", Kind::Internal).run(looking).await?;
        let before = report.said.clone().unwrap_or_default();
        let basis = self.basis(record, year, &relatives, profile.as_ref());
        let is_new_basis = before.basis != basis;
        let is_own_last =
            own.is_some_and(|own| own.origin.received_sequence == standing.arrival.rank.sequence());
        let owes = is_own_last || (ask.pays && before.input == context.message_id);
        if !is_new_basis && !owes && own.is_none() {
            return Ok(false);
        }
        let neighbours = relatives.join(record::neighbours(record, year, seen));
        let subject = match own.filter(|_| is_own_last) {
            Some(own) => own.clone(),
            None => self.load(standing.arrival.event).await?,
        };
        let other = own.filter(|_| !is_own_last);
        let is_same = other.is_some_and(|own| own.origin.content_hash == standing.content.content_hash);
        let verdict = self.judge(subject, neighbours.clone(), profile.clone()).await?;
        // Another arrival of the same content is answered one rank below, so that the newest arrival has the last word.
        let is_raised = before.findings != verdict.digest || (is_same && is_new_basis);
        let said = said(&before, &verdict, is_raised, basis, context);
        if let Some(own) = other {
            let neighbours = if is_same { neighbours } else { alone(neighbours) };
            let own = self.judge(own.clone(), neighbours, profile).await?;
            let validation = if is_same { said.validation - 1 } else { context.sequence };
            told.push(own.told(context, validation, !is_same));
        }
        if is_raised || owes {
            let own = verdict.told(context, said.validation, false);
            told.push(Told { is_again: !is_own_last, ..own });
        }
        let is_changed = said != before;
        record::year_mut(record, year).said = Some(said);
        Ok(is_changed)
    }

    async fn judge(
        &self,
        subject: Subject,
        neighbours: Neighbours,
        profile: Option<AgencyProfile>,
    ) -> Result<Verdict, Decision> {
        let rules = self.rules.clone();
        let judge = move || {
            let judging = || subject.findings(&rules, Some(&neighbours), profile.as_ref());
            let findings = trace::span("rules", Kind::Internal).within(judging);
            Verdict { subject, digest: digest(&findings), findings }
        };
        self.runtime.cpu(judge).await.map_err(Decision::retry)
    }

    /// A report from the log.
    async fn load(&self, parsed_sequence: u64) -> Result<Subject, Decision> {
        let found = self.runtime.message(subjects::STREAM_REPORTS, parsed_sequence).await?;
        let message = found.ok_or_else(|| {
            Decision::retry(anyhow!("no message {parsed_sequence} in {}", subjects::STREAM_REPORTS))
        })?;
        let parsed = match ReportEvent::decode(&message.subject, message.payload) {
            Ok(ReportEvent::Parsed(parsed)) => *parsed,
            Ok(_) => {
                let other = anyhow!("message {parsed_sequence} is no parsed report");
                return Err(Decision::bury(UNREADABLE_EVENT, other));
            }
            Err(error) => return Err(Decision::bury(UNREADABLE_EVENT, error)),
        };
        let trace = message.headers.get("traceparent").and_then(|parent| parent.split('-').nth(1));
        self.subject(parsed, trace.unwrap_or_default().to_owned()).await
    }

    /// Joins an event with its prose, if that was not erased.
    pub(crate) async fn subject(
        &self,
        parsed: v1::ReportParsed,
        trace_id: String,
    ) -> Result<Subject, Decision> {
        let text = parsed.report.as_ref().and_then(|header| header.text.as_ref());
        let text = self.texts.get(text.map(|text| text.key.as_str()).unwrap_or_default()).await?;
        let text = text.map(v1::ParsedText::decode).transpose();
        Subject::new(
            parsed,
            text.map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?,
            trace_id,
            &self.rules,
        )
    }

    /// What a draft is told: what its neighbours are, without becoming one.
    pub(crate) async fn draft(&self, draft: Subject, context: &Context) -> Result<Output, Decision> {
        let agency = draft.key.agency.clone();
        let record = self.ledger.read::<AgencyRecord>(&agency_key(&agency)).await?.record;
        let seen =
            gongkai_rules::AgencyYear::of(&draft.report, gongkai_agencies::kind_of(&draft.report.agency));
        let profile = self.profile(&agency);
        let neighbours = alone(record::neighbours(&record, draft.key.year, seen));
        let verdict = self.judge(draft, neighbours, profile).await?;
        Ok(self.counted(verdict.told(context, 0, false)))
    }

    /// Everything that findings rest on, in one digest.
    fn basis(
        &self,
        record: &AgencyRecord,
        year: i32,
        relatives: &Relatives,
        profile: Option<&AgencyProfile>,
    ) -> String {
        let mut hash = Sha256::new();
        for back in 0..=record::YEARS_BACK {
            let report = year.checked_sub(back).and_then(|year| record::year(record, year));
            hash.update(report.map_or(0, |report| report.epoch).to_be_bytes());
        }
        hash.update(relatives.digest());
        basis::take_profile(&mut hash, profile);
        let versions = self.rules.versions();
        hash.update(&versions.rules);
        hash.update(&versions.program);
        hex::encode(&hash.finalize()[..16])
    }

    /// What the registry knows of an agency.
    pub(crate) fn profile(&self, agency: &AgencyKey) -> Option<AgencyProfile> {
        self.registry.borrow().get(agency).map(gongkai_agencies::Agency::profile)
    }
}

impl Verdict {
    /// What is said, under an id of its own: the input's, whose it is, the rank and what is said (CONTRACT 3). An input that
    /// comes again may have more to say than before, which must not pass for the same.
    fn told(self, context: &Context, validation: u64, superseded: bool) -> Told {
        let Subject { key, origin, .. } = &self.subject;
        let event = self.subject.validated(&self.findings, validation, superseded);
        let subject = Event::ReportValidated.subject(origin.region.parse().unwrap_or_default());
        let mut output = Output::new(subject, Event::ReportValidated.ce_type(), &event);
        let (input, findings) = (&context.message_id, &self.digest);
        let (agency, year) = (&key.agency, key.year);
        output.message_id = Some(format!("{input}.validate.{agency}-{year}-{validation}.{findings}"));
        Told { output, findings: self.findings, is_again: false }
    }
}

/// Key of an agency's record.
pub(crate) fn agency_key(agency: &AgencyKey) -> String {
    format!("agencies/{agency}")
}

/// The neighbours of something that is not what stands: its own publications are not.
fn alone(neighbours: Neighbours) -> Neighbours {
    Neighbours { publications: gongkai_rules::Publications::default(), ..neighbours }
}

/// What is noted as said. Ranks leave room for another arrival of the same content just below.
fn said(
    before: &SaidRecord,
    verdict: &Verdict,
    is_raised: bool,
    basis: String,
    context: &Context,
) -> SaidRecord {
    if !is_raised {
        return SaidRecord { basis, ..before.clone() };
    }
    SaidRecord {
        basis,
        findings: verdict.digest.clone(),
        validation: before.validation.max(context.sequence) + 2,
        input: context.message_id.clone(),
    }
}
