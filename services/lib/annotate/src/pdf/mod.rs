//! A PDF with highlights and notes: the original's bytes, and an incremental update after them.
//!
//! `trailer` finds where the original ends, `places` what to mark on which page, `annotation` writes the objects, and
//! `update` appends them with a cross-reference section of the kind that the original has.

mod annotation;
mod places;
#[cfg(test)]
mod tests;
mod trailer;
mod update;
mod write;

use std::collections::BTreeMap;

use gongkai_extract::Limits;
use gongkai_model::{MediaType, Rejection};
use hayro_interpret::hayro_syntax::{
    Pdf,
    object::{Array, Dict, ObjectIdentifier},
    page::Page,
};

use self::{places::PageMark, trailer::Trailer, update::Update};
use crate::{marked_copy::MarkedCopy, refusal, sheet::RemarkSheet};

/// Returns the copy. Its first bytes are those of the original.
pub(crate) fn annotate(bytes: &[u8], limits: &Limits, sheet: &RemarkSheet) -> Result<MarkedCopy, Rejection> {
    let trailer = Trailer::of(bytes).ok_or_else(refusal::damaged_pdf)?;
    if trailer.is_encrypted {
        return Err(refusal::encrypted_pdf());
    }
    let marks = places::of(bytes, limits, sheet)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(|_| refusal::damaged_pdf())?;
    let mut update = Update::new(bytes, &trailer);
    for (number, page) in (1_u32..).zip(pdf.pages().iter()) {
        let own: Vec<&PageMark> = marks.iter().filter(|mark| mark.page == number).collect();
        if !own.is_empty() {
            add(&mut update, &pdf, page, &own, sheet).ok_or_else(refusal::damaged_pdf)?;
        }
    }
    Ok(MarkedCopy { bytes: update.finish(), media_type: MediaType::Pdf })
}

/// Adds the annotations of a page and the page that names them. Returns `None` if the page is no object of its own.
fn add(
    update: &mut Update<'_>,
    pdf: &Pdf,
    page: &Page<'_>,
    marks: &[&PageMark],
    sheet: &RemarkSheet,
) -> Option<()> {
    let id: ObjectIdentifier = page.raw().obj_id()?;
    let stored: Dict<'_> = pdf.xref().get(id)?;
    if stored.data() != page.raw().data() {
        return None;
    }
    let user = annotation::user_space(page);
    let mut references: Vec<String> =
        page.raw().get::<Array<'_>>("Annots").map(|array| write::items(&array)).unwrap_or_default();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for mark in marks {
        let count = counts.entry(mark.remark).or_default();
        *count += 1;
        let name = format!("gongkai-{}-{}-{count}", mark.remark + 1, mark.page);
        let words = annotation::Words { contents: annotation::contents(mark, sheet), name, lang: sheet.lang };
        let object = match annotation::Shape::of(mark, &user) {
            annotation::Shape::Note(rect) => annotation::note(rect, &words, id),
            annotation::Shape::Highlight(quads) => {
                let colour = annotation::colour(mark, sheet);
                let look = update.add(&annotation::appearance(&quads, colour));
                annotation::highlight(&quads, colour, &words, (id, look))
            }
        };
        let number = update.add(&object);
        references.push(format!("{number} 0 R"));
    }
    update.replace(id, &write::dict_with(page.raw(), "Annots", &format!("[{}]", references.join(" "))));
    Some(())
}
