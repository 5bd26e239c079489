//! Checks: the functions that rules of a pack refer to by name.

use crate::{
    draft::Draft,
    input::Input,
    params::{Kind, Params},
};

/// A check that a rule may name: what it must be told by its rule, and its function.
pub(crate) struct Check {
    /// The name in a pack.
    pub(crate) name: &'static str,
    /// The ways to break it, each with the placeholders of its messages.
    pub(crate) cases: &'static [(&'static str, &'static [&'static str])],
    /// The parameters that its rule must give.
    pub(crate) params: &'static [(&'static str, Kind)],
    /// Looks at a report.
    pub(crate) run: fn(&Params, &Input<'_>) -> Vec<Draft>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
