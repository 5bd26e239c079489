//! A receiver whose settings are checked, from which its channel is opened.

use gongkai_worker::{Clock, Secret};
use lettre::message::Mailbox;

use crate::delivery::{
    Alertmanager, Channel, Composer, Email, Log, MailServer, Platform, Robot, Secrets, Target, Webhook,
};

/// Where messages go.
pub(crate) enum Receiver {
    /// The log of the service, under the name of the subscription.
    Log(String),
    Webhook(Target, Secrets),
    Robot(Target, Box<dyn Platform>),
    Alertmanager(Target, Option<Secret>),
    Email(Box<MailServer>, Vec<Mailbox>),
}

// === impl Receiver ===

impl Receiver {
    /// Opens the channel. Nothing is connected before the first message.
    ///
    /// # Errors
    /// Certificates cannot be read.
    pub(crate) fn open(self, composer: Composer, clock: Clock) -> anyhow::Result<Box<dyn Channel>> {
        Ok(match self {
            Self::Log(subscription) => Box::new(Log::new(subscription)),
            Self::Webhook(target, secrets) => Box::new(Webhook::new(target, secrets, clock)?),
            Self::Robot(target, platform) => Box::new(Robot::new(target, platform, composer, clock)?),
            Self::Alertmanager(target, token) => Box::new(Alertmanager::new(target, token, composer, clock)?),
            Self::Email(server, to) => Box::new(Email::new(&server, to, composer)?),
        })
    }
}
