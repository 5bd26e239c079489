//! The tables of rejection codes in README.md and README.zh-CN.md list all codes, in the enum's order.

use gongkai_model::RejectionCode;

#[test]
fn both_readmes_list_every_rejection_code() {
    for (file, text) in [
        ("README.md", include_str!("../../../../README.md")),
        ("README.zh-CN.md", include_str!("../../../../README.zh-CN.md")),
    ] {
        let section = text.split("<!-- rejection codes -->").nth(1).unwrap_or_default();
        let code = |row: &str| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned());
        let listed: Vec<String> = section.lines().filter_map(code).collect();
        let codes: Vec<&str> = RejectionCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(listed, codes, "add the code to the table of rejection codes in {file}");
    }
}
