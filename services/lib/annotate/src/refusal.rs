//! Why no copy can be made, with what to do instead.

use gongkai_model::{MediaType, Rejection, RejectionCode};

/// Returns the refusal of a format that has no marked copy.
pub(crate) fn unsupported(media_type: MediaType) -> Rejection {
    let name = match media_type {
        MediaType::Doc => "DOC",
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

/// Returns the refusal of a PDF that only a repair makes readable.
pub(crate) fn damaged_pdf() -> Rejection {
    Rejection::new(
        RejectionCode::Corrupt,
        "未生成批注版：PDF 的交叉引用表或页面结构有损坏，无法在文件后追加批注；请重新导出 PDF 后再核查一次。",
        "no marked copy: the cross-reference table or the pages of the PDF are damaged; export it again, and check that",
    )
}

/// Returns the refusal of an encrypted PDF, whose additions would have to be encrypted too.
pub(crate) fn encrypted_pdf() -> Rejection {
    Rejection::new(
        RejectionCode::Encrypted,
        "未生成批注版：PDF 设有权限或密码保护；请导出未加密的 PDF 后再核查一次。",
        "no marked copy: the PDF is encrypted; export it without protection, and check that",
    )
}
