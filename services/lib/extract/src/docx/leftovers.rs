//! What an editor left in a document besides its text: tracked changes, comments, hidden text.

use gongkai_model::Note;

/// Counts of what was left.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    changes: u32,
    comments: u32,
    hidden: u32,
}

impl Leftovers {
    /// Counts an element, if it is the mark of a change or a comment. Changes of the format alone are not counted.
    pub(super) fn note(&mut self, name: &str) {
        match name {
            "ins" | "del" | "moveFrom" | "moveTo" => self.changes = self.changes.saturating_add(1),
            "commentReference" => self.comments = self.comments.saturating_add(1),
            _ => {}
        }
    }

    /// Counts a piece of hidden text, if it has a letter or digit.
    pub(super) fn note_hidden(&mut self, text: &str) {
        if text.contains(char::is_alphanumeric) {
            self.hidden = self.hidden.saturating_add(1);
        }
    }

    /// Returns the counts other than 0.
    pub(super) fn notes(&self) -> Vec<Note> {
        let counted = |count: u32, note: fn(u32) -> Note| (count > 0).then(|| note(count));
        let all = [
            counted(self.changes, Note::TrackedChanges),
            counted(self.comments, Note::Comments),
            counted(self.hidden, Note::HiddenText),
        ];
        all.into_iter().flatten().collect()
    }
}
