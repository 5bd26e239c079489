//! The steps of reading, for measurements.

use gongkai_model::MediaType;

/// Watches a document being read. The reader tells of it and is not changed by it.
pub trait Steps {
    /// Does one step: `sniff`, `decode` (of text formats), `extract`; whoever reads on adds its own.
    fn step<R>(&self, name: &'static str, work: impl FnOnce() -> R) -> R;

    /// What the bytes turned out to be.
    fn known(&self, media_type: MediaType);
}

/// Nobody watches.
impl Steps for () {
    fn step<R>(&self, _name: &'static str, work: impl FnOnce() -> R) -> R {
        work()
    }

    fn known(&self, _media_type: MediaType) {}
}
