//! The objects of an annotation, as ISO 32000 describes them (12.5).

use std::fmt::Write as _;

use gongkai_model::Severity;
use hayro_interpret::{
    TransformExt as _,
    hayro_syntax::{object::ObjectIdentifier, page::Page},
    kurbo::{Affine, Point},
};

use super::{
    places::{PageBox, PageMark},
    write::{number, text},
};
use crate::{lang::Lang, sheet::RemarkSheet};

/// Annotations are printed with the page.
const PRINTED: u32 = 4;

/// Size of a note's icon, in points.
const NOTE: f64 = 20.0;

/// The corners of a box in user space: top left, top right, bottom left, bottom right.
pub(super) type Quad = [Point; 4];

/// How a mark is drawn.
pub(super) enum Shape {
    /// An icon at the top of the page, in a rectangle.
    Note([f64; 4]),
    /// Coloured boxes.
    Highlight(Vec<Quad>),
}

/// The words of an annotation.
pub(super) struct Words {
    pub(super) contents: String,
    /// Identifies the annotation on its page.
    pub(super) name: String,
    pub(super) lang: Lang,
}

/// Returns the transform from points of the drawn page to the page's user space.
pub(super) fn user_space(page: &Page<'_>) -> Affine {
    page.initial_transform(true).to_kurbo().inverse()
}

impl Shape {
    pub(super) fn of(mark: &PageMark, user: &Affine) -> Self {
        if mark.boxes.is_empty() {
            // Notes without a place stand below each other.
            let step = f64::from(u32::try_from(mark.remark % 24).unwrap_or(0)) * (NOTE + 4.0);
            return Self::Note(bounds(&[quad(&[10.0, 10.0 + step, 10.0 + NOTE, 10.0 + step + NOTE], user)]));
        }
        Self::Highlight(mark.boxes.iter().map(|place| quad(place, user)).collect())
    }
}

fn quad([left, top, right, bottom]: &PageBox, user: &Affine) -> Quad {
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(|(x, y)| *user * Point::new(*x, *y))
}

/// Returns the smallest rectangle around the boxes: left, bottom, right, top.
fn bounds(quads: &[Quad]) -> [f64; 4] {
    let points = || quads.iter().flatten();
    let least = |coordinate: fn(&Point) -> f64| points().map(coordinate).fold(f64::INFINITY, f64::min);
    let most = |coordinate: fn(&Point) -> f64| points().map(coordinate).fold(f64::NEG_INFINITY, f64::max);
    [least(|p| p.x), least(|p| p.y), most(|p| p.x), most(|p| p.y)]
}

/// Returns the text of a note.
pub(super) fn contents(mark: &PageMark, sheet: &RemarkSheet) -> String {
    let Some(remark) = sheet.remarks.get(mark.remark) else { return String::new() };
    let (lang, number) = (sheet.lang, mark.remark + 1);
    if mark.is_further {
        let same = lang.choose("同一问题的另一处，见批注", "another place of the same finding, see");
        return format!("[{number}] {} {}: {same} [{number}]", remark.label, remark.rule);
    }
    let mut contents = format!("[{number}] {}", remark.sentence(lang));
    for (name, text) in remark.details(lang) {
        write!(contents, "\n{name}{}{text}", lang.choose("：", ": ")).expect("a string takes every text");
    }
    if mark.boxes.is_empty() {
        contents.push('\n');
        contents.push_str(lang.choose("（文中没有可标注的位置）", "(no place in the text to mark)"));
    }
    contents
}

/// Returns the colour of a remark's severity, as shares of red, green and blue.
pub(super) fn colour(mark: &PageMark, sheet: &RemarkSheet) -> [f64; 3] {
    match sheet.remarks.get(mark.remark).map(|remark| remark.severity) {
        Some(Severity::Error) => [1.0, 0.7, 0.7],
        Some(Severity::Warning) => [1.0, 0.84, 0.62],
        Some(Severity::Review) => [1.0, 0.94, 0.62],
        _ => [0.81, 0.89, 1.0],
    }
}

/// Returns a note at the top of a page.
pub(super) fn note(rect: [f64; 4], words: &Words, page: ObjectIdentifier) -> String {
    format!("<</Type /Annot /Subtype /Text /Name /Note {}>>", common(rect, [1.0, 0.94, 0.62], words, page))
}

/// Returns a highlight with its look.
pub(super) fn highlight(
    quads: &[Quad],
    colour: [f64; 3],
    words: &Words,
    (page, look): (ObjectIdentifier, u32),
) -> String {
    let points: Vec<f64> = quads.iter().flatten().flat_map(|point| [point.x, point.y]).collect();
    let common = common(bounds(quads), colour, words, page);
    format!(
        "<</Type /Annot /Subtype /Highlight /QuadPoints [{}] {common} /AP <</N {look} 0 R>>>>",
        numbers(&points)
    )
}

fn common(rect: [f64; 4], colour: [f64; 3], words: &Words, page: ObjectIdentifier) -> String {
    format!(
        "/Rect [{}] /Contents {} /T {} /NM {} /C [{}] /F {PRINTED} /P {} {} R",
        numbers(&rect),
        text(&words.contents),
        text(words.lang.choose("政务公开核查", "gongkai")),
        text(&words.name),
        numbers(&colour),
        page.obj_number,
        page.gen_number
    )
}

/// Returns the look of a highlight, a form that darkens what it covers: not every viewer draws one by itself.
pub(super) fn appearance(quads: &[Quad], colour: [f64; 3]) -> String {
    let mut drawing = format!("/G gs {} rg\n", numbers(&colour));
    for [top_left, top_right, bottom_left, bottom_right] in quads {
        let corners = [top_left, top_right, bottom_right, bottom_left];
        for (at, corner) in corners.into_iter().enumerate() {
            let operator = if at == 0 { "m" } else { "l" };
            writeln!(drawing, "{} {operator}", numbers(&[corner.x, corner.y]))
                .expect("a string takes every text");
        }
        drawing.push_str("h f\n");
    }
    let bounds = numbers(&bounds(quads));
    format!(
        "<</Type /XObject /Subtype /Form /BBox [{bounds}] /Resources <</ExtGState <</G <</BM /Multiply>>>>>> \
         /Group <</S /Transparency>> /Length {}>>\nstream\n{drawing}\nendstream",
        drawing.len()
    )
}

fn numbers(all: &[f64]) -> String {
    all.iter().map(|one| number(*one)).collect::<Vec<_>>().join(" ")
}
