//! Acceptance of a withdrawal. The steps are those for a document, except that no file is stored.

use super::{CallDecision, Intake};
use crate::{
    actor::Actor,
    calls::{Attempt, CallStatement},
    error::Problem,
    metrics::Repeat,
    submission::{DeclaredMetadata, SubmissionIdentity, WithdrawalRequest, said_by_withdrawal, sender_site},
};
use gongkai_lifecycle as lifecycle;
use gongkai_model::ReportKey;
use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::Event,
    v1::{Receipt, ReportWithdrawn, SubmissionState},
};
use gongkai_worker::Output;

impl Intake {
    /// Accepts a withdrawal on behalf of `actor`.
    ///
    /// # Errors
    /// As for [`Self::request`].
    ///
    /// # Cancel safety
    /// As for [`Self::request`].
    pub async fn withdraw(&self, actor: &Actor, withdrawal: WithdrawalRequest) -> Result<Receipt, Problem> {
        let declared = &withdrawal.declared;
        self.rights.claim(actor, declared).await?;
        let report = declared.report(&*self.registry.current()?);
        let now = self.now();
        let sender = actor.sender();
        let event = ReportWithdrawn { sender, ..withdrawal.withdrawn(report.as_ref(), timestamp(now)) };
        let call = CallStatement {
            first_id: withdrawal.id(),
            said: said_by_withdrawal(&event),
            content_hash: String::new(),
            event_time_us: declared.event_time_us(),
            may_supersede: true,
        };
        let receipt = match self.turn(&call, None).await? {
            CallDecision::Begin(attempt) => {
                self.take_down(declared, &event, report.as_ref(), &attempt).await?
            }
            CallDecision::Known(known) => {
                self.metrics.repeated(Repeat::Known);
                *known
            }
        };
        let receipt = match self.renewal(&call, &receipt).await? {
            Some(renewal) => {
                let renewed = self.take_down(declared, &event, report.as_ref(), &renewal).await?;
                // The renewal may apply to documents that came after the first withdrawal.
                self.receipts.merge(Receipt { withdrawal: renewed.withdrawal, ..receipt }).await?
            }
            None => receipt,
        };
        Ok(self.with_status_url(receipt))
    }

    /// Accepts an attempt.
    async fn take_down(
        &self,
        declared: &DeclaredMetadata,
        event: &ReportWithdrawn,
        report: Option<&ReportKey>,
        attempt: &Attempt,
    ) -> Result<Receipt, Problem> {
        let now = self.now();
        let id = attempt.submission_id.clone();
        let supersedes = self.superseded(&SubmissionIdentity::Event, attempt).await?;
        let places = declared.places();
        let begun = self.unfinished(&id, "");
        self.receipts.begin_at(&places, &begun).await?;
        let event = ReportWithdrawn {
            submission_id: id.clone(),
            supersedes: supersedes.clone(),
            renews: attempt.renews.clone(),
            event_time: attempt.event_time(event.event_time),
            ..event.clone()
        };
        let subject = Event::ReportWithdrawn.subject(declared.region());
        let output = Output::new(subject, Event::ReportWithdrawn.ce_type(), &event);
        let published = self.runtime.publish(&self.message_id(&id), output).await?;
        let (sequence, arrival) = (published.sequence, self.arrival(published).await?);
        let accepted = self.accepted(begun, sequence, arrival, &places, event.event_time);
        let recorded = lifecycle::Withdrawal {
            rank: accepted.rank(),
            url: declared.url.clone(),
            report: report.cloned(),
            withdrawn_at: now,
        };
        self.receipts.record_withdrawal(&recorded).await?;
        self.receipts.end_at(&accepted).await?;
        let (hit, report) = self.receipts.hit(&places, report).await?;
        let receipt = Receipt {
            sequence,
            supersedes,
            report,
            withdrawal: Some(hit),
            event_time: event.event_time,
            received_at: event.withdrawn_at,
            duplicate_of: attempt.renews.clone(),
            callback_site: self.endings.site(event.sender.as_ref(), &attempt.renews),
            agency_name: event.agency.as_ref().map(|agency| agency.name.clone()).unwrap_or_default(),
            site: sender_site(event.sender.as_ref()),
            ..self.new_receipt(&id, SubmissionState::Withdrawn)
        };
        self.tell(&receipt, declared.region()).await?;
        Ok(self.receipts.merge(receipt).await?)
    }
}
