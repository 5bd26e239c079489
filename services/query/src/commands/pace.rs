//! Keeps repeated messages behind those that arrive.

use std::time::Duration;

use gongkai_proto::subjects::{self, BACKFILL_PREFIX, Event, STREAM_REPORTS};
use gongkai_worker::Runtime;
use tokio::time::{Instant, sleep};

/// Number of unsettled messages of a stage up to which another one is published.
const BEHIND: u64 = 8;
/// Time between two looks at a stage that is behind.
const LOOK: Duration = Duration::from_millis(50);
/// Maximum time that one message waits. Without a limit, a stage that is never through would delay it forever.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// Spaces messages so that a stage has few of them at a time.
pub(super) struct Pace {
    runtime: Runtime,
    /// Messages that may be published before the next look, by consumer.
    free: Option<(&'static str, u64)>,
}

impl Pace {
    pub(super) fn new(runtime: Runtime) -> Self {
        Self { runtime, free: None }
    }

    /// Waits until the stage that handles a subject has few messages, or the longest turn is over.
    pub(super) async fn turn(&mut self, subject: &str) {
        let Some(consumer) = consumer_of(subject) else { return };
        if let Some((_, left)) = self.free.as_mut().filter(|(of, left)| *of == consumer && *left > 0) {
            *left -= 1;
            return;
        }
        let until = Instant::now() + LONGEST_TURN;
        loop {
            // If there is no such stage yet, or the broker does not answer, nothing is known to wait for.
            let lag = self.runtime.consumer_lag(STREAM_REPORTS, consumer).await.ok().flatten();
            let outstanding = lag.map_or(0, |lag| lag.outstanding);
            if outstanding < BEHIND {
                self.free = Some((consumer, BEHIND - outstanding - 1));
                return;
            }
            if Instant::now() >= until {
                return;
            }
            sleep(LOOK).await;
        }
    }
}

/// Returns the consumer of the stage that takes the longest over messages with a subject.
fn consumer_of(subject: &str) -> Option<&'static str> {
    Some(match Event::of(subject)? {
        Event::ReportReceived if subject.starts_with(BACKFILL_PREFIX) => subjects::CONSUMER_PARSE_BACKFILL,
        Event::ReportReceived => subjects::CONSUMER_PARSE,
        Event::ReportParsed | Event::ReportWithdrawn | Event::ReportErased => subjects::CONSUMER_VALIDATE,
        Event::ReportValidated | Event::ReportRejected | Event::ReportWaived => subjects::CONSUMER_NOTIFY,
        Event::AlertRaised
        | Event::AlertResolved
        | Event::SubmissionEnded
        | Event::DeadlineReminded
        | Event::ReportMissing
        | Event::ReportLate => return None,
    })
}
