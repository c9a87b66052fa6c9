//! Streams of bytes as UTF-8.

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use std::io::{self, Cursor, Read};

/// The same text in UTF-8 without a byte order mark. UTF-16 is told by its mark; everything else passes as it is, and what is not
/// UTF-8 in it is found where it stands.
pub fn to_utf8<'a>(mut reader: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut head = [0; 3];
    let mut n = 0;
    while n < head.len() {
        match reader.read(&mut head[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let (encoding, mark) = match &head[..n] {
        [0xef, 0xbb, 0xbf] => (None, 3),
        [0xff, 0xfe, ..] => (Some(UTF_16LE), 2),
        [0xfe, 0xff, ..] => (Some(UTF_16BE), 2),
        _ => (None, 0),
    };
    let rest = Cursor::new(head[mark..n].to_vec()).chain(reader);
    Ok(match encoding {
        None => Box::new(rest),
        Some(encoding) => Box::new(Recoded {
            reader: rest,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; 1 << 16],
            text: Vec::new(),
            at: 0,
            done: false,
        }),
    })
}

/// Decodes while it is read.
struct Recoded<R> {
    reader: R,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    done: bool,
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.done {
                return Ok(0);
            }
            let n = self.reader.read(&mut self.raw)?;
            self.done = n == 0;
            // A unit of UTF-16 becomes three bytes at most; a little more for one left over.
            let room = self.decoder.max_utf8_buffer_length(n).unwrap_or(n * 3 + 16);
            self.text.resize(room, 0);
            let (_, _, written, _) = self
                .decoder
                .decode_to_utf8(&self.raw[..n], &mut self.text, self.done);
            self.text.truncate(written);
            self.at = 0;
        }
        let n = out.len().min(self.text.len() - self.at);
        out[..n].copy_from_slice(&self.text[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Bytes that are not UTF-8, as Windows-1252, which decodes everything.
pub fn salvage(bytes: &[u8]) -> String {
    encoding_rs::WINDOWS_1252
        .decode_without_bom_handling(bytes)
        .0
        .into_owned()
}
