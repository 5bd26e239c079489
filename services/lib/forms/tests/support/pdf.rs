//! A report as a PDF: tables over several pages, ruled or not, in a Chinese font that is not embedded.

use self::pdf_file::pdf_file;
use super::{
    Table,
    layout::Part,
    placed::{self, Placed},
};

#[path = "../../../extract/tests/support/pdf_file.rs"]
mod pdf_file;

const WIDTH: f64 = 595.0;
const HEIGHT: f64 = 842.0;
const MARGIN: f64 = 40.0;
const SIZE: f64 = 8.0;
const LEADING: f64 = 10.0;

/// Writes a file. Ruled tables have lines around their cells; in unruled tables, texts are centred.
pub(crate) fn write(parts: &[Part<'_>], is_ruled: bool) -> Vec<u8> {
    file(&pages(parts, is_ruled), WIDTH)
}

/// Writes two reports side by side.
pub(crate) fn write_beside(left: &[Part<'_>], right: &[Part<'_>], is_ruled: bool) -> Vec<u8> {
    let (mut left, mut right) = (pages(left, is_ruled), pages(right, is_ruled));
    let most = left.len().max(right.len());
    left.resize(most, String::new());
    right.resize(most, String::new());
    let both = |(left, right): (&String, &String)| format!("{left}q 1 0 0 1 {WIDTH} 0 cm\n{right}Q\n");
    let pages: Vec<String> = left.iter().zip(&right).map(both).collect();
    file(&pages, WIDTH * 2.0)
}

/// Writes a report with two of its pages on each sheet.
pub(crate) fn write_two_up(parts: &[Part<'_>]) -> Vec<u8> {
    let pages = pages(parts, true);
    let sheet = |pages: &[String]| {
        let right = pages.get(1).map_or("", String::as_str);
        format!("{}q 1 0 0 1 {WIDTH} 0 cm\n{right}Q\n", pages[0])
    };
    let sheets: Vec<String> = pages.chunks(2).map(sheet).collect();
    file(&sheets, WIDTH * 2.0)
}

fn pages(parts: &[Part<'_>], is_ruled: bool) -> Vec<String> {
    let mut paper = Paper { pages: vec![String::new()], y: HEIGHT - MARGIN, is_ruled };
    for part in parts {
        match part {
            Part::Line(text) => paper.paragraph(text),
            Part::Table(table) => paper.table(table),
        }
    }
    paper.pages
}

struct Paper {
    pages: Vec<String>,
    /// Position of the next object, from the bottom.
    y: f64,
    is_ruled: bool,
}

impl Paper {
    fn draw(&mut self, what: &str) {
        self.pages.last_mut().unwrap().push_str(what);
    }

    fn turn(&mut self) {
        let number = self.pages.len();
        self.draw(&text(WIDTH / 2.0, MARGIN / 2.0, &format!("- {number} -")));
        self.pages.push(String::new());
        self.y = HEIGHT - MARGIN;
    }

    fn paragraph(&mut self, line: &str) {
        for piece in wrapped(line, WIDTH - 2.0 * MARGIN) {
            if self.y < MARGIN + 2.0 * LEADING {
                self.turn();
            }
            self.draw(&text(MARGIN, self.y, &piece));
            self.y -= LEADING * 1.6;
        }
        self.y -= LEADING;
    }

    fn table(&mut self, table: &Table) {
        let rows = placed::rows(table);
        let columns = placed::width(&rows);
        let step = (WIDTH - 2.0 * MARGIN) / count(columns);
        let mut top = self.y;
        // Cells that are drawn when their last row on this page is known: x, width, top.
        let mut open: Vec<(f64, f64, f64)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let height = row.iter().map(|placed| needed(placed, step)).fold(LEADING, f64::max) + 6.0;
            if top - height < MARGIN {
                open.drain(..).for_each(|(x, width, above)| self.cell(x, width, above, top));
                self.turn();
                top = self.y;
                let above = row.iter().filter(|placed| placed.cell.is_none());
                open.extend(above.map(|placed| (x(placed, step), count(placed.columns) * step, top)));
            }
            for placed in row {
                let Some(cell) = placed.cell else { continue };
                let (x, width) = (x(placed, step), count(placed.columns) * step);
                for (line, piece) in (1..).zip(wrapped(&cell.text, width - 4.0)) {
                    let indent = if self.is_ruled { 2.0 } else { (width - taken(&piece)) / 2.0 };
                    self.draw(&text(x + indent, top - 1.0 - f64::from(line) * LEADING + 2.0, &piece));
                }
                open.push((x, width, top));
            }
            top -= height;
            let goes_on = |from: f64| {
                rows.get(at + 1).is_some_and(|next| {
                    next.iter().any(|p| p.cell.is_none() && (x(p, step) - from).abs() < 0.1)
                })
            };
            let (stay, done): (Vec<_>, Vec<_>) = open.into_iter().partition(|(x, _, _)| goes_on(*x));
            done.into_iter().for_each(|(x, width, above)| self.cell(x, width, above, top));
            open = stay;
        }
        self.y = top - LEADING * 2.0;
    }

    fn cell(&mut self, x: f64, width: f64, top: f64, bottom: f64) {
        if !self.is_ruled {
            return;
        }
        self.draw(&format!("{x:.2} {bottom:.2} {width:.2} {:.2} re S\n", top - bottom));
    }
}

fn x(placed: &Placed<'_>, step: f64) -> f64 {
    MARGIN + count(placed.column) * step
}

/// Returns the height that a cell needs for its text.
fn needed(placed: &Placed<'_>, step: f64) -> f64 {
    let cell = placed.cell.filter(|cell| cell.rows == 1);
    cell.map_or(0.0, |cell| count(wrapped(&cell.text, count(placed.columns) * step - 4.0).len()) * LEADING)
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap())
}

/// Returns the printed width of a text.
fn taken(text: &str) -> f64 {
    text.chars().map(|c| if c.is_ascii() { SIZE / 2.0 } else { SIZE }).sum()
}

fn wrapped(text: &str, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut taken = 0.0;
    for c in text.chars() {
        let own = if c.is_ascii() { SIZE / 2.0 } else { SIZE };
        if taken + own > width && !lines.last().unwrap().is_empty() {
            lines.push(String::new());
            taken = 0.0;
        }
        lines.last_mut().unwrap().push(c);
        taken += own;
    }
    lines
}

fn text(x: f64, y: f64, text: &str) -> String {
    let hex: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
    format!("BT /F {SIZE} Tf {x:.2} {y:.2} Td <{hex}> Tj ET\n")
}

fn file(pages: &[String], width: f64) -> Vec<u8> {
    let kids: String = (0..pages.len()).map(|at| format!("{} 0 R ", 6 + at * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()),
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>".to_owned(),
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /W [1 95 500] /FontDescriptor 5 0 R \
         /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>".to_owned(),
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0 \
         /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>".to_owned(),
    ];
    for (at, content) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {HEIGHT}] /Contents {} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>",
            7 + at * 2
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    pdf_file(&objects, "")
}
