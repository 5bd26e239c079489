//! One module per command: its arguments and its code.

pub(crate) mod adapters;
pub(crate) mod agencies;
pub(crate) mod alerts;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod dead;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod explain;
pub(crate) mod findings;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod pause;
pub(crate) mod reprocess;
pub(crate) mod rules;
pub(crate) mod status;
pub(crate) mod submissions;
pub(crate) mod submit;
pub(crate) mod tap;
pub(crate) mod up;
pub(crate) mod waivers;
pub(crate) mod watch;
