//! A temporary S3 server in this process: `s3s-fs` on loopback, on a free port, with its objects in a temporary folder.
//! It verifies signatures (Signature Version 4) and checksums.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

use super::ports::free_port;
use crate::config::{ObjectStore, ObjectsSettings, Secret};

/// The bucket that the server has.
const BUCKET: &str = "gongkai";
const ACCESS_KEY: &str = "gongkai-key";
const SECRET_KEY: &str = "gongkai-secret";

/// A running or stopped server of one test.
pub struct S3Server {
    folder: TempDir,
    service: S3Service,
    address: SocketAddr,
    serving: Option<AbortOnDropHandle<()>>,
}

// === impl S3Server ===

impl S3Server {
    /// Starts a server with an empty bucket.
    ///
    /// # Panics
    /// If there is no free port or no temporary folder.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("gongkai-s3-").tempdir();
        let folder = folder.expect("a test machine has a writable temporary folder");
        fs::create_dir(folder.path().join(BUCKET)).expect("the folder was just created");
        let mut builder =
            S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("the folder was just created"));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let mut server = Self { folder, service: builder.build(), address: free_port(), serving: None };
        server.restart().await;
        server
    }

    /// Starts again on the same port.
    ///
    /// # Panics
    /// If the port is taken.
    pub async fn restart(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is reserved");
        self.serving = Some(AbortOnDropHandle::new(tokio::spawn(serve(listener, self.service.clone()))));
    }

    /// Stops listening and drops all connections.
    pub async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            // The task was aborted, which is its only error.
            serving.await.ok();
        }
    }

    /// Returns the section `[objects]` of a deployment with this store.
    #[must_use]
    pub fn settings(&self) -> ObjectsSettings {
        ObjectsSettings {
            store: ObjectStore::S3,
            endpoint: Some(format!("http://{}", self.address).into()),
            bucket: Some(BUCKET.to_owned()),
            access_key: Some(ACCESS_KEY.to_owned()),
            secret_key: Some(Secret::new(SECRET_KEY)),
            ..ObjectsSettings::default()
        }
    }

    /// Returns the file of an object.
    #[must_use]
    pub fn file(&self, bucket: &str, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(bucket).join(key)
    }

    /// Returns the keys of the objects of one of our buckets.
    ///
    /// # Panics
    /// If the folder cannot be read.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.file(bucket, "")) else { return Vec::new() };
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("the folder is ours").file_name();
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
    }

    /// Returns the folder of the store.
    #[must_use]
    pub fn store(&self) -> &Path {
        self.folder.path()
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, service.clone()));
    }
}

async fn connection(stream: TcpStream, service: S3Service) {
    // A client that closes its connection is not a failure of the server.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
