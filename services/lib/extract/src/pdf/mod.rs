//! PDF with a text layer: turns the glyphs and rulings of each page into paragraphs and grids.
//!
//! `hayro` interprets the pages and draws them on a [`Canvas`](canvas::Canvas). The other modules work on the drawn
//! page, from which `visibility` keeps out what is not printed for a reader: `rulings` groups lines into lattices, `table` turns lattices and glyphs into cells, `lines` groups glyphs
//! into text, and `assemble` joins what page breaks cut, both lines of pages (`page_line`) and tables. For tables
//! without rulings, `columns` and `table_header` find the `column` of each number, and `unruled` reads the result as
//! flattened text.

mod annotations;
mod assemble;
mod canvas;
mod column;
mod columns;
mod drawn_page;
mod expansion;
mod filters;
#[cfg(test)]
mod hidden_tests;
#[cfg(test)]
mod hostile_tests;
mod lines;
mod page_line;
mod page_text;
mod resources;
mod rulings;
mod side_by_side;
mod table;
mod table_header;
#[cfg(test)]
mod tests;
mod unruled;
#[cfg(test)]
mod unruled_tests;
mod visibility;

use gongkai_model::{Block, Rejection, RejectionCode};
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, RenderContent, TransformExt,
    hayro_syntax::{
        DecryptionError, LoadPdfError, Pdf,
        page::{Page, Pages},
    },
    interpret_page,
    kurbo::Rect,
};

pub use self::page_text::{PdfGlyph, pdf_glyphs};
use self::{
    assemble::Assembler,
    canvas::{Budget, Canvas},
    expansion::Expansion,
};
use crate::{limits::Limits, reject};

/// Minimum number of glyphs of a text. A scan may have a stamp or a page number.
const FEWEST_GLYPHS: usize = 20;

/// Maximum number of glyphs and lines of pages that are kept. A report has some thousands.
const MOST_KEPT: usize = 100_000;

/// Reads a document.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Rejection> {
    let pdf = open(bytes, limits)?;
    let cache = InterpreterCache::new();
    let mut drawn = Drawn::new(limits);
    let mut seen = Totals::default();
    let mut budget = Budget::new();
    for (number, page) in (1..).zip(pdf.pages().iter()) {
        let page = draw(&pdf, page, &cache, limits, &mut budget)?;
        seen.note(&page);
        drawn.page(number, page)?;
    }
    seen.check()?;
    drawn.finish()
}

/// Opens a file whose contents are within the limits.
fn open(bytes: &[u8], limits: &Limits) -> Result<Pdf, Rejection> {
    let mut expansion = Expansion::of_file(bytes, limits)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(rejection)?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(reject::corrupt("PDF"));
    }
    if pages.len() > limits.pages {
        return Err(reject::too_large(("页数", "pages"), limits.pages));
    }
    resources::check(&pdf, &mut expansion)?;
    check_content(pages, limits)?;
    Ok(pdf)
}

/// Draws a page.
fn draw<'p>(
    pdf: &'p Pdf,
    page: &Page<'p>,
    cache: &InterpreterCache<'p>,
    limits: &Limits,
    budget: &mut Budget,
) -> Result<drawn_page::DrawnPage, Rejection> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let mut canvas = Canvas::new(width, height, limits, budget);
    let area = Rect::new(0.0, 0.0, width, height);
    let transform = page.initial_transform(true).to_kurbo();
    let interpret = |canvas: &mut Canvas<'_>, render_content: RenderContent| {
        let settings = InterpreterSettings { render_content, ..InterpreterSettings::default() };
        let mut context = Context::new(transform, area, cache, pdf.xref(), settings);
        interpret_page(page, &mut context, canvas);
    };
    interpret(&mut canvas, RenderContent::PAGE);
    let notes = annotations::of(page);
    if notes.has_text {
        canvas.begin_annotations(notes.others);
        interpret(&mut canvas, RenderContent::ANNOTATIONS);
    }
    canvas.finish()
}

/// The pages drawn so far. They are kept until there are too many for a file with two reports side by side.
struct Drawn<'l> {
    limits: &'l Limits,
    assembler: Assembler<'l>,
    kept: Vec<drawn_page::DrawnPage>,
    glyphs: usize,
}

impl<'l> Drawn<'l> {
    fn new(limits: &'l Limits) -> Self {
        Self { limits, assembler: Assembler::new(limits), kept: Vec::new(), glyphs: 0 }
    }

    fn page(&mut self, number: u32, page: drawn_page::DrawnPage) -> Result<(), Rejection> {
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
        let Some(halves) = side_by_side::two_up(&self.kept) else {
            self.assemble_kept()?;
            return self.assembler.finish();
        };
        self.kept = halves.pages;
        self.assemble_kept()?;
        let mut blocks = self.assembler.finish()?;
        blocks.iter_mut().for_each(|block| side_by_side::back_on_sheet(block, halves.width));
        Ok(blocks)
    }
}

/// Checks the total size of the contents that the pages draw. Pages can share a content that was expanded once.
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

/// Totals over all pages.
#[derive(Debug, Default)]
struct Totals {
    readable: usize,
    unreadable: usize,
    hidden: usize,
    pictures: usize,
}

impl Totals {
    fn note(&mut self, page: &drawn_page::DrawnPage) {
        let unreadable = page.glyphs.iter().filter(|glyph| glyph.text == canvas::UNREADABLE).count();
        self.unreadable += unreadable;
        self.readable += page.glyphs.len() - unreadable;
        self.hidden += page.hidden_glyphs;
        self.pictures += page.pictures;
    }

    /// Rejects documents that consist of images of pages, or whose glyphs have no known characters.
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
