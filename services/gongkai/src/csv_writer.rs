//! CSV, for scripts and for spreadsheets: the only module that writes it.
//!
//! A cell is always text or a number. Text that a spreadsheet would run as a formula gets an apostrophe in front, and
//! characters that are invisible or control a terminal are escaped. Numbers stay numbers, with their sign.

use std::{borrow::Cow, io::Write};

use gongkai_worker::inert;

/// The mark by which spreadsheets recognise UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes records. They may differ in length.
pub(crate) struct CsvWriter<W: Write>(csv::Writer<W>);

impl<W: Write> CsvWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).from_writer(out))
    }

    /// Writes a record.
    pub(crate) fn write<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> csv::Result<()> {
        for cell in cells {
            self.0.write_field(inert_cell(cell.as_ref()).as_ref())?;
        }
        self.0.write_record(None::<&[u8]>)
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn inert_cell(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) {
        return Cow::Owned(format!("'{}", inert::escape(cell)));
    }
    inert::escape(cell)
}

/// Returns true for text that a spreadsheet interprets as a formula. Some also accept leading white space or
/// full-width signs.
fn is_formula(cell: &str) -> bool {
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let is_marked = cell.starts_with(['\t', '\r', '\n']) || begins(cell.trim_start());
    is_marked && !is_number(cell)
}

/// Returns true for a number in the form of reports and rules: a sign, digits, optional groups, an optional fraction
/// or percent sign.
fn is_number(cell: &str) -> bool {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let unsigned = unsigned.strip_suffix('%').unwrap_or(unsigned);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits(fraction) && whole.split(',').all(is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("+1+1", "'+1+1"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\u{9}=1"),
            ("\r=1", "'\\u{d}=1"),
            ("\n=1", "'\\u{a}=1"),
            (" =1", "' =1"),
            ("＝1+1", "'＝1+1"),
            ("-", "'-"),
            ("-1+1", "'-1+1"),
            ("-inf", "'-inf"),
            ("-5", "-5"),
            ("+3", "+3"),
            ("-1,234.50", "-1,234.50"),
            ("-17.5%", "-17.5%"),
            ("甲", "甲"),
            ("", ""),
            ("a=b", "a=b"),
        ] {
            assert_eq!(inert_cell(cell), written, "{cell:?}");
        }
    }

    #[test]
    fn what_is_not_seen_is_shown() {
        let mut bytes = Vec::new();
        {
            let mut writer = CsvWriter::new(&mut bytes);
            writer.write(["甲\u{200b}局", "a\u{202e}b\u{1b}[2J", "x\ny", "1"]).unwrap();
            writer.write(["一"]).unwrap();
            writer.flush().unwrap();
        }
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "甲\\u{200b}局,a\\u{202e}b\\u{1b}[2J,x\\u{a}y,1\n一\n");
    }
}
