//! Lives of reports: published, updated and withdrawn at stated times, and submitted in an unrelated order. The
//! stated times determine the current contents, in every order, at every replica and after every crash.

use std::{collections::BTreeMap, time::Duration};

use gongkai_proto::v1::{
    GetReportRequest, ListRevisionsRequest, Report, report_service_client::ReportServiceClient,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};
use tonic::transport::Channel;

use crate::{
    deployment::{Deployment, Plan},
    facts::{Entry, Stands, Withdrawn, expected},
    http,
    neighbourhood::{Findings, Neighbourhood, SOON, Turn, at_rest, document, listed},
};

const YEAR: i32 = 2023;
const BEGINNING: OffsetDateTime = datetime!(2024-01-15 00:00 UTC);
const PAUSE: Duration = Duration::from_millis(50);
/// Number of calls after which a step counts as refused. They take two minutes.
const PATIENCE: usize = 2400;
/// The services, one of which is killed.
const SERVICES: [&str; 5] = ["validate", "ingest", "query", "notify", "parse"];

/// An event of a report: a version of it is published or updated, or it is withdrawn.
#[derive(Debug, Clone, Copy)]
enum Act {
    Publish(u32),
    Update(u32),
    Withdraw,
}

/// The lives of reports, assigned in turn: events, and the hours after which they happen.
///
/// Content returns in the first and the third, whose events have ids of their own. The events of the second and the
/// fourth have the id of their article.
const LIVES: [[(Act, u8); 4]; 4] = {
    use Act::{Publish, Update, Withdraw};
    [
        [(Publish(1), 0), (Update(2), 1), (Withdraw, 2), (Update(1), 3)],
        [(Publish(1), 0), (Update(2), 1), (Update(3), 2), (Withdraw, 3)],
        [(Publish(1), 0), (Withdraw, 1), (Publish(2), 2), (Update(1), 3)],
        [(Publish(1), 0), (Withdraw, 1), (Update(2), 2), (Update(3), 3)],
    ]
};

/// An event in the life of a report.
#[derive(Debug, Clone)]
pub struct Happening {
    agency: usize,
    act: Act,
    hours: u8,
}

/// The lives of one report of each agency.
pub struct Lives {
    neighbourhood: Neighbourhood,
    turns: Vec<Turn>,
    codes: Vec<String>,
}

// === impl Lives ===

impl Lives {
    /// Creates the lives of the reports of `agencies` agencies.
    #[must_use]
    pub fn of(agencies: usize) -> Self {
        let neighbourhood = Neighbourhood::of(agencies);
        let turns = neighbourhood.turns().into_iter().filter(|turn| turn.year == YEAR).collect();
        let codes = neighbourhood.agencies().map(|(_, code)| code.to_owned()).collect();
        Self { neighbourhood, turns, codes }
    }

    /// Returns all events, in the order of a seed.
    #[must_use]
    pub fn shuffled(&self, seed: u64) -> Vec<Happening> {
        let of = |agency: usize| LIVES[agency % 4].map(|(act, hours)| Happening { agency, act, hours });
        let mut all: Vec<_> = (0..self.turns.len()).flat_map(of).collect();
        fastrand::Rng::with_seed(seed).shuffle(&mut all);
        all
    }

    /// Returns the contents that the stated times determine.
    #[must_use]
    pub fn expected(&self) -> Stands {
        let mut all = self.shuffled(0);
        all.sort_by_key(|happening| happening.hours);
        let entries: Vec<_> = all.iter().map(|happening| self.entry(happening)).collect();
        expected(&entries)
    }

    fn entry(&self, happening: &Happening) -> Entry {
        let report = self.name(happening.agency).parse().expect("a code and a year make a name");
        let (url, effective_at) = (self.url(happening.agency), happening.at());
        match happening.act {
            Act::Publish(version) | Act::Update(version) => {
                let content = hex::encode(Sha256::digest(self.text(happening.agency, version)));
                Entry::Arrival { report, content, url, effective_at }
            }
            Act::Withdraw => Entry::Withdrawal(Withdrawn {
                report: None,
                code: String::new(),
                name: String::new(),
                year: 0,
                url,
                effective_at,
            }),
        }
    }

    fn name(&self, agency: usize) -> String {
        format!("agencies/{}/reports/{YEAR}", self.codes[agency])
    }

    fn url(&self, agency: usize) -> String {
        format!("https://www.example.gov.cn/art/{}.html", self.codes[agency])
    }

    /// Returns a version of a report. The versions differ in their prose, and the second has a wrong total.
    fn text(&self, agency: usize, version: u32) -> String {
        let text = String::from_utf8(document(&self.turns[agency])).expect("the sample is UTF-8");
        let text = text.replacen("## 二、", &format!("本报告为第{version}稿。\n\n## 二、"), 1);
        if version == 2 { text.replace("| 745 |", "| 746 |") } else { text }
    }

    fn event(&self, happening: &Happening) -> Value {
        let (agency, article) = (happening.agency, format!("art-{}", self.codes[happening.agency]));
        let id = if agency % 2 == 0 { format!("{article}-{}", happening.hours) } else { article };
        let (kind, data) = match happening.act {
            Act::Publish(version) => ("published", self.data(agency, version)),
            Act::Update(version) => ("updated", self.data(agency, version)),
            Act::Withdraw => ("withdrawn", json!({"url": self.url(agency)})),
        };
        json!({
            "specversion": "1.0", "id": id, "source": "https://cms.example.gov.cn",
            "type": format!("gongkai.report.{kind}.v1"), "data": data,
            "time": happening.at().format(&Rfc3339).expect("a year of four digits"),
        })
    }

    fn data(&self, agency: usize, version: u32) -> Value {
        let content = json!({"media_type": "text/markdown", "text": self.text(agency, version)});
        let name = &self.turns[agency].agency;
        json!({"agency": {"name": name}, "year": YEAR, "url": self.url(agency), "content": content})
    }

    /// Submits the events to a deployment with two replicas of every service. One service is killed; which one and when
    /// depends on the seed: after a third of the events, two thirds or the last. Returns the answers of each replica of
    /// query about each report, and its findings.
    ///
    /// # Panics
    /// If an event is not accepted or does not end, or the answers do not settle.
    pub async fn run(&self, happenings: &[Happening], seed: usize) -> Findings {
        let mut deployment =
            Deployment::start(&Plan { replicas: 2, fronts: 2, config: SOON.to_owned(), ..Plan::default() })
                .await;
        self.neighbourhood.import(&deployment).await;
        let ingest = deployment.fronts("ingest");
        let mut submissions = Vec::new();
        let killed_at = (happenings.len() * (1 + seed % 3) / 3).saturating_sub(1);
        for (at, happening) in happenings.iter().enumerate() {
            if at == killed_at {
                deployment.kill_and_restart(SERVICES[seed % SERVICES.len()]);
            }
            submissions.push(accepted(&ingest[at % 2], &self.event(happening)).await);
        }
        deployment.ready().await;
        for submission in &submissions {
            let state = http::settled(&ingest[0], submission).await["state"].clone();
            assert!(["validated", "withdrawn", "unchanged"].iter().any(|end| state == *end), "{state}");
        }
        let mut replicas = Vec::new();
        for address in deployment.fronts("query") {
            replicas.push(ReportServiceClient::connect(address).await.expect("query answers"));
        }
        at_rest(&deployment).await;
        self.read(&replicas).await
    }

    async fn read(&self, replicas: &[ReportServiceClient<Channel>]) -> Findings {
        let mut all = Findings::new();
        for client in replicas {
            let mut found = listed(client.clone()).await;
            for name in (0..self.turns.len()).map(|agency| self.name(agency)) {
                let lines = told(client.clone(), &name).await;
                let lines = lines.into_iter().chain(found.remove(&name).unwrap_or_default());
                all.entry(name).or_default().extend(lines);
            }
            // There should be no other reports. If there are, the comparison shows them.
            found.into_iter().for_each(|(name, lines)| all.entry(name).or_default().extend(lines));
        }
        all
    }

    /// Returns the number of reports for which a replica's answer differs from the stated times.
    #[must_use]
    pub fn wrong(&self, found: &Findings) -> usize {
        let expected = self.expected();
        let lasts: BTreeMap<_, _> = LIVES.iter().map(last_act).enumerate().collect();
        let is_right = |agency: usize| {
            let name = self.name(agency);
            let stands = name.parse().ok().and_then(|key| expected.get(&key));
            let Some((content, is_withdrawn)) = stands else { return false };
            let line = front(content, *is_withdrawn, Some(BEGINNING.unix_timestamp() + lasts[&(agency % 4)]));
            found.get(&name).is_some_and(|lines| lines.iter().filter(|other| **other == line).count() == 2)
        };
        (0..self.turns.len()).filter(|agency| !is_right(*agency)).count()
    }
}

// === impl Happening ===

impl Happening {
    fn at(&self) -> OffsetDateTime {
        BEGINNING + time::Duration::hours(self.hours.into())
    }
}

/// Returns the seconds from the beginning to the last publication or update of a life.
fn last_act(life: &[(Act, u8); 4]) -> i64 {
    let documents = life.iter().filter(|(act, _)| !matches!(act, Act::Withdraw));
    documents.map(|(_, hours)| i64::from(*hours) * 3600).max().unwrap_or_default()
}

/// Sends an event until it is accepted. Returns the submission's id.
async fn accepted(ingest: &str, event: &Value) -> String {
    let (url, body) = (format!("{ingest}/v1/events"), event.to_string().into_bytes());
    for _ in 0..PATIENCE {
        match http::post(&url, "application/cloudevents+json", body.clone()).await {
            Ok(answer) if answer.status == 202 => {
                return answer.json["submission_id"].as_str().expect("a receipt has an id").to_owned();
            }
            Ok(answer) => assert_eq!(answer.status, 503, "{}", answer.json),
            // Ingest was just killed.
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("no replica of ingest accepts {event}");
}

/// Returns the answers of a replica of query about a report: the current content, and all revisions.
async fn told(mut client: ReportServiceClient<Channel>, name: &str) -> Vec<String> {
    let asked = GetReportRequest { name: name.to_owned(), as_of: None };
    let Ok(report) = client.get_report(asked).await else { return Vec::new() };
    let asked = ListRevisionsRequest { parent: name.to_owned(), ..Default::default() };
    let Ok(revisions) = client.list_revisions(asked).await else { return Vec::new() };
    let line = |report: &Report| {
        front(&report.content_hash, report.withdrawn, report.event_time.map(|at| at.seconds))
    };
    let ranked = revisions.into_inner().revisions;
    let ranked = ranked.iter().map(|revision| format!("{}: {}", revision.revision, line(revision)));
    std::iter::once(line(report.get_ref())).chain(ranked).collect()
}

fn front(content: &str, is_withdrawn: bool, event_time: Option<i64>) -> String {
    format!("{content} {} {event_time:?}", if is_withdrawn { "withdrawn" } else { "stands" })
}
