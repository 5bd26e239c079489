//! Takes out what a mirror site added.

use gongkai_model::Note;

use crate::SourceText;

pub(crate) fn clean(text: String, _notes: &mut Vec<Note>) -> SourceText {
    SourceText::verbatim(text)
}
