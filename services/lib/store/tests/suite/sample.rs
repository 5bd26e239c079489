//! Sample arrivals. Sequences are small numbers; an arrival's hash, address and time derive from the arguments.

use gongkai_model::{
    AgencyKey, Area, Arrival, CellRef, Concept, Erasure, Fact, FactId, Finding, FormId, Rank, ReportKey,
    ReviewStep, Revocation, Severity, Source, Span, State, UnreadReason, Variant, Versions, Waiver,
    WaiverEnd, Withdrawal,
};
use gongkai_store::{ArrivalEvent, ArrivalOutcome, Content, Origin, StoredProse, StoredSection};
use time::{Duration, OffsetDateTime, macros::datetime};

pub(crate) const START: OffsetDateTime = datetime!(2024-01-15 10:12:00.250 UTC);

pub(crate) fn key(agency: &str, year: i32) -> ReportKey {
    ReportKey { agency: AgencyKey::from_code(agency).unwrap(), year }
}

/// Returns the day `sequence` days after the start.
pub(crate) fn day(sequence: u64) -> OffsetDateTime {
    START + Duration::days(i64::try_from(sequence).unwrap())
}

/// Returns the sender's time of an arrival.
pub(crate) fn happened(received: u64) -> OffsetDateTime {
    day(received) - Duration::minutes(5)
}

pub(crate) fn origin(received: u64, hash: &str, url: &str) -> Origin {
    Origin {
        submission_id: format!("s{received}"),
        content_hash: hash.into(),
        received_sequence: received,
        received_at: day(received),
        published_at: (received % 2 == 1).then(|| day(received) - Duration::hours(3)),
        url: url.into(),
        region: "360982".parse().unwrap(),
    }
}

/// Returns a validated arrival; values and findings follow from `n`.
pub(crate) fn validated(received: u64, event: u64, hash: &str, key: &ReportKey, n: i64) -> ArrivalEvent {
    ArrivalEvent {
        outcome: ArrivalOutcome::Validated(Box::new(content(key, n))),
        ..rejected(received, event, hash)
    }
}

pub(crate) fn rejected(received: u64, event: u64, hash: &str) -> ArrivalEvent {
    let Origin { submission_id, content_hash, received_at, published_at, url, region, .. } =
        origin(received, hash, &format!("https://{hash}.example/"));
    let rank = Rank::new(received_at, received);
    let arrival = Arrival { rank, event, content_hash, url, received_at, published_at, region };
    ArrivalEvent {
        moved_from: Vec::new(),
        submission_id,
        arrival,
        event_at: day(event),
        event_time: Some(happened(received)),
        outcome: ArrivalOutcome::Rejected,
    }
}

pub(crate) fn content(key: &ReportKey, n: i64) -> Content {
    Content {
        key: key.clone(),
        agency_name: format!("{}街道办事处", key.agency),
        form: FormId::Form2021,
        variant: Variant::Standard,
        title: format!("{}年政府信息公开工作年度报告", key.year),
        media_type: "text/html".into(),
        facts: facts(n),
        findings: (0..=n % 3).map(|i| finding(n, i)).collect(),
        versions: versions(n),
        trace_id: format!("{n:032x}"),
        prose: Some(StoredProse {
            preamble: format!("第{n}稿"),
            sections: vec![
                StoredSection {
                    number: 1, title: "一、总体情况".into(), text: format!("共{n}条\n完")
                },
                StoredSection { number: 2, title: "二、主动公开".into(), text: String::new() },
            ],
        }),
        review: vec![
            ReviewStep {
                level: "科室负责人".into(), decision: "approved".into(), decided_at: Some(day(1))
            },
            ReviewStep { level: format!("第{n}级"), decision: String::new(), decided_at: None },
        ],
    }
}

pub(crate) fn withdrawal(sequence: u64, url: &str, key: Option<&ReportKey>) -> Withdrawal {
    let at = day(sequence);
    Withdrawal { rank: Rank::new(at, sequence), url: url.into(), report: key.cloned(), withdrawn_at: at }
}

pub(crate) fn erasure(at: u64, key: &ReportKey, hashes: &[&str]) -> Erasure {
    Erasure {
        reports: vec![key.clone()],
        content_hashes: hashes.iter().map(|&hash| hash.into()).collect(),
        reason: "当事人申请".into(),
        person: "王五".into(),
        erased_at: day(at),
    }
}

/// Returns a waiver of the first finding in the [`content`] of `n`.
pub(crate) fn waiver(id: &str, key: &ReportKey, n: i64, created: u64) -> Waiver {
    let Finding { rule, severity, fingerprint, operands_digest, .. } = finding(n, 0);
    Waiver {
        id: id.into(),
        key: key.clone(),
        region: "360982".parse().unwrap(),
        fingerprint,
        operands_digest,
        rule,
        severity,
        reason: "上级已同意保留".into(),
        person: "张三".into(),
        created_at: day(created),
        expires_at: day(created + 30),
        end: None,
    }
}

pub(crate) fn ended(waiver: &Waiver, at: u64, by: Option<&str>) -> Waiver {
    let revoked = by.map(|person| Revocation { person: person.into(), reason: "数据有误".into() });
    Waiver { end: Some(WaiverEnd { at: day(at), revoked }), ..waiver.clone() }
}

fn versions(n: i64) -> Versions {
    let v = |prefix: &str| format!("{prefix}{n}");
    Versions { program: v("p"), parser: v("r"), forms: v("f"), rules: v("u") }
}

fn source(text: &str, row: u32) -> Source {
    Source {
        text: text.into(),
        cell: Some(CellRef { table: 1, row, column: 4 }),
        page: Some(2),
        span: Some(Span { start: 812 + row, end: 815 + row }),
        area: (row % 2 == 1).then_some(Area { left: 70, top: 100 + row, right: 99, bottom: 120 }),
        part: row.is_multiple_of(3).then(|| "年报.docx".to_owned()),
    }
}

/// Returns one fact of each state; the fee has decimals.
fn facts(n: i64) -> Vec<Fact> {
    let number = |text: String| State::Reported(text.parse().unwrap());
    let id = |text: &str| text.parse::<FactId>().unwrap();
    let fact = |name: &str, state, source, candidates| Fact {
        id: id(name),
        state,
        unread_reason: (state == State::Unreadable).then_some(UnreadReason::CutsDiffer),
        source,
        candidates,
    };
    vec![
        fact("proactive.fees.amount", number(format!("{n}.20")), Some(source("17.20", 3)), vec![]),
        fact("requests.received[total]", number(n.to_string()), Some(source("7", 5)), vec![]),
        fact("requests.received[enterprise]", State::Blank, Some(source("", 5)), vec![]),
        fact("requests.carried_in[total]", State::NotApplicable, Some(source("/", 6)), vec![]),
        fact("requests.carried_out[total]", State::Missing, None, vec![]),
        fact("requests.received[other]", State::Unreadable, None, vec![source("8", 7), source("9", 8)]),
    ]
}

fn finding(n: i64, i: i64) -> Finding {
    let severity = [Severity::Error, Severity::Warning, Severity::Info][usize::try_from(i).unwrap()];
    let prose = i == 2;
    Finding {
        rule: ["T3-ROW", "P-SUM", "S-SECT"][usize::try_from(i).unwrap()].into(),
        severity,
        message: format!("第三章合计不符（{n}）"),
        message_en: format!("total differs ({n})"),
        fingerprint: format!("f{n}-{i}"),
        cause: (!prose).then(|| "requests.received[total]".parse().unwrap()),
        concept: (!prose).then(|| Concept::new("requests.received")),
        formula: "sum of applicants = total".into(),
        expected: (!prose).then(|| "7".into()),
        actual: Some("8".into()),
        facts: if prose {
            vec![]
        } else {
            vec![
                "requests.received[natural_person]".parse().unwrap(),
                "requests.received[total]".parse().unwrap(),
            ]
        },
        source: prose.then(|| Source { text: "共收到".into(), ..Source::default() }),
        legal: "条例第五十条".into(),
        help: "核对该行".into(),
        suggestion: (!prose).then(|| "将总计由 8 改为 7".into()),
        operands_digest: format!("d{n}-{i}"),
        versions: versions(n),
    }
}
