//! The numbers of the prose: lists against their totals, requests against chapter 三.

use gongkai_model::{Finding, Report, Severity};

use crate::support::{brief, clean, findings, set, value, with_prose};

/// Returns the findings about a text in chapter 一 of a report whose table agrees with `cells`.
fn check_in(cells: &[(&str, &str)], agency: &str, text: &str) -> Vec<Finding> {
    let mut report = with_prose(text);
    report.agency = agency.into();
    for (id, state) in cells {
        set(&mut report, id, state);
    }
    let mut all = findings(&report);
    all.retain(|f| f.rule.starts_with("P-"));
    all
}

// === Lists ===

/// Compares `SEVERITY parts total` of the findings about lists.
fn lists(text: &str, expect: &[&str]) {
    let mut found = check_in(&[], "青溪市水务局", text);
    found.retain(|f| f.rule == "P-SUM");
    let seen: Vec<String> = found
        .iter()
        .map(|f| {
            format!("{} {} {}", f.severity, f.expected.as_deref().unwrap(), f.actual.as_deref().unwrap())
        })
        .collect();
    assert_eq!(seen, expect, "{text}: {:?}", brief(&found));
}

#[test]
fn lists_that_add_up_are_silent() {
    lists(
        "2023年，我委主动公开信息77条，其中决策公开10条，管理公开4条，结果公开2条，执行公开61条。聚焦重点领域。",
        &[],
    );
    lists(
        "**2023 年，本机关公开信息 766 条，其中主动公开工作动态 743 条，及时公开财经信息 5 条，概况信息 2 条，人事信息 2 条，发布政策文件 12 条，计划总结 2 条。**",
        &[],
    );
    lists(
        "2023年我街道通过政府门户网站主动公开政府信息396条，其中公示公告8条、政策文件解读7条、工作动态55条、计划总结1条、乡镇之窗1条、专项资金2条、财政预决算2条、服务公开信息4条、结果公开信息4条、重点领域信息公开49条、财政直达资金50条、村（居）务公开213条。",
        &[],
    );
    lists("主动公开政府信息74条,其中决策公开13条、执行公开53条、管理公开4条、结果公开4条。", &[]);
    lists(
        "全年开展多元化政策简明问答98期，其中，市级48期、宿豫区17期、沭阳县15期、泗阳县9期、泗洪县7期、宿城区2期。",
        &[],
    );
    lists(
        "全年共审核发布各类公开政府信息249条，其中：发布行政公文和政策解读信息9条；机构设置和人事任免信息7条；重点工作39条；财政预决算信息6条；信息公开年度报告1条；政府信息公开指南1条；政府网站信息185条；政府信息公开制度1条。全年受理网络问政182件。",
        &[],
    );
    lists("共归集政策文件10219件，其中，市级文件8140件，县区级文件2079件。政策文件库成功入选。", &[]);
}

#[test]
fn a_list_that_does_not_add_up_is_found() {
    lists(
        "我委主动公开信息78条，其中决策公开10条，管理公开4条，结果公开2条，执行公开61条。",
        &["WARNING 77 78"],
    );
    lists(
        "我委主动公开信息７６条，其中：决策公开１０条；管理公开４条；结果公开２条；执行公开６１条。",
        &["WARNING 77 76"],
    );
    lists("全年公开信息53条，包括政策类三十条、动态类二十四条。", &["WARNING 54 53"]);
    lists("公开信息53条（其中政策类30条，动态类24条），回应热点5次。", &["WARNING 54 53"]);
    lists("公开信息53条，比上年增加7条，其中政策类30条，动态类24条，另有图解3条。", &["WARNING 54 53"]);
    lists("公开信息1,053条，同比增长5.2%。其中，政策类 30条，动态类1024条。", &["WARNING 1054 1053"]);
    lists("公开文件53件，其中规章2件、规范性文件31件（含修订3件）、其他文件21件。", &["WARNING 54 53"]);
}

#[test]
fn a_list_that_need_not_be_whole_is_no_alarm() {
    // The lists have 等, mixed units, one part, rounded numbers, nested lists, overlapping channels, or are
    // quotations.
    lists("公开信息100条，其中政策类30条、动态类60条等。", &[]);
    lists("公开信息100条，其中政策类30条、图解5篇、动态类60条。", &[]);
    lists("公开信息100条，其中政策类30条。", &[]);
    lists("公开信息近100条，其中政策类30条、动态类60条。", &[]);
    lists("公开信息14万余条，其中政策类30条、动态类60条。", &[]);
    lists("公开信息100条，其中政策类90余条、动态类20条。", &[]);
    lists("公开信息100条，其中政策类50条，其中解读20条；动态类30条。", &[]);
    lists("公开信息100条，其中政府网站90条、微信公众号80条、公报12条。", &[]);
    lists("推进“公开100条，其中政策类30条、动态类60条”工作。", &[]);
    lists("开展培训3次，其中线上1次、线下1次。", &[]);
    // A list that is far below its number leads to a REVIEW.
    lists("公开信息100条，其中政策类30条、动态类20条。", &["REVIEW 50 100"]);
    // The change of a part is not a part.
    lists("公开信息90条，其中政策类30条，比上年增加2条，动态类60条。", &[]);
    // The number before 其中 that is a change is not the number broken down.
    lists("公开信息90条，较上年减少12条，其中政策类30条，动态类60条。", &[]);
    lists("印发文件5件。其中政策类30条，动态类60条。", &[]);
}

#[test]
fn results_of_requests_add_up_to_the_answers() {
    let text = |handled: u32, other: u32| {
        format!(
            "我局共受理政府信息公开申请1295件，办结{handled}件（含上年结转189件），均在法定期限内答复。其中，予以公开及部分公开208件（17.46%），不予公开20件（1.68%），因本机关不掌握等原因无法提供564件（47.36%），属信访、重复申请等不予处理80件（6.72%），其他处理{other}件（26.78%，含申请人主动撤回157件）。"
        )
    };
    lists(&text(1191, 319), &[]);
    lists(&text(1191, 318), &["WARNING 1190 1191"]);
    lists(&text(1192, 319), &["WARNING 1191 1192"]);
    // The total includes requests carried over to the next year.
    lists(
        "全年共收办政府信息公开申请案件3646件，同比增长1.05%，其中，予以公开1431件、部分公开471件、不予公开92件、无法提供941件、不予处理117件、作其他处理（含申请人主动撤回申请）469件、转下年度办理125件。",
        &[],
    );
    lists(
        "代表市政府共受理政府信息公开申请859件，申请数量较去年回落12.3%；答复政府信息公开申请805件（含上年度结转申请18件，另有72件申请按照《条例》顺延到下年度答复），均在法定期限内予以答复。予以公开及部分公开258件，占33.9%；不予公开35件，占4.34%；因本机关不掌握等原因无法提供265件，占32.9%；不予处理158件，占19.6%；其他处理0件。",
        &["WARNING 716 805"],
    );
    // Not all results are named, so the list does not have to add up.
    lists("收到政府信息公开申请26件，其中予以公开20件，不予公开3件。", &[]);
}

// === Requests ===

const TABLE: &[(&str, &str)] = &[
    ("requests.received[total]", "26"),
    ("requests.carried_in[total]", "3"),
    ("requests.outcome.granted[total]", "11"),
    ("requests.outcome.partially_granted[total]", "4"),
    ("requests.outcome.total[total]", "24"),
    ("requests.carried_out[total]", "5"),
];

/// Compares `expected actual` of the findings about requests, against the totals of [`TABLE`]. A number that may belong
/// to another scope gives a REVIEW, which is not compared.
fn requests_of(agency: &str, text: &str, expect: &[&str]) {
    let mut found = check_in(TABLE, agency, text);
    found.retain(|f| f.rule == "P-REQ");
    let seen: Vec<String> = found
        .iter()
        .filter(|f| f.severity == Severity::Warning)
        .map(|f| format!("{} {}", f.expected.as_deref().unwrap(), f.actual.as_deref().unwrap()))
        .collect();
    assert_eq!(seen, expect, "{text}: {:?}", brief(&found));
}

fn requests(text: &str, expect: &[&str]) {
    requests_of("青溪市水务局", text, expect);
}

#[test]
fn what_agrees_with_the_table_is_silent() {
    requests("全年共收到政府信息公开申请26件，办结24件，结转下年度5件。", &[]);
    requests("共受理依申请公开29件（含上年结转3件），答复24件，另有5件顺延。", &[]);
    requests("新收政府信息公开申请二十六件，上年结转三件。", &[]);
    requests("2023年度我局共收到依申请信息公开 26 件，及时回复申请人。", &[]);
    requests("收到申请26件，其中予以公开11件、部分公开4件。", &[]);
    requests("收到公民、法人或者其他组织提出的政府信息公开申请26件，办结24件。", &[]);
    requests("通过信函、网络等渠道共收到政府信息公开申请26件。", &[]);
    requests("收到政府信息公开申请26件，予以公开及部分公开15件。", &[]);
    requests("收到政府信息公开申请26件，作出答复21件，上年结转答复3件。", &[]);
}

#[test]
fn what_disagrees_with_the_table_is_found() {
    requests("全年共收到政府信息公开申请27件，均已答复。", &["26 27"]);
    requests("全年共收到２８件政府信息公开申请。", &["26 28"]);
    requests("新收政府信息公开申请29件。", &["26 29"]);
    requests("受理依申请公开一件。", &["26 1"]);
    requests("收到政府信息公开申请26件，办结23件，上年结转2件，结转下年度4件。", &["24 23", "3 2", "5 4"]);
    requests(
        "收到政府信息公开申请26件，答复22件，另有6件申请按照《条例》顺延到下年度答复。",
        &["24 22", "5 6"],
    );
    requests("2022年结转政府信息公开申请4件。", &["3 4"]);
    requests("收到申请26件，其中予以公开12件、部分公开3件。", &["11 12", "4 3"]);
    requests("收到政府信息公开申请26件，予以公开和部分公开16件。", &["15 16"]);
    requests("收到政府信息公开申请26件，其中12件予以公开，3件部分公开。", &["11 12", "4 3"]);
    requests("收到政府信息公开申请零件。", &["26 0"]);
    requests("收到公民、法人和其他组织提出的政府信息公开申请27件，均已答复。", &["26 27"]);
    requests("通过信函、网络等渠道共收到政府信息公开申请28件。", &["26 28"]);
    requests("本年度新增政府信息公开申请29件。", &["26 29"]);
    requests("全年共有政府信息公开申请31件。", &["24 31"]);
}

#[test]
fn another_bodys_year_channel_or_matter_is_no_claim() {
    // The scope is that of another body.
    requests("区政府办代表区政府受理政府信息公开申请17件。", &[]);
    requests("全市各单位共收到政府信息公开申请345件，办结333件。其中予以公开200件。", &[]);
    requests("本级收到政府信息公开申请7件。", &[]);
    // The number belongs to last year.
    requests("收到政府信息公开申请26件，比上年增加8件，去年收到18件。", &[]);
    requests("2022年收到政府信息公开申请18件，2023年收到26件。", &[]);
    requests("与2022年收到的18件政府信息公开申请相比有所增加。", &[]);
    // The numbers are parts and rates.
    requests("收到政府信息公开申请26件，其中当面申请3件、信函申请5件、网络申请18件。", &[]);
    requests("通过网络收到政府信息公开申请18件。", &[]);
    requests("收到政府信息公开申请26件，其中受理20件。", &[]);
    requests("收到政府信息公开申请26件，按时办结20件，延期办结4件。", &[]);
    requests("收到自然人政府信息公开申请20件。", &[]);
    requests("收到公民、法人和其他组织通过网络提出的政府信息公开申请18件。", &[]);
    requests("规范依申请公开工作。新增公开目录7条。", &[]);
    // The numbers are rounded, quoted, negated, or concern another matter.
    requests("收到政府信息公开申请20余件。", &[]);
    requests("努力做到“办结一件申请、解决一个问题”，认真办理每一件依申请公开案件。", &[]);
    requests("规范依申请公开工作。全年受理网络问政182件，办理人大建议5件、政协提案7件。", &[]);
    requests("规范政府信息公开申请工作。收到行政复议申请3件，办理12345热线工单99件。", &[]);
    requests("规范依申请公开工作。受理行政许可申请55件。", &[]);
    requests("收到政府信息公开申请26件，不予受理0件，正在办理2件。", &[]);
    requests("收到公众意见75条。", &[]);
    requests("2023年有3件政府信息公开申请案件收取信息处理费2230元。", &[]);
}

#[test]
fn a_scope_word_of_the_bodys_own_area_is_its_own() {
    requests_of("青溪市人民政府", "全市全年共收办政府信息公开申请案件30件。", &["26 30"]);
    requests_of("青溪市人民政府办公室", "本办收到政府信息公开申请30件。", &["26 30"]);
    requests_of("青溪市人民政府", "全区共收到政府信息公开申请30件。", &[]);
    requests_of("青溪市水务局", "本办收到政府信息公开申请30件。", &[]);
}

#[test]
fn one_right_number_is_enough_where_a_passage_says_a_thing_twice() {
    requests("收到政府信息公开申请26件，其中新收到26件。本月收到政府信息公开申请2件。", &[]);
    // A wrong number of another scope silences the rest of its passage.
    requests("代表区政府受理政府信息公开申请17件。予以公开9件。", &[]);
    let asked = check_in(TABLE, "青溪市水务局", "代表区政府受理政府信息公开申请17件。予以公开9件。");
    assert_eq!(brief(&asked), ["P-REQ REVIEW"]);
    // A right number of another scope does not.
    requests("代表区政府受理政府信息公开申请26件。予以公开9件。", &["11 9"]);
}

#[test]
fn a_blank_total_counts_as_its_printed_parts_at_least() {
    let mut blank = clean();
    let parts =
        value(&blank, "requests.outcome.granted[total]") - value(&blank, "requests.outcome.granted[other]");
    set(&mut blank, "requests.outcome.granted[total]", "_");
    set(&mut blank, "requests.outcome.granted[other]", "_");
    let about = |report: &Report, number: rust_decimal::Decimal| {
        let mut report = report.clone();
        let text = format!(
            "收到申请若干。对政府信息公开申请予以公开{number}件、部分公开{}件。",
            value(&report, "requests.outcome.partially_granted[total]")
        );
        report.sections[0].paragraphs = vec![crate::support::paragraph(&text)];
        brief(&findings(&report)).of(&["P-REQ"])
    };
    let one = rust_decimal::Decimal::ONE;
    assert_eq!(about(&blank, parts - one), ["P-REQ WARNING"]);
    assert_eq!(about(&blank, parts), [""; 0]);
    assert_eq!(about(&blank, parts + one), [""; 0]);
    set(&mut blank, "requests.outcome.granted[other]", "?");
    assert_eq!(about(&blank, parts - one), [""; 0]);
}

#[test]
fn a_finding_about_prose_quotes_its_clause_and_names_the_row() {
    let all = check_in(TABLE, "青溪市水务局", "本年我局共收到政府信息公开 申请27件。");
    let found = all.iter().find(|f| f.rule == "P-REQ").unwrap();
    let source = found.source.as_ref().unwrap();
    assert_eq!(source.text, "本年我局共收到政府信息公开 申请27件");
    let span = source.span.unwrap();
    assert_eq!((span.start, span.end), (1000, 1019));
    assert_eq!(
        found.message,
        "第一部分「本年我局共收到政府信息公开 申请27件」与第三部分表格「一、本年新收」「总计」列不一致：文字 27 件，表格 26 件。"
    );
    assert_eq!(found.concept.as_ref().unwrap().as_str(), "requests.received");
    assert_eq!(found.facts[0].to_string(), "requests.received[total]");
    // The table is the cause here: 26 does not agree with its row.
    assert_eq!(found.cause.as_ref().unwrap().to_string(), "requests.received[total]");
}
