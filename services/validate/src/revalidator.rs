//! Validates reports of one agency and records their findings, in one write. See DESIGN.md.

use std::sync::Arc;

use anyhow::anyhow;
use gongkai_model::{AgencyProfile, Severity};
use gongkai_neighbours::{
    Compared, SharedRecords, cells,
    record::{self, CurrentRevision},
    relatives::without_publications,
};
use gongkai_proto::{
    ReportEvent, subjects,
    v1::{self, AgencyRecord, ContentRecord, LastVerdict},
};
use gongkai_rules::{AgencyYear, Neighbours, RuleSet};
use gongkai_worker::{
    Context, Decision, Output, Runtime,
    trace::{self, SpanKind},
    transport::{Logged, Objects},
};
use prost::Message as _;

use crate::{
    UNREADABLE_EVENT, document::ParsedDocument, inputs_digest::inputs_digest, metrics::Metrics,
    revalidation::Revalidation, verdict::Verdict,
};

/// Validates reports against the rules and their neighbours.
pub(crate) struct Revalidator {
    pub(crate) shared: SharedRecords,
    pub(crate) texts: Arc<dyn Objects>,
    pub(crate) runtime: Runtime,
    pub(crate) rules: RuleSet,
    pub(crate) metrics: Metrics,
}

/// The outputs for a report, to publish once the record is saved.
struct PendingOutputs {
    verdict: Verdict,
    validation: u64,
    superseded: bool,
    /// True if the report is not the report of the input, but a neighbour that is validated again.
    is_neighbour: bool,
}

/// One year of an agency's record with everything that its findings depend on.
struct Inputs<'a> {
    current: CurrentRevision<'a>,
    before: LastVerdict,
    inputs_digest: String,
    neighbours: Neighbours,
    profile: Option<AgencyProfile>,
}

// === impl Revalidator ===

impl PendingOutputs {
    fn log(&self) {
        let Verdict { document, findings, .. } = &self.verdict;
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        tracing::info!(
            submission_id = document.origin.submission_id,
            report = document.header.name,
            error = of(Severity::Error),
            warning = of(Severity::Warning),
            review = of(Severity::Review),
            info = of(Severity::Info),
            neighbour = self.is_neighbour.then_some(true),
            "report validated"
        );
    }
}

impl Revalidator {
    /// Changes an agency's record and validates some of its years in the same write. `own` is the document whose
    /// event is handled. It is always answered unless it was erased; other reports only if their findings changed.
    ///
    /// # Errors
    /// A store could not be reached, or too many races were lost: retry. A record or an event cannot be read: bury.
    pub(crate) async fn update(
        &self,
        revalidation: &Revalidation,
        own: Option<&ParsedDocument>,
        context: &Context,
        change: &(dyn Fn(&mut AgencyRecord) -> bool + Sync),
    ) -> Result<(AgencyRecord, Vec<Output>), Decision> {
        let records = &self.shared.records;
        let key = record::agency_key(&revalidation.agency);
        let mut race = 0;
        loop {
            let mut read = records.read::<AgencyRecord>(&key).await?;
            let mut is_changed = change(&mut read.record);
            for year in &revalidation.years {
                is_changed |= self.restore_outlines(&mut read.record, *year).await?;
            }
            let mut pending = Vec::new();
            for year in &revalidation.years {
                let own = own.filter(|own| own.key.year == *year && !own.was_erased(&read.record));
                is_changed |=
                    self.validate(revalidation, *year, own, context, &mut read.record, &mut pending).await?;
            }
            if !is_changed || records.save(&key, &read).await? {
                let outputs = pending.iter().map(|pending| self.publish(pending, context)).collect();
                return Ok((read.record, outputs));
            }
            records.lost(&key, race).await?;
            race += 1;
        }
    }

    /// Restores contents of a year that became high revisions again. Returns true if there were any.
    async fn restore_outlines(&self, record: &mut AgencyRecord, year: i32) -> Result<bool, Decision> {
        let outlined = record::year(record, year).map(record::outlined).unwrap_or_default();
        for parsed_sequence in &outlined {
            let content = self.summary(&self.load(*parsed_sequence).await?).await?;
            record::restore(record::year_mut(record, year), content);
        }
        Ok(!outlined.is_empty())
    }

    /// Returns the parts of a document that neighbours use.
    ///
    /// # Errors
    /// The rules' code failed on it: retry.
    pub(crate) async fn summary(&self, document: &ParsedDocument) -> Result<ContentRecord, Decision> {
        let report = document.report.clone();
        let summarize = move || AgencyYear::of(&report, gongkai_agencies::kind_of(&report.agency));
        let summary = self.runtime.cpu(summarize).await.map_err(Decision::retry)?;
        Ok(cells::content(&summary, &document.origin.content_hash, document.parsed_sequence))
    }

    /// Validates reports without another change of the record.
    ///
    /// # Errors
    /// As for [`Revalidator::update`].
    pub(crate) async fn revalidate(
        &self,
        revalidation: &Revalidation,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        Ok(self.update(revalidation, None, context, &|_| false).await?.1)
    }

    fn publish(&self, pending: &PendingOutputs, context: &Context) -> Output {
        self.metrics.published(&pending.verdict.findings);
        if pending.is_neighbour {
            self.metrics.revalidated();
        }
        pending.log();
        pending.verdict.output(context, pending.validation, pending.superseded)
    }

    /// Validates one year. Returns true if the record changed.
    async fn validate(
        &self,
        revalidation: &Revalidation,
        year: i32,
        own: Option<&ParsedDocument>,
        context: &Context,
        record: &mut AgencyRecord,
        pending: &mut Vec<PendingOutputs>,
    ) -> Result<bool, Decision> {
        let Some(inputs) = self.inputs(revalidation, year, record).await? else { return Ok(false) };
        let Inputs { current, before, inputs_digest, neighbours, profile } = inputs;
        let are_inputs_new = before.inputs_digest != inputs_digest;
        let is_own_current =
            own.is_some_and(|own| own.origin.received_sequence == current.arrival.rank.sequence());
        let is_owed = is_own_current || (revalidation.republishes && before.message_id == context.first_id());
        if !are_inputs_new && !is_owed && own.is_none() {
            return Ok(false);
        }
        let document = match own.filter(|_| is_own_current) {
            Some(own) => own.clone(),
            None => self.load(current.arrival.event).await?,
        };
        let other = own.filter(|_| !is_own_current);
        let is_same_content =
            other.is_some_and(|own| own.origin.content_hash == current.content.content_hash);
        let verdict = self.judge(document, neighbours.clone(), profile.clone()).await?;
        // Another arrival of the same content is published one rank below, so that the newest arrival takes
        // precedence.
        let raises = before.findings_digest != verdict.findings_digest || (is_same_content && are_inputs_new);
        let last = verdict.record(&before, raises, inputs_digest, context);
        if let Some(own) = other {
            let neighbours = if is_same_content { neighbours } else { without_publications(neighbours) };
            let verdict = self.judge(own.clone(), neighbours, profile).await?;
            let history = context.sequence.max(own.outranks + 1);
            let validation = if is_same_content { last.validation - 1 } else { history };
            pending.push(PendingOutputs {
                verdict,
                validation,
                superseded: !is_same_content,
                is_neighbour: false,
            });
        }
        if raises || is_owed {
            let validation = last.validation;
            let is_neighbour = !is_own_current;
            pending.push(PendingOutputs { verdict, validation, superseded: false, is_neighbour });
        }
        let is_changed = last != before;
        record::year_mut(record, year).last_verdict = Some(last);
        Ok(is_changed)
    }

    /// Collects the inputs of the findings of a year. Returns `None` if there is no report that this version can
    /// read.
    async fn inputs<'a>(
        &self,
        revalidation: &Revalidation,
        year: i32,
        record: &'a AgencyRecord,
    ) -> Result<Option<Inputs<'a>>, Decision> {
        let agency = &revalidation.agency;
        let Some(report) = record::year(record, year) else { return Ok(None) };
        let Some(current) = record::current_revision(report) else { return Ok(None) };
        let Some(own) = cells::agency_year(current.content, year) else { return Ok(None) };
        let profile = self.shared.profile(agency);
        let compared = Compared {
            agency,
            own: &own,
            region: current.arrival.region,
            is_withdrawn: current.is_withdrawn,
            profile: profile.as_ref(),
        };
        let reading = self.shared.relatives(compared);
        let relatives = trace::span("neighbours", SpanKind::Internal).run(reading).await?;
        Ok(Some(Inputs {
            inputs_digest: inputs_digest(record, year, &relatives, profile.as_ref(), self.rules.versions()),
            neighbours: relatives.join(record::neighbours(record, year, own)),
            before: report.last_verdict.clone().unwrap_or_default(),
            current,
            profile,
        }))
    }

    /// Evaluates the rules on the CPU pool.
    async fn judge(
        &self,
        document: ParsedDocument,
        neighbours: Neighbours,
        profile: Option<AgencyProfile>,
    ) -> Result<Verdict, Decision> {
        let rules = self.rules.clone();
        let judge = move || {
            let judging = || document.findings(&rules, Some(&neighbours), profile.as_ref());
            let findings = trace::span("rules", SpanKind::Internal).within(judging);
            Verdict::new(document, findings)
        };
        self.runtime.cpu(judge).await.map_err(Decision::retry)
    }

    /// Reads a document from the log.
    async fn load(&self, parsed_sequence: u64) -> Result<ParsedDocument, Decision> {
        let found = self.runtime.message(subjects::STREAM_REPORTS, parsed_sequence).await?;
        let Logged { message, .. } = found.ok_or_else(|| {
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
        self.document((parsed, parsed_sequence), trace.unwrap_or_default().to_owned()).await
    }

    /// Joins an event, which comes with its stream sequence, with its prose, unless that was erased.
    ///
    /// # Errors
    /// The object store could not be reached: retry. Event or prose cannot be read: bury.
    pub(crate) async fn document(
        &self,
        parsed: (v1::ReportParsed, u64),
        trace_id: String,
    ) -> Result<ParsedDocument, Decision> {
        let text = parsed.0.report.as_ref().and_then(|header| header.text.as_ref());
        let text = self.texts.get(text.map(|text| text.key.as_str()).unwrap_or_default()).await?;
        let text = text.map(v1::ParsedText::decode).transpose();
        let text = text.map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        ParsedDocument::new(parsed, text, trace_id, &self.rules)
    }

    /// Validates a draft. It is compared with its neighbours, but is not a neighbour of other reports.
    ///
    /// # Errors
    /// As for [`Revalidator::update`].
    pub(crate) async fn draft(&self, draft: ParsedDocument, context: &Context) -> Result<Output, Decision> {
        let agency = &draft.key.agency;
        let own = AgencyYear::of(&draft.report, gongkai_agencies::kind_of(&draft.report.agency));
        let region = draft.origin.region.parse().unwrap_or_default();
        let neighbours = self.shared.of_draft(agency, own, region).await?;
        let profile = self.shared.profile(agency);
        let verdict = self.judge(draft, neighbours, profile).await?;
        let pending = PendingOutputs { verdict, validation: 0, superseded: false, is_neighbour: false };
        Ok(self.publish(&pending, context))
    }
}
