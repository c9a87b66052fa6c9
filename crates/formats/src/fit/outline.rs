//! Outlines of a file in the frame of the picture.

use super::{Fit, How, Placed};
use limn_domain::polygon::{self, Combine, Fault, Mended, Part, Ring};
use limn_domain::{Mask, Point, Size};

impl Fit {
    /// Polygons, each ring a part of its own as in COCO: parts that overlap are united.
    pub(super) fn place_polygons(&self, rings: &[Ring]) -> Placed {
        let mut parts: Vec<Part> = Vec::with_capacity(rings.len());
        let (mut all, mut lost) = (Mended::default(), None);
        for ring in rings {
            let own: Ring = if self.is_plain() {
                ring.clone()
            } else {
                ring.iter()
                    .map(|v| {
                        let p = self.map_point(Point::new(v[0], v[1]));
                        [p.x, p.y]
                    })
                    .collect()
            };
            match polygon::mend(&[vec![own]], self.actual) {
                Ok((good, mended)) => {
                    all.crossing |= mended.crossing;
                    all.clipped |= mended.clipped;
                    parts.extend(good);
                }
                Err(fault) => lost = Some(fault),
            }
        }
        if parts.is_empty() {
            return refused(lost.unwrap_or(Fault::TooFew));
        }
        let parts = match polygon::mend(&parts, self.actual) {
            Ok((parts, mended)) if !mended.crossing => parts,
            // A tangle has more corners once it is mended than it had before: uniting its pieces would never end.
            Err(Fault::TooMany) => return refused(Fault::TooMany),
            _ => {
                all.crossing = true;
                united(&parts)
            }
        };
        let fixed = match (lost, all) {
            (Some(_), _) => Some("outline_part_left_out"),
            (None, Mended { clipped: true, .. }) => Some("outline_clipped"),
            (None, Mended { crossing: true, .. }) => Some("outline_crossing"),
            (None, _) => None,
        };
        match polygon::mend(&parts, self.actual) {
            Ok((parts, _)) => Placed::Polygon { parts, fixed },
            Err(fault) => refused(fault),
        }
    }

    /// Parts with their holes.
    pub(super) fn place_parts(&self, parts: &[Part]) -> Placed {
        let own = if self.is_plain() {
            parts.to_vec()
        } else {
            polygon::mapped(parts, |[x, y]| {
                let p = self.map_point(Point::new(x, y));
                [p.x, p.y]
            })
        };
        match polygon::mend(&own, self.actual) {
            Ok((parts, mended)) => {
                let fixed = match mended {
                    Mended { clipped: true, .. } => Some("outline_clipped"),
                    Mended { crossing: true, .. } => Some("outline_crossing"),
                    Mended { .. } => None,
                };
                Placed::Polygon { parts, fixed }
            }
            Err(fault) => refused(fault),
        }
    }

    /// A mask that the file says is for an image of `size` pixels.
    pub(super) fn place_mask(&self, mask: &Mask, (width, height): (u32, u32)) -> Placed {
        let same = |w: f64, h: f64| (f64::from(width) - w).abs() < 0.5 && (f64::from(height) - h).abs() < 0.5;
        let Size { width: w, height: h } = self.actual;
        if let How::Turn(orientation) = self.how
            && same(h, w)
        {
            return match turned(mask, orientation, self.actual) {
                Some(mask) => Placed::Mask { mask },
                None => Placed::Refused(
                    "mask_size",
                    "the mask is too large to be turned as the picture's EXIF tag says",
                ),
            };
        }
        if !same(w, h) {
            return Placed::Refused(
                "mask_size",
                "the mask is for an image of another size than the picture has",
            );
        }
        match mask.check(self.actual) {
            Ok(()) => Placed::Mask { mask: mask.clone() },
            Err(_) => Placed::Refused("bad_mask", "the mask does not fit its image"),
        }
    }
}

/// What the parts cover together, halves first: each part is united some log n times, not n times.
fn united(parts: &[Part]) -> Vec<Part> {
    if parts.len() < 2 {
        return parts.to_vec();
    }
    let (a, b) = parts.split_at(parts.len() / 2);
    polygon::combine(&united(a), &united(b), Combine::Union)
}

fn refused(fault: Fault) -> Placed {
    match fault {
        Fault::NotFinite => Placed::Refused("not_a_number", "a coordinate is not a finite number"),
        Fault::TooFew => Placed::Refused("outline_too_few", "the outline needs at least three corners"),
        Fault::TooMany => Placed::Refused("outline_too_many", "the outline has more than 50,000 corners"),
        Fault::Tangled => Placed::Refused(
            "outline_too_many",
            "the outline crosses itself more than 10,000 times",
        ),
        Fault::NoArea => Placed::Refused("outline_empty", "the outline has no area"),
        Fault::Outside => Placed::Refused("outline_outside", "the outline lies outside the image"),
    }
}

/// The mask of the stored picture in the frame of the picture as shown, pixel by pixel.
fn turned(mask: &Mask, orientation: u8, shown: Size) -> Option<Mask> {
    let pixels = mask.pixels()?;
    let (w, h) = (shown.width as u32, shown.height as u32);
    let turn = |x: u32, y: u32| -> Option<(u32, u32)> {
        Some(match orientation {
            5 => (y, x),
            6 => (w.checked_sub(1 + y)?, x),
            7 => (w.checked_sub(1 + y)?, h.checked_sub(1 + x)?),
            _ => (y, h.checked_sub(1 + x)?),
        })
    };
    let (x1, y1) = (mask.x + mask.width - 1, mask.y + mask.height - 1);
    let (a, b) = (turn(mask.x, mask.y)?, turn(x1, y1)?);
    let corner = (a.0.min(b.0), a.1.min(b.1));
    let (width, height) = (mask.height, mask.width);
    let mut out = vec![0; pixels.len()];
    for (i, p) in pixels.iter().enumerate() {
        let (x, y) = (mask.x + i as u32 % mask.width, mask.y + i as u32 / mask.width);
        let to = turn(x, y)?;
        out[((to.1 - corner.1) * width + (to.0 - corner.0)) as usize] = *p;
    }
    Mask::from_pixels(corner.0, corner.1, width, height, &out)
}
