//! The language of details: Chinese, or English where `Accept-Language` prefers it.

use http::{HeaderMap, header};

/// The language of a detail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Chinese,
    English,
}

impl Language {
    /// Returns Chinese, unless English ranks higher in `Accept-Language`.
    #[must_use]
    pub fn preferred(headers: &HeaderMap) -> Self {
        let text =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (mut chinese, mut english) = (0.0, 0.0);
        for range in text.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight: f32 = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            match tag.split('-').next().unwrap_or_default() {
                "zh" => chinese = weight.max(chinese),
                "en" => english = weight.max(english),
                _ => {}
            }
        }
        if english > chinese { Self::English } else { Self::Chinese }
    }

    /// Returns the tag of the language.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_comes_first() {
        let of = |text: &str| {
            Language::preferred(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, text.parse().unwrap())]))
        };
        for text in ["", "*", "fr", "zh-CN", "zh,en", "en,zh", "zh-TW;q=0.9, en;q=0.8"] {
            assert_eq!(of(text), Language::Chinese, "{text}");
        }
        for text in ["en", "en-GB", "en,zh;q=0.5", "fr, en;q=0.1"] {
            assert_eq!(of(text), Language::English, "{text}");
        }
    }
}
