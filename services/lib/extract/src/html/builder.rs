//! Builds blocks from a stream of tags and text, in one pass and without a tree.
//!
//! The builder keeps a stack of open elements for three purposes: to know which text is hidden, how deep the page is
//! nested, and which elements a missing end tag leaves open. Inline elements are counted, not kept. Text is collected
//! in a [`LineBuilder`]. At the end of a line, the builder passes it to the innermost open cell, or to the blocks if
//! no cell is open.

mod tables;

use gongkai_model::{Block, Paragraph, Rejection, RejectionCode, Span};

use super::{
    element::{Attributes, Class, ElementName},
    line_builder::{LineBuilder, Print},
    look::{Look, Shift, TextSize},
    meta::Meta,
    select::OpenSelect,
    style_sheet::StyleSheet,
    table::OpenTable,
};
use crate::{
    colour::{Colour, Ground},
    limits::Limits,
    mirror_cleanup::Cleaner,
    raised::{lowered_digit, raised_digit},
};

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
    /// How the open row shows its text.
    row_look: Look,
    /// The list of options that is being read.
    select: Option<OpenSelect>,
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
    /// True if the element's text is too small to be seen.
    tiny: bool,
    /// Where the element's text is beside the text around it.
    shift: Shift,
    /// True if the text has the colour of what is behind it.
    pale: bool,
    /// The colour of the text, if it is known.
    ink: Option<Colour>,
    /// What is behind the text.
    ground: Ground,
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
            tiny: false,
            shift: Shift::None,
            pale: false,
            ink: None,
            ground: Ground::Open,
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
            row_look: Look::default(),
            select: None,
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
            Class::Select => self.open_select(name, attributes),
            Class::Choice => {
                if let Some(select) = &mut self.select {
                    select.open_option(attributes.is_selected);
                }
                Ok(())
            }
            Class::Meta => {
                self.page.meta.take(attributes, place);
                Ok(())
            }
            Class::Field => self.field(attributes, place),
            Class::LongField if self.is_in_cell() && !class.is_hidden_by(attributes.look) => Ok(()),
            Class::Raw | Class::Style | Class::LongField | Class::Title => {
                // Only the first title counts, because templates pasted into a page contain titles of their own.
                let again = class == Class::Title && !self.page.title.is_empty();
                self.raw = Some(if again { Class::Raw } else { class });
                Ok(())
            }
            Class::Break => self.break_line(),
            Class::Inline | Class::Dropped if self_closing => Ok(()),
            Class::Inline if !self.note_look(name, class, attributes) => {
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
            Class::Row => {
                self.note_classes(attributes);
                self.open_row(attributes)
            }
            Class::Cell => {
                self.note_classes(attributes);
                self.open_cell(name, attributes, place.end)
            }
        }
    }

    /// Adds the look of an element's name and classes to its own. Returns true if its text is not plain text.
    fn note_look(&mut self, name: &[u8], class: Class, attributes: &mut Attributes) -> bool {
        self.note_classes(attributes);
        if class == Class::Inline {
            attributes.look = attributes.look.with_element(name);
        }
        if let Some(id) = &attributes.id {
            attributes.look |= self.sheet.look_of_id(id);
        }
        let (look, top) = (attributes.look, self.top());
        let is_coloured = look.ink.is_some_and(|ink| top.pale || look.ground.or(top.ground).hides(ink));
        look.is_special() || is_coloured || (top.tiny && look.size.is_some())
    }

    /// Adds the look of an element's classes to its own.
    fn note_classes(&self, attributes: &mut Attributes) {
        if let Some(classes) = &attributes.class {
            attributes.look |= self.sheet.look(classes);
        }
    }

    /// Opens a list of options. Outside of cells it is not part of the text.
    fn open_select(&mut self, name: &[u8], attributes: &Attributes) -> Result<(), Rejection> {
        if !self.is_in_cell() || self.top().hidden || Class::Select.is_hidden_by(attributes.look) {
            return self.push(name, Class::Dropped, attributes);
        }
        self.close_select()?;
        self.select = Some(OpenSelect::default());
        Ok(())
    }

    /// Ends the list of options and adds the text of the selected one.
    fn close_select(&mut self) -> Result<(), Rejection> {
        let Some(select) = self.select.take() else { return Ok(()) };
        select.finish().into_iter().for_each(|(c, place)| self.line.push(c, place, Print::Plain));
        self.check_length()
    }

    /// Adds the value of a field to the cell around it.
    fn field(&mut self, attributes: &Attributes, place: Span) -> Result<(), Rejection> {
        let value = attributes
            .value
            .as_deref()
            .filter(|_| !attributes.is_control && !Class::Field.is_hidden_by(attributes.look));
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
            Class::Choice => Ok(()),
            Class::Select if self.select.is_some() => self.close_select(),
            Class::Select | Class::Dropped => {
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
            None if self.is_unseen() => {}
            None => match &mut self.select {
                Some(select) => select.push(text, places),
                None => return self.shown_text(text, places),
            },
        }
        Ok(())
    }

    /// Returns true if text of the innermost element is not seen.
    fn is_unseen(&self) -> bool {
        let top = self.top();
        top.hidden || (top.tiny && !self.options.shows_hidden)
    }

    /// Adds text that is seen to the line.
    fn shown_text(&mut self, text: &str, places: impl Iterator<Item = Span>) -> Result<(), Rejection> {
        let OpenElement { preformatted, shift, pale, .. } = *self.top();
        let print = match shift {
            _ if pale => Print::Pale,
            Shift::Lifted => Print::Lifted,
            Shift::Apart => Print::Apart,
            Shift::None | Shift::Lowered | Shift::Raised => Print::Plain,
        };
        for (c, place) in text.chars().zip(places) {
            if preformatted && c == '\n' {
                self.break_line()?;
            }
            let c = match shift {
                Shift::Raised => raised_digit(c),
                Shift::Lowered => lowered_digit(c),
                Shift::None | Shift::Apart | Shift::Lifted => c,
            };
            self.line.push(c, place, print);
            self.check_length()?;
        }
        Ok(())
    }

    fn check_length(&self) -> Result<(), Rejection> {
        if self.line.len() > self.limits.line_scalars {
            return Err(too_large("段落或单元格长度", "the length of a paragraph or cell"));
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
        self.close_select()?;
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
        let row = if class == Class::Cell { self.row_look } else { Look::default() };
        let ground = look.ground.or(row.ground).or(top.ground);
        let around = top.ink.filter(|_| class != Class::Cell);
        let ink = if class == Class::Inline { look.ink.or(around) } else { around };
        let inherited = if class == Class::Cell { Shift::None } else { top.shift };
        let own = if class == Class::Inline { look.shift } else { Shift::None };
        self.frames.push(OpenElement {
            name: ElementName::of(name),
            class,
            hidden: top.hidden
                || class == Class::Dropped
                || look.struck
                || row.struck
                || ((class.is_hidden_by(look) || row.unseen) && !self.options.shows_hidden),
            tiny: look.size.map_or(top.tiny, |size| size == TextSize::Zero),
            shift: inherited.max(own),
            pale: ink.is_some_and(|ink| ground.hides(ink)),
            ink,
            ground,
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
    fn open_block(
        &mut self,
        name: &[u8],
        class: Class,
        attributes: &mut Attributes,
    ) -> Result<(), Rejection> {
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
        if self.is_in_cell() {
            self.note_look(name, class, attributes);
        }
        self.push(name, class, attributes)
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
