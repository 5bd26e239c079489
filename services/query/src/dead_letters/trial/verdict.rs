//! What a trial shows.

/// What a trial showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The message would be handled. The text says what it would lead to, if that is notable.
    Passes(String),
    /// The message would be buried again.
    Fails {
        /// The code of the dead letter.
        code: &'static str,
        /// The cause.
        why: String,
    },
    /// Only a replay can show it, for this reason.
    Uncertain(String),
}

// === impl Verdict ===

impl Verdict {
    pub(super) fn fails(code: &'static str, why: &(impl ToString + ?Sized)) -> Self {
        Self::Fails { code, why: why.to_string() }
    }

    pub(super) fn passes() -> Self {
        Self::Passes(String::new())
    }
}
