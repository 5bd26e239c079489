//! Checks the resources of the pages of a file before the PDF library loads them: streams count towards the
//! expansion, and tables whose size the file states are bounded.
//!
//! The walk follows the references of the pages, each object once.

use std::{collections::HashSet, ops::RangeInclusive};

use gongkai_model::Rejection;
use hayro_interpret::hayro_syntax::{
    Pdf,
    object::{Array, Dict, MaybeRef, Name, Object, ObjectIdentifier, array::FlexArrayIter, dict::keys},
    page::Page,
};

use super::expansion::Expansion;
use crate::reject;

/// Maximum number of glyph widths of a document. A font has 65,536 glyphs at most, and a report a few dozen fonts.
const MOST_WIDTHS: u64 = 1 << 21;

/// Maximum first code of a font that lists its widths.
const LAST_CODE: usize = 65_535;

/// Checks the resources of the pages of a file.
///
/// # Errors
/// The resources exceed the limits.
pub(super) fn check(pdf: &Pdf, expansion: &mut Expansion<'_>) -> Result<(), Rejection> {
    let mut walk = ResourceWalk { pdf, expansion, seen: HashSet::new(), waiting: Vec::new(), widths: 0 };
    for page in pdf.pages().iter() {
        walk.page(page)?;
    }
    Ok(())
}

struct ResourceWalk<'p, 'e, 'l> {
    pdf: &'p Pdf,
    expansion: &'e mut Expansion<'l>,
    seen: HashSet<Visited>,
    waiting: Vec<Object<'p>>,
    widths: u64,
}

/// An object that was checked already.
#[derive(PartialEq, Eq, Hash)]
enum Visited {
    Object(ObjectIdentifier),
    /// A dictionary of resources, by its address in memory.
    Resources(usize),
}

impl<'p> ResourceWalk<'p, '_, '_> {
    fn page(&mut self, page: &Page<'p>) -> Result<(), Rejection> {
        if let Some(MaybeRef::Ref(contents)) = page.raw().get_raw::<Object<'_>>(keys::CONTENTS) {
            self.refer(contents.into());
        } else if let Some(contents) = page.raw().get::<Array<'_>>(keys::CONTENTS) {
            self.array(&contents);
        }
        let resources = page.resources();
        let all = [
            &resources.fonts,
            &resources.x_objects,
            &resources.patterns,
            &resources.ext_g_states,
            &resources.color_spaces,
            &resources.shadings,
            &resources.properties,
        ];
        for dictionary in all {
            if self.seen.insert(Visited::Resources(dictionary.data().as_ptr().addr())) {
                self.waiting.push(Object::Dict(dictionary.clone()));
            }
        }
        while let Some(object) = self.waiting.pop() {
            self.object(&object)?;
        }
        Ok(())
    }

    fn object(&mut self, object: &Object<'p>) -> Result<(), Rejection> {
        match object {
            Object::Dict(dictionary) => self.dictionary(dictionary),
            Object::Array(array) => {
                self.array(array);
                Ok(())
            }
            Object::Stream(stream) => {
                let is_picture = stream
                    .dict()
                    .get::<Name<'_>>(keys::SUBTYPE)
                    .is_some_and(|name| name.as_ref() == keys::IMAGE);
                // A picture is not expanded. If a font or a page uses it as something else, it is.
                if !is_picture {
                    self.expansion.spend(stream, self.pdf.data().as_ref())?;
                }
                self.dictionary(stream.dict())
            }
            _ => Ok(()),
        }
    }

    fn dictionary(&mut self, dictionary: &Dict<'p>) -> Result<(), Rejection> {
        self.count_widths(dictionary)?;
        for (key, value) in dictionary.entries() {
            match value {
                MaybeRef::Ref(reference) if key.as_ref() != keys::PARENT => self.refer(reference.into()),
                MaybeRef::NotRef(value) => self.waiting.push(value),
                MaybeRef::Ref(_) => {}
            }
        }
        Ok(())
    }

    fn array(&mut self, array: &Array<'p>) {
        // Most arrays contain only numbers.
        if !array.data().iter().any(|byte| matches!(byte, b'R' | b'<' | b'[')) {
            return;
        }
        for item in array.raw_iter() {
            match item {
                MaybeRef::Ref(reference) => self.refer(reference.into()),
                MaybeRef::NotRef(value) => self.waiting.push(value),
            }
        }
    }

    fn refer(&mut self, id: ObjectIdentifier) {
        if self.seen.insert(Visited::Object(id))
            && let Some(object) = self.pdf.xref().get::<Object<'_>>(id)
        {
            self.waiting.push(object);
        }
    }

    /// Counts the widths that a font lists.
    fn count_widths(&mut self, font: &Dict<'p>) -> Result<(), Rejection> {
        let too_many = || reject::too_large(("字形宽度数", "widths of glyphs"), MOST_WIDTHS);
        if let Some(widths) = font.get::<Array<'_>>(keys::W) {
            let range = |items: &mut FlexArrayIter<'p>| {
                items.next::<(u32, u32, f32)>().map(|(first, last, _)| first..=last)
            };
            self.widths = self.widths.saturating_add(listed(&widths, range));
        }
        if let Some(widths) = font.get::<Array<'_>>(keys::W2) {
            let range = |items: &mut FlexArrayIter<'p>| {
                items.next::<(u32, u32, f32, f32, f32)>().map(|(first, last, ..)| first..=last)
            };
            self.widths = self.widths.saturating_add(listed(&widths, range));
        }
        let first = font.get::<usize>(keys::FIRST_CHAR);
        if self.widths > MOST_WIDTHS || first.is_some_and(|first| first > LAST_CODE) {
            return Err(too_many());
        }
        Ok(())
    }
}

/// Counts the glyphs to which a list of `first [width …]` and ranges gives widths, in the way the library reads it.
fn listed<'p>(
    list: &Array<'p>,
    range: impl Fn(&mut FlexArrayIter<'p>) -> Option<RangeInclusive<u32>>,
) -> u64 {
    let mut count = 0_u64;
    let mut items = list.flex_iter();
    loop {
        if let Some((_, widths)) = items.next::<(u32, Array<'_>)>() {
            // A number and a blank are at least two bytes.
            count = count.saturating_add(u64::try_from(widths.data().len() / 2).unwrap_or(u64::MAX));
        } else if let Some(range) = range(&mut items) {
            count = count.saturating_add(u64::from(range.end().saturating_sub(*range.start())) + 1);
        } else {
            return count;
        }
    }
}
