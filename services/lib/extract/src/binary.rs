//! Recognises binary formats by their signatures: the supported ones, and the names of unsupported ones.

use gongkai_model::MediaType;

/// How much of a container is searched for the names of its parts, in bytes from either end.
const SEARCHED: usize = 64 << 10;

/// How much of a compound file's directory is searched, in bytes.
const DIRECTORY: usize = 4096;

/// Maximum position of the mark of a text format that wraps a document, in bytes from the beginning.
const WRAPPER: usize = 1024;

/// Signatures at the beginning of a file.
const SIGNATURES: [(&[u8], &str); 18] = [
    (b"\x89PNG\r\n\x1a\n", "PNG 图片 / PNG image"),
    (b"\xff\xd8\xff", "JPEG 图片 / JPEG image"),
    (b"GIF87a", "GIF 图片 / GIF image"),
    (b"GIF89a", "GIF 图片 / GIF image"),
    (b"BM", "BMP 图片 / BMP image"),
    (b"II*\0", "TIFF 图片 / TIFF image"),
    (b"MM\0*", "TIFF 图片 / TIFF image"),
    (b"Rar!\x1a\x07", "RAR 压缩包 / RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包 / 7z archive"),
    (b"\x1f\x8b", "gzip 压缩文件 / gzip"),
    (b"BZh", "bzip2 压缩文件 / bzip2"),
    (b"\xfd7zXZ\0", "xz 压缩文件 / xz"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩文件 / zstd"),
    (b"\x7fELF", "可执行文件 / executable"),
    (b"MZ\x90\0", "可执行文件 / executable"),
    (b"SQLite format 3\0", "SQLite 数据库 / SQLite database"),
    (b"{\\rtf", "RTF"),
    (b"%!PS", "PostScript"),
];

/// The format of bytes that are not plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentFormat {
    /// A document with a reader of its own.
    Document(MediaType),
    /// An Office document locked by a password.
    Locked,
    /// An unsupported format, by its Chinese and English name.
    Other(&'static str),
}

/// The entry that identifies a DOCX.
const DOCX_ENTRY: &[u8] = b"word/document";

/// The stream that identifies a DOC.
const DOC_STREAM: &str = "WordDocument";

/// The stream that identifies a locked DOCX, XLSX or PPTX.
const LOCKED_STREAM: &str = "EncryptedPackage";

/// Names of entries that identify the format in a ZIP container.
const ZIP_ENTRIES: [(&[u8], &str); 5] = [
    (b"xl/workbook.xml", "Excel 工作簿 / XLSX"),
    (b"ppt/presentation.xml", "PowerPoint / PPTX"),
    (b"OFD.xml", "OFD 版式文件 / OFD"),
    (b"application/vnd.oasis.opendocument.text", "OpenDocument 文本 / ODT"),
    (b"application/vnd.oasis.opendocument.spreadsheet", "OpenDocument 表格 / ODS"),
];

/// Names of streams that identify the format in a compound file.
const CFB_STREAMS: [(&str, &str); 2] =
    [("Workbook", "Excel 97-2003 工作簿 / XLS"), ("PowerPoint Document", "PowerPoint 97-2003 / PPT")];

/// Returns the format of bytes that are not text.
pub(crate) fn format(bytes: &[u8]) -> Option<ContentFormat> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return Some(zip_format(bytes));
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some(cfb_format(bytes));
    }
    if bytes.trim_ascii_start().starts_with(b"%PDF-") {
        return Some(ContentFormat::Document(MediaType::Pdf));
    }
    other_format(bytes).map(ContentFormat::Other)
}

fn other_format(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("WebP 图片 / WebP image");
    }
    if let Some(name) = wrapped_format(&bytes[..bytes.len().min(WRAPPER)]) {
        return Some(name);
    }
    let (signature, name) = SIGNATURES.into_iter().find(|(signature, _)| bytes.starts_with(signature))?;
    // "BM" may also begin a text. A bitmap has zero bytes in its header.
    let certain = signature != b"BM" || bytes.iter().take(32).any(|byte| *byte == 0);
    certain.then_some(name)
}

/// Returns the name of a format that is text around a document, and not the document's text.
fn wrapped_format(head: &[u8]) -> Option<&'static str> {
    let has = |needle: &[u8]| contains([head, &[]], needle);
    if has(b"<?mso-application") {
        return Some("Word/Excel 2003 XML");
    }
    (has(b"MIME-Version:") && has(b"multipart/related")).then_some("MHTML 网页归档 / MHTML")
}

fn zip_format(bytes: &[u8]) -> ContentFormat {
    let parts = ends(bytes);
    if contains(parts, DOCX_ENTRY) {
        return ContentFormat::Document(MediaType::Docx);
    }
    let found = ZIP_ENTRIES.into_iter().find(|(entry, _)| contains(parts, entry));
    ContentFormat::Other(found.map_or("ZIP 压缩包 / ZIP archive", |(_, name)| name))
}

/// Examines the beginning of the directory, which lists the streams of every ordinary document.
fn cfb_format(bytes: &[u8]) -> ContentFormat {
    let names = || {
        let shift = u32::from(*bytes.get(30)?);
        let first = u32::from_le_bytes(bytes.get(48..52)?.try_into().ok()?);
        let sector = 1_usize.checked_shl(shift)?;
        let start = usize::try_from(first).ok()?.checked_add(1)?.checked_mul(sector)?;
        bytes.get(start..start.checked_add(DIRECTORY)?.min(bytes.len()))
    };
    let searched = [names().unwrap_or_default(), &[]];
    let utf16 = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let has = |stream: &str| contains(searched, &utf16(stream));
    if has(DOC_STREAM) {
        return ContentFormat::Document(MediaType::Doc);
    }
    if has(LOCKED_STREAM) {
        return ContentFormat::Locked;
    }
    let found = CFB_STREAMS.into_iter().find(|(stream, _)| has(stream));
    ContentFormat::Other(found.map_or("OLE 复合文档 / OLE compound file", |(_, name)| name))
}

fn ends(bytes: &[u8]) -> [&[u8]; 2] {
    let length = bytes.len().min(SEARCHED);
    [&bytes[..length], &bytes[bytes.len() - length..]]
}

fn contains(parts: [&[u8]; 2], needle: &[u8]) -> bool {
    // The first byte rules out nearly all positions.
    let is_it = |window: &[u8]| window.first() == needle.first() && window == needle;
    parts.into_iter().any(|part| part.windows(needle.len()).any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expect: Option<&str>) {
        match (format(bytes), expect) {
            (Some(ContentFormat::Other(name)), Some(part)) => {
                assert!(name.contains(part), "{name} is no {part}");
            }
            (found, expect) => assert_eq!((found, expect), (None, None)),
        }
    }

    fn check_format(bytes: &[u8], expect: ContentFormat) {
        assert_eq!(format(bytes), Some(expect));
    }

    fn compound_file(stream: &str) -> Vec<u8> {
        let mut bytes = vec![0; 1536];
        bytes[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        bytes[30] = 9;
        bytes[48] = 1;
        let name: Vec<u8> = stream.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes[1152..1152 + name.len()].copy_from_slice(&name);
        bytes
    }

    #[test]
    fn signatures_name_the_format() {
        check(b"\x89PNG\r\n\x1a\n....", Some("PNG"));
        check(b"\xff\xd8\xff\xe0", Some("JPEG"));
        check(b"GIF89a", Some("GIF"));
        check(b"Rar!\x1a\x07\x01", Some("RAR"));
        check(b"7z\xbc\xaf\x27\x1c", Some("7z"));
        check(b"\x1f\x8b\x08", Some("gzip"));
        check(b"BM\x36\0\0\0", Some("BMP"));
        check(b"<?xml version='1.0'?><?mso-application progid='Word.Document'?>", Some("2003 XML"));
        check(b"MIME-Version: 1.0\r\nContent-Type: multipart/related", Some("MHTML"));
    }

    #[test]
    fn containers_are_named_by_what_is_in_them() {
        let docx = b"PK\x03\x04....[Content_Types].xml....word/document.xml";
        check_format(docx, ContentFormat::Document(MediaType::Docx));
        check(b"PK\x03\x04....xl/workbook.xml", Some("XLSX"));
        check(b"PK\x03\x04....OFD.xml", Some("OFD"));
        check(b"PK\x03\x04....a.txt", Some("ZIP"));
        check_format(&compound_file("WordDocument"), ContentFormat::Document(MediaType::Doc));
        check_format(&compound_file("EncryptedPackage"), ContentFormat::Locked);
        check_format(b"\n%PDF-1.7", ContentFormat::Document(MediaType::Pdf));
        check(&compound_file("Workbook"), Some("XLS"));
        check(&compound_file("x"), Some("OLE"));
        check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some("OLE"));
    }

    #[test]
    fn text_has_no_signature() {
        check(b"BMW", None);
        check("一、总体情况".as_bytes(), None);
        check(b"PK", None);
        check(b"<html>", None);
    }
}
