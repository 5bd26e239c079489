//! The folder of a backup while it is written: under another name until it is complete.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{
    manifest::{FileRecord, MANIFEST, Manifest},
    refusal::Refusal,
};

/// Ending of the name of a folder that is not complete.
const UNFINISHED: &str = ".unfinished";

/// A folder that becomes a backup. It is removed when it is dropped before [`Folder::seal`].
pub(super) struct Folder {
    path: PathBuf,
    goal: PathBuf,
    is_sealed: bool,
}

// === impl Folder ===

impl Folder {
    /// Creates the folder that will be `goal`, readable by this user only.
    ///
    /// # Errors
    /// A [`Refusal`] if there is such a backup already, or it cannot be created.
    pub(super) fn create(goal: &Path) -> anyhow::Result<Self> {
        let mut path = goal.to_owned().into_os_string();
        path.push(UNFINISHED);
        let path = PathBuf::from(path);
        if let Some(taken) = [goal, &path].into_iter().find(|path| path.exists()) {
            return Err(taken_already(taken).into());
        }
        let created = DirBuilder::new().mode(0o700).create(&path);
        created.with_context(|| format!("couldn't create the folder {}", path.display()))?;
        Ok(Self { path, goal: goal.to_owned(), is_sealed: false })
    }

    /// Creates a file of the folder. [`Folder::record`] completes it.
    pub(super) fn file(&self, name: &str) -> anyhow::Result<File> {
        let created = File::create_new(self.path.join(name));
        created.with_context(|| format!("couldn't create {}", self.path.join(name).display()))
    }

    /// Writes a file to the disk, and describes it as it is read back.
    pub(super) fn record(&self, file: &File, name: &str) -> anyhow::Result<FileRecord> {
        let written = file.sync_all().and_then(|()| FileRecord::of(&self.path, name));
        written.with_context(|| format!("couldn't write {}", self.path.join(name).display()))
    }

    /// Writes the manifest, and gives the folder its name.
    pub(super) fn seal(mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let text = manifest.text()?;
        let sealed = || -> io::Result<()> {
            let mut file = File::create_new(self.path.join(MANIFEST))?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, &self.goal)?;
            let parent = self.goal.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        sealed().with_context(|| format!("couldn't complete {}", self.goal.display()))?;
        self.is_sealed = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_sealed {
            // What stays has no manifest, so nobody takes it for a backup.
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

fn taken_already(folder: &Path) -> Refusal {
    let folder = folder.display();
    Refusal::new(
        "BACKUP_EXISTS",
        format!("{folder} 已存在；请换一个目录名，或先删除它"),
        format!("{folder} exists; choose another name, or delete it first"),
    )
}

#[cfg(test)]
mod tests {
    use gongkai_worker::config::ObjectStore;

    use super::*;

    /// Writes a backup with one file.
    fn backup(goal: &Path) {
        let folder = Folder::create(goal).unwrap();
        let mut file = folder.file("config.toml").unwrap();
        io::Write::write_all(&mut file, b"[nats]\n").unwrap();
        let mut manifest =
            Manifest::begin("2.15.1".to_owned(), ObjectStore::Nats, "2026-11-28T00:00:00Z".to_owned());
        manifest.files.push(folder.record(&file, "config.toml").unwrap());
        folder.seal(&manifest).unwrap();
    }

    fn refusal(goal: &Path) -> String {
        Manifest::verified(goal).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_backup_has_its_name_only_when_it_is_complete() {
        let parent = tempfile::tempdir().unwrap();
        let goal = parent.path().join("b");
        let folder = Folder::create(&goal).unwrap();
        assert!(!goal.exists());
        assert!(Folder::create(&goal).map(drop).unwrap_err().to_string().starts_with("BACKUP_EXISTS: "));
        drop(folder);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        backup(&goal);
        assert_eq!(Manifest::verified(&goal).unwrap().bytes(), 7);
        assert!(Folder::create(&goal).map(drop).unwrap_err().to_string().starts_with("BACKUP_EXISTS: "));
    }

    #[test]
    fn every_damage_is_named() {
        let parent = tempfile::tempdir().unwrap();
        let goal = parent.path().join("b");
        assert!(refusal(&goal).starts_with("BACKUP_INCOMPLETE: "));
        backup(&goal);
        let (config, manifest) = (goal.join("config.toml"), goal.join(MANIFEST));
        let sound = fs::read_to_string(&manifest).unwrap();
        for (content, code) in
            [("[mats]\n", "BACKUP_DAMAGED: config.toml"), ("[nats]", "BACKUP_DAMAGED: config.toml")]
        {
            fs::write(&config, content).unwrap();
            assert!(refusal(&goal).starts_with(code), "{content}: {}", refusal(&goal));
        }
        fs::remove_file(&config).unwrap();
        assert!(refusal(&goal).starts_with("BACKUP_DAMAGED: config.toml"));
        fs::write(&config, "[nats]\n").unwrap();
        let cut = &sound[..sound.len() / 2];
        for (text, code) in [
            (cut, "BACKUP_DAMAGED: manifest.json"),
            (&sound.replace("\"bytes\": 7", "\"bytes\": 6"), "BACKUP_DAMAGED: manifest.json"),
            (&sound.replace("\"format\": 1", "\"format\": 2"), "BACKUP_VERSION: "),
            (&sound.replace("gongkai backup", "other"), "BACKUP_FOREIGN: "),
        ] {
            fs::write(&manifest, text).unwrap();
            assert!(refusal(&goal).starts_with(code), "{code}: {}", refusal(&goal));
        }
        fs::remove_file(&manifest).unwrap();
        assert!(refusal(&goal).starts_with("BACKUP_INCOMPLETE: "));
    }
}
