//! One message of every kind, with a distinct value in every field.
//!
//! No `..Default::default()` here: a new field does not compile until it has a value.

use gongkai_proto::{
    subjects::Event,
    v1::{
        Acknowledgement, AcknowledgementWay, AgencyHint, Alert, AlertAcknowledged, AlertRaised,
        AlertResolution, AlertResolved, AlertState, Applicant, Area, CellState, ContentRef, DeadLetter,
        DeadLetterSettled, DeadlineNotice, DeadlineNoticeKind, Difference, DocumentKind, DocumentReceived,
        Fact, Finding, FindingsSummary, Header, Origin, ParsedReport, Part, PartRole, Rejection,
        ReportErased, ReportParsed, ReportRejected, ReportValidated, ReportWithdrawn, Rereading, ReviewStep,
        Sender, Settlement, Severity, Site, Source, SubmissionEnded, UnreadReason, Versions, Waiver,
        WaiverChanged, WaiverState,
    },
};
use prost::Message as _;
use prost_types::Timestamp;

use crate::stem;

/// Returns every kind's file name and its sample's bytes.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    // Each sample has a counter of its own, so that a new field does not change the samples after it.
    let fill = || Fill(0);
    vec![
        (stem(Event::ReportReceived), fill().received().encode_to_vec()),
        (stem(Event::ReportParsed), fill().parsed().encode_to_vec()),
        (stem(Event::ReportValidated), fill().validated().encode_to_vec()),
        (stem(Event::ReportRejected), fill().rejected().encode_to_vec()),
        (stem(Event::ReportWithdrawn), fill().withdrawn().encode_to_vec()),
        (stem(Event::ReportWaived), WaiverChanged { waiver: Some(fill().waiver()) }.encode_to_vec()),
        (stem(Event::ReportErased), fill().erased().encode_to_vec()),
        (stem(Event::AlertRaised), AlertRaised { alert: fill().alert(AlertState::Raised) }.encode_to_vec()),
        (
            stem(Event::AlertResolved),
            AlertResolved { alert: fill().alert(AlertState::Resolved) }.encode_to_vec(),
        ),
        (stem(Event::SubmissionEnded), fill().ended().encode_to_vec()),
        ("alert.acknowledged", fill().acknowledged().encode_to_vec()),
        (stem(Event::DeadlineReminded), fill().deadline(DeadlineNoticeKind::Reminder).encode_to_vec()),
        (stem(Event::ReportMissing), fill().deadline(DeadlineNoticeKind::Missing).encode_to_vec()),
        (stem(Event::ReportLate), fill().deadline(DeadlineNoticeKind::Late).encode_to_vec()),
        ("dead", fill().dead().encode_to_vec()),
        ("dead.settled", fill().settled().encode_to_vec()),
    ]
}

/// Counts up, so that all values are distinct.
struct Fill(u32);

impl Fill {
    fn number(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }

    fn acknowledged(&mut self) -> AlertAcknowledged {
        let acknowledgement = Acknowledgement {
            alert_id: self.text(),
            person: self.text(),
            comment: self.text(),
            acknowledged_at: self.time(),
            way: AcknowledgementWay::Link.into(),
            subscription: self.text(),
            raised_at: self.time(),
            region: self.text(),
        };
        AlertAcknowledged { acknowledgement: Some(acknowledgement) }
    }

    fn ended(&mut self) -> SubmissionEnded {
        SubmissionEnded {
            submission_id: self.text(),
            site: self.text(),
            receipt: self.text(),
            rejection_code: self.text(),
            sender_site: self.text(),
        }
    }

    fn deadline(&mut self, kind: DeadlineNoticeKind) -> DeadlineNotice {
        DeadlineNotice {
            report: self.text(),
            agency_name: self.text(),
            year: self.year(),
            region: self.text(),
            kind: kind.into(),
            deadline: self.text(),
            days: self.number(),
            published_on: self.text(),
            round: self.number(),
            withdrawn: true,
            channel: self.text(),
            said_at: self.time(),
        }
    }

    fn long(&mut self) -> u64 {
        u64::from(u32::MAX) + u64::from(self.number())
    }

    fn year(&mut self) -> i32 {
        self.number().cast_signed() + 2000
    }

    fn text(&mut self) -> String {
        format!("text {}", self.number())
    }

    fn time(&mut self) -> Option<Timestamp> {
        let seconds = i64::from(self.number()) + 1_700_000_000;
        Some(Timestamp { seconds, nanos: self.number().cast_signed() * 1000 })
    }

    fn content(&mut self) -> ContentRef {
        ContentRef {
            bucket: self.text(),
            key: self.text(),
            sha256: self.text(),
            size_bytes: self.long(),
            media_type: self.text(),
            charset: self.text(),
            filename: self.text(),
        }
    }

    fn agency(&mut self) -> Option<AgencyHint> {
        Some(AgencyHint { code: self.text(), name: self.text() })
    }

    fn site(&mut self) -> Option<Site> {
        Some(Site { code: self.text(), column: self.text() })
    }

    fn versions(&mut self) -> Option<Versions> {
        let (program, parser, forms, rules) = (self.text(), self.text(), self.text(), self.text());
        Some(Versions { program, parser, forms, rules })
    }

    fn source(&mut self) -> Source {
        Source {
            text: self.text(),
            table: Some(self.number()),
            row: Some(self.number()),
            column: Some(self.number()),
            page: Some(self.number()),
            start: Some(self.number()),
            end: Some(self.number()),
            area: Some(Area {
                left: self.number(),
                top: self.number(),
                right: self.number(),
                bottom: self.number(),
            }),
            part: self.text(),
        }
    }

    fn fact(&mut self) -> Fact {
        Fact {
            concept: self.text(),
            applicant: Applicant::LegalService.into(),
            state: CellState::Unreadable.into(),
            value: Some(self.text()),
            source: Some(self.source()),
            candidates: vec![self.source(), self.source()],
            report: self.text(),
            unread_reason: UnreadReason::NoNumber.into(),
        }
    }

    fn waiver(&mut self) -> Waiver {
        Waiver {
            name: self.text(),
            finding: self.text(),
            rule: self.text(),
            severity: Severity::Review.into(),
            operands_digest: self.text(),
            reason: self.text(),
            person: self.text(),
            created_at: self.time(),
            expires_at: self.time(),
            state: WaiverState::Revoked.into(),
            ended_at: self.time(),
            ended_by: self.text(),
            end_reason: self.text(),
            region: self.text(),
        }
    }

    fn finding(&mut self) -> Finding {
        Finding {
            rule: self.text(),
            severity: Severity::Error.into(),
            message: self.text(),
            message_en: self.text(),
            fingerprint: self.text(),
            cause: self.text(),
            concept: self.text(),
            formula: self.text(),
            expected: Some(self.text()),
            actual: Some(self.text()),
            facts: vec![self.text(), self.text()],
            source: Some(self.source()),
            versions: self.versions(),
            trace_id: self.text(),
            report: self.text(),
            legal: self.text(),
            help: self.text(),
            suggestion: Some(self.text()),
            operands_digest: self.text(),
            waiver: Some(self.waiver()),
        }
    }

    fn origin(&mut self) -> Option<Origin> {
        Some(Origin {
            submission_id: self.text(),
            kind: DocumentKind::Updated.into(),
            content_hash: self.text(),
            received_sequence: self.long(),
            received_at: self.time(),
            published_at: self.time(),
            url: self.text(),
            site: self.site(),
            region: self.text(),
            content: Some(self.content()),
            effective_at: self.time(),
            review: vec![self.step()],
            review_levels: vec![self.text(), self.text()],
            event_time: self.time(),
            declared_agency: self.agency(),
            declared_year: self.year(),
            sender_site: self.text(),
        })
    }

    fn step(&mut self) -> ReviewStep {
        ReviewStep { level: self.text(), decision: self.text(), decided_at: self.time() }
    }

    fn report(&mut self) -> Option<ParsedReport> {
        Some(ParsedReport {
            name: self.text(),
            agency_name: self.text(),
            year: self.year(),
            form: self.text(),
            variant: self.text(),
            title: self.text(),
            media_type: self.text(),
            facts: vec![self.fact(), self.fact()],
            text: Some(self.content()),
            parts: vec![self.part(), self.part()],
        })
    }

    fn difference(&mut self) -> Difference {
        Difference { field: self.text(), declared: self.text(), read: self.text() }
    }

    fn part(&mut self) -> Part {
        Part {
            name: self.text(),
            media_type: self.text(),
            sha256: self.text(),
            role: PartRole::Other.into(),
            agency_name: self.text(),
            year: self.year(),
            different: vec![self.fact()],
            rejection: self.rejection(),
        }
    }

    fn rejection(&mut self) -> Option<Rejection> {
        let (code, message) = (self.text(), self.text());
        let (message_en, look_alike) = (self.text(), self.text());
        Some(Rejection { code, message, message_en, look_alike, retryable: true })
    }

    fn received(&mut self) -> DocumentReceived {
        DocumentReceived {
            submission_id: self.text(),
            kind: DocumentKind::Published.into(),
            content: Some(self.content()),
            attachments: vec![self.content(), self.content()],
            agency: self.agency(),
            year: self.year(),
            title: self.text(),
            url: self.text(),
            published_at: self.time(),
            site: self.site(),
            region: self.text(),
            received_at: self.time(),
            event_source: self.text(),
            event_id: self.text(),
            review: vec![self.step()],
            review_levels: vec![self.text(), self.text()],
            event_time: self.time(),
            supersedes: self.text(),
            sender: self.sender(),
            renews: self.text(),
            rereading: self.rereading(),
        }
    }

    fn rereading(&mut self) -> Option<Rereading> {
        let (received_sequence, effective_at) = (self.long(), self.time());
        let (filed_as, expected) = (self.text(), self.text());
        Some(Rereading { received_sequence, effective_at, filed_as, expected, registry: self.text() })
    }

    fn sender(&mut self) -> Option<Sender> {
        let (site, agencies) = (self.text(), vec![self.text(), self.text()]);
        Some(Sender { site, anonymous: true, agencies, regions: vec![self.text()] })
    }

    fn parsed(&mut self) -> ReportParsed {
        ReportParsed {
            origin: self.origin(),
            report: self.report(),
            versions: self.versions(),
            differences: vec![self.difference()],
            filed_as: self.text(),
            registry: self.text(),
        }
    }

    fn validated(&mut self) -> ReportValidated {
        let (error, warning) = (self.number(), self.number());
        let (review, info) = (self.number(), self.number());
        ReportValidated {
            origin: self.origin(),
            report: self.report(),
            findings: vec![self.finding(), self.finding()],
            summary: Some(FindingsSummary { error, warning, review, info }),
            versions: self.versions(),
            trace_id: self.text(),
            validation: self.long(),
            superseded: true,
            differences: vec![self.difference()],
            parsed_sequence: self.long(),
            moved_from: vec![self.text(), self.text()],
        }
    }

    fn rejected(&mut self) -> ReportRejected {
        let rejection = self.rejection();
        ReportRejected {
            origin: self.origin(),
            rejection,
            versions: self.versions(),
            trace_id: self.text(),
            parts: vec![self.part(), self.part()],
            registry: self.text(),
        }
    }

    fn withdrawn(&mut self) -> ReportWithdrawn {
        ReportWithdrawn {
            submission_id: self.text(),
            url: self.text(),
            agency: self.agency(),
            year: self.year(),
            region: self.text(),
            withdrawn_at: self.time(),
            report: self.text(),
            event_time: self.time(),
            supersedes: self.text(),
            event_source: self.text(),
            event_id: self.text(),
            sender: self.sender(),
            renews: self.text(),
        }
    }

    fn erased(&mut self) -> ReportErased {
        ReportErased {
            report: self.text(),
            reports: vec![self.text()],
            content_hashes: vec![self.text()],
            file_hashes: vec![self.text()],
            objects: vec![self.content()],
            reason: self.text(),
            person: self.text(),
            region: self.text(),
            erased_at: self.time(),
        }
    }

    fn alert(&mut self, state: AlertState) -> Option<Alert> {
        Some(Alert {
            alert_id: self.text(),
            report: self.text(),
            agency_name: self.text(),
            year: self.year(),
            region: self.text(),
            url: self.text(),
            content_hash: self.text(),
            cause: self.text(),
            severity: Severity::Warning.into(),
            findings: vec![self.finding()],
            trace_id: self.text(),
            state: state.into(),
            changed_at: self.time(),
            resolution: AlertResolution::Waived.into(),
            received_at: self.time(),
        })
    }

    fn dead(&mut self) -> DeadLetter {
        DeadLetter {
            service: self.text(),
            subject: self.text(),
            headers: vec![Header { name: self.text(), value: self.text() }],
            payload: self.text().into(),
            code: self.text(),
            cause: self.text(),
            attempts: self.number(),
            first_seen_at: self.time(),
            buried_at: self.time(),
            trace_id: self.text(),
            message_id: self.text(),
            service_version: self.text(),
            sequence: self.long(),
        }
    }

    fn settled(&mut self) -> DeadLetterSettled {
        DeadLetterSettled {
            sequence: self.long(),
            settlement: Settlement::Dropped.into(),
            person: self.text(),
            reason: self.text(),
            settled_at: self.time(),
            message_id: self.text(),
        }
    }
}
