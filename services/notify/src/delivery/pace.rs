//! How fast a subscription may be told, and how much at once.
//!
//! A subscription without a pace gets each alert by itself and at once. With one, alerts are collected for a while,
//! go together where they can, and no span of time has more messages than its limit.

use std::time::Duration;

use gongkai_model::Severity;
use time::OffsetDateTime;

use super::quiet::Quiet;

/// Number of reports up to which each has a message of its own.
const FEW: usize = 3;

/// At most so many messages in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) messages: usize,
    pub(crate) span: Duration,
}

/// The pace of a subscription.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    /// How long alerts are collected before they go together. Absent: each goes by itself.
    pub(crate) window: Option<Duration>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) quiet: Option<Quiet>,
}

// === impl Limit ===

impl Limit {
    /// Creates the limit of a minute.
    pub(crate) const fn per_minute(messages: usize) -> Self {
        Self { messages, span: Duration::from_mins(1) }
    }

    /// Returns how long to wait before the next message, after earlier ones at these times, oldest first.
    fn left(&self, sent_ms: &[i64], now_ms: i64) -> i64 {
        let Some(first) = sent_ms.len().checked_sub(self.messages) else { return 0 };
        let free_ms = sent_ms.get(first).map_or(0, |at| at.saturating_add(millis(self.span)));
        free_ms.saturating_sub(now_ms).max(0)
    }
}

// === impl Pace ===

impl Pace {
    /// Returns true if every alert goes by itself and at once.
    pub(super) fn is_free(&self) -> bool {
        self.window.is_none() && self.limits.is_empty() && self.quiet.is_none()
    }

    /// Returns how long an alert is collected.
    pub(super) fn window_ms(&self) -> i64 {
        self.window.map_or(0, millis)
    }

    /// Returns true if quiet hours do not hold back an alert of this severity.
    pub(super) fn lets_pass(&self, severity: Option<Severity>) -> bool {
        self.quiet.as_ref().is_none_or(|quiet| quiet.lets_pass(severity))
    }

    /// Returns how long it stays quiet, in milliseconds.
    pub(super) fn quiet_ms(&self, now_ms: i64) -> i64 {
        let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now_ms) * 1_000_000);
        let left = self.quiet.as_ref().zip(now.ok()).map(|(quiet, now)| quiet.left(now));
        left.map_or(0, millis)
    }

    /// Returns how long the limits ask to wait, in milliseconds, after messages at these times, oldest first.
    pub(super) fn limit_ms(&self, sent_ms: &[i64], now_ms: i64) -> i64 {
        self.limits.iter().map(|limit| limit.left(sent_ms, now_ms)).max().unwrap_or(0)
    }

    /// Returns which of the due deliveries go together. Each has its sequence and the report that it is about, if any.
    pub(super) fn batches(&self, due: &[(u64, Option<String>)]) -> Vec<Vec<u64>> {
        if self.window.is_none() {
            return due.iter().map(|(sequence, _)| vec![*sequence]).collect();
        }
        let mut groups: Vec<(Option<&str>, Vec<u64>)> = Vec::new();
        for (sequence, report) in due {
            let report = report.as_deref();
            match groups.iter_mut().find(|(of, _)| report.is_some() && *of == report) {
                Some((_, sequences)) => sequences.push(*sequence),
                None => groups.push((report, vec![*sequence])),
            }
            if groups.len() > FEW {
                return vec![due.iter().map(|(sequence, _)| *sequence).collect()];
            }
        }
        groups.into_iter().map(|(_, sequences)| sequences).collect()
    }

    /// Returns the number of messages whose times the limits need.
    pub(super) fn memory(&self) -> usize {
        self.limits.iter().map(|limit| limit.messages).max().unwrap_or(0)
    }
}

/// Returns a duration in milliseconds, the unit of the backlog.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_has_more_messages_than_its_limit() {
        let spans = [Limit { messages: 5, span: Duration::from_secs(1) }, Limit::per_minute(100)];
        let pace = Pace { limits: spans.to_vec(), ..Pace::default() };
        let (mut now, mut sent): (i64, Vec<i64>) = (0, Vec::new());
        while sent.len() < 10_000 {
            let kept = &sent[sent.len().saturating_sub(pace.memory())..];
            match pace.limit_ms(kept, now) {
                0 => sent.push(now),
                wait => now += wait,
            }
        }
        for limit in spans {
            let span = millis(limit.span);
            for first in sent.windows(limit.messages + 1) {
                assert!(first[limit.messages] - first[0] >= span, "{limit:?}: {first:?}");
            }
        }
        assert_eq!(now, 99 * 60_000 + 19_000, "and no slower than that");
    }

    #[test]
    fn a_few_reports_have_their_own_messages_and_more_go_together() {
        let pace = Pace { window: Some(Duration::from_hours(1)), ..Pace::default() };
        let due = |reports: &[&str]| -> Vec<(u64, Option<String>)> {
            (1..)
                .zip(reports.iter().map(|report| Some((*report).to_owned()).filter(|r| !r.is_empty())))
                .collect()
        };
        assert_eq!(pace.batches(&due(&["a", "b", "a", "c"])), [vec![1, 3], vec![2], vec![4]]);
        assert_eq!(pace.batches(&due(&["a", "b", "a", "c", "d"])), [vec![1, 2, 3, 4, 5]]);
        assert_eq!(pace.batches(&due(&["", ""])), [[1], [2]]);
        assert_eq!(Pace::default().batches(&due(&["a", "a"])), [[1], [2]]);
    }

    #[test]
    fn without_limits_nothing_waits() {
        assert!(Pace::default().is_free() && Pace::default().lets_pass(None));
        assert_eq!((Pace::default().limit_ms(&[1, 2, 3], 3), Pace::default().quiet_ms(0)), (0, 0));
    }
}
