//! The classes of a page's own style sheets, as far as they decide whether text belongs to the document.

use std::collections::HashMap;

use super::{
    look::{Look, Shift},
    style,
};
use crate::colour::Ground;

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
                let (group, next) = behind.split_at_checked(end_of_group(behind)).unwrap_or((behind, ""));
                // The rules of a group for screens are rules of the page.
                let inner =
                    if is_for_screens(selectors) { group.strip_suffix('}').unwrap_or(group) } else { "" };
                rest = format!("{inner}{next}");
                continue;
            }
            let (declarations, next) = behind.split_once('}').unwrap_or((behind, ""));
            let look = style::look(declarations.as_bytes());
            // Only text that is white may be unseen where nothing else is declared.
            let is_white = look.ink.is_some_and(|ink| Ground::Open.hides(ink));
            if look.is_special() || is_white {
                selectors.split(',').filter_map(name_of).for_each(|(name, is_sure)| {
                    // Whether the other parts of the selector fit is unknown, so the text is told apart.
                    self.note(
                        name,
                        if is_sure { look } else { Look { shift: Shift::Apart, ..Look::default() } },
                    );
                });
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

    /// Returns the look of the element with this id.
    pub(super) fn look_of_id(&self, id: &str) -> Look {
        self.classes.get(format!("#{id}").as_str()).copied().unwrap_or_default()
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

/// Returns true for a group of rules that are in force on a screen.
fn is_for_screens(prelude: &str) -> bool {
    let prelude = prelude.trim_start().to_ascii_lowercase();
    let is_media =
        prelude.starts_with("@media") && (!prelude.contains("print") || prelude.contains("screen"));
    is_media || prelude.starts_with("@supports") || prelude.starts_with("@layer")
}

/// Returns the class or `#id` at the end of a selector, and whether it is the whole selector but for an element's name.
fn name_of(selector: &str) -> Option<(&str, bool)> {
    let selector = selector.trim();
    let last = selector.rsplit([' ', '>', '+', '~']).next()?;
    let at = last.find(['.', '#'])?;
    let (element, name) = last.split_at_checked(at)?;
    let end = name.get(1..)?.find(['.', '#']).map_or(name.len(), |end| end + 1);
    let (name, other) = name.split_at_checked(end)?;
    let word = |text: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || !b.is_ascii())
    };
    let bare = name.get(1..)?;
    let name = if name.starts_with('#') { name } else { bare };
    let is_name = word(element) && word(bare) && !bare.is_empty();
    is_name.then_some((name, other.is_empty() && last.len() == selector.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_knows_its_classes() {
        let mut sheet = StyleSheet::default();
        sheet.push("/* .a{display:none} */ span.b , .c { display:none } @media print { .d{display:none} } .x .e{display:none} .f{color:red} @media screen and (min-width:1px) { .g{display:none} } #h{display:none}");
        sheet.close();
        for (classes, hidden) in
            [("a", false), ("b", true), ("z c", true), ("d", false), ("e", false), ("f", false), ("g", true)]
        {
            assert_eq!(sheet.look(classes).removed, hidden, "{classes}");
        }
        assert!(sheet.look_of_id("h").removed && !sheet.look_of_id("e").removed);
        assert_eq!((sheet.look("e").shift, sheet.look("f").shift), (Shift::Apart, Shift::None));
    }
}
