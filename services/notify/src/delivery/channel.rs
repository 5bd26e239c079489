//! The channels by which alerts are delivered.

use super::webhook::Webhook;

/// The channel of a subscription.
pub enum Channel {
    Webhook(Box<Webhook>),
    Log,
}
