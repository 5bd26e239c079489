//! The page in a MIME envelope (`.mht`), as browsers and Word save it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Maximum number of parts that are searched for the page.
const MOST_PARTS: usize = 64;

/// Returns the first HTML part of an envelope, decoded from its transfer encoding; `None` if this is no envelope or has
/// no such part.
pub(super) fn html(bytes: &[u8]) -> Option<Vec<u8>> {
    let (headers, body) = split_headers(bytes)?;
    if !headers.contains("mime-version:") && !headers.contains("content-type:") {
        return None;
    }
    let Some(boundary) = boundary(bytes) else { return part(&headers, body) };
    let boundary = format!("--{boundary}");
    let parts = parts(body, boundary.as_bytes());
    parts.into_iter().find_map(|bytes| {
        let (headers, body) = split_headers(bytes)?;
        part(&headers, body)
    })
}

/// Returns the body of a part, if it is HTML.
fn part(headers: &str, body: &[u8]) -> Option<Vec<u8>> {
    if !headers.contains("text/html") {
        return None;
    }
    let encoding = headers.split_once("content-transfer-encoding:").map_or("", |(_, rest)| rest.trim_start());
    if encoding.starts_with("quoted-printable") {
        Some(unquoted(body))
    } else if encoding.starts_with("base64") {
        let digits: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        STANDARD.decode(digits).ok()
    } else {
        Some(body.to_vec())
    }
}

/// Returns the headers in lower case, and the body.
fn split_headers(bytes: &[u8]) -> Option<(String, &[u8])> {
    let bytes = bytes.trim_ascii_start();
    let (at, length) = [&b"\r\n\r\n"[..], b"\n\n"]
        .into_iter()
        .filter_map(|end| Some((bytes.windows(end.len()).position(|window| window == end)?, end.len())))
        .min()?;
    let headers = String::from_utf8_lossy(bytes.get(..at)?).to_ascii_lowercase();
    Some((headers, bytes.get(at + length..)?))
}

/// Returns the boundary between the parts as the envelope's headers write it.
fn boundary(bytes: &[u8]) -> Option<String> {
    let (headers, _) = split_headers(bytes)?;
    let at = headers.find("boundary=")? + "boundary=".len();
    let written = String::from_utf8_lossy(bytes.trim_ascii_start().get(at..headers.len())?).into_owned();
    let name = match written.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => written.split([';', '\r', '\n', ' ']).next()?,
    };
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

fn parts<'b>(body: &'b [u8], boundary: &[u8]) -> Vec<&'b [u8]> {
    let mut starts: Vec<usize> = Vec::new();
    let mut from = 0;
    while let Some(at) =
        body.get(from..).and_then(|rest| rest.windows(boundary.len()).position(|w| w == boundary))
    {
        starts.push(from + at);
        from += at + boundary.len();
        if starts.len() > MOST_PARTS {
            break;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([body.len()]);
    starts.iter().zip(ends).filter_map(|(start, end)| body.get(start + boundary.len()..end)).collect()
}

/// Decodes quoted-printable text.
fn unquoted(body: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|d| u8::try_from(d).ok())
    };
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        at += 1;
        if *byte != b'=' {
            out.push(*byte);
            continue;
        }
        if let Some((high, low)) = digit(body.get(at)).zip(digit(body.get(at + 1))) {
            out.push(high << 4 | low);
            at += 2;
        } else if body.get(at) == Some(&b'\n') {
            at += 1;
        } else if body.get(at..at + 2) == Some(b"\r\n") {
            at += 2;
        } else {
            out.push(b'=');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_found_in_its_envelope() {
        let envelope = |encoding: &str, body: &str| {
            format!(
                "MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=\"=_X\"\r\n\r\n--=_X\r\nContent-Type: text/html; \
                 charset=\"utf-8\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--=_X\r\nContent-Type: image/png\r\n\r\nx\r\n--=_X--"
            )
        };
        for (encoding, body) in [
            ("8bit", "<p>规章</p>"),
            ("quoted-printable", "<p>=E8=A7=84=\r\n=E7=AB=A0</p>"),
            ("base64", "PHA+6KeE56ugPC9wPg=="),
        ] {
            let page = html(envelope(encoding, body).as_bytes()).unwrap();
            assert_eq!(String::from_utf8(page).unwrap().trim(), "<p>规章</p>", "{encoding}");
        }
        assert_eq!(html(b"<html><body>"), None);
        assert_eq!(html(b""), None);
    }
}
