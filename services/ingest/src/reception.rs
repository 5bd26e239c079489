//! Handles the events and documents of a caller in the same way for every server: interprets them, checks the caller's
//! rights and rate, and accepts or checks them.
//!
//! A batch is interpreted and authorised as a whole before its first event is accepted; a refusal names every invalid
//! event. If the broker becomes unavailable half-way, the sender repeats the whole batch: events that were accepted
//! return their receipts, the others are accepted. An event of a batch whose type is not one of gongkai's is skipped,
//! and named in the answer, because a CMS may send all its events. Alone it is refused.

use gongkai_check::CheckLine;
use serde::Serialize;

use crate::{
    actor::Actor,
    auth::{Authenticator, Caller},
    cloudevent::CloudEvent,
    dry_run::DryRun,
    error::{Code, Problem, quote},
    intake::Intake,
    publication::{self, Purpose},
    receipt::ReceiptJson,
    submission::Submission,
};
use gongkai_proto::v1::Receipt;

/// Prefix of the types of our events.
const OWN_TYPES: &str = "gongkai.";

/// Handles the events of callers. Cheap to clone.
#[derive(Clone)]
pub struct Reception {
    intake: Intake,
    auth: Authenticator,
    dry_run: DryRun,
}

/// The answer to one event, which serialises as the body of a response.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The event was accepted.
    Receipt(Box<ReceiptJson>),
    /// The event was a draft: nothing was stored.
    Checked(Box<CheckLine>),
    /// The event is not one of gongkai's.
    Skipped {
        /// Id and type of the event.
        skipped: Skipped,
    },
}

/// An event of a batch that is not one of gongkai's.
#[derive(Debug, Serialize)]
pub struct Skipped {
    id: String,
    r#type: String,
    code: &'static str,
}

/// What to do with an event of a batch.
enum Step {
    Take(Actor, Purpose),
    Skip(Skipped),
}

// === impl Step ===

impl Step {
    fn counted(&self) -> usize {
        match self {
            Self::Take(_, purpose) => purpose.counted(),
            Self::Skip(_) => 0,
        }
    }
}

// === impl Reception ===

impl Reception {
    #[must_use]
    pub fn new(intake: Intake, auth: Authenticator, dry_run: DryRun) -> Self {
        Self { intake, auth, dry_run }
    }

    /// Accepts or checks one event.
    ///
    /// # Errors
    /// Nothing was accepted. [`Code::retryable`] tells whether the same call may succeed later.
    ///
    /// # Cancel safety
    /// As for [`Intake::request`].
    pub async fn one(&self, caller: &Caller, event: CloudEvent) -> Result<Answer, Problem> {
        let (actor, purpose) = self.authorised(caller, event)?;
        self.intake.count(caller, purpose.counted())?;
        self.perform(&actor, purpose).await
    }

    /// Accepts a document that has no event.
    ///
    /// # Errors
    /// As for [`Self::one`].
    ///
    /// # Cancel safety
    /// As for [`Intake::request`].
    pub async fn document(&self, caller: &Caller, submission: Submission) -> Result<Receipt, Problem> {
        let actor = self.auth.admit_from(caller, "", &submission.declared.site.code)?;
        self.intake.count(caller, 1)?;
        self.intake.submit(&actor, submission).await
    }

    /// Accepts or checks the events of a batch. The answers are in the order of the events.
    ///
    /// # Errors
    /// Nothing was accepted, unless the problem is retryable: then the events before the named one were accepted.
    ///
    /// # Cancel safety
    /// As for [`Intake::request`], for each event.
    pub async fn batch(
        &self,
        caller: &Caller,
        events: Vec<Result<CloudEvent, Problem>>,
    ) -> Result<Vec<Answer>, Problem> {
        let steps: Vec<_> =
            events.into_iter().map(|event| event.and_then(|event| self.step(caller, event))).collect();
        self.intake.count(caller, steps.iter().flatten().map(Step::counted).sum())?;
        let (steps, wrong) = self.checked(steps).await;
        if let Some(problem) = Problem::of_events(wrong) {
            return Err(problem);
        }
        let mut answers = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            let answer = match step {
                Step::Skip(skipped) => Ok(Answer::Skipped { skipped }),
                Step::Take(actor, purpose) => self.perform(&actor, purpose).await,
            };
            match answer {
                Ok(answer) => answers.push(answer),
                Err(problem) => {
                    return Err(Problem::of_events(vec![(n, problem.clone())]).unwrap_or(problem));
                }
            }
        }
        Ok(answers)
    }

    /// Interprets and authorises an event of a batch.
    fn step(&self, caller: &Caller, event: CloudEvent) -> Result<Step, Problem> {
        if !event.r#type.starts_with(OWN_TYPES) {
            let code = Code::UnknownEventType.as_str();
            return Ok(Step::Skip(Skipped { id: quote(&event.id), r#type: quote(&event.r#type), code }));
        }
        let (actor, purpose) = self.authorised(caller, event)?;
        Ok(Step::Take(actor, purpose))
    }

    /// Performs the checks of acceptance. Returns the good events, and each problem with its index in the batch.
    async fn checked(&self, steps: Vec<Result<Step, Problem>>) -> (Vec<Step>, Vec<(usize, Problem)>) {
        let (mut good, mut wrong) = (Vec::new(), Vec::new());
        for (n, step) in steps.into_iter().enumerate() {
            let may = match &step {
                Ok(Step::Take(actor, Purpose::Accept(request))) => {
                    self.intake.may(actor, request.declared()).await
                }
                _ => Ok(()),
            };
            match step.and_then(|step| may.map(|()| step)) {
                Ok(step) => good.push(step),
                Err(problem) => wrong.push((n, problem)),
            }
        }
        (good, wrong)
    }

    async fn perform(&self, actor: &Actor, purpose: Purpose) -> Result<Answer, Problem> {
        Ok(match purpose {
            Purpose::Accept(request) => {
                Answer::Receipt(Box::new(self.intake.request(actor, request).await?.into()))
            }
            Purpose::Check(draft, remote) => {
                Answer::Checked(Box::new(self.dry_run.event(*draft, &remote).await?.line()))
            }
        })
    }

    fn authorised(&self, caller: &Caller, event: CloudEvent) -> Result<(Actor, Purpose), Problem> {
        let source = event.source.clone();
        let purpose = publication::read(event)?;
        let declared = match &purpose {
            Purpose::Check(submission, _) => &submission.declared,
            Purpose::Accept(request) => request.declared(),
        };
        let actor = self.auth.admit_from(caller, &source, &declared.site.code)?;
        Ok((actor, purpose))
    }
}
