//! The filename of a part of a form: `filename`, or `filename*` with its charset (RFC 8187).

use encoding_rs::Encoding;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

use crate::{
    error::{Code, Problem},
    fields,
};

/// Returns the filename of a part; empty if it has none. `filename*` is preferred.
///
/// # Errors
/// `INVALID_FIELD`: it is not in the charset that it names, or in UTF-8.
pub(super) fn filename(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get(http::header::CONTENT_DISPOSITION) else { return Ok(String::new()) };
    let value = std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::not_utf8("filename"))?;
    let parameters = parameters(value);
    let named = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let filename = match (named("filename*"), named("filename")) {
        (Some(extended), _) => extended_value(extended)?,
        (None, plain) => plain.cloned().unwrap_or_default(),
    };
    fields::text("filename", Some(filename))
}

/// Decodes `charset'language'percent-encoded`.
fn extended_value(value: &str) -> Result<String, Problem> {
    let wrong = || {
        Problem::new(
            Code::InvalidField,
            "filename* 须写作 字符集''百分号编码，如 UTF-8''%E5%B9%B4%E6%8A%A5.docx",
            "filename* must be charset''percent-encoded, such as UTF-8''%E5%B9%B4%E6%8A%A5.docx",
        )
    };
    let mut parts = value.splitn(3, '\'');
    let (Some(charset), Some(_language), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let encoding = Encoding::for_label(charset.as_bytes()).ok_or_else(wrong)?;
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(&bytes).ok_or_else(wrong)?;
    Ok(decoded.into_owned())
}

/// Splits the parameters of a header. Names are in lower case, and quotes are removed.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (text, end) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                after.split_once(';').map_or((after.to_owned(), ""), |(text, end)| (text.to_owned(), end))
            }
        };
        parameters.push((name.trim_matches([' ', ';', '\t']).to_ascii_lowercase(), text.trim().to_owned()));
        rest = end;
    }
    parameters
}

/// Reads a quoted string up to its end, and returns what follows it.
fn unquoted(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &quoted[at + 1..]),
            // Old browsers send whole paths with unescaped separators.
            '\\' if matches!(chars.as_str().chars().next(), Some('"' | '\\')) => {
                text.extend(chars.next().map(|(_, escaped)| escaped));
            }
            other => text.push(other),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(value: &[u8]) -> Result<String, Problem> {
        let value = HeaderValue::from_bytes(value).unwrap();
        filename(&HeaderMap::from_iter([(http::header::CONTENT_DISPOSITION, value)]))
    }

    #[test]
    fn every_way_to_name_a_file_is_read() {
        for (value, name) in [
            (r#"form-data; name="file"; filename="a.html""#, "a.html"),
            ("form-data; name=file; filename=a.html", "a.html"),
            (r#"form-data; name="file"; filename="年报.docx""#, "年报.docx"),
            (r#"form-data; name="file"; filename="a; \"b\".html"; x=y"#, "a; \"b\".html"),
            (r#"form-data; filename="C:\报告.doc""#, r"C:\报告.doc"),
            (r#"form-data; filename="x.docx"; filename*=UTF-8''%E5%B9%B4%E6%8A%A5.docx"#, "年报.docx"),
            ("form-data; filename*=utf-8'zh'%E5%B9%B4%E6%8A%A5.docx; filename=x", "年报.docx"),
            ("form-data; filename*=GB18030''%C4%EA%B1%A8.docx", "年报.docx"),
            ("form-data; name=file", ""),
        ] {
            assert_eq!(of(value.as_bytes()).unwrap(), name, "{value}");
        }
    }

    #[test]
    fn a_fault_of_charset_is_named() {
        for value in [
            b"form-data; filename=\"\xc4\xea\xb1\xa8.doc\"".as_slice(),
            b"form-data; filename*=UTF-8''%C4%EA",
            b"form-data; filename*=nonsense''a",
            b"form-data; filename*=a.html",
        ] {
            let problem = of(value).unwrap_err();
            assert_eq!(problem.code, Code::InvalidField);
            assert!(problem.detail.contains("filename"), "{problem:?}");
        }
    }
}
