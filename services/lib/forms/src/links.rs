//! Keeps the links of the report itself and drops those of the page's menus and footers.
//!
//! Menus are before the title, or are not sentences. The footer after chapter 六 names the operator of the site.

use gongkai_model::{Block, Document, Field, FieldName, Paragraph, Section, Span};

/// Words of a page's footer.
const FOOTER: [&str; 8] = ["版权", "主办", "承办", "ICP", "技术支持", "标识码", "公网安备", "网站地图"];

/// Drops the links outside of the preamble and the chapters. Links of formats without positions are kept.
pub(crate) fn keep_own(
    fields: &mut Vec<Field>,
    document: &Document,
    preamble: &[Paragraph],
    sections: &[Section],
) {
    if fields.iter().all(|field| field.name != FieldName::Link) {
        return;
    }
    let paragraphs = document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(paragraph) => paragraph.span,
        Block::Table(_) => None,
    });
    let blocks: Vec<Span> = paragraphs.collect();
    let chapters = sections.iter().flat_map(|section| &section.paragraphs);
    let sentences = preamble.iter().chain(chapters).filter(|paragraph| is_sentence(&paragraph.text));
    let prose: Vec<Span> = sentences.filter_map(|Paragraph { span, .. }| *span).collect();
    fields.retain(|field| {
        field.name != FieldName::Link
            || field.source.span.is_none_or(|link| {
                // The text of a link follows its tag, so it is in the first block that ends after the tag.
                let first = blocks.partition_point(|block| block.end <= link.end);
                blocks.get(first).is_some_and(|block| {
                    let at = prose.partition_point(|own| own.end <= block.start);
                    prose.get(at).is_some_and(|own| own.start < block.end)
                })
            })
    });
}

fn is_sentence(text: &str) -> bool {
    text.contains(['。', '，', '；']) && !FOOTER.iter().any(|word| text.contains(word))
}
