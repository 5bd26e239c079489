//! DOCX: turns the packages of Word and WPS into paragraphs and grids.
//!
//! The text is read as it would be printed with all tracked changes accepted; notes say how many there are. Headers, footers, notes and comments are
//! other parts of the package and are not read. A page that Word is to take in when it opens the file (`altChunk`) is read
//! as HTML.

mod body;
mod chunks;
mod leftovers;
mod links;
mod mime;
mod numbering;
mod package;
mod styles;
mod table;
#[cfg(test)]
mod tests;
mod xml;

use gongkai_model::{Block, Field, Note, Rejection};

use self::{
    body::{Body, DocxBuilder},
    numbering::Numbering,
    styles::Styles,
};

pub use self::package::Package;
use crate::{limits::Limits, reject};

/// A package as read.
#[derive(Debug)]
pub(crate) struct Docx {
    /// The blocks. Their spans are ranges of the main part, in bytes.
    pub(crate) blocks: Vec<Block>,
    /// The targets of links.
    pub(crate) links: Vec<Field>,
    pub(crate) notes: Vec<Note>,
}

/// Reads a package.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Docx, Rejection> {
    let mut package = Package::open(bytes, limits)?;
    let main = package.main_part()?;
    let text = package.part(&main)?.ok_or_else(|| reject::corrupt("DOCX"))?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut beside = |name: &str| package.part(format!("{folder}/{name}").trim_start_matches('/'));
    // In some files styles are ten times as large as the text, and most texts use no relevant style.
    let styles = if text.contains("Style ") { beside("styles.xml")? } else { None };
    let styles = styles.map_or(Ok(Styles::default()), |part| Styles::used(&part, &text, limits))?;
    let lists = beside("numbering.xml")?;
    let lists = lists.map_or(Ok(Numbering::default()), |part| Numbering::read(&part, limits))?;
    let mut body = DocxBuilder::new(styles, lists, limits);
    xml::walk_placed(&text, limits, |node, place| body.visit(node, place))?;
    let relations = package.part(&relations_of(&main))?;
    let links = links::read(&text, relations.as_deref(), limits)?;
    let Body { blocks, chunks, notes } = body.finish()?;
    let blocks = match relations.filter(|_| !chunks.is_empty()) {
        Some(relations) => chunks::insert(blocks, &chunks, &relations, (&mut package, folder), limits)?,
        None => blocks,
    };
    Ok(Docx { blocks, links, notes })
}

/// Returns the name of the part with the relations of another.
fn relations_of(part: &str) -> String {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    format!("{folder}/_rels/{name}.rels").trim_start_matches('/').to_owned()
}
