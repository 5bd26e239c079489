//! Makes text from outside harmless before it is printed or logged.
//!
//! [`redact`] hides passwords inside URLs. [`escape`] shows the characters that control a terminal or are invisible
//! as their code points; [`escape_json`] does the same inside JSON without changing the value. The runtime applies
//! these to log lines and to errors on standard error, and the command line to what it prints.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replacement for a password.
const REDACTED: &str = "***";
/// Query parameters whose values are credentials.
const SECRET_PARAMETERS: [&str; 6] = ["password", "passwd", "pwd", "secret", "token", "access_token"];

/// Hides the passwords and tokens of every URL in `text`: `nats://user:***@host`, `nats://***@host`, `?token=***`.
///
/// A user without a password counts as a token, as in NATS. Text without such a URL is returned unchanged.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + "://".len());
        redacted.push_str(before);
        let end = after.find(ends_url).unwrap_or(after.len());
        redact_url(&after[..end], &mut redacted);
        rest = &after[end..];
    }
    redacted.push_str(rest);
    if redacted == text { Cow::Borrowed(text) } else { Cow::Owned(redacted) }
}

/// Returns a URL without its user and password; any other text unchanged.
#[must_use]
pub fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some((scheme, after)) = url.split_once("://") else { return Cow::Borrowed(url) };
    match credentials(after) {
        Some(credentials) => Cow::Owned(format!("{scheme}://{}", &after[credentials.len() + 1..])),
        None => Cow::Borrowed(url),
    }
}

/// Returns true for a character that controls a terminal, changes the reading order, or is invisible.
#[must_use]
pub fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Writes each active character as `\u{…}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    // Writing to a string cannot fail.
    replaced(text, is_active, |c, out| write!(out, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default())
}

/// Writes each active character inside JSON as the escape `\uXXXX`. The value stays the same. White space between
/// tokens stays, because JSON allows none of it inside strings.
#[must_use]
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_inside = |c: char| is_active(c) && !c.is_ascii_whitespace();
    replaced(json, is_inside, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            write!(out, "\\u{unit:04x}").unwrap_or_default();
        }
    })
}

/// Applies both [`redact`] and [`escape`], for text that people read. Line feeds stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let redacted = redact(text);
    let lines: Vec<_> = redacted.lines().map(escape).collect();
    lines.join("\n")
}

fn replaced(text: &str, is_meant: impl Fn(char) -> bool, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_meant(c) { write(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Returns true for a character that ends a URL. A comma separates the servers of `nats.url`.
fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ',' | '|')
}

/// Writes the rest of one URL, after its `://`, without credentials.
fn redact_url(after: &str, out: &mut String) {
    let rest = match credentials(after) {
        Some(credentials) => {
            let user = credentials.split_once(':').map(|(user, _)| user);
            out.extend(user.into_iter().flat_map(|user| [user, ":"]));
            out.push_str(REDACTED);
            &after[credentials.len()..]
        }
        None => after,
    };
    for (n, part) in rest.split_inclusive(['?', '&', '#']).enumerate() {
        match part.split_once('=') {
            Some((name, value)) if n > 0 && is_secret(name) => {
                let end = value.find(['&', '#']).unwrap_or(value.len());
                out.extend([name, "=", REDACTED, &value[end..]]);
            }
            _ => out.push_str(part),
        }
    }
}

fn is_secret(parameter: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|secret| parameter.eq_ignore_ascii_case(secret))
}

/// Returns the part before the `@` of the authority.
fn credentials(after: &str) -> Option<&str> {
    let authority = &after[..after.find(['/', '?', '#', '\\']).unwrap_or(after.len())];
    if let Some((credentials, _)) = authority.rsplit_once('@') {
        return Some(credentials);
    }
    // A password with an unescaped slash: the part in place of the port is not a number, and an @ follows.
    let (_, port) = authority.rsplit_once(':')?;
    let is_port = port.ends_with(']') || port.bytes().all(|b| b.is_ascii_digit());
    if is_port { None } else { after.rsplit_once('@').map(|(credentials, _)| credentials) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden_wherever_they_stand() {
        for (text, expected) in [
            ("nats://u:p@h:4222", "nats://u:***@h:4222"),
            ("nats://token@h", "nats://***@h"),
            (
                "couldn't reach \"tls://u:p:q@a,nats://v:r@b\": gone",
                "couldn't reach \"tls://u:***@a,nats://v:***@b\": gone",
            ),
            ("https://u:p%40@h/a@b?c=d@e#f", "https://u:***@h/a@b?c=d@e#f"),
            ("https://u:p@ss@h/", "https://u:***@h/"),
            ("https://u:p/w#d@h/a", "https://u:***@h/a"),
            ("https://:p@h/", "https://:***@h/"),
            ("https://h/a?Token=x&b=1&password=y#z", "https://h/a?Token=***&b=1&password=***#z"),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
        for same in [
            "",
            "a@b",
            "https://h/a@b",
            "https://[::1]:80/@",
            "https://h:80/x@y",
            "://",
            "t://h/?tokens=1",
            "年报 ://",
        ] {
            assert!(matches!(redact(same), Cow::Borrowed(text) if text == same), "{same}");
        }
    }

    #[test]
    fn a_url_loses_its_credentials_and_nothing_else() {
        assert_eq!(without_credentials("https://u:p@h/a?b=1"), "https://h/a?b=1");
        for same in ["https://h/a@b", "h/a", ""] {
            assert_eq!(without_credentials(same), same);
        }
    }

    #[test]
    fn active_characters_are_shown_as_code_points() {
        assert_eq!(
            escape("a\u{1b}[2J\u{85}\u{202e}b\u{200b}\u{feff}"),
            "a\\u{1b}[2J\\u{85}\\u{202e}b\\u{200b}\\u{feff}"
        );
        assert_eq!(escape("樟树市\u{20}（2023）"), "樟树市 （2023）");
        assert_eq!(printable("at nats://u:p@h:\r\n\t1\u{7}"), "at nats://u:***@h:\n\\u{9}1\\u{7}");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"名\u{200b}": "a\u{202e}\u{9b}\u{e0041}\n\u{1b}\u{7f}"});
        for json in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            let escaped = escape_json(&json);
            assert!(!escaped.chars().any(|c| is_active(c) && c != '\n'), "{escaped}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }
}
