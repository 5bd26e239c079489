//! The ways to tell somebody of an alert.

use super::webhook::Webhook;

/// How a subscription is notified.
pub enum Channel {
    Webhook(Box<Webhook>),
    Log,
}
