//! One pass over the due batches: the result of each, and whether the receiver is away.

use std::time::Duration;

use super::channel::Error;

/// A delivery that was tried, or had to wait for one that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) sequence: u64,
    pub(super) alert_id: String,
}

/// The results of one pass.
///
/// A failure that may concern only one batch means that the receiver is away only if the next batch fails too.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Sequences of the deliveries that succeeded, are no longer needed, or were buried.
    pub(super) done: Vec<u64>,
    /// Sequences of the deliveries that failed because the receiver is away.
    pub(super) away: Vec<u64>,
    /// Deliveries that failed although the receiver accepts others.
    pub(super) refused: Vec<Tried>,
    /// Deliveries that were not tried, because an earlier alert of the same id failed.
    pub(super) behind: Vec<Tried>,
    /// Delay that the receiver asked for.
    pub(super) wish: Option<Duration>,
    /// Why the last one failed.
    pub(super) cause: String,
    /// The receiver is away because the subscription is at fault.
    pub(super) fault: Option<Error>,
    /// When messages were sent, in milliseconds of Unix time.
    pub(super) sent_ms: Vec<i64>,
    /// True if the receiver accepted a message.
    pub(super) is_accepted: bool,
    /// Failed; the next batch shows whether the receiver is away.
    pub(super) suspect: Option<(Vec<Tried>, Error)>,
}

// === impl Pass ===

impl Pass {
    /// Returns true if the receiver is away.
    pub(super) fn is_away(&self) -> bool {
        !self.away.is_empty()
    }

    /// Returns the sequences of the deliveries that failed.
    pub(super) fn failed(&self) -> impl Iterator<Item = u64> {
        self.away.iter().copied().chain(self.refused.iter().map(|tried| tried.sequence))
    }

    /// Returns true if an alert of this id failed in this pass.
    pub(super) fn has_failed(&self, alert_id: &str) -> bool {
        let suspect = self.suspect.iter().flat_map(|(batch, _)| batch);
        self.refused.iter().chain(suspect).any(|tried| tried.alert_id == alert_id)
    }

    /// Records a success. The receiver is reachable, so an earlier failure was about its delivery.
    pub(super) fn delivered(&mut self, batch: &[Tried]) {
        self.is_accepted = true;
        self.done.extend(batch.iter().map(|tried| tried.sequence));
        self.refused.extend(self.suspect.take().into_iter().flat_map(|(batch, _)| batch));
    }

    /// Records a failure. Returns true if the receiver is away.
    pub(super) fn fail(&mut self, batch: &[Tried], error: &Error) -> bool {
        self.cause = error.to_string();
        if error.may_be_message() && self.suspect.is_none() {
            self.suspect = Some((batch.to_vec(), error.clone()));
            return false;
        }
        self.give_way(batch, error);
        true
    }

    /// Ends the pass. If no later delivery succeeded, a suspect failure means that the receiver is away.
    pub(super) fn finish(mut self) -> Self {
        if let Some((batch, error)) = self.suspect.take() {
            let is_last = !self.is_away();
            self.behind.retain(|behind| batch.iter().all(|tried| tried.alert_id != behind.alert_id));
            if is_last {
                self.give_way(&batch, &error);
            } else {
                self.away.extend(batch.iter().map(|tried| tried.sequence));
            }
        }
        self
    }

    fn give_way(&mut self, batch: &[Tried], error: &Error) {
        self.wish = error.wish();
        self.fault = Some(error).filter(|error| !error.may_pass()).cloned();
        self.away.extend(batch.iter().map(|tried| tried.sequence));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(may_be_message: bool) -> Error {
        Error::Later { wish: None, cause: "500".into(), may_be_message }
    }

    fn tried(sequence: u64, alert_id: &str) -> [Tried; 1] {
        [Tried { sequence, alert_id: alert_id.to_owned() }]
    }

    #[test]
    fn one_that_fails_before_one_that_is_taken_is_refused() {
        let mut pass = Pass::default();
        assert!(!pass.fail(&tried(1, "a"), &error(true)));
        assert!(pass.has_failed("a") && !pass.has_failed("b"));
        pass.delivered(&tried(2, "b"));
        assert!(!pass.fail(&tried(3, "c"), &error(true)));
        pass.delivered(&tried(4, "d"));
        let pass = pass.finish();
        assert!(!pass.is_away() && pass.fault.is_none());
        assert_eq!(pass.failed().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(pass.done, [2, 4]);
    }

    #[test]
    fn two_that_fail_in_a_row_or_one_alone_show_that_the_receiver_is_away() {
        let mut pass = Pass::default();
        pass.fail(&tried(1, "a"), &error(true));
        assert!(pass.fail(&tried(2, "b"), &error(true)));
        assert_eq!(pass.finish().away, [2, 1]);
        let mut pass = Pass::default();
        pass.fail(&tried(1, "a"), &error(true));
        pass.behind.extend(tried(5, "a"));
        let pass = pass.finish();
        assert_eq!((pass.away, pass.behind.len()), (vec![1], 0));
        assert!(Pass::default().fail(&tried(1, "a"), &error(false)));
    }

    #[test]
    fn a_fault_is_that_of_the_message_if_another_is_taken_and_else_of_the_subscription() {
        let refused = Error::Refused("400".into());
        let mut pass = Pass::default();
        assert!(!pass.fail(&tried(1, "a"), &refused));
        pass.delivered(&tried(2, "b"));
        let pass = pass.finish();
        assert_eq!((pass.refused.len(), pass.is_away(), pass.fault.is_some()), (1, false, false));
        let mut pass = Pass::default();
        pass.fail(&tried(1, "a"), &refused);
        let pass = pass.finish();
        assert_eq!(
            (pass.away.as_slice(), pass.fault.map(|fault| fault.code())),
            ([1].as_slice(), Some("REFUSED"))
        );
        assert!(Pass::default().fail(&tried(1, "a"), &Error::Gone("410".into())));
    }
}
