//! The file system below a folder: whether files there can be locked safely, and how much room it has.

use std::{io, path::Path};

use anyhow::{Context as _, ensure};

/// A file system, as the system describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filesystem {
    /// The protocol, if the files are on another machine: locks there do not exclude writers reliably, which damages
    /// databases.
    pub network: Option<&'static str>,
    /// Bytes that this process may still write.
    pub free_bytes: u64,
    /// Size in bytes.
    pub total_bytes: u64,
}

// === impl Filesystem ===

impl Filesystem {
    /// Describes the file system of a path. Of a path that does not exist yet, that of the folder it will be in.
    ///
    /// # Errors
    /// The path cannot be examined.
    #[cfg(target_os = "linux")]
    pub fn of(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
        let facts = rustix::fs::statfs(existing)?;
        let block = u64::try_from(facts.f_bsize).unwrap_or_default();
        Ok(Self {
            network: network(u64::try_from(facts.f_type).unwrap_or_default()),
            free_bytes: facts.f_bavail.saturating_mul(block),
            total_bytes: facts.f_blocks.saturating_mul(block),
        })
    }

    /// Describes the file system of a path. Known on Linux only.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn of(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Returns the protocol of a network file system by its number in `statfs(2)`.
#[cfg(target_os = "linux")]
const fn network(number: u64) -> Option<&'static str> {
    match number {
        0x6969 => Some("NFS"),
        0x517B => Some("SMB"),
        0xFF53_4D42 => Some("CIFS"),
        0xFE53_4D42 => Some("SMB2"),
        0x0102_1997 => Some("9P"),
        0x5346_414F => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        _ => None,
    }
}

/// Refuses a path on a network file system. `key` is the setting that names it.
///
/// # Errors
/// The path is on a network file system. The process must not start.
pub fn ensure_local(path: &Path, key: &str) -> anyhow::Result<()> {
    // Where the system does not tell, there is nothing to refuse.
    let Ok(filesystem) = Filesystem::of(path) else { return Ok(()) };
    refuse_network(filesystem.network).with_context(|| format!("{key} is {}", path.display()))
}

fn refuse_network(network: Option<&str>) -> anyhow::Result<()> {
    let protocol = network.unwrap_or_default();
    ensure!(
        network.is_none(),
        "its file system is {protocol}, where locks do not protect a database; name a folder on a disk of this machine"
    );
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_yet_has_the_file_system_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let here = Filesystem::of(folder.path()).unwrap();
        let later = Filesystem::of(&folder.path().join("a/b/c.db")).unwrap();
        assert_eq!((here.network, here.total_bytes), (None, later.total_bytes));
        assert!(here.free_bytes > 0 && here.free_bytes <= here.total_bytes, "{here:?}");
        ensure_local(folder.path(), "query.database").unwrap();
    }

    #[test]
    fn network_file_systems_are_refused() {
        // The numbers of statfs(2): NFS, CIFS, SMB2; then ext4, XFS, tmpfs, overlay.
        for number in [0x6969, 0xFF53_4D42, 0xFE53_4D42] {
            assert!(refuse_network(network(number)).is_err(), "{number:#x}");
        }
        for number in [0xEF53, 0x5846_5342, 0x0102_1994, 0x794C_7630] {
            refuse_network(network(number)).unwrap();
        }
    }
}
