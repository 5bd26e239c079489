//! Builds blocks from a stream of tags and text, in one pass and without a tree.
//!
//! The builder keeps a stack of open elements for three purposes: to know which text is hidden, how deep the page is
//! nested, and which elements a missing end tag leaves open. Inline elements are counted, not kept. Text is collected
//! in a [`LineBuilder`]. At the end of a line, the builder passes it to the innermost open cell, or to the blocks if
//! no cell is open.

use gongkai_model::{Block, Paragraph, Rejection, RejectionCode, Span};

use super::{
    element::{Attributes, Class, ElementName},
    line_builder::LineBuilder,
    look::{Look, StyleSheet},
    meta::Meta,
    table::{Closed, OpenTable},
};
use crate::{limits::Limits, mirror_cleanup::Cleaner, raised::raised_digit};

/// Maximum length of a title that is kept, in bytes.
const LONGEST_TITLE: usize = 4096;

/// Builds the blocks of a page from its tags and text.
#[derive(Debug)]
pub(super) struct BlockBuilder<'a> {
    limits: &'a Limits,
    cleaner: Cleaner,
    options: Options,
    frames: Vec<OpenElement>,
    tables: Vec<OpenTable>,
    line: LineBuilder,
    raw: Option<Class>,
    /// Number of open elements, including inline ones.
    depth: usize,
    cells: usize,
    /// The page's own style sheets.
    sheet: StyleSheet,
    /// True if the open row has a background of its own.
    row_is_painted: bool,
    page: PageContents,
}

/// Options for reading a page.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// Whether to read hidden elements too.
    pub(super) shows_hidden: bool,
    /// Whether line ends outside of tables end paragraphs.
    pub(super) keeps_lines: bool,
}

/// The result of reading a page.
#[derive(Debug, Default)]
pub(super) struct PageContents {
    pub(super) blocks: Vec<Block>,
    /// The text of `<title>`, verbatim.
    pub(super) title: String,
    /// The `<meta>` tags.
    pub(super) meta: Meta,
    /// Number of pinyin glosses that were removed.
    pub(super) pinyin: u32,
    /// Number of tables that were not shown.
    pub(super) hidden_tables: usize,
}

/// An element whose end tag has not been read.
#[derive(Debug, Clone, Copy)]
struct OpenElement {
    name: ElementName,
    class: Class,
    /// True if the element's text is not read.
    hidden: bool,
    /// True if the element's digits are the mark of a footnote.
    raised: bool,
    /// True if the text is white and nothing around it has a background.
    pale: bool,
    /// True if the element or one around it has a background.
    painted: bool,
    /// True if line ends in the element count.
    preformatted: bool,
    /// Number of open inline elements directly inside.
    inline: usize,
}

impl<'a> BlockBuilder<'a> {
    pub(super) fn new(cleaner: Cleaner, options: Options, limits: &'a Limits) -> Self {
        let root = OpenElement {
            name: ElementName::of(b""),
            class: Class::Break,
            hidden: false,
            raised: false,
            pale: false,
            painted: false,
            preformatted: options.keeps_lines,
            inline: 0,
        };
        Self {
            limits,
            cleaner,
            options,
            frames: vec![root],
            tables: Vec::new(),
            line: LineBuilder::default(),
            raw: None,
            depth: 0,
            cells: 0,
            sheet: StyleSheet::default(),
            row_is_painted: false,
            page: PageContents::default(),
        }
    }

    /// Returns true if the page's own style sheets make the classes of its elements matter.
    pub(super) fn reads_classes(&self) -> bool {
        !self.sheet.is_empty()
    }

    /// Handles a start tag at `place`.
    pub(super) fn start_tag(
        &mut self,
        name: &[u8],
        attributes: &mut Attributes,
        self_closing: bool,
        place: Span,
    ) -> Result<(), Rejection> {
        self.raw = None;
        let class = Class::of(name);
        match class {
            Class::Nothing => Ok(()),
            Class::Meta => {
                self.page.meta.take(attributes, place);
                Ok(())
            }
            Class::Field => self.field(attributes, place),
            Class::LongField if self.is_in_cell() => Ok(()),
            Class::Raw | Class::Style | Class::LongField | Class::Title => {
                // Only the first title counts, because templates pasted into a page contain titles of their own.
                let again = class == Class::Title && !self.page.title.is_empty();
                self.raw = Some(if again { Class::Raw } else { class });
                Ok(())
            }
            Class::Break => self.break_line(),
            Class::Inline | Class::Dropped if self_closing => Ok(()),
            Class::Inline if !self.note_look(name, attributes) => {
                if let Some(address) =
                    attributes.address.take().filter(|_| name == b"a" && !self.top().hidden)
                {
                    self.page.meta.link(address, place);
                }
                self.open_inline()
            }
            Class::Inline | Class::Dropped => self.push(name, class, attributes),
            Class::Block | Class::Paragraph | Class::Item | Class::List | Class::Preformatted => {
                self.open_block(name, class, attributes)
            }
            Class::Table => self.open_table(name, attributes),
            Class::Group | Class::Caption => self.open_group(class, name),
            Class::Row => self.open_row(attributes),
            Class::Cell => self.open_cell(name, attributes, place.end),
        }
    }

    /// Adds the look of an inline element's name and classes to its own. Returns true if its text is not plain text.
    fn note_look(&self, name: &[u8], attributes: &mut Attributes) -> bool {
        attributes.look |= Look::of_element(name);
        if let Some(classes) = &attributes.class {
            attributes.look |= self.sheet.look(classes);
        }
        attributes.look.is_special()
    }

    /// Adds the value of a field to the cell around it.
    fn field(&mut self, attributes: &Attributes, place: Span) -> Result<(), Rejection> {
        let value = attributes.value.as_deref().filter(|_| !attributes.is_control && !attributes.look.hidden);
        match value.filter(|_| self.is_in_cell()) {
            Some(value) => self.text(value, std::iter::repeat(place)),
            None => Ok(()),
        }
    }

    fn is_in_cell(&self) -> bool {
        self.tables.last().is_some_and(OpenTable::has_open_cell)
    }

    /// Handles an end tag.
    pub(super) fn end_tag(&mut self, name: &[u8]) -> Result<(), Rejection> {
        self.raw = None;
        match Class::of(name) {
            Class::Nothing | Class::Meta | Class::Raw | Class::Title | Class::Field | Class::LongField => {
                Ok(())
            }
            Class::Style => {
                self.sheet.close();
                Ok(())
            }
            Class::Inline => {
                self.close_inline();
                Ok(())
            }
            Class::Break => self.break_line(),
            Class::Dropped => {
                self.close_named(name);
                Ok(())
            }
            Class::Block | Class::Paragraph | Class::Item | Class::List | Class::Preformatted => {
                self.break_line()?;
                self.close_named(name);
                Ok(())
            }
            Class::Table => self.close_table(),
            class => self.close_part(class),
        }
    }

    /// Adds text. Its `n`-th scalar has the `n`-th position of `places`.
    pub(super) fn text(&mut self, text: &str, places: impl Iterator<Item = Span>) -> Result<(), Rejection> {
        match self.raw {
            Some(Class::Title) => self.note_title(text),
            Some(Class::Style) => self.sheet.push(text),
            Some(_) => {}
            None if self.top().hidden => {}
            None => {
                let OpenElement { preformatted, raised, pale, .. } = *self.top();
                for (c, place) in text.chars().zip(places) {
                    if preformatted && c == '\n' {
                        self.break_line()?;
                    }
                    self.line.push(if raised { raised_digit(c) } else { c }, place, pale);
                    if self.line.len() > self.limits.line_scalars {
                        return Err(too_large("段落或单元格长度", "the length of a paragraph or cell"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the page and returns its contents.
    pub(super) fn finish(mut self) -> Result<PageContents, Rejection> {
        while !self.tables.is_empty() {
            self.close_table()?;
        }
        self.break_line()?;
        Ok(self.page)
    }
}

// === lines ===

impl BlockBuilder<'_> {
    /// Ends the line and passes it on.
    fn break_line(&mut self) -> Result<(), Rejection> {
        let Some((line, pinyin)) = self.line.take(self.cleaner) else { return Ok(()) };
        self.page.pinyin += pinyin;
        self.deliver(line)
    }

    /// Passes a line to the innermost open cell, or to the blocks if no cell is open.
    fn deliver(&mut self, line: Paragraph) -> Result<(), Rejection> {
        match self.tables.iter_mut().rev().find(|table| table.has_open_cell()) {
            Some(table) if !table.is_layout => {
                table.push_line(line);
                Ok(())
            }
            _ => self.push_block(Block::Paragraph(line)),
        }
    }

    fn push_block(&mut self, block: Block) -> Result<(), Rejection> {
        self.page.blocks.push(block);
        if self.page.blocks.len() > self.limits.paragraphs {
            return Err(too_large("文档段落数", "the number of paragraphs"));
        }
        Ok(())
    }

    fn note_title(&mut self, text: &str) {
        if self.page.title.len() + text.len() <= LONGEST_TITLE {
            self.page.title.push_str(text);
        }
    }
}

// === the stack of open elements ===

impl BlockBuilder<'_> {
    fn top(&self) -> &OpenElement {
        self.frames.last().expect("the root frame is never taken off")
    }

    fn push(&mut self, name: &[u8], class: Class, attributes: &Attributes) -> Result<(), Rejection> {
        let top = *self.top();
        let look = attributes.look;
        let painted = top.painted || look.painted || (class == Class::Cell && self.row_is_painted);
        self.frames.push(OpenElement {
            name: ElementName::of(name),
            class,
            hidden: top.hidden
                || class == Class::Dropped
                || look.struck
                || (look.hidden && !self.options.shows_hidden),
            raised: (top.raised && class != Class::Cell) || (look.raised && class == Class::Inline),
            pale: !painted && ((top.pale && class != Class::Cell) || (look.pale && class == Class::Inline)),
            painted,
            preformatted: (top.preformatted && class != Class::Cell) || class == Class::Preformatted,
            inline: 0,
        });
        self.deepen()
    }

    fn deepen(&mut self) -> Result<(), Rejection> {
        self.depth += 1;
        if self.depth > self.limits.nesting { Err(too_deep(self.limits.nesting)) } else { Ok(()) }
    }

    /// Removes all frames from an index on.
    fn truncate(&mut self, length: usize) {
        let length = length.max(1);
        let gone: usize =
            self.frames.drain(length.min(self.frames.len())..).map(|frame| frame.inline + 1).sum();
        self.depth = self.depth.saturating_sub(gone);
    }

    /// Returns the topmost frame that fits, without looking beyond the innermost cell or table.
    fn find(&self, fits: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let barrier = |frame: &OpenElement| matches!(frame.class, Class::Cell | Class::Table);
        let found = self.frames.iter().rposition(|frame| barrier(frame) || fits(frame))?;
        (found > 0 && !barrier(&self.frames[found])).then_some(found)
    }

    fn close_named(&mut self, name: &[u8]) {
        let name = ElementName::of(name);
        if let Some(found) = self.find(|frame| frame.name == name) {
            self.truncate(found);
        }
    }

    fn open_inline(&mut self) -> Result<(), Rejection> {
        let top = self.frames.last_mut().expect("the root frame is never taken off");
        top.inline += 1;
        self.deepen()
    }

    fn close_inline(&mut self) {
        let top = self.frames.last_mut().expect("the root frame is never taken off");
        if top.inline > 0 {
            top.inline -= 1;
            self.depth = self.depth.saturating_sub(1);
        } else if top.class == Class::Inline {
            self.truncate(self.frames.len() - 1);
        }
    }

    /// Opens a block. A block closes the paragraph before it, and a list item closes the item before it.
    fn open_block(&mut self, name: &[u8], class: Class, attributes: &Attributes) -> Result<(), Rejection> {
        self.break_line()?;
        if self.top().class == Class::Paragraph {
            self.truncate(self.frames.len() - 1);
        }
        if class == Class::Item
            && let Some(found) = self.find(|frame| matches!(frame.class, Class::Item | Class::List))
            && self.frames[found].class == Class::Item
        {
            self.truncate(found);
        }
        self.push(name, class, attributes)
    }
}

// === tables ===

impl BlockBuilder<'_> {
    /// Opens a table. If it is directly inside another table, outside of any cell, it ends that table first, as in a
    /// browser.
    fn open_table(&mut self, name: &[u8], attributes: &Attributes) -> Result<(), Rejection> {
        if self.tables.last().is_some_and(|table| !table.has_open_cell()) {
            self.close_table()?;
        }
        self.break_line()?;
        self.push(name, Class::Table, attributes)?;
        self.page.hidden_tables += usize::from(self.top().hidden);
        self.tables.push(OpenTable::default());
        Ok(())
    }

    /// Removes everything above the innermost table. Returns false if there is none.
    fn back_to_table(&mut self) -> Result<bool, Rejection> {
        if self.tables.is_empty() {
            return Ok(false);
        }
        self.break_line()?;
        let table = self.frames.iter().rposition(|frame| frame.class == Class::Table);
        self.truncate(table.map_or(1, |index| index + 1));
        Ok(true)
    }

    fn open_group(&mut self, class: Class, name: &[u8]) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let table = self.tables.last_mut().expect("back_to_table found it");
        if class == Class::Group {
            table.open_group(name == b"tfoot");
        } else {
            table.close_cell();
        }
        Ok(())
    }

    fn open_row(&mut self, attributes: &Attributes) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        self.row_is_painted = attributes.look.painted;
        let hidden =
            self.top().hidden || attributes.flat || (attributes.look.hidden && !self.options.shows_hidden);
        self.tables.last_mut().expect("back_to_table found it").open_row(hidden, self.limits)
    }

    fn open_cell(&mut self, name: &[u8], attributes: &mut Attributes, at: u32) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let frame_is_hidden = self.top().hidden;
        let table = self.tables.last_mut().expect("back_to_table found it");
        attributes.look.hidden |= table.row_is_hidden();
        let shown = !table.row_is_hidden() && (!attributes.look.hidden || self.options.shows_hidden);
        if shown && !frame_is_hidden {
            self.cells += 1;
            let spans = (attributes.row_span.unwrap_or(1), attributes.column_span.unwrap_or(1));
            table.open_cell(spans, at, self.limits)?;
        } else {
            table.open_hidden_cell();
        }
        if self.cells > self.limits.cells {
            return Err(too_large("文档单元格数", "the number of table cells"));
        }
        self.push(name, Class::Cell, attributes)
    }

    /// Ends a cell, row, group or caption of the innermost table.
    fn close_part(&mut self, class: Class) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        let table = self.tables.last_mut().expect("back_to_table found it");
        match class {
            Class::Cell | Class::Caption => table.close_cell(),
            Class::Row => table.close_row(),
            _ => table.close_group(),
        }
        Ok(())
    }

    /// Ends the innermost table. If it is a grid, every table around it becomes layout.
    fn close_table(&mut self) -> Result<(), Rejection> {
        if !self.back_to_table()? {
            return self.break_line();
        }
        self.truncate(self.frames.len() - 1);
        match self.tables.pop().expect("back_to_table found it").close() {
            Closed::Layout(lines) => lines.into_iter().try_for_each(|line| self.deliver(line)),
            Closed::Data(grid) => {
                self.make_layout()?;
                self.push_block(Block::Table(grid))
            }
        }
    }

    /// Turns the open tables into layout. The text of their cells so far becomes paragraphs before the grid that was
    /// found inside.
    fn make_layout(&mut self) -> Result<(), Rejection> {
        let mut lines = Vec::new();
        for table in &mut self.tables {
            if !table.is_layout {
                table.is_layout = true;
                lines.append(&mut table.take_lines());
            }
        }
        lines.into_iter().try_for_each(|line| self.push_block(Block::Paragraph(line)))
    }
}

fn too_deep(limit: usize) -> Rejection {
    Rejection::new(
        RejectionCode::TooDeep,
        format!("嵌套过深：超过 {limit} 层"),
        format!("nested deeper than {limit} elements"),
    )
}

fn too_large(what: &str, what_en: &str) -> Rejection {
    Rejection::new(RejectionCode::TooLarge, format!("{what}超过上限"), format!("over the limit: {what_en}"))
}
