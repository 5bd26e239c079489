//! Conditions of a filter over values in memory.

use gongkai_store::query::{Condition, Op, Value};

/// Returns true if a text meets a condition.
#[must_use]
pub fn text<F>(text: &str, condition: &Condition<F>) -> bool {
    let Value::Text(wanted) = &condition.value else { return false };
    match condition.op {
        Op::Eq => text == wanted,
        Op::Ne => text != wanted,
        Op::Has => text.contains(wanted.as_str()),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => false,
    }
}

/// Returns true if a number meets a condition.
#[must_use]
pub fn number<F>(number: i64, condition: &Condition<F>) -> bool {
    let Value::Integer(wanted) = &condition.value else { return false };
    match condition.op {
        Op::Eq => number == *wanted,
        Op::Ne => number != *wanted,
        Op::Lt => number < *wanted,
        Op::Le => number <= *wanted,
        Op::Gt => number > *wanted,
        Op::Ge => number >= *wanted,
        Op::Has => false,
    }
}

/// Returns true if a flag meets a condition.
#[must_use]
pub fn flag<F>(flag: bool, condition: &Condition<F>) -> bool {
    let Value::Flag(wanted) = &condition.value else { return false };
    (flag == *wanted) == (condition.op == Op::Eq)
}
