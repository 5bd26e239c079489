//! Bounds the number of values of a body, in every format.

use crate::error::{Code, Problem};

/// Maximum number of values, fields or elements of a body. Each takes more memory than its bytes.
pub(super) const VALUE_LIMIT: usize = 100_000;

/// Returns the problem of a body with more than [`VALUE_LIMIT`] values.
pub(super) fn too_many() -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("正文的值超过 {VALUE_LIMIT} 个"),
        format!("the body has more than {VALUE_LIMIT} values"),
    )
}
