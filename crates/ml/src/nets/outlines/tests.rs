//! Discs and triangles on textured ground, cut out of their boxes.

use super::*;
use crate::Rng;
use limn_services::training::port::Truth;

const SIZE: (usize, usize) = (160, 120);

#[derive(Default)]
pub(super) struct Data {
    pictures: Vec<SmallPicture>,
    truths: Vec<Truth>,
}

impl Examples for Data {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        Ok(self.pictures[n].clone())
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.truths[n]
    }
}

/// Whether a point of a box, -1..1 across and down, is a disc (0), or a triangle that points up or down (1).
fn is_object(category: usize, down: bool, u: f32, v: f32) -> bool {
    let v = if down { -v } else { v };
    if category == 0 {
        u * u + v * v < 1.0
    } else {
        u.abs() < f32::midpoint(v, 1.0)
    }
}

/// Stripes and grain, with an object left and right whose colour is another in every picture.
pub(super) fn scenes(n: usize, seed: u64) -> Data {
    let mut rng = Rng::new(seed);
    let mut data = Data::default();
    for _ in 0..n {
        let tint = [rng.below(60), rng.below(60), rng.below(60)];
        let mut rgb = Vec::with_capacity(SIZE.0 * SIZE.1 * 3);
        for i in 0..SIZE.0 * SIZE.1 {
            let stripe = if (i % SIZE.0 / 5 + i / SIZE.0 / 7).is_multiple_of(2) {
                20.0
            } else {
                0.0
            };
            let grain = rng.normal() * 8.0;
            rgb.extend(tint.map(|t| (40.0 + t as f64 + stripe + grain).clamp(0.0, 255.0) as u8));
        }
        let (mut boxes, mut outlines) = (Vec::new(), Vec::new());
        for left in [0.04_f32, 0.54] {
            let mut side = || 0.25 + rng.unit() as f32 * 0.15;
            let (width, height) = (side(), side() * 1.5);
            let at = NetBox {
                category: rng.below(2),
                x: left,
                y: 0.05 + rng.unit() as f32 * 0.3,
                width,
                height,
            };
            let down = rng.below(2) == 0;
            let color = [150, 120, 130].map(|c| (c + rng.below(80)) as f64);
            for i in 0..SIZE.0 * SIZE.1 {
                let x = ((i % SIZE.0) as f32 + 0.5) / SIZE.0 as f32;
                let y = ((i / SIZE.0) as f32 + 0.5) / SIZE.1 as f32;
                let (u, v) = ((x - at.x) / width * 2.0 - 1.0, (y - at.y) / height * 2.0 - 1.0);
                if v.abs() < 1.0 && is_object(at.category, down, u, v) {
                    let grain = rng.normal() * 8.0;
                    for (to, c) in rgb[i * 3..].iter_mut().zip(color) {
                        *to = (c + grain).clamp(0.0, 255.0) as u8;
                    }
                }
            }
            let places: Vec<u8> = (0..64 * 64)
                .map(|n| {
                    let along = |k: usize| (k as f32 + 0.5) / 32.0 - 1.0;
                    u8::from(is_object(at.category, down, along(n % 64), along(n / 64)))
                })
                .collect();
            boxes.push(at);
            outlines.extend(Cutout::new(at, 64, 64, &places));
        }
        data.pictures.push(SmallPicture {
            width: SIZE.0,
            height: SIZE.1,
            rgb,
        });
        data.truths.push(Truth::Objects { boxes, outlines });
    }
    data
}

/// Nobody wants to stop.
pub(super) fn never() -> impl FnMut() -> Result<(), EngineError> {
    || Ok(())
}

/// A box as a detector finds it.
pub(super) fn found(b: &NetBox) -> NetBox {
    NetBox {
        x: b.x - 0.04 * b.width,
        y: b.y + 0.03 * b.height,
        width: b.width * 1.06,
        height: b.height * 0.95,
        ..*b
    }
}

/// The mean overlap with what is there, of all of the boxes and of what is cut out of them.
fn overlaps(cutter: &Cutter, of: &Data) -> (f32, f32) {
    let (mut filled, mut cut, mut n) = (0.0, 0.0, 0.0);
    for (picture, truth) in of.pictures.iter().zip(&of.truths) {
        let colors = colored(picture).unwrap();
        for right in truth.outlines() {
            let at = found(&right.at);
            filled += Cutout::whole(at).overlap(right);
            cut += cutter.cut(&colors, &at).overlap(right);
            n += 1.0;
        }
    }
    (filled / n, cut / n)
}

#[test]
fn objects_are_cut_out_better_than_by_their_boxes() {
    let (train, other) = (scenes(24, 1), scenes(12, 2));
    let cutter = Cutter::fit(&train, 2, &mut never()).unwrap();
    assert!(cutter.learned.is_some());
    let (filled, cut) = overlaps(&cutter, &other);
    println!("{filled} filled, {cut} cut out");
    assert!(filled < 0.75, "{filled}");
    assert!(
        cut > filled + 0.15 && cut > 0.85,
        "{filled} filled, {cut} cut out"
    );
}

#[test]
fn with_few_outlines_the_picture_has_to_do() {
    let cutter = Cutter::fit(&scenes(2, 3), 2, &mut never()).unwrap();
    assert!(cutter.learned.is_none());
    assert_eq!((cutter.objects, cutter.parts().len()), (4, 1));
    let (filled, cut) = overlaps(&cutter, &scenes(8, 4));
    assert!(cut > filled + 0.1, "{filled} filled, {cut} cut out");
    // Boxes are no outlines.
    let mut bare = scenes(12, 5);
    for truth in &mut bare.truths {
        *truth = Truth::Boxes(truth.boxes().to_vec());
    }
    assert_eq!(Cutter::fit(&bare, 2, &mut never()).unwrap().objects, 0);
}

#[test]
fn boxes_at_the_edge_and_none_at_all_are_answered() {
    let train = scenes(6, 6);
    let cutter = Cutter::fit(&train, 2, &mut never()).unwrap();
    let colors = colored(&train.pictures[0]).unwrap();
    let at = |category, x, y, width, height| NetBox {
        category,
        x,
        y,
        width,
        height,
    };
    for b in [
        at(0, 0.0, 0.0, 1.0, 1.0),
        at(1, 0.97, 0.97, 0.03, 0.03),
        at(9, 0.2, 0.2, 0.3, 0.3),
        at(0, 0.5, 0.5, 0.0, 0.0),
        at(0, 3.0, 3.0, 0.1, 0.1),
        at(0, f32::NAN, 0.1, 0.1, 0.1),
    ] {
        let c = cutter.cut(&colors, &b);
        assert_eq!(c.at.category, b.category);
        assert_eq!(c.places().len(), c.columns * c.rows);
    }
    assert!(matches!(
        Cutter::fit(&train, 2, &mut || Err(EngineError::Stopped)),
        Err(EngineError::Stopped)
    ));
    let wrong = SmallPicture {
        width: 3,
        height: 2,
        rgb: vec![0; 17],
    };
    assert!(matches!(colored(&wrong), Err(EngineError::Broken(_))));
}
