//! The links of the report itself: those of the page's menus and footers are the site's.
//!
//! Menus stand before the title or are no sentences; a footer behind chapter 六 names who runs the site.

use gongkai_model::{Block, Document, Field, FieldName, Paragraph, Section, Span};

/// Words of a page's footer.
const FOOTER: [&str; 8] = ["版权", "主办", "承办", "ICP", "技术支持", "标识码", "公网安备", "网站地图"];

/// Drops the links that stand outside of preamble and chapters. A link of a format without places is the report's.
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
                // The text of a link stands behind its tag: in the first block that ends behind it.
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
