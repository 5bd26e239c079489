//! Checks: the functions that rules of a pack refer to by name.

use crate::{
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

/// The ways to break a rule, each with the placeholders of its messages.
pub(crate) type Cases = &'static [(&'static str, &'static [&'static str])];

/// A check that a rule may name: its function, and the parameters that the rule must define.
#[derive(Clone, Copy)]
pub(crate) struct Check {
    /// The name in a pack.
    pub(crate) name: &'static str,
    pub(crate) cases: Cases,
    /// The parameters that its rule must define.
    pub(crate) params: &'static [(&'static str, ParamKind)],
    look: CheckFn,
}

/// The function of a check.
#[derive(Clone, Copy)]
enum CheckFn {
    One(fn(&Params, &Input<'_>) -> Option<Draft>),
    Many(fn(&Params, &Input<'_>) -> Vec<Draft>),
}

impl Check {
    /// Creates a check that finds at most one violation in a report.
    pub(crate) const fn one(
        name: &'static str,
        cases: Cases,
        look: fn(&Params, &Input<'_>) -> Option<Draft>,
    ) -> Self {
        Self { name, cases, params: &[], look: CheckFn::One(look) }
    }

    /// Creates a check that finds any number of violations in a report.
    pub(crate) const fn many(
        name: &'static str,
        cases: Cases,
        look: fn(&Params, &Input<'_>) -> Vec<Draft>,
    ) -> Self {
        Self { name, cases, params: &[], look: CheckFn::Many(look) }
    }

    /// Sets the parameters that its rule must define.
    pub(crate) const fn with(self, params: &'static [(&'static str, ParamKind)]) -> Self {
        Self { params, ..self }
    }

    /// Runs the check on a report.
    pub(crate) fn run(&self, params: &Params, input: &Input<'_>) -> Vec<Draft> {
        match self.look {
            CheckFn::One(look) => look(params, input).into_iter().collect(),
            CheckFn::Many(look) => look(params, input),
        }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
