//! The JSON line of a small report, member by member.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test itself may")]

use gongkai_check::{CheckLine, Hints, Limits, check, check_by};
use gongkai_rules::{ReportContext, RuleSet};
use serde_json::{Value, json};

/// Returns the statutory tables with one cell per line, after a tab, with distinct numbers. The total of 一 is 5 too
/// high.
fn sample() -> String {
    let mut text = String::from(
        "云溪县水务局2023年政府信息公开工作年度报告\n\
         本报告所列数据的统计期限自2023年1月1日起至2023年12月31日止。\n\
         一、总体情况\n2023年，我局主动公开信息77条，其中决策公开16条，执行公开60条。\n\
         二、主动公开政府信息情况\n",
    );
    let mut row = |cells: &[&str]| {
        for cell in cells {
            text.push_str(&format!("\t{cell}\n"));
        }
    };
    row(&["第二十条第（一）项", "信息内容", "本年制发件数", "本年废止件数", "现行有效件数"]);
    row(&["规章", "2", "3", "5", "行政规范性文件", "7", "11", "13"]);
    row(&["第二十条第（五）项", "信息内容", "本年处理决定数量", "行政许可", "17"]);
    row(&["第二十条第（六）项", "信息内容", "本年处理决定数量", "行政处罚", "19", "行政强制", "23"]);
    row(&["第二十条第（八）项", "信息内容", "本年收费金额（单位：万元）", "行政事业性收费", "29.50"]);
    text.push_str(&requests());
    text.push_str("四、政府信息公开行政复议、行政诉讼情况\n\t行政复议\n\t行政诉讼\n");
    for label in ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计", "未经复议直接起诉", "复议后起诉"]
    {
        text.push_str(&format!("\t{label}\n"));
    }
    for _ in 0..2 {
        for label in ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"] {
            text.push_str(&format!("\t{label}\n"));
        }
    }
    for number in [31, 37, 41, 43, 152, 1, 4, 6, 8, 19, 12, 14, 16, 18, 60] {
        text.push_str(&format!("\t{number}\n"));
    }
    text.push_str(
        "五、存在的主要问题及改进情况\n公开内容不够全面的问题仍然存在，下一步将加强培训加以改进。\n\
         六、其他需要报告的事项\n本年度未收取信息处理费。\n",
    );
    text
}

fn requests() -> String {
    const RESULTS: [&str; 21] = [
        "（一）予以公开",
        "（二）部分公开（区分处理的，只计这一情形，不计其他情形）",
        "（三）不予公开\n\t1.属于国家秘密",
        "2.其他法律行政法规禁止公开",
        "3.危及“三安全一稳定”",
        "4.保护第三方合法权益",
        "5.属于三类内部事务信息",
        "6.属于四类过程性信息",
        "7.属于行政执法案卷",
        "8.属于行政查询事项",
        "（四）无法提供\n\t1.本机关不掌握相关政府信息",
        "2.没有现成信息需要另行制作",
        "3.补正后申请内容仍不明确",
        "（五）不予处理\n\t1.信访举报投诉类申请",
        "2.重复申请",
        "3.要求提供公开出版物",
        "4.无正当理由大量反复申请",
        "5.要求行政机关确认或重新出具已获取信息",
        "（六）其他处理\n\t1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
        "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
        "3.其他",
    ];
    let mut sums = [0_u32; 6];
    let mut text = String::from(
        "三、收到和处理政府信息公开申请情况\n\
         \t（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）\n\t申请人情况\n\t自然人\n\t法人或其他组织\n\
         \t总计\n\t商业企业\n\t科研机构\n\t社会公益组织\n\t法律服务机构\n\t其他\n",
    );
    let mut results = String::from("\t三、本年度办理结果\n");
    for (row, label) in (0_u32..).zip(RESULTS) {
        let parts: Vec<u32> = (0..6).map(|column| row * 3 + column * 7 + 1).collect();
        sums.iter_mut().zip(&parts).for_each(|(sum, part)| *sum += part);
        results.push_str(&line(label, &parts, 0));
    }
    results.push_str(&line("（七）总计", &sums, 0));
    let carried_in: Vec<u32> = (2..8).collect();
    let carried_out: Vec<u32> = (0..6).map(|column| column * 2 + 3).collect();
    let received: Vec<u32> = (0..6).map(|at| sums[at] + carried_out[at] - carried_in[at]).collect();
    text.push_str(&line("一、本年新收政府信息公开申请数量", &received, 5));
    text.push_str(&line("二、上年结转政府信息公开申请数量", &carried_in, 0));
    text.push_str(&results);
    text.push_str(&line("四、结转下年度继续办理", &carried_out, 0));
    text
}

fn line(label: &str, parts: &[u32], wrong_by: u32) -> String {
    let mut text = format!("\t{label}\n");
    for number in parts.iter().copied().chain([parts.iter().sum::<u32>() + wrong_by]) {
        text.push_str(&format!("\t{number}\n"));
    }
    text
}

fn hints() -> Hints<'static> {
    Hints { filename: Some("a.txt"), ..Hints::default() }
}

fn checked() -> Value {
    let line = check("a.txt", sample().as_bytes(), &hints(), &Limits::default());
    serde_json::from_str(&line.to_json()).unwrap()
}

#[test]
fn a_line_says_what_was_read() {
    let line = checked();
    assert_eq!(
        (&line["file"], &line["status"], &line["media_type"]),
        (&json!("a.txt"), &json!("ok"), &json!("text/plain"))
    );
    let report = &line["report"];
    assert_eq!(report["agency"], "云溪县水务局");
    assert_eq!(report["year"], 2023);
    assert_eq!((&report["form"], &report["variant"]), (&json!("2021"), &json!("standard")));
    assert_eq!(report["title"], "云溪县水务局2023年政府信息公开工作年度报告");
    assert_eq!(report["preamble"], "本报告所列数据的统计期限自2023年1月1日起至2023年12月31日止。");
    let numbers: Vec<&Value> = report["sections"].as_array().unwrap().iter().map(|s| &s["number"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(report["sections"][5]["text"], "本年度未收取信息处理费。");
    assert_eq!(report["facts"].as_array().unwrap().len(), 200);
    assert_eq!(line["rejection"], Value::Null);
}

#[test]
fn a_fact_has_its_value_and_its_place() {
    let line = checked();
    let facts = line["report"]["facts"].as_array().unwrap();
    let fees = facts.iter().find(|f| f["concept"] == "proactive.fees.amount").unwrap();
    assert_eq!((&fees["value"], &fees["state"]), (&json!("29.5"), &json!("reported")));
    assert_eq!(fees.get("applicant"), None);
    let source = &fees["source"];
    assert_eq!(source["text"], "29.50");
    let (start, end) = (source["start"].as_u64().unwrap(), source["end"].as_u64().unwrap());
    let start = usize::try_from(start).unwrap();
    let length = usize::try_from(end).unwrap() - start;
    let quoted: String = sample().chars().skip(start).take(length).collect();
    assert_eq!(quoted, "29.50");
    assert_eq!(source["table"], 0);
    let received = &facts[10];
    assert_eq!(
        (&received["concept"], &received["applicant"]),
        (&json!("requests.received"), &json!("natural_person"))
    );
}

#[test]
fn every_fact_says_where_it_was_read_or_why_it_was_not() {
    let again = "\t行政强制\n\t23\n\t行政强制\n\t24\n";
    let text = sample().replace("\t29.50\n", "\t29.50%\n").replace("\t行政强制\n\t23\n", again);
    let line = check("a.txt", text.as_bytes(), &hints(), &Limits::default());
    let line: Value = serde_json::from_str(&line.to_json()).unwrap();
    let quoted = |source: &Value| {
        let at = |member: &str| usize::try_from(source[member].as_u64().unwrap()).unwrap();
        assert!(["table", "row", "column"].iter().all(|member| source[member].is_u64()), "{source}");
        text.chars().skip(at("start")).take(at("end") - at("start")).collect::<String>()
    };
    let mut unreadable = Vec::new();
    for fact in line["report"]["facts"].as_array().unwrap() {
        if fact["state"] == "unreadable" {
            let cells: Vec<String> = fact["candidates"].as_array().unwrap().iter().map(quoted).collect();
            unreadable.push((fact["concept"].as_str().unwrap(), fact["unread_reason"].as_str(), cells));
        } else {
            assert_eq!(
                (fact.get("unread_reason"), &fact["source"]["text"]),
                (None, &json!(quoted(&fact["source"])))
            );
        }
    }
    let expected = [
        ("proactive.coercion.decisions", Some("two_cells"), vec!["23".to_owned(), "24".to_owned()]),
        ("proactive.fees.amount", Some("no_number"), vec!["29.50%".to_owned()]),
    ];
    assert_eq!(unreadable, expected);
}

#[test]
fn a_finding_names_rule_cause_operands_and_versions() {
    let line = checked();
    let findings = line["findings"].as_array().unwrap();
    let rules: Vec<&Value> = findings.iter().map(|f| &f["rule"]).collect();
    assert_eq!(rules, ["T3-ROW", "T3-BAL", "S-FIVE", "S-CH5", "P-SUM", "S-CONTACT"]);
    let row = &findings[0];
    assert_eq!(row["severity"], "ERROR");
    assert_eq!(row["cause"], "requests.received[total]");
    assert_eq!(row["concept"], "requests.received");
    assert_eq!(row["facts"].as_array().unwrap().len(), 7);
    let number = |member: &str| row[member].as_str().unwrap().parse::<u32>().unwrap();
    assert_eq!(number("actual"), number("expected") + 5);
    assert_eq!(row["fingerprint"].as_str().unwrap().len(), 32);
    assert_eq!(row["versions"], line["versions"]);
    for advice in ["legal", "help", "suggestion"] {
        assert!(row[advice].as_str().is_some_and(|text| !text.is_empty()), "{advice}");
    }
    let sum = &findings[4];
    assert_eq!((&sum["expected"], &sum["actual"]), (&json!("76"), &json!("77")));
    assert_eq!(sum["source"]["text"], "我局主动公开信息77条，其中决策公开16条，执行公开60条");
    for version in ["program", "parser", "forms", "rules"] {
        assert!(line["versions"][version].as_str().is_some_and(|v| !v.is_empty()), "{version}");
    }
}

#[test]
fn a_rejected_document_is_a_line_too() {
    let line = check("b.txt", b" \n", &hints(), &Limits::default());
    let value: Value = serde_json::from_str(&line.to_json()).unwrap();
    assert_eq!((&value["status"], &value["rejection"]["code"]), (&json!("rejected"), &json!("EMPTY")));
    assert_eq!(value["findings"], json!([]));
    assert_eq!((value.get("report"), value.get("media_type")), (None, None));
    let message = value["rejection"]["message"].as_str().unwrap();
    assert!(!message.is_empty() && !message.is_ascii());
}

#[test]
fn the_context_adds_publication_and_agency() {
    let published_at = Some(time::macros::date!(2023 - 06 - 01));
    let sample = sample();
    let check_in = |context: &ReportContext<'_>| {
        check_by(&RuleSet::embedded(), "a.txt", sample.as_bytes(), &hints(), &Limits::default(), context)
    };
    let line = check_in(&ReportContext { published_at, ..ReportContext::default() });
    assert!(line.findings.iter().any(|f| f.rule == "S-YEAR" && f.severity == "ERROR"));
    let agency = gongkai_model::AgencyKey::from_code("360981").unwrap();
    let other = check_in(&ReportContext { published_at, agency: Some(&agency), ..ReportContext::default() });
    assert_eq!(other.findings.len(), line.findings.len());
    assert!(other.findings.iter().zip(&line.findings).all(|(a, b)| a.fingerprint != b.fingerprint));
}

#[test]
fn a_line_reads_back_as_written() {
    let line = check("a.txt", sample().as_bytes(), &hints(), &Limits::default());
    assert_eq!(serde_json::from_str::<CheckLine>(&line.to_json()).unwrap(), line);
    assert!(!line.to_json().contains('\n'));
}

#[test]
fn no_text_of_the_line_repeats_personal_data() {
    let numbers = ["13812341234", "360982199001011234", "36098219900101123X", "6222021234567890128"];
    let personal = format!(
        "联系人手机：{}，地址：云溪县1号，邮编：339900，邮箱：13812341234@139.com。经办人身份证{}、{}，卡号{}。",
        numbers[0], numbers[1], numbers[2], numbers[3]
    );
    let text = sample()
        .replace("一、总体情况\n", &format!("{personal}\n一、总体情况\n{personal}\n"))
        .replace("\t29.50\n", "\t29.50（13812341234）\n");
    let line = check("a.txt", text.as_bytes(), &Hints::default(), &Limits::default());
    assert!(line.findings.iter().any(|finding| finding.rule == "H-PII"));
    let json = line.to_json();
    for number in numbers {
        assert!(!json.contains(number), "{number} is in {json}");
    }
    for shown in ["138****1234", "360982********1234", "360982********123X", "6222***********0128"] {
        assert!(json.contains(shown), "{shown}");
    }
}
