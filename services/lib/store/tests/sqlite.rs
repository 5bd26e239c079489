//! The store's suite over SQLite.

#[cfg(test)]
mod suite;

use std::sync::Arc;

use gongkai_store::sqlite::{Options, SqliteStore};

fn open() -> suite::Opened {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let store = SqliteStore::open(&folder.path().join("read-model.db"), Options::default())
        .expect("an empty folder takes a new read model");
    suite::Opened { store: Arc::new(store), keep: Box::new(folder) }
}

store_test_suite!(open);
