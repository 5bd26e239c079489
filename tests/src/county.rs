//! A county's folder: two years of reports of its bodies as files, with mistakes of the kinds that only a comparison shows, and the
//! findings about it by `gongkai check DIR` and by a running deployment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, io,
    path::Path,
    process::Command,
};

use gongkai_proto::v1::{
    ImportAgenciesRequest, ListFindingsRequest, Severity, agency_service_client::AgencyServiceClient,
    report_service_client::ReportServiceClient,
};
use serde_json::Value;

use crate::{
    deployment::{Deployment, Plan, binary},
    http,
    neighbourhood::{at_rest, own_prose},
    samples,
};

/// Findings of each report as text, sorted.
pub type Findings = BTreeMap<String, Vec<String>>;

/// Where the files are published.
const SITE: &str = "https://www.example.gov.cn/";
const YEARS: [i32; 2] = [2022, 2023];
const BUREAUS: [&str; 12] = [
    "教育局",
    "民政局",
    "司法局",
    "财政局",
    "水利局",
    "林业局",
    "审计局",
    "统计局",
    "医疗保障局",
    "应急管理局",
    "交通运输局",
    "商务局",
];
/// The first row of requests in the sample, its seven numbers, and the rows that have to rise with it.
const RISING: [&str; 3] = [
    "| 399 | 137 | 42 | 48 | 76 | 43 | 745 |",
    "| 6 | 12 | 0 | 4 | 7 | 3 | 32 |",
    "| 398 | 142 | 45 | 55 | 81 | 49 | 770 |",
];
/// The total of its first row.
const FIRST_RECEIVED: usize = 745;
const CARRIED_IN: &str = "| 4 | 6 | 7 | 8 | 8 | 9 | 42 |";
const CARRIED_OUT: &str = "| 5 | 3 | 4 | 1 | 3 | 3 | 19 |";

/// The bodies of two counties.
#[derive(Debug, Clone)]
pub struct Counties {
    bodies: usize,
}

/// A report as a file.
#[derive(Debug, Clone)]
pub struct CountyFile {
    /// Path in the folder.
    pub path: String,
    /// The document.
    pub bytes: Vec<u8>,
}

/// A body and one of its years.
#[derive(Debug, Clone, Copy)]
struct Issue<'a> {
    /// Number of the body.
    n: usize,
    name: &'a str,
    year: i32,
}

impl Counties {
    /// Creates this many bodies in two counties. The first of each county is its government, the parent of the others.
    #[must_use]
    pub fn of(bodies: usize) -> Self {
        Self { bodies }
    }

    fn body(&self, n: usize) -> (String, String, String) {
        let (place, rank) = (n % 2, n / 2);
        let county = ["云溪县", "青溪县"][place];
        let name = match rank {
            0 => format!("{county}人民政府"),
            rank if rank <= BUREAUS.len() => format!("{county}{}", BUREAUS[rank - 1]),
            rank => format!("{county}第{rank}街道办事处"),
        };
        let parent = if rank == 0 { String::new() } else { format!("C{place}-000") };
        (format!("C{place}-{rank:03}"), name, parent)
    }

    /// Returns the list for the registry.
    #[must_use]
    pub fn registry(&self) -> String {
        let mut list = "代码,名称,上级代码\n".to_owned();
        for (code, name, parent) in (0..self.bodies).map(|n| self.body(n)) {
            writeln!(list, "{code},{name},{parent}").unwrap_or_default();
        }
        list
    }

    /// Returns all files in the order in which a folder of them is read.
    #[must_use]
    pub fn files(&self) -> Vec<CountyFile> {
        let mut files: Vec<CountyFile> = YEARS
            .into_iter()
            .flat_map(|year| (0..self.bodies).flat_map(move |n| self.of_year(n, year)))
            .collect();
        files.sort_by(|a, b| Path::new(&a.path).cmp(Path::new(&b.path)));
        files
    }

    /// Returns the files of a body's year: none, one, or one and a copy of it.
    fn of_year(&self, n: usize, year: i32) -> Vec<CountyFile> {
        let (_, name, _) = self.body(n);
        // A body whose report of the year between is missing.
        let year = if n % 10 == 6 && year == YEARS[0] { year - 1 } else { year };
        let issue = Issue { n, name: &name, year };
        let text = issue.text();
        let mut files = Vec::new();
        if n % 10 == 7 {
            let copy = text.replacen("| 行政强制 | 56 |", "| 行政强制 | 57 |", 1);
            files.push(CountyFile { path: format!("{year}/copies/{name}.md"), bytes: copy.into_bytes() });
        }
        files.push(match issue.publication() {
            Some(day) => {
                CountyFile { path: format!("{year}/{name}.html"), bytes: page(&text, day).into_bytes() }
            }
            None => CountyFile { path: format!("{year}/{name}.md"), bytes: text.into_bytes() },
        });
        files
    }

    /// Writes the files into `reports` of a folder, and the list of agencies beside it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for file in self.files() {
            let path = folder.join("reports").join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(&path, &file.bytes)?;
        }
        fs::write(folder.join("agencies.csv"), self.registry())
    }

    /// Returns the findings of `gongkai check` over a folder with the files, those of the current file of each report.
    ///
    /// # Panics
    /// If the command fails, or rejects a file.
    #[must_use]
    pub fn checked(&self) -> Findings {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.write(folder.path()).expect("the folder takes files");
        let (root, list) = (folder.path().join("reports"), folder.path().join("agencies.csv"));
        let mut command = Command::new(binary("gongkai"));
        command.arg("check").arg(&root).arg("--agencies").arg(&list).args(["--format", "json"]);
        let output = command.output().expect("the program is there");
        let codes: BTreeMap<String, String> =
            (0..self.bodies).map(|n| self.body(n)).map(|(code, name, _)| (name, code)).collect();
        let mut found = Findings::new();
        for line in String::from_utf8(output.stdout).expect("JSON is UTF-8").lines() {
            let line: Value = serde_json::from_str(line).expect("a line is JSON");
            assert_eq!(line["status"], "ok", "{line}");
            let report = &line["report"];
            let code = &codes[report["agency"].as_str().expect("a report has an agency")];
            let text = |finding: &Value| told_by_check(finding, &root);
            let mut findings: Vec<String> =
                line["findings"].as_array().expect("findings are a list").iter().map(text).collect();
            findings.sort();
            // A later file of the same report replaces an earlier one.
            found.insert(format!("agencies/{code}/reports/{}", report["year"]), findings);
        }
        found
    }

    /// Returns the findings of a deployment to which the files are submitted one after the other.
    ///
    /// # Panics
    /// If a file is not accepted, or the findings do not settle.
    pub async fn served(&self) -> Findings {
        let deployment = Deployment::start(&Plan::default()).await;
        let query = format!("http://{}", deployment.query());
        let mut agencies = AgencyServiceClient::connect(query.clone()).await.expect("query answers");
        let request =
            ImportAgenciesRequest { csv: self.registry().into_bytes().into(), validate_only: false };
        agencies.import_agencies(request).await.expect("the list is taken");
        at_rest(&deployment).await;
        for file in self.files() {
            let (media_type, name) = match file.path.rsplit_once('.') {
                Some((_, "html")) => ("text/html", "report.html"),
                _ => ("text/markdown", "report.md"),
            };
            let url = format!("{}/v1/reports?filename={name}&url={SITE}{}", deployment.ingest(), file.path);
            let answer = http::post(&url, media_type, file.bytes).await.expect("ingest answers");
            assert_eq!(answer.status, 202, "{}", answer.json);
        }
        at_rest(&deployment).await;
        let mut client = ReportServiceClient::connect(query).await.expect("query answers");
        let mut found = Findings::new();
        let mut token = String::new();
        loop {
            let request = ListFindingsRequest {
                parent: "agencies/-/reports/-".to_owned(),
                page_size: 1000,
                page_token: token,
                ..Default::default()
            };
            let page = client.list_findings(request).await.expect("query lists findings").into_inner();
            for finding in page.findings {
                let severity = Severity::try_from(finding.severity).unwrap_or_default().as_str_name();
                let line = told(
                    [&finding.rule, severity.trim_start_matches("SEVERITY_"), &finding.fingerprint],
                    [finding.expected.as_deref(), finding.actual.as_deref()],
                    &finding.message.replace(SITE, ""),
                );
                found.entry(finding.report).or_default().push(line);
            }
            token = page.next_page_token;
            if token.is_empty() {
                found.values_mut().for_each(|findings| findings.sort());
                return found;
            }
        }
    }
}

fn told_by_check(finding: &Value, root: &Path) -> String {
    let text = |member: &str| finding[member].as_str();
    let message = text("message").unwrap_or_default().replace(&format!("{}/", root.display()), "");
    told(
        ["rule", "severity", "fingerprint"].map(|member| text(member).unwrap_or_default()),
        ["expected", "actual"].map(text),
        &message,
    )
}

fn told([rule, severity, fingerprint]: [&str; 3], values: [Option<&str>; 2], message: &str) -> String {
    let [expected, actual] = values.map(Option::unwrap_or_default);
    // The address of the other publication is a part of this fingerprint; in a folder it is a path.
    let fingerprint = if rule == "V-MULTI" { "" } else { fingerprint };
    format!("{rule} {severity} {fingerprint} expected={expected} actual={actual} {message}")
}

/// Returns the findings that only one side has: `-` check, `+` the deployment.
#[must_use]
pub fn differences(checked: &Findings, served: &Findings) -> Vec<String> {
    let none = Vec::new();
    let mut differences = Vec::new();
    let reports: BTreeSet<&String> = checked.keys().chain(served.keys()).collect();
    for report in reports {
        let (ours, theirs) = (checked.get(report).unwrap_or(&none), served.get(report).unwrap_or(&none));
        let only = |sign: char, one: &[String], other: &[String]| {
            let lines = one.iter().filter(|line| !other.contains(line));
            lines.map(|line| format!("{sign} {report} {line}")).collect::<Vec<_>>()
        };
        differences.extend(only('-', ours, theirs));
        differences.extend(only('+', theirs, ours));
    }
    differences
}

impl Issue<'_> {
    /// Returns the report as Markdown, with the numbers, the prose and the mistakes of its body and year.
    fn text(&self) -> String {
        let Self { n, name, year } = *self;
        let all = samples::all();
        let sample = all.iter().find(|sample| sample.file.starts_with("05_")).expect("the sample is there");
        let text = String::from_utf8(sample.bytes()).expect("the sample is UTF-8");
        let text = text.replace("云溪县住房和城乡建设局", name).replace("2023", &year.to_string());
        let text = self.with_numbers(text);
        let prose = if n % 4 == 0 { String::new() } else { own_prose(n + self.own_prose_of_year()) };
        let growth = if n % 5 == 1 { "，同比增长37%" } else { "" };
        let received = format!("全年新收政府信息公开申请{}件{growth}", FIRST_RECEIVED + self.more());
        let text = text.replacen("全年新收政府信息公开申请749件", &received, 1);
        let sums = if n == 1 { "本报告数据汇总全县各部门、各街道情况。" } else { "" };
        text.replacen("## 二、", &format!("{sums}{prose}\n\n## 二、"), 1)
    }

    /// Returns a number that differs from year to year for every third body: the others repeat last year's prose.
    fn own_prose_of_year(&self) -> usize {
        if self.n.is_multiple_of(3) && self.year == YEARS[1] { 1000 } else { 0 }
    }

    /// Every body has numbers of its own, and every fourth the same in both years.
    fn with_numbers(&self, mut text: String) -> String {
        let more = self.more();
        for row in RISING {
            text = text.replacen(row, &raised(row, more), 1);
        }
        if self.n % 2 == 1 && self.n > 1 {
            // Bodies of the second county carry over what they ended with, but its government does not.
            text = text.replacen(CARRIED_IN, CARRIED_OUT, 1);
        }
        if self.n % 6 == 5 && self.year == YEARS[1] {
            text = text.replacen("| 行政规范性文件 | 13 | 8 | 84 |", "| 行政规范性文件 | 13 | 208 | 31 |", 1);
        }
        let licences = if self.n == 1 { 1_000_000 } else { 100 + more * 5 };
        text.replacen("| 行政许可 | 1764 |", &format!("| 行政许可 | {licences} |"), 1)
    }

    /// Returns the number of requests beyond those of the sample.
    fn more(&self) -> usize {
        let is_later = self.n % 4 != 3 && self.year == YEARS[1];
        self.n * 3 + usize::from(is_later) * 40 + 1
    }

    /// Returns the day on which the page says that it was published; none for a body that has no page.
    fn publication(&self) -> Option<&'static str> {
        match (self.n % 10, self.year == YEARS[1]) {
            (8, true) => Some("2024-05-20 09:00"),
            (9, true) => Some("2023-12-20 09:00"),
            (3, true) => Some("2024-01-20 09:00"),
            _ => None,
        }
    }
}

/// Returns a row with more requests of natural persons, and as many more in total.
fn raised(row: &str, more: usize) -> String {
    let mut numbers: Vec<usize> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
    for number in [0, numbers.len() - 1] {
        numbers[number] += more;
    }
    let cells: String = numbers.iter().map(|number| format!(" {number} |")).collect();
    format!("|{cells}")
}

/// Returns a Markdown report as a page with its day of publication.
fn page(text: &str, day: &str) -> String {
    let mut page = format!("<html><head><meta name=\"PubDate\" content=\"{day}\"></head><body>");
    let mut is_table = false;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("|---")) {
        let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
        if cells.is_some() != is_table {
            page.push_str(if is_table { "</table>" } else { "<table>" });
            is_table = !is_table;
        }
        match cells {
            Some(cells) => {
                let cells: String =
                    cells.split('|').map(|cell| format!("<td>{}</td>", cell.trim())).collect();
                page.push_str(&format!("<tr>{cells}</tr>"));
            }
            None => page.push_str(&format!("<p>{}</p>", line.trim_start_matches(['#', ' ']))),
        }
    }
    page + "</body></html>"
}
