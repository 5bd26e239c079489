//! Checks which calls are repetitions. The answer must be the same under every id, after a restart, after a day and
//! with two replicas, in memory and over a real nats-server.

use std::{sync::Arc, time::Duration};

use gongkai_ingest::{
    actor::Actor,
    config::Config,
    error::{Code, Problem},
    fetch::Fetcher,
    intake::Intake,
    progress::Stages,
    publication::PublicationRequest,
    receipt_store::ReceiptStore,
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity, WithdrawalRequest},
};
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    subjects,
    v1::{
        DocumentKind, DocumentReceived, Origin, Receipt, Rejection, ReportRejected, SubmissionState,
        WithdrawalHit,
    },
};
use gongkai_registry::Following;
use gongkai_worker::{
    Clock, Context, Handler as _, Once, Runtime, Transport,
    clock::ClockHandle,
    testing::NatsServer,
    transport::{
        jetstream::{JetStream, JetStreamSettings},
        memory::Memory,
    },
};
use prost::Message as _;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::harness::NOW;

const DAY: Duration = Duration::from_secs(24 * 3600);
const URL: &str = "https://www.example.gov.cn/a";

/// Two replicas of ingest over one broker. The replicas keep no state of their own.
struct Site {
    transport: Arc<dyn Transport>,
    replicas: [Intake; 2],
    runtime: Runtime,
    receipts: ReceiptStore,
    hands: ClockHandle,
    is_in_memory: bool,
}

impl Site {
    async fn over(transport: Arc<dyn Transport>, is_in_memory: bool) -> Self {
        transport.declare(&gongkai_proto::topology!()).await.unwrap();
        let (clock, hands) = Clock::manual(NOW);
        let runtime =
            || Runtime::builder("ingest", transport.clone()).clock(clock.clone()).dead_prefix("dead").build();
        let replica = || {
            let fetcher = Fetcher::new(&Config::default()).unwrap();
            Intake::new(
                &Config::default(),
                runtime(),
                fetcher,
                Following::of(watch::channel(Arc::default()).1),
            )
        };
        let receipts = ReceiptStore::new(&runtime());
        Self {
            replicas: [replica(), replica()],
            runtime: runtime(),
            receipts,
            hands,
            transport,
            is_in_memory,
        }
    }

    /// Lets a day pass for ingest, and for the broker in memory, which forgets all message ids.
    async fn a_day_passes(&self) {
        self.hands.advance(DAY);
        if self.is_in_memory {
            tokio::time::advance(DAY).await;
        }
    }

    /// Calls one replica, and then the other with the same submission.
    async fn twice(&self, submission: &Submission) -> Receipt {
        let first = self.replicas[0].submit(&anyone(), submission.clone()).await.unwrap();
        let again = self.replicas[1].submit(&anyone(), submission.clone()).await.unwrap();
        assert_eq!(first, again);
        first
    }

    async fn received(&self) -> Vec<DocumentReceived> {
        let last = self.runtime.stream_state(subjects::STREAM_REPORTS).await.unwrap().last_sequence;
        let mut received = Vec::new();
        for sequence in 1..=last {
            let logged = self.runtime.message(subjects::STREAM_REPORTS, sequence).await.unwrap().unwrap();
            if subjects::Event::of(&logged.message.subject) == Some(subjects::Event::ReportReceived) {
                received.push(DocumentReceived::decode(logged.message.payload).unwrap());
            }
        }
        received
    }

    /// Rejects a submission with a code for exceeded resources.
    async fn reject(&self, receipt: &Receipt, code: &str) {
        let event = ReportRejected {
            origin: Some(Origin { submission_id: receipt.submission_id.clone(), ..Origin::default() }),
            rejection: Some(Rejection { code: code.into(), retryable: true, ..Rejection::default() }),
            ..ReportRejected::default()
        };
        let context = Context {
            message_id: String::new(),
            subject: "gongkai.v1.report.rejected.000000".into(),
            sequence: 900,
            logged_at: NOW,
            repetition: None,
            attempt: 1,
            trace_id: "0123456789abcdef0123456789abcdef".into(),
            once: Once::default(),
        };
        let stages = Stages::new(&self.runtime);
        stages.handle(ReportEvent::Rejected(Box::new(event)).into(), &context).await.unwrap();
    }
}

/// Returns the actor of calls that need no credentials.
fn anyone() -> Actor {
    Actor::operator(None)
}

fn submission(identity: SubmissionIdentity, text: &'static str, time: Option<OffsetDateTime>) -> Submission {
    Submission {
        kind: DocumentKind::Published,
        content: File { bytes: text.into(), ..File::default() },
        attachments: Vec::new(),
        declared: DeclaredMetadata {
            url: URL.into(),
            event_source: if identity == SubmissionIdentity::Event {
                "https://a/".into()
            } else {
                String::new()
            },
            event_id: if identity == SubmissionIdentity::Event { "article-1".into() } else { String::new() },
            event_time: time.map(timestamp),
            ..DeclaredMetadata::default()
        },
        identity,
    }
}

fn key() -> SubmissionIdentity {
    SubmissionIdentity::Key { caller: String::new(), key: "k".into() }
}

fn withdrawal(event_id: &str, time: Option<OffsetDateTime>) -> WithdrawalRequest {
    let Submission { mut declared, .. } = submission(SubmissionIdentity::Event, "", time);
    declared.event_id = event_id.into();
    WithdrawalRequest { declared }
}

/// Runs each story over both brokers.
macro_rules! over_both_brokers {
    ($($(#[$meta:meta])* $story:ident)*) => {
        mod in_memory {
            $($(#[$meta])* #[tokio::test(start_paused = true)]
            async fn $story() {
                super::$story(super::Site::over(super::Arc::new(super::Memory::new()), true).await).await;
            })*
        }
        mod over_nats {
            $($(#[$meta])* #[tokio::test]
            async fn $story() {
                let server = super::NatsServer::start().await;
                let settings = super::JetStreamSettings { servers: vec![server.url()], ..Default::default() };
                let broker = super::JetStream::connect(&settings).await.unwrap();
                super::$story(super::Site::over(super::Arc::new(broker), false).await).await;
            })*
        }
    };
}

over_both_brokers! {
    other_content_under_an_events_id_supersedes
    other_content_under_a_key_is_refused
    a_rejected_document_that_is_sent_again_with_a_title_is_read_again
    a_rejection_for_want_of_resources_is_tried_again_under_the_same_id
    calls_at_once_are_one_submission_for_each_content
    a_day_later_a_repetition_is_still_one
    a_repetition_of_what_was_published_has_its_times
    a_later_time_goes_into_the_log_and_the_receipt_stays
    a_later_withdrawal_goes_into_the_log_and_its_receipt_says_what_it_hits
    a_withdrawal_under_the_id_of_its_article_is_one
    a_withdrawal_says_what_it_hits
    lost_receipts_are_made_again_from_the_log
}

async fn other_content_under_an_events_id_supersedes(site: Site) {
    let minute = |n: u64| Some(NOW - Duration::from_secs(3600) + Duration::from_secs(60 * n));
    let of = |text, time| submission(SubmissionIdentity::Event, text, time);
    let first = site.twice(&of("第一版", minute(1))).await;
    let second = site.twice(&of("第二版", minute(2))).await;
    assert_eq!((first.supersedes.as_str(), &second.supersedes), ("", &first.submission_id));
    assert_eq!(second.state(), SubmissionState::Received);
    // A late repetition with the same time is the first submission again.
    assert_eq!(site.twice(&of("第一版", minute(1))).await.submission_id, first.submission_id);
    // The last content is a repetition, whatever its time.
    assert_eq!(site.twice(&of("第二版", None)).await.submission_id, second.submission_id);
    let third = site.twice(&of("第一版", minute(3))).await;
    assert_eq!(third.supersedes, second.submission_id);
    // The metadata are part of the statement too.
    let mut mended = of("第一版", minute(4));
    mended.declared.year = 2023;
    assert_eq!(site.twice(&mended).await.supersedes, third.submission_id);
    let received = site.received().await;
    let hashes: Vec<_> = received.iter().map(|event| event.content.clone().unwrap().sha256).collect();
    assert_eq!(hashes, [&first, &second, &first, &first].map(|receipt| receipt.revision.clone()));
    assert_eq!(received[1].supersedes, first.submission_id);
    assert_eq!(received[1].event_time, minute(2).map(timestamp));
}

async fn other_content_under_a_key_is_refused(site: Site) {
    let first = site.twice(&submission(key(), "第一版", None)).await;
    for replica in &site.replicas {
        let refused = replica.submit(&anyone(), submission(key(), "第二版", None)).await;
        assert!(matches!(&refused, Err(Problem { code: Code::IdReused, .. })), "{refused:?}");
    }
    assert_eq!(site.twice(&submission(key(), "第一版", None)).await, first);
    assert_eq!(site.received().await.len(), 1);
}

async fn a_rejected_document_that_is_sent_again_with_a_title_is_read_again(site: Site) {
    for (identity, text) in
        [(SubmissionIdentity::Event, "本机关年报"), (SubmissionIdentity::Content, "我局年报")]
    {
        let untitled = submission(identity, text, None);
        let first = site.twice(&untitled).await;
        site.reject(&first, "NO_IDENTITY").await;
        let mut titled = untitled;
        titled.declared.title = "云溪县档案局2023年政府信息公开工作年度报告".into();
        let second = site.twice(&titled).await;
        assert_eq!(second.state(), SubmissionState::Received);
        assert_ne!(second.submission_id, first.submission_id);
    }
    assert_eq!(site.received().await.len(), 4);
}

async fn a_rejection_for_want_of_resources_is_tried_again_under_the_same_id(site: Site) {
    for identity in [SubmissionIdentity::Event, key()] {
        for code in ["TOO_SLOW", "PARSER_PANIC", "TOO_LARGE"] {
            let mut again = submission(identity.clone(), "第一版", None);
            // Each code has an id of its own.
            again.declared.event_id.push_str(code);
            if let SubmissionIdentity::Key { key, .. } = &mut again.identity {
                key.push_str(code);
            }
            again.declared.url.push_str(code);
            again.content.bytes = format!("{identity:?}{code}").into();
            let first = site.twice(&again).await;
            site.reject(&first, code).await;
            let second = site.twice(&again).await;
            assert_eq!(
                (second.state(), &second.supersedes),
                (SubmissionState::Received, &first.submission_id)
            );
        }
    }
    assert_eq!(site.received().await.len(), 12);
}

async fn calls_at_once_are_one_submission_for_each_content(site: Site) {
    let call = |n: usize| {
        let text = ["第一版", "第二版", "第三版"][n % 3];
        let replica = site.replicas[n % 2].clone();
        async move {
            replica.submit(&anyone(), submission(SubmissionIdentity::Event, text, Some(NOW))).await.unwrap()
        }
    };
    let receipts = futures::future::join_all((0..24).map(call)).await;
    let mut ids: Vec<_> = receipts.iter().map(|receipt| &receipt.submission_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{receipts:#?}");
    let received = site.received().await;
    let mut hashes: Vec<_> = received.iter().map(|event| &event.content.as_ref().unwrap().sha256).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!((received.len(), hashes.len()), (3, 3));
}

/// Deletes what acceptance wrote after the publication, as if ingest had stopped there.
async fn forget_the_end(site: &Site, receipt: &Receipt) {
    let entries = site.transport.entries(subjects::BUCKET_SUBMISSIONS);
    entries.delete(&receipt.submission_id).await.unwrap();
}

async fn a_day_later_a_repetition_is_still_one(site: Site) {
    let calls = [submission(SubmissionIdentity::Event, "第一版", None), submission(key(), "第二版", None)];
    let first = [site.twice(&calls[0]).await, site.twice(&calls[1]).await];
    site.a_day_passes().await;
    for (call, first) in calls.iter().zip(&first) {
        assert_eq!(site.twice(call).await, *first);
        forget_the_end(&site, first).await;
        // Before ingest's own consumer has handled the log, it is unknown whether the log has the call.
        let unknown = site.replicas[1].submit(&anyone(), call.clone()).await;
        assert!(matches!(&unknown, Err(Problem { code: Code::BrokerUnavailable, .. })), "{unknown:?}");
    }
    let stages = Stages::new(&site.runtime);
    let runtime = site.runtime.clone();
    let consuming = tokio::spawn(async move { runtime.consume(Stages::consume(), stages).await });
    for (call, first) in calls.iter().zip(&first) {
        let again = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                match site.replicas[1].submit(&anyone(), call.clone()).await {
                    Ok(receipt) => return receipt,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        });
        assert_eq!(again.await.unwrap().submission_id, first.submission_id);
    }
    consuming.abort();
    assert_eq!(site.received().await.len(), 2);
}

/// A sender that repeats its statement a day later, or with a later time, gets the first receipt.
async fn a_later_time_goes_into_the_log_and_the_receipt_stays(site: Site) {
    let minute = |n: u64| Some(NOW - Duration::from_secs(3600) + Duration::from_secs(60 * n));
    for (n, identity) in
        [SubmissionIdentity::Event, key(), SubmissionIdentity::Content].into_iter().enumerate()
    {
        let of = |time| {
            let mut call = submission(identity.clone(), ["甲", "乙", "丙"][n], time);
            call.declared.url.push_str(&n.to_string());
            call
        };
        let first = site.twice(&of(minute(1))).await;
        for time in [3, 2, 3, 1] {
            assert_eq!(site.twice(&of(minute(time))).await, first);
        }
        site.a_day_passes().await;
        assert_eq!(site.twice(&of(minute(3))).await, first, "the log has it");
        assert_eq!(site.twice(&of(minute(4))).await, first);
        let received = site.received().await;
        let own = received.iter().filter(|event| event.content_hash() == first.revision);
        let told: Vec<_> = own.map(|event| (event.event_time, event.renews.as_str())).collect();
        let id = first.submission_id.as_str();
        let expected = [(1, ""), (3, id), (4, id)];
        assert_eq!(told, expected.map(|(time, renews)| (minute(time).map(timestamp), renews)));
    }
}

async fn a_later_withdrawal_goes_into_the_log_and_its_receipt_says_what_it_hits(site: Site) {
    let minute = |n: u64| Some(NOW - Duration::from_secs(3600) + Duration::from_secs(60 * n));
    let withdraw = async |time| site.replicas[0].withdraw(&anyone(), withdrawal("w-1", time)).await.unwrap();
    let first = withdraw(minute(1)).await;
    assert_eq!(withdraw(minute(3)).await, first, "it hits nothing yet");
    site.twice(&submission(SubmissionIdentity::Event, "第一版", minute(2))).await;
    let hit = site.replicas[1].receipt(&first.submission_id).await.unwrap().withdrawal.unwrap();
    assert_eq!(hit.hit(), WithdrawalHit::Report);
    for time in [3, 2] {
        assert_eq!(withdraw(minute(time)).await.submission_id, first.submission_id);
    }
    let last = site.runtime.stream_state(subjects::STREAM_REPORTS).await.unwrap().last_sequence;
    assert_eq!(last, 3);
}

/// The same content with another time, after ingest stopped between the publication and the receipt.
async fn a_repetition_of_what_was_published_has_its_times(site: Site) {
    let [early, late] = [60, 30].map(|minutes| Some(NOW - Duration::from_secs(60 * minutes)));
    let of = |time| submission(SubmissionIdentity::Event, "第一版", time);
    let first = site.twice(&of(early)).await;
    assert_eq!((first.event_time, first.received_at), (early.map(timestamp), Some(timestamp(NOW))));
    forget_the_end(&site, &first).await;
    assert_eq!(site.twice(&of(late)).await.event_time, first.event_time);
    let withdrawn = site.replicas[0].withdraw(&anyone(), withdrawal("w-1", early)).await.unwrap();
    assert_eq!((withdrawn.event_time, withdrawn.received_at), (first.event_time, first.received_at));
    forget_the_end(&site, &withdrawn).await;
    let again = site.replicas[1].withdraw(&anyone(), withdrawal("w-1", late)).await.unwrap();
    assert_eq!((again.submission_id, again.event_time), (withdrawn.submission_id, first.event_time));
    // The later time is in the log nevertheless.
    let times: Vec<_> = site.received().await.iter().map(|event| event.event_time).collect();
    assert_eq!(times, [early, late].map(|time| time.map(timestamp)));
}

async fn a_withdrawal_under_the_id_of_its_article_is_one(site: Site) {
    let published = site.twice(&submission(SubmissionIdentity::Event, "第一版", None)).await;
    let mut ids = Vec::new();
    for replica in &site.replicas {
        let withdrawn = replica
            .request(&anyone(), PublicationRequest::Withdraw(Box::new(withdrawal("article-1", None))))
            .await
            .unwrap();
        assert_eq!(withdrawn.state(), SubmissionState::Withdrawn);
        assert_eq!(withdrawn.supersedes, published.submission_id);
        ids.push(withdrawn.submission_id);
    }
    assert_eq!(ids[0], ids[1]);
    let again = site.twice(&submission(SubmissionIdentity::Event, "第一版", None)).await;
    assert_eq!((again.state(), &again.supersedes), (SubmissionState::Received, &ids[0]));
}

async fn a_withdrawal_says_what_it_hits(site: Site) {
    let hit = |receipt: &Receipt| {
        let withdrawal = receipt.withdrawal.clone().unwrap();
        (withdrawal.hit(), withdrawal.code)
    };
    let (unknown, report) =
        ((WithdrawalHit::Unknown, "UNKNOWN_ADDRESS".to_owned()), (WithdrawalHit::Report, String::new()));
    let [early, late] = [60, 30].map(|minutes| Some(NOW - Duration::from_secs(60 * minutes)));
    let before = site.replicas[0].withdraw(&anyone(), withdrawal("w-1", late)).await.unwrap();
    assert_eq!(hit(&before), unknown);
    // The withdrawal applies to a document that took effect before it and arrives later.
    site.twice(&submission(SubmissionIdentity::Event, "第一版", early)).await;
    assert_eq!(hit(&site.replicas[1].receipt(&before.submission_id).await.unwrap()), report);
    let after = site.replicas[1].withdraw(&anyone(), withdrawal("w-2", None)).await.unwrap();
    assert_eq!(hit(&after), report);
    let mut elsewhere = withdrawal("w-3", None);
    elsewhere.declared.url = "https://www.example.gov.cn/none".into();
    assert_eq!(hit(&site.replicas[0].withdraw(&anyone(), elsewhere).await.unwrap()), unknown);
}

async fn lost_receipts_are_made_again_from_the_log(site: Site) {
    let of = |text| submission(SubmissionIdentity::Event, text, None);
    let first = site.twice(&of("第一版")).await;
    let second = site.twice(&of("第二版")).await;
    let withdrawn = site.replicas[0].withdraw(&anyone(), withdrawal("w-1", None)).await.unwrap();
    let entries = site.transport.entries(subjects::BUCKET_SUBMISSIONS);
    let ids = [&first, &second, &withdrawn].map(|receipt| receipt.submission_id.clone());
    let calls = ids.iter().map(|id| format!("i-{id}"));
    for key in ids.iter().cloned().chain(calls) {
        entries.delete(&key).await.unwrap();
    }
    let unknown = site.replicas[0].receipt(&first.submission_id).await.unwrap_err();
    assert!(unknown.detail_en.contains("made again from the log"), "{unknown}");

    let rebuilding = tokio::spawn(gongkai_ingest::rebuild::keep(
        site.runtime.clone(),
        site.receipts.clone(),
        gongkai_ingest::endings::Endings::default(),
    ));
    let whole = tokio::time::timeout(Duration::from_secs(20), async {
        while !site.receipts.is_whole().await.unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    whole.await.unwrap();
    rebuilding.abort();
    for receipt in [&first, &second, &withdrawn] {
        let again = site.replicas[1].receipt(&receipt.submission_id).await.unwrap();
        let of = |receipt: &Receipt| {
            (
                receipt.state(),
                receipt.revision.clone(),
                receipt.supersedes.clone(),
                receipt.withdrawal.clone(),
            )
        };
        assert_eq!(of(&again), of(receipt));
    }
    // The calls are restored as well: the last content repeats, and another supersedes it.
    assert_eq!(site.twice(&of("第二版")).await.submission_id, second.submission_id);
    assert_eq!(site.twice(&of("第一版")).await.supersedes, second.submission_id);
    let unknown = site.replicas[0].receipt("s-00000000000000000000000000000000").await.unwrap_err();
    assert!(unknown.detail_en.contains("nobody submitted"), "{unknown}");
}
