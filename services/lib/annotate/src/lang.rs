//! The language of the words around the remarks.

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Lang {
    /// Returns the text in this language.
    #[must_use]
    pub fn choose<'t>(self, chinese: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }

    /// Returns the tag of the language, as in HTML's `lang`.
    pub(crate) fn tag(self) -> &'static str {
        self.choose("zh-CN", "en")
    }
}
