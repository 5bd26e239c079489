//! Why no copy can be made, with what to do instead.

use gongkai_model::{MediaType, Rejection, RejectionCode};

/// Returns the refusal of a format that has no marked copy.
pub(crate) fn unsupported(media_type: MediaType) -> Rejection {
    let name = match media_type {
        MediaType::Doc => "DOC",
        MediaType::Pdf => "PDF",
        MediaType::Docx => "DOCX",
        _ => "此",
    };
    Rejection::new(
        RejectionCode::UnsupportedFormat,
        format!("未生成批注版：{name} 格式不能批注；请另存为 DOCX 或 HTML 后再核查，或按清单逐条修改。"),
        format!(
            "no marked copy: {name} cannot be marked; save it as DOCX or HTML, or work from the list of findings"
        ),
    )
}

/// Returns the refusal of a DOCX whose parts do not fit together.
pub(crate) fn corrupt() -> Rejection {
    Rejection::new(
        RejectionCode::Corrupt,
        "未生成批注版：DOCX 的内部结构不完整；请用 Word 或 WPS 打开后另存，再核查一次。",
        "no marked copy: the structure of the DOCX is broken; open it in Word or WPS, save it again, and check that",
    )
}
