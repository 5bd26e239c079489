//! Standard output: the only module that writes to it.
//!
//! A reader that has read enough (`gongkai list | head`) closes the pipe; [`is_closed_pipe`] distinguishes this from
//! an error. Text of documents and servers is made harmless before it is written: text by [`clean`], JSON by
//! [`Printer::json`], CSV by [`crate::csv_writer`].

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use clap::ValueEnum;
use gongkai_proto::convert::timestamp::CHINA;
use gongkai_worker::inert::{self, printable};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Standard output.
pub(crate) struct Printer {
    writer: BufWriter<Stdout>,
    is_terminal: bool,
    has_colour: bool,
}

/// The output format of a command that shows one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ObjectFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// Emphasis of a word on a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Emphasis {
    Bold,
    Red,
    Yellow,
    Green,
    Dim,
}

// === impl Printer ===

impl Printer {
    /// Creates a printer on the standard output of this process.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let has_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { writer: BufWriter::new(stdout), is_terminal, has_colour }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.writer.write_all(text.as_ref().as_bytes())?;
        self.writer.write_all(b"\n")?;
        // The output is written at once: a person, or a script that follows a stream, is waiting for it.
        if self.is_terminal { self.writer.flush() } else { Ok(()) }
    }

    /// Writes a value as a line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        self.json_text(&serde_json::to_string(value)?)
    }

    /// Writes JSON as a line. Characters that are invisible or control a terminal are escaped; the value stays the
    /// same.
    pub(crate) fn json_text(&mut self, json: &str) -> anyhow::Result<()> {
        Ok(self.line(inert::escape_json(json))?)
    }

    /// Flushes the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Writes members of an object with their labels, one per line. Absent and empty ones are left out.
    pub(crate) fn members<const N: usize>(
        &mut self,
        members: [(&str, Option<&String>); N],
    ) -> io::Result<()> {
        for (label, text) in members {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.line(format!("{}  {}", self.styled(Emphasis::Dim, label), clean(text)))?;
            }
        }
        Ok(())
    }

    /// Returns the text, emphasised if this is a terminal with colours.
    pub(crate) fn styled(&self, style: Emphasis, text: &str) -> String {
        if !self.has_colour {
            return text.to_owned();
        }
        let code = match style {
            Emphasis::Bold => 1,
            Emphasis::Dim => 2,
            Emphasis::Red => 31,
            Emphasis::Green => 32,
            Emphasis::Yellow => 33,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl Write for Printer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Returns the text for one line of a terminal: white space becomes a space, and characters that are invisible or
/// control the terminal are escaped. Passwords inside URLs are hidden.
pub(crate) fn clean(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if matches!(c, '\t' | '\r' | '\n') { ' ' } else { c }).collect();
    printable(&spaced)
}

/// Returns a time to the second, as it is read in China.
pub(crate) fn in_china(time: OffsetDateTime) -> String {
    let seconds = time.to_offset(CHINA).truncate_to_second();
    // Fails only for years that RFC 3339 does not have.
    seconds.format(&Rfc3339).unwrap_or_default()
}

/// Returns true if an error of the chain means that the reader of standard output closed it.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |e: &(dyn std::error::Error + 'static)| {
        e.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(closed)
}

/// Writes a line of text to standard error, without passwords inside URLs.
pub(crate) fn complain(text: impl std::fmt::Display) {
    // If standard error is closed, nobody reads it.
    writeln!(io::stderr(), "gongkai: {}", printable(&text.to_string())).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_cannot_steer_the_terminal() {
        assert_eq!(clean("合计\u{1b}[2J\u{202e}8\r\n9"), "合计\\u{1b}[2J\\u{202e}8  9");
        assert_eq!(clean("http://u:p@h/ 甲\u{200b}局"), "http://u:***@h/ 甲\\u{200b}局");
    }

    #[test]
    fn a_closed_pipe_is_found_in_the_chain() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::new(broken).context("couldn't write")));
        assert!(!is_closed_pipe(&anyhow::anyhow!("other")));
    }
}
