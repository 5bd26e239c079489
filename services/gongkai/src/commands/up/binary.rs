//! Finds a nats-server: the given one, the one of the release beside this program, one on the path, or the pinned version,
//! which is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use tokio::process::Command;

use crate::printer::complain;

const OLDEST: [u32; 3] = [2, 15, 1];

/// The installer and the hashes that it verifies, from `deploy/local`.
const INSTALLER: [(&str, &str); 2] = [
    (
        "nats-server.sh",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/nats-server.sh")),
    ),
    (
        "nats-server-requirements.txt",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/nats-server-requirements.txt")),
    ),
];

/// Finds a server, or installs one below `data`.
pub(super) async fn find(given: Option<&Path>, data: &Path) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return match version(given).await {
            Some(version) if version >= OLDEST => Ok(given.to_owned()),
            Some([major, minor, patch]) => {
                bail!(
                    "--nats-server {} is {major}.{minor}.{patch}; 2.15.1 or later is needed",
                    given.display()
                )
            }
            None => bail!("--nats-server {} is no nats-server that runs here", given.display()),
        };
    }
    let mut candidates = beside(&std::env::current_exe()?);
    candidates.extend(on_path());
    candidates.push(data.join("bin/nats-server"));
    candidates.push(PathBuf::from(".tools/bin/nats-server"));
    for candidate in candidates {
        if version(&candidate).await.is_some_and(|version| version >= OLDEST) {
            return Ok(std::path::absolute(candidate)?);
        }
    }
    install(data).await
}

/// Returns the server of a release, which lies in the folder of `program`.
fn beside(program: &Path) -> Vec<PathBuf> {
    let file = program.with_file_name("nats-server");
    if file.is_file() { vec![file] } else { Vec::new() }
}

fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nats-server"))
        .filter(|file| file.is_file())
        .collect()
}

/// Returns the major, minor and patch version, or `None` if the program does not run.
async fn version(binary: &Path) -> Option<[u32; 3]> {
    let output = Command::new(binary).arg("--version").stdin(Stdio::null()).output().await.ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

fn parse_version(text: &str) -> Option<[u32; 3]> {
    let (_, version) = text.trim().rsplit_once('v')?;
    let mut parts = version.split(['.', '-']).map(str::parse);
    Some([parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?])
}

/// Runs the installer; its output goes to standard error.
async fn install(data: &Path) -> anyhow::Result<PathBuf> {
    let folder = data.join("bin");
    fs::create_dir_all(&folder).with_context(|| format!("couldn't create {}", folder.display()))?;
    for (name, text) in INSTALLER {
        fs::write(folder.join(name), text).with_context(|| format!("couldn't write {}", folder.display()))?;
    }
    complain("no nats-server 2.15.1 or later here; installing the pinned one");
    let output = Command::new("sh")
        .arg(folder.join("nats-server.sh"))
        .arg(&folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("couldn't run sh")?;
    if !output.status.success() {
        bail!(
            "no NATS server: install nats-server 2.15.1 or later (https://github.com/nats-io/nats-server/releases) on the \
             PATH or as {}, or name one with --nats-server, or a running one with --nats-url",
            folder.join("nats-server").display()
        );
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("nats-server: v2.15.1\n"), Some([2, 15, 1]));
        assert_eq!(parse_version("nats-server: v2.9.10"), Some([2, 9, 10]));
        assert_eq!(parse_version("nonsense"), None);
    }

    #[test]
    fn a_release_has_its_server_beside_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let (program, server) = (folder.path().join("gongkai"), folder.path().join("nats-server"));
        assert!(beside(&program).is_empty());
        fs::write(&server, "").unwrap();
        assert_eq!(beside(&program), [server]);
    }

    #[tokio::test]
    async fn what_is_named_and_no_server_is_refused() {
        let error = find(Some(Path::new("/bin/true")), Path::new("/nowhere")).await.unwrap_err();
        assert!(error.to_string().contains("--nats-server"), "{error}");
    }
}
