//! Headers of a message: case-sensitive names with one value each.
//!
//! They are stored in the client library's map. Headers are built and read once per hop, and copying them into another
//! map would cost more than tracing the hop.

use std::ops::Index;

use async_nats::{HeaderMap, HeaderName, HeaderValue};

use super::error::{Error, ErrorKind};

/// Header with the id of a message. Within the duplicate window, a stream stores each id once.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";
/// Header of a message that starts its own trace with a link to its original trace: replays and reprocessing.
pub const LINK_HEADER: &str = "gongkai-link";

/// Header of a message that a timer published: the name of the timer.
pub const TIMER_HEADER: &str = "Nats-Scheduler";

/// Names that nearly every message has. They need neither validation nor a copy.
const KNOWN: [&str; 10] = [
    MESSAGE_ID,
    "traceparent",
    "tracestate",
    LINK_HEADER,
    "ce-id",
    "ce-source",
    "ce-specversion",
    "ce-time",
    "ce-type",
    "content-type",
];

/// Headers of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(HeaderMap);

impl Headers {
    /// Creates an empty set of headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the value of a header. If a foreign sender set several values, returns the last one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let name = header_name(name)?;
        self.0.get_last(name).map(HeaderValue::as_str)
    }

    /// Returns true if the header is present.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a header, replacing its earlier value.
    ///
    /// # Errors
    /// `Other`: the name is not a valid header name, or the value is not a single line.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let refuse = || Error::new(ErrorKind::Other, format!("header {name} cannot be sent"));
        let header = header_name(name).ok_or_else(refuse)?;
        let value = value.parse::<HeaderValue>().map_err(|error| refuse().because(error))?;
        self.0.insert(header, value);
        Ok(())
    }

    /// Returns all names and values, sorted by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &str)> {
        let each = self.0.iter();
        let last = each.filter_map(|(name, values)| Some((name.as_ref(), values.last()?.as_str())));
        let mut all: Vec<(&str, &str)> = last.collect();
        all.sort_unstable();
        all
    }

    /// Returns all names, in no particular order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    pub(super) fn of(map: Option<HeaderMap>) -> Self {
        Self(map.unwrap_or_default())
    }

    /// Returns the headers of a message that was read by its sequence, without those that the server adds in that
    /// case.
    pub(super) fn as_sent(map: &HeaderMap) -> Self {
        let added = ["Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"];
        let sent = map.iter().filter(|(name, _)| !added.contains(&(*name).as_ref()));
        let last = sent.filter_map(|(name, values)| Some((name.clone(), values.last()?.clone())));
        Self(last.collect())
    }

    pub(super) fn into_map(self) -> HeaderMap {
        self.0
    }
}

impl Index<&str> for Headers {
    type Output = str;

    /// Returns the value of a header.
    ///
    /// # Panics
    /// If there is no such header.
    fn index(&self, name: &str) -> &str {
        self.get(name).expect("the caller guarantees that the header is present")
    }
}

fn header_name(name: &str) -> Option<HeaderName> {
    match KNOWN.iter().find(|known| **known == name) {
        Some(known) => Some(HeaderName::from_static(known)),
        None => name.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_a_name() {
        let mut headers = Headers::new();
        headers.insert(MESSAGE_ID, "m1").unwrap();
        headers.insert("x-own", "a").unwrap();
        headers.insert("x-own", "b").unwrap();
        assert_eq!((headers.get("x-own"), headers.get("X-Own")), (Some("b"), None));
        assert_eq!(headers.sorted(), [(MESSAGE_ID, "m1"), ("x-own", "b")]);
        assert_eq!(&headers[MESSAGE_ID], "m1");
    }

    #[test]
    fn the_last_of_several_counts() {
        let mut map = HeaderMap::new();
        map.append("a", "first");
        map.append("a", "last");
        let headers = Headers::of(Some(map));
        assert_eq!((headers.get("a"), headers.sorted()), (Some("last"), vec![("a", "last")]));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let mut headers = Headers::new();
        for (name, value) in [("a", "two\nlines"), ("a:b", "x"), ("名", "x")] {
            let error = headers.insert(name, value).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Other, "{name}");
        }
        assert_eq!(headers, Headers::new());
    }
}
