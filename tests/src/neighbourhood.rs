//! Agencies of a few counties with two years of reports each, which are submitted to a deployment in some order, and
//! the final findings.
//!
//! Reports of one neighbourhood are compared with each other: with last year's, a county's own with those of its
//! bodies, and prose with that of neighbours. The final findings are the same in every order and after every crash.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use gongkai_proto::{
    subjects::STREAM_REPORTS,
    v1::{
        GetAgencyRequest, ImportAgenciesRequest, ListFindingsRequest, ListReportsRequest,
        agency_service_client::AgencyServiceClient, report_service_client::ReportServiceClient,
    },
};
use tonic::transport::Channel;

use crate::{
    deployment::{Deployment, Plan, binary},
    http, samples,
};

/// Findings of each report as text, in the rules' order.
pub type Findings = BTreeMap<String, Vec<String>>;

const COUNTIES: [&str; 3] = ["云溪县", "青溪县", "兰溪县"];
const YEARS: [i32; 2] = [2022, 2023];
/// Makes the broker redeliver the messages of a killed process after 5 s instead of half a minute.
pub const SOON: &str = "[worker]\nack_wait_s = 5\n";
const PAUSE: Duration = Duration::from_millis(50);
/// Number of questions to the broker before the wait is aborted, which is after a quarter of an hour.
const PATIENCE: usize = 18_000;
/// Number of rows of a page.
const PAGE: i32 = 1000;

/// The agencies that report.
#[derive(Debug, Clone)]
pub struct Neighbourhood {
    agencies: Vec<Agency>,
}

#[derive(Debug, Clone)]
struct Agency {
    name: String,
    code: String,
    parent: String,
}

/// A report to submit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The agency's name.
    pub agency: String,
    /// The year.
    pub year: i32,
    /// Number of the report's prose. Reports with the same number have copied prose.
    prose: usize,
}

impl Turn {
    /// Creates a report of any agency.
    #[must_use]
    pub fn of(agency: &str, year: i32) -> Self {
        Self { agency: agency.to_owned(), year, prose: 0 }
    }
}

// === impl Neighbourhood ===

impl Neighbourhood {
    /// Creates this many agencies in three counties. The first of each county is its government, the parent of the
    /// others.
    #[must_use]
    pub fn of(agencies: usize) -> Self {
        let agency = |n: usize| {
            let (place, rank) = (n % COUNTIES.len(), n / COUNTIES.len());
            let county = COUNTIES[place];
            Agency {
                name: match rank {
                    0 => format!("{county}人民政府"),
                    _ => format!("{county}第{rank}街道办事处"),
                },
                code: format!("C{place}-{rank:04}"),
                parent: if rank == 0 { String::new() } else { format!("C{place}-0000") },
            }
        };
        Self { agencies: (0..agencies).map(agency).collect() }
    }

    /// Returns all reports, year by year.
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        let of_year = |year| {
            let turn = move |(n, agency): (usize, &Agency)| Turn {
                agency: agency.name.clone(),
                year,
                // Every fourth agency has copied prose, the others have prose of their own.
                prose: if n % 4 == 0 { 0 } else { n },
            };
            self.agencies.iter().enumerate().map(turn)
        };
        YEARS.into_iter().flat_map(of_year).collect()
    }

    /// Returns the name and the code of each agency.
    pub(crate) fn agencies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.agencies.iter().map(|agency| (agency.name.as_str(), agency.code.as_str()))
    }

    /// Returns the list for the registry.
    #[must_use]
    pub fn registry(&self) -> String {
        let rows = self.agencies.iter().map(|a| format!("{},{},{}\n", a.code, a.name, a.parent));
        "代码,名称,上级代码\n".to_owned() + &rows.collect::<String>()
    }

    /// Submits the reports to a deployment with two replicas of validate, which are killed half-way if `is_killed`.
    /// Returns the final findings.
    ///
    /// # Panics
    /// If a report is not accepted and validated, or the findings do not settle.
    pub async fn run(&self, turns: &[Turn], is_killed: bool) -> Findings {
        let mut deployment =
            Deployment::start(&Plan { replicas: 2, config: SOON.to_owned(), ..Plan::default() }).await;
        self.import(&deployment).await;
        let mut submissions = Vec::new();
        for (at, turn) in turns.iter().enumerate() {
            submissions.push(submit(&deployment, turn).await);
            if is_killed && at == turns.len() / 2 {
                deployment.kill_and_restart("validate");
            }
        }
        deployment.ready().await;
        for submission in &submissions {
            let receipt = http::settled(&deployment.ingest(), submission).await;
            assert_eq!(receipt["state"], "validated", "{receipt}");
        }
        at_rest(&deployment).await;
        let address = format!("http://{}", deployment.query());
        listed(ReportServiceClient::connect(address).await.expect("query answers")).await
    }

    /// Submits the reports to a deployment that has no list, imports the list by the command, and returns the final findings and
    /// what the command says.
    ///
    /// # Panics
    /// As for [`Self::run`].
    pub async fn run_refiled(&self, deployment: &Deployment, turns: &[Turn]) -> (Findings, String) {
        settle(deployment, turns).await;
        let said = import_by_command(deployment, &self.registry());
        let address = format!("http://{}", deployment.query());
        let client = ReportServiceClient::connect(address).await.expect("query answers");
        let is_moved = |name: &String| !name.starts_with("agencies/p-");
        for _ in 0..600 {
            if listed(client.clone()).await.keys().all(is_moved) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        at_rest(deployment).await;
        (listed(client).await, said)
    }

    /// Returns a list with the same agencies, each under the government of another county.
    #[must_use]
    pub fn other_registry(&self) -> String {
        let moved = |parent: &str| match parent.split_once('-') {
            Some(("C0", rank)) => format!("C1-{rank}"),
            Some((_, rank)) => format!("C0-{rank}"),
            None => String::new(),
        };
        let rows = self.agencies.iter().map(|a| format!("{},{},{}\n", a.code, a.name, moved(&a.parent)));
        "代码,名称,上级代码\n".to_owned() + &rows.collect::<String>()
    }

    /// Submits the reports to a deployment, imports the list while query and validate are killed, imports it again, and returns
    /// the final findings.
    ///
    /// # Panics
    /// As for [`Self::run`].
    pub async fn run_refiled_and_killed(&self, deployment: &mut Deployment, turns: &[Turn]) -> Findings {
        settle(deployment, turns).await;
        let before = deployment.messages(STREAM_REPORTS).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut import = importing(deployment, folder.path(), &self.registry());
        let mut import = import.spawn().expect("the program is there");
        for _ in 0..PATIENCE {
            if deployment.messages(STREAM_REPORTS).await > before {
                break;
            }
            tokio::time::sleep(PAUSE / 10).await;
        }
        for service in ["query", "validate"] {
            deployment.kill_and_restart(service);
        }
        // It may have ended before query was killed.
        import.wait().expect("a command ends");
        deployment.ready().await;
        let _said = import_by_command(deployment, &self.registry());
        at_rest(deployment).await;
        self.listed_in(deployment).await
    }

    /// Submits the reports to a deployment that has another list, imports the list by the command, and returns the final findings.
    ///
    /// # Panics
    /// As for [`Self::run`].
    pub async fn run_after_another_list(&self, deployment: &Deployment, turns: &[Turn]) -> Findings {
        let _said = import_by_command(deployment, &self.other_registry());
        self.followed(deployment).await;
        settle(deployment, turns).await;
        let _said = import_by_command(deployment, &self.registry());
        at_rest(deployment).await;
        self.listed_in(deployment).await
    }

    async fn listed_in(&self, deployment: &Deployment) -> Findings {
        let address = format!("http://{}", deployment.query());
        listed(ReportServiceClient::connect(address).await.expect("query answers")).await
    }

    /// Imports the list into a deployment, and waits until its services use it.
    ///
    /// # Panics
    /// If the import fails.
    pub async fn import(&self, deployment: &Deployment) {
        let address = format!("http://{}", deployment.query());
        let mut client = AgencyServiceClient::connect(address).await.expect("query answers");
        let csv = self.registry().into_bytes().into();
        let request = ImportAgenciesRequest { csv, validate_only: false };
        client.import_agencies(request).await.expect("the list is taken");
        self.followed(deployment).await;
    }

    /// Waits until the services of a deployment use the list.
    async fn followed(&self, deployment: &Deployment) {
        let address = format!("http://{}", deployment.query());
        let mut client = AgencyServiceClient::connect(address).await.expect("query answers");
        let last = self.agencies.last().expect("there are agencies");
        // Services follow within moments; query is one of them.
        for _ in 0..200 {
            let request = GetAgencyRequest { name: format!("agencies/{}", last.code) };
            if client.get_agency(request).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(2)).await;
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
        panic!("the registry did not reach query");
    }
}

/// Returns the turns in the order of a seed.
#[must_use]
pub fn shuffled(turns: &[Turn], seed: u64) -> Vec<Turn> {
    let mut turns = turns.to_vec();
    turns.sort_by_cached_key(|turn| {
        let mut hash = DefaultHasher::new();
        (seed, &turn.agency, turn.year).hash(&mut hash);
        hash.finish()
    });
    turns
}

/// Returns a report with an agency, year, number of licences and prose of its own.
///
/// # Panics
/// If the sample is missing.
#[must_use]
pub fn document(turn: &Turn) -> Vec<u8> {
    let all = samples::all();
    let sample = all.iter().find(|sample| sample.file.starts_with("05_")).expect("the sample is there");
    let text = String::from_utf8(sample.bytes()).expect("the sample is UTF-8");
    let licences =
        100 + turn.agency.chars().count() * 7 + usize::try_from(turn.year).unwrap_or_default() % 10;
    let text = text.replace("云溪县住房和城乡建设局", &turn.agency).replace("2023", &turn.year.to_string());
    let text = text.replace("| 行政许可 | 1764 |", &format!("| 行政许可 | {licences} |"));
    match turn.prose {
        0 => text.into_bytes(),
        own => text.replacen("## 二、", &format!("{}\n\n## 二、", own_prose(own)), 1).into_bytes(),
    }
}

/// Returns some sentences that no other number has.
pub(crate) fn own_prose(number: usize) -> String {
    const SUBJECTS: [&str; 7] =
        ["窗口服务", "专栏建设", "政策解读", "公报编印", "档案移交", "基层指导", "培训考核"];
    const VERBS: [&str; 5] = ["稳步推进", "有序开展", "持续加强", "逐项落实", "定期通报"];
    const OBJECTS: [&str; 6] = ["惠及群众", "方便查询", "便于监督", "注重实效", "补齐短板", "形成制度"];
    let sentence = |step: usize| {
        let at = number * 31 + step * step * 7 + step;
        let part = |words: &[&'static str], by: usize| words[at / by % words.len()];
        format!("{}{}，{}。", part(&SUBJECTS, 1), part(&VERBS, 3), part(&OBJECTS, 5))
    };
    (0..40).map(sentence).collect()
}

/// Imports a list by the command. Returns what it says.
///
/// # Panics
/// If the command fails.
#[must_use]
pub fn import_by_command(deployment: &Deployment, csv: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = importing(deployment, folder.path(), csv).output().expect("the program is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the command writes UTF-8")
}

/// Returns the command that imports a list, which is written to a folder.
fn importing(deployment: &Deployment, folder: &Path, csv: &str) -> Command {
    let file = folder.join("agencies.csv");
    std::fs::write(&file, csv).expect("the folder takes a file");
    let mut command = Command::new(binary("gongkai"));
    command.args(["agencies", "import"]).arg(file);
    command.args(["--query", &format!("http://{}", deployment.query())]).stderr(Stdio::null());
    command
}

/// Submits the reports and waits until all is done about them.
async fn settle(deployment: &Deployment, turns: &[Turn]) {
    for turn in turns {
        let submission = submit(deployment, turn).await;
        let receipt = http::settled(&deployment.ingest(), &submission).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
    }
    at_rest(deployment).await;
}

/// Submits a report. Returns the submission's id.
///
/// # Panics
/// If it is not accepted.
pub async fn submit(deployment: &Deployment, turn: &Turn) -> String {
    let url = format!("{}/v1/reports?filename=report.md", deployment.ingest());
    let answer = http::post(&url, "text/markdown", document(turn)).await.expect("ingest answers");
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json["submission_id"].as_str().expect("a receipt names its submission").to_owned()
}

/// Waits until every consumer has settled the whole log.
pub(crate) async fn at_rest(deployment: &Deployment) {
    let mut before = None;
    for _ in 0..PATIENCE {
        let now = deployment.settled().await;
        if now.is_some() && now == before {
            return;
        }
        before = now;
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it does not come to rest: {:#?}", deployment.log_of(&[]).await);
}

/// Returns the findings of all reports.
pub(crate) async fn listed(mut client: ReportServiceClient<Channel>) -> Findings {
    let mut found = Findings::new();
    let mut token = String::new();
    loop {
        let request = ListReportsRequest {
            parent: "agencies/-".to_owned(),
            page_size: PAGE,
            page_token: token,
            ..Default::default()
        };
        let page = client.list_reports(request).await.expect("query lists reports").into_inner();
        found.extend(page.reports.into_iter().map(|report| (report.name, Vec::new())));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    loop {
        let request = ListFindingsRequest {
            parent: "agencies/-/reports/-".to_owned(),
            page_size: PAGE,
            page_token: token,
            ..Default::default()
        };
        let page = client.list_findings(request).await.expect("query lists findings").into_inner();
        for finding in page.findings {
            let line = format!(
                "{} {} {} {} {:?} {:?} {}",
                finding.rule,
                finding.severity,
                finding.fingerprint,
                finding.operands_digest,
                finding.expected,
                finding.actual,
                finding.message
            );
            found.entry(finding.report).or_default().push(line);
        }
        token = page.next_page_token;
        if token.is_empty() {
            return found;
        }
    }
}
