//! Remarks and marked copies as messages of the pipes.

use gongkai_annotate::{Lang, MarkedCopy, Remark, RemarkSheet};
use gongkai_model::{Severity, Source};
use gongkai_proto::v1;
use prost::Message;

/// The remarks to write into a copy.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SheetMessage {
    #[prost(bool, tag = "1")]
    is_english: bool,
    #[prost(string, tag = "2")]
    subject: String,
    #[prost(message, repeated, tag = "3")]
    remarks: Vec<RemarkMessage>,
    #[prost(bool, tag = "4")]
    in_utf8: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct RemarkMessage {
    /// The public name of the severity.
    #[prost(string, tag = "1")]
    severity: String,
    /// Label, rule, place, problem, advice and provision.
    #[prost(string, repeated, tag = "2")]
    words: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    sources: Vec<v1::Source>,
}

/// A marked copy.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CopyMessage {
    #[prost(bytes = "vec", tag = "1")]
    bytes: Vec<u8>,
    #[prost(string, tag = "2")]
    media_type: String,
}

impl From<&RemarkSheet> for SheetMessage {
    fn from(sheet: &RemarkSheet) -> Self {
        Self {
            is_english: sheet.lang == Lang::English,
            subject: sheet.subject.clone(),
            remarks: sheet.remarks.iter().map(RemarkMessage::from).collect(),
            in_utf8: sheet.in_utf8,
        }
    }
}

impl SheetMessage {
    /// Returns the sheet, or `None` if the message is of another version.
    pub(crate) fn into_sheet(self) -> Option<RemarkSheet> {
        Some(RemarkSheet {
            lang: if self.is_english { Lang::English } else { Lang::Chinese },
            subject: self.subject,
            in_utf8: self.in_utf8,
            remarks: self.remarks.into_iter().map(RemarkMessage::into_remark).collect::<Option<_>>()?,
        })
    }
}

impl From<&Remark> for RemarkMessage {
    fn from(remark: &Remark) -> Self {
        let Remark { severity, label, rule, place, problem, advice, legal, sources } = remark;
        Self {
            severity: severity.as_str().to_owned(),
            words: [label, rule, place, problem, advice, legal].map(Clone::clone).to_vec(),
            sources: sources.iter().map(v1::Source::from).collect(),
        }
    }
}

impl RemarkMessage {
    fn into_remark(self) -> Option<Remark> {
        let [label, rule, place, problem, advice, legal] = self.words.try_into().ok()?;
        let severity: Severity = self.severity.parse().ok()?;
        let sources = self.sources.into_iter().map(|source| Source::try_from(source).ok());
        let sources = sources.collect::<Option<_>>()?;
        Some(Remark { severity, label, rule, place, problem, advice, legal, sources })
    }
}

impl From<MarkedCopy> for CopyMessage {
    fn from(copy: MarkedCopy) -> Self {
        Self { bytes: copy.bytes, media_type: copy.media_type.as_str().to_owned() }
    }
}

impl CopyMessage {
    /// Returns the copy, or `None` if the message is of another version.
    pub(crate) fn into_copy(self) -> Option<MarkedCopy> {
        Some(MarkedCopy { media_type: self.media_type.parse().ok()?, bytes: self.bytes })
    }
}

#[cfg(test)]
mod tests {
    use gongkai_model::Span;

    use super::*;

    #[test]
    fn a_sheet_arrives_as_it_was_sent() {
        let source =
            Source { text: "12".to_owned(), span: Some(Span { start: 3, end: 5 }), ..Source::default() };
        let remark = Remark {
            severity: Severity::Review,
            label: "请核实".to_owned(),
            rule: "S-YEAR".to_owned(),
            place: "标题".to_owned(),
            problem: "年度不符".to_owned(),
            advice: "核对".to_owned(),
            legal: "条例第四十九条".to_owned(),
            sources: vec![source],
        };
        let sheet = RemarkSheet {
            lang: Lang::English,
            subject: "某局".to_owned(),
            remarks: vec![remark],
            ..RemarkSheet::default()
        };
        let message = SheetMessage::from(&sheet);
        let arrived = SheetMessage::decode(message.encode_to_vec().as_slice()).unwrap();
        assert_eq!(arrived.into_sheet(), Some(sheet));
    }
}
