//! Text that a page keeps and does not show, and small marks beside a number.

use super::{check_honest, check_whole, licensing, sample, with_cell};
use crate::support::layout::Layout;

#[test]
fn what_is_raised_struck_out_or_hidden_is_no_part_of_a_number() {
    let sample = sample();
    for (before, behind) in [
        ("", "<sup>2</sup>"),
        ("", "<sup>[2]</sup>"),
        ("", "<sup>①</sup>"),
        ("", "①"),
        ("", "¹"),
        ("", "[1]"),
        ("", "<span style='vertical-align: super;font-size:8px'>2</span>"),
        ("", "<span style='position:relative;top:-4.0pt;mso-text-raise:4.0pt'>2</span>"),
        ("<del>41</del>", ""),
        ("<s>41</s>", ""),
        ("<strike>41</strike>", ""),
        ("<span style='text-decoration:line-through'>41</span>", ""),
        ("<span style='display:none'>41</span>", ""),
        ("<span style='visibility:hidden'>41</span>", ""),
        ("<span style='mso-hide:all'>41</span>", ""),
        ("<span style='font-size:0'>41</span>", ""),
        ("", "<small style='vertical-align:top'>2</small>"),
        ("", "<font style='vertical-align:text-top;font-size:60%'>2</font>"),
        ("", "<small style='vertical-align:super'>2</small>"),
        ("", "<span style='vertical-align:4px;font-size:8px'>2</span>"),
        ("", "<sub>2</sub>"),
        ("", "<sup>b</sup>"),
        ("<u>", "</u><sup>注</sup>"),
        ("", "<span style='position:absolute;left:-9999px'>41</span>"),
        ("", "<span style='position:absolute;top:-200em'>41</span>"),
        ("<p style='text-indent:-9999px'>41</p>", ""),
        ("", "<span style='position:absolute;clip:rect(0,0,0,0)'>41</span>"),
        ("", "<i style='clip-path:inset(50%)'>41</i>"),
        ("<div style='height:0;overflow:hidden'>41</div>", ""),
        ("<span style='display:inline-block;max-width:0;overflow:hidden'>41</span>", ""),
        ("<span style='color:transparent'>41</span>", ""),
        ("<span style='color:rgba(0, 0, 0, 0)'>41</span>", ""),
        ("<span style='transform:scale(0)'>41</span>", ""),
        ("<span style='opacity:0'>41</span>", ""),
        ("<template>41</template>", ""),
        ("<b hidden>41</b>", ""),
        ("<p style='font-size:0'>41</p>", ""),
        ("<span style='font-size:0'>41<span style='font-size:14px'>", "</span></span>"),
        ("<font color='#FFFFFF'>41</font>", ""),
        ("<span style='color:white'>41</span>", ""),
    ] {
        check_whole(&with_cell(&sample, |number| format!("{before}{number}{behind}")), "a.html", &sample);
    }
}

#[test]
fn a_class_of_the_pages_own_sheet_hides_as_a_style_does() {
    let sample = sample();
    let page = with_cell(&sample, |number| format!("<span class='x out'>41</span>{number}"));
    for rule in ["display:none", "text-decoration:line-through", "color:#fff"] {
        let page = format!("<style>.big{{font-size:20px}} span.out{{{rule}}}</style>{page}");
        check_whole(&page, "a.html", &sample);
    }
}

#[test]
fn white_text_on_a_dark_ground_is_read() {
    let sample = sample();
    let page = Layout::Html.render(&sample).replace("<td ", "<td style='background:#1e90ff' ");
    let page = page.replacen(
        &format!(">{}</td>", licensing(&sample)),
        &format!("><span style='color:#fff'>{}</span></td>", licensing(&sample)),
        1,
    );
    check_whole(&page, "a.html", &sample);
}

#[test]
fn what_only_looks_hidden_or_small_is_read() {
    let sample = sample();
    for (before, behind) in [
        ("<span aria-hidden='true'>", "</span>"),
        ("<span style='width:0;overflow:hidden'>", "</span>"),
        ("<div style='height:20px;overflow:hidden'>", "</div>"),
        ("<p style='text-indent:-2em'>", "</p>"),
        ("<span style='left:-9999px'>", "</span>"),
        ("<span style='color:transparent;-webkit-background-clip:text'>", "</span>"),
        ("<small>", "</small>"),
        ("<span style='vertical-align:top;font-size:9px'>", "</span>"),
        ("<span style='font-size:12pt'></span>", ""),
    ] {
        check_whole(&with_cell(&sample, |number| format!("{before}{number}{behind}")), "a.html", &sample);
    }
    let page = Layout::Html.render(&sample);
    for style in ["width:0;overflow:hidden", "height:0;overflow:hidden", "vertical-align:super"] {
        check_whole(&page.replace("<td ", &format!("<td style='{style}' ")), "a.html", &sample);
    }
}

#[test]
fn a_smaller_number_beside_a_number_leaves_it_open() {
    let mut sample = sample();
    let page = with_cell(&sample, |number| format!("{number}<small>2</small>"));
    sample.truth.insert("proactive.licensing.decisions".to_owned(), None);
    check_honest(&page, "a.html", &sample, 1);
}

#[test]
fn a_cell_that_is_not_seen_keeps_its_place() {
    for style in ["visibility:hidden", "opacity:0", "color:transparent"] {
        let mut sample = sample();
        let page = Layout::Html.render(&sample);
        let number = licensing(&sample);
        let page = page.replacen(&format!(">{number}</td>"), &format!(" style='{style}'>{number}</td>"), 1);
        sample.truth.insert("proactive.licensing.decisions".to_owned(), None);
        check_whole(&page, "a.html", &sample);
    }
}

#[test]
fn the_selected_option_of_a_list_is_its_text() {
    let mut sample = sample();
    for list in [
        "<select><option>41</option><option selected>N</option></select>",
        "<select><option value=1>41<option value=2 selected=selected>N</select>",
        "<select disabled><option selected>N</option><option>41</option></select>",
        "<select><option>N</option></select>",
    ] {
        check_whole(&with_cell(&sample, |number| list.replace('N', number)), "a.html", &sample);
    }
    let page =
        with_cell(&sample, |number| format!("<select><option>41</option><option>{number}</option></select>"));
    sample.truth.insert("proactive.licensing.decisions".to_owned(), None);
    check_honest(&page, "a.html", &sample, 1);
}
