//! Documents that are rejected, and unusual ones that are reports.

#![expect(clippy::unwrap_used, reason = "a sample that does not build fails its test")]

use gongkai_extract::{Hints, Limits};
use gongkai_forms::{Forms, read_report};
use gongkai_model::{LookAlike, Rejection, RejectionCode, Report, State};

fn read(text: &str) -> Result<Report, Rejection> {
    let document = gongkai_extract::read(text.as_bytes(), &Hints::default(), &Limits::default()).unwrap();
    read_report(&document, &Forms::embedded())
}

fn check(text: &str, code: RejectionCode, kind: Option<LookAlike>) {
    let rejection = read(text).unwrap_err();
    assert_eq!((rejection.code, rejection.look_alike), (code, kind), "{text}");
    assert!(!rejection.message.is_empty() && !rejection.message_en.is_empty());
}

/// The form's tables without any entries.
const BLANK_TABLES: &str = "二、主动公开政府信息情况\n\n| 第二十条第（一）项 | | | |\n| 信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n\
    | 规章 | | | |\n| 行政规范性文件 | | | |\n\n三、收到和处理政府信息公开申请情况\n\n\
    | 一、本年新收政府信息公开申请数量 | | | | | | | |\n| 四、结转下年度继续办理 | | | | | | | |\n\n\
    四、政府信息公开行政复议、行政诉讼情况\n\n五、存在的主要问题及改进情况\n\n六、其他需要报告的事项\n";

#[test]
fn look_alikes_are_rejected_with_their_kind() {
    for (text, kind) in [
        (
            "云川市政府网站工作年度报表\n\n填报单位：云川市人民政府办公室\n\n独立用户访问总量（单位：个） | 318",
            LookAlike::WebsiteReport,
        ),
        (
            "云川市水务局2023年法治政府建设年度报告\n\n一、主要举措\n2023年，我局推进依法行政。",
            LookAlike::RuleOfLawReport,
        ),
        ("云川市水务局2023年部门决算\n\n第一部分 单位概况\n一、主要职能。", LookAlike::Budget),
        ("云川市水务局2023年政务公开工作总结\n\n2023年，我局认真落实要点。", LookAlike::WorkSummary),
        ("一图读懂云川市水务局2023年政府信息公开工作年度报告", LookAlike::Infographic),
        (
            "云川大学2022-2023学年信息公开工作年度报告\n根据《高等学校信息公开办法》编制。\n一、概述\n公开信息7条。\n\
             二、主动公开信息情况\n公开信息5条。\n三、依申请公开情况\n收到申请3件。",
            LookAlike::PublicInstitution,
        ),
        (
            "云川市人民医院2023年度信息公开工作报告\n一、总体情况\n公开信息7条。\n二、主动公开情况\n5条。\n三、依申请公开情况\n无。",
            LookAlike::PublicInstitution,
        ),
        (
            "云川县第一中学2023年校务公开工作年度报告\n一、总体情况\n公开信息7条。\n二、主动公开情况\n5条。\n三、依申请公开情况\n无。\n\
             四、存在的主要问题和改进情况\n不够。",
            LookAlike::PublicInstitution,
        ),
        (
            "云川县妇幼保健院政府信息公开工作年度报告\n2023年\n一、总体情况\n我院公开信息7条。\n二、主动公开情况\n5条。\n\
             三、依申请公开情况\n无。\n四、存在的主要问题和改进情况\n不够。",
            LookAlike::PublicInstitution,
        ),
        (
            "云川县公交公司公共企事业单位信息公开年报（2023年）\n根据《公共企事业单位信息公开规定制定办法》编制。\n一、总体情况\n5条。",
            LookAlike::PublicInstitution,
        ),
        ("【图文解读】云川市水务局2023年政府信息公开工作年度报告\n来源：市水务局", LookAlike::Infographic),
        ("callback({\"content\":\"一、总体情况 二、主动公开政府信息情况 规章 0\"})", LookAlike::DataPage),
        (
            "图解：云川市水务局2023年政府信息公开工作年度报告\n一、总体情况\n公开信息7条。\n二、主动公开政府信息情况\n5条。\n\
             三、收到和处理政府信息公开申请情况\n9件。\n四、政府信息公开行政复议、行政诉讼情况\n无。",
            LookAlike::Infographic,
        ),
        (
            "云川市水务局关于2023年政务公开工作要点落实情况的函\n\n市政府办公室：\n现将情况报告如下。",
            LookAlike::WorkSummary,
        ),
        (
            "云川市水务局2023年政府信息公开工作年度报告\n\n附件：云川市水务局2023年报告.pdf",
            LookAlike::AttachmentPage,
        ),
        (
            "&lt;p&gt;云川市水务局2023年政府信息公开工作年度报告&lt;/p&gt;&lt;td&gt;规章&lt;/td&gt;",
            LookAlike::DataPage,
        ),
        (
            "云川县林业局2023年政府信息公开工作年度报告\n\n云川县财政局2023年政府信息公开工作年度报告 2024-01-12\n\n\
             云川县审计局2022年政府信息公开工作年度报告 2023-01-12",
            LookAlike::IndexPage,
        ),
        (
            "云川市水务局2023年部门决算公开 第一部分 部门概况 一、主要职能 负责供水工作，指导县区的水务工作。二、机构设置情况 内设五个科室。\
             第二部分 决算表 三、收入支出决算总体情况说明 收入317万元。",
            LookAlike::Budget,
        ),
        ("关于召开会议的公告\n\n请准时参加会议。", LookAlike::Other),
    ] {
        check(text, RejectionCode::NotAReport, Some(kind));
    }
    let notice = format!(
        "关于印发《政府信息公开工作年度报告格式》的通知\n\n各部门：\n\n一、总体情况\n\n{BLANK_TABLES}"
    );
    check(&notice, RejectionCode::NotAReport, Some(LookAlike::FormNotice));
}

#[test]
fn pages_without_a_text_of_their_own_are_named_for_what_they_are() {
    let title = "云川市水务局2023年政府信息公开工作年度报告";
    for (body, kind) in [
        (format!("<h1>{title}</h1><p><a href=a.pdf>附件：{title}.pdf</a></p>"), LookAlike::AttachmentPage),
        (
            format!("<h1>{title}</h1><p>现予公布，请点击附件查看。</p><a href=b.docx>年报.docx</a>"),
            LookAlike::AttachmentPage,
        ),
        (format!("<h1>{title}</h1><iframe src=viewer.html?file=a.pdf></iframe>"), LookAlike::AttachmentPage),
        ("<div id=app></div><script>render('一、总体情况')</script>".to_owned(), LookAlike::DataPage),
        (format!("<noscript>请启用JavaScript以查看{title}</noscript>"), LookAlike::DataPage),
    ] {
        let page = format!("<html><head><title>{title}</title></head><body>{body}</body></html>");
        check(&page, RejectionCode::NotAReport, Some(kind));
    }
}

#[test]
fn bodies_that_supervise_schools_and_hospitals_may_cite_their_rules() {
    let report = format!(
        "云川市教育局2023年政府信息公开工作年度报告\n一、总体情况\n按照《高等学校信息公开办法》和《公共企事业单位信息公开规定制定办法》，\
         指导学校做好2022-2023学年信息公开，督促市人民医院落实《医疗卫生机构信息公开管理办法》。\n{BLANK_TABLES}"
    );
    let read = read(&report).unwrap();
    assert_eq!((read.agency.as_str(), read.year), ("云川市教育局", 2023));
    let hospital = report
        .replace("教育局", "人民医院")
        .replace("按照《高等学校", "根据《医疗卫生机构信息公开管理办法》和《高等学校");
    check(&hospital, RejectionCode::NotAReport, Some(LookAlike::PublicInstitution));
}

#[test]
fn what_another_program_made_of_a_report_is_none() {
    let json = r#"{"title":"云川市水务局2023年政府信息公开工作年度报告","naturalPerson":{"newReceived":5,"carriedIn":2}}"#;
    let garbled = "浜戝窛甯傛按鍔″眬2023骞存斂搴滀俊鎭叕寮€宸ヤ綔骞村害鎶ュ憡\n\n涓€銆佹€讳綋鎯呭喌\n\n| 瑙勭珷 | 3 | 5 | 79 |\n";
    let lost = "?????2023????????????\n\n??????\n\n| ?? | 3 | 5 | 79 |\n";
    let page = "{\"data\":\"<html><body><p>一、总体情况</p><table><tr><td>规章</td><td>3</td></tr></table></body></html>\"}";
    check(json, RejectionCode::NotAReport, Some(LookAlike::DataPage));
    check(page, RejectionCode::NotAReport, Some(LookAlike::DataPage));
    for text in [garbled, lost] {
        check(text, RejectionCode::NotAReport, Some(LookAlike::Other));
    }
}

#[test]
fn the_blank_form_is_unfilled_and_a_report_without_a_name_has_no_identity() {
    check(&format!("一、总体情况\n\n{BLANK_TABLES}"), RejectionCode::UnfilledForm, None);
    let prose = "一、总体情况\n\n本年度全面推进主动公开，及时更新各类栏目的信息。\n\n";
    check(&format!("{prose}{BLANK_TABLES}"), RejectionCode::NoIdentity, None);
}

#[test]
fn hints_and_placeholders_fill_nothing_in() {
    let hints = BLANK_TABLES.replace(
        "六、其他需要报告的事项\n",
        "六、其他需要报告的事项\n（文字描述，收取信息处理费情况在此处报告。）\n",
    );
    for title in [
        "政府信息公开工作年度报告格式模板",
        "XX局20XX年政府信息公开工作年度报告",
        "××市××局政府信息公开工作年度报告",
    ] {
        let form = format!("{title}\n\n一、总体情况\n（文字描述）\n\n{hints}");
        check(&form, RejectionCode::UnfilledForm, None);
    }
}

#[test]
fn the_notice_is_no_report_although_it_explains_its_chapters() {
    let notice = format!(
        "国务院办公厅政府信息与政务公开办公室关于印发《政府信息公开工作年度报告格式》的通知\n\n国办公开办函〔2021〕30号\n\n各部门：\n\n\
         现将格式印发给你们，请遵照执行。\n\n2021年9月9日\n\n中华人民共和国政府信息公开工作年度报告格式\n\n一、总体情况\n\n\
         对本机关贯彻落实条例的情况进行综述，主要包括主动公开、依申请公开、平台建设等内容。\n\n{BLANK_TABLES}"
    );
    check(&notice, RejectionCode::NotAReport, Some(LookAlike::FormNotice));
    let report = "云川市水务局2023年政府信息公开工作年度报告\n\n按照《政府信息公开工作年度报告格式》的通知（国办公开办函〔2021〕30号）编制。\n\n";
    let blank =
        read(&format!("{report}一、总体情况\n\n本年度全面推进主动公开，及时更新栏目。\n\n{BLANK_TABLES}"))
            .unwrap();
    assert_eq!((blank.agency.as_str(), blank.year), ("云川市水务局", 2023));
    let summary = "云川市水务局2023年政务公开工作总结\n\n一、总体情况\n有序推进。\n二、主动公开情况\n较好。\n三、依申请公开情况\n无。\n";
    check(summary, RejectionCode::NotAReport, Some(LookAlike::WorkSummary));
}

#[test]
fn a_real_report_with_every_cell_blank_is_read() {
    let title = "云川市水务局2023年政府信息公开工作年度报告\n\n一、总体情况\n\n本年度全面推进主动公开，及时更新栏目。\n\n";
    let report = read(&format!("{title}{BLANK_TABLES}")).unwrap();
    assert_eq!(report.facts.len(), 200);
    assert!(report.facts.iter().all(|fact| matches!(fact.state, State::Blank | State::Missing)));
    assert_eq!(report.facts.iter().filter(|fact| fact.state == State::Blank).count(), 20);
}

#[test]
fn a_report_without_tables_is_read_with_every_cell_missing() {
    let report = read(
        "云川市水务局\n2023年政府信息公开工作年度报告\n\n1、总体情况\n2023年，全年公开信息3条。\n\n\
         2、主动公开政府信息情况\n\n3、收到和处理政府信息公开申请情况\n\n4、政府信息公开行政复议、行政诉讼情况\n\n\
         5、存在的主要问题及改进情况\n一是不够及时。\n6、其他需要报告的事项：无。\n",
    )
    .unwrap();
    assert_eq!(report.facts.len(), 200);
    assert!(report.facts.iter().all(|fact| fact.state == State::Missing && fact.source.is_none()));
    let sections: Vec<(u32, String)> = report.sections.iter().map(|s| (s.number, s.text())).collect();
    assert_eq!(sections.len(), 6);
    assert_eq!(sections.last(), Some(&(6, "无。".to_owned())));
}

#[test]
fn chapters_are_found_however_their_headings_are_numbered() {
    let titles = [
        "总体情况",
        "主动公开政府信息情况",
        "收到和处理政府信息公开申请情况",
        "政府信息公开行政复议、行政诉讼情况",
        "存在的主要问题及改进情况",
        "其他需要报告的事项",
    ];
    let numbers = ["一", "二", "三", "四", "五", "六"];
    let forms: [fn(&str, usize, &str) -> String; 12] = [
        |n, _, title| format!("第{n}部分 {title}\n"),
        |n, _, title| format!("第{n}部分：{title}\n"),
        |n, _, title| format!("{n}.{title}\n"),
        |n, _, title| format!("{n}．{title}\n"),
        |n, _, title| format!("{n} {title}\n"),
        |n, _, title| format!("{n}、{title}。\n"),
        |n, _, title| format!("{n}、\n{title}\n"),
        |n, _, title| format!("{}、{title}\n", n.replace('一', "⼀").replace('二', "⼆")),
        |_, at, title| format!("{}、{title}\n", ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "Ⅵ"][at]),
        |n, _, title| format!("{n}、{title} "),
        |n, _, title| format!("{n}、{title}。"),
        |n, _, title| format!("{n}、{}\n", title.replace("总体", "基本").replace("政府信息情况", "情况")),
    ];
    for form in forms {
        let chapter =
            |at: usize| format!("{}本章全年公开信息{}条。", form(numbers[at], at, titles[at]), at + 3);
        let chapters: Vec<String> = (0..6).map(chapter).collect();
        let text = format!("云川市水务局2023年政府信息公开工作年度报告\n\n{}\n", chapters.join("\n"));
        let report = read(&text).unwrap();
        let found: Vec<(u32, String)> = report.sections.iter().map(|s| (s.number, s.text())).collect();
        let expect: Vec<(u32, String)> = (0..6)
            .map(|at| (u32::try_from(at).unwrap() + 1, format!("本章全年公开信息{}条。", at + 3)))
            .collect();
        assert_eq!(found, expect, "{text}");
    }
}

/// 统计指标 of 国办发〔2014〕32号, whose rows have nearly the same numbers and names as those of the later forms.
#[test]
fn a_report_from_before_2019_is_read_without_facts() {
    let rows = "指标名称\t计量单位\t统计数\n（一）收到申请数\t件\t7\n（三）申请答复数\t件\t8\n1.属于已主动公开范围数\t件\t1\n\
        2.同意公开答复数\t件\t3\n4.不同意公开答复数\t件\t2\n其中：1.涉及国家秘密\t件\t5\n四、行政复议数量\t件\t6\n五、行政诉讼数量\t件\t4\n";
    let report = read(&format!(
        "云川市水务局2016年政府信息公开工作年度报告\n\n一、概述\n2016年，我局推进公开工作。\n二、主动公开政府信息情况\n公开信息312条。\n\
         三、依申请公开情况\n收到申请7件。\n四、行政复议、行政诉讼情况\n无。\n五、存在的问题及改进措施\n不够及时。\n\n附：统计表\n{rows}"
    ))
    .unwrap();
    assert_eq!((report.year, report.form, report.facts.len()), (2016, gongkai_model::FormId::Form2014, 0));
}

#[test]
fn chapter_names_in_prose_and_sub_headings_are_no_headings() {
    let report = read(
        "云川市水务局2023年政府信息公开工作年度报告\n\n本报告由云川市水务局编制，全文包括总体情况，主动公开政府信息情况，\
         收到和处理政府信息公开申请情况，其他需要报告的事项共六部分。\n\n一、总体情况\n（一）主动公开政府信息情况\n\
         全年公开信息5条。\n（二）依申请公开情况\n全年收到申请3件。\n\n二、主动公开政府信息情况\n\n| 行政许可 | 7 |\n\n\
         三、收到和处理政府信息公开申请情况\n\n四、因政府信息公开工作被申请行政复议、提起行政诉讼情况\n\n\
         五、存在的主要问题及整改措施\n一是不够及时。\n\n六、需要报告的其他事项\n无。\n",
    )
    .unwrap();
    let numbers: Vec<u32> = report.sections.iter().map(|section| section.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(report.sections[0].paragraphs.len(), 4);
    assert_eq!(report.preamble.len(), 1);
    let licences = report.state(&"proactive.licensing.decisions".parse().unwrap());
    assert_eq!(licences.value().map(|v| v.to_string()).as_deref(), Some("7"));
}
