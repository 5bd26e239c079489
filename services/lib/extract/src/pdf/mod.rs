//! PDF with a text layer: glyphs and ruled lines of each page to paragraphs and grids.
//!
//! `hayro` interprets the pages; what it draws lands on a [`Canvas`](canvas::Canvas). From there on all is ours:
//! `rulings` makes lattices of lines, `table` cells of lattices and glyphs, `lines` text of glyphs, `assemble` joins
//! what page breaks cut to lines of pages (`page_line`) and tables. Where nothing is ruled, `columns` and `table_header` say which
//! `column` a number stands in, and `unruled` reads the text as flattened.

mod assemble;
mod canvas;
mod column;
mod columns;
mod expansion;
mod lines;
mod page_line;
mod rulings;
mod side_by_side;
mod table;
mod table_header;
#[cfg(test)]
mod tests;
mod unruled;
#[cfg(test)]
mod unruled_tests;

use gongkai_model::{Block, Rejection, RejectionCode};
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, TransformExt,
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf, page::Pages},
    interpret_page,
    kurbo::Rect,
};

use self::{
    assemble::Assembler,
    canvas::{Budget, Canvas},
};
use crate::{limits::Limits, reject};

/// Fewest glyphs that make a text; a scan may bear a stamp or a page number.
const FEWEST_GLYPHS: usize = 20;

/// Most glyphs and lines of pages that are kept; a report has some thousands.
const MOST_KEPT: usize = 100_000;

/// Reads a document.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    expansion::check(bytes, limits)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(rejection)?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(reject::corrupt("PDF"));
    }
    if pages.len() > limits.pages {
        return Err(reject::too_large(("页数", "pages"), limits.pages));
    }
    check_content(pages, limits)?;
    let cache = InterpreterCache::new();
    let mut drawn = Drawn::new(limits);
    let mut seen = Seen::default();
    let mut budget = Budget::new(limits);
    for (number, page) in (1..).zip(pages.iter()) {
        let (width, height) = page.render_dimensions();
        let (width, height) = (f64::from(width), f64::from(height));
        let mut canvas = Canvas::new(width, height, limits, &mut budget);
        let area = Rect::new(0.0, 0.0, width, height);
        let transform = page.initial_transform(true).to_kurbo();
        let mut context = Context::new(transform, area, &cache, pdf.xref(), InterpreterSettings::default());
        interpret_page(page, &mut context, &mut canvas);
        let page = canvas.finish()?;
        seen.note(&page);
        drawn.page(number, page)?;
    }
    seen.check()?;
    drawn.finish()
}

/// The pages as they are drawn: kept until they are too many to hold two reports side by side.
struct Drawn<'l> {
    limits: &'l Limits,
    assembler: Assembler<'l>,
    kept: Vec<canvas::Page>,
    glyphs: usize,
}

impl<'l> Drawn<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self { limits, assembler: Assembler::new(limits), kept: Vec::new(), glyphs: 0 }
    }

    fn page(&mut self, number: u32, page: canvas::Page) -> Result<(), Rejection> {
        let is_kept = self.glyphs <= MOST_KEPT;
        self.glyphs = self.glyphs.saturating_add(page.glyphs.len() + page.rules.len());
        if self.glyphs <= MOST_KEPT {
            self.kept.push(page);
            return Ok(());
        }
        if is_kept {
            self.assemble_kept()?;
        }
        self.assembler.page(number, &page)
    }

    fn assemble_kept(&mut self) -> Result<(), Rejection> {
        let pages = std::mem::take(&mut self.kept);
        (1..).zip(&pages).try_for_each(|(number, page)| self.assembler.page(number, page))
    }

    fn finish(mut self) -> Result<Vec<Block>, Rejection> {
        if let Some((left, right)) = side_by_side::split(&self.kept) {
            let mut blocks = Vec::new();
            for pages in [left, right] {
                let mut report = Assembler::new(self.limits);
                (1..).zip(&pages).try_for_each(|(number, page)| report.page(number, page))?;
                blocks.extend(report.finish()?);
            }
            return Ok(blocks);
        }
        self.assemble_kept()?;
        self.assembler.finish()
    }
}

/// Counts what the pages draw from: they may share a content that was expanded once.
fn check_content(pages: &Pages, limits: &Limits) -> Result<(), Rejection> {
    let mut content = 0_usize;
    for page in pages.iter() {
        content = content.saturating_add(page.page_stream().map_or(0, <[u8]>::len));
        if content > limits.expanded_bytes {
            return Err(reject::too_large(
                ("各页内容字节数", "bytes of page contents"),
                limits.expanded_bytes,
            ));
        }
    }
    Ok(())
}

/// What the pages hold altogether.
#[derive(Debug, Default)]
struct Seen {
    readable: usize,
    unreadable: usize,
    hidden: usize,
    pictures: usize,
}

impl Seen {
    fn note(&mut self, page: &canvas::Page) {
        let unreadable = page.glyphs.iter().filter(|glyph| glyph.text == canvas::UNREADABLE).count();
        self.unreadable += unreadable;
        self.readable += page.glyphs.len() - unreadable;
        self.hidden += page.hidden_glyphs;
        self.pictures += page.pictures;
    }

    /// Pictures of pages, or glyphs that do not say what they mean.
    fn check(&self) -> Result<(), Rejection> {
        let scanned = self.readable < FEWEST_GLYPHS && (self.pictures > 0 || self.hidden > 0);
        if scanned || self.unreadable > self.readable {
            return Err(needs_ocr());
        }
        Ok(())
    }
}

fn rejection(error: LoadPdfError) -> Rejection {
    match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => reject::encrypted("PDF"),
        LoadPdfError::Decryption(_) | LoadPdfError::Invalid => reject::corrupt("PDF"),
    }
}

fn needs_ocr() -> Rejection {
    Rejection::new(
        RejectionCode::NeedsOcr,
        "PDF 为扫描件或文字无法提取；请提交可复制文字的 PDF、DOCX 或 HTML",
        "the PDF holds pictures of pages, or text that cannot be extracted; submit a PDF with text, DOCX or HTML",
    )
}
