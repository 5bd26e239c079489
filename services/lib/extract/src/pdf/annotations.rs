//! The annotations of a page: comments, stamps and the fields of forms, which are drawn over the page.
//!
//! Fields and text boxes may hold what the page leaves open. Comments and stamps are no part of the report.

use hayro_interpret::{
    TransformExt,
    hayro_syntax::{
        object::{Array, Dict, Name, Rect as PageRect},
        page::Page,
    },
    kurbo::Rect,
};

/// Maximum number of annotations of a page that are examined.
const MOST: usize = 2000;

/// The annotations of a page.
#[derive(Debug, Default)]
pub(super) struct Annotations {
    /// True if there are fields or text boxes.
    pub(super) has_text: bool,
    /// The places of all others.
    pub(super) others: Vec<Rect>,
}

/// Returns the annotations of a page.
pub(super) fn of(page: &Page<'_>) -> Annotations {
    let mut found = Annotations::default();
    let Some(all) = page.raw().get::<Array<'_>>(b"Annots".as_slice()) else { return found };
    let transform = page.initial_transform(true).to_kurbo();
    for annotation in all.iter::<Dict<'_>>().take(MOST) {
        let subtype = annotation.get::<Name<'_>>(b"Subtype".as_slice());
        match subtype.as_ref().map(AsRef::as_ref) {
            Some(b"Widget" | b"FreeText") => found.has_text = true,
            _ => {
                let place = annotation.get::<PageRect>(b"Rect".as_slice());
                let place = place.map(|r| Rect::new(r.x0, r.y0, r.x1, r.y1));
                found.others.extend(place.map(|place| transform.transform_rect_bbox(place)));
            }
        }
    }
    found
}
