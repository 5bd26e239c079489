//! How an element shows its text, as far as that decides whether the text belongs to the document.

use std::ops::BitOrAssign;

use crate::colour::{Colour, Ground};

/// How an element shows its text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Not shown, and without a place on the page: `display:none`, `mso-hide:all`.
    pub(super) removed: bool,
    /// Not seen, but in its place: `visibility:hidden`, transparent, outside the page, clipped.
    pub(super) unseen: bool,
    /// Without width or height, and what goes beyond is cut off.
    pub(super) collapsed: bool,
    /// Declared as a box, so that an inline element has a size.
    pub(super) boxed: bool,
    /// The size of the text, if it is declared.
    pub(super) size: Option<TextSize>,
    /// Struck out.
    pub(super) struck: bool,
    /// Where the text is beside the text around it.
    pub(super) shift: Shift,
    /// The colour of the text, if it is declared and known.
    pub(super) ink: Option<Colour>,
    /// What is behind the text.
    pub(super) ground: Ground,
}

/// A declared size of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextSize {
    /// Too small to be seen.
    Zero,
    /// Any other.
    Seen,
}

/// Where text is beside the text around it. Of two that apply, the later one counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shift {
    /// On the line, in the same size.
    #[default]
    None,
    /// Smaller, or at another height: it is unknown whether it continues the text before it.
    Apart,
    /// Smaller and higher: the mark of a footnote if other text is beside it.
    Lifted,
    /// Lowered: `<sub>`.
    Lowered,
    /// Raised: `<sup>`. The mark of a footnote.
    Raised,
}

impl BitOrAssign for Look {
    fn bitor_assign(&mut self, other: Self) {
        self.removed |= other.removed;
        self.unseen |= other.unseen;
        self.collapsed |= other.collapsed;
        self.boxed |= other.boxed;
        self.size = self.size.or(other.size);
        self.struck |= other.struck;
        self.shift = self.shift.max(other.shift);
        self.ink = other.ink.or(self.ink);
        self.ground = other.ground.or(self.ground);
    }
}

impl Look {
    /// Returns the look of an element by its name.
    pub(super) fn of_element(name: &[u8]) -> Self {
        let struck = matches!(name, b"del" | b"s" | b"strike");
        let shift = match name {
            b"sup" => Shift::Raised,
            b"sub" => Shift::Lowered,
            b"small" => Shift::Apart,
            _ => Shift::None,
        };
        Self { struck, shift, ..Self::default() }
    }

    /// Returns the look of an element whose name and style are both known: `<small style="vertical-align:top">` is
    /// lifted.
    pub(super) fn with_element(mut self, name: &[u8]) -> Self {
        if name == b"small" && self.shift == Shift::Apart {
            self.shift = Shift::Lifted;
        }
        self |= Self::of_element(name);
        self
    }

    /// Returns true if text inside is not plain text.
    pub(super) fn is_special(self) -> bool {
        let is_declared = self.removed || self.unseen || self.collapsed || self.size == Some(TextSize::Zero);
        is_declared || self.struck || self.ground != Ground::Open || self.shift != Shift::None
    }
}
