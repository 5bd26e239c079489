//! Links whose words do not show where they lead, in a page with a menu and a footer.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail as the test itself may")]

use gongkai_check::{Hints, Limits, check};

/// Returns the addresses that H-LINK reports in a page whose preamble ends in `words`.
fn found(words: &str) -> Vec<String> {
    let chapters = ["总体情况", "主动公开政府信息情况", "收到和处理政府信息公开申请情况"];
    let mut page = format!(
        "<html><head><meta charset=\"utf-8\"><title>云溪县水务局</title></head><body>\
         <ul><li><a href=\"http://menu.example.com\">友情链接</a></li></ul>\
         <h1>云溪县水务局2023年政府信息公开工作年度报告</h1>\
         <p>本报告所列数据的统计期限自2023年1月1日起至2023年12月31日止。{words}</p>"
    );
    for (numeral, title) in ["一", "二", "三"].iter().zip(chapters) {
        page += &format!("<h2>{numeral}、{title}</h2><p>我局认真落实条例，做好政府信息公开工作。</p>");
    }
    page +=
        "<div>主办：云溪县人民政府，<a href=\"http://maker.example.com\">技术支持</a></div></body></html>";
    let line = check("a.html", page.as_bytes(), &Hints::default(), &Limits::default());
    assert!(line.report.is_some());
    let links = line.findings.iter().filter(|f| f.rule == "H-LINK");
    links.map(|f| f.source.as_ref().unwrap().text.clone()).collect()
}

#[test]
fn only_the_links_of_the_report_count() {
    let link = |address: &str| format!("电子版可在<a target=_blank href=\"{address}\">县政府网站</a>下载。");
    assert_eq!(found(&link("http://www.example.com/a")), ["http://www.example.com/a"]);
    assert_eq!(found(&link("//www.example.com/a")), ["//www.example.com/a"]);
    assert_eq!(found(&link("https://203.0.113.9/a")), ["https://203.0.113.9/a"]);
    for own in ["http://www.yunxi.gov.cn/a", "/zwgk/index.html", "javascript:void(0)", "mailto:a@example.com"]
    {
        assert!(found(&link(own)).is_empty(), "{own}");
    }
    // A link whose text shows its address has one finding.
    assert_eq!(
        found("电子版见<a href=\"http://www.example.com/\">http://www.example.com/</a>。"),
        ["http://www.example.com"]
    );
}
