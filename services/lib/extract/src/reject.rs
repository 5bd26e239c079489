//! The rejections that several readers share.

use std::time::Duration;

use gongkai_model::{Rejection, RejectionCode};

use crate::limits::Limits;

pub(crate) fn corrupt(format: &str) -> Rejection {
    Rejection::new(
        RejectionCode::Corrupt,
        format!("{format} 文件已损坏，无法读取；请重新导出后提交"),
        format!("the {format} file is damaged; export it again"),
    )
}

pub(crate) fn encrypted(format: &str) -> Rejection {
    Rejection::new(
        RejectionCode::Encrypted,
        format!("{format} 文件设有密码，无法读取；请取消密码后提交"),
        format!("the {format} file is locked by a password; remove it"),
    )
}

pub(crate) fn too_deep(limit: usize) -> Rejection {
    Rejection::new(
        RejectionCode::TooDeep,
        format!("文件结构嵌套过深：上限 {limit} 层"),
        format!("the document is nested more than {limit} deep"),
    )
}

/// Creates the rejection of a document with too much of `what` (Chinese, English).
pub(crate) fn too_large((what, what_en): (&str, &str), limit: impl std::fmt::Display) -> Rejection {
    Rejection::new(
        RejectionCode::TooLarge,
        format!("文件过大：{what}超过上限 {limit}"),
        format!("the document has more {what_en} than the limit of {limit}"),
    )
}

pub(crate) fn too_many_rows(limits: &Limits) -> Rejection {
    too_large(("表格行数", "table rows"), limits.rows)
}

pub(crate) fn too_many_columns(limits: &Limits) -> Rejection {
    too_large(("表格列数", "table columns"), limits.columns)
}

pub(crate) fn too_many_cells(limits: &Limits) -> Rejection {
    too_large(("单元格数", "table cells"), limits.cells)
}

pub(crate) fn too_many_paragraphs(limits: &Limits) -> Rejection {
    too_large(("段落数", "paragraphs"), limits.paragraphs)
}

pub(crate) fn too_slow(limit: Duration) -> Rejection {
    let seconds = limit.as_secs();
    Rejection::new(
        RejectionCode::TooSlow,
        format!("文件内容过于复杂，{seconds} 秒内无法读完；请另存为 DOCX 或 HTML 后提交"),
        format!("the document took longer than {seconds} s to read; save it as DOCX or HTML"),
    )
}
