//! Writes objects as PDF does.

use std::fmt::Write as _;

use hayro_interpret::hayro_syntax::object::{Array, Dict, MaybeRef, Name, Object};

/// Returns the items of an array, each as written in a file.
pub(super) fn items(array: &Array<'_>) -> Vec<String> {
    array.raw_iter().map(|item| value(&item)).collect()
}

/// Returns a dictionary with one entry replaced or added.
pub(super) fn dict_with(dict: &Dict<'_>, key: &str, new: &str) -> String {
    let mut text = "<<".to_owned();
    for (name, old) in dict.entries().filter(|(name, _)| name.as_ref() != key.as_bytes()) {
        push(&mut text, format_args!("{} {} ", self::name(&name), value(&old)));
    }
    push(&mut text, format_args!("/{key} {new}>>"));
    text
}

fn value(value: &MaybeRef<Object<'_>>) -> String {
    match value {
        MaybeRef::Ref(reference) => format!("{} {} R", reference.obj_number, reference.gen_number),
        MaybeRef::NotRef(object) => self::object(object),
    }
}

fn object(object: &Object<'_>) -> String {
    match object {
        Object::Null(_) | Object::Stream(_) => "null".to_owned(),
        Object::Boolean(is_on) => is_on.to_string(),
        Object::Number(number) => self::number(number.as_f64()),
        Object::String(string) => hex(string.as_bytes()),
        Object::Name(name) => self::name(name),
        Object::Array(array) => format!("[{}]", items(array).join(" ")),
        Object::Dict(dict) => {
            let mut text = "<<".to_owned();
            for (name, own) in dict.entries() {
                push(&mut text, format_args!("{} {} ", self::name(&name), value(&own)));
            }
            text + ">>"
        }
    }
}

/// Returns a number without an exponent, which PDF does not have.
pub(super) fn number(number: f64) -> String {
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn name(name: &Name<'_>) -> String {
    let mut text = "/".to_owned();
    for byte in name.as_ref() {
        if byte.is_ascii_alphanumeric() || b"-_.+:*".contains(byte) {
            text.push(char::from(*byte));
        } else {
            push(&mut text, format_args!("#{byte:02X}"));
        }
    }
    text
}

/// Returns a text as a string in UTF-16.
pub(super) fn text(text: &str) -> String {
    let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "<".to_owned();
    for byte in bytes {
        push(&mut text, format_args!("{byte:02X}"));
    }
    text + ">"
}

fn push(to: &mut String, text: std::fmt::Arguments<'_>) {
    to.write_fmt(text).expect("a string takes every text");
}
