//! The tables of codes in README.md and README.zh-CN.md list all codes, in the enum's order.

use gongkai_model::{RejectionCode, UnreadReason};

/// Both files after a marker, each with its name.
fn tables(marker: &str) -> [(&'static str, Vec<String>); 2] {
    [
        ("README.md", include_str!("../../../../README.md")),
        ("README.zh-CN.md", include_str!("../../../../README.zh-CN.md")),
    ]
    .map(|(file, text)| {
        let section = text.split(&format!("<!-- {marker} -->")).nth(1).unwrap_or_default();
        let table = section.lines().skip_while(|line| !line.starts_with('|'));
        let code = |row: &str| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned());
        (file, table.take_while(|line| line.starts_with('|')).skip(2).filter_map(code).collect())
    })
}

#[test]
fn both_readmes_list_every_rejection_code() {
    let codes: Vec<&str> = RejectionCode::ALL.iter().map(|code| code.as_str()).collect();
    for (file, listed) in tables("rejection codes") {
        assert_eq!(listed, codes, "add the code to the table of rejection codes in {file}");
    }
}

#[test]
fn both_readmes_list_every_reason_of_an_unreadable_cell() {
    let codes: Vec<&str> = UnreadReason::ALL.iter().map(|reason| reason.as_str()).collect();
    for (file, listed) in tables("unread reasons") {
        assert_eq!(listed, codes, "add the code to the table of reasons in {file}");
    }
}
