//! Pages on which the report is a picture: their title is a report's, and they have no text of their own.

use gongkai_extract::Hints;
use gongkai_forms::named_in_title;
use gongkai_model::{Block, Document, LookAlike, MediaType, Rejection, RejectionCode};

/// Number of paragraphs in which the title is looked for.
const HEAD: usize = 12;

/// Returns the rejection of a page. One that shows a report as a picture is told what to send.
pub(crate) fn told(rejection: Rejection, document: &Document, page: &[u8], hints: &Hints<'_>) -> Rejection {
    let has_no_text = matches!(
        rejection.look_alike,
        Some(LookAlike::AttachmentPage | LookAlike::DataPage | LookAlike::Other)
    );
    let is_page = has_no_text && document.media_type == MediaType::Html;
    if is_page && is_titled(document) && gongkai_extract::has_pictures(page, hints) {
        return needs_ocr();
    }
    rejection
}

/// Returns true if the page's title or tags, or one of its first lines, are the title of a report.
fn is_titled(document: &Document) -> bool {
    let paragraphs = document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(paragraph) => Some(paragraph.text.as_str()),
        Block::Table(_) => None,
    });
    document.meta_title.as_deref().into_iter().chain(paragraphs.take(HEAD)).any(|line| {
        let named = named_in_title(line);
        named.agency.is_some() && named.year.is_some()
    })
}

fn needs_ocr() -> Rejection {
    Rejection::new(
        RejectionCode::NeedsOcr,
        "网页标题是年度报告，但正文是图片，没有可读取的文字；请报送附件原件，或文字可复制的网页、DOCX、PDF",
        "the page has the title of a report, but shows pictures without text; submit its attachment, or a page, DOCX or PDF with text",
    )
}

#[cfg(test)]
mod tests {
    use gongkai_extract::Limits;

    use super::*;

    fn rejected(body: &str) -> Rejection {
        let page = format!(
            "<html><head><meta name=ArticleTitle content=云川市水务局2023年政府信息公开工作年度报告></head><body>{body}</body></html>"
        );
        crate::read(page.as_bytes(), &Hints::default(), &Limits::default()).unwrap_err()
    }

    #[test]
    fn a_report_in_pictures_is_told_what_to_send() {
        for body in [
            "<p><img src=1.jpg></p><p><img src=2.jpg></p>",
            "<p><img src=1.jpg><img src=2.jpg></p><p>附件：<a href=a.pdf>年度报告.pdf</a></p>",
            "<h1>云川市水务局2023年政府信息公开工作年度报告</h1><p>发布时间：2024-01-20</p><p><img src=1.jpg></p>",
        ] {
            let rejection = rejected(body);
            assert_eq!(rejection.code, RejectionCode::NeedsOcr, "{body}: {rejection:?}");
            assert!(!rejection.message.contains("这不是"), "{rejection:?}");
        }
    }

    #[test]
    fn a_page_of_another_kind_or_without_pictures_keeps_its_rejection() {
        assert_eq!(rejected("<p>附件：<a href=a.pdf>年度报告.pdf</a></p>").code, RejectionCode::NotAReport);
        let page = "<html><head><title>云川市水务局网站</title></head><body><p>今日要闻</p><img src=1.jpg></body></html>";
        let other = crate::read(page.as_bytes(), &Hints::default(), &Limits::default()).unwrap_err();
        assert_eq!(other.code, RejectionCode::NotAReport);
    }
}
