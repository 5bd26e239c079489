//! Bounds the number and size of the files of a submission.

use super::Submission;
use crate::error::{Code, Problem, quote};

/// Maximum number and size of the files of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Maximum number of attachments.
    pub attachments: usize,
    /// Maximum number of bytes of one attachment.
    pub attachment_bytes: usize,
    /// Maximum number of bytes of all files together.
    pub total_bytes: usize,
}

// === impl FileLimits ===

impl FileLimits {
    /// Checks the files of a submission.
    ///
    /// # Errors
    /// `EMPTY`: there is no file, or an attachment has no bytes. `TOO_LARGE`: there are more attachments or bytes than
    /// allowed.
    pub fn check(&self, submission: &Submission) -> Result<(), Problem> {
        let Submission { content, attachments, .. } = submission;
        if content.bytes.is_empty() && attachments.is_empty() {
            return Err(Problem::new(
                Code::Empty,
                "文件没有内容，请检查后重新发送",
                "a document of no bytes cannot be read",
            ));
        }
        let too_large =
            |chinese: String, english: String| Err(Problem::new(Code::TooLarge, chinese, english));
        self.check_number(submission)?;
        for (at, file) in attachments.iter().enumerate() {
            let (at, name) = (at + 1, quote(&file.filename));
            if file.bytes.is_empty() {
                return Err(Problem::new(
                    Code::Empty,
                    format!("附件 {at}（{name}）没有内容"),
                    format!("attachment {at} ({name}) has no bytes"),
                ));
            }
            if file.bytes.len() > self.attachment_bytes {
                let most = self.attachment_bytes;
                return too_large(
                    format!("附件 {at}（{name}）超过 {most} 字节"),
                    format!("attachment {at} ({name}) is over {most} bytes"),
                );
            }
        }
        self.check_size(submission)
    }

    /// Checks how many attachments there are.
    ///
    /// # Errors
    /// `TOO_LARGE`.
    pub fn check_number(&self, submission: &Submission) -> Result<(), Problem> {
        let (count, most) = (submission.attachments.len(), self.attachments);
        if count <= most {
            return Ok(());
        }
        Err(Problem::new(
            Code::TooLarge,
            format!("{count} 个附件，最多 {most} 个"),
            format!("{count} attachments, at most {most}"),
        ))
    }

    /// Checks how many bytes all files have together.
    ///
    /// # Errors
    /// `TOO_LARGE`.
    pub fn check_size(&self, submission: &Submission) -> Result<(), Problem> {
        let (size, most) = (submission.size(), self.total_bytes);
        if size <= most {
            return Ok(());
        }
        Err(Problem::new(
            Code::TooLarge,
            format!("文件共 {size} 字节，最多 {most} 字节"),
            format!("the files have {size} bytes, at most {most}"),
        ))
    }
}
