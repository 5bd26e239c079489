//! Cleaned text that keeps the position of each scalar in the decoded original.

use gongkai_model::Span;

/// Text as the readers see it (pinyin in brackets removed, glyphs simplified) with a map to positions in the original.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceText {
    text: String,
    /// Scalars of `text`.
    scalars: usize,
    /// Original scalar offset of each scalar of `text`, then the original's length: never decreasing. Absent for text
    /// that is its own original.
    origin: Option<Vec<u32>>,
}

impl SourceText {
    /// Text that is its own original.
    #[must_use]
    pub fn verbatim(text: String) -> Self {
        Self { scalars: text.chars().count(), text, origin: None }
    }

    /// Text with its origins: one entry a scalar and one for the end.
    ///
    /// # Panics
    /// If `origin` has not one entry more than `text` has scalars.
    #[must_use]
    pub fn new(text: String, origin: Vec<u32>) -> Self {
        let scalars = text.chars().count();
        assert_eq!(origin.len(), scalars + 1, "one origin a scalar and one for the end");
        Self { text, scalars, origin: Some(origin) }
    }

    /// The cleaned text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where scalars `start..end` of the cleaned text stand in the original.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        let from = self.original(start);
        let to = if end > start { self.original(end - 1).saturating_add(1) } else { from };
        Span { start: from, end: to }
    }

    fn original(&self, scalar: usize) -> u32 {
        let scalar = scalar.min(self.scalars);
        match &self.origin {
            Some(origin) => origin.get(scalar).copied().unwrap_or(0),
            None => u32::try_from(scalar).unwrap_or(u32::MAX),
        }
    }

    /// The lines, each with the scalar index of its first character in the cleaned text; no line ends.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut next = 0;
        self.text.split('\n').map(move |line| {
            let first = next;
            next += line.chars().count() + 1;
            (first, line.strip_suffix('\r').unwrap_or(line))
        })
    }
}
