//! Checks that need other reports, the registry or the publishing event. Without them they are silent.

use crate::checks::Check;

/// The checks, one list a module.
pub(crate) const CHECKS: &[&[Check]] = &[];
