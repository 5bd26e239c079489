//! Draws a page: collects the glyphs and lines that are shown.

use gongkai_model::Rejection;
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
    font::{Glyph as Drawn, GlyphRun},
    hayro_cmap::BfString,
    hayro_syntax::object::Dict,
    kurbo::{Affine, BezPath, PathEl, Point, Rect, Shape},
};

use super::{
    drawn_page::{DrawnPage, Glyph, Ruling},
    visibility::{self, Ground},
};
use crate::{cpu::Cpu, guard, invisible::is_invisible, limits::Limits, reject};

/// Replacement for a glyph without a known character. It is never empty, so that no digit is lost without a trace.
pub(super) const UNREADABLE: &str = "\u{fffd}";

/// Maximum thickness of a line, in points. Anything thicker is an area.
const THICKEST: f64 = 3.0;

/// Size below which text on a page cannot be read, in points, and its width as a share of its size.
const TINIEST: f64 = 2.5;
const NARROWEST: f64 = 0.02;

/// Maximum deviation of a line from level or upright, in points.
const SLANT: f64 = 0.7;

/// The device that pages are drawn on.
pub(super) struct Canvas<'l> {
    page: DrawnPage,
    /// Glyphs that the document marks as furniture of the page.
    artifacts: Vec<Glyph>,
    /// While annotations are drawn: the places of those that are not read.
    annotations: Option<Vec<Rect>>,
    ground: Ground,
    limits: &'l Limits,
    overfull: bool,
    budget: &'l mut Budget,
}

/// The drawing calls that a document has left.
pub(super) struct Budget {
    calls: usize,
    begun: Cpu,
}

/// Number of calls between two readings of the clock, each of which costs as much as a call.
const BETWEEN_LOOKS: usize = 16;

impl Budget {
    pub(super) fn new() -> Self {
        Self { calls: 0, begun: Cpu::now() }
    }

    /// Spends one call. Aborts the PDF library if the budget is used up, because the library would otherwise run for
    /// as long as the document demands.
    fn spend(&mut self, limits: &Limits) {
        self.calls += 1;
        if self.calls > limits.drawings {
            guard::give_up(reject::too_large(("绘制次数", "things drawn"), limits.drawings));
        }
        if self.calls.is_multiple_of(BETWEEN_LOOKS) && self.begun.elapsed() > limits.drawing_time {
            guard::give_up(reject::too_slow(limits.drawing_time));
        }
    }
}

impl<'l> Canvas<'l> {
    pub(super) fn new(width: f64, height: f64, limits: &'l Limits, budget: &'l mut Budget) -> Self {
        let page = DrawnPage { width, height, ..DrawnPage::default() };
        Self {
            page,
            artifacts: Vec::new(),
            annotations: None,
            ground: Ground::default(),
            limits,
            overfull: false,
            budget,
        }
    }

    /// Begins the annotations of the page. Those at these places are not read.
    pub(super) fn begin_annotations(&mut self, others: Vec<Rect>) {
        self.annotations = Some(others);
        self.ground.end_page();
    }

    pub(super) fn finish(mut self) -> Result<DrawnPage, Rejection> {
        if self.overfull {
            let limit = self.limits.glyphs;
            return Err(reject::too_large(("一页的字符或线条数", "glyphs or lines on a page"), limit));
        }
        // Some programs mark all that they draw.
        if self.artifacts.len() > self.page.glyphs.len() {
            self.page.glyphs.append(&mut self.artifacts);
        }
        self.page.hidden_glyphs += self.artifacts.len();
        visibility::without_struck(&mut self.page.glyphs, &mut self.page.rules);
        Ok(self.page)
    }

    /// Adds a filled area to the ground. It hides the glyphs under it.
    fn cover(&mut self, area: Rect, props: &DrawProps<'_>) {
        let is_area = area.width() > THICKEST && area.height() > THICKEST;
        if is_area && self.ground.fill(area, props) {
            self.hide(area);
        }
    }

    /// Removes the glyphs under an area.
    fn hide(&mut self, area: Rect) {
        let is_seen = |glyph: &Glyph| !area.contains(Point::from(glyph.middle()));
        let before = self.page.glyphs.len();
        self.page.glyphs.retain(is_seen);
        self.artifacts.retain(is_seen);
        self.page.hidden_glyphs += before - self.page.glyphs.len();
    }

    fn rule(&mut self, rule: Ruling) {
        let is_sound = [rule.at, rule.from, rule.to].into_iter().all(f64::is_finite);
        if self.page.rules.len() >= self.limits.glyphs {
            self.overfull = true;
        } else if is_sound && rule.to - rule.from > SLANT {
            self.page.rules.push(rule);
        }
    }

    /// Adds a line between two points, if it is level or upright.
    fn line(&mut self, a: Point, b: Point) {
        let ((x0, x1), (y0, y1)) = (sorted(a.x, b.x), sorted(a.y, b.y));
        if y1 - y0 <= SLANT {
            self.rule(Ruling { is_level: true, at: f64::midpoint(y0, y1), from: x0, to: x1 });
        } else if x1 - x0 <= SLANT {
            self.rule(Ruling { is_level: false, at: f64::midpoint(x0, x1), from: y0, to: y1 });
        }
    }

    /// Adds a filled box as a line, if it is thin.
    fn filled(&mut self, corners: &[Point]) {
        let (mut low, mut high) = (Point::new(f64::MAX, f64::MAX), Point::new(f64::MIN, f64::MIN));
        for point in corners {
            low = Point::new(low.x.min(point.x), low.y.min(point.y));
            high = Point::new(high.x.max(point.x), high.y.max(point.y));
        }
        let (width, height) = (high.x - low.x, high.y - low.y);
        if height <= THICKEST && width > height {
            self.rule(Ruling { is_level: true, at: f64::midpoint(low.y, high.y), from: low.x, to: high.x });
        } else if width <= THICKEST && height > width {
            self.rule(Ruling { is_level: false, at: f64::midpoint(low.x, high.x), from: low.y, to: high.y });
        }
    }

    fn part_of_path(&mut self, corners: &[Point], stroked: bool) {
        if stroked {
            corners.windows(2).for_each(|pair| {
                if let [a, b] = pair {
                    self.line(*a, *b);
                }
            });
        } else if corners.len() > 2 {
            self.filled(corners);
        }
    }

    fn glyph(&mut self, glyph: &Drawn<'_>, transform: Affine, props: &DrawProps<'_>) {
        if self.page.glyphs.len() + self.artifacts.len() >= self.limits.glyphs {
            self.overfull = true;
            return;
        }
        let text = match glyph.as_unicode() {
            Some(BfString::Char(c)) => String::from(c),
            Some(BfString::String(text)) => text,
            None => UNREADABLE.to_owned(),
        };
        let text: String = text.chars().filter(|c| !is_invisible(*c) && !c.is_ascii_control()).collect();
        let width = match glyph {
            Drawn::Outline(outline) => outline.advance_width(),
            Drawn::Type3(drawn) => drawn.advance_width(),
        };
        let is_narrow = text.chars().all(|c| c < '\u{2000}');
        let width =
            width.map(f64::from).filter(|w| *w > 0.0).unwrap_or(if is_narrow { 500.0 } else { 1000.0 });
        let origin = transform * Point::ZERO;
        let size = (transform * Point::new(0.0, 1000.0)).distance(origin);
        let end = transform * Point::new(width, 0.0);
        let (x0, x1) = sorted(origin.x, end.x);
        let page = &mut self.page;
        let is_on_page = x1 >= 0.0 && x0 <= page.width && origin.y >= 0.0 && origin.y - size <= page.height;
        let middle = Point::new(f64::midpoint(x0, x1), origin.y - size * 0.35);
        let is_comment =
            self.annotations.as_ref().is_some_and(|others| others.iter().any(|other| other.contains(middle)));
        if is_comment || visibility::is_slanted(transform) || !self.ground.shows(middle, props) {
            page.hidden_glyphs += 1;
            return;
        }
        let is_seen = size >= TINIEST && end.distance(origin) > size * NARROWEST;
        if is_on_page && size.is_finite() && is_seen && !text.is_empty() {
            let is_annotation = self.annotations.is_some();
            let glyph = Glyph { text, x0, x1, y: origin.y, size, is_annotation };
            if self.ground.is_in_artifact() { &mut self.artifacts } else { &mut page.glyphs }.push(glyph);
        }
    }
}

impl Device<'_> for Canvas<'_> {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'_>, mode: &DrawMode) {
        self.budget.spend(self.limits);
        let stroked = matches!(mode, DrawMode::Stroke(_) | DrawMode::FillAndStroke(..));
        if !stroked && is_box(path) {
            self.cover((props.transform * path).bounding_box(), &props);
        }
        let mut corners: Vec<Point> = Vec::new();
        let mut is_curved = false;
        for element in path.elements() {
            match element {
                PathEl::MoveTo(point) => {
                    if !is_curved {
                        self.part_of_path(&corners, stroked);
                    }
                    corners.clear();
                    is_curved = false;
                    corners.push(props.transform * *point);
                }
                PathEl::LineTo(point) => corners.push(props.transform * *point),
                PathEl::ClosePath => corners.extend(corners.first().copied()),
                PathEl::QuadTo(..) | PathEl::CurveTo(..) => is_curved = true,
            }
        }
        if !is_curved {
            self.part_of_path(&corners, stroked);
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        self.budget.spend(self.limits);
        if matches!(mode, DrawMode::Invisible) {
            self.page.hidden_glyphs += run.glyphs().len();
            return;
        }
        for glyph in run.glyphs() {
            self.glyph(glyph, props.transform * glyph.transform(), &props);
        }
    }

    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        self.budget.spend(self.limits);
        let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        // Some printers draw lines as images of one pixel.
        self.filled(&corners.map(|corner| props.transform * Point::from(corner)));
        self.page.pictures += 1;
        if is_opaque(&image) && props.soft_mask.is_none() && matches!(props.blend_mode, BlendMode::Normal) {
            self.hide((props.transform * Rect::new(0.0, 0.0, 1.0, 1.0).to_path(0.1)).bounding_box());
        }
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.budget.spend(self.limits);
        self.ground.push_clip(clip.path.bounding_box());
    }

    // Blending and grouping do not change any position.
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.budget.spend(self.limits);
    }

    fn pop_clip(&mut self) {
        self.ground.pop_clip();
    }

    fn begin_marked_content(&mut self, tag: &[u8], properties: Option<&Dict<'_>>) {
        self.ground.begin_marked(tag, properties);
    }

    fn end_marked_content(&mut self) {
        self.ground.end_marked();
    }

    fn pop_transparency_group(&mut self) {}
}

/// Maximum number of pixels on a side of an image that is examined.
const LARGEST_EXAMINED: u32 = 64;

/// Returns true for a small image without transparency, such as a white box. Larger ones are pictures, which are part
/// of the page.
fn is_opaque(image: &Image<'_, '_>) -> bool {
    let Image::Raster(raster) = image else { return false };
    let mut is_opaque = false;
    if image.width().max(image.height()) <= LARGEST_EXAMINED {
        raster.with_rgba(|_, alpha| is_opaque = alpha.is_none(), None);
    }
    is_opaque
}

/// Returns true for a path of four straight sides.
fn is_box(path: &BezPath) -> bool {
    let mut sides = 0;
    path.elements().iter().all(|element| match element {
        PathEl::MoveTo(_) | PathEl::ClosePath => true,
        PathEl::LineTo(_) => {
            sides += 1;
            sides <= 4
        }
        PathEl::QuadTo(..) | PathEl::CurveTo(..) => false,
    }) && sides >= 3
}

fn sorted(a: f64, b: f64) -> (f64, f64) {
    if a <= b { (a, b) } else { (b, a) }
}
