//! A draft and the published document have the same key and the same findings, for every combination of the agency
//! and year in metadata, title and document, with and without a registry.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::sync::Arc;

use gongkai_agencies::{Registry, read_csv};
use gongkai_ingest::{
    dry_run::DryRun,
    fetch::Fetcher,
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity},
};
use gongkai_isolation::Readers;
use gongkai_parse::Reader;
use gongkai_proto::{
    ReportEvent, subjects,
    v1::{AgencyHint, DocumentKind, DocumentReceived},
};
use gongkai_rules::RuleSet;
use gongkai_validate::Validator;
use gongkai_worker::{Context, Handler, Once, Output, Runtime, Transport, transport::memory::Memory};
use time::macros::datetime;
use tokio::sync::watch;

/// Where the agency or the year is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenBy {
    /// The agency or the year is not given.
    None,
    Document,
    Title,
    /// The sender gives the agency's name, or the year.
    Name,
    Code,
    NameAndCode,
    /// The sender gives another value than the document.
    Contradicted,
    /// The title gives another value than the document.
    OtherInTitle,
}

const AGENCY: [GivenBy; 8] = [
    GivenBy::None,
    GivenBy::Document,
    GivenBy::Title,
    GivenBy::Name,
    GivenBy::Code,
    GivenBy::NameAndCode,
    GivenBy::Contradicted,
    GivenBy::OtherInTitle,
];
const YEAR: [GivenBy; 6] = [
    GivenBy::None,
    GivenBy::Document,
    GivenBy::Title,
    GivenBy::Name,
    GivenBy::Contradicted,
    GivenBy::OtherInTitle,
];
const OTHER: &str = "云溪县林业局";

impl GivenBy {
    fn is_in_document(self) -> bool {
        matches!(self, Self::Document | Self::Contradicted | Self::OtherInTitle)
    }

    fn is_contradicted(self) -> bool {
        matches!(self, Self::Contradicted | Self::OtherInTitle)
    }
}

/// A body and its report.
struct Case {
    number: usize,
    agency: GivenBy,
    year: GivenBy,
}

/// The result of a document: its key with its findings, or the code of its rejection.
type Outcome = Result<(String, Vec<String>), String>;

struct Stages {
    draft: DryRun,
    parse: Reader,
    validate: Validator,
    runtime: Runtime,
}

// === impl Case ===

impl Case {
    fn all() -> impl Iterator<Item = Self> {
        let cases = AGENCY.into_iter().flat_map(|agency| YEAR.into_iter().map(move |year| (agency, year)));
        cases.enumerate().map(|(number, (agency, year))| Self { number, agency, year })
    }

    fn name(&self) -> String {
        format!("云溪县第{}街道办事处", self.number)
    }

    fn code(&self) -> String {
        format!("YX-{}", self.number)
    }

    fn text(&self) -> String {
        let agency = if self.agency.is_in_document() { self.name() } else { String::new() };
        let year = if self.year.is_in_document() { "2023年" } else { "" };
        format!(
            "{agency}{year}政府信息公开工作年度报告\n一、总体情况\n本机关依法公开。\n二、主动公开政府信息情况\n\
             信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n规章 | 0 | 0 | 0 |\n行政规范性文件 | 1 | 0 | 17 |\n\
             三、收到和处理政府信息公开申请情况\n无。\n四、政府信息公开行政复议、行政诉讼情况\n无。\n\
             五、存在的主要问题及改进情况\n解读形式单一，将增加图解。\n六、其他需要报告的事项\n无。\n"
        )
    }

    fn declared(&self) -> DeclaredMetadata {
        let named = match self.agency {
            GivenBy::Name | GivenBy::NameAndCode => self.name(),
            GivenBy::Contradicted => OTHER.to_owned(),
            _ => String::new(),
        };
        let code = match self.agency {
            GivenBy::Code | GivenBy::NameAndCode => self.code(),
            _ => String::new(),
        };
        let title = match self.agency {
            GivenBy::Title => self.name(),
            GivenBy::OtherInTitle => OTHER.to_owned(),
            _ => String::new(),
        };
        let title = title
            + match self.year {
                GivenBy::Title => "2023年",
                GivenBy::OtherInTitle => "2022年",
                _ => "",
            };
        DeclaredMetadata {
            agency: AgencyHint { code, name: named },
            year: match self.year {
                GivenBy::Name => 2023,
                GivenBy::Contradicted => 2021,
                _ => 0,
            },
            title: if title.is_empty() { title } else { title + "政府信息公开工作年度报告" },
            url: format!("https://www.yunxi.example/{}.html", self.number),
            ..DeclaredMetadata::default()
        }
    }

    fn submission(&self, kind: DocumentKind) -> Submission {
        let content = File { bytes: self.text().into(), filename: "a.txt".to_owned(), ..File::default() };
        Submission {
            kind,
            content,
            attachments: Vec::new(),
            declared: self.declared(),
            identity: SubmissionIdentity::Content,
        }
    }
}

// === impl Stages ===

impl Stages {
    async fn new(registry: Registry) -> Self {
        let memory = Memory::new();
        memory.declare(&gongkai_proto::topology!()).await.unwrap();
        let runtime = Runtime::builder("drafts", Arc::new(memory)).build();
        gongkai_isolation::testing::children_run(env!("CARGO_BIN_EXE_reading_child"));
        let registry = watch::channel(Arc::new(registry)).1;
        let (ingest, parse) = (gongkai_ingest::Config::default(), gongkai_parse::Config::default());
        let readers = Readers::new(&parse.isolation()).unwrap();
        let fetcher = Fetcher::new(&ingest).unwrap();
        Self {
            draft: DryRun::new(&ingest, runtime.clone(), fetcher, registry.clone()).unwrap(),
            parse: Reader::new(&parse, &runtime, readers, registry.clone()),
            validate: Validator::new(&runtime, RuleSet::embedded(), registry),
            runtime,
        }
    }

    async fn drafted(&self, case: &Case) -> Outcome {
        let checked = self.draft.check(case.submission(DocumentKind::Draft)).await.unwrap();
        let (key, checked) = checked.outcome.map_err(|rejection| rejection.code.to_string())?;
        let findings = checked.findings.iter().map(|f| line(&f.rule, &f.fingerprint, &f.message));
        Ok((key.to_string(), findings.collect()))
    }

    async fn published(&self, case: &Case) -> Outcome {
        let submission = case.submission(DocumentKind::Published);
        let stored = submission.references();
        let original = stored.content.clone().unwrap();
        let originals = self.runtime.objects(subjects::BUCKET_ORIGINALS);
        originals.put(&original.key, submission.content.bytes.clone()).await.unwrap();
        let received = submission.received(stored, prost_types::Timestamp::default());
        let id = format!("s-{}", case.number);
        let received = DocumentReceived { submission_id: id, ..received };
        let context = context(2 * case.number);
        let read = self.parse.handle(ReportEvent::Received(Box::new(received)), &context).await.unwrap();
        let parsed = match event(&read) {
            ReportEvent::Rejected(rejected) => return Err(rejected.rejection.unwrap().code),
            parsed => parsed,
        };
        let judged = self.validate.handle(parsed, &self::context(2 * case.number + 1)).await.unwrap();
        let ReportEvent::Validated(validated) = event(&judged) else { panic!("{judged:?}") };
        let findings = validated.findings.iter().map(|f| line(&f.rule, &f.fingerprint, &f.message));
        Ok((validated.report.unwrap().name, findings.collect()))
    }
}

fn line(rule: &str, fingerprint: &str, message: &str) -> String {
    format!("{rule} {fingerprint} {message}")
}

fn event(outputs: &[Output]) -> ReportEvent {
    let [output] = outputs else { panic!("{outputs:?}") };
    ReportEvent::decode(&output.subject, output.payload.clone()).unwrap()
}

fn context(at: usize) -> Context {
    Context {
        message_id: format!("m-{at}"),
        subject: "gongkai.v1.report.received.000000".to_owned(),
        sequence: 1 + u64::try_from(at).unwrap(),
        logged_at: datetime!(2024-01-15 10:12:00 UTC),
        repetition: None,
        attempt: 1,
        trace_id: String::new(),
        once: Once::default(),
    }
}

/// Compares all cases over a registry. Returns the keys.
async fn compared(registry: Registry) -> Vec<(Case, Outcome)> {
    let stages = Stages::new(registry).await;
    let mut outcomes = Vec::new();
    for case in Case::all() {
        let (draft, published) = (stages.drafted(&case).await, stages.published(&case).await);
        assert_eq!(draft, published, "agency: {:?}, year: {:?}", case.agency, case.year);
        outcomes.push((case, published));
    }
    outcomes
}

#[tokio::test]
async fn a_draft_is_answered_like_the_document_that_is_published() {
    let listed = Case::all().map(|case| format!("{},{}\n", case.code(), case.name()));
    let listed = "code,name\n".to_owned() + &listed.collect::<String>();
    for (registry, is_listed) in [(Registry::default(), false), (read_csv(listed.as_bytes()).unwrap(), true)]
    {
        for (case, outcome) in compared(registry).await {
            let is_named = match case.agency {
                GivenBy::None => false,
                GivenBy::Code => is_listed,
                _ => true,
            };
            let Ok((key, findings)) = outcome else {
                assert!(!is_named || case.year == GivenBy::None, "{:?} {:?}", case.agency, case.year);
                continue;
            };
            assert!(is_named && case.year != GivenBy::None, "{key}");
            assert!(key.ends_with("/reports/2023"), "{key}");
            assert_eq!(key.starts_with(&format!("agencies/{}/", case.code())), is_listed, "{key}");
            let has = |rule: &str| findings.iter().any(|finding| finding.starts_with(rule));
            assert_eq!(has("S-AGENCY "), case.agency.is_contradicted(), "{key}: {findings:?}");
            assert_eq!(has("S-YEAR "), case.year.is_contradicted(), "{key}: {findings:?}");
        }
    }
}
