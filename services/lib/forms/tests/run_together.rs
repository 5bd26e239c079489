//! Reports that lost their line breaks: every cell is right or unreadable, none is wrong or said to be missing.

#![expect(clippy::unwrap_used, reason = "a sample that does not build fails its test")]

use gongkai_extract::{Hints, Limits};
use gongkai_forms::{Forms, read_report};
use gongkai_model::{Rejection, Report, State};

const HEADINGS: [&str; 6] = [
    "一、总体情况",
    "二、主动公开政府信息情况",
    "三、收到和处理政府信息公开申请情况",
    "四、政府信息公开行政复议、行政诉讼情况",
    "五、存在的主要问题及改进情况",
    "六、其他需要报告的事项",
];

/// The rows of chapter 三 in order. A group's title is a row without values.
const ROWS: [&str; 30] = [
    "一、本年新收政府信息公开申请数量",
    "二、上年结转政府信息公开申请数量",
    "三、本年度办理结果#",
    "（一）予以公开",
    "（二）部分公开（区分处理的，只计这一情形，不计其他情形）",
    "（三）不予公开#",
    "1.属于国家秘密",
    "2.其他法律行政法规禁止公开",
    "3.危及“三安全一稳定”",
    "4.保护第三方合法权益",
    "5.属于三类内部事务信息",
    "6.属于四类过程性信息",
    "7.属于行政执法案卷",
    "8.属于行政查询事项",
    "（四）无法提供#",
    "1.本机关不掌握相关政府信息",
    "2.没有现成信息需要另行制作",
    "3.补正后申请内容仍不明确",
    "（五）不予处理#",
    "1.信访举报投诉类申请",
    "2.重复申请",
    "3.要求提供公开出版物",
    "4.无正当理由大量反复申请",
    "5.要求行政机关确认或重新出具已获取信息",
    "（六）其他处理#",
    "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
    "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请",
    "3.其他",
    "（七）总计",
    "四、结转下年度继续办理",
];

const COLUMNS: [&str; 5] = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"];

/// Returns the words of the report, chapter by chapter. The numbers of the cells are 101, 102 and so on, in the form's order.
fn chapters() -> [Vec<String>; 6] {
    let mut next = 100;
    let mut numbers = |count: usize| -> Vec<String> {
        (0..count)
            .map(|_| {
                next += 1;
                next.to_string()
            })
            .collect()
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut proactive = words("第二十条第（一）项 信息内容 本年制发件数 本年废止件数 现行有效件数 规章");
    proactive.extend(numbers(3));
    proactive.push("行政规范性文件".to_owned());
    proactive.extend(numbers(3));
    for (band, label) in
        [("五", "行政许可"), ("六", "行政处罚"), ("六", "行政强制"), ("八", "行政事业性收费")]
    {
        proactive.extend(words(&format!("第二十条第（{band}）项 信息内容 本年处理决定数量 {label}")));
        proactive.extend(numbers(1));
    }
    let mut requests =
        words("申请人情况 自然人 法人或其他组织 总计 商业企业 科研机构 社会公益组织 法律服务机构 其他");
    for row in ROWS {
        requests.push(row.trim_end_matches('#').to_owned());
        requests.extend(numbers(if row.ends_with('#') { 0 } else { 7 }));
    }
    let mut disputes = words("行政复议 行政诉讼");
    disputes.extend(COLUMNS.map(str::to_owned));
    disputes.extend(words("未经复议直接起诉 复议后起诉"));
    disputes.extend(COLUMNS.iter().chain(&COLUMNS).map(|name| (*name).to_owned()));
    disputes.extend(numbers(15));
    let prose = |text: &str| vec![text.to_owned()];
    [
        prose("2023年，云川市水务局认真贯彻政务公开工作要点，公开部门预决算4条。"),
        proactive,
        requests,
        disputes,
        prose("一是内容不够丰富。改进情况：一、加强学习。二、拓宽渠道。"),
        prose("无其他事项。"),
    ]
}

/// Returns the report with these separators between its chapters and between the words of the tables.
fn report(chapter: &str, word: &str) -> String {
    let head = "云川市水务局2023年政府信息公开工作年度报告";
    let preamble = "根据《关于印发〈政府信息公开工作年度报告格式〉的通知》编制，包括一、总体情况，二、主动公开政府信息情况等六部分。";
    let chapters = chapters().map(|words| words.join(word));
    let parts = HEADINGS.iter().zip(&chapters).map(|(heading, text)| format!("{heading}{chapter}{text}"));
    let parts: Vec<String> = parts.collect();
    format!("{head}{chapter}{preamble}{chapter}{}", parts.join(chapter))
}

fn read(text: &str) -> Result<Report, Rejection> {
    let document = gongkai_extract::read(text.as_bytes(), &Hints::default(), &Limits::default()).unwrap();
    read_report(&document, &Forms::embedded())
}

/// Checks the body, the chapters and the cells. Returns how many cells are read.
fn check(text: &str) -> usize {
    let report = read(text).unwrap();
    assert_eq!((report.agency.as_str(), report.year), ("云川市水务局", 2023), "{text}");
    let numbers: Vec<u32> = report.sections.iter().map(|section| section.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6], "{text}");
    let wrong = report.facts.iter().zip(101..).filter(|(fact, number)| match fact.state {
        State::Reported(value) => value != (*number).into(),
        State::Unreadable => false,
        State::Blank | State::Missing | State::NotApplicable => true,
    });
    let wrong: Vec<String> = wrong.map(|(fact, _)| format!("{} {:?}", fact.id, fact.state)).collect();
    assert!(wrong.is_empty(), "{wrong:?} {text}");
    report.facts.iter().filter(|fact| fact.state.value().is_some()).count()
}

#[test]
fn a_whole_report_in_one_line_or_paragraph_is_read() {
    for (chapter, word) in [(" ", " "), ("\u{3000}", "\u{a0}"), ("  ", "  "), (" ", "\t"), ("", " ")] {
        let text = report(chapter, word);
        assert_eq!(check(&text), 200);
        assert_eq!(check(&format!("<html><body><p>{text}</p></body></html>")), 200);
        assert_eq!(check(&format!("<html><body><div><a>首页</a></div><div>{text}</div></body></html>")), 200);
    }
}

#[test]
fn spaces_inside_headings_and_labels_change_nothing() {
    let mut text = report(" ", " ");
    for (word, broken) in [
        ("一、总体情况 2023", "一、总体 情况 2023"),
        ("三、收到和处理政府信息公开申请情况 申请人情况", "三、收到和 处理政府信息公开申请情 况 申请人 情况"),
        ("行政事业性收费 1", "行政 事业性 收费 1"),
        ("行政强制 1", "行政 强制 1"),
        ("一、本年新收政府信息公开申请数量 1", "一、本年新收政府信 息公开申请数量 1"),
        ("其他法律行政法规禁止公开", "其他法律行政法规禁 止公开"),
        ("科研机构", "科研 机构"),
        ("尚未审结", "尚未 审结"),
    ] {
        assert!(text.contains(word), "{word}");
        text = text.replace(word, broken);
    }
    assert_eq!(check(&text), 200);
    assert_eq!(check(&format!("<html><body><p>{text}</p></body></html>")), 200);
}

#[test]
fn numbers_run_together_are_unreadable() {
    for chapter in ["", " ", "。"] {
        let text = report(chapter, "");
        assert_eq!(check(&text), 4, "the rows of one cell");
        assert_eq!(check(&format!("<html><body><p>{text}</p></body></html>")), 4);
    }
}

#[test]
fn chapters_and_tables_may_have_paragraphs_of_their_own() {
    let chapters = chapters().map(|words| words.join(" "));
    let head = "<p>云川市水务局2023年政府信息公开工作年度报告</p>";
    let apart: String = HEADINGS
        .iter()
        .zip(&chapters)
        .map(|(heading, text)| format!("<p>{heading}</p><p>{text}</p>"))
        .collect();
    let run_in: String =
        HEADINGS.iter().zip(&chapters).map(|(heading, text)| format!("<p>{heading} {text}</p>")).collect();
    assert_eq!(check(&format!("<html><body>{head}{apart}</body></html>")), 200);
    assert_eq!(check(&format!("<html><body>{head}{run_in}</body></html>")), 200);
    let folded: Vec<char> = report(" ", " ").chars().collect();
    let lines: Vec<String> = folded.chunks(38).map(|line| line.iter().collect()).collect();
    assert_eq!(check(&lines.join("\n")), 200);
}

#[test]
fn a_page_break_inside_a_table_shifts_nothing() {
    let text = report(" ", " ");
    for label in ["3.危及", "5.属于三类内部事务信息", "（二）部分公开", "8.属于行政查询事项"]
    {
        for cut in [0, label.len()] {
            let (before, behind) = text.split_at(text.find(label).unwrap() + cut);
            check(&format!("{before}\n{behind}"));
            check(&format!("<html><body><p>{before}</p><p>{behind}</p></body></html>"));
        }
    }
}

/// Returns the report on one line up to chapter 二, that chapter to the fourth, and the rest.
fn around_tables() -> (String, String, String) {
    let text = report(" ", " ");
    let tables = text.rfind(HEADINGS[1]).unwrap();
    let prose = text.rfind(HEADINGS[4]).unwrap();
    (text[..tables].to_owned(), text[tables..prose].to_owned(), text[prose..].to_owned())
}

#[test]
fn line_breaks_inside_tables_leave_no_cell_missing() {
    let (before, tables, behind) = around_tables();
    let words: Vec<&str> = tables.split(' ').collect();
    // Short lines look like the rows of a table, and so does the first line of chapter 四.
    for (length, least) in [(3, 185), (8, 185), (13, 200), (34, 200), (89, 200)] {
        let lines: Vec<String> = words.chunks(length).map(|line| line.join(" ")).collect();
        let count = check(&format!("{before}{}{behind}", lines.join("\n")));
        assert!(count >= least, "{length} words a line: {count}");
    }
    // A break inside a number makes two of it, so its row, or chapter 四, is not read.
    let chars: Vec<char> = tables.chars().collect();
    for at in (1..chars.len()).step_by(17) {
        let (line, rest) = chars.split_at(at);
        let (line, rest): (String, String) = (line.iter().collect(), rest.iter().collect());
        assert!(check(&format!("{before}{line}\r\n{rest}{behind}")) >= 185, "broken at {at}");
    }
}

#[test]
fn numbers_of_pages_are_no_values() {
    let (before, tables, behind) = around_tables();
    let words: Vec<&str> = tables.split(' ').collect();
    let title = "云川市水务局2023年政府信息公开工作年度报告";
    for mark in ["第3页 共8页", "- 3 -", "3 / 8", "第三页", title, &format!("第 3 页 {title}")] {
        for at in (9..words.len()).step_by(31) {
            let (page, next) = words.split_at(at);
            let tables = format!("{} {mark} {}", page.join(" "), next.join(" "));
            assert_eq!(check(&format!("{before}{tables}{behind}")), 200, "{mark} at {at}");
        }
    }
    // A bare number may be that of a page or a value.
    let (page, next) = words.split_at(60);
    let tables = format!("{} 3 {title} {}", page.join(" "), next.join(" "));
    assert!(check(&format!("{before}{tables}{behind}")) >= 193);
}

#[test]
fn a_unit_that_a_space_divides_is_that_of_the_form() {
    let text = report(" ", " ").replace("行政事业性收费", "本年收费金额（单位： 万 元） 行政事业性收费");
    assert!(text.contains("万 元") && check(&text) == 200);
}
