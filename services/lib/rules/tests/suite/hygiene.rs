//! The rules about words, one line per case: texts that fire, clean texts, and texts that only look wrong.

use crate::support::{brief, clean, findings, paragraph, set};

/// Checks the findings of one rule about a chapter's text (0: the preamble), each as `RULE SEVERITY`.
#[track_caller]
fn check(chapter: usize, text: &str, rule: &str, expect: &[&str]) {
    check_on(&[], chapter, text, rule, expect);
}

#[track_caller]
fn check_on(cells: &[(&str, &str)], chapter: usize, text: &str, rule: &str, expect: &[&str]) {
    let mut report = clean();
    cells.iter().for_each(|(id, state)| set(&mut report, id, state));
    match chapter.checked_sub(1) {
        None => report.preamble = vec![paragraph(text)],
        Some(at) => report.sections[at].paragraphs.push(paragraph(text)),
    }
    let seen = brief(&findings(&report)).of(&[&format!("{rule} ")]);
    assert_eq!(seen, expect, "{text}");
}

#[test]
fn persons_data() {
    for text in ["联系电话：13812341234。", "电话138-1234-1234", "手机８６１３９００００１２３４"]
    {
        check(0, text, "H-PII", &["H-PII ERROR"]);
    }
    check(6, "申请人身份证11010519491231002X。", "H-PII", &["H-PII ERROR"]);
    for text in [
        "电话：0795-7370013，邮编：331200。",
        "手机138****1234",
        "统一社会信用代码12620600MB0523338C",
        "电子邮箱：yxgk@163.com",
        "访问量13812341234次",
        "国办发〔2016〕80号",
        "12345热线",
    ] {
        check(0, text, "H-PII", &[]);
    }
}

#[test]
fn links() {
    check(0, "可从网站（http://www.qqqwwww.cn）下载。", "H-LINK", &["H-LINK WARNING"]);
    check(0, "网址www.example.com。", "H-LINK", &["H-LINK WARNING"]);
    check(1, "见http://218.65.4.7/art/1.html。", "H-LINK", &["H-LINK WARNING"]);
    for text in [
        "网站（http://www.zhangshu.gov.cn/）下载。",
        "网址：WWW.YUNXI.GOV.CN",
        "电子邮箱：hazwgkc@163.com",
        "微信https://mp.weixin.qq.com/s/abc",
        "增长2.5倍，版本1.0",
        "拨打12345热线",
    ] {
        check(0, text, "H-LINK", &[]);
    }
}

#[test]
fn residue() {
    for text in [
        "[bookmark: _GoBack]2023年",
        "HYPERLINK \"x\"",
        "**一是**完善",
        "错误!未找到引用源。",
        "公开&nbsp;信息",
    ] {
        check(1, text, "H-ART", &["H-ART WARNING"]);
    }
    check(1, "一是完善*机制", "H-ART", &[]);
    check(1, "公开\u{fffd}\u{fffd}信息", "H-ENC", &["H-ENC WARNING"]);
    check(1, "锟斤拷信息", "H-ENC", &["H-ENC WARNING"]);
    check(1, "㙟镇、𠮷水", "H-ENC", &[]);
    let mut report = clean();
    report.notes = vec![gongkai_model::Note::PinyinRemoved(7), gongkai_model::Note::TraditionalConverted];
    assert_eq!(brief(&findings(&report)).of(&["H-MIRROR"]), ["H-MIRROR ERROR"]);
    report.notes = vec![gongkai_model::Note::TraditionalConverted];
    assert_eq!(brief(&findings(&report)).of(&["H-MIRROR"]), ["H-MIRROR REVIEW"]);
}

#[test]
fn doubled_words() {
    check(0, "请与樟树市樟树市行政服务中心联系。", "H-DUP", &["H-DUP INFO"]);
    check(1, "出台的的政策。。", "H-DUP", &["H-DUP INFO"]);
    check(1, "一步一步推进，实现公开的目的的工作。", "H-DUP", &[]);
}

#[test]
fn years_in_the_prose() {
    check(1, "2022年，我局主动公开信息。", "H-YEAR", &["H-YEAR WARNING"]);
    check(6, "2022年度，我局没有其他事项。", "H-YEAR", &["H-YEAR WARNING"]);
    check(1, "2024年，我局认真落实条例。", "H-YEAR", &["H-YEAR WARNING"]);
    check(5, "2023年，我局将继续加强公开。", "H-YEAR", &["H-YEAR WARNING"]);
    for text in [
        "2023年，我局主动公开信息。",
        "2019年以来，我局坚持公开。",
        "2022年部门决算已公布。",
        "根据国办发〔2016〕80号文件，落实2022年版目录。",
        "2022年1月起施行。",
        "2022年我局收到较少，2023年明显增多。",
    ] {
        check(1, text, "H-YEAR", &[]);
    }
    check(5, "2024年，我们将切实抓好以下工作。", "H-YEAR", &[]);
    check(5, "2022年工作中存在的问题已改进。", "H-YEAR", &[]);
    check(5, "2023年我局加大贯彻落实力度。", "H-YEAR", &[]);
}

#[test]
fn cited_documents() {
    check(1, "落实《2020年政务公开工作要点》（国办发〔2020〕17号）。", "L-STALE", &["L-STALE INFO"]);
    check(1, "落实2023年政务公开工作要点和国办发〔2016〕80号。", "L-STALE", &[]);
    check(0, "依据《政府信息公开条例》（国务院令第492号）。", "L-OLDREG", &["L-OLDREG WARNING"]);
    check(0, "根据《条例》第三十一条、第三十二条编制。", "L-OLDREG", &["L-OLDREG WARNING"]);
    check(0, "根据《条例》（国务院令第711号）第五十条编制。", "L-OLDREG", &[]);
    check(1, "条例自2008年施行以来，收到的申请按第三十一条起算。", "L-OLDREG", &[]);
    for wrong in ["国办发[2016]80号", "国办发（2016）80号", "国办发【2016】80号", "国办发〔2016〕080号"]
    {
        check(1, &format!("落实{wrong}。"), "L-NUM", &["L-NUM WARNING"]);
    }
    check(1, "落实《工作要点》（国办公开办函〔2021〕30号）。", "L-NUM", &["L-NUM WARNING"]);
    check(1, "落实《年度报告格式》（国办公开办函〔2021〕30号）和宜府字〔2021〕11号。", "L-NUM", &[]);
    check(0, "按照《中华人民共和国政府信息公开条例》和国办公开办函〔2021〕30号要求编制。", "L-NUM", &[]);
    check(1, "深入贯彻党的十九大精神。", "L-PARTY", &["L-PARTY INFO"]);
    check(1, "深入贯彻党的十九大、二十大精神。", "L-PARTY", &[]);
}

#[test]
fn blanks_of_a_template() {
    for text in [
        "主动公开信息  条，其中",
        "收到申请XX件",
        "国办发〔〕号",
        "于2023年 月 日发布",
        "全年收到件，办结3件",
    ] {
        check(1, text, "P-BLANK", &["P-BLANK ERROR"]);
    }
    for text in
        ["政务公开 条例", "文 件", "复杂申请件，", "王××反映", "手机138****1234", "未收到依申请公开件。"]
    {
        check(1, text, "P-BLANK", &[]);
    }
}

#[test]
fn wrong_terms_and_sensitive_words() {
    check(6, "没有产生信息公开处理费。", "H-TERM", &["H-TERM INFO"]);
    check(6, "无收取信息处理情况。", "H-TERM", &["H-TERM INFO"]);
    check(6, "无收取信息处理费情况。", "H-TERM", &[]);
    check(1, "中国入民", "H-SENS", &["H-SENS REVIEW"]);
    check(1, "中国人民", "H-SENS", &[]);
}

const NO_REQUESTS: &[(&str, &str)] =
    &[("requests.received[total]", "0"), ("requests.carried_in[total]", "0")];

#[test]
fn no_request_and_yet() {
    check_on(NO_REQUESTS, 1, "收到政府信息公开申请0件，均在时限内答复申请人。", "P-ZERO", &["P-ZERO INFO"]);
    check_on(NO_REQUESTS, 1, "未收到政府信息公开申请。建议提案均按时答复。", "P-ZERO", &[]);
    check(1, "政府信息公开申请均在规定时限内答复。", "P-ZERO", &[]);
    check(1, "全年未收到政府信息公开申请。", "P-NONE", &["P-NONE WARNING"]);
    check(1, "2023年度我街道未收到依申请公开事项。", "P-NONE", &["P-NONE WARNING"]);
    check_on(NO_REQUESTS, 1, "全年未收到政府信息公开申请。", "P-NONE", &[]);
    check(1, "未收到因依申请公开引起的行政复议。", "P-NONE", &[]);
    check(1, "下属单位未收到政府信息公开申请。", "P-NONE", &[]);
    check(1, "2022年未收到政府信息公开申请。", "P-NONE", &[]);
}

#[test]
fn disputes_in_the_prose() {
    let cells: &[(&str, &str)] = &[
        ("disputes.reconsideration.upheld", "3"),
        ("disputes.reconsideration.corrected", "0"),
        ("disputes.reconsideration.other", "2"),
        ("disputes.reconsideration.pending", "0"),
        ("disputes.reconsideration.total", "5"),
        ("disputes.litigation_direct.total", "4"),
        ("disputes.litigation_after_reconsideration.total", "7"),
    ];
    let t4 = |text: &str, expect: &[&str]| check_on(cells, 1, text, "P-T4", expect);
    t4("信息公开类行政复议6件。", &["P-T4 WARNING"]);
    t4("信息公开类行政复议5件，行政诉讼11件。", &[]);
    t4("未发生行政复议、行政诉讼案件。", &["P-T4 WARNING"]);
    t4("全年无行政复议。", &["P-T4 WARNING"]);
    t4("未经复议直接起诉4件，复议后起诉7件。", &[]);
    t4("未经复议直接起诉9件。", &["P-T4 WARNING"]);
    t4("行政复议5件，均获维持。", &["P-T4 WARNING"]);
    t4("行政复议5件，其中结果维持4件。", &["P-T4 WARNING"]);
    t4("行政复议5件，其中被纠错0件。", &[]);
    t4("未发生被行政复议纠错或行政诉讼败诉情形。", &[]);
    t4("作为复议机关办理行政复议案件98件。", &[]);
    t4("收到申诉、举报13件。", &[]);
    t4("全年共有6件政府信息公开行政复议案件。", &["P-T4 WARNING"]);
    t4("全年共有5件政府信息公开行政复议案件。", &[]);
    t4("办理行政复议案件98件。", &["P-T4 REVIEW"]);
    for other in [
        "行政复议应诉培训3次。",
        "开展行政复议案例学习6件。",
        "旁听行政诉讼庭审2次。",
        "行政许可312件，均未引起行政复议。",
    ] {
        t4(other, &[]);
    }
    t4("全系统备案行政复议案件134件。", &["P-T4 REVIEW"]);
}

#[test]
fn documents_in_the_prose() {
    // The clean report has 6 in every cell of the row.
    check(1, "制发行政规范性文件8件。", "P-DOC", &["P-DOC WARNING"]);
    check(1, "制发行政规范性文件6件，废止4件。", "P-DOC", &["P-DOC WARNING"]);
    check(1, "制定行政规范性文件6件，现行有效6件。", "P-DOC", &[]);
    for text in [
        "政府公报刊登行政规范性文件45件。",
        "出台政策性文件11件。",
        "制发行政规范性文件解读8条。",
        "起草市政府规范性文件9件。",
        "规章13件（含新制定5件）。",
    ] {
        check(1, text, "P-DOC", &[]);
    }
}

#[test]
fn fees_in_the_prose() {
    check(6, "收取信息处理费880元，本年未收取信息处理费。", "P-FEE", &["P-FEE WARNING"]);
    let mut report = clean();
    report.sections[5].paragraphs = vec![paragraph("收取信息处理费3940万元。")];
    assert_eq!(brief(&findings(&report)).of(&["P-FEE"]), ["P-FEE WARNING"]);
    check(6, "未收取行政事业性收费。", "P-FEE", &["P-FEE WARNING"]);
    check(6, "按件收费标准为100元/件。", "P-FEE", &[]);
    check(6, "发出收费通知2件，逾期未缴，实收0元。", "P-FEE", &[]);
    let mut report = clean();
    report.sections[5].paragraphs = vec![paragraph("无其他需要报告的事项。")];
    assert!(brief(&findings(&report)).contains("P-FEE WARNING"));
    (report.year, report.title_year, report.period) = (2020, None, None);
    assert!(!brief(&findings(&report)).contains("P-FEE WARNING"), "before the fee");
}

#[test]
fn shares_in_the_prose() {
    let share = |text: &str, expect: &[&str]| check(1, text, "P-PCT", expect);
    share("公开信息200条，其中政策文件50条，占35%。", &["P-PCT WARNING"]);
    share("公开信息200条，其中政策文件50条，占25%。", &[]);
    share("公开信息300条，其中政策文件100条（33.3%）。", &[]);
    share("公开信息3条，其中政策文件2条，占比67%。", &[]);
    share("公开信息200条，同比增长35%。", &[]);
    share("好评数占评价总数99.58%。", &[]);
}
