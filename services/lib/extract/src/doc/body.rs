//! Builds blocks from characters and their properties.

use gongkai_model::{Block, Paragraph as Text, Rejection};

use super::{
    props::{self, Character, ParagraphProps, PropertyRun},
    table::OpenTable,
};
use crate::{invisible::is_invisible, limits::Limits, raised::raised_digit, reject};

/// Builds blocks.
pub(super) struct DocBuilder<'a> {
    limits: &'a Limits,
    paragraphs: &'a [PropertyRun<ParagraphProps>],
    blocks: Vec<Block>,
    tables: Vec<OpenTable>,
    /// The paragraph so far.
    text: String,
    scalars: usize,
    /// For each open field, whether its result has begun.
    fields: Vec<bool>,
    cells: usize,
}

impl<'a> DocBuilder<'a> {
    pub(super) fn new(paragraphs: &'a [PropertyRun<ParagraphProps>], limits: &'a Limits) -> Self {
        Self {
            limits,
            paragraphs,
            blocks: Vec::new(),
            tables: Vec::new(),
            text: String::new(),
            scalars: 0,
            fields: Vec::new(),
            cells: 0,
        }
    }

    /// Adds the next character, which is at `offset`.
    pub(super) fn character(&mut self, c: char, offset: usize, is: Character) -> Result<(), Rejection> {
        match c {
            '\r' | '\u{7}' => return self.end_paragraph(c, offset),
            // Page and section breaks end a paragraph outside of tables.
            '\u{c}' => return self.end_paragraph(c, offset),
            _ if is.is_gone => {}
            '\u{13}' if self.fields.len() >= self.limits.nesting => {
                return Err(reject::too_deep(self.limits.nesting));
            }
            '\u{13}' => self.fields.push(false),
            '\u{14}' => {
                if let Some(field) = self.fields.last_mut() {
                    *field = true;
                }
            }
            '\u{15}' => drop(self.fields.pop()),
            _ if self.fields.contains(&false) => {}
            _ if is.symbol.is_some() => self.push(is.symbol.unwrap_or(c)),
            '\u{b}' => self.push('\n'),
            '\u{1e}' => self.push('-'),
            '\t' => self.push('\t'),
            // Pictures, marks of notes, optional hyphens and invisible characters are dropped.
            '\0'..='\u{1f}' => {}
            _ if is_invisible(c) || is.is_special => {}
            _ => self.push(if is.is_raised { raised_digit(c) } else { c }),
        }
        if self.scalars > self.limits.line_scalars {
            let limit = self.limits.line_scalars;
            return Err(reject::too_large(("段落字数", "characters in a paragraph"), limit));
        }
        Ok(())
    }

    /// Ends a text. Paragraphs and fields do not continue in the next one.
    pub(super) fn end_text(&mut self) -> Result<(), Rejection> {
        self.flush()?;
        self.fields.clear();
        self.close_to(0)
    }

    pub(super) fn finish(self) -> Vec<Block> {
        self.blocks
    }

    fn push(&mut self, c: char) {
        self.scalars += 1;
        self.text.push(c);
    }

    fn end_paragraph(&mut self, mark: char, offset: usize) -> Result<(), Rejection> {
        if let Some(code) = self.fields.iter().position(|in_result| !in_result) {
            self.fields.truncate(code);
        }
        let none = ParagraphProps::default();
        let paragraph = props::at(self.paragraphs, offset).map_or(&none, |run| &run.value);
        let depth = paragraph.depth().min(self.limits.nesting);
        self.close_to(depth)?;
        while self.tables.len() < depth {
            self.tables.push(OpenTable::default());
        }
        self.flush()?;
        let limits = self.limits;
        if let Some(table) = self.tables.last_mut() {
            if paragraph.ends_row() {
                self.cells += table.end_row(paragraph.row.clone(), limits)?;
            } else if paragraph.ends_cell(mark) {
                table.end_cell();
            }
        }
        if self.cells > limits.cells { Err(reject::too_many_cells(limits)) } else { Ok(()) }
    }

    /// Emits the lines of the paragraph so far.
    fn flush(&mut self) -> Result<(), Rejection> {
        self.scalars = 0;
        let text = std::mem::take(&mut self.text);
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            self.emit(line.to_owned())?;
        }
        Ok(())
    }

    /// Adds a line to the innermost open cell, or to the blocks.
    fn emit(&mut self, text: String) -> Result<(), Rejection> {
        match self.tables.last_mut() {
            Some(table) if !table.is_layout => {
                table.push_line(text);
                Ok(())
            }
            _ => self.push_block(Block::Paragraph(Text { text, span: None, page: None })),
        }
    }

    fn push_block(&mut self, block: Block) -> Result<(), Rejection> {
        self.blocks.push(block);
        let limits = self.limits;
        if self.blocks.len() > limits.paragraphs { Err(reject::too_many_paragraphs(limits)) } else { Ok(()) }
    }

    /// Ends all tables deeper than `depth`.
    fn close_to(&mut self, depth: usize) -> Result<(), Rejection> {
        while self.tables.len() > depth {
            let Some(table) = self.tables.pop() else { break };
            let blocks = table.close(self.limits)?;
            if blocks.iter().any(|block| matches!(block, Block::Table(_))) {
                // A table that contains a table is layout: its text so far comes first.
                let lines: Vec<String> = self.tables.iter_mut().flat_map(OpenTable::take_as_layout).collect();
                for text in lines {
                    self.push_block(Block::Paragraph(Text { text, span: None, page: None }))?;
                }
            }
            for block in blocks {
                match block {
                    Block::Paragraph(paragraph) => self.emit(paragraph.text)?,
                    table @ Block::Table(_) => self.push_block(table)?,
                }
            }
        }
        Ok(())
    }
}
