//! The registry of agencies (机关名录): the bodies, their names and their parents.
//!
//! Reports print no code, so the agency of a report is resolved from the sender's metadata, the name in the document
//! and the region. [`table`] reads a supervising office's list, [`registry`] holds it, [`resolve`](Registry::resolve)
//! looks up the agency of a report. [`nature_of`] derives a body's level and kind from its name. A body that is not
//! listed has a provisional key derived from its name and region; `gongkai agencies list --provisional` shows such
//! bodies.

#![warn(missing_docs)]

mod agency;
mod division;
mod nature;
mod registry;
mod table;

pub use agency::{Agency, Alias};
pub use nature::{kind_of, level_of, nature_of, says_where, short_name};
pub use registry::{Asked, Registry, RegistryError, Resolution, host};
pub use table::{TableError, read_csv, write_csv};
