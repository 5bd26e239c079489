//! A receipt as text, in Chinese and English.

use super::ingest::{ReceiptAnswer, State};
use crate::{
    commands::check::wrap::wrap,
    printer::{Emphasis, Printer, clean},
};

/// The indent of the lines about a document.
const INDENT: &str = "    ";

/// Returns a state in words, and its emphasis.
pub(super) fn word(state: State) -> (&'static str, Emphasis) {
    match state {
        State::Received => ("已收到 received", Emphasis::Bold),
        State::Parsed => ("已读取 parsed", Emphasis::Bold),
        State::Validated => ("已核查 validated", Emphasis::Green),
        State::Rejected => ("已拒绝 rejected", Emphasis::Red),
        State::Withdrawn => ("已撤回 withdrawn", Emphasis::Bold),
        State::Unchanged => ("内容未变 unchanged", Emphasis::Bold),
        State::Dead => ("处理失败 dead", Emphasis::Red),
    }
}

/// Writes all parts of a receipt.
pub(super) fn write(out: &mut Printer, name: &str, receipt: &ReceiptAnswer) -> std::io::Result<()> {
    let (word, style) = word(receipt.state);
    out.line(format!("{}  {}", out.styled(Emphasis::Bold, &clean(name)), out.styled(style, word)))?;
    let counts = receipt.findings;
    if receipt.state == State::Validated {
        out.line(format!(
            "    疑点 findings: 必须整改 error {}, 建议整改 warning {}, 请核实 review {}, 提示 info {}",
            counts.error, counts.warning, counts.review, counts.info
        ))?;
    }
    if let Some(rejection) = &receipt.rejection {
        let text = format!("{}  {}", rejection.code, clean(&rejection.message));
        out.line(format!("{INDENT}{}", wrap(&text, INDENT.len(), INDENT.len())))?;
        let english = wrap(&clean(&rejection.message_en), INDENT.len(), INDENT.len());
        out.line(format!("{INDENT}{}", out.styled(Emphasis::Dim, &english)))?;
    }
    if let Some(report) = &receipt.report {
        out.line(format!("    report      {}", clean(report)))?;
    }
    out.line(format!("    submission  {}", clean(&receipt.submission_id)))?;
    out.line(format!("    trace       {}", clean(&receipt.trace_id)))
}
