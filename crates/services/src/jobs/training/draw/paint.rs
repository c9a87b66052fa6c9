//! Pictures with what is right and what was said drawn into them.

use super::{Mark, Named};
use crate::training::port::{Cutout, NetBox, PixelMap, SmallPicture};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

/// The longer side of the pictures, in pixels.
const SIDE: u32 = 480;
const QUALITY: u8 = 88;
const DARK: Rgb<u8> = Rgb([20, 20, 20]);
/// Pixels that the border of an object is wide, dark ones on either side not counted.
const BORDER: i64 = 2;
/// A dash of a border, and one with the gap after it, in pixels.
const DASH: (f32, f32) = (7.0, 12.0);

/// What is marked: dashed is what is right, solid what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    True,
    Missed,
    Right,
    Wrong,
}

impl Kind {
    const fn color(self) -> Rgb<u8> {
        Rgb(match self {
            Self::True => [255, 255, 255],
            Self::Missed => [255, 196, 0],
            Self::Right => [0, 158, 250],
            Self::Wrong => [240, 60, 50],
        })
    }

    const fn is_dashed(self) -> bool {
        matches!(self, Self::True | Self::Missed)
    }
}

pub(super) struct Drawn {
    pub mark: Mark,
    pub kind: Kind,
}

/// The picture with what is marked in it as JPEG.
pub(super) fn drawn(
    small: &SmallPicture,
    marks: &[Drawn],
    map: Option<(&PixelMap, &[Named])>,
) -> Result<Vec<u8>, image::ImageError> {
    let (w, h) = (small.width as u32, small.height as u32);
    let picture =
        RgbImage::from_raw(w, h, small.rgb.clone()).unwrap_or_else(|| RgbImage::new(w.max(1), h.max(1)));
    let by = f64::from(SIDE) / f64::from(w.max(h).max(1));
    let to = |n: u32| ((f64::from(n) * by).round() as u32).max(1);
    // Pixels of very small pictures stay visible as such.
    let filter = if by > 6.0 {
        FilterType::Nearest
    } else {
        FilterType::CatmullRom
    };
    let mut picture = resize(&picture, to(w), to(h), filter);
    if let Some((map, categories)) = map {
        tint(&mut picture, map, categories);
    }
    for m in marks {
        match &m.mark {
            Mark::Box(at) => frame(&mut picture, at, m.kind),
            Mark::Object(cut) => object(&mut picture, cut, m.kind),
        }
    }
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY).encode_image(&picture)?;
    Ok(out)
}

/// Lays the colours of what was said over the picture.
fn tint(picture: &mut RgbImage, map: &PixelMap, categories: &[Named]) {
    let colors: Vec<[u8; 3]> = categories
        .iter()
        .map(|c| limn_formats::write::rgb(&c.color))
        .collect();
    let (w, h) = picture.dimensions();
    let classes = map.scaled(w as usize, h as usize);
    for (pixel, class) in picture.pixels_mut().zip(classes) {
        let Some(color) = colors.get(usize::from(class)) else {
            continue;
        };
        blend(pixel, *color, 9);
    }
}

/// What was found is tinted; its border, and the dashed one of what is right, is of colour with a dark line around it.
fn object(picture: &mut RgbImage, cut: &Cutout, kind: Kind) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let side = |from: f32, length: f32, whole: f32| {
        let pixel = |v: f32| (v * whole).round().clamp(0.0, whole) as i64;
        (pixel(from), pixel(from + length))
    };
    let (x0, x1) = side(cut.at.x, cut.at.width, w);
    let (y0, y1) = side(cut.at.y, cut.at.height, h);
    // With what is around it.
    let (left, top) = (x0 - BORDER - 1, y0 - BORDER - 1);
    let (columns, rows) = (x1 - left + BORDER + 1, y1 - top + BORDER + 1);
    let within = |x: i64, y: i64| {
        let (wide, high) = (i64::from(picture.width()), i64::from(picture.height()));
        let there = (0..wide).contains(&x) && (0..high).contains(&y);
        there && cut.contains((x as f32 + 0.5) / w, (y as f32 + 0.5) / h)
    };
    let inside: Vec<bool> = (0..rows)
        .flat_map(|j| (0..columns).map(move |i| (left + i, top + j)))
        .map(|(x, y)| within(x, y))
        .collect();
    let is = |i: i64, j: i64| {
        let known = (0..columns).contains(&i) && (0..rows).contains(&j);
        known && inside[(j * columns + i) as usize]
    };
    let all_around =
        |i: i64, j: i64, by: i64| [(by, 0), (-by, 0), (0, by), (0, -by)].map(|(x, y)| is(i + x, j + y));
    let (middle_x, middle_y) = ((x0 + x1) as f32 / 2.0, (y0 + y1) as f32 / 2.0);
    // About as long as it is around an ellipse in the box; dashes come by the angle, so that they do whichever way a border runs.
    let around = std::f32::consts::FRAC_PI_2 * ((x1 - x0) + (y1 - y0)) as f32;
    let dashes = (around / DASH.1).round().max(4.0);
    let color = kind.color();
    for (i, j) in (0..rows).flat_map(|j| (0..columns).map(move |i| (i, j))) {
        let (x, y) = (left + i, top + j);
        let (Ok(column), Ok(row)) = (u32::try_from(x), u32::try_from(y)) else {
            continue;
        };
        let angle = (y as f32 - middle_y).atan2(x as f32 - middle_x) / std::f32::consts::TAU;
        let is_gap = kind.is_dashed() && (angle * dashes).rem_euclid(1.0) >= DASH.0 / DASH.1;
        let is_border = is(i, j) && all_around(i, j, BORDER).contains(&false);
        let is_rim = !is(i, j) && all_around(i, j, 1).contains(&true);
        let Some(pixel) = picture.get_pixel_mut_checked(column, row) else {
            continue;
        };
        if (is_border || is_rim) && !is_gap {
            *pixel = if is_border { color } else { DARK };
        } else if is(i, j) && !kind.is_dashed() {
            blend(pixel, color.0, 6);
        }
    }
}

/// So many twentieths of a colour over a pixel.
fn blend(pixel: &mut Rgb<u8>, color: [u8; 3], share: u16) {
    for (v, c) in pixel.0.iter_mut().zip(color) {
        *v = ((u16::from(*v) * (20 - share) + u16::from(c) * share) / 20) as u8;
    }
}

/// Two pixels of colour with a dark pixel on either side, so that it is seen on any picture.
fn frame(picture: &mut RgbImage, b: &NetBox, kind: Kind) {
    let dashed = kind.is_dashed();
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let at = |share: f32, whole: f32| (share * whole).round().clamp(0.0, whole - 1.0) as i64;
    let (x0, y0) = (at(b.x, w), at(b.y, h));
    let (x1, y1) = (at(b.x + b.width, w), at(b.y + b.height, h));
    for inset in 0..4 {
        let color = if matches!(inset, 1 | 2) {
            kind.color()
        } else {
            DARK
        };
        let (x0, y0, x1, y1) = (x0 + inset - 1, y0 + inset - 1, x1 - inset + 1, y1 - inset + 1);
        if x1 < x0 || y1 < y0 {
            break;
        }
        for x in x0..=x1 {
            dot(picture, x, y0, x, color, dashed);
            dot(picture, x, y1, x, color, dashed);
        }
        for y in y0..=y1 {
            dot(picture, x0, y, y, color, dashed);
            dot(picture, x1, y, y, color, dashed);
        }
    }
}

fn dot(picture: &mut RgbImage, x: i64, y: i64, along: i64, color: Rgb<u8>, dashed: bool) {
    if dashed && along.rem_euclid(12) >= 7 {
        return;
    }
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(pixel) = picture.get_pixel_mut_checked(x, y)
    {
        *pixel = color;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_stay_within_the_picture() {
        let small = SmallPicture {
            width: 3,
            height: 2,
            rgb: vec![90; 18],
        };
        let whole = NetBox {
            category: 0,
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
        };
        let boxes = [
            Drawn {
                mark: Mark::Box(whole),
                kind: Kind::Right,
            },
            Drawn {
                mark: Mark::Box(NetBox {
                    width: 0.0,
                    height: 0.0,
                    ..whole
                }),
                kind: Kind::Missed,
            },
            Drawn {
                mark: Mark::Object(Cutout::whole(NetBox {
                    x: -0.4,
                    width: 1.8,
                    ..whole
                })),
                kind: Kind::Wrong,
            },
        ];
        let jpeg = drawn(&small, &boxes, None).unwrap();
        let back = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((back.width(), back.height()), (480, 320));
    }

    #[test]
    fn an_object_is_tinted_within_its_border() {
        let mut picture = RgbImage::from_pixel(60, 40, Rgb([100, 100, 100]));
        let at = NetBox {
            category: 0,
            x: 0.25,
            y: 0.25,
            width: 0.5,
            height: 0.5,
        };
        // The left half of the box: columns 15 to 29 of the picture, rows 10 to 29.
        let cut = Cutout::new(at, 2, 1, &[1, 0]).unwrap();
        object(&mut picture, &cut, Kind::Right);
        let of = |x, y| picture.get_pixel(x, y).0;
        let color = Kind::Right.color().0;
        assert_eq!([of(15, 20), of(16, 20), of(29, 20), of(22, 10)], [color; 4]);
        assert_eq!([of(14, 20), of(30, 20), of(22, 30)], [DARK.0; 3]);
        assert_eq!(of(22, 20), [70, 117, 145]);
        assert_eq!([of(12, 20), of(33, 20), of(40, 20)], [[100; 3]; 3]);
        // What is right is dashed, and not filled.
        let mut picture = RgbImage::from_pixel(60, 40, Rgb([100, 100, 100]));
        object(&mut picture, &cut, Kind::Missed);
        let of = |x, y| picture.get_pixel(x, y).0;
        let border: Vec<bool> = (10..30).map(|y| of(15, y) == Kind::Missed.color().0).collect();
        assert!(border.contains(&true) && border.contains(&false), "{border:?}");
        assert_eq!(of(22, 20), [100; 3]);
    }
}
