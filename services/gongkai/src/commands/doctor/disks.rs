//! Checks the disk of the read model, if it is on this machine.

use std::path::Path;

use gongkai_worker::filesystem::Filesystem;

use super::examination::Examination;
use crate::printer::clean;

/// Less free space than this is mentioned, and so is less than 5 %.
const LITTLE_BYTES: u64 = 1 << 30;

/// Checks the disk of the file that `query.database` names. Returns `None` if its folder is not on this machine.
pub(super) fn check(database: &Path) -> Option<Examination> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.exists() {
        return None;
    }
    let found = Filesystem::of(folder).ok()?;
    Some(examination(&clean(&folder.display().to_string()), found))
}

fn examination(folder: &str, found: Filesystem) -> Examination {
    let subject = "disk of query.database".to_owned();
    if let Some(protocol) = found.network {
        return Examination::wrong(
            subject,
            "NETWORK_DISK",
            &format!("{folder} 在 {protocol} 上，锁不可靠，query 拒绝启动；请改用本机磁盘"),
            &format!(
                "{folder} is on {protocol}, where locks do not protect a database: query refuses to start; use a local disk"
            ),
        );
    }
    let free = found.free_bytes / (1 << 20);
    if found.free_bytes < LITTLE_BYTES || found.free_bytes < found.total_bytes / 20 {
        return Examination::note(
            subject,
            "DISK_LOW",
            &format!("{folder} 仅余 {free} MiB"),
            &format!("{folder} has {free} MiB left"),
        );
    }
    Examination::ok(subject, &format!("余 {free} MiB"), &format!("{free} MiB left"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_disk_is_wrong_and_a_full_one_is_mentioned() {
        let local = Filesystem { network: None, free_bytes: 90 << 30, total_bytes: 100 << 30 };
        assert_eq!(examination("/d", local).code, "");
        assert_eq!(examination("/d", Filesystem { free_bytes: 4 << 30, ..local }).code, "DISK_LOW");
        assert_eq!(examination("/d", Filesystem { network: Some("NFS"), ..local }).code, "NETWORK_DISK");
        assert!(check(Path::new("/nowhere/at/all/query.db")).is_none());
        assert!(check(Path::new("query.db")).is_some());
    }
}
