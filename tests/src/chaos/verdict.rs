//! Invariants that must hold once faults have ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use gongkai_proto::{
    subjects,
    v1::{ListFindingsRequest, ListReportsRequest, Severity, report_service_client::ReportServiceClient},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    chaos::{
        fault::Done,
        office::{Accepted, Record, Step},
        receiver::Receiver,
    },
    deployment::Deployment,
    http,
};

/// Everything must be settled within this time after the last fault.
const PATIENCE: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(500);
/// The rule about a withdrawn report (已发布年报被撤下).
const WITHDRAWN: &str = "V-GONE";
/// Number of rows of a page; there are fewer reports.
const PAGE: i32 = 1000;

/// Reports that are served, by name: agency and content hash.
type Served = BTreeMap<String, (String, String)>;
/// Fingerprints by report.
type Fingerprints = BTreeMap<String, BTreeSet<String>>;

/// Checks the invariants of a run.
pub struct Judge<'a> {
    /// The deployment that ran.
    pub deployment: &'a Deployment,
    /// The receiver of the deployment's alerts.
    pub receiver: &'a Receiver,
    /// The faults that were injected.
    pub faults: &'a Done,
}

impl Judge<'_> {
    /// Follows every submission to its end. Returns the number of submissions by state, and those that ended in a wrong
    /// state.
    pub async fn submissions(&self, accepted: &[&Accepted]) -> (BTreeMap<String, usize>, Vec<String>) {
        let until = Instant::now() + PATIENCE;
        let (mut states, mut violations) = (BTreeMap::new(), Vec::new());
        for submission in accepted {
            let receipt = self.receipt(&submission.submission, until).await;
            let state = receipt["state"].as_str().unwrap_or("lost").to_owned();
            if !is_right_end(submission.step, &receipt) {
                violations.push(format!("{} {:?} ended as {receipt}", submission.office, submission.step));
            }
            *states.entry(state).or_default() += 1;
        }
        (states, violations)
    }

    /// Returns the receipt of a submission in its final state, or its present state when the time is over.
    async fn receipt(&self, submission: &str, until: Instant) -> Value {
        let url = format!("{}/v1/submissions/{submission}", self.deployment.ingest());
        loop {
            let receipt = http::get(&url).await.map_or(Value::Null, |answer| answer.json);
            let is_open = matches!(receipt["state"].as_str(), Some("received" | "parsed") | None);
            if !is_open || Instant::now() > until {
                return receipt;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until both read models serve the current content of each office, and the open alerts are those of its
    /// findings. Returns the differences that remain when the time is over.
    pub async fn at_rest(&self, records: &[Record]) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut violations = self.differences(records).await;
            let is_over = Instant::now() > until;
            if violations.is_empty() || is_over {
                if is_over {
                    violations.extend(self.deployment.log_of(&wrong_offices(records, &violations)).await);
                }
                violations.extend(records.iter().flat_map(|record| record.refused.clone()));
                violations.extend(self.repeats());
                return violations;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn differences(&self, records: &[Record]) -> Vec<String> {
        let mut violations = Vec::new();
        let expected: BTreeMap<&str, String> = records
            .iter()
            .filter_map(|record| {
                record
                    .stands
                    .as_ref()
                    .map(|content| (record.office.as_str(), hex::encode(Sha256::digest(content))))
            })
            .collect();
        for address in self.deployment.fronts("query") {
            let (served, findings) = match served(&address).await {
                Ok(served) => served,
                Err(error) => {
                    violations.push(format!("query at {address} does not answer: {error}"));
                    continue;
                }
            };
            let found: BTreeMap<&str, String> =
                served.values().map(|(agency, hash)| (agency.as_str(), hash.clone())).collect();
            if found != expected {
                let wrong: Vec<_> = records
                    .iter()
                    .map(|record| record.office.as_str())
                    .filter(|office| found.get(office) != expected.get(office))
                    .map(|office| {
                        format!("{office}: {:?}, right is {:?}", found.get(office), expected.get(office))
                    })
                    .collect();
                violations.push(format!("query at {address} serves something else: {wrong:?}"));
            }
            let open = self.open_alerts();
            if open != findings {
                let reports: BTreeSet<&String> = open.keys().chain(findings.keys()).collect();
                let wrong: Vec<_> = reports
                    .into_iter()
                    .filter(|report| open.get(*report) != findings.get(*report))
                    .map(|report| {
                        format!("{report}: told {:?}, findings {:?}", open.get(report), findings.get(report))
                    })
                    .collect();
                violations.push(format!("open alerts are not the findings: {wrong:?}"));
            }
        }
        let dead = self.deployment.messages(subjects::STREAM_DEAD).await;
        if dead != Some(0) {
            violations.push(format!("dead letters: {dead:?}"));
        }
        violations
    }

    /// Returns the fingerprints of the alerts that are raised from the receiver's point of view, by report. Of two
    /// calls about one alert, the one with the higher sequence counts. The alert about the withdrawal of a report
    /// itself is left out.
    fn open_alerts(&self) -> Fingerprints {
        let mut last: BTreeMap<String, Value> = BTreeMap::new();
        for call in self.receiver.calls() {
            let id = call.alert["alert_id"].as_str().unwrap_or_default().to_owned();
            let newer = |known: &Value| known["sequence"].as_u64() < call.alert["sequence"].as_u64();
            if last.get(&id).is_none_or(newer) {
                last.insert(id, call.alert);
            }
        }
        let mut open = Fingerprints::new();
        for alert in last.values().filter(|alert| alert["state"] == "raised") {
            let report = alert["report"].as_str().unwrap_or_default().to_owned();
            let findings = alert["findings"].as_array().into_iter().flatten();
            let findings = findings.filter(|finding| finding["rule"] != WITHDRAWN);
            for finding in findings {
                let print = finding["fingerprint"].as_str().unwrap_or_default().to_owned();
                open.entry(report.clone()).or_default().insert(print);
            }
        }
        open
    }

    /// Returns the alerts that were delivered more often than the crashes explain.
    fn repeats(&self) -> Vec<String> {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        self.receiver.calls().into_iter().for_each(|call| *times.entry(call.id).or_default() += 1);
        let excused = 1 + self.faults.crashes();
        let often = times.into_iter().filter(|(_, count)| *count > excused);
        often
            .map(|(id, count)| format!("{id} was told {count} times after {} crashes", excused - 1))
            .collect()
    }
}

/// Returns the names and addresses of the offices that violations mention.
fn wrong_offices(records: &[Record], violations: &[String]) -> Vec<String> {
    let is_named = |record: &&Record| violations.iter().any(|text| text.contains(&record.office));
    let named = records.iter().filter(is_named);
    named.flat_map(|record| [record.office.clone(), record.address.clone()]).collect()
}

fn is_right_end(step: Step, receipt: &Value) -> bool {
    let state = receipt["state"].as_str().unwrap_or_default();
    let code = receipt["rejection"]["code"].as_str().unwrap_or_default();
    match step {
        Step::Publish(_) => matches!(state, "validated" | "unchanged"),
        Step::WithdrawAddress | Step::WithdrawReport => state == "withdrawn",
        Step::OtherDocument => state == "rejected" && code == "NOT_A_REPORT",
        Step::HostileDocument => state == "rejected",
    }
}

/// Returns all reports that one read model serves, and the fingerprints of their findings that raise alerts.
async fn served(address: &str) -> anyhow::Result<(Served, Fingerprints)> {
    let mut client = ReportServiceClient::connect(address.to_owned()).await?;
    let request = ListReportsRequest {
        parent: "agencies/-".to_owned(),
        page_size: PAGE,
        ..ListReportsRequest::default()
    };
    let mut reports = client.list_reports(request).await?.into_inner().reports;
    reports.retain(|report| !report.withdrawn);
    let served: Served =
        reports.into_iter().map(|report| (report.name, (report.agency_name, report.content_hash))).collect();
    let mut findings = Fingerprints::new();
    let mut page_token = String::new();
    loop {
        let request = ListFindingsRequest {
            parent: "agencies/-/reports/-".to_owned(),
            page_size: PAGE,
            page_token,
            ..ListFindingsRequest::default()
        };
        let page = client.list_findings(request).await?.into_inner();
        for finding in page.findings {
            if finding.severity >= Severity::Warning as i32 && served.contains_key(&finding.report) {
                findings.entry(finding.report).or_default().insert(finding.fingerprint);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((served, findings));
        }
    }
}
