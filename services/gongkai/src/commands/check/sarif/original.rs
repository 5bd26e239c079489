//! The places of findings in the files that were checked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use gongkai_check::{CheckLine, Hints, Limits, SourceLine};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::commands::check::files::DocumentSource;

/// Characters of a path that stay as they are in an address.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the address of a file: relative if its name is.
pub(super) fn uri(file: &str) -> String {
    let path = utf8_percent_encode(file, KEPT).to_string();
    if file.starts_with('/') { format!("file://{path}") } else { path }
}

/// The files of one document. Text is read again when a place in it is asked for, for the lines.
pub(super) struct Originals<'a> {
    line: &'a CheckLine,
    /// The text of each file; `None` for a file that is no text, or could not be read again.
    texts: BTreeMap<PathBuf, Option<Text>>,
}

impl<'a> Originals<'a> {
    pub(super) fn new(line: &'a CheckLine) -> Self {
        Self { line, texts: BTreeMap::new() }
    }

    /// Returns the file of a place, and the region in it if the file is text.
    pub(super) fn physical_location(&mut self, source: Option<&SourceLine>) -> Value {
        let page = Path::new(&self.line.file);
        let part = source.and_then(|source| source.part.as_ref());
        let attachment = part.map(|name| page.with_file_name(name));
        let is_elsewhere = attachment.as_ref().is_some_and(|path| !path.is_file());
        let path = attachment.filter(|path| path.is_file()).unwrap_or_else(|| page.to_owned());
        let mut location = json!({"artifactLocation": {"uri": uri(&path.to_string_lossy())}});
        let region = source.filter(|_| !is_elsewhere).and_then(|source| self.region(path, source));
        if let Some(region) = region {
            location["region"] = region;
        }
        location
    }

    fn region(&mut self, path: PathBuf, source: &SourceLine) -> Option<Value> {
        let (start, end) = (source.start?, source.end?);
        let mut region = json!({
            "charOffset": start,
            "charLength": end.saturating_sub(start),
            "snippet": {"text": source.text},
        });
        let text = self.texts.entry(path).or_insert_with_key(|path| Text::read(path));
        let places = text.as_ref().and_then(|text| Some((text.place(start)?, text.place(end)?)));
        if let Some((from, to)) = places {
            region["startLine"] = from.line.into();
            region["startColumn"] = from.column.into();
            region["endLine"] = to.line.into();
            region["endColumn"] = to.column.into();
            if let (Some(from), Some(to)) = (from.byte, to.byte) {
                region["byteOffset"] = from.into();
                region["byteLength"] = to.saturating_sub(from).into();
            }
        }
        Some(region)
    }
}

/// A decoded file, for the lines and bytes of its characters.
struct Text {
    text: String,
    /// Number of bytes before the text, if the file is UTF-8.
    mark: Option<usize>,
}

/// A place in a text.
struct Place {
    /// From 1.
    line: usize,
    /// From 1, in code points.
    column: usize,
    /// Offset in the file, if the file is UTF-8.
    byte: Option<usize>,
}

impl Text {
    fn read(path: &Path) -> Option<Self> {
        let limits = Limits::default();
        let file = DocumentSource::File(path.to_owned());
        let bytes = file.read(limits.input_bytes).ok()?;
        let hints = Hints { filename: file.filename(), ..Hints::default() };
        let text = gongkai_reading::original_text(&bytes, &hints, &limits)?;
        let mark = bytes.len().checked_sub(text.len());
        Some(Self { mark: mark.filter(|mark| bytes.get(*mark..) == Some(text.as_bytes())), text })
    }

    /// Returns the place of a character; `None` if the text is shorter.
    fn place(&self, character: u32) -> Option<Place> {
        let mut ends = self.text.char_indices().map(|(byte, _)| byte).chain([self.text.len()]);
        let byte = ends.nth(usize::try_from(character).ok()?)?;
        let before = &self.text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            byte: self.mark.map(|mark| mark + byte),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_code_points_and_bytes() {
        let text = Text { text: "甲\n乙𠀀丙".to_owned(), mark: Some(3) };
        let place = |at| text.place(at).map(|place| (place.line, place.column, place.byte));
        assert_eq!(place(0), Some((1, 1, Some(3))));
        assert_eq!(place(4), Some((2, 3, Some(14))));
        assert_eq!(place(5), Some((2, 4, Some(17))));
        assert_eq!(place(6), None);
    }

    #[test]
    fn an_address_has_no_character_that_ends_it() {
        assert_eq!(uri("a b/年#1.html"), "a%20b/%E5%B9%B4%231.html");
        assert_eq!(uri("/a/b"), "file:///a/b");
    }
}
