//! Performs the steps of a story one after the other, and records the accepted ones.

use std::collections::{HashMap, HashSet};

use gongkai_ingest::{
    publication::PublicationRequest,
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity, WithdrawalRequest, said},
};
use gongkai_model::{ReportKey, effective_at};
use gongkai_proto::{
    convert::timestamp::{time, timestamp},
    subjects::Event,
    v1::{self, DocumentKind, Receipt, SubmissionState},
};
use gongkai_tests::facts::{Entry, Withdrawn, expected};
use gongkai_worker::{
    Message, Transport as _,
    transport::{Headers, MESSAGE_ID},
};
use prost::Message as _;
use prost_types::Timestamp;
use time::{Duration, OffsetDateTime};

use crate::{
    deployment::{BEGINNING, Deployment},
    story::{AGENCIES, Id, Step, Story, URLS, YEAR},
};

const SITE: &str = "https://www.example.gov.cn";

/// The results of the steps so far.
pub(crate) struct Course {
    pub(crate) deployment: Deployment,
    /// The entries of the log, in order.
    pub(crate) entries: Vec<Entry>,
    /// Every receipt that a caller got, the last one for each id, with the expected final state of its submission.
    pub(crate) accepted: Vec<(Receipt, SubmissionState)>,
    pub(crate) malformed: usize,
    /// Time of arrival of each entry.
    arrived: Vec<OffsetDateTime>,
    /// The statements under each id that is used again, in order: the digest of the document and its time.
    said: HashMap<String, Vec<(String, Option<Timestamp>)>>,
    /// The ids of the entries that only recorded a later time in the log.
    renewed: HashSet<String>,
    /// The last call.
    last: Option<PublicationRequest>,
    waived: usize,
}

/// Whether a document repeats an earlier statement under its id.
#[derive(PartialEq)]
enum Again {
    Not,
    /// It repeats a statement that is not the last one. It is unknown whether that had this time, which may have come
    /// with a repetition.
    Perhaps,
    /// It repeats the last statement, or one with the same time.
    Surely,
}

impl Course {
    pub(crate) async fn run(story: &Story) -> Result<Self, String> {
        let mut course = Self {
            deployment: Deployment::start(story).await,
            entries: Vec::new(),
            accepted: Vec::new(),
            malformed: 0,
            arrived: Vec::new(),
            said: HashMap::new(),
            renewed: HashSet::new(),
            last: None,
            waived: 0,
        };
        for (at, step) in story.steps.iter().enumerate() {
            course.perform(at, *step).await?;
        }
        course.deployment.at_rest().await;
        Ok(course)
    }

    async fn perform(&mut self, at: usize, step: Step) -> Result<(), String> {
        match step {
            Step::Publish { agency, content, url, id, back } => {
                let document = document(AGENCIES[agency], content);
                let mut submission = submission(at, agency, url, id, document);
                submission.declared.event_time = self.time(back);
                self.publish(submission, true).await
            }
            Step::Nonsense { agency, url } => {
                let text = "停水通知\n\n因管道检修，明日上午八时至十二时停水。".to_owned();
                self.publish(submission(at, agency, url, Id::Own, text), false).await
            }
            Step::Withdraw { agency, url, back } => {
                let mut withdrawal = withdrawal(at, agency, url);
                withdrawal.declared.event_time = self.time(back);
                self.withdraw(withdrawal).await;
                Ok(())
            }
            Step::Repeat => match self.last.clone() {
                // Without an id, the call is a new submission if the content is not current, or was not recorded.
                Some(PublicationRequest::Submit(submission))
                    if submission.identity == SubmissionIdentity::Content =>
                {
                    self.publish(*submission, true).await
                }
                Some(request) => self.repeat(&request).await,
                None => Ok(()),
            },
            Step::Malformed => {
                self.put(at, Event::ReportReceived, b"\xff\xff".to_vec()).await;
                self.malformed += 1;
                Ok(())
            }
            Step::Waive => {
                self.waive(at).await;
                Ok(())
            }
            Step::Wait => {
                self.deployment.at_rest().await;
                Ok(())
            }
        }
    }

    async fn repeat(&self, request: &PublicationRequest) -> Result<(), String> {
        let receipt = self.deployment.call(request).await;
        let is_known = self.accepted.iter().any(|(known, _)| known.submission_id == receipt.submission_id);
        if is_known { Ok(()) } else { Err(format!("a repeated call was accepted anew: {receipt:?}")) }
    }

    /// Returns the time at which the entry `back` entries ago arrived, or a time before all of them if there are
    /// fewer.
    fn time(&self, back: Option<usize>) -> Option<Timestamp> {
        let at = match self.arrived.len().checked_sub(back?) {
            Some(at) => self.arrived.get(at).copied().unwrap_or_else(|| self.deployment.now()),
            None => BEGINNING,
        };
        Some(timestamp(at))
    }

    /// Returns when the log stored a message with this id, or `None` if it has none.
    fn logged_at(&self, id: &str) -> Option<OffsetDateTime> {
        let logged = self.deployment.broker().logged("gongkai.v1.report.>");
        let own = logged.iter().find(|logged| &logged.message.headers[MESSAGE_ID] == id)?;
        Some(own.logged_at)
    }

    /// Returns the documents that recorded later times of a submission in the log: their ids, when the log stored them,
    /// and when they take effect.
    fn renewals(&self, id: &str) -> Vec<(String, OffsetDateTime, OffsetDateTime)> {
        let logged = self.deployment.broker().logged(&Event::ReportReceived.filter()).into_iter();
        let renewals = logged.filter_map(|logged| {
            let event = v1::DocumentReceived::decode(logged.message.payload).ok()?;
            let stated = event.event_time.map(|at| time(at, "event_time").unwrap());
            let effective_at = effective_at(stated, logged.logged_at);
            (event.renews == id).then_some((event.submission_id, logged.logged_at, effective_at))
        });
        renewals.collect()
    }

    fn enter(&mut self, logged_at: OffsetDateTime, entry: Entry) {
        self.arrived.push(logged_at);
        self.entries.push(entry);
    }

    /// Returns whether a document repeats a statement under its event's id.
    fn said_again(&mut self, submission: &Submission) -> Again {
        let DeclaredMetadata { event_id, event_time, .. } = &submission.declared;
        let what = said(&submission.received(submission.references(), Timestamp::default()));
        let before = self.said.entry(event_id.clone()).or_default();
        if before.last().is_some_and(|(last, _)| *last == what)
            || event_time.is_some() && before.contains(&(what.clone(), *event_time))
        {
            return Again::Surely;
        }
        let was_said = event_time.is_some() && before.iter().any(|(known, _)| *known == what);
        before.push((what, *event_time));
        if was_said { Again::Perhaps } else { Again::Not }
    }

    /// Checks that the later time of a repeated statement is in the log, or another entry of that content with a rank
    /// as high.
    fn renew(&mut self, receipt: &Receipt, document: &Entry, at: OffsetDateTime) -> Result<(), String> {
        let Entry::Arrival { report, content, url, .. } = document else { return Ok(()) };
        for (id, logged_at, effective_at) in self.renewals(&receipt.submission_id) {
            if self.renewed.insert(id) {
                let (report, content, url) = (report.clone(), content.clone(), url.clone());
                self.enter(logged_at, Entry::Arrival { report, content, url, effective_at });
            }
        }
        let is_in_log = self.entries.iter().any(|entry| {
            matches!(entry, Entry::Arrival { report: of, content: what, effective_at, .. }
                if (of, what) == (report, content) && *effective_at >= at)
        });
        if is_in_log {
            Ok(())
        } else {
            Err(format!("a later time was lost: {receipt:?}, said again of {at}"))
        }
    }

    async fn publish(&mut self, submission: Submission, is_report: bool) -> Result<(), String> {
        let again = match submission.identity {
            SubmissionIdentity::Event => self.said_again(&submission),
            _ => Again::Not,
        };
        let report = report(&submission.declared);
        let (url, hash) = (submission.declared.url.clone(), submission.references().content_hash());
        let stated = submission.declared.event_time.map(|at| time(at, "event_time").unwrap());
        let request = PublicationRequest::Submit(Box::new(submission));
        let receipt = self.deployment.call(&request).await;
        self.last = Some(request);
        let is_new = self.accepted.iter().all(|(known, _)| known.submission_id != receipt.submission_id);
        let is_unchanged = receipt.state() == SubmissionState::Unchanged;
        if again == Again::Surely && is_new {
            return Err(format!("what was said under this id was accepted anew: {receipt:?}"));
        }
        let is_said_again = again != Again::Not && !is_new;
        let logged_at = self.logged_at(&receipt.submission_id);
        if is_report
            && is_new
            && let Some(logged_at) = logged_at
        {
            let effective_at = effective_at(stated, logged_at);
            let entry = Entry::Arrival {
                report: report.clone(),
                content: hash.clone(),
                url: url.clone(),
                effective_at,
            };
            self.enter(logged_at, entry);
        }
        if let Some(stated) = stated.filter(|_| is_report && !is_new) {
            let effective_at = stated.min(self.deployment.now());
            let document =
                Entry::Arrival { report: report.clone(), content: hash.clone(), url, effective_at };
            self.renew(&receipt, &document, effective_at)?;
        }
        // A document that takes effect before the current one is not current, and is not a repetition either.
        let is_repetition = is_report && !is_said_again && (!is_new || is_unchanged);
        if is_repetition && expected(&self.entries).get(&report) != Some(&(hash, false)) {
            return Err(format!("answered as a repetition, but this content does not stand: {receipt:?}"));
        }
        let end = match (is_unchanged, is_report) {
            (true, _) => SubmissionState::Unchanged,
            (false, true) => SubmissionState::Validated,
            (false, false) => SubmissionState::Rejected,
        };
        if is_new {
            self.accepted.push((receipt, end));
        }
        Ok(())
    }

    async fn withdraw(&mut self, withdrawal: WithdrawalRequest) {
        let declared = withdrawal.declared.clone();
        let is_named = !declared.agency.code.is_empty();
        let stated = declared.event_time.map(|at| time(at, "event_time").unwrap());
        let mut entry = Withdrawn {
            effective_at: BEGINNING,
            report: is_named.then(|| report(&declared)),
            code: declared.agency.code,
            name: String::new(),
            year: declared.year,
            url: declared.url,
        };
        let request = PublicationRequest::Withdraw(Box::new(withdrawal));
        let receipt = self.deployment.call(&request).await;
        self.last = Some(request);
        let logged_at = self.logged_at(&receipt.submission_id).unwrap();
        entry.effective_at = effective_at(stated, logged_at);
        self.enter(logged_at, Entry::Withdrawal(entry));
        self.accepted.push((receipt, SubmissionState::Withdrawn));
    }

    /// Waives the first finding of the last alert.
    async fn waive(&mut self, at: usize) {
        let alerts = self.deployment.broker().messages(&Event::AlertRaised.filter());
        let Some(alert) =
            alerts.last().and_then(|message| v1::AlertRaised::decode(message.payload.clone()).unwrap().alert)
        else {
            return;
        };
        let finding = &alert.findings[0];
        let now = self.deployment.now();
        let waiver = v1::Waiver {
            name: format!("{}/waivers/{at:016x}", alert.report),
            finding: format!("{}/findings/{}", alert.report, finding.fingerprint),
            rule: finding.rule.clone(),
            severity: finding.severity,
            operands_digest: finding.operands_digest.clone(),
            reason: "另有说明".to_owned(),
            person: "甲".to_owned(),
            created_at: Some(timestamp(now)),
            expires_at: Some(timestamp(now + Duration::days(30))),
            state: v1::WaiverState::Active.into(),
            region: "361001".to_owned(),
            ..Default::default()
        };
        self.waived += 1;
        self.put(at, Event::ReportWaived, v1::WaiverChanged { waiver: Some(waiver) }.encode_to_vec()).await;
    }

    /// Publishes a message to the log. The sender repeats until it is stored.
    async fn put(&self, at: usize, event: Event, payload: Vec<u8>) {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, &format!("step-{at}")).unwrap();
        let subject = event.subject("361001".parse().unwrap());
        let message = Message { subject, headers, payload: payload.into() };
        while self.deployment.broker().publish(message.clone()).await.is_err() {}
    }
}

fn submission(at: usize, agency: usize, url: usize, id: Id, text: String) -> Submission {
    let mut declared = declared(at, Some(agency), url);
    if id == Id::Article {
        declared.event_id = format!("article-{agency}-{url}");
    }
    Submission {
        kind: DocumentKind::Published,
        content: File { bytes: text.into(), media_type: "text/plain".to_owned(), ..File::default() },
        attachments: Vec::new(),
        declared,
        identity: if id == Id::Nothing { SubmissionIdentity::Content } else { SubmissionIdentity::Event },
    }
}

fn withdrawal(at: usize, agency: Option<usize>, url: usize) -> WithdrawalRequest {
    WithdrawalRequest { declared: declared(at, agency, url) }
}

fn declared(at: usize, agency: Option<usize>, url: usize) -> DeclaredMetadata {
    let code = agency.map(|agency| AGENCIES[agency].to_owned()).unwrap_or_default();
    DeclaredMetadata {
        agency: v1::AgencyHint { code, name: String::new() },
        year: if agency.is_some() { YEAR } else { 0 },
        url: URLS[url].to_owned(),
        event_source: SITE.to_owned(),
        event_id: format!("event-{at}"),
        ..DeclaredMetadata::default()
    }
}

fn report(declared: &DeclaredMetadata) -> ReportKey {
    format!("agencies/{}/reports/{}", declared.agency.code, declared.year).parse().unwrap()
}

/// Returns a report of an agency with a wrong total, in one of two versions.
pub(crate) fn document(agency: &str, content: usize) -> String {
    let text = include_str!("../../samples/02_tab_rows_wrong_total.txt");
    text.replace("清河路18号", &format!("清河路{agency}号"))
        .replace("工作动态25条", &format!("工作动态2{content}条"))
}
