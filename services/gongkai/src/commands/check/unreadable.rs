//! The output line of an unreadable source. No document is checked, but every source has a line in the output.

use std::io::{self, ErrorKind};

use gongkai_check::{CheckLine, RejectionLine};
use gongkai_rules::RuleSet;

/// Code of the line. Services do not have it, because it is not about a document.
const CODE: &str = "UNREADABLE";

/// Returns the line of a source that failed with `error`.
pub(super) fn line(name: &str, error: &io::Error, rules: &RuleSet) -> CheckLine {
    let (what, advice) = match error.kind() {
        ErrorKind::NotFound => ("没有这个文件", "请检查路径"),
        ErrorKind::PermissionDenied => ("没有读取权限", "请检查文件和目录的权限"),
        ErrorKind::InvalidInput => ("不是普通文件", "管道等请用 - 从标准输入读取"),
        _ => ("读取出错", "请检查磁盘和文件后重试"),
    };
    let rejection = RejectionLine {
        code: CODE.to_owned(),
        message: format!("无法读取：{what}；{advice}。"),
        message_en: format!("couldn't read it: {error}"),
        kind: None,
        retryable: true,
    };
    CheckLine::of_rejection(name, rejection, rules.versions())
}
