//! IDX, the format of MNIST and its kin: a magic number, sizes, then bytes.
//! <http://yann.lecun.com/exdb/mnist/> describes it.

use crate::error::FormatError;
use crate::findings::quote;
use std::io::{self, Read};

/// Longest side of a picture.
const SIDE_MAX: u32 = 4_096;
/// Most pictures or labels of a file.
const COUNT_MAX: u32 = 10_000_000;

/// A file of grey pictures, read one by one.
#[derive(Debug)]
pub struct Images<R> {
    name: String,
    reader: R,
    count: u32,
    read: u32,
    width: u32,
    height: u32,
}

impl<R: Read> Images<R> {
    /// Reads the head. `name` is for messages.
    pub fn open(name: &str, mut reader: R) -> Result<Self, FormatError> {
        let [count, height, width] = head(name, &mut reader, "pictures")?;
        if !(1..=SIDE_MAX).contains(&width) || !(1..=SIDE_MAX).contains(&height) {
            return Err(refused(
                name,
                &format!(
                    "says its pictures have {width} x {height} pixels; 1 to {SIDE_MAX} a side are taken"
                ),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            reader,
            count,
            read: 0,
            width,
            height,
        })
    }

    /// How many pictures it says it has.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Width and height of all of them.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The next picture, a byte a pixel, row by row; `None` at the end.
    pub fn take_next(&mut self) -> Result<Option<Vec<u8>>, FormatError> {
        if self.read == self.count {
            return the_end(&self.name, &mut self.reader).map(|()| None);
        }
        let mut pixels = vec![0; self.width as usize * self.height as usize];
        let (n, count) = (self.read, self.count);
        fill(&self.name, &mut self.reader, &mut pixels, || {
            format!("ends in picture {} of {count}", n + 1)
        })?;
        self.read += 1;
        Ok(Some(pixels))
    }
}

/// The labels of a file, a byte each.
pub fn labels<R: Read>(name: &str, mut reader: R) -> Result<Vec<u8>, FormatError> {
    let [count] = head(name, &mut reader, "labels")?;
    let mut labels = Vec::new();
    (&mut reader).take(u64::from(count)).read_to_end(&mut labels)?;
    if labels.len() < count as usize {
        let n = labels.len();
        return Err(refused(name, &format!("ends after {n} of {count} labels")));
    }
    the_end(name, &mut reader)?;
    Ok(labels)
}

/// The magic number for bytes in `N` dimensions, and the sizes: the count first.
fn head<const N: usize>(
    name: &str,
    reader: &mut impl Read,
    what: &'static str,
) -> Result<[u32; N], FormatError> {
    let mut magic = [0; 4];
    fill(name, reader, &mut magic, || "is shorter than its head".to_owned())?;
    // Two zeros, unsigned bytes, the number of dimensions.
    let wanted = [0, 0, 8, N as u8];
    if magic != wanted {
        let hex = |b: [u8; 4]| b.map(|b| format!("{b:02x}")).join(" ");
        return Err(refused(
            name,
            &format!(
                "is no IDX file of {what}: it begins with {} instead of {}",
                hex(magic),
                hex(wanted)
            ),
        ));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        let mut bytes = [0; 4];
        fill(name, reader, &mut bytes, || "is shorter than its head".to_owned())?;
        *size = u32::from_be_bytes(bytes);
    }
    if sizes[0] == 0 || sizes[0] > COUNT_MAX {
        let n = sizes[0];
        return Err(refused(
            name,
            &format!("says it has {n} {what}; 1 to {COUNT_MAX} are taken"),
        ));
    }
    Ok(sizes)
}

fn fill(
    name: &str,
    reader: &mut impl Read,
    buf: &mut [u8],
    why: impl FnOnce() -> String,
) -> Result<(), FormatError> {
    match reader.read_exact(buf) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(refused(name, &why())),
        other => Ok(other?),
    }
}

/// Nothing may follow: a longer file is another one than its head says.
fn the_end(name: &str, reader: &mut impl Read) -> Result<(), FormatError> {
    if io::copy(&mut reader.take(1), &mut io::sink())? > 0 {
        return Err(refused(name, "holds more than its head says"));
    }
    Ok(())
}

fn refused(name: &str, why: &str) -> FormatError {
    FormatError::NotTheFormat(format!("`{}` {why}.", quote(name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn pictures(count: u32, pixels: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 8, 3];
        for n in [count, 2, 3] {
            out.extend(n.to_be_bytes());
        }
        out.extend(pixels);
        out
    }

    fn all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        let mut images = Images::open("a.idx", bytes).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        while let Some(one) = images.take_next().map_err(|e| e.to_string())? {
            out.push(one);
        }
        Ok(out)
    }

    #[test]
    fn pictures_and_labels_are_read() {
        let pixels: Vec<u8> = (0..12).collect();
        let read = all(&pictures(2, &pixels)).unwrap();
        assert_eq!(read, [&pixels[..6], &pixels[6..]]);
        let bytes = pictures(2, &pixels);
        let images = Images::open("a", &bytes[..]).unwrap();
        assert_eq!((images.count(), images.size()), (2, (3, 2)));
        let mut file = vec![0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 1];
        assert_eq!(labels("l", &file[..]).unwrap(), [9, 0, 1]);
        file.pop();
        let why = labels("l", &file[..]).unwrap_err().to_string();
        assert!(why.contains("ends after 2 of 3 labels"), "{why}");
        file.extend([1, 1]);
        assert!(
            labels("l", &file[..])
                .unwrap_err()
                .to_string()
                .contains("more than")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (bytes, sign) in [
            (pictures(3, &[0; 12]), "ends in picture 3 of 3"),
            (pictures(2, &[0; 13]), "holds more"),
            (pictures(0, &[]), "says it has 0 pictures"),
            (pictures(u32::MAX, &[]), "pictures; 1 to"),
            (
                vec![0, 0, 8, 1, 0, 0, 0, 1, 1],
                "begins with 00 00 08 01 instead of 00 00 08 03",
            ),
            (b"<html>".to_vec(), "begins with 3c 68 74 6d"),
            (vec![0, 0], "shorter than its head"),
            (Vec::new(), "shorter than its head"),
            (
                [&[0, 0, 8, 3][..], &[0, 0, 0, 1], &[0xff; 8]].concat(),
                "pixels; 1 to 4096",
            ),
        ] {
            let why = all(&bytes).unwrap_err();
            assert!(why.contains(sign) && why.starts_with("`a.idx`"), "{sign}: {why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            let _ = all(&bytes);
            let _ = labels("x", &bytes[..]);
        }
    }
}
