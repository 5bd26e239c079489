//! Reads blocks from the main part, in one pass and without a tree.
//!
//! Everything but the document's own text as it would be printed is skipped: deleted and moved-away text, old
//! properties, field codes, hidden text, placeholders, fallbacks of drawings, pinyin over characters. Paragraphs may
//! contain paragraphs (text boxes), so open ones are kept on a stack.

use std::mem;

use gongkai_model::{Block, Note, Paragraph, Rejection, Span};
use quick_xml::events::BytesStart;

use super::{
    leftovers::Leftovers,
    numbering::Numbering,
    styles::Styles,
    table::{OpenTable, VerticalMerge},
    xml::{self, Node},
};
use crate::{
    colour::{Colour, Ground},
    invisible::is_invisible,
    limits::Limits,
    raised::{lowered_digit, raised_digit},
    reject,
};

/// Builds blocks.
pub(super) struct DocxBuilder<'a> {
    limits: &'a Limits,
    styles: Styles,
    numbering: Numbering,
    blocks: Vec<Block>,
    tables: Vec<OpenTable>,
    paragraphs: Vec<OpenParagraph>,
    /// Number of open elements inside a skipped one.
    skipped: usize,
    /// For each open content control, whether it shows only its placeholder.
    controls: Vec<bool>,
    /// For each open field, whether its result has begun.
    fields: Vec<bool>,
    run: Run,
    /// How the digits of an exponent or an index are written, inside a formula.
    formula: Option<fn(char) -> char>,
    /// What is behind the open cell.
    ground: Ground,
    /// True while text belongs to the document.
    in_text: bool,
    in_row_properties: bool,
    cells: usize,
    /// Text of paragraphs whose end was deleted, with their range. It continues in the next paragraph.
    carried: (Vec<String>, Option<Span>),
    /// Range of the node that is being visited.
    place: Span,
    chunks: Vec<Chunk>,
    leftovers: Leftovers,
}

/// The content of the main part.
pub(super) struct Body {
    pub(super) blocks: Vec<Block>,
    pub(super) chunks: Vec<Chunk>,
    /// What an editor left besides the text.
    pub(super) notes: Vec<Note>,
}

/// A part of the package that stands in the text as a whole.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Number of blocks before it.
    pub(super) at: usize,
    /// Id of its relation.
    pub(super) relation: String,
}

/// Largest size of text that nobody can read, in half points.
const UNREADABLE: u32 = 4;

/// Largest width of text that nobody can read, in percent.
const NARROWEST: u32 = 5;

/// The properties of a run of characters.
#[derive(Debug, Default)]
struct Run {
    is_open: bool,
    hidden: Option<bool>,
    /// Struck out, by one rule or by two.
    struck: Option<bool>,
    /// How a digit is written, if the run is raised or lowered, as the mark of a footnote.
    marked: Option<fn(char) -> char>,
    ink: Option<Colour>,
    ground: Ground,
    /// Below the line.
    is_lowered: bool,
    style: Option<String>,
}

/// A paragraph that is being read.
#[derive(Debug, Default)]
struct OpenParagraph {
    /// Beginning of its element.
    start: u32,
    lines: Vec<String>,
    /// White text. It is read only if there is no other: then its background is likely to be dark.
    pale: String,
    /// Number of scalars so far.
    length: usize,
    style: Option<String>,
    list: Option<u32>,
    level: Option<u32>,
    in_properties: bool,
    /// True if a tracked change deleted the end of the paragraph.
    end_is_deleted: bool,
}

impl<'a> DocxBuilder<'a> {
    pub(super) fn new(styles: Styles, numbering: Numbering, limits: &'a Limits) -> Self {
        Self {
            limits,
            styles,
            numbering,
            blocks: Vec::new(),
            tables: Vec::new(),
            paragraphs: Vec::new(),
            skipped: 0,
            controls: Vec::new(),
            fields: Vec::new(),
            run: Run::default(),
            formula: None,
            ground: Ground::Open,
            in_text: false,
            in_row_properties: false,
            cells: 0,
            carried: (Vec::new(), None),
            place: Span { start: 0, end: 0 },
            chunks: Vec::new(),
            leftovers: Leftovers::default(),
        }
    }

    /// Takes the next node. The spans of the blocks are ranges of the main part, in bytes: of the paragraph, or of the cell.
    pub(super) fn visit(&mut self, node: &Node<'_>, place: Span) -> Result<(), Rejection> {
        self.place = place;
        match node {
            Node::Start(_, true) if self.skipped > 0 => Ok(()),
            Node::Start(_, false) if self.skipped > 0 => {
                self.skipped += 1;
                Ok(())
            }
            Node::Start(tag, empty) => {
                self.start(tag, *empty)?;
                if *empty && self.skipped == 0 { self.end(tag.local_name().as_ref()) } else { Ok(()) }
            }
            Node::End(_) if self.skipped > 0 => {
                self.skipped -= 1;
                Ok(())
            }
            Node::End(name) => self.end(name),
            Node::Text(text) if self.in_text && self.skipped == 0 => self.text(text),
            Node::Text(_) => Ok(()),
        }
    }

    pub(super) fn finish(mut self) -> Result<Body, Rejection> {
        let (rest, span) = mem::take(&mut self.carried);
        self.close_paragraph(&rest, span)?;
        Ok(Body { blocks: self.blocks, chunks: self.chunks, notes: self.leftovers.notes() })
    }

    // === elements ===

    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<(), Rejection> {
        let name = tag.local_name();
        let name = name.as_ref();
        let properties = self.paragraphs.last().is_some_and(|paragraph| paragraph.in_properties);
        self.leftovers.note(name);
        match name {
            "del" if properties => self.note_paragraph(name, tag),
            "del" | "hidden" if self.in_row_properties => {
                if let Some(table) = self.tables.last_mut() {
                    table.row_is_gone |= xml::is_on(tag);
                }
            }
            "trPr" => self.in_row_properties = !empty,
            "pPr" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.in_properties = !empty;
                }
            }
            _ if is_passed_over(name) => self.skipped = usize::from(!empty),
            "p" => {
                self.paragraphs.push(OpenParagraph { start: self.place.start, ..OpenParagraph::default() });
            }
            "r" => self.run = Run { is_open: true, ..Run::default() },
            "t" => self.in_text = true,
            "tab" | "ptab" if !properties => self.push_text("\t")?,
            "br" | "cr" => self.break_line(),
            "noBreakHyphen" => self.push_text("-")?,
            "sym" => self.push_symbol(tag)?,
            "tbl" => self.tables.push(OpenTable::default()),
            "tr" | "tc" | "gridCol" | "gridBefore" | "gridSpan" | "vMerge" | "hMerge" | "cellDel" => {
                self.table(name, tag)?;
            }
            "sdt" => self.controls.push(false),
            "showingPlcHdr" => {
                if let Some(control) = self.controls.last_mut() {
                    *control = xml::is_on(tag);
                }
            }
            "fldChar" => self.field(tag)?,
            "altChunk" => {
                let at = self.blocks.len();
                self.chunks.extend(xml::attribute(tag, "id").map(|relation| Chunk { at, relation }));
            }
            "pStyle" | "numId" | "ilvl" => self.note_paragraph(name, tag),
            "vanish" if self.run.is_open => self.run.hidden = Some(xml::is_on(tag)),
            "strike" | "dstrike" if self.run.is_open => {
                self.run.struck = Some(self.run.struck == Some(true) || xml::is_on(tag));
            }
            "vertAlign" if self.run.is_open => {
                self.run.marked = match xml::attribute(tag, "val").as_deref() {
                    Some("superscript") => Some(raised_digit),
                    Some("subscript") => Some(lowered_digit),
                    _ => None,
                };
            }
            "position" if self.run.is_open => match xml::attribute(tag, "val").as_deref() {
                Some(down) if down.starts_with('-') => self.run.is_lowered = true,
                Some("0") | None => {}
                Some(_) => self.run.marked = Some(raised_digit),
            },
            "sup" => self.formula = Some(raised_digit),
            "sub" => self.formula = Some(lowered_digit),
            "w" if self.run.is_open && xml::number(tag).is_some_and(|width| width <= NARROWEST) => {
                self.run.hidden = Some(true);
            }
            "noFill" if self.run.is_open => self.run.hidden = Some(true),
            "sz" if self.run.is_open && xml::number(tag).is_some_and(|size| size <= UNREADABLE) => {
                self.run.hidden = Some(true);
            }
            "color" if self.run.is_open => {
                self.run.ink =
                    xml::attribute(tag, "val").and_then(|colour| Colour::of_hex(colour.as_bytes()));
            }
            "shd" | "highlight" if self.run.is_open => self.run.ground = ground(tag),
            "shd" if self.paragraphs.is_empty() || !self.tables.is_empty() && !properties => {
                self.ground = ground(tag);
            }
            "rStyle" if self.run.is_open => self.run.style = xml::attribute(tag, "val"),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Rejection> {
        match name {
            "t" => self.in_text = false,
            "r" => self.run = Run::default(),
            "sup" | "sub" => self.formula = None,
            "trPr" => self.in_row_properties = false,
            "pPr" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.in_properties = false;
                }
            }
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.end_paragraph(paragraph)?;
                }
            }
            "tr" | "tc" => {
                self.ground = Ground::Open;
                let end = self.place.end;
                if let Some(table) = self.tables.last_mut() {
                    table.close_cell(end);
                    if name == "tr" {
                        table.close_row();
                    }
                }
            }
            "tbl" => self.close_table()?,
            "sdt" => drop(self.controls.pop()),
            _ => {}
        }
        Ok(())
    }

    /// Records a property of the open paragraph.
    fn note_paragraph(&mut self, name: &str, tag: &BytesStart<'_>) {
        let Some(paragraph) = self.paragraphs.last_mut().filter(|paragraph| paragraph.in_properties) else {
            return;
        };
        match name {
            "pStyle" => paragraph.style = xml::attribute(tag, "val"),
            "numId" => paragraph.list = xml::number(tag),
            "ilvl" => paragraph.level = xml::number(tag),
            "del" => paragraph.end_is_deleted = true,
            _ => {}
        }
    }

    fn table(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<(), Rejection> {
        let (limits, place) = (self.limits, self.place);
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        match name {
            "tr" => return table.open_row(limits),
            "tc" => {
                self.cells += 1;
                if self.cells > limits.cells {
                    return Err(reject::too_many_cells(limits));
                }
                return table.open_cell(place, limits);
            }
            "gridCol" => {
                let width = xml::attribute(tag, "w").and_then(|width| width.split('.').next()?.parse().ok());
                table.push_width(width.unwrap_or(0), limits);
            }
            "gridBefore" => table.skip(xml::number(tag).unwrap_or(0).min(limits.columns)),
            "hMerge" if xml::attribute(tag, "val").as_deref() != Some("restart") => table.merge_left(),
            _ => {}
        }
        let Some(cell) = table.cell() else { return Ok(()) };
        match name {
            "gridSpan" => cell.span = xml::number(tag).unwrap_or(1).clamp(1, limits.columns),
            "vMerge" => {
                let restarts = xml::attribute(tag, "val").as_deref() == Some("restart");
                cell.merge = if restarts { VerticalMerge::Restart } else { VerticalMerge::Continue };
            }
            "cellDel" => cell.is_gap = true,
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, tag: &BytesStart<'_>) -> Result<(), Rejection> {
        match xml::attribute(tag, "fldCharType").as_deref() {
            Some("begin") if self.fields.len() >= self.limits.nesting => {
                return Err(reject::too_deep(self.limits.nesting));
            }
            Some("begin") => self.fields.push(false),
            Some("separate") => {
                if let Some(field) = self.fields.last_mut() {
                    *field = true;
                }
            }
            Some("end") => drop(self.fields.pop()),
            _ => {}
        }
        Ok(())
    }

    // === text ===

    fn text(&mut self, text: &str) -> Result<(), Rejection> {
        let is_break = |c| c == '\n' || c == '\r';
        self.push_text(&text.replace(is_break, " "))
    }

    /// Adds a character of a symbol font. Its code usually has no meaning outside the font, but the text must show
    /// that there is a character.
    fn push_symbol(&mut self, tag: &BytesStart<'_>) -> Result<(), Rejection> {
        let code = xml::attribute(tag, "char").and_then(|code| u32::from_str_radix(&code, 16).ok());
        let c = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
        self.push_text(c.encode_utf8(&mut [0; 4]))
    }

    fn push_text(&mut self, text: &str) -> Result<(), Rejection> {
        if self.is_hidden() {
            self.leftovers.note_hidden(text);
            return Ok(());
        }
        if !self.is_shown() {
            return Ok(());
        }
        let limits = self.limits;
        let is_pale = self.is_pale();
        let Some(paragraph) = self.paragraphs.last_mut() else { return Ok(()) };
        paragraph.length += text.chars().count();
        if paragraph.length > limits.line_scalars {
            return Err(reject::too_large(("段落字数", "characters in a paragraph"), limits.line_scalars));
        }
        let style = self.run.style.as_deref();
        let marked = self.run.marked.or(self.formula).or_else(|| self.styles.marks(style?));
        // Text below the line is no part of what is before it.
        if let Some(line) = paragraph.lines.last_mut().filter(|_| self.run.is_lowered) {
            line.push(' ');
        }
        let shown =
            text.chars().filter(|c| !is_invisible(*c)).map(|c| marked.map_or(c, |written| written(c)));
        if is_pale {
            paragraph.pale.extend(shown);
            return Ok(());
        }
        match paragraph.lines.last_mut() {
            Some(line) => line.extend(shown),
            None => paragraph.lines.push(shown.collect()),
        }
        Ok(())
    }

    fn break_line(&mut self) {
        if let Some(paragraph) = self.paragraphs.last_mut()
            && paragraph.length < self.limits.line_scalars
        {
            // Counts as text, so that line breaks are limited too.
            paragraph.length += 1;
            paragraph.lines.push(String::new());
        }
    }

    /// Returns true if text of the run has the colour of its ground.
    fn is_pale(&self) -> bool {
        let style = self.run.style.as_deref();
        let Some(ink) = self.run.ink.or_else(|| self.styles.ink(style?)) else { return false };
        let around = if self.tables.is_empty() { Ground::Open } else { self.ground };
        self.run.ground.or(around).hides(ink)
    }

    fn is_hidden(&self) -> bool {
        let style = self.run.style.as_deref();
        self.run.hidden.or_else(|| self.styles.hides(style?)).unwrap_or(false)
    }

    /// Returns true if text that is not hidden is printed.
    fn is_shown(&self) -> bool {
        let style = self.run.style.as_deref();
        let struck = self.run.struck.or_else(|| self.styles.strikes(style?)).unwrap_or(false);
        !struck && !self.controls.contains(&true) && self.fields.iter().all(|in_result| *in_result)
    }

    // === ends ===

    fn end_paragraph(&mut self, mut paragraph: OpenParagraph) -> Result<(), Rejection> {
        // A field code ends with its paragraph at the latest, so that a missing end does not hide the rest of the
        // document.
        if let Some(code) = self.fields.iter().position(|in_result| !in_result) {
            self.fields.truncate(code);
        }
        if paragraph.style.as_deref().is_some_and(|style| self.styles.is_contents(style)) {
            return Ok(());
        }
        if !paragraph.pale.is_empty() && paragraph.lines.iter().all(|line| line.trim().is_empty()) {
            paragraph.lines.push(mem::take(&mut paragraph.pale));
        }
        self.number(&mut paragraph);
        let own = Span { start: paragraph.start, end: self.place.end };
        if paragraph.end_is_deleted {
            let (lines, span) = &mut self.carried;
            join(lines, paragraph.lines);
            *span = Span::of_both(*span, Some(own));
            return Ok(());
        }
        let (mut lines, span) = mem::take(&mut self.carried);
        join(&mut lines, mem::take(&mut paragraph.lines));
        self.close_paragraph(&lines, Span::of_both(span, Some(own)))
    }

    /// Adds the automatic number before the text.
    fn number(&mut self, paragraph: &mut OpenParagraph) {
        let style = paragraph.style.as_deref();
        let by_style = || style.and_then(|style| self.styles.numbering(style));
        let numbered = paragraph.list.map(|list| (list, paragraph.level)).or_else(by_style);
        let Some((list, level)) = numbered.filter(|(list, _)| *list > 0) else { return };
        // An empty paragraph shows its number too, but has no content.
        if paragraph.lines.iter().all(|line| line.trim().is_empty()) {
            return;
        }
        let Some(mut label) = self.numbering.next(list, level, style) else { return };
        if label.ends_with(|c: char| c.is_ascii()) {
            label.push(' ');
        }
        if let Some(line) = paragraph.lines.iter_mut().find(|line| !line.trim().is_empty()) {
            *line = label + line.trim_start();
        }
    }

    fn close_paragraph(&mut self, lines: &[String], span: Option<Span>) -> Result<(), Rejection> {
        let lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
        for line in lines {
            self.emit(Paragraph { text: line.to_owned(), span, page: None })?;
        }
        Ok(())
    }

    /// Adds a finished line to the innermost open cell, or to the blocks.
    fn emit(&mut self, line: Paragraph) -> Result<(), Rejection> {
        match self.tables.last_mut() {
            Some(table) if !table.is_layout() => {
                table.push_line(line);
                Ok(())
            }
            _ => self.push_block(Block::Paragraph(line)),
        }
    }

    fn push_block(&mut self, block: Block) -> Result<(), Rejection> {
        self.blocks.push(block);
        let limits = self.limits;
        if self.blocks.len() > limits.paragraphs { Err(reject::too_many_paragraphs(limits)) } else { Ok(()) }
    }

    fn close_table(&mut self) -> Result<(), Rejection> {
        let Some(table) = self.tables.pop() else { return Ok(()) };
        let blocks = table.close(self.limits)?;
        let is_data = blocks.iter().any(|block| matches!(block, Block::Table(_)));
        if is_data {
            // A table that contains a table is layout: its text so far comes first.
            for at in 0..self.tables.len() {
                let lines = self.tables.get_mut(at).map(OpenTable::take_as_layout).unwrap_or_default();
                for line in lines {
                    self.push_block(Block::Paragraph(line))?;
                }
            }
        }
        for block in blocks {
            match block {
                Block::Paragraph(paragraph) => self.emit(paragraph)?,
                table @ Block::Table(_) => self.push_block(table)?,
            }
        }
        Ok(())
    }
}

/// Returns what a shading or a highlight puts behind text.
fn ground(tag: &BytesStart<'_>) -> Ground {
    let fill = xml::attribute(tag, "fill").or_else(|| xml::attribute(tag, "val")).unwrap_or_default();
    let fill = fill.to_ascii_lowercase();
    let is_plain = xml::attribute(tag, "val").is_none_or(|pattern| pattern != "solid");
    match Colour::of_hex(fill.as_bytes()).or_else(|| Colour::of_name(fill.as_bytes())) {
        Some(colour) if is_plain => Ground::Colour(colour),
        None if matches!(fill.as_str(), "auto" | "none" | "clear" | "nil") => Ground::Open,
        _ => Ground::Unknown,
    }
}

/// Returns true for elements whose content is not part of the printed text.
fn is_passed_over(name: &str) -> bool {
    matches!(
        name,
        "del" | "moveFrom" | "delText" | "delInstrText" | "instrText" | "Fallback" | "rt" | "tblGridChange"
    ) || (name.ends_with("PrChange") || name == "numberingChange")
}

/// Appends lines to lines. The first one continues the last line.
fn join(lines: &mut Vec<String>, more: Vec<String>) {
    let mut more = more.into_iter();
    if let Some(last) = lines.last_mut() {
        last.extend(more.next());
    }
    lines.extend(more);
}
