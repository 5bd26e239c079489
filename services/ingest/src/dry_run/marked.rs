//! A draft as a page in which its findings are marked.

use gongkai_annotate::{Lang, Remark, RemarkSheet, list_page};
use gongkai_check::{CheckLine, PartRole, remark_sheet};
use gongkai_isolation::Unread;
use gongkai_model::{MediaType, Severity};
use gongkai_reading::ReportHints;
use tokio::time::timeout;

use super::{DryRun, MAX_QUEUE_TIME, busy, document};
use crate::{
    checked_draft::CheckedDraft,
    error::Problem,
    language::Language,
    submission::{File, Submission},
};

impl DryRun {
    /// Checks a document, and returns it as a page in UTF-8 with its findings marked. A document that is no page and no
    /// text is answered with the list of its findings, one that cannot be read with the reason.
    ///
    /// # Errors
    /// As for [`Self::check`].
    ///
    /// # Cancel safety
    /// As for [`Self::check`].
    pub async fn marked(&self, draft: Submission, language: Language) -> Result<Vec<u8>, Problem> {
        let checked = self.check(draft).await?;
        let core = timeout(MAX_QUEUE_TIME, self.core())
            .await
            .map_err(|_| busy("处理器正忙", "every core is busy"))?;
        let this = self.clone();
        let page = self.on(core, move || this.page(&checked, language)).await?;
        page.map_err(|unread| busy("读取进程不可用", &unread.to_string()))
    }

    fn page(&self, checked: &CheckedDraft, language: Language) -> Result<Vec<u8>, Unread> {
        let line = checked.line();
        let sheet = self.sheet(&line, language);
        let Some(file) = carrier(checked, &line) else { return Ok(list_page(&sheet)) };
        let copy = self.readers.annotate(&document(file, ReportHints::default(), self.limits), &sheet)?;
        let page = copy.ok().filter(|copy| copy.media_type == MediaType::Html);
        Ok(page.map_or_else(|| list_page(&sheet), |copy| copy.bytes))
    }

    fn sheet(&self, line: &CheckLine, language: Language) -> RemarkSheet {
        let lang = match language {
            Language::Chinese => Lang::Chinese,
            Language::English => Lang::English,
        };
        let mut sheet = RemarkSheet { in_utf8: true, ..remark_sheet(line, &self.form_places, lang) };
        if let Some(rejection) = &line.rejection {
            let label = (Severity::Error, lang.choose("退回", "REJECTED"));
            let problem = lang.choose(&rejection.message, &rejection.message_en);
            sheet.remarks.push(of_document(label, &rejection.code, problem));
        }
        for part in &line.not_checked {
            let label = (Severity::Info, lang.choose("未检查", "NOT CHECKED"));
            sheet.remarks.push(of_document(label, &part.code, lang.choose(&part.message, &part.message_en)));
        }
        sheet
    }
}

/// Returns the file that the report was read from.
fn carrier<'d>(checked: &'d CheckedDraft, line: &CheckLine) -> Option<&'d File> {
    let Submission { content, attachments, .. } = &checked.submission;
    let at = line.parts.iter().position(|part| part.role == PartRole::Carrier).unwrap_or(0);
    let main = Some(content).filter(|file| !file.bytes.is_empty());
    main.into_iter().chain(attachments).nth(at)
}

/// Returns a remark about the document as a whole.
fn of_document((severity, label): (Severity, &str), code: &str, problem: &str) -> Remark {
    Remark {
        severity,
        label: label.to_owned(),
        rule: code.to_owned(),
        place: String::new(),
        problem: problem.to_owned(),
        advice: String::new(),
        legal: String::new(),
        sources: Vec::new(),
    }
}
