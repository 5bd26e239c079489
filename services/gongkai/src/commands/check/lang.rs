//! The language of the text for people.

use clap::ValueEnum;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Chinese
    Zh,
    /// English
    En,
}

impl Lang {
    /// Returns the language of the environment: English if its locale is English, else Chinese.
    pub(crate) fn of_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(std::env::var_os);
        let locale =
            set.filter(|locale| !locale.is_empty()).map(|locale| locale.to_string_lossy().into_owned());
        locale.into_iter().next().map_or(Self::Zh, |locale| Self::of_locale(&locale))
    }

    fn of_locale(locale: &str) -> Self {
        let is_english = locale == "en" || locale.starts_with("en_") || locale.starts_with("en.");
        if is_english { Self::En } else { Self::Zh }
    }

    /// Returns the text in this language.
    pub(crate) fn choose<'t>(self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

impl From<Lang> for gongkai_annotate::Lang {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Zh => Self::Chinese,
            Lang::En => Self::English,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_english_locale_is_english() {
        for locale in ["en", "en_US.UTF-8", "en.UTF-8"] {
            assert_eq!(Lang::of_locale(locale), Lang::En, "{locale}");
        }
        for locale in ["zh_CN.UTF-8", "C", "C.UTF-8", "POSIX", "engadin"] {
            assert_eq!(Lang::of_locale(locale), Lang::Zh, "{locale}");
        }
    }
}
