//! Checks that need other reports, the registry or the publishing event. Without these they report nothing.

mod carried;
mod cells;
mod compared;
mod copied;
mod disputes;
mod growth;
mod published;
mod reviewed;
mod rollup;
mod timely;

use crate::check::Check;

/// The checks, one list per module.
pub(crate) const CHECKS: &[&[Check]] = &[
    carried::CHECKS,
    compared::CHECKS,
    copied::CHECKS,
    disputes::CHECKS,
    growth::CHECKS,
    rollup::CHECKS,
    timely::CHECKS,
    published::CHECKS,
    reviewed::CHECKS,
];
