//! Bytes of a text file become text, or the place where they are none.

use std::borrow::Cow;

/// How a file says its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// With a byte order mark, which is not part of the text.
    Utf8Mark,
    Utf16Le,
    Utf16Be,
}

/// Why bytes are no text. The sentence continues one that names the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("line {line}, byte {byte}, is not UTF-8. Save the file as UTF-8.")]
    NotUtf8 {
        /// From 1.
        line: u64,
        /// Of the file, from 1.
        byte: u64,
    },
    #[error("byte {byte} is not UTF-16, which the file's first bytes announce. Save the file as UTF-8.")]
    NotUtf16 { byte: u64 },
    #[error(
        "line {line}, byte {byte}, holds a NUL, as plain text never does. Save it as plain text in UTF-8."
    )]
    Nul { line: u64, byte: u64 },
    #[error("the file is empty; export or copy it again.")]
    Empty,
}

impl Fault {
    /// Stable name of the finding, for reports.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } | Self::NotUtf16 { .. } => "not_utf8",
            Self::Nul { .. } => "not_text",
            Self::Empty => "empty_file",
        }
    }
}

/// The encoding that the first bytes announce.
fn encoding(bytes: &[u8]) -> Encoding {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        Encoding::Utf8Mark
    } else if bytes.starts_with(b"\xff\xfe") {
        Encoding::Utf16Le
    } else if bytes.starts_with(b"\xfe\xff") {
        Encoding::Utf16Be
    } else {
        Encoding::Utf8
    }
}

/// The text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one. Nothing else is guessed. Line ends
/// stay as they are.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), Fault> {
    let encoding = encoding(bytes);
    let text = match encoding {
        Encoding::Utf8 => Cow::Borrowed(utf8(bytes, 0)?),
        Encoding::Utf8Mark => Cow::Borrowed(utf8(&bytes[3..], 3)?),
        Encoding::Utf16Le => Cow::Owned(utf16(&bytes[2..], u16::from_le_bytes)?),
        Encoding::Utf16Be => Cow::Owned(utf16(&bytes[2..], u16::from_be_bytes)?),
    };
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    if let Some(at) = text.bytes().position(|b| b == 0) {
        let (line, byte) = (line(&text.as_bytes()[..at]), at as u64 + 1);
        return Err(Fault::Nul { line, byte });
    }
    Ok((text, encoding))
}

fn utf8(bytes: &[u8], before: usize) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|e| Fault::NotUtf8 {
        line: line(&bytes[..e.valid_up_to()]),
        byte: (before + e.valid_up_to()) as u64 + 1,
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Fault> {
    let mut out = String::with_capacity(bytes.len() / 2);
    let mut units = 0_u64;
    let (pairs, rest) = bytes.as_chunks::<2>();
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        // After the mark.
        let c = c.map_err(|_| Fault::NotUtf16 { byte: units * 2 + 3 })?;
        units += c.len_utf16() as u64;
        out.push(c);
    }
    if rest.is_empty() {
        Ok(out)
    } else {
        Err(Fault::NotUtf16 { byte: units * 2 + 3 })
    }
}

/// The line that begins or goes on after these bytes, from 1.
fn line(before: &[u8]) -> u64 {
    before.split(|b| *b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_no_part_of_the_text() {
        for (bytes, text, encoding) in [
            (&b"a\r\nb"[..], "a\r\nb", Encoding::Utf8),
            (b"\xef\xbb\xbfa", "a", Encoding::Utf8Mark),
            (b"\xff\xfea\0=\xd8\0\xde", "a😀", Encoding::Utf16Le),
            (b"\xfe\xff\0a\xd8=\xde\0", "a😀", Encoding::Utf16Be),
        ] {
            assert_eq!(decode(bytes), Ok((Cow::Borrowed(text), encoding)));
        }
        // Only the first mark is one.
        assert_eq!(decode("\u{feff}\u{feff}a".as_bytes()).unwrap().0, "\u{feff}a");
    }

    #[test]
    fn faults_have_a_place() {
        let latin1 = decode(b"one\ntwo\nK\xf6ln").unwrap_err();
        assert_eq!(latin1, Fault::NotUtf8 { line: 3, byte: 10 });
        assert!(latin1.to_string().contains("line 3, byte 10"));
        assert_eq!(
            decode(b"\xef\xbb\xbf\xff"),
            Err(Fault::NotUtf8 { line: 1, byte: 4 })
        );
        assert_eq!(decode(b"a\n\0"), Err(Fault::Nul { line: 2, byte: 3 }));
        assert_eq!(decode(b"\xff\xfea\0\0\xd8"), Err(Fault::NotUtf16 { byte: 5 }));
        assert_eq!(decode(b"\xff\xfea\0b"), Err(Fault::NotUtf16 { byte: 5 }));
        assert_eq!(decode(b""), Err(Fault::Empty));
        assert_eq!(decode(b"\xef\xbb\xbf"), Err(Fault::Empty));
        // UTF-16 without a mark is full of NULs.
        assert!(matches!(decode(b"a\0b\0"), Err(Fault::Nul { .. })));
    }
}
