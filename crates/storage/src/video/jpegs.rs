//! JPEG files one after another, as a pipe gives them.

use std::io::{BufRead, Error, ErrorKind, Result};

/// Cuts a stream into JPEG files by their markers (ITU-T T.81, B.1).
pub struct Jpegs<R> {
    from: R,
    max: usize,
}

impl<R: BufRead> Jpegs<R> {
    /// `max`: most bytes of one file.
    pub const fn new(from: R, max: usize) -> Self {
        Self { from, max }
    }

    /// The next file; `None` at the end. A file that breaks off is passed over: it is no whole picture.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>> {
        match self.read() {
            Ok(jpeg) => Ok(jpeg),
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>> {
        if self.from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut out = vec![0; 2];
        self.from.read_exact(&mut out)?;
        if out != [0xff, 0xd8] {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "no JPEG where one should begin",
            ));
        }
        loop {
            match self.marker(&mut out)? {
                0xd9 => return Ok(Some(out)),
                // Without a length: RSTn and TEM.
                0xd0..=0xd7 | 0x01 => {}
                marker => {
                    self.segment(&mut out)?;
                    if marker == 0xda {
                        self.scan(&mut out)?;
                        return Ok(Some(out));
                    }
                }
            }
        }
    }

    fn room(&self, out: &[u8], more: usize) -> Result<()> {
        if out.len() + more > self.max {
            return Err(Error::new(ErrorKind::InvalidData, "a frame is too large"));
        }
        Ok(())
    }

    fn byte(&mut self, out: &mut Vec<u8>) -> Result<u8> {
        self.room(out, 1)?;
        let mut one = [0];
        self.from.read_exact(&mut one)?;
        out.push(one[0]);
        Ok(one[0])
    }

    fn marker(&mut self, out: &mut Vec<u8>) -> Result<u8> {
        if self.byte(out)? != 0xff {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "no marker where one should be",
            ));
        }
        loop {
            match self.byte(out)? {
                0xff => {}
                marker => return Ok(marker),
            }
        }
    }

    fn segment(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let len = usize::from(self.byte(out)?) << 8 | usize::from(self.byte(out)?);
        let rest = len.saturating_sub(2);
        self.room(out, rest)?;
        let at = out.len();
        out.resize(at + rest, 0);
        self.from.read_exact(&mut out[at..])
    }

    /// Entropy-coded data and the end marker after it.
    fn scan(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let n = buffer.iter().position(|b| *b == 0xff).unwrap_or(buffer.len());
            if out.len() + n > self.max {
                return Err(Error::new(ErrorKind::InvalidData, "a frame is too large"));
            }
            out.extend_from_slice(&buffer[..n]);
            let found = n < buffer.len();
            self.from.consume(n);
            if !found {
                continue;
            }
            // 0xff and what follows; they may lie in two buffers.
            self.byte(out)?;
            match self.byte(out)? {
                0x00 | 0xd0..=0xd7 => {}
                0xd9 => return Ok(()),
                _ => return Err(Error::new(ErrorKind::InvalidData, "several scans in a frame")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    fn jpeg(seed: u8, side: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let pixels: Vec<u8> = (0..side * side).map(|i| (i as u8).wrapping_mul(seed)).collect();
        JpegEncoder::new_with_quality(&mut out, 95)
            .encode(&pixels, side, side, image::ExtendedColorType::L8)
            .unwrap();
        out
    }

    proptest! {
        #[test]
        fn a_stream_is_cut_where_files_begin(seeds in prop::collection::vec((1_u8.., 1_u32..60), 0..6), buffer in 1_usize..50, cut in 0_usize..40) {
            let files: Vec<Vec<u8>> = seeds.iter().map(|(s, side)| jpeg(*s, *side)).collect();
            let mut stream = files.concat();
            let whole = if cut > 0 && !files.is_empty() { files.len() - 1 } else { files.len() };
            stream.truncate(stream.len().saturating_sub(cut));
            let mut jpegs = Jpegs::new(std::io::BufReader::with_capacity(buffer, stream.as_slice()), 1 << 20);
            let mut got = Vec::new();
            while let Some(one) = jpegs.next().unwrap() {
                got.push(one);
            }
            prop_assert_eq!(&got[..], &files[..whole]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut jpegs = Jpegs::new(bytes.as_slice(), 200);
            while let Ok(Some(_)) = jpegs.next() {}
        }
    }
}
