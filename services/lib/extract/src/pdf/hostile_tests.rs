//! Files that are made to expand or to reserve memory: each is rejected before the PDF library reads it.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};
use gongkai_model::RejectionCode;
use proptest::prelude::*;

use super::{
    filters::{Layer, count, most},
    read,
    tests::{check_rejected, file, file_in, pdf_file::pdf_file, title},
};
use crate::limits::Limits;

const EARLY: Layer = Layer::Lzw { is_early: true };

fn flate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Returns runs of one byte, each 128 bytes long from two bytes.
fn runs(pairs: usize) -> Vec<u8> {
    b"\x81 ".repeat(pairs)
}

/// Returns the codes of the longest string that LZW has, repeated.
fn lzw(repeats: usize) -> Vec<u8> {
    let growing = 258..=4095_u32;
    let codes = [256, u32::from(b' ')].into_iter().chain(growing).chain(std::iter::repeat_n(4095, repeats));
    let (mut bytes, mut bits, mut held, mut table) = (Vec::new(), 0_u32, 0, 257_u32);
    for code in codes {
        let width = match table + 1 {
            ..512 => 9,
            512..1024 => 10,
            1024..2048 => 11,
            _ => 12,
        };
        bits = bits << width | code;
        held += width;
        while held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
        table = if code == 256 { 257 } else { (table + 1).min(4096) };
    }
    bytes.push(u8::try_from(bits << (8 - held) & 0xff).unwrap());
    bytes
}

/// Returns a stream with these filters. Its data are hexadecimal digits, so that the whole file is text.
fn stream(filters: &str, more: &str, data: &[u8]) -> String {
    let digits: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let length = digits.len();
    format!("<< /Filter [/ASCIIHexDecode {filters}] {more} /Length {length} >>\nstream\n{digits}\nendstream")
}

/// Returns a file whose one page has these contents, and further objects from number 5.
fn page(contents: &str, resources: &str, objects: &[String]) -> Vec<u8> {
    let mut all = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 300] /Contents {contents} /Resources << {resources} >> >>"
        ),
        "/FlateDecode".to_owned(),
    ];
    all.extend_from_slice(objects);
    pdf_file(&all, "")
}

fn limits() -> Limits {
    Limits { expanded_bytes: 1 << 20, ..Limits::default() }
}

fn check(bytes: &[u8]) {
    check_rejected(bytes, &limits(), RejectionCode::TooLarge);
}

#[test]
fn filters_give_as_many_bytes_as_they_give_the_library() {
    let counted = |layer, data: &[u8]| count(data, &[layer], u64::MAX);
    assert_eq!(counted(Layer::Hex, b"48 65 6C6C6F 2>ff"), 6);
    assert_eq!(counted(Layer::Ascii85, b"87cURD]i,\"Ebo80~>zz"), 12);
    assert_eq!(counted(Layer::Ascii85, b"zz!!"), 9);
    assert_eq!(counted(Layer::RunLength, &[4, 10, 11, 12, 13, 14, 253, 3, 128, 9]), 9);
    assert_eq!(counted(EARLY, &[0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01]), 10);
    assert_eq!(counted(EARLY, &lzw(2)), (1..=3839).sum::<u64>() + 2 * 3839);
    let packed = flate(&[7; 5000]);
    assert_eq!(counted(Layer::Flate, &packed), 5000);
    assert_eq!(counted(Layer::Flate, &packed[2..]), 5000);
    assert_eq!(count(&flate(&runs(10)), &[Layer::Flate, Layer::RunLength], 1 << 20), 20 + 1280);
    assert_eq!(count(b"abc", &[], 1), 3);
}

/// The library's decoder continues after damage where others stop.
#[test]
fn what_lies_behind_a_damage_counts_as_the_most_that_it_can_become() {
    let mut packed = flate(&[0; 1 << 20]);
    packed[2] |= 0b110;
    assert!(count(&packed, &[Layer::Flate], u64::MAX) > 1 << 20);
}

#[test]
fn a_filter_behind_a_filter_is_counted() {
    let data = flate(&runs(20_000));
    let filters = "/FlateDecode /RunLengthDecode";
    check(&page("5 0 R", "", &[stream(filters, "", &data)]));
    check(&page("5 0 R", "", &[stream("/Fl /RL", "", &data)]));
    check(&page("5 0 R", "", &[stream("/Flate#44ecode /RunLengthDecode", "", &data)]));
    check(&page("5 0 R", "", &[stream("/LZWDecode", "", &lzw(400))]));
    check(&page(
        "5 0 R",
        "",
        &[stream("/FlateDecode /FlateDecode", "", &flate(&flate(&vec![b' '; 4 << 20])))],
    ));
    check(&page("5 0 R", "", &[stream(&"/RunLengthDecode ".repeat(9), "", b"x")]));
}

#[test]
fn many_small_streams_have_one_budget() {
    let data = flate(&[b' '; 50_000]);
    let small: Vec<String> = (0..200).map(|_| stream("/FlateDecode", "", &data)).collect();
    check(&page("5 0 R", "", &small));
    // The name of the filter is in another object, so that only the library finds it.
    let contents: String = (0..200).map(|at| format!("{} 0 R ", at + 5)).collect();
    let digits = stream("", "", &data).replace("[/ASCIIHexDecode ]", "[/ASCIIHexDecode 4 0 R]");
    check(&page(&format!("[{contents}]"), "", &vec![digits; 200]));
}

#[test]
fn a_picture_that_is_used_as_text_is_counted_as_text() {
    let small = stream("/FlateDecode", "/Subtype /Image", &flate(&[b' '; 50_000]));
    let contents: String = (0..200).map(|at| format!("{} 0 R ", at + 5)).collect();
    check(&page(&format!("[{contents}]"), "", &vec![small; 200]));
}

#[test]
fn widths_of_glyphs_are_counted_wherever_a_font_hides() {
    let font = |widths: &str| {
        format!(
            "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [<< /Type /Font /Subtype \
             /CIDFontType2 /BaseFont /X {widths} /CIDSystemInfo << /Registry (A) /Ordering (I) /Supplement 0 >> >>] >>"
        )
    };
    let (w, w2) = ("/W [0 4294967295 500]", "/W2 [0 4294967295 500 1 1]");
    check(&file_in(&font(w), &[title()], ""));
    check(&file_in(&font(w2), &[title()], ""));
    let named = format!("/Font << /F {} >>", font("/W 5 0 R"));
    check(&page("6 0 R", &named, &["[0 4294967295 500]".to_owned(), stream("", "", b" ")]));
    let form =
        format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F {} >> >>", font(w));
    check(&page("6 0 R", "/XObject << /X 5 0 R >>", &[stream("", &form, b" "), stream("", "", b"/X Do")]));
    let ranges = "0 65535 500 ".repeat(40);
    check(&file_in(&font(&format!("/W [{ranges}]")), &[title()], ""));
    // The file is read, but its glyphs are not characters.
    let usual = file_in(&font("/W [0 65535 500 7 [1 2 3]]"), &[title()], "");
    check_rejected(&usual, &limits(), RejectionCode::NeedsOcr);
}

#[test]
fn tables_that_the_file_sizes_are_bounded() {
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 99999999999 /LastChar 99999999999 /Widths [1] >>";
    check(&file_in(font, &[title()], ""));
    let row = "/DecodeParms [null << /Predictor 12 /Columns 99999999999 >>]";
    check(&page("5 0 R", "", &[stream("/FlateDecode", row, &flate(b"x"))]));
    let limits = Limits { expanded_bytes: 16 << 20, ..Limits::default() };
    let table = stream("/FlateDecode", "/Type /XRef /Size 4000000 /W [1 1 1]", &flate(&[1; 4 << 20]));
    check_rejected(&page("5 0 R", "", &[table]), &limits, RejectionCode::TooLarge);
    let container =
        stream("/FlateDecode", "/Type /ObjStm /First 9 /N 99999999", &flate(&b"1 1 ".repeat(1_100_000)));
    check_rejected(&page("5 0 R", "", &[container]), &limits, RejectionCode::TooLarge);
}

#[test]
fn usual_filters_are_read_as_before() {
    let plain = read(&file(&[title()]), &limits()).unwrap();
    let data = flate(title().as_bytes());
    let font =
        "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>";
    let bytes = page("5 0 R", font, &[stream("/FlateDecode", "", &data)]);
    let texts =
        |blocks: &[gongkai_model::Block]| blocks.iter().map(|block| format!("{block:?}")).collect::<Vec<_>>();
    assert_eq!(texts(&read(&bytes, &limits()).unwrap()).len(), texts(&plain).len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_data_counts_for_more_than_it_can_become(
        data in prop::collection::vec(any::<u8>(), 0..200),
        layers in prop::collection::vec(prop::sample::select(vec![Layer::Hex, Layer::Ascii85, Layer::RunLength, EARLY, Layer::Flate]), 0..4),
    ) {
        let bound = (1..=layers.len()).map(|count| most(&layers[..count], data.len())).sum::<u64>();
        let bound = bound.max(u64::try_from(data.len()).unwrap());
        prop_assert!(count(&data, &layers, 1 << 16) <= bound.saturating_mul(2) + (64 << 10));
    }
}
