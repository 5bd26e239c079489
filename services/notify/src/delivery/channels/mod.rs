//! The channels: what each sends, and what it makes of the answer.
//!
//! Machines get each alert as it is: a signed webhook, Alertmanager, the log. People get a [`super::message::Message`]:
//! mail, and the group robots of 企业微信, 钉钉 and 飞书.

mod alertmanager;
mod body;
mod deadline_body;
mod dingtalk;
mod email;
mod feishu;
mod http;
mod log;
mod robot;
mod signature;
mod target;
#[cfg(test)]
mod tests;
mod webhook;
mod wecom;

pub(crate) use self::{
    alertmanager::Alertmanager,
    dingtalk::Dingtalk,
    email::{Email, MailServer},
    feishu::Feishu,
    log::Log,
    robot::{Platform, Robot},
    webhook::Webhook,
    wecom::Wecom,
};
pub use self::{
    email::Security,
    signature::{Secrets, Unusable},
    target::{Target, UnacceptableUrl},
};
