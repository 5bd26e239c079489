//! Handles the events of a caller in the same way for every server: interprets them, checks the caller's rights, and
//! accepts or checks them.
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
};

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
        self.perform(&actor, purpose).await
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
        let (mut steps, mut wrong) = (Vec::new(), Vec::new());
        for (n, event) in events.into_iter().enumerate() {
            let step = match event {
                Ok(event) => self.step(caller, event).await,
                Err(problem) => Err(problem),
            };
            match step {
                Ok(step) => steps.push(step),
                Err(problem) => wrong.push((n, problem)),
            }
        }
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

    /// Interprets an event of a batch, and makes the checks of acceptance.
    async fn step(&self, caller: &Caller, event: CloudEvent) -> Result<Step, Problem> {
        if !event.r#type.starts_with(OWN_TYPES) {
            let code = Code::UnknownEventType.as_str();
            return Ok(Step::Skip(Skipped { id: quote(&event.id), r#type: quote(&event.r#type), code }));
        }
        let (actor, purpose) = self.authorised(caller, event)?;
        if let Purpose::Accept(request) = &purpose {
            self.intake.may(&actor, request.declared()).await?;
        }
        Ok(Step::Take(actor, purpose))
    }

    async fn perform(&self, actor: &Actor, purpose: Purpose) -> Result<Answer, Problem> {
        Ok(match purpose {
            Purpose::Accept(request) => {
                Answer::Receipt(Box::new(self.intake.request(actor, request).await?.into()))
            }
            Purpose::Check(draft, url) => {
                Answer::Checked(Box::new(self.dry_run.event(*draft, url).await?.line()))
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
