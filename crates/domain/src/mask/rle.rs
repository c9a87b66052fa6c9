//! COCO's text for run lengths: 5-bit groups with a continuation bit in ASCII 48 to 111, least significant first, each
//! run after the third as its difference to the one two before (`rleToString` and `rleFrString` in `maskApi.c` of
//! github.com/cocodataset/cocoapi, Dollár and Lin 2014, simplified BSD licence).

use crate::geometry::Rect;

/// Reads the runs of a text one by one, in no memory. Ends with one `None` inside when the text is not such runs.
#[derive(Debug, Clone)]
pub(super) struct Runs<'a> {
    bytes: &'a [u8],
    /// The last two runs, the later one last.
    last: [i64; 2],
    read: usize,
    broken: bool,
}

impl<'a> Runs<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            last: [0; 2],
            read: 0,
            broken: false,
        }
    }

    fn run(&mut self) -> Option<u64> {
        let (mut x, mut shift) = (0_i64, 0_u32);
        loop {
            let (first, rest) = self.bytes.split_first()?;
            let c = i64::from(first.checked_sub(48).filter(|c| *c < 64)?);
            if shift >= 60 {
                return None;
            }
            self.bytes = rest;
            x |= (c & 0x1f) << shift;
            shift += 5;
            if c & 0x20 == 0 {
                if c & 0x10 != 0 {
                    x |= -1_i64 << shift;
                }
                break;
            }
        }
        if self.read > 2 {
            x = x.checked_add(self.last[0])?;
        }
        self.last = [self.last[1], x];
        self.read += 1;
        u64::try_from(x).ok()
    }
}

impl Iterator for Runs<'_> {
    type Item = Option<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken || self.bytes.is_empty() {
            return None;
        }
        let run = self.run();
        self.broken = run.is_none();
        Some(run)
    }
}

/// The runs of COCO's compressed counts. `None` when the text is not such a string. At most one run for every byte.
pub fn decode_counts(text: &str) -> Option<Vec<u64>> {
    Runs::new(text).collect()
}

/// COCO's compressed counts of some runs, as pycocotools writes them.
pub fn encode_counts(counts: &[u64]) -> String {
    let mut text = String::with_capacity(counts.len() * 2);
    for (i, run) in counts.iter().enumerate() {
        let mut x = *run as i64;
        if i > 2 {
            x = x.wrapping_sub(counts[i - 2] as i64);
        }
        loop {
            let mut c = (x & 0x1f) as u8;
            x >>= 5;
            let more = if c & 0x10 == 0 { x != 0 } else { x != -1 };
            if more {
                c |= 0x20;
            }
            text.push(char::from(c + 48));
            if !more {
                break;
            }
        }
    }
    text
}

/// The enclosing box in pixels of runs over an image of any size; `height` is the image's. `None` for an empty mask or
/// height. A run over a column's end covers the full height (`rleToBbox`).
pub fn counts_bounds(counts: &[u64], height: u64) -> Option<Rect> {
    if height == 0 {
        return None;
    }
    let (mut at, mut seen) = (0_u64, None::<(u64, u64, u64, u64)>);
    for (i, n) in counts.iter().enumerate() {
        let end = at.checked_add(*n)?;
        if i % 2 == 1 && *n > 0 {
            let (x0, x1) = (at / height, (end - 1) / height);
            let (y0, y1) = if x0 == x1 {
                (at % height, (end - 1) % height)
            } else {
                (0, height - 1)
            };
            seen = Some(match seen {
                None => (x0, y0, x1, y1),
                Some((a, b, c, d)) => (a.min(x0), b.min(y0), c.max(x1), d.max(y1)),
            });
        }
        at = end;
    }
    seen.map(|(x0, y0, x1, y1)| Rect::new(x0 as f64, y0 as f64, (x1 - x0 + 1) as f64, (y1 - y0 + 1) as f64))
}
