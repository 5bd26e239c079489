//! The declarations of a `style` that decide whether and how text is shown.
//!
//! Pages of Word have a style on nearly every element, so a declaration without meaning costs no allocation.

use super::look::{Look, Shift, TextSize};
use crate::colour::{Colour, Ground};

/// Maximum length of the name of a declaration that matters, in bytes.
const LONGEST_NAME: usize = 24;

/// Shortest distance at which text is outside the page, in pixels.
const FAR: f32 = 500.0;

/// Largest size of text that nobody can read, in pixels.
const UNREADABLE: f32 = 1.5;

/// Largest size of text that is small beside any other, in pixels.
const SMALL: f32 = 10.0;

/// What the declarations of one style say together.
#[derive(Default)]
struct StyleDeclarations {
    look: Look,
    /// Taken out of the flow: `position:absolute`.
    is_placed: bool,
    /// Moved from its place: `position:relative`, or taken out of the flow.
    is_moved: bool,
    /// Under what is around it.
    is_under: bool,
    is_far: bool,
    is_clipped: bool,
    has_no_size: bool,
    cuts_off: bool,
    is_transparent: bool,
    /// The background shows through the letters.
    shows_ground: bool,
    is_small: bool,
    is_higher: bool,
}

/// Returns the look that a style declares.
pub(super) fn look(style: &[u8]) -> Look {
    let mut declared = StyleDeclarations::default();
    for declaration in style.split(|byte| *byte == b';') {
        let Some(colon) = declaration.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = declaration.split_at(colon);
        let (name, mut lower) = (name.trim_ascii(), [0; LONGEST_NAME]);
        if let Some(lower) = lower.get_mut(..name.len()) {
            lower.copy_from_slice(name);
            lower.make_ascii_lowercase();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            declared.visibility(lower, value);
            declared.place(lower, value);
            declared.ink(lower, value);
            declared.height(lower, value);
        }
    }
    declared.look()
}

impl StyleDeclarations {
    /// Notes what hides the element itself.
    fn visibility(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"display" => {
                self.look.removed |= begins(value, b"none");
                self.look.boxed |= !begins(value, b"inline") || begins(value, b"inline-");
            }
            b"visibility" => {
                self.look.unseen |= begins(value, b"hidden");
                self.look.removed |= begins(value, b"collapse");
            }
            b"content-visibility" => self.look.unseen |= begins(value, b"hidden"),
            b"mso-hide" => self.look.removed |= begins(value, b"all"),
            b"opacity" => self.look.unseen |= is_zero(value),
            b"filter" => self.look.unseen |= argument(value, b"opacity").is_some_and(is_zero),
            b"transform" | b"-webkit-transform" | b"-ms-transform" => {
                self.look.unseen |= vanishes(value);
            }
            _ => {}
        }
    }

    /// Notes where the element is, and what is cut off from it.
    fn place(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"position" => {
                self.is_placed |= begins(value, b"absolute") || begins(value, b"fixed");
                self.is_moved |= self.is_placed || begins(value, b"relative");
            }
            b"z-index" => self.is_under |= value.starts_with(b"-"),
            b"float" => self.look.boxed |= !begins(value, b"none"),
            b"left" | b"right" | b"bottom" | b"top" => self.is_far |= is_far(value),
            b"text-indent" | b"margin-left" | b"margin-top" | b"margin" => self.look.unseen |= is_far(value),
            b"clip" => self.is_clipped |= argument(value, b"rect").is_some_and(is_no_area),
            b"clip-path" | b"-webkit-clip-path" => self.look.unseen |= clips_all(value),
            b"width" | b"height" | b"max-width" | b"max-height" => self.has_no_size |= is_zero(value),
            b"overflow" | b"overflow-x" | b"overflow-y" => {
                self.cuts_off |= begins(value, b"hidden") || begins(value, b"clip");
            }
            _ => {}
        }
    }

    /// Notes strokes and colours.
    fn ink(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"text-decoration" | b"text-decoration-line" | b"text-line-through" => {
                let value = plain(value);
                self.look.struck |= value.windows(12).any(|window| window == b"line-through")
                    || (name == b"text-line-through" && !value.starts_with(b"none"));
            }
            b"color" | b"-webkit-text-fill-color" => {
                self.look.ink = colour(value).or(self.look.ink);
                self.is_transparent |= value.first().is_some_and(|first| b"#rRtThH".contains(first))
                    && is_transparent(&plain(value));
            }
            b"background-clip" | b"-webkit-background-clip" => self.shows_ground |= begins(value, b"text"),
            b"background" | b"background-color" => {
                self.look.ground = ground(value);
            }
            _ => {}
        }
    }

    /// Notes the size of the text, and how high it is.
    fn height(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"font-size" => self.size(value),
            b"font" if value.starts_with(b"0") => self.size(value),
            b"vertical-align" => self.align(value),
            b"font-variant-position" if begins(value, b"super") => self.look.shift = Shift::Raised,
            b"font-variant-position" if begins(value, b"sub") => self.look.shift = Shift::Lowered,
            b"mso-text-raise" if !value.starts_with(b"-") && !is_zero(value) => {
                self.look.shift = Shift::Raised;
            }
            b"top" => self.is_higher |= pixels(value).is_some_and(|at| at < 0.0),
            b"bottom" => self.is_higher |= pixels(value).is_some_and(|at| at > 0.0),
            _ => {}
        }
    }

    fn size(&mut self, value: &[u8]) {
        self.look.size = Some(TextSize::Seen);
        // The usual size has two digits before its point.
        if let [b'1'..=b'9', b'0'..=b'9', b'.' | b'p' | b'P', ..] = value {
            return;
        }
        let relative = length(value).filter(|(_, unit)| matches!(unit, LengthUnit::Percent | LengthUnit::Em));
        if pixels(value).is_some_and(|size| size <= UNREADABLE) {
            self.look.size = Some(TextSize::Zero);
        }
        self.is_small |= match relative {
            Some((size, LengthUnit::Percent)) => size < 95.0,
            Some((size, _)) => size < 0.95,
            None => {
                let words: [&[u8]; 3] = [b"smaller", b"x-small", b"xx-small"];
                words.iter().any(|word| begins(value, word))
                    || pixels(value).is_some_and(|size| size <= SMALL)
            }
        };
    }

    fn align(&mut self, value: &[u8]) {
        let shift = if begins(value, b"super") {
            Shift::Raised
        } else if begins(value, b"sub") {
            Shift::Lowered
        } else {
            let words: [&[u8]; 3] = [b"text-top", b"top", b"text-bottom"];
            self.is_higher |= words.iter().any(|word| begins(value, word))
                || length(value).is_some_and(|(height, _)| height != 0.0);
            return;
        };
        self.look.shift = self.look.shift.max(shift);
    }

    fn look(self) -> Look {
        let mut look = self.look;
        look.boxed |= self.is_placed;
        look.collapsed = self.has_no_size && self.cuts_off;
        look.unseen |= (self.is_moved && self.is_far)
            || (self.is_placed && self.is_clipped)
            || (self.is_transparent && !self.shows_ground);
        let shift = match (self.is_higher, self.is_small) {
            (true, true) => Shift::Lifted,
            (false, false) => Shift::None,
            _ => Shift::Apart,
        };
        look.shift = look.shift.max(shift);
        if self.is_moved && self.is_under {
            look.shift = look.shift.max(Shift::Apart);
        }
        look
    }
}

// === Values ===

/// The unit of a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LengthUnit {
    Pixel,
    Point,
    Em,
    Percent,
    View,
    Centimetre,
}

/// Returns true if a value begins with a word, in any case.
fn begins(value: &[u8], word: &[u8]) -> bool {
    value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Returns the number at the beginning of a value, and its unit.
fn length(value: &[u8]) -> Option<(f32, LengthUnit)> {
    let digits = value.iter().take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.')).count();
    let (number, unit) = value.split_at_checked(digits)?;
    let number: f32 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let unit = if begins(unit, b"pt") {
        LengthUnit::Point
    } else if begins(unit, b"em") || begins(unit, b"rem") {
        LengthUnit::Em
    } else if unit.starts_with(b"%") {
        LengthUnit::Percent
    } else if begins(unit, b"vw") || begins(unit, b"vh") {
        LengthUnit::View
    } else if begins(unit, b"cm") {
        LengthUnit::Centimetre
    } else {
        LengthUnit::Pixel
    };
    Some((number, unit))
}

/// Returns a length in pixels, about: an em is 16 of them, and a page is 1000 wide.
fn pixels(value: &[u8]) -> Option<f32> {
    let (number, unit) = length(value)?;
    let pixels = match unit {
        LengthUnit::Pixel => 1.0,
        LengthUnit::Point => 1.33,
        LengthUnit::Em => 16.0,
        LengthUnit::Percent | LengthUnit::View => 10.0,
        LengthUnit::Centimetre => 38.0,
    };
    Some(number * pixels)
}

/// Returns true for `0`, `0px`, `.0pt`.
fn is_zero(value: &[u8]) -> bool {
    value.first().is_some_and(|first| matches!(first, b'0' | b'.'))
        && length(value).is_some_and(|(number, _)| number == 0.0)
}

/// Returns true for a distance that leads out of the page.
fn is_far(value: &[u8]) -> bool {
    value.starts_with(b"-") && pixels(value).is_some_and(|at| at <= -FAR)
}

/// Returns what is in the brackets of a function: `rect(0,0,0,0)`.
fn argument<'v>(value: &'v [u8], function: &[u8]) -> Option<&'v [u8]> {
    let inner = value.get(function.len()..).filter(|_| begins(value, function))?;
    Some(inner.trim_ascii_start().strip_prefix(b"(")?.trim_ascii_start())
}

/// Returns true for a rectangle of at most one pixel.
fn is_no_area(rectangle: &[u8]) -> bool {
    let sides = rectangle.split(|byte| matches!(byte, b',' | b' ' | b')')).filter(|side| !side.is_empty());
    let mut sides = sides.map(pixels).peekable();
    sides.peek().is_some() && sides.all(|side| side.is_some_and(|side| side.abs() <= 1.0))
}

/// Returns true for a path that leaves nothing: `inset(50%)`, `circle(0)`.
fn clips_all(path: &[u8]) -> bool {
    let inset = argument(path, b"inset").and_then(length);
    inset.is_some_and(|(inset, unit)| unit == LengthUnit::Percent && inset >= 50.0)
        || argument(path, b"circle").is_some_and(is_zero)
        || argument(path, b"polygon").is_some_and(is_no_area)
}

/// Returns true for a transformation to nothing, or to a place outside the page.
fn vanishes(transform: &[u8]) -> bool {
    let scales: [&[u8]; 5] = [b"scale", b"scalex", b"scaley", b"scale3d", b"matrix"];
    let moves: [&[u8]; 4] = [b"translate", b"translatex", b"translatey", b"translate3d"];
    let first = |function: &&[u8]| argument(transform, function);
    scales.iter().filter_map(first).any(is_zero) || moves.iter().filter_map(first).any(is_far)
}

/// Returns a value in lower case without white space and `!important`.
pub(super) fn plain(value: &[u8]) -> Vec<u8> {
    let value: Vec<u8> =
        value.iter().filter(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    value.strip_suffix(b"!important").map(<[u8]>::to_vec).unwrap_or(value)
}

/// Reads a colour: `#fff`, `rgb(255, 255, 255)`, `white`.
pub(super) fn colour(value: &[u8]) -> Option<Colour> {
    let value = value.trim_ascii();
    if let Some(digits) = value.strip_prefix(b"#") {
        let count = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        return Colour::of_hex(digits.get(..if count >= 6 { 6 } else { 3.min(count) })?);
    }
    if begins(value, b"rgb") {
        let list = value.split(|byte| *byte == b'(').nth(1)?;
        return Colour::of_numbers(list);
    }
    if begins(value, b"hsl") {
        return value.ends_with(b"100%)").then_some(Colour::WHITE);
    }
    // Most text is black.
    if begins(value, b"black") { Colour::of_name(b"black") } else { Colour::of_name(&plain(value)) }
}

/// Returns what a background puts behind text.
pub(super) fn ground(value: &[u8]) -> Ground {
    let first = value.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
    // rgb(1, 2, 3) has spaces.
    let first = if begins(value, b"rgb") { value } else { first };
    let named = plain(first);
    if named.is_empty()
        || matches!(named.as_slice(), b"none" | b"inherit" | b"initial")
        || is_transparent(&named)
    {
        return Ground::Open;
    }
    let is_plain = !value.windows(4).any(|part| part.eq_ignore_ascii_case(b"url("));
    colour(first).filter(|_| is_plain).map_or(Ground::Unknown, Ground::Colour)
}

/// Returns true for `transparent`, `#ffffff00` and a colour whose fourth part is 0.
fn is_transparent(colour: &[u8]) -> bool {
    let function = [b"rgba(".as_slice(), b"hsla(", b"rgb(", b"hsl("];
    let parts = || colour.split(|byte| matches!(byte, b',' | b'/' | b'(' | b')')).skip(1);
    let has_alpha = function.iter().any(|name| colour.starts_with(name));
    colour == b"transparent"
        || (has_alpha
            && colour
                .rsplit(|byte| *byte == b'/')
                .next()
                .is_some_and(|a| a.len() < colour.len() && is_zero(a)))
        || (has_alpha && parts().nth(3).is_some_and(|alpha| !alpha.is_empty() && is_zero(alpha)))
        || (colour.len() == 9 && colour.starts_with(b"#") && colour.ends_with(b"00"))
        || (colour.len() == 5 && colour.starts_with(b"#") && colour.ends_with(b"0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(style: &str) -> bool {
        let look = look(style.as_bytes());
        look.removed || look.unseen || look.collapsed || look.size == Some(TextSize::Zero)
    }

    #[test]
    fn a_style_hides() {
        for style in [
            "color:red; DISPLAY : none",
            "visibility:hidden!important",
            "mso-hide:all",
            "font-size:0pt",
            "font:0/0 a",
            "opacity: 0.0",
            "opacity:0%",
            "position:absolute; LEFT:-9999px",
            "position:fixed;top:-200em",
            "text-indent:-9999px",
            "position:absolute;clip:rect(0, 0, 0, 0)",
            "clip:rect(1px 1px 1px 1px);position:absolute",
            "clip-path: inset(50%)",
            "max-height:0;overflow:hidden",
            "color:transparent",
            "color:rgba(0, 0, 0, 0)",
            "color:#12345600",
            "transform:scale(0)",
            "transform:translateX(-9999px)",
            "filter:opacity(0)",
            "color:rgb(0 0 0 / 0)",
            "clip-path:polygon(0 0, 0 0, 0 0)",
        ] {
            assert!(hidden(style), "{style}");
        }
    }

    #[test]
    fn a_style_that_only_looks_so_does_not_hide() {
        for style in [
            "display:block",
            "font-size:10pt",
            "font-size:.8em",
            "opacity:0.5",
            "visibility:visible",
            "mso-hide:none",
            "position:absolute;left:10px",
            "left:-9999px",
            "text-indent:-2em",
            "text-indent:-21.0pt",
            "clip:rect(0,0,0,0)",
            "clip-path:inset(0)",
            "width:0",
            "overflow:hidden;height:20px",
            "color:transparent;-webkit-background-clip:text",
            "color:rgba(0,0,0,.85)",
            "color:#000000",
            "transform:scale(0.9)",
        ] {
            assert!(!hidden(style), "{style}");
        }
    }

    #[test]
    fn a_style_strikes_paints_and_moves() {
        assert!(look(b"text-decoration: underline line-through").struck);
        let blue = Colour::of_hex(b"1e90ff").unwrap();
        assert_eq!(look(b"color: #FFFFFF").ink, Some(Colour::WHITE));
        assert_eq!(look(b"color:rgb(255, 255, 255)").ink, Some(Colour::WHITE));
        assert_eq!(look(b"background:#1e90ff").ground, Ground::Colour(blue));
        assert_eq!(look(b"background:transparent").ground, Ground::Open);
        assert_eq!(look(b"background:url(a.png) #fff").ground, Ground::Unknown);
        for (style, shift) in [
            ("vertical-align:super", Shift::Raised),
            ("mso-text-raise:4.0pt", Shift::Raised),
            ("mso-text-raise:-4.0pt", Shift::None),
            ("mso-text-raise:0", Shift::None),
            ("vertical-align:sub", Shift::Lowered),
            ("vertical-align:text-top;font-size:60%", Shift::Lifted),
            ("vertical-align:40%;font-size:8px", Shift::Lifted),
            ("vertical-align:top", Shift::Apart),
            ("font-size:smaller", Shift::Apart),
            ("vertical-align:middle;font-size:12pt", Shift::None),
            ("vertical-align:0", Shift::None),
        ] {
            assert_eq!(look(style.as_bytes()).shift, shift, "{style}");
        }
    }

    #[test]
    fn small_text_is_lifted_by_its_style() {
        let shift = |style: &str, name: &[u8]| look(style.as_bytes()).with_element(name).shift;
        assert_eq!(shift("vertical-align:top", b"small"), Shift::Lifted);
        assert_eq!(shift("", b"small"), Shift::Apart);
        assert_eq!(shift("", b"sub"), Shift::Lowered);
        assert_eq!(shift("vertical-align:super", b"small"), Shift::Raised);
    }
}
