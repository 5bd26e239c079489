//! An incremental update: objects after the original's bytes, and a cross-reference section that names the one before.

use std::collections::BTreeMap;

use hayro_interpret::hayro_syntax::object::ObjectIdentifier;

use super::trailer::Trailer;

/// Objects that are appended to a file.
pub(super) struct Update<'a> {
    bytes: Vec<u8>,
    trailer: &'a Trailer,
    /// Position and generation of each new object.
    objects: BTreeMap<u32, (usize, u16)>,
    next: u32,
}

impl<'a> Update<'a> {
    pub(super) fn new(original: &[u8], trailer: &'a Trailer) -> Self {
        let mut bytes = original.to_vec();
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Self { bytes, trailer, objects: BTreeMap::new(), next: trailer.size }
    }

    /// Adds an object and returns its number.
    pub(super) fn add(&mut self, object: &str) -> u32 {
        let number = self.next;
        self.next += 1;
        self.put(number, 0, object);
        number
    }

    /// Adds a new version of an object.
    pub(super) fn replace(&mut self, id: ObjectIdentifier, object: &str) {
        self.put(id.obj_number, u16::try_from(id.gen_number).unwrap_or(0), object);
    }

    fn put(&mut self, number: u32, generation: u16, object: &str) {
        self.objects.insert(number, (self.bytes.len(), generation));
        self.bytes.extend(format!("{number} {generation} obj\n{object}\nendobj\n").into_bytes());
    }

    /// Returns the file, with a section of the kind that the original has.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let start = self.bytes.len();
        if self.trailer.is_stream {
            self.stream();
        } else {
            self.table();
        }
        self.bytes.extend(format!("startxref\n{start}\n%%EOF\n").into_bytes());
        self.bytes
    }

    fn table(&mut self) {
        // Some readers expect the list of free objects in every table.
        let mut text = "xref\n0 1\n0000000000 65535 f \n".to_owned();
        for run in self.runs() {
            text.push_str(&format!("{} {}\n", run[0].0, run.len()));
            for (_, (at, generation)) in run {
                text.push_str(&format!("{at:010} {generation:05} n \n"));
            }
        }
        let Trailer { entries, previous, .. } = self.trailer;
        text.push_str(&format!("trailer\n<</Size {} {entries} /Prev {previous}>>\n", self.next));
        self.bytes.extend(text.into_bytes());
    }

    fn stream(&mut self) {
        let own = self.next;
        self.next += 1;
        self.objects.insert(own, (self.bytes.len(), 0));
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for run in self.runs() {
            index.push(format!("{} {}", run[0].0, run.len()));
            for (_, (at, generation)) in run {
                data.push(1);
                data.extend(u64::try_from(at).unwrap_or(0).to_be_bytes().get(3..).unwrap_or_default());
                data.extend(generation.to_be_bytes());
            }
        }
        let Trailer { entries, previous, .. } = self.trailer;
        let head = format!(
            "{own} 0 obj\n<</Type /XRef /Size {} /W [1 5 2] /Index [{}] {entries} /Prev {previous} /Length {}>>\nstream\n",
            self.next,
            index.join(" "),
            data.len()
        );
        self.bytes.extend(head.into_bytes());
        self.bytes.extend(data);
        self.bytes.extend(b"\nendstream\nendobj\n");
    }

    /// Returns the new objects in runs of consecutive numbers.
    fn runs(&self) -> Vec<Vec<(u32, (usize, u16))>> {
        let all: Vec<(u32, (usize, u16))> =
            self.objects.iter().map(|(number, place)| (*number, *place)).collect();
        all.chunk_by(|a, b| a.0 + 1 == b.0).map(<[_]>::to_vec).collect()
    }
}
