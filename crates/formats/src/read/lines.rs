//! A reader that knows its line and refuses to hand out one record without end.

use std::io::{self, BufRead, BufReader, Read};

/// Counts lines as they are taken.
pub(crate) struct Lines<R> {
    inner: BufReader<R>,
    line: u64,
    taken: u64,
    limit: u64,
}

impl<R: Read> Lines<R> {
    /// `limit`: most bytes between two calls of [`Self::record`].
    pub fn new(reader: R, limit: u64) -> Self {
        Self {
            inner: BufReader::with_capacity(128 << 10, reader),
            line: 1,
            taken: 0,
            limit,
        }
    }

    /// The line reached, from 1.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// A record begins.
    pub const fn record(&mut self) {
        self.taken = 0;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let n = from.len().min(buf.len());
        buf[..n].copy_from_slice(&from[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken > self.limit {
            let mib = self.limit >> 20;
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a record is longer than {mib} MiB"),
            ));
        }
        self.inner.fill_buf()
    }

    #[allow(
        clippy::naive_bytecount,
        reason = "the bytes are parsed right after, which costs more"
    )]
    fn consume(&mut self, n: usize) {
        let taken = &self.inner.buffer()[..n];
        self.line += taken.iter().filter(|b| **b == b'\n').count() as u64;
        self.taken += n as u64;
        self.inner.consume(n);
    }
}
