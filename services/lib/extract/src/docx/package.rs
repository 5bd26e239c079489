//! The ZIP package: its parts as text, within the limits.

use std::io::{Cursor, Read};

use gongkai_model::Rejection;
use quick_xml::events::BytesStart;
use zip::{ZipArchive, result::ZipError};

use super::xml::{self, Node};
use crate::{limits::Limits, reject};

/// Maximum number of entries of a package.
const ENTRIES: usize = 10_000;

/// Mark of an entry of the central directory.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

/// The open package of a DOCX. It expands no more than the limits allow, all parts together.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    limits: &'a Limits,
    /// Number of bytes that may still be expanded.
    room: u64,
}

impl<'a> Package<'a> {
    /// Opens a package. No part is expanded yet.
    ///
    /// # Errors
    /// `CORRUPT`: it is no ZIP archive. `TOO_LARGE`: it has too many entries.
    pub fn open(bytes: &'a [u8], limits: &'a Limits) -> Result<Self, Rejection> {
        // The entries are counted before the archive is opened, because opening it allocates memory for every entry.
        let entries = bytes.windows(DIRECTORY_ENTRY.len()).filter(|window| *window == DIRECTORY_ENTRY);
        if entries.take(ENTRIES + 1).count() > ENTRIES {
            return Err(reject::too_large(("压缩包条目数", "entries"), ENTRIES));
        }
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| rejection(&error))?;
        let room = u64::try_from(limits.expanded_bytes).unwrap_or(u64::MAX);
        Ok(Self { archive, limits, room })
    }

    /// Returns the part's text, or `None` if there is no such part.
    ///
    /// # Errors
    /// The part cannot be expanded within the limits, or is no text.
    pub fn part(&mut self, name: &str) -> Result<Option<String>, Rejection> {
        let Some(bytes) = self.bytes(name)? else { return Ok(None) };
        decode(bytes).map(Some).ok_or_else(|| reject::corrupt("DOCX"))
    }

    /// Returns the part, or `None` if there is no such part.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Rejection> {
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(rejection(&error)),
        };
        let mut bytes = Vec::new();
        let read = file.take(self.room.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|_| reject::corrupt("DOCX"))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.room = self.room.checked_sub(length).ok_or_else(|| {
            reject::too_large(("解压后字节数", "bytes when expanded"), self.limits.expanded_bytes)
        })?;
        Ok(Some(bytes))
    }

    /// Returns the name of the part that contains the text: nearly always `word/document.xml`.
    ///
    /// # Errors
    /// The relations of the package cannot be read.
    pub fn main_part(&mut self) -> Result<String, Rejection> {
        let usual = || "word/document.xml".to_owned();
        let Some(relations) = self.part("_rels/.rels")? else { return Ok(usual()) };
        let mut target = None;
        xml::walk(&relations, self.limits, |node| {
            if let Node::Start(tag, _) = node
                && is_main(tag)
            {
                target = xml::attribute(tag, "Target");
            }
            Ok(())
        })?;
        Ok(target.map_or_else(usual, |target| target.trim_start_matches('/').to_owned()))
    }
}

fn is_main(tag: &BytesStart<'_>) -> bool {
    xml::attribute(tag, "Type").is_some_and(|kind| kind.ends_with("/officeDocument"))
}

/// Decodes UTF-8, or UTF-16 by its byte order mark.
fn decode(bytes: Vec<u8>) -> Option<String> {
    match encoding_rs::Encoding::for_bom(&bytes) {
        Some((encoding, mark)) => {
            encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]).map(Into::into)
        }
        None => String::from_utf8(bytes).ok(),
    }
}

fn rejection(error: &ZipError) -> Rejection {
    match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            reject::encrypted("DOCX")
        }
        _ => reject::corrupt("DOCX"),
    }
}
