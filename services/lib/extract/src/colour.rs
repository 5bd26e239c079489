//! Colours of text and of what is behind it. Text in the colour of its ground is not seen.

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

/// Maximum difference between two colours in each of their parts for one not to be seen on the other.
const SEEN: u8 = 24;

impl Colour {
    pub(crate) const WHITE: Self = Self([255; 3]);

    /// Reads three or six hexadecimal digits.
    pub(crate) fn of_hex(digits: &[u8]) -> Option<Self> {
        let digit = |at: usize| u8::try_from(char::from(*digits.get(at)?).to_digit(16)?).ok();
        match digits.len() {
            3 => Some(Self([digit(0)? * 17, digit(1)? * 17, digit(2)? * 17])),
            6 => {
                let pair = |at: usize| Some(digit(at)? * 16 + digit(at + 1)?);
                Some(Self([pair(0)?, pair(2)?, pair(4)?]))
            }
            _ => None,
        }
    }

    /// Reads the name of a colour that is used behind text.
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        Some(Self(match name {
            b"white" | b"window" => [255, 255, 255],
            b"snow" => [255, 250, 250],
            b"ivory" => [255, 255, 240],
            b"whitesmoke" => [245, 245, 245],
            b"yellow" => [255, 255, 0],
            b"lightgray" | b"lightgrey" => [211, 211, 211],
            b"silver" => [192, 192, 192],
            b"gray" | b"grey" => [128, 128, 128],
            b"black" => [0, 0, 0],
            b"red" => [255, 0, 0],
            b"blue" => [0, 0, 255],
            b"green" => [0, 128, 0],
            b"cyan" => [0, 255, 255],
            b"magenta" => [255, 0, 255],
            _ => return None,
        }))
    }

    /// Reads three numbers up to 255: `255,255,255`.
    pub(crate) fn of_numbers(list: &[u8]) -> Option<Self> {
        let mut parts =
            list.split(|byte| matches!(byte, b',' | b' ' | b'/' | b')')).filter(|part| !part.is_empty());
        let mut part = || std::str::from_utf8(parts.next()?).ok()?.parse().ok();
        Some(Self([part()?, part()?, part()?]))
    }

    /// Returns true if text in one of the colours cannot be seen on the other.
    pub(crate) fn is_like(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(own, other)| own.abs_diff(other) <= SEEN)
    }
}

/// What is behind text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// The same as around it.
    #[default]
    Open,
    Colour(Colour),
    /// A pattern or an unknown colour.
    Unknown,
}

impl Ground {
    /// Returns true if text in this colour is not seen here.
    pub(crate) fn hides(self, ink: Colour) -> bool {
        match self {
            Self::Open => ink.is_like(Colour::WHITE),
            Self::Colour(ground) => ink.is_like(ground),
            Self::Unknown => false,
        }
    }

    /// Returns what is behind text inside something else.
    pub(crate) fn or(self, around: Self) -> Self {
        if self == Self::Open { around } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_that_differ_little_are_alike() {
        let of = |digits: &str| Colour::of_hex(digits.as_bytes()).unwrap();
        assert!(of("FEFEFE").is_like(Colour::WHITE) && of("eee").is_like(of("f0f0f0")));
        assert!(!of("cccccc").is_like(Colour::WHITE) && !of("ffff00").is_like(Colour::WHITE));
        assert_eq!(Colour::of_numbers(b"255,255,255)"), Some(Colour::WHITE));
        assert_eq!(Colour::of_name(b"yellow"), Some(of("ff0")));
        assert_eq!(Colour::of_hex(b"auto"), None);
    }
}
