//! The binary version of CIFAR-10 and CIFAR-100: records of one or two label bytes and 32 x 32 pixels, a plane for each of
//! red, green and blue. <https://www.cs.toronto.edu/~kriz/cifar.html> describes it.

use crate::error::FormatError;
use crate::findings::quote;
use std::io::Read;

/// Pixels of a side.
pub const SIDE: u32 = 32;
const PLANE: usize = (SIDE * SIDE) as usize;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The coarse label, where records have two.
    pub group: Option<u8>,
    pub label: u8,
    /// Three bytes a pixel, row by row.
    pub rgb: Vec<u8>,
}

/// The records of a file.
#[derive(Debug)]
pub struct Records<R> {
    name: String,
    reader: R,
    has_groups: bool,
    read: u64,
}

impl<R: Read> Records<R> {
    /// `has_groups`: each record begins with a coarse label, as in CIFAR-100. `name` is for messages.
    pub fn new(name: &str, reader: R, has_groups: bool) -> Self {
        Self {
            name: name.to_owned(),
            reader,
            has_groups,
            read: 0,
        }
    }

    /// The next one; `None` at the end.
    pub fn take_next(&mut self) -> Result<Option<Picture>, FormatError> {
        let front = 1 + usize::from(self.has_groups);
        let mut bytes = Vec::with_capacity(front + 3 * PLANE);
        (&mut self.reader)
            .take((front + 3 * PLANE) as u64)
            .read_to_end(&mut bytes)?;
        if bytes.is_empty() && self.read > 0 {
            return Ok(None);
        }
        if bytes.len() < front + 3 * PLANE {
            let why = format!(
                "`{}` ends in record {}: {} of {} bytes.",
                quote(&self.name),
                self.read + 1,
                bytes.len(),
                front + 3 * PLANE
            );
            return Err(FormatError::NotTheFormat(why));
        }
        self.read += 1;
        let planes = &bytes[front..];
        let rgb = (0..PLANE)
            .flat_map(|n| [planes[n], planes[PLANE + n], planes[2 * PLANE + n]])
            .collect();
        Ok(Some(Picture {
            group: self.has_groups.then(|| bytes[0]),
            label: bytes[front - 1],
            rgb,
        }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn record(labels: &[u8]) -> Vec<u8> {
        let mut out = labels.to_vec();
        for plane in [10, 20, 30] {
            out.extend((0..PLANE).map(|n| plane + (n % 5) as u8));
        }
        out
    }

    #[test]
    fn planes_become_pixels() {
        let bytes = [record(&[3]), record(&[255])].concat();
        let mut records = Records::new("b.bin", &bytes[..], false);
        let one = records.take_next().unwrap().unwrap();
        assert_eq!((one.group, one.label), (None, 3));
        assert_eq!(&one.rgb[..6], [10, 20, 30, 11, 21, 31]);
        assert_eq!(one.rgb.len(), 3 * PLANE);
        assert_eq!(records.take_next().unwrap().unwrap().label, 255);
        assert_eq!(records.take_next().unwrap(), None);
        let bytes = record(&[7, 99]);
        let one = Records::new("c", &bytes[..], true).take_next().unwrap().unwrap();
        assert_eq!((one.group, one.label), (Some(7), 99));
    }

    #[test]
    fn a_short_file_is_named() {
        let bytes = [record(&[3]), record(&[4])].concat();
        let mut records = Records::new("b.bin", &bytes[..bytes.len() - 1], false);
        assert!(records.take_next().unwrap().is_some());
        let why = records.take_next().unwrap_err().to_string();
        assert_eq!(why, "`b.bin` ends in record 2: 3072 of 3073 bytes.");
        assert!(Records::new("b", &b""[..], false).take_next().is_err());
    }
}
