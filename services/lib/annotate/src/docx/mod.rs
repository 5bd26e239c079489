//! A DOCX with comments: the package as it is, with comments beside those that it has.
//!
//! `targets` finds the paragraphs of each remark, `outline` the paragraphs and runs of the main part, `cuts` writes the
//! marks of the comments into it, `comments` the part with the comments, and `parts` the parts that name it. All other
//! entries of the package are copied as they are, compressed as they are.

mod comments;
mod cuts;
mod outline;
mod parts;
mod targets;
#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    io::{Cursor, Write as _},
};

use gongkai_extract::{DocxPackage, Limits, docx_blocks};
use gongkai_model::{MediaType, Rejection};
use zip::{ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use self::{comments::CommentsPart, cuts::Cuts, outline::Outline, parts::Names};
use crate::{marked_copy::MarkedCopy, refusal::corrupt, sheet::RemarkSheet};

/// Returns the copy.
pub(crate) fn annotate(bytes: &[u8], limits: &Limits, sheet: &RemarkSheet) -> Result<MarkedCopy, Rejection> {
    let blocks = docx_blocks(bytes, limits)?;
    let mut package = DocxPackage::open(bytes, limits)?;
    let main = package.main_part()?;
    let text = package.part(&main)?.ok_or_else(corrupt)?;
    let outline = Outline::of(&text).ok_or_else(corrupt)?;
    let names = Names::of(&mut package, &main)?;
    let existing = package.part(&names.comments)?;
    let mut comments = CommentsPart::new(existing, &outline, &text).ok_or_else(corrupt)?;
    let mut cuts = Cuts::new(&outline, &text);
    for target in targets::of(&blocks, &outline, sheet) {
        cuts.mark(&target.range, comments.add(&target, sheet));
    }
    let mut changed = parts::naming(&names, &mut package, outline.is_strict)?;
    changed.push((main, cuts.apply(&text)));
    changed.push((names.comments, comments.finish()));
    let bytes = rewritten(bytes, &changed).map_err(|_| corrupt())?;
    Ok(MarkedCopy { bytes, media_type: MediaType::Docx })
}

/// Returns the package with some parts replaced or added.
fn rewritten(bytes: &[u8], changed: &[(String, String)]) -> Result<Vec<u8>, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut copy = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    let mut written: Vec<&str> = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at)?;
        let own_name = entry.name().ok().map(Cow::into_owned);
        let new = changed.iter().find(|(name, _)| Some(name) == own_name.as_ref());
        match new {
            // An entry that occurs twice stays one.
            Some((name, _)) if written.contains(&name.as_str()) => {}
            Some((name, text)) => {
                drop(entry);
                put(&mut copy, name, text)?;
                written.push(name);
            }
            None => copy.raw_copy_file(entry)?,
        }
    }
    for (name, text) in changed.iter().filter(|(name, _)| !written.contains(&name.as_str())) {
        put(&mut copy, name, text)?;
    }
    Ok(copy.finish()?.into_inner())
}

fn put(copy: &mut ZipWriter<Cursor<Vec<u8>>>, name: &str, text: &str) -> Result<(), ZipError> {
    copy.start_file(name, SimpleFileOptions::default())?;
    Ok(copy.write_all(text.as_bytes())?)
}
