//! Messages that were delivered before: their attempts are counted, and those that may have crashed the process are
//! handled alone.

use std::time::Duration;

use super::{AttemptResult, Stage, Work};
use crate::attempts::{Failure, MAX_CRASHES, Treatment};
use crate::dead_letter::CRASHED;
use crate::delivery::AckHandle;
use crate::handler::{Context, Decision, Handler};
use crate::instruments::Outcome;
use crate::output::Output;
use crate::publisher::RetryBudget;
use crate::retry::RetryPolicy;
use crate::transport::{Error, Message};

impl<H: Handler> Stage<H> {
    /// Looks up the record of earlier deliveries, and sets the number of this attempt. Waits while the broker is
    /// unavailable.
    pub(super) async fn treatment(&self, context: &mut Context, delivery: u32) -> Treatment {
        let mut pauses = RetryBudget::Endless.pauses();
        loop {
            match self.apart.attempts.treatment(context, delivery).await {
                Ok((failures, treatment)) => {
                    context.attempt = failures.saturating_add(1);
                    return treatment;
                }
                Err(error) if error.kind.is_outage() => {}
                Err(error) => {
                    self.uncounted(context, &error);
                    return Treatment::Clear;
                }
            }
            tokio::time::sleep(pauses.next().unwrap_or_default()).await;
        }
    }

    /// Runs the handler while no other message is in work. Notes the trial before and its end afterwards, so that the
    /// next delivery finds an open note if the process dies in between.
    pub(super) async fn handle_alone(&self, work: Work<'_>) -> Result<Vec<Output>, AttemptResult> {
        let Work { context, delivery, .. } = work;
        let _alone = self.apart.floor.alone().await;
        match self.apart.attempts.open(context, delivery).await {
            Ok(()) => {}
            Err(error) if error.kind.is_outage() => {
                return Err(AttemptResult::Failed(Decision::Unavailable(error)));
            }
            Err(error) => self.uncounted(context, &error),
        }
        tracing::info!(
            message_id = context.message_id,
            subject = context.subject,
            delivery,
            "handled alone: earlier deliveries ended with their process"
        );
        let handled = self.handle(work).await;
        // If this fails, the acknowledgement or the note of a failure ends the trial.
        if let Err(error) = self.apart.attempts.close(context, delivery).await {
            self.uncounted(context, &error);
        }
        handled
    }

    /// Hands back a message that crashed the process, or buries it after the last allowed crash.
    pub(super) async fn crashed(
        &self,
        context: &Context,
        message: &Message,
        crashes: u32,
        handle: AckHandle,
    ) -> Outcome {
        self.instruments.crashes.add(1);
        if crashes >= MAX_CRASHES {
            let cause =
                anyhow::anyhow!("the process died {crashes} times while it handled only this message");
            return self.bury(context, message, CRASHED, &cause, handle).await;
        }
        let delay = self.retry.delay(&context.message_id, crashes);
        let delay_ms = delay.as_millis();
        tracing::error!(
            message_id = context.message_id,
            subject = context.subject,
            crashes,
            delay_ms,
            "the process died while it handled only this message; it will be tried alone again"
        );
        if let Err(error) = handle.nak(delay).await {
            self.unsettled(context, &error);
        }
        Outcome::Retry
    }

    /// Notes a failed attempt. Returns the delay of the next one. It follows from the number of the attempt, or of the
    /// delivery if attempts cannot be counted.
    pub(super) async fn failed(
        &self,
        context: &Context,
        after: Option<Duration>,
        cause: &anyhow::Error,
        handle: &AckHandle,
    ) -> Duration {
        let id = &context.message_id;
        let delay = |attempt| match after {
            Some(asked) => RetryPolicy::at_least(asked, id, attempt),
            None => self.retry.delay(id, attempt),
        };
        let next = delay(context.attempt);
        let failure = Failure { cause: &format!("{cause:#}"), retry_at: self.tools.clock.now() + next };
        match self.apart.attempts.fail(context, handle.delivery, &failure).await {
            Ok(()) => next,
            Err(error) => {
                self.uncounted(context, &error);
                delay(context.attempt.max(handle.delivery))
            }
        }
    }

    /// Notes that a delivery ended without a failed attempt, so that it does not count as one that the process ended.
    pub(super) async fn ended(&self, context: &Context, handle: &AckHandle) {
        if let Err(error) = self.apart.attempts.close(context, handle.delivery).await {
            self.uncounted(context, &error);
        }
    }

    /// Deletes the record of a settled message.
    pub(super) async fn forget(&self, context: &Context) {
        if let Err(error) = self.apart.attempts.forget(context).await {
            self.uncounted(context, &error);
        }
    }

    fn uncounted(&self, context: &Context, error: &Error) {
        if error.kind.is_outage() {
            return;
        }
        let error = error as &dyn std::error::Error;
        tracing::warn!(message_id = context.message_id, error, "attempts of this message are not counted");
    }
}
