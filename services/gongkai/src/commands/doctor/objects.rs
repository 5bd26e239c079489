//! Checks the S3 store of originals.

use gongkai_worker::transport::{ErrorKind, s3::S3};

use super::examination::Examination;
use crate::printer::clean;

/// Writes, reads and deletes an object in the S3 store.
pub(super) async fn check(store: &S3) -> Examination {
    let subject = "object store".to_owned();
    let Err(error) = store.rehearse().await else {
        return Examination::ok(subject, "能写、能读、能删", "writes, reads and deletes");
    };
    let (code, zh) = match error.kind {
        ErrorKind::ObjectsUnavailable => ("OBJECTS_UNAVAILABLE", "无应答"),
        ErrorKind::Denied => ("OBJECTS_REFUSED", "拒绝访问，或保留已删除的对象"),
        ErrorKind::NotFound => ("BUCKET_MISSING", "没有此存储桶"),
        ErrorKind::Full => ("OBJECTS_FULL", "已满"),
        _ => ("OBJECTS_FAULTY", "不可用"),
    };
    let said = clean(&format!("{:#}", anyhow::Error::new(error)));
    Examination::wrong(subject, code, &format!("{zh}：{said}"), &said)
}
