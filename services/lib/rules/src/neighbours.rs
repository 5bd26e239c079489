//! What rules know of other reports: last year's, next year's, the parent's and the children's.

/// The reports around one report. Filled by the stage that keeps them; rules only read it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Neighbours {}

impl Neighbours {
    /// What expressions see as `neighbours`.
    pub(crate) fn value(&self) -> cel::Value {
        cel::Value::Null
    }
}
