//! Cleaned text that keeps the position of each scalar in the decoded original.

use gongkai_model::Span;

/// Text in the form for the readers (pinyin in brackets removed, glyphs simplified) with a map to positions in the
/// original.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceText {
    text: String,
    /// Number of scalars of `text`.
    scalars: usize,
    /// Original offset of each scalar of `text`, then the original's length. `None` for text that is its own original.
    origin: Option<Vec<u32>>,
}

impl SourceText {
    /// Creates text that is its own original.
    #[must_use]
    pub fn verbatim(text: String) -> Self {
        Self { scalars: text.chars().count(), text, origin: None }
    }

    /// Creates text with its origins: one entry per scalar and one for the end.
    ///
    /// # Panics
    /// If `origin` does not have exactly one entry more than `text` has scalars.
    #[must_use]
    pub fn new(text: String, origin: Vec<u32>) -> Self {
        let scalars = text.chars().count();
        assert_eq!(origin.len(), scalars + 1, "one origin a scalar and one for the end");
        Self { text, scalars, origin: Some(origin) }
    }

    /// Returns the cleaned text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the cleaned text of scalars `start..end`.
    pub(crate) fn between(&self, start: usize, end: usize) -> &str {
        let mut bytes = self.text.char_indices().map(|(at, _)| at).chain([self.text.len()]).skip(start);
        let from = bytes.next().unwrap_or(self.text.len());
        let to = if end > start { bytes.nth(end - start - 1).unwrap_or(self.text.len()) } else { from };
        self.text.get(from..to).unwrap_or_default()
    }

    /// Returns the position of scalars `start..end` of the cleaned text in the original.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        let from = self.original(start);
        let last = if end > start { self.original(end - 1) } else { from };
        let to = if end > start { last.max(from).saturating_add(1) } else { from };
        Span { start: from.min(last), end: to }
    }

    fn original(&self, scalar: usize) -> u32 {
        let scalar = scalar.min(self.scalars);
        match &self.origin {
            Some(origin) => origin.get(scalar).copied().unwrap_or(0),
            None => u32::try_from(scalar).unwrap_or(u32::MAX),
        }
    }

    /// Returns the text with some ranges of bytes replaced, in ascending order. A replacement has the position of what
    /// it replaces.
    pub(crate) fn replaced(
        &self,
        changes: impl IntoIterator<Item = (std::ops::Range<usize>, String)>,
    ) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut origin = Vec::with_capacity(self.scalars + 1);
        let (mut byte, mut scalar) = (0, 0);
        let ends = std::iter::once((self.text.len()..self.text.len(), String::new()));
        for (range, new) in changes.into_iter().chain(ends) {
            let kept = self.text.get(byte..range.start).unwrap_or_default();
            text.push_str(kept);
            for _ in kept.chars() {
                origin.push(self.original(scalar));
                scalar += 1;
            }
            origin.extend(new.chars().map(|_| self.original(scalar)));
            text.push_str(&new);
            scalar += self.text.get(range.clone()).unwrap_or_default().chars().count();
            byte = range.end;
        }
        origin.push(self.original(self.scalars));
        Self::new(text, origin)
    }

    /// Returns a text of these lines, in this order.
    pub(crate) fn rearranged(&self, lines: &[std::ops::Range<usize>]) -> Self {
        let mut scalars = vec![0; self.text.len() + 1];
        self.text.char_indices().enumerate().for_each(|(scalar, (byte, _))| {
            if let Some(slot) = scalars.get_mut(byte) {
                *slot = scalar;
            }
        });
        let (mut text, mut origin) = (String::with_capacity(self.text.len()), Vec::new());
        for line in lines {
            let own = self.text.get(line.clone()).unwrap_or_default();
            let first = scalars.get(line.start).copied().unwrap_or_default();
            text.push_str(own);
            text.push('\n');
            origin.extend((0..=own.chars().count()).map(|at| self.original(first + at)));
        }
        origin.push(self.original(self.scalars));
        Self::new(text, origin)
    }

    /// Returns the lines without line ends, each with the scalar index of its first character in the cleaned text.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut next = 0;
        self.text.split('\n').map(move |line| {
            let first = next;
            next += line.chars().count() + 1;
            (first, line.strip_suffix('\r').unwrap_or(line))
        })
    }
}
