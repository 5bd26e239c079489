//! The steps of reading, for measurements.

use gongkai_model::MediaType;

/// Observes the steps of reading a document. It does not affect the result.
pub trait Steps {
    /// Runs one step: `sniff`, `decode` (text formats only), `extract`. Callers may add steps of their own.
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R;

    /// Receives the media type, once it is known.
    fn known(&self, media_type: MediaType);
}

/// Observes nothing.
impl Steps for () {
    fn step<R>(&self, _name: &'static str, work: impl FnOnce() -> R) -> R {
        work()
    }

    fn known(&self, _media_type: MediaType) {}
}
