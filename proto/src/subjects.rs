//! The only place that defines the name of a subject, a stream, a durable consumer or a bucket.
//!
//! Subjects end in a region token, the first six digits of the administrative division code, so that a province can
//! run consumers and leaf nodes of its own.

use gongkai_model::Region;

/// The CloudEvents `ce-type` and subject prefix of each kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// `DocumentReceived`
    ReportReceived,
    /// `ReportParsed`
    ReportParsed,
    /// `ReportValidated`
    ReportValidated,
    /// `ReportRejected`
    ReportRejected,
    /// `ReportWithdrawn`
    ReportWithdrawn,
    /// `WaiverChanged`
    ReportWaived,
    /// `ReportErased`
    ReportErased,
    /// `AlertRaised`
    AlertRaised,
    /// `AlertResolved`
    AlertResolved,
    /// `SubmissionEnded`
    SubmissionEnded,
    /// `DeadlineNotice`: the deadline comes
    DeadlineReminded,
    /// `DeadlineNotice`: a report is missing
    ReportMissing,
    /// `DeadlineNotice`: a report came late
    ReportLate,
}

impl Event {
    /// Every kind, in the order of a report's life.
    pub const ALL: [Self; 13] = [
        Self::ReportReceived,
        Self::ReportParsed,
        Self::ReportValidated,
        Self::ReportRejected,
        Self::ReportWithdrawn,
        Self::ReportWaived,
        Self::ReportErased,
        Self::AlertRaised,
        Self::AlertResolved,
        Self::SubmissionEnded,
        Self::DeadlineReminded,
        Self::ReportMissing,
        Self::ReportLate,
    ];

    /// Returns the kind of event on a subject, in any region, or `None` for any other subject. Both kinds of alerts
    /// share a subject; for it, returns [`Self::AlertRaised`].
    #[must_use]
    pub fn of(subject: &str) -> Option<Self> {
        if token_after(BACKFILL_PREFIX, subject).is_some() {
            return Some(Self::ReportReceived);
        }
        Self::ALL.into_iter().find(|event| token_after(event.prefix(), subject).is_some())
    }

    /// Returns the CloudEvents type.
    #[must_use]
    pub fn ce_type(self) -> &'static str {
        match self {
            Self::ReportReceived => "gongkai.report.received.v1",
            Self::ReportParsed => "gongkai.report.parsed.v1",
            Self::ReportValidated => "gongkai.report.validated.v1",
            Self::ReportRejected => "gongkai.report.rejected.v1",
            Self::ReportWithdrawn => "gongkai.report.withdrawn.v1",
            Self::ReportWaived => "gongkai.report.waived.v1",
            Self::ReportErased => "gongkai.report.erased.v1",
            Self::AlertRaised => "gongkai.alert.raised.v1",
            Self::AlertResolved => "gongkai.alert.resolved.v1",
            Self::SubmissionEnded => "gongkai.submission.ended.v1",
            Self::DeadlineReminded => "gongkai.deadline.reminded.v1",
            Self::ReportMissing => "gongkai.deadline.missing.v1",
            Self::ReportLate => "gongkai.deadline.late.v1",
        }
    }

    /// Returns the subject without its region token.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::ReportReceived => "gongkai.v1.report.received",
            Self::ReportParsed => "gongkai.v1.report.parsed",
            Self::ReportValidated => "gongkai.v1.report.validated",
            Self::ReportRejected => "gongkai.v1.report.rejected",
            Self::ReportWithdrawn => "gongkai.v1.report.withdrawn",
            Self::ReportWaived => "gongkai.v1.report.waived",
            Self::ReportErased => "gongkai.v1.report.erased",
            Self::AlertRaised | Self::AlertResolved => "gongkai.v1.alert",
            Self::SubmissionEnded => "gongkai.v1.submission.ended",
            Self::DeadlineReminded => "gongkai.v1.deadline.reminded",
            Self::ReportMissing => "gongkai.v1.deadline.missing",
            Self::ReportLate => "gongkai.v1.deadline.late",
        }
    }

    /// Returns the subject to publish on.
    #[must_use]
    pub fn subject(self, region: Region) -> String {
        format!("{}.{region}", self.prefix())
    }

    /// Returns the subject filter for every region.
    #[must_use]
    pub fn filter(self) -> String {
        format!("{}.*", self.prefix())
    }
}

/// Prefix of the subjects of [`Event::ReportReceived`] for old documents in bulk, which are read when no newer
/// document waits. After parse, their events are like all others.
pub const BACKFILL_PREFIX: &str = "gongkai.v1.report.backfilled";

/// Returns the subject on which to publish a received document of a backfill.
#[must_use]
pub fn backfill_subject(region: Region) -> String {
    format!("{BACKFILL_PREFIX}.{region}")
}

/// Returns the subject filter for received documents of backfills in every region.
#[must_use]
pub fn backfill_filter() -> String {
    format!("{BACKFILL_PREFIX}.*")
}

/// Returns the one token that follows a prefix, or `None` if the subject does not begin with the prefix's tokens or
/// has more or fewer.
pub(crate) fn token_after<'a>(prefix: &str, subject: &'a str) -> Option<&'a str> {
    let token = subject.strip_prefix(prefix)?.strip_prefix('.')?;
    (!token.is_empty() && !token.contains('.')).then_some(token)
}

/// Subject prefix of acknowledgements of alerts; the alert's id and the region follow. The consumers of alerts do not get
/// them, because they have more tokens.
pub const ACKNOWLEDGED_PREFIX: &str = "gongkai.v1.alert.acknowledged";
/// CloudEvents type of [`crate::v1::AlertAcknowledged`].
pub const ACKNOWLEDGED_TYPE: &str = "gongkai.alert.acknowledged.v1";

/// Returns the subject on which to publish that an alert was acknowledged.
#[must_use]
pub fn acknowledged_subject(alert_id: &str, region: Region) -> String {
    format!("{ACKNOWLEDGED_PREFIX}.{alert_id}.{region}")
}

/// Returns the subject filter for the acknowledgements of an alert in every region.
#[must_use]
pub fn acknowledged_filter(alert_id: &str) -> String {
    format!("{ACKNOWLEDGED_PREFIX}.{alert_id}.*")
}

/// Returns true if a subject is one of [`acknowledged_subject`].
pub(crate) fn is_acknowledged_subject(subject: &str) -> bool {
    let rest = subject.strip_prefix(ACKNOWLEDGED_PREFIX).and_then(|rest| rest.strip_prefix('.'));
    rest.and_then(|rest| rest.split_once('.'))
        .is_some_and(|(alert, region)| !alert.is_empty() && !region.is_empty() && !region.contains('.'))
}

/// Subject prefix of dead letters; the service's name follows.
pub const DEAD_PREFIX: &str = "gongkai.v1.dead";

/// Returns the subject filter for dead letters of every service.
#[must_use]
pub fn dead_filter() -> String {
    format!("{DEAD_PREFIX}.*")
}

/// Returns the subject on which to publish that a dead letter of a service was settled. The consumers of dead letters do
/// not get it, because it has one token more.
#[must_use]
pub fn settled_subject(service: &str) -> String {
    format!("{DEAD_PREFIX}.{service}.settled")
}

/// Returns true if a subject is one of [`settled_subject`].
pub(crate) fn is_settled_subject(subject: &str) -> bool {
    subject.strip_suffix(".settled").is_some_and(|dead| token_after(DEAD_PREFIX, dead).is_some())
}

/// Subject prefix of the events of a CMS; the name of its site follows. They are requests, which ingest answers: no
/// stream has these subjects. The broker's permissions decide who may publish on which subject.
pub const CMS_PREFIX: &str = "gongkai.v1.cms";
/// The replicas of ingest share the requests of a CMS under this queue group.
pub const CMS_GROUP: &str = "ingest";

/// Returns the subject filter for requests of every site.
#[must_use]
pub fn cms_filter() -> String {
    format!("{CMS_PREFIX}.*")
}

/// Returns the name of the site on a subject of [`CMS_PREFIX`].
#[must_use]
pub fn cms_site(subject: &str) -> Option<&str> {
    token_after(CMS_PREFIX, subject)
}

/// Log of record: every report event, kept for years.
pub const STREAM_REPORTS: &str = "GONGKAI_REPORTS";
/// Alerts, the ends of submissions and notices about deadlines, which notify delivers.
pub const STREAM_ALERTS: &str = "GONGKAI_ALERTS";
/// Dead letters.
pub const STREAM_DEAD: &str = "GONGKAI_DEAD";
/// The server's advisories on exhausted or terminated deliveries. Operators watch them; no service depends on them.
pub const STREAM_ADVISORIES: &str = "GONGKAI_ADVISORIES";
/// Timers, and the messages that they publish when they fire. They have a separate stream, because the server accepts
/// timers only in a stream that drops its oldest messages.
pub const STREAM_TIMERS: &str = "GONGKAI_TIMERS";

/// Object store: originals by content hash.
pub const BUCKET_ORIGINALS: &str = "gongkai-originals";
/// Object store: parsed texts by content hash and parser version.
pub const BUCKET_TEXTS: &str = "gongkai-texts";
/// Key-value: state of every submission.
pub const BUCKET_SUBMISSIONS: &str = "gongkai-submissions";
/// Key-value: the reports that each content was read as, and whether it was erased. Only ingest writes it; parse
/// reads it.
pub const BUCKET_CONTENTS: &str = "gongkai-contents";
/// Key-value: open alerts of every report, and what was said about deadlines.
pub const BUCKET_ALERTS: &str = "gongkai-alerts";
/// Key-value: the alerts delivered to each subscription.
pub const BUCKET_DELIVERIES: &str = "gongkai-deliveries";
/// Key-value: validate's records of reports, by which it compares them.
pub const BUCKET_NEIGHBOURS: &str = "gongkai-neighbours";
/// Key-value: the digest of the current list of agencies.
pub const BUCKET_AGENCIES: &str = "gongkai-agencies";
/// Object store: lists of agencies by digest.
pub const BUCKET_REGISTRIES: &str = "gongkai-registries";
/// Key-value: the state of the broker's streams and buckets, to distinguish a lost one from one that never existed.
pub const BUCKET_MARKER: &str = "gongkai-marker";

/// Key-value: attempts of messages that were delivered more than once, by stream, consumer and sequence.
pub const BUCKET_ATTEMPTS: &str = "gongkai-attempts";

/// Key-value: the running services, by service and process. Entries expire.
pub const BUCKET_REPLICAS: &str = "gongkai-replicas";

/// Streams to declare: name, subjects, days to keep (`None`: the log of record, kept for years).
pub const STREAMS: &[(&str, &[&str], Option<u32>)] = &[
    (STREAM_REPORTS, &["gongkai.v1.report.>"], None),
    (STREAM_ALERTS, &["gongkai.v1.alert.>", "gongkai.v1.submission.>", "gongkai.v1.deadline.>"], Some(400)),
    (STREAM_DEAD, &["gongkai.v1.dead.>"], Some(400)),
    (
        STREAM_ADVISORIES,
        &["$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>", "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>"],
        Some(7),
    ),
];
/// Streams of timers to declare, in the form of [`STREAMS`]. The days exceed the longest timer.
pub const TIMER_STREAMS: &[(&str, &[&str], Option<u32>)] =
    &[(STREAM_TIMERS, &["gongkai.v1.timer.>", "gongkai.v1.due.>"], Some(30))];
/// Object store buckets to declare.
pub const OBJECT_BUCKETS: &[&str] = &[BUCKET_ORIGINALS, BUCKET_TEXTS, BUCKET_REGISTRIES];
/// Key-value buckets to declare.
pub const ENTRY_BUCKETS: &[&str] = &[
    BUCKET_SUBMISSIONS,
    BUCKET_CONTENTS,
    BUCKET_ALERTS,
    BUCKET_DELIVERIES,
    BUCKET_NEIGHBOURS,
    BUCKET_AGENCIES,
    BUCKET_ATTEMPTS,
];

/// Durable consumer of parse on received documents.
pub const CONSUMER_PARSE: &str = "parse";
/// Durable consumer of parse on received documents of a backfill.
pub const CONSUMER_PARSE_BACKFILL: &str = "parse-backfill";
/// Durable consumer of validate on parsed reports.
pub const CONSUMER_VALIDATE: &str = "validate";
/// Durable consumer of notify on validated and withdrawn reports and on waivers.
pub const CONSUMER_NOTIFY: &str = "notify";
/// Durable consumer of ingest on the stages' events: fills the submissions' states.
pub const CONSUMER_INGEST_STATE: &str = "ingest-state";
/// Durable consumer of ingest on dead letters: marks their submissions dead.
pub const CONSUMER_INGEST_DEAD: &str = "ingest-dead";
/// Prefix of the durable consumers of projectors; see [`consumer_query`].
pub const CONSUMER_QUERY: &str = "query";

/// Returns the durable consumer of the projector of one read model. Another read model begins with the first event.
#[must_use]
pub fn consumer_query(epoch: &str) -> String {
    format!("{CONSUMER_QUERY}-{epoch}")
}

/// Returns the durable consumer that delivers alerts for one subscription.
#[must_use]
pub fn consumer_delivery(subscription: &str) -> String {
    format!("notify-{subscription}")
}

/// Returns the name for a site's `callback_url` in the place of a subscription. Names of subscriptions in the config
/// do not contain `_`.
#[must_use]
pub fn callback(site: &str) -> String {
    format!("callback_{site}")
}

/// Returns the subscription of a [`consumer_delivery`], or `None` for any other consumer.
#[must_use]
pub fn subscription_of(durable: &str) -> Option<&str> {
    durable.strip_prefix("notify-")
}

/// Returns the name of the timer of a subscription whose receiver is away.
#[must_use]
pub fn timer_delivery(subscription: &str) -> String {
    format!("gongkai.v1.timer.delivery.{subscription}")
}

/// Returns the subject on which the timer of a subscription fires.
#[must_use]
pub fn due_delivery(subscription: &str) -> String {
    format!("gongkai.v1.due.delivery.{subscription}")
}

/// Returns the durable consumer that delivers the waiting alerts of one subscription when its timer fires.
#[must_use]
pub fn consumer_due(subscription: &str) -> String {
    format!("due-{subscription}")
}

/// Name of the timer for the next step about any deadline.
pub const TIMER_DEADLINES: &str = "gongkai.v1.timer.deadlines";
/// Subject on which the timer of the deadlines fires.
pub const DUE_DEADLINES: &str = "gongkai.v1.due.deadlines";
/// Durable consumer of the timer of the deadlines. Names of subscriptions do not contain `_`.
pub const CONSUMER_DEADLINES: &str = "due-_deadlines";

/// Returns the stream that stores messages with a subject, or `None` if no stream does.
#[must_use]
pub fn stream_of(subject: &str) -> Option<&'static str> {
    let stores = |filters: &[&str]| {
        filters
            .iter()
            .any(|filter| filter.strip_suffix('>').is_some_and(|prefix| subject.starts_with(prefix)))
    };
    let streams = STREAMS.iter().chain(TIMER_STREAMS);
    streams.filter(|(_, filters, _)| stores(filters)).map(|(name, ..)| *name).next()
}

/// The services' names: config sections, `service.name` in traces, last token of dead-letter subjects.
pub const SERVICES: [&str; 5] = ["ingest", "parse", "validate", "notify", "query"];

/// Returns the service that a durable consumer belongs to, or `None` if it is not one of this file.
#[must_use]
pub fn service_of(durable: &str) -> Option<&'static str> {
    let (first, _) = durable.split_once('-').unwrap_or((durable, ""));
    let service = if first == "due" { "notify" } else { first };
    SERVICES.into_iter().find(|known| *known == service)
}

/// The broker's streams and buckets of this file, for the runtime.
///
/// A macro, because it joins two crates that do not depend on each other; it expands in a crate that has both.
#[macro_export]
macro_rules! topology {
    () => {
        ::gongkai_worker::Topology {
            streams: $crate::subjects::STREAMS.to_vec(),
            timers: $crate::subjects::TIMER_STREAMS.to_vec(),
            objects: $crate::subjects::OBJECT_BUCKETS.to_vec(),
            entries: $crate::subjects::ENTRY_BUCKETS.to_vec(),
            expiring: ::std::vec![($crate::subjects::BUCKET_REPLICAS, ::gongkai_worker::replica::EXPIRY_S)],
        }
    };
}

/// A program's description for the runtime: its name and compiled-in versions, and its [`topology`]. It is a macro
/// because [`topology`] is one.
#[macro_export]
macro_rules! about {
    ($program:expr, $versions:expr) => {
        ::gongkai_worker::About {
            program: $program,
            version: env!("CARGO_PKG_VERSION"),
            versions: $versions,
            sections: &$crate::subjects::SERVICES,
            topology: $crate::topology!(),
            marker: $crate::subjects::BUCKET_MARKER,
            dead_prefix: $crate::subjects::DEAD_PREFIX,
            attempts: $crate::subjects::BUCKET_ATTEMPTS,
            replicas: $crate::subjects::BUCKET_REPLICAS,
        }
    };
}

/// Returns true if `sites`, the `rejections` of a subscription, include the submissions of this site. They are names of
/// `[ingest.sites]`; `*` stands for every submission, and an empty name for no site. Ingest publishes the ends of these, and
/// notify delivers them.
#[must_use]
pub fn has_rejections_of(sites: &[String], site: &str) -> bool {
    sites.iter().any(|own| own == "*" || own == site && !site.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stream_captures_the_requests_of_a_cms() {
        assert_eq!(cms_site("gongkai.v1.cms.example"), Some("example"));
        assert_eq!((cms_site("gongkai.v1.cms"), cms_site("gongkai.v1.cms.a.b")), (None, None));
        let subjects = STREAMS.iter().chain(TIMER_STREAMS).flat_map(|(_, subjects, _)| subjects.iter());
        for subject in subjects {
            let fixed = subject.trim_end_matches('>').trim_end_matches('.');
            assert!(!CMS_PREFIX.starts_with(fixed) && !fixed.starts_with(CMS_PREFIX), "{subject}");
        }
    }

    #[test]
    fn subjects_carry_the_region() {
        let region: Region = "360982".parse().unwrap();
        assert_eq!(Event::ReportReceived.subject(region), "gongkai.v1.report.received.360982");
        assert_eq!(Event::AlertResolved.filter(), "gongkai.v1.alert.*");
    }

    #[test]
    fn a_consumer_belongs_to_a_service() {
        let durables = [
            (CONSUMER_PARSE.to_owned(), "parse"),
            (CONSUMER_PARSE_BACKFILL.to_owned(), "parse"),
            (CONSUMER_VALIDATE.to_owned(), "validate"),
            (CONSUMER_NOTIFY.to_owned(), "notify"),
            (consumer_delivery("county-office"), "notify"),
            (consumer_due("county-office"), "notify"),
            (CONSUMER_DEADLINES.to_owned(), "notify"),
            (CONSUMER_INGEST_STATE.to_owned(), "ingest"),
            (CONSUMER_INGEST_DEAD.to_owned(), "ingest"),
            (consumer_query("0a1b"), "query"),
        ];
        for (durable, service) in durables {
            assert_eq!(service_of(&durable), Some(service), "{durable}");
        }
        assert_eq!(service_of("elsewhere"), None);
    }

    #[test]
    fn a_subscription_is_read_from_its_consumer() {
        assert_eq!(subscription_of(&consumer_delivery("county-office")), Some("county-office"));
        assert_eq!(subscription_of(CONSUMER_NOTIFY), None);
    }

    #[test]
    fn each_subject_has_its_stream() {
        let cases = [
            ("gongkai.v1.report.backfilled.360982", Some(STREAM_REPORTS)),
            ("gongkai.v1.alert.000000", Some(STREAM_ALERTS)),
            ("gongkai.v1.dead.parse", Some(STREAM_DEAD)),
            ("gongkai.v1.due.delivery.x", Some(STREAM_TIMERS)),
            (DUE_DEADLINES, Some(STREAM_TIMERS)),
            ("gongkai.v1.deadline.late.360982", Some(STREAM_ALERTS)),
            ("gongkai.v1.cms.x", None),
            ("gongkai.v1.reports", None),
        ];
        for (subject, stream) in cases {
            assert_eq!(stream_of(subject), stream, "{subject}");
        }
    }

    #[test]
    fn an_acknowledgement_is_no_alert() {
        let acknowledged = acknowledged_subject("0f3c", Region::UNKNOWN);
        assert!(is_acknowledged_subject(&acknowledged) && Event::of(&acknowledged).is_none());
        assert_eq!(stream_of(&acknowledged), Some(STREAM_ALERTS));
        for other in [
            "gongkai.v1.alert.000000",
            "gongkai.v1.alert.acknowledged.000000",
            "gongkai.v1.alert.acknowledged.a.b.c",
        ] {
            assert!(!is_acknowledged_subject(other), "{other}");
        }
    }

    #[test]
    fn a_settlement_is_no_dead_letter() {
        let settled = settled_subject("parse");
        assert!(is_settled_subject(&settled) && token_after(DEAD_PREFIX, &settled).is_none());
        assert!(
            !is_settled_subject("gongkai.v1.dead.parse") && !is_settled_subject("gongkai.v1.dead.settled")
        );
    }

    #[test]
    fn subjects_are_known_by_their_tokens() {
        for event in Event::ALL {
            let expected = if event == Event::AlertResolved { Event::AlertRaised } else { event };
            assert_eq!(Event::of(&event.subject(Region::UNKNOWN)), Some(expected));
            for (is_ours, end) in
                [(true, ".x"), (false, ""), (false, "."), (false, "s.360982"), (false, ".36.09")]
            {
                assert_eq!(
                    Event::of(&format!("{}{end}", event.prefix())).is_some(),
                    is_ours,
                    "{event:?} {end}"
                );
            }
        }
        assert_eq!(Event::of("gongkai.v1.report.burnt.360982"), None);
        assert_eq!(Event::of(&backfill_subject(Region::UNKNOWN)), Some(Event::ReportReceived));
        assert_eq!(Event::of(BACKFILL_PREFIX), None);
    }
}
