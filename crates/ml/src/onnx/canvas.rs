//! How a picture is laid into the square that an encoder takes, in the forms that exporters give that input.

use super::Values;
use super::file::{Kind, Port, list, short};
use crate::Picture;
use crate::backbone::{DEVIATION, MEAN};

/// A side of the square where the file leaves it open.
const SIDE: usize = 1024;
const SIDE_MIN: usize = 8;
pub(super) const SIDE_MAX: usize = 1536;
/// What exporters call the picture.
const IMAGES: [&str; 5] = ["image", "images", "input_image", "input", "x"];
/// Of colours as bytes.
const FULL: f32 = 255.0;

/// Where a picture is in the square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// By its longer side, with nothing below or beside it.
    Padded,
    /// Both sides apart.
    Stretched,
}

/// The place of a picture in the square.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    /// Pixels of the square that it takes.
    pub across: f64,
    pub down: f64,
}

impl Fit {
    pub fn place(self, width: f64, height: f64, side: usize) -> Placed {
        let side = side as f64;
        match self {
            Self::Stretched => Placed {
                across: side,
                down: side,
            },
            Self::Padded => {
                let by = side / width.max(height);
                Placed {
                    across: (width * by).round().max(1.0),
                    down: (height * by).round().max(1.0),
                }
            }
        }
    }
}

/// The encoder's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canvas {
    pub name: String,
    /// Pixels a side.
    pub side: usize,
    /// Red, green and blue beside each other, as pictures lie in files, instead of one plane after the other.
    last: bool,
    /// One picture of several, the only one.
    batch: bool,
    /// Colours of 0 to 255, which the network normalises by itself.
    raw: bool,
    /// As bytes.
    whole: bool,
}

impl Canvas {
    /// What the only input has to be. Errors in words.
    pub fn of(inputs: &[Port]) -> Result<Self, String> {
        let [input] = inputs else {
            let names = list(inputs.iter().map(|i| short(&i.name)));
            return Err(format!("it has {} inputs ({names})", inputs.len()));
        };
        let name = short(&input.name);
        if !IMAGES.contains(&input.name.as_str()) {
            return Err(format!(
                "its input is `{name}` instead of `image` or another of {}",
                IMAGES.join(", ")
            ));
        }
        let whole = match input.kind {
            Kind::Float => false,
            Kind::Byte => true,
            Kind::Other => {
                return Err(format!("its input {name} takes neither 32-bit floats nor bytes"));
            }
        };
        let (last, batch, height, width) = match input.dims.as_deref() {
            Some([None | Some(1), Some(3), h, w]) => (false, true, *h, *w),
            Some([None | Some(1), h, w, Some(3)]) => (true, true, *h, *w),
            Some([h, w, Some(3)]) => (true, false, *h, *w),
            _ => {
                return Err(format!(
                    "its input {name} is not of the form [1, 3, side, side] or [side, side, 3]"
                ));
            }
        };
        let (height, width) = (height.unwrap_or(SIDE), width.unwrap_or(SIDE));
        if height != width || !(SIDE_MIN..=SIDE_MAX).contains(&width) {
            return Err(format!(
                "its input {name} is {width} x {height} pixels; wanted is a square of {SIDE_MIN} to {SIDE_MAX} a side"
            ));
        }
        Ok(Self {
            name: input.name.clone(),
            side: width,
            last,
            batch,
            // Exporters that leave the picture as it lies in files put the normalising into the network.
            raw: last || whole,
            whole,
        })
    }

    pub fn shape(&self) -> Vec<usize> {
        let side = self.side;
        match (self.last, self.batch) {
            (false, _) => vec![1, 3, side, side],
            (true, true) => vec![1, side, side, 3],
            (true, false) => vec![side, side, 3],
        }
    }

    /// A picture as the encoder takes it. What it does not cover is nothing, which is the mean of all pictures where the network normalises.
    pub fn values(&self, picture: &Picture, fit: Fit) -> Values {
        let side = self.side;
        let placed = fit.place(picture.width as f64, picture.height as f64, side);
        let (w, h) = (placed.across as usize, placed.down as usize);
        let planes = picture.scaled(w, h, 3);
        let mut values = vec![0.0; 3 * side * side];
        let tone = |v: f32, c: usize| match (self.raw, self.whole) {
            (false, _) => (v - MEAN[c]) / DEVIATION[c],
            (true, false) => v * FULL,
            (true, true) => (v * FULL).round(),
        };
        for c in 0..3 {
            let nothing = tone(MEAN[c], c);
            for y in 0..side {
                for x in 0..side {
                    let v = if x < w && y < h {
                        tone(planes[(c * h + y) * w + x], c)
                    } else {
                        nothing
                    };
                    let at = if self.last {
                        (y * side + x) * 3 + c
                    } else {
                        (c * side + y) * side + x
                    };
                    values[at] = v;
                }
            }
        }
        Values::new(self.shape(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, kind: Kind, dims: &[usize]) -> Port {
        Port {
            name: name.to_owned(),
            kind,
            // 0: left open.
            dims: Some(dims.iter().map(|n| Some(*n).filter(|n| *n > 0)).collect()),
        }
    }

    #[test]
    fn the_inputs_of_exporters_are_told_apart() {
        let of = |name, kind, dims: &[usize]| Canvas::of(&[port(name, kind, dims)]);
        for (name, kind, dims, shape, raw) in [
            (
                "image",
                Kind::Float,
                &[1, 3, 64, 64][..],
                &[1, 3, 64, 64][..],
                false,
            ),
            ("x", Kind::Float, &[0, 3, 0, 0], &[1, 3, 1024, 1024], false),
            ("input_image", Kind::Float, &[0, 0, 3], &[1024, 1024, 3], true),
            ("input_image", Kind::Byte, &[1, 64, 64, 3], &[1, 64, 64, 3], true),
            ("images", Kind::Byte, &[1, 3, 64, 64], &[1, 3, 64, 64], true),
        ] {
            let found = of(name, kind, dims).unwrap();
            assert_eq!((&found.shape()[..], found.raw), (shape, raw), "{name} {dims:?}");
        }
        for (name, kind, dims, why) in [
            ("pixels", Kind::Float, &[1, 3, 64, 64][..], "instead of `image`"),
            (
                "image",
                Kind::Other,
                &[1, 3, 64, 64],
                "neither 32-bit floats nor bytes",
            ),
            ("image", Kind::Float, &[2, 3, 64, 64], "is not of the form"),
            ("image", Kind::Float, &[64, 64], "is not of the form"),
            (
                "image",
                Kind::Float,
                &[1, 3, 32, 48],
                "48 x 32 pixels; wanted is a square",
            ),
            ("image", Kind::Float, &[4000, 4000, 3], "4000 x 4000 pixels"),
        ] {
            let found = of(name, kind, dims).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }

    #[test]
    fn a_picture_lies_in_every_form_where_it_belongs() {
        // Twice as wide as high: below it is nothing.
        let picture = Picture::new(2, 1, vec![255, 0, 51, 255, 0, 51]).unwrap();
        let planes = Canvas::of(&[port("image", Kind::Float, &[1, 3, 8, 8])]).unwrap();
        let rows = Canvas::of(&[port("image", Kind::Float, &[8, 8, 3])]).unwrap();
        let bytes = Canvas::of(&[port("image", Kind::Byte, &[8, 8, 3])]).unwrap();
        let [planes, rows, bytes] = [planes, rows, bytes].map(|c| c.values(&picture, Fit::Padded).values);
        for c in 0..3 {
            for (y, covered) in [(0, true), (3, true), (4, false), (7, false)] {
                let colour = if covered { [1.0, 0.0, 0.2][c] } else { MEAN[c] };
                let (at, beside) = ((c * 8 + y) * 8 + 7, (y * 8 + 7) * 3 + c);
                assert!((planes[at] - (colour - MEAN[c]) / DEVIATION[c]).abs() < 1e-5);
                assert!((rows[beside] - colour * 255.0).abs() < 1e-3);
                assert!((bytes[beside] - (colour * 255.0).round()).abs() < 1e-6);
            }
        }
        let wide = Canvas::of(&[port("image", Kind::Float, &[1, 3, 8, 8])]).unwrap();
        let all = wide.values(&picture, Fit::Stretched).values;
        assert!(
            all[..64]
                .iter()
                .all(|v| (v - (1.0 - MEAN[0]) / DEVIATION[0]).abs() < 1e-5)
        );
    }
}
