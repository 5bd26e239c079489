//! Three brokers with three replicas of everything: the leader of the log is killed under load and another broker
//! restarted. Every accepted document reaches its final state once, and no service restarts.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use gongkai_proto::{
    subjects,
    v1::{ListReportsRequest, report_service_client::ReportServiceClient},
};
use gongkai_tests::{
    chaos::receiver::{Receiver, SECRET},
    deployment::{Deployment, Plan},
    http, samples,
};

const DOCUMENTS: usize = 200;
/// Number of simultaneous senders.
const SENDERS: usize = 8;
/// One document in this many has a wrong total.
const WRONG: usize = 10;
/// Number of accepted documents before the leader is killed, and before another broker restarts.
const KILL_AT: usize = 60;
const RESTART_AT: usize = 130;
/// Maximum time of each wait; an election takes up to 10 s.
const PATIENCE: Duration = Duration::from_secs(60);

fn document(number: usize) -> Vec<u8> {
    let file = if number.is_multiple_of(WRONG) {
        "02_tab_rows_wrong_total.txt"
    } else {
        "02_tab_rows_wrong_total_corrected.txt"
    };
    let sample = samples::all().into_iter().find(|sample| sample.file == file).unwrap();
    let text = String::from_utf8(sample.bytes()).unwrap();
    text.replace("云溪县自然资源局", &format!("云溪县第{}街道办事处", number + 1)).into_bytes()
}

/// Sends a document until it is accepted. Returns its submission.
async fn accepted(ingest: String, number: usize) -> String {
    let url = format!("{ingest}/v1/reports?filename={number}.txt");
    let started = Instant::now();
    loop {
        let request = http::client().post(&url).header("content-type", "text/plain");
        let request = request.header("idempotency-key", format!("document-{number}")).body(document(number));
        let answer = http::answer(request).await.unwrap();
        if answer.status == 202 {
            return answer.json["submission_id"].as_str().unwrap().to_owned();
        }
        assert!(answer.status == 503 && started.elapsed() < PATIENCE, "{}", answer.json);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Returns the number of reports that query serves.
async fn served(deployment: &Deployment) -> usize {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let request = |page_token| ListReportsRequest {
        parent: "agencies/-".to_owned(),
        page_size: 100,
        page_token,
        ..Default::default()
    };
    let (mut count, mut token) = (0, String::new());
    loop {
        let Ok(page) = client.list_reports(request(token)).await else { return 0 };
        let page = page.into_inner();
        count += page.reports.len();
        token = page.next_page_token;
        if token.is_empty() {
            return count;
        }
    }
}

async fn until<T, F: Future<Output = T>>(what: &str, mut is: impl FnMut() -> F, right: impl Fn(&T) -> bool)
where
    T: std::fmt::Debug,
{
    let started = Instant::now();
    loop {
        let found = is().await;
        if right(&found) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{what}: {found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_loses_its_leader_loses_and_repeats_nothing() {
    let receiver = Receiver::start().await;
    let config = format!(
        "[[notify.subscriptions]]\nname = \"office\"\nchannel = \"webhook\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        receiver.url()
    );
    let mut deployment = Deployment::start_over_cluster(&Plan { config, ..Plan::default() }).await;
    let ingest = deployment.ingest();
    let mut sending =
        stream::iter(0..DOCUMENTS).map(|number| accepted(ingest.clone(), number)).buffer_unordered(SENDERS);
    let (mut submissions, mut killed) = (Vec::new(), 0);
    while let Some(submission) = sending.next().await {
        submissions.push(submission);
        if submissions.len() == KILL_AT {
            killed = deployment.leader(subjects::STREAM_REPORTS).await.unwrap();
            deployment.brokers()[killed].kill();
        }
        if submissions.len() == RESTART_AT {
            deployment.brokers()[killed].restart().await;
            // A cluster tolerates the loss of one broker. The other is restarted when the first has caught up.
            let followers = || deployment.followers(subjects::STREAM_REPORTS);
            until("the killed broker follows", followers, |count| *count == 2).await;
            deployment.brokers()[(killed + 1) % 3].restart().await;
        }
    }
    drop(sending);
    let mut states = BTreeMap::new();
    for submission in &submissions {
        let receipt = http::settled(&ingest, submission).await;
        *states.entry(receipt["state"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(states, BTreeMap::from([("validated".to_owned(), DOCUMENTS)]));
    until("reports", || served(&deployment), |count| *count == DOCUMENTS).await;
    let alerts = usize::try_from(deployment.messages(subjects::STREAM_ALERTS).await.unwrap()).unwrap();
    assert!(alerts >= DOCUMENTS / WRONG, "{alerts} alerts");
    until("alerts", || async { receiver.totals() }, |totals| *totals == (alerts, 0)).await;
    assert_eq!(deployment.messages(subjects::STREAM_DEAD).await, Some(0));
    deployment.ready().await;
    deployment.assert_nothing_restarted();
}
