//! Classifies the errors of the client library.
//!
//! The library has an error type per call and often wraps the server's response as text in another error. All of them
//! have a text that contains the server's error code, so this module parses that text. The codes are the server's
//! public list.

use crate::transport::{Error, ErrorKind};

/// Wraps a cause. `attempt` describes what was attempted.
pub(super) fn wrap(attempt: String, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let cause = cause.into();
    Error::new(classify(&cause.to_string()), attempt).because(cause)
}

/// Returns the kind of an error from its text.
pub(super) fn classify(text: &str) -> ErrorKind {
    let text = text.to_lowercase();
    match error_code(&text) {
        Some(code) => by_code(code, &text),
        None => by_words(&text),
    }
}

fn error_code(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("error code ")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn by_code(code: u32, text: &str) -> ErrorKind {
    match code {
        // stream, consumer, message not found; consumer does not exist
        10014 | 10037 | 10059 | 10149 => ErrorKind::NotFound,
        // account, server, memory, storage limits; stream's own limits
        10002 | 10023 | 10028 | 10047 | 10122 => ErrorKind::Full,
        // the store refused: a limit of the stream, or the disk
        10077 if text.contains("maximum") || text.contains("no space") => ErrorKind::Full,
        // message or headers exceed the stream's maximum
        10054 | 10097 => ErrorKind::TooLarge,
        // wrong last sequence, by stream or subject; a stream of that name exists
        10071 | 10130 | 10164 => ErrorKind::Conflict,
        // no leader, no quorum, JetStream not up yet, stream offline
        10005 | 10008 | 10009 | 10039 | 10076 | 10077 | 10118 | 10119 => ErrorKind::Unavailable,
        _ if text.contains("(code 503") => ErrorKind::Unavailable,
        _ => ErrorKind::Other,
    }
}

/// Classifies errors without a code, which come from the client itself.
fn by_words(text: &str) -> ErrorKind {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["authorization violation", "permissions violation"]) {
        ErrorKind::Denied
    } else if says(&["max payload", "maximum payload"]) {
        ErrorKind::TooLarge
    } else if says(&["wrong last", "already exists"]) {
        ErrorKind::Conflict
    // A stream without a leader cannot be distinguished from a missing one: nothing responds.
    } else if says(&["timed out", "deadline", "no responders", "no stream found", "resource does not exist"])
        || says(&["jetstream unavailable", "broken pipe", "closed", "connection", "channel", "heartbeat"])
    {
        ErrorKind::Unavailable
    } else if says(&["not found"]) {
        ErrorKind::NotFound
    } else {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_code_decides_before_words() {
        let check = |text, kind| assert_eq!(classify(text), kind, "{text}");
        check("publish failed: maximum bytes exceeded (code 503, error code 10077)", ErrorKind::Full);
        check("publish failed: write: no space left on device (code 503, error code 10077)", ErrorKind::Full);
        check("failed chunk publish: insufficient resources (code 503, error code 10023)", ErrorKind::Full);
        check(
            "publish failed: message size exceeds maximum allowed (code 400, error code 10054)",
            ErrorKind::TooLarge,
        );
        check("jetstream error: stream not found (code 404, error code 10059)", ErrorKind::NotFound);
        check("wrong last sequence: 3 (code 400, error code 10071)", ErrorKind::Conflict);
        check("something new (code 503, error code 19999)", ErrorKind::Unavailable);
        check("something new (code 400, error code 19999)", ErrorKind::Other);
    }

    #[test]
    fn silence_is_unavailable() {
        let check = |text, kind| assert_eq!(classify(text), kind, "{text}");
        check("timed out: didn't receive ack in time", ErrorKind::Unavailable);
        check("no stream found for given subject", ErrorKind::Unavailable);
        check("requested JetStream resource does not exist", ErrorKind::Unavailable);
        check("missed idle heartbeat", ErrorKind::Unavailable);
        check("max payload size exceeded", ErrorKind::TooLarge);
        check("nats: authorization violation", ErrorKind::Denied);
    }
}
