//! Inserts one error at a time into a realistic report: each is found without any other report, and the clean
//! report has neither a warning nor an error.

use gongkai_model::{Report, Severity};

use crate::{
    real,
    support::{brief, findings, set},
};

/// Returns the findings that a person must act on or decide.
fn serious(report: &Report) -> Vec<String> {
    let all = findings(report).into_iter().filter(|f| f.severity > Severity::Info);
    all.map(|f| format!("{} {} {}", f.rule, f.severity, f.message)).collect()
}

/// Replaces a text of the prose, which must occur.
fn write(report: &mut Report, from: &str, to: &str) {
    let sections = report.sections.iter_mut().flat_map(|section| section.paragraphs.iter_mut());
    let place = report.preamble.iter_mut().chain(sections).find(|p| p.text.contains(from));
    let place = place.unwrap_or_else(|| panic!("{from} stands nowhere"));
    *place = real::paragraph(&place.text.replacen(from, to, 1));
}

#[test]
fn the_clean_report_has_neither_warning_nor_error() {
    assert_eq!(serious(&real::report()), Vec::<String>::new());
}

type Change = (&'static str, fn(&mut Report), &'static str);

/// A change of the report, and the rule that must find it.
const CHANGES: &[Change] = &[
    ("balance", |r| set(r, "requests.carried_out[enterprise]", "5"), "T3-BAL"),
    ("row total", |r| set(r, "requests.outcome.granted[total]", "210"), "T3-ROW"),
    ("leaf", |r| set(r, "requests.outcome.unavailable.not_held[natural_person]", "190"), "T3-SUM"),
    ("dispute total", |r| set(r, "disputes.reconsideration.total", "14"), "T4-SUM"),
    ("prose: new", |r| write(r, "申请512件", "申请521件"), "P-REQ"),
    ("prose: carried in", |r| write(r, "上年结转23件", "上年结转32件"), "P-REQ"),
    ("prose: handled", |r| write(r, "办结518件", "办结581件"), "P-REQ"),
    ("prose: carried out", |r| write(r, "继续办理17件", "继续办理71件"), "P-REQ"),
    ("prose: granted", |r| write(r, "予以公开201件", "予以公开102件"), "P-REQ"),
    ("prose: unavailable", |r| write(r, "无法提供150件", "无法提供105件"), "P-REQ"),
    ("prose: share", |r| write(r, "占38.8%", "占83.8%"), "P-PCT"),
    ("prose: breakdown", |r| write(r, "政策文件211条", "政策文件121条"), "P-SUM"),
    ("prose: reconsideration", |r| write(r, "行政复议41件", "行政复议14件"), "P-T4"),
    ("prose: upheld", |r| write(r, "结果维持22件", "结果维持12件"), "P-T4"),
    ("prose: litigation", |r| write(r, "行政诉讼19件", "行政诉讼91件"), "P-T4"),
    ("prose: documents", |r| write(r, "规范性文件14件", "规范性文件41件"), "P-DOC"),
    ("prose: repealed", |r| write(r, "废止9件", "废止19件"), "P-DOC"),
    ("negative", |r| set(r, "requests.received[legal_service]", "-9"), "T3-INT"),
    ("fraction", |r| set(r, "disputes.litigation_direct.upheld", "7.5"), "T3-INT"),
    ("blank", |r| set(r, "requests.carried_in[other]", "_"), "CELL-EMPTY"),
    ("not applicable for a number", |r| set(r, "requests.outcome.granted[total]", "/"), "CELL-NA"),
    (
        "wrong period",
        |r| {
            r.period =
                r.period.map(|p| gongkai_model::Period { from: (2023, 1, 1), to: (2023, 12, 31), ..p });
        },
        "S-YEAR",
    ),
    ("wrong year", |r| write(r, "2024年，我市认真", "2023年，我市认真"), "H-YEAR"),
    ("missing chapter", |r| drop(r.sections.remove(4)), "S-SECT"),
    (
        "missing table",
        |r| {
            r.sections[3].has_table = false;
            let ids: Vec<String> =
                r.facts.iter().map(|f| f.id.to_string()).filter(|id| id.starts_with("disputes.")).collect();
            ids.iter().for_each(|id| set(r, id, "!"));
        },
        "S-TBL",
    ),
    ("exchanged headers", exchange_headers, "S-TBL"),
    ("yuan for ten thousand", |r| set(r, "proactive.fees.amount", "613452700"), "T2-UNIT"),
    ("nothing charged, and an amount", |r| write(r, "收取信息处理费880元", "未收取信息处理费880元"), "P-FEE"),
];

/// Moves the cells to their columns under a header that names 科研机构 and 社会公益组织 in the other order.
fn exchange_headers(report: &mut Report) {
    let columns = [3, 4, 6, 5, 7, 8, 9];
    let requests = report.facts.iter_mut().filter(|fact| fact.id.applicant.is_some());
    for (at, fact) in (0_u32..).zip(requests) {
        let cell = gongkai_model::CellRef { table: 1, row: 3 + at / 7, column: columns[at as usize % 7] };
        fact.source = Some(gongkai_model::Source { cell: Some(cell), ..Default::default() });
    }
}

/// A dozen realistic wordings of one year's numbers.
const WORDINGS: &[&str] = &[
    "2024年，共收到政府信息公开申请512件，上年度结转23件，全部在法定期限内答复，答复518件，结转下年度17件。",
    "全年共受理政府信息公开申请512件（另有上年结转23件），办结518件，17件顺延至下年度办理。",
    "2024年度新收政府信息公开申请五百一十二件，比上年增加31件，上年结转政府信息公开申请23件，本年度办理结果总计518件。",
    "本年新收依申请公开512件，其中自然人446件、商业企业52件、社会公益组织5件、法律服务机构9件。",
    "共办理政府信息公开申请535件，其中新收512件，上年结转23件。",
    "收到政府信息公开申请512件，其中网络申请301件、信函申请178件、当面申请33件。",
    "答复政府信息公开申请518件，其中予以公开201件，部分公开60件，不予公开47件，无法提供150件，不予处理32件，其他处理28件。",
    "今年以来收到申请512件，同比增长6.4%，较2023年增加31件。",
    "因政府信息公开被申请行政复议41起，被提起行政诉讼19起。",
    "行政复议案件41件（维持22件、纠正6件、其他结果9件、尚未审结4件），行政诉讼案件19件。",
    "全年通过政府网站公开信息约1200余条，政务微信发布信息3056条次。",
    "制发行政规范性文件14件、废止9件，公开政策解读28条，召开新闻发布会5场。",
];

#[test]
fn wordings_of_right_numbers_are_clean_and_of_wrong_ones_are_not() {
    for wording in WORDINGS {
        let mut report = real::report();
        report.sections[0].paragraphs.push(real::paragraph(wording));
        assert_eq!(serious(&report), Vec::<String>::new(), "{wording}");
    }
    let wrong = [
        (0, "512", "215", "P-REQ"),
        (1, "518", "185", "P-REQ"),
        (2, "五百一十二", "五百二十一", "P-REQ"),
        (3, "512", "212", "P-SUM"),
        (4, "535", "553", "P-REQ"),
        (5, "301", "331", "P-SUM"),
        (6, "无法提供150", "无法提供510", "P-SUM"),
        (8, "41", "14", "P-T4"),
        (9, "尚未审结4", "尚未审结7", "P-T4"),
        (11, "废止9", "废止6", "P-DOC"),
    ];
    for (at, from, to, rule) in wrong {
        let mut report = real::report();
        // The wrong number must be the only one of its kind: a right one beside it would excuse it.
        report.sections[0].paragraphs[2] = real::paragraph(&WORDINGS[at].replacen(from, to, 1));
        report.sections[0].paragraphs.remove(if at == 8 || at == 9 { 3 } else { 1 });
        let found = serious(&report);
        assert!(found.iter().any(|finding| finding.starts_with(rule)), "{at}: {rule} not among {found:?}");
    }
}

#[test]
fn every_single_error_is_found_without_another_report() {
    assert_eq!(CHANGES.len(), 28);
    let mut missed = Vec::new();
    for (name, change, rule) in CHANGES {
        let mut report = real::report();
        change(&mut report);
        let found = brief(&findings(&report));
        if !found.speaks(rule) {
            missed.push(format!("{name}: {rule} not among {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
