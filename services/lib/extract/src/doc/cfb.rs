//! Reads a compound file and finds its streams by name.

use super::bytes::{size_at, slice, u8_at, u16_at, u32_at};

/// The first number that is not a sector.
const NO_SECTOR: u32 = 0xffff_fffa;

/// Size of a directory entry in bytes.
const ENTRY: usize = 128;

/// An open compound file.
#[derive(Debug)]
pub(super) struct CompoundFile<'a> {
    bytes: &'a [u8],
    shift: u8,
    /// For each sector, the next one of its stream.
    next: Vec<u32>,
    directory: Vec<u8>,
    mini_next: Vec<u32>,
    /// The root's stream, which contains the small streams.
    mini: Vec<u8>,
    mini_shift: u8,
    /// Streams shorter than this are small.
    cutoff: usize,
}

impl<'a> CompoundFile<'a> {
    /// Reads the tables of a file. Returns `None` if they are invalid.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        let shift = u8_at(bytes, 30).filter(|shift| matches!(shift, 9 | 12))?;
        let mini_shift = u8_at(bytes, 32).filter(|mini| (4..shift).contains(mini))?;
        let mut file = Self {
            bytes,
            shift,
            next: Vec::new(),
            directory: Vec::new(),
            mini_next: Vec::new(),
            mini: Vec::new(),
            mini_shift,
            cutoff: size_at(bytes, 56)?,
        };
        file.next = file.allocation()?;
        file.directory = file.chain(u32_at(bytes, 48)?)?;
        let mini_table = u32_at(bytes, 60).filter(|sector| *sector < NO_SECTOR);
        let mini_table = mini_table.map_or(Some(Vec::new()), |sector| file.chain(sector))?;
        file.mini_next = numbers(&mini_table);
        let root = u32_at(&file.directory, 116).filter(|sector| *sector < NO_SECTOR);
        file.mini = root.map_or(Some(Vec::new()), |sector| file.chain(sector))?;
        Some(file)
    }

    /// Returns the content of the stream of that name.
    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let entry = self.directory.chunks_exact(ENTRY).find(|entry| {
            let length = u16_at(entry, 64).map_or(0, usize::from).saturating_sub(2);
            u8_at(entry, 66) == Some(2) && entry.get(..length) == Some(&name)
        })?;
        let (first, length) = (u32_at(entry, 116)?, size_at(entry, 120)?);
        let mut content = if length < self.cutoff { self.mini_chain(first)? } else { self.chain(first)? };
        content.truncate(length);
        Some(content)
    }

    /// Reads the allocation table. Its sectors are listed in the header and, in large files, in a chain of their own.
    fn allocation(&self) -> Option<Vec<u32>> {
        let mut listed = numbers(slice(self.bytes, 76, 109 * 4)?);
        let mut more = u32_at(self.bytes, 68)?;
        while more < NO_SECTOR && listed.len() <= self.sectors() {
            let mut list = numbers(self.sector(more)?);
            more = list.pop()?;
            listed.append(&mut list);
        }
        listed.truncate(self.sectors().saturating_add(1));
        let mut table = Vec::new();
        for sector in listed.into_iter().filter(|sector| *sector < NO_SECTOR) {
            table.extend(numbers(self.sector(sector)?));
        }
        Some(table)
    }

    fn chain(&self, first: u32) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut sector = first;
        for _ in 0..=self.sectors() {
            if sector >= NO_SECTOR {
                return Some(content);
            }
            // The last sector of a file may be cut short.
            content.extend_from_slice(self.sector(sector)?);
            sector = self.next.get(usize::try_from(sector).ok()?).copied().unwrap_or(NO_SECTOR);
        }
        None
    }

    fn mini_chain(&self, first: u32) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut sector = first;
        for _ in 0..=self.mini_next.len() {
            if sector >= NO_SECTOR {
                return Some(content);
            }
            let index = usize::try_from(sector).ok()?;
            content.extend_from_slice(slice(
                &self.mini,
                index.checked_shl(self.mini_shift.into())?,
                1 << self.mini_shift,
            )?);
            sector = *self.mini_next.get(index)?;
        }
        None
    }

    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let size = 1_usize << self.shift;
        let start = usize::try_from(number).ok()?.checked_add(1)?.checked_mul(size)?;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        Some(&rest[..rest.len().min(size)])
    }

    fn sectors(&self) -> usize {
        self.bytes.len() >> self.shift
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| u32::from_le_bytes(*number)).collect()
}
