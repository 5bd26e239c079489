//! The format of the pipes: a tag of one byte, a length of four bytes, and a payload of that length.

use std::io::{self, Read, Write};

/// Maximum size of a frame, in bytes. A document and its report are far below.
pub(crate) const LONGEST: usize = 256 << 20;

/// Bytes before the payload.
const HEAD: usize = 5;

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum FrameTag {
    /// From the child: it can read. The payload describes how it is confined.
    Ready = 1,
    /// To the child: the hints and limits for a document.
    Request,
    /// To the child, after a request: the bytes of the document.
    Document,
    /// From the child: a step begins. The payload is its number.
    Begin,
    /// From the child: the step that began last has ended.
    End,
    /// From the child: the media type of the document.
    Known,
    /// From the child: the report or the rejection.
    Answer,
}

impl FrameTag {
    fn of(byte: u8) -> io::Result<Self> {
        let all =
            [Self::Ready, Self::Request, Self::Document, Self::Begin, Self::End, Self::Known, Self::Answer];
        all.into_iter().find(|tag| *tag as u8 == byte).ok_or_else(|| invalid("a frame with an unknown tag"))
    }
}

/// A frame as received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) tag: FrameTag,
    pub(crate) payload: Vec<u8>,
}

/// Returns the header of a frame with a payload of this length.
pub(crate) fn head(tag: FrameTag, length: usize) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(length).ok().filter(|length| *length as usize <= LONGEST);
    let [a, b, c, d] = length.ok_or_else(|| invalid("a frame that is too long"))?.to_le_bytes();
    Ok([tag as u8, a, b, c, d])
}

/// Writes a frame and flushes.
pub(crate) fn write(to: &mut impl Write, tag: FrameTag, payload: &[u8]) -> io::Result<()> {
    to.write_all(&head(tag, payload.len())?)?;
    to.write_all(payload)?;
    to.flush()
}

/// Reads a frame. Returns `None` if the pipe ends before one begins.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; HEAD];
    match from.read(&mut head[..1])? {
        0 => return Ok(None),
        _ => from.read_exact(&mut head[1..])?,
    }
    let (tag, length) = parse(head)?;
    let mut payload = Vec::with_capacity(length);
    from.by_ref().take(length as u64).read_to_end(&mut payload)?;
    if payload.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame { tag, payload }))
}

/// Removes the first frame from the bytes that have arrived. Returns `None` if it is not complete.
pub(crate) fn take(arrived: &mut Vec<u8>) -> io::Result<Option<Frame>> {
    let Some(head) = arrived.first_chunk::<HEAD>() else { return Ok(None) };
    let (tag, length) = parse(*head)?;
    if arrived.len() < HEAD + length {
        return Ok(None);
    }
    let rest = arrived.split_off(HEAD + length);
    let mut payload = std::mem::replace(arrived, rest);
    payload.drain(..HEAD);
    Ok(Some(Frame { tag, payload }))
}

fn parse([tag, length @ ..]: [u8; HEAD]) -> io::Result<(FrameTag, usize)> {
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(invalid("a frame that is too long"));
    }
    Ok((FrameTag::of(tag)?, length))
}

pub(crate) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_as_sent_whole_or_in_pieces() {
        let mut sent = Vec::new();
        write(&mut sent, FrameTag::Begin, b"2").unwrap();
        write(&mut sent, FrameTag::End, b"").unwrap();
        let mut pipe = sent.as_slice();
        assert_eq!(read(&mut pipe).unwrap(), Some(Frame { tag: FrameTag::Begin, payload: b"2".to_vec() }));
        assert_eq!(read(&mut pipe).unwrap(), Some(Frame { tag: FrameTag::End, payload: Vec::new() }));
        assert_eq!(read(&mut pipe).unwrap(), None);
        let (mut arrived, mut taken) = (Vec::new(), Vec::new());
        for byte in sent {
            arrived.push(byte);
            taken.extend(take(&mut arrived).unwrap().map(|frame| frame.tag));
        }
        assert_eq!((taken.as_slice(), arrived.len()), ([FrameTag::Begin, FrameTag::End].as_slice(), 0));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(take(&mut vec![99, 0, 0, 0, 0]).is_err());
        assert!(take(&mut vec![1, 255, 255, 255, 255]).is_err());
        assert!(read(&mut [1, 4, 0, 0, 0, 7].as_slice()).is_err());
        assert!(head(FrameTag::Answer, LONGEST + 1).is_err());
    }
}
