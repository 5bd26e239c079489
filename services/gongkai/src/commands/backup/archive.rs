//! The objects of an S3 store in a ZIP archive, by their keys.

use std::{
    fs::File,
    io::{Read as _, Write as _},
};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use gongkai_worker::transport::s3::S3;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Objects that are read or written at once.
const AT_ONCE: usize = 8;

/// Copies the objects of a bucket into an archive. Returns their number. What is erased meanwhile is left out.
///
/// # Errors
/// The store did not answer, has a damaged object, or the file cannot be written.
pub(super) async fn write(store: &S3, bucket: &'static str, file: &File) -> anyhow::Result<u64> {
    let listed = store.stored(bucket).await.with_context(|| format!("couldn't list {bucket}"))?;
    let objects = store.objects(bucket);
    let read = |key: String| {
        let objects = objects.clone();
        async move { objects.get(&key).await.map(|content| (key, content)) }
    };
    let mut contents = stream::iter(listed).map(|object| read(object.key)).buffered(AT_ONCE);
    let (mut archive, mut written) = (ZipWriter::new(file), 0);
    while let Some((key, content)) = contents.try_next().await? {
        if let Some(content) = content {
            archive.start_file(key, SimpleFileOptions::default())?;
            archive.write_all(&content)?;
            written += 1;
        }
    }
    archive.finish()?;
    Ok(written)
}

/// Stores the objects of an archive in a bucket.
///
/// # Errors
/// The store did not take an object, or the archive has another number of objects than `expected`.
pub(super) async fn read(store: &S3, bucket: &'static str, file: File, expected: u64) -> anyhow::Result<()> {
    let mut archive = ZipArchive::new(file)?;
    ensure!(
        archive.len() as u64 == expected,
        "the archive of {bucket} has another number of objects than was written"
    );
    let objects = store.objects(bucket);
    for first in (0..archive.len()).step_by(AT_ONCE) {
        let mut storing = Vec::new();
        for index in first..archive.len().min(first + AT_ONCE) {
            let mut entry = archive.by_index(index)?;
            let (key, mut content) = (entry.name()?.into_owned(), Vec::new());
            entry.read_to_end(&mut content)?;
            let objects = objects.clone();
            storing.push(async move { objects.put(&key, Bytes::from(content)).await });
        }
        futures::future::try_join_all(storing).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gongkai_worker::testing::S3Server;

    use super::*;

    #[tokio::test]
    async fn the_objects_of_a_store_are_in_another_after_it() {
        const BUCKET: &str = "gongkai-originals";
        const OBJECTS: usize = AT_ONCE * 2 + 1;
        let (first, second) = (S3Server::start().await, S3Server::start().await);
        let [from, to] = [&first, &second].map(|server| server.settings().s3().unwrap().unwrap());
        for number in 0..OBJECTS {
            let content = Bytes::from(format!("original {number}"));
            from.objects(BUCKET).put(&format!("key-{number}"), content).await.unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(write(&from, BUCKET, file.as_file()).await.unwrap(), OBJECTS as u64);
        let archive = || file.reopen().unwrap();
        assert!(read(&to, BUCKET, archive(), 1).await.is_err());
        read(&to, BUCKET, archive(), OBJECTS as u64).await.unwrap();
        for number in 0..OBJECTS {
            let content = to.objects(BUCKET).get(&format!("key-{number}")).await.unwrap();
            assert_eq!(content, Some(Bytes::from(format!("original {number}"))));
        }
    }
}
