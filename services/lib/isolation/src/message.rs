//! Requests and answers. A report is sent as the two messages of the wire format, tables and prose, so that the
//! conversions of `proto` serve both.

use std::time::Duration;

use gongkai_annotate::{MarkedCopy, RemarkSheet};
use gongkai_model::{AgencyKey, MediaType, Region, Rejection, ReportKey};
use gongkai_proto::{convert, v1};
use gongkai_reading::{Hints, Limits, Reading, ReportHints};
use prost::Message;

use crate::{
    document::RawDocument,
    remark_message::{CopyMessage, SheetMessage},
};

/// The steps of reading, by the number that passes through the pipe.
pub(crate) const STEPS: [&str; 4] = ["sniff", "decode", "extract", "match"];

/// The hints for a document besides its bytes, and its limits.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadingRequest {
    #[prost(string, optional, tag = "1")]
    media_type: Option<String>,
    #[prost(string, optional, tag = "2")]
    charset: Option<String>,
    #[prost(string, optional, tag = "3")]
    filename: Option<String>,
    #[prost(string, optional, tag = "4")]
    agency: Option<String>,
    #[prost(int32, optional, tag = "5")]
    year: Option<i32>,
    /// The limits of the readers, in the order of [`Limits`].
    #[prost(uint64, repeated, tag = "6")]
    limits: Vec<u64>,
    #[prost(string, optional, tag = "7")]
    title: Option<String>,
    /// The remarks of the copy to make; absent if the document is to be read.
    #[prost(message, optional, tag = "8")]
    sheet: Option<SheetMessage>,
}

/// A report or a marked copy, or why there is none.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReadingAnswer {
    #[prost(message, optional, tag = "1")]
    header: Option<v1::ParsedReport>,
    #[prost(message, optional, tag = "2")]
    text: Option<v1::ParsedText>,
    #[prost(message, optional, tag = "3")]
    rejection: Option<v1::Rejection>,
    /// The child ends after this answer, because it has grown.
    #[prost(bool, tag = "4")]
    pub(crate) is_last: bool,
    #[prost(message, optional, tag = "5")]
    copy: Option<CopyMessage>,
}

// === impl ReadingRequest ===

impl ReadingRequest {
    pub(crate) fn of(document: &RawDocument<'_>) -> Self {
        let RawDocument { hints, known, limits, .. } = document;
        Self {
            media_type: hints.media_type.map(str::to_owned),
            charset: hints.charset.map(str::to_owned),
            filename: hints.filename.map(str::to_owned),
            agency: known.agency.map(str::to_owned),
            year: known.year,
            title: known.title.map(str::to_owned),
            limits: numbers(limits),
            sheet: None,
        }
    }

    /// Creates the request for a marked copy.
    pub(crate) fn of_copy(document: &RawDocument<'_>, sheet: &RemarkSheet) -> Self {
        Self { sheet: Some(sheet.into()), ..Self::of(document) }
    }

    /// Removes and returns the message with the remarks, if a copy is to be made.
    pub(crate) fn take_sheet(&mut self) -> Option<SheetMessage> {
        self.sheet.take()
    }

    pub(crate) fn hints(&self) -> Hints<'_> {
        Hints {
            media_type: self.media_type.as_deref(),
            charset: self.charset.as_deref(),
            filename: self.filename.as_deref(),
        }
    }

    pub(crate) fn known(&self) -> ReportHints<'_> {
        ReportHints { agency: self.agency.as_deref(), year: self.year, title: self.title.as_deref() }
    }

    /// Returns the limits, or `None` if the request is of another version.
    pub(crate) fn limits(&self) -> Option<Limits> {
        let size = |number: u64| usize::try_from(number).ok();
        let count = |number: u64| u32::try_from(number).ok();
        let [input, expanded, nesting, cells, paragraphs, line, columns, rows, pages, glyphs, drawings, time] =
            <[u64; 12]>::try_from(self.limits.as_slice()).ok()?;
        Some(Limits {
            input_bytes: size(input)?,
            expanded_bytes: size(expanded)?,
            nesting: size(nesting)?,
            cells: size(cells)?,
            paragraphs: size(paragraphs)?,
            line_scalars: size(line)?,
            columns: count(columns)?,
            rows: count(rows)?,
            pages: size(pages)?,
            glyphs: size(glyphs)?,
            drawings: size(drawings)?,
            drawing_time: Duration::from_millis(time),
        })
    }
}

fn numbers(limits: &Limits) -> Vec<u64> {
    let Limits {
        input_bytes,
        expanded_bytes,
        nesting,
        cells,
        paragraphs,
        line_scalars,
        columns,
        rows,
        pages,
        glyphs,
        drawings,
        drawing_time,
    } = *limits;
    let size = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let time = u64::try_from(drawing_time.as_millis()).unwrap_or(u64::MAX);
    let first = [input_bytes, expanded_bytes, nesting, cells, paragraphs, line_scalars].map(size);
    let last = [pages, glyphs, drawings].map(size);
    [first.as_slice(), &[columns.into(), rows.into()], &last, &[time]].concat()
}

// === impl ReadingAnswer ===

impl ReadingAnswer {
    pub(crate) fn of(result: &Result<Reading, Rejection>) -> Self {
        match result {
            Ok(reading) => {
                // The receiver of the answer does not use the key.
                let agency = AgencyKey::provisional("", Region::default());
                let key = ReportKey { agency, year: reading.report.year };
                let reference = v1::ContentRef::default();
                let header = convert::report::header(&reading.report, &key, reading.media_type, reference);
                let text = convert::report::text(&reading.report);
                Self { header: Some(header), text: Some(text), ..Self::default() }
            }
            Err(rejection) => Self { rejection: Some(rejection.into()), ..Self::default() },
        }
    }

    pub(crate) fn of_copy(result: Result<MarkedCopy, Rejection>) -> Self {
        match result {
            Ok(copy) => Self { copy: Some(copy.into()), ..Self::default() },
            Err(rejection) => Self { rejection: Some((&rejection).into()), ..Self::default() },
        }
    }

    /// Returns the copy, or `None` if the answer is of another version.
    pub(crate) fn into_copy(self) -> Option<Result<MarkedCopy, Rejection>> {
        if let Some(rejection) = self.rejection {
            return Some(Err(rejection.try_into().ok()?));
        }
        self.copy?.into_copy().map(Ok)
    }

    /// Returns the result, or `None` if the answer is of another version.
    pub(crate) fn into_result(self) -> Option<Result<Reading, Rejection>> {
        if let Some(rejection) = self.rejection {
            return Some(Err(rejection.try_into().ok()?));
        }
        let header = self.header?;
        let media_type = media_type(&header.media_type)?;
        let report = convert::report::report(header, self.text?).ok()?;
        Some(Ok(Reading { media_type, report }))
    }
}

/// Returns the media type of that name.
pub(crate) fn media_type(name: &str) -> Option<MediaType> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_everything_that_the_caller_said() {
        let limits = Limits {
            input_bytes: 1,
            expanded_bytes: 2,
            nesting: 3,
            cells: 4,
            paragraphs: 5,
            line_scalars: 6,
            columns: 7,
            rows: 8,
            pages: 9,
            glyphs: 10,
            drawings: 11,
            drawing_time: Duration::from_millis(12),
        };
        let hints = Hints { media_type: Some("text/html"), charset: Some("gbk"), filename: Some("a.html") };
        let known =
            ReportHints { agency: Some("云溪县档案局"), year: Some(2023), title: Some("年报") };
        let request = ReadingRequest::of(&RawDocument { bytes: b"", hints, known, limits });
        let arrived = ReadingRequest::decode(request.encode_to_vec().as_slice()).unwrap();
        assert_eq!((arrived.limits(), arrived.known()), (Some(limits), known));
        assert_eq!(format!("{:?}", arrived.hints()), format!("{hints:?}"));
        assert_eq!(ReadingRequest { limits: vec![1], ..arrived }.limits(), None);
    }
}
