//! The classes of a page's own style sheets, as far as they decide whether text belongs to the document.

use std::collections::HashMap;

use super::{look::Look, style};

/// Maximum length of a style sheet that is read, in bytes. Sheets of sites are longer and rarely inline.
const LONGEST_SHEET: usize = 128 << 10;

/// Maximum number of classes that are kept.
const MOST_CLASSES: usize = 1000;

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
            let look = style::look(declarations.as_bytes());
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
    fn a_sheet_knows_its_classes() {
        let mut sheet = StyleSheet::default();
        sheet.push("/* .a{display:none} */ span.b , .c { display:none } @media print { .d{display:none} } .x .e{display:none} .f{color:red}");
        sheet.close();
        for (classes, hidden) in
            [("a", false), ("b", true), ("z c", true), ("d", false), ("e", false), ("f", false)]
        {
            assert_eq!(sheet.look(classes).removed, hidden, "{classes}");
        }
    }
}
