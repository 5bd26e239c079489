//! Bytes to blocks: paragraphs and table grids, one module per format.

mod source_text;

pub use source_text::SourceText;
