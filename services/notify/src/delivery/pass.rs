//! One pass over the due deliveries: the result of each, and whether the receiver is away.

use std::time::Duration;

use super::channel::Error;

/// The results of one pass.
///
/// A failure that may concern only one delivery means that the receiver is away only if the next delivery fails too.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Sequences of the deliveries that succeeded, are no longer needed, or were buried.
    pub(super) done: Vec<u64>,
    /// Sequences of the deliveries that failed because the receiver is away.
    pub(super) away: Vec<u64>,
    /// Deliveries that failed although the receiver accepts others: sequence and alert id.
    pub(super) refused: Vec<(u64, String)>,
    /// Deliveries that were not tried, because an earlier alert of the same id failed: sequence and alert id.
    pub(super) behind: Vec<(u64, String)>,
    /// Delay that the receiver asked for.
    pub(super) wish: Option<Duration>,
    /// Why the last one failed.
    pub(super) cause: String,
    /// Failed; the next delivery shows whether the receiver is away.
    pub(super) suspect: Option<(u64, String)>,
}

// === impl Pass ===

impl Pass {
    /// Returns true if the receiver is away.
    pub(super) fn is_away(&self) -> bool {
        !self.away.is_empty()
    }

    /// Returns the sequences of the deliveries that failed.
    pub(super) fn failed(&self) -> impl Iterator<Item = u64> {
        self.away.iter().chain(self.refused.iter().map(|(sequence, _)| sequence)).copied()
    }

    /// Returns true if an alert of this id failed in this pass.
    pub(super) fn has_failed(&self, alert_id: &str) -> bool {
        self.refused.iter().chain(&self.suspect).any(|(_, id)| id == alert_id)
    }

    /// Records a success. The receiver is reachable, so an earlier failure was about its delivery.
    pub(super) fn delivered(&mut self, sequence: u64) {
        self.done.push(sequence);
        self.refused.extend(self.suspect.take());
    }

    /// Records a failure. Returns true if the receiver is away.
    pub(super) fn fail(&mut self, sequence: u64, alert_id: String, error: &Error) -> bool {
        self.cause = error.to_string();
        if error.may_be_message() && self.suspect.is_none() {
            self.suspect = Some((sequence, alert_id));
            return false;
        }
        self.wish = error.wish();
        self.away.push(sequence);
        true
    }

    /// Ends the pass. If no later delivery succeeded, a suspect failure means that the receiver is away.
    pub(super) fn finish(mut self) -> Self {
        if let Some((sequence, alert_id)) = self.suspect.take() {
            self.away.push(sequence);
            self.behind.retain(|(_, id)| *id != alert_id);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(may_be_message: bool) -> Error {
        Error::Later { wish: None, cause: "500".into(), may_be_message }
    }

    #[test]
    fn one_that_fails_before_one_that_is_taken_is_refused() {
        let mut pass = Pass::default();
        assert!(!pass.fail(1, "a".into(), &error(true)));
        assert!(pass.has_failed("a") && !pass.has_failed("b"));
        pass.delivered(2);
        assert!(!pass.fail(3, "c".into(), &error(true)));
        pass.delivered(4);
        let pass = pass.finish();
        assert!(!pass.is_away());
        assert_eq!(pass.failed().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(pass.done, [2, 4]);
    }

    #[test]
    fn two_that_fail_in_a_row_or_one_alone_show_that_the_receiver_is_away() {
        let mut pass = Pass::default();
        pass.fail(1, "a".into(), &error(true));
        assert!(pass.fail(2, "b".into(), &error(true)));
        assert_eq!(pass.finish().away, [2, 1]);
        let mut pass = Pass::default();
        pass.fail(1, "a".into(), &error(true));
        pass.behind.push((5, "a".into()));
        let pass = pass.finish();
        assert_eq!((pass.away, pass.behind.len()), (vec![1], 0));
        assert!(Pass::default().fail(1, "a".into(), &error(false)));
    }
}
