//! The registry of agencies (机关名录): which bodies there are, what they are called, who stands above whom.
//!
//! No code is printed in a report, so whose it is must be told from what the sender says, the name in the document and the
//! region. [`table`] reads a supervising office's list, [`registry`] holds it, [`resolve`](Registry::resolve) asks it.
//! [`nature_of`] says what a name alone tells of a body.
//! A body that is not listed keeps a provisional key made of its name and region, and is listed for a person.

#![warn(missing_docs)]

mod agency;
mod division;
mod nature;
mod registry;
mod table;

pub use agency::{Agency, Alias};
pub use nature::{kind_of, level_of, nature_of, short_name};
pub use registry::{Asked, Registry, RegistryError, Resolution};
pub use table::{TableError, read_csv, write_csv};
