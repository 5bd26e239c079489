//! Which glyphs of a page are printed for a reader: not those in the colour of their ground, outside the clip, under a
//! box, across the page as a watermark, or struck out.
//!
//! Coordinates are those of the page, as in [`drawn_page`](super::drawn_page).

use hayro_interpret::{
    BlendMode, DrawProps, Paint,
    hayro_syntax::object::{Dict, Name},
    kurbo::{Affine, Point, Rect},
};

use super::drawn_page::{Glyph, Ruling};

/// Minimum difference between the brightness of text and ground, from 0 to 1. A watermark has less.
const CONTRAST: f64 = 0.3;

/// Minimum opacity of a box that hides what is under it.
const OPAQUE: f64 = 0.98;

/// Maximum slant of a line of text: its rise as a share of its run. A watermark across the page has more.
const SLANT: f64 = 0.08;

/// Maximum number of areas that are kept for a page, and of clips.
const MOST: usize = 2000;

/// Maximum number of comparisons of rulings with glyphs on a page.
const MOST_COMPARED: usize = 20_000_000;

/// The kind of a marked content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    Content,
    /// Furniture of the page: a running head, the number of the page, a background.
    Artifact,
    Watermark,
}

/// The ground of a page so far.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// Filled areas and their brightness, in the order of drawing.
    areas: Vec<(Rect, f64)>,
    /// The parts of the page that are drawn on, innermost last.
    clips: Vec<Rect>,
    /// The kinds of the open marked contents.
    marked: Vec<Marked>,
}

impl Ground {
    /// Returns true if text drawn here in this paint can be seen and belongs to the text.
    pub(super) fn shows(&self, at: Point, props: &DrawProps<'_>) -> bool {
        let clipped = self.clips.last().is_some_and(|clip| !clip.inflate(1.0, 1.0).contains(at));
        if clipped || self.marked.contains(&Marked::Watermark) {
            return false;
        }
        let Some((brightness, opacity)) = shade(&props.paint) else { return true };
        // Most text is black on white.
        if self.areas.is_empty() && brightness * opacity + (1.0 - opacity) < 1.0 - CONTRAST {
            return true;
        }
        let ground =
            self.areas.iter().rev().find(|(area, _)| area.contains(at)).map_or(1.0, |(_, shade)| *shade);
        ((brightness - ground) * opacity).abs() >= CONTRAST
    }

    /// Notes a filled area. Returns true if it hides what was drawn there before.
    pub(super) fn fill(&mut self, area: Rect, props: &DrawProps<'_>) -> bool {
        let Some((brightness, opacity)) = shade(&props.paint) else { return false };
        let is_plain = props.soft_mask.is_none() && matches!(props.blend_mode, BlendMode::Normal);
        if !is_plain || opacity < OPAQUE {
            return false;
        }
        if self.areas.len() < MOST {
            self.areas.push((area, brightness));
        }
        true
    }

    /// Forgets the clips and marks of the page's content.
    pub(super) fn end_page(&mut self) {
        self.clips.clear();
        self.marked.clear();
    }

    pub(super) fn push_clip(&mut self, clip: Rect) {
        if self.clips.len() < MOST {
            let inner = self.clips.last().map_or(clip, |outer| outer.intersect(clip));
            self.clips.push(inner);
        }
    }

    pub(super) fn pop_clip(&mut self) {
        self.clips.pop();
    }

    pub(super) fn begin_marked(&mut self, tag: &[u8], properties: Option<&Dict<'_>>) {
        if self.marked.len() < MOST {
            let subtype = || properties?.get::<Name<'_>>(b"Subtype".as_slice());
            let is_watermark = || subtype().is_some_and(|name| name.as_ref() == b"Watermark");
            self.marked.push(match tag {
                b"Artifact" if is_watermark() => Marked::Watermark,
                b"Artifact" => Marked::Artifact,
                _ => Marked::Content,
            });
        }
    }

    /// Returns true if what is drawn is marked as furniture of the page.
    pub(super) fn is_in_artifact(&self) -> bool {
        self.marked.contains(&Marked::Artifact)
    }

    pub(super) fn end_marked(&mut self) {
        self.marked.pop();
    }
}

/// Returns the brightness and the opacity of a paint; `None` for a pattern.
fn shade(paint: &Paint<'_>) -> Option<(f64, f64)> {
    let Paint::Color(colour) = paint else { return None };
    let [red, green, blue, alpha] = colour.to_rgba().components().map(f64::from);
    Some((0.3 * red + 0.59 * green + 0.11 * blue, alpha))
}

/// Returns true if text drawn with this transform is neither level nor upright.
pub(super) fn is_slanted(transform: Affine) -> bool {
    let run = transform * Point::new(1000.0, 0.0) - transform * Point::ZERO;
    let (x, y) = (run.x.abs(), run.y.abs());
    x.min(y) > x.max(y) * SLANT
}

/// Removes the glyphs that a short rule strikes out, together with the rule.
pub(super) fn without_struck(glyphs: &mut Vec<Glyph>, rules: &mut Vec<Ruling>) {
    if glyphs.len().saturating_mul(rules.len()) > MOST_COMPARED {
        return;
    }
    let mut struck = vec![false; glyphs.len()];
    rules.retain(|rule| {
        let touched: Vec<usize> = if rule.is_level { crossed(glyphs, rule) } else { Vec::new() };
        touched.iter().for_each(|at| {
            if let Some(slot) = struck.get_mut(*at) {
                *slot = true;
            }
        });
        touched.is_empty()
    });
    let mut at = 0..;
    glyphs.retain(|_| !at.next().and_then(|at| struck.get(at)).copied().unwrap_or_default());
}

/// Returns the glyphs that the rule crosses at half their height, if it is no longer than they are.
fn crossed(glyphs: &[Glyph], rule: &Ruling) -> Vec<usize> {
    let crosses = |glyph: &Glyph| {
        let rise = (glyph.y - rule.at) / glyph.size;
        let (middle, _) = glyph.middle();
        (0.18..0.5).contains(&rise)
            && (rule.from..=rule.to).contains(&middle)
            && !glyph.text.trim().is_empty()
    };
    let touched: Vec<usize> = (0..glyphs.len()).filter(|at| glyphs.get(*at).is_some_and(crosses)).collect();
    let own = || touched.iter().filter_map(|at| glyphs.get(*at));
    let (first, last) =
        (own().map(|g| g.x0).fold(f64::MAX, f64::min), own().map(|g| g.x1).fold(f64::MIN, f64::max));
    let spare = own().map(|glyph| glyph.size * 0.6).fold(0.0, f64::max);
    let covered: f64 = own().map(|glyph| glyph.x1 - glyph.x0).sum();
    let fits = rule.from >= first - spare && rule.to <= last + spare && covered * 2.0 >= rule.to - rule.from;
    if fits { touched } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(text: &str, x0: f64, y: f64) -> Glyph {
        Glyph { text: text.to_owned(), x0, x1: x0 + 5.0, y, size: 10.0, is_annotation: false }
    }

    fn level(at: f64, from: f64, to: f64) -> Ruling {
        Ruling { is_level: true, at, from, to }
    }

    #[test]
    fn a_rule_through_glyphs_strikes_them_out() {
        let mut glyphs = vec![glyph("4", 10.0, 50.0), glyph("1", 15.0, 50.0), glyph("7", 22.0, 50.0)];
        let mut rules = vec![level(46.5, 9.0, 20.5), level(52.0, 0.0, 200.0)];
        without_struck(&mut glyphs, &mut rules);
        assert_eq!((glyphs.len(), rules.len()), (1, 1));
        assert_eq!(glyphs.first().map(|glyph| glyph.text.as_str()), Some("7"));
    }

    #[test]
    fn a_line_of_a_table_strikes_nothing_out() {
        let mut glyphs = vec![glyph("4", 10.0, 50.0)];
        let mut rules = vec![level(46.5, 0.0, 300.0), level(51.0, 9.0, 16.0)];
        without_struck(&mut glyphs, &mut rules);
        assert_eq!((glyphs.len(), rules.len()), (1, 2));
    }

    #[test]
    fn text_across_the_page_is_slanted() {
        assert!(is_slanted(Affine::rotate(0.5)) && is_slanted(Affine::rotate(-0.2)));
        assert!(!is_slanted(Affine::rotate(0.0)) && !is_slanted(Affine::rotate(std::f64::consts::FRAC_PI_2)));
    }
}
