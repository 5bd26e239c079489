//! A `<select>` in a cell: its text is that of the option that is selected.

use gongkai_model::Span;

/// A list whose end tag has not been read.
#[derive(Debug, Default)]
pub(super) struct OpenSelect {
    options: Vec<Choice>,
}

#[derive(Debug)]
struct Choice {
    text: Vec<(char, Span)>,
    is_selected: bool,
}

impl OpenSelect {
    /// Begins an option.
    pub(super) fn open_option(&mut self, is_selected: bool) {
        self.options.push(Choice { text: Vec::new(), is_selected });
    }

    /// Adds text to the last option.
    pub(super) fn push(&mut self, text: &str, places: impl Iterator<Item = Span>) {
        if let Some(option) = self.options.last_mut() {
            option.text.extend(text.chars().zip(places));
        }
    }

    /// Returns the text of the selected option. If none is, which one is meant is unknown, and the text is that of all
    /// of them, with spaces between.
    pub(super) fn finish(self) -> Vec<(char, Span)> {
        if let Some(at) = self.options.iter().rposition(|option| option.is_selected) {
            return self.options.into_iter().nth(at).map(|option| option.text).unwrap_or_default();
        }
        let mut all = Vec::new();
        for option in self.options {
            let space = option.text.first().map(|(_, place)| (' ', *place));
            all.extend(space);
            all.extend(option.text);
        }
        all
    }
}
