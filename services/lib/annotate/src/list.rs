//! The list of the remarks, and the marks that it refers to, as HTML.

use std::{collections::BTreeSet, fmt::Write as _};

use gongkai_model::Severity;

use crate::{
    lang::Lang,
    sheet::{Remark, RemarkSheet},
};

/// What a copy may do when it is opened: no script of the page runs, nothing is framed or sent, and links inside the
/// copy stay inside.
const POLICY: &str =
    "script-src 'none'; object-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'";

/// The looks of list and marks. They win over those of the page.
const STYLE: &str = "<style>\
.gongkai-list{display:block!important;position:static!important;box-sizing:border-box!important;margin:0 0 1em!important;\
padding:.8em 1.2em!important;border:2px solid #b00!important;background:#fffdf5!important;color:#222!important;\
font:16px/1.6 sans-serif!important;text-align:left!important;max-height:45vh;overflow:auto}\
.gongkai-list h2{font-size:1.1em!important;margin:0 0 .3em!important}\
.gongkai-list ol{margin:0!important;padding-left:2em!important}\
.gongkai-list li{display:list-item!important;list-style:decimal!important;margin:.4em 0!important}\
.gongkai-list li:target,.gongkai-ref:target{outline:3px solid #06c!important}\
.gongkai-label{padding:0 .4em!important;border-radius:3px!important}\
mark.gongkai-mark{color:inherit!important}\
.gongkai-error{background:#ffb3b3!important}.gongkai-warning{background:#ffd59e!important}\
.gongkai-review{background:#fff09e!important}.gongkai-info{background:#cfe3ff!important}\
.gongkai-ref{font:bold 12px/1 sans-serif!important;color:#b00!important;text-decoration:none!important;\
vertical-align:super!important;display:inline!important}\
.gongkai-text{white-space:pre-wrap;font:16px/1.7 sans-serif;overflow-wrap:anywhere}\
</style>";

/// Returns what stands at the beginning of a copy: its charset, if it has one to name, and what it may do.
pub(crate) fn prologue(charset: &str) -> String {
    let charset = match charset {
        // A byte order mark names these.
        "utf-16le" | "utf-16be" => String::new(),
        name => format!("<meta charset=\"{name}\">"),
    };
    format!("{charset}<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">")
}

/// Returns the list with its style. `counts` has the number of marks of each remark.
pub(crate) fn section(sheet: &RemarkSheet, counts: &[usize]) -> String {
    let lang = sheet.lang;
    let mut html =
        format!("{STYLE}<section class=\"gongkai-list\" id=\"gongkai-list\" lang=\"{}\">", lang.tag());
    let (count, subject) = (sheet.remarks.len(), escaped(&sheet.subject));
    let heading = match lang {
        Lang::Chinese => format!("批注版：{subject}（共 {count} 条）"),
        Lang::English => format!("Marked copy: {subject} ({count} findings)"),
    };
    let note = lang.choose(
        "这是供修改用的副本，原件未改动。点“到文中”看标注处，点标注旁的编号回到本清单。",
        "A copy to work in; the original is unchanged. Links lead to the marks, their numbers back to this list.",
    );
    append(&mut html, format_args!("<h2>{heading}</h2><p>{note}</p><ol>"));
    for (at, remark) in sheet.remarks.iter().enumerate() {
        item(&mut html, sheet, (at, remark), counts.get(at).copied().unwrap_or(0));
    }
    html.push_str("</ol></section>");
    html
}

fn item(html: &mut String, sheet: &RemarkSheet, (at, remark): (usize, &Remark), count: usize) {
    let lang = sheet.lang;
    let (class, label) = (class(remark.severity), escaped(&remark.label));
    let (rule, problem) = (escaped(&remark.rule), escaped(&remark.problem));
    append(
        html,
        format_args!(
            "<li id=\"gongkai-{number}\"><b class=\"gongkai-label {class}\">{label}</b> {rule} {problem}",
            number = at + 1
        ),
    );
    for (name, text) in remark.details(lang) {
        append(html, format_args!("<br>{name}{}{}", lang.choose("：", ": "), escaped(text)));
    }
    html.push_str("<br>");
    if count == 0 {
        html.push_str(lang.choose("（文中没有可标注的位置）", "(no place in the text to mark)"));
    }
    for mark in 1..=count {
        let more = if mark > 1 { mark.to_string() } else { String::new() };
        let words = lang.choose("到文中", "to the text");
        append(html, format_args!("<a href=\"#gongkai-{}-{mark}\">{words}{more}</a> ", at + 1));
    }
    html.push_str("</li>");
}

/// Returns the number beside a mark, which leads back to the list.
pub(crate) fn reference(remark: usize, mark: usize, can_link: bool) -> String {
    let number = remark + 1;
    let (begin, end) =
        if can_link { (format!("a href=\"#gongkai-{number}\""), "a") } else { ("span".to_owned(), "span") };
    format!("<{begin} class=\"gongkai-ref\" id=\"gongkai-{number}-{mark}\">[{number}]</{end}>")
}

/// Returns the beginning of a mark for these remarks, in the colour of the weightiest.
pub(crate) fn mark_begin(remarks: &BTreeSet<usize>, sheet: &RemarkSheet) -> String {
    let own = || remarks.iter().filter_map(|at| Some((at + 1, sheet.remarks.get(*at)?)));
    let severity = own().map(|(_, remark)| remark.severity).max().unwrap_or(Severity::Info);
    let lines: Vec<String> =
        own().map(|(number, remark)| format!("[{number}] {}", remark.sentence(sheet.lang))).collect();
    format!("<mark class=\"gongkai-mark {}\" title=\"{}\">", class(severity), escaped(&lines.join("\n")))
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "gongkai-error",
        Severity::Warning => "gongkai-warning",
        Severity::Review => "gongkai-review",
        Severity::Info => "gongkai-info",
    }
}

/// Returns a text as HTML's text or attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(text, &mut html);
    html
}

/// Appends a text as HTML's text or attribute.
pub(crate) fn escape(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

fn append(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("a string takes every text");
}
