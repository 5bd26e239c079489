//! How text is shown, as far as it decides whether it belongs to the document: by `style` and by the page's own sheet.

use std::{collections::HashMap, ops::BitOrAssign};

/// Maximum length of a style sheet that is read, in bytes. Sheets of sites are longer and rarely inline.
const LONGEST_SHEET: usize = 128 << 10;

/// Maximum length of the name of a declaration that matters, in bytes.
const LONGEST_NAME: usize = 20;

/// Maximum number of classes that are kept.
const MOST_CLASSES: usize = 1000;

/// How an element shows its text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Not shown: `display:none`, `visibility:hidden`, `mso-hide:all`, `font-size:0`.
    pub(super) hidden: bool,
    /// Struck out.
    pub(super) struck: bool,
    /// Raised, as the mark of a footnote.
    pub(super) raised: bool,
    /// White.
    pub(super) pale: bool,
    /// With a background other than white.
    pub(super) painted: bool,
}

impl BitOrAssign for Look {
    fn bitor_assign(&mut self, other: Self) {
        self.hidden |= other.hidden;
        self.struck |= other.struck;
        self.raised |= other.raised;
        self.pale |= other.pale;
        self.painted |= other.painted;
    }
}

impl Look {
    /// Returns the look of an element by its name.
    pub(super) fn of_element(name: &[u8]) -> Self {
        let struck = matches!(name, b"del" | b"s" | b"strike");
        Self { struck, raised: name == b"sup", ..Self::default() }
    }

    /// Reads the declarations of a style.
    pub(super) fn of_style(style: &[u8]) -> Self {
        let mut look = Self::default();
        for declaration in style.split(|byte| *byte == b';') {
            let Some(colon) = declaration.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = declaration.split_at(colon);
            let (name, mut lower) = (name.trim_ascii(), [0; LONGEST_NAME]);
            if let Some(lower) = lower.get_mut(..name.len()) {
                lower.copy_from_slice(name);
                lower.make_ascii_lowercase();
                look.declare(lower, value.get(1..).unwrap_or_default().trim_ascii());
            }
        }
        look
    }

    fn declare(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"display" => self.hidden |= plain(value).starts_with(b"none"),
            b"visibility" => {
                let value = plain(value);
                self.hidden |= value.starts_with(b"hidden") || value.starts_with(b"collapse");
            }
            b"mso-hide" => self.hidden |= plain(value).starts_with(b"all"),
            b"font-size" | b"opacity" if value.starts_with(b"0") || value.starts_with(b".") => {
                self.hidden |= is_zero(&plain(value));
            }
            b"text-decoration" | b"text-decoration-line" | b"text-line-through" => {
                let value = plain(value);
                self.struck |= value.windows(12).any(|window| window == b"line-through")
                    || (name == b"text-line-through" && !value.starts_with(b"none"));
            }
            b"vertical-align" => self.raised |= plain(value).starts_with(b"super"),
            b"mso-text-raise" => {
                let value = plain(value);
                self.raised |= !value.starts_with(b"-") && !is_zero(&value);
            }
            b"color" if value.first().is_some_and(|first| b"#wWrR".contains(first)) => {
                self.pale |= is_white(&plain(value));
            }
            b"background" | b"background-color" => {
                let value = plain(value);
                self.painted |=
                    !(value.is_empty() || is_white(&value) || value == b"none" || value == b"transparent");
            }
            _ => {}
        }
    }

    /// Returns true if text inside is not plain text.
    pub(super) fn is_special(self) -> bool {
        self.hidden || self.struck || self.raised || self.pale
    }
}

/// Returns a value in lower case without white space and `!important`.
pub(super) fn plain(value: &[u8]) -> Vec<u8> {
    let value: Vec<u8> =
        value.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    value.strip_suffix(b"!important").map(<[u8]>::to_vec).unwrap_or(value)
}

/// Returns true for the colour white.
pub(super) fn is_white(colour: &[u8]) -> bool {
    matches!(
        colour,
        b"white" | b"#fff" | b"#ffffff" | b"rgb(255,255,255)" | b"rgba(255,255,255,1)" | b"window"
    )
}

/// Returns true for `0`, `0px`, `0.0pt`.
fn is_zero(value: &[u8]) -> bool {
    let number = value.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
    let mut digits = number.filter(|byte| **byte != b'.').peekable();
    digits.peek().is_some() && digits.all(|byte| *byte == b'0')
}

/// The classes of a page's own style sheets that change how text is shown.
#[derive(Debug, Default)]
pub(super) struct StyleSheet {
    text: String,
    classes: HashMap<String, Look>,
}

impl StyleSheet {
    /// Returns true if no class changes how text is shown.
    pub(super) fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Adds text of a sheet.
    pub(super) fn push(&mut self, text: &str) {
        if self.text.len() + text.len() <= LONGEST_SHEET {
            self.text.push_str(text);
        }
    }

    /// Ends a sheet: reads the rules whose selector is one class, `.note` or `span.note`. Rules for some media or for
    /// an element's surroundings do not count.
    pub(super) fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        let mut rest = without_comments(&text);
        while let Some((selectors, behind)) = rest.split_once('{') {
            if selectors.trim_start().starts_with('@') {
                rest = behind.get(end_of_group(behind)..).unwrap_or_default().to_owned();
                continue;
            }
            let (declarations, next) = behind.split_once('}').unwrap_or((behind, ""));
            let look = Look::of_style(declarations.as_bytes());
            if look.is_special() {
                selectors.split(',').filter_map(class_of).for_each(|class| self.note(class, look));
            }
            rest = next.to_owned();
        }
    }

    fn note(&mut self, class: &str, look: Look) {
        if self.classes.len() < MOST_CLASSES {
            *self.classes.entry(class.to_owned()).or_default() |= look;
        }
    }

    /// Returns the look of an element with these classes.
    pub(super) fn look(&self, classes: &str) -> Look {
        let mut look = Look::default();
        classes
            .split_ascii_whitespace()
            .filter_map(|class| self.classes.get(class))
            .for_each(|own| look |= *own);
        look
    }
}

fn without_comments(sheet: &str) -> String {
    let mut rest = sheet;
    let mut out = String::with_capacity(sheet.len());
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out.replace("<!--", "").replace("-->", "")
}

/// Returns the end of a group whose brace was opened, in bytes.
fn end_of_group(text: &str) -> usize {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// Returns the class of a selector that is one class, with or without an element.
fn class_of(selector: &str) -> Option<&str> {
    let (element, class) = selector.trim().split_once('.')?;
    let word = |text: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || !b.is_ascii())
    };
    (word(element) && word(class) && !class.is_empty()).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_hides_strikes_and_raises() {
        let hidden = |style: &str| Look::of_style(style.as_bytes()).hidden;
        for style in [
            "color:red; DISPLAY : none",
            "visibility:hidden!important",
            "mso-hide:all",
            "font-size:0pt",
            "opacity: 0.0",
        ] {
            assert!(hidden(style), "{style}");
        }
        for style in ["display:block", "font-size:10pt", "opacity:0.5", "visibility:visible", "mso-hide:none"]
        {
            assert!(!hidden(style), "{style}");
        }
        assert!(Look::of_style(b"text-decoration: underline line-through").struck);
        assert!(
            Look::of_style(b"vertical-align:super").raised && Look::of_style(b"mso-text-raise:4.0pt").raised
        );
        assert!(
            !Look::of_style(b"mso-text-raise:-4.0pt").raised && !Look::of_style(b"mso-text-raise:0").raised
        );
        assert!(Look::of_style(b"color: #FFFFFF").pale && Look::of_style(b"background:#1e90ff").painted);
    }

    #[test]
    fn a_sheet_knows_its_classes() {
        let mut sheet = StyleSheet::default();
        sheet.push("/* .a{display:none} */ span.b , .c { display:none } @media print { .d{display:none} } .x .e{display:none} .f{color:red}");
        sheet.close();
        for (classes, hidden) in
            [("a", false), ("b", true), ("z c", true), ("d", false), ("e", false), ("f", false)]
        {
            assert_eq!(sheet.look(classes).hidden, hidden, "{classes}");
        }
    }
}
