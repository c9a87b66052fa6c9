//! Example predictions as pictures, the worst mistakes first.

use super::pack::Pack;
use crate::training::port::{EngineError, Examples as _, NetBox, PixelMap, Prediction, SmallPicture, Truth};
use crate::training::survey::Named;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use limn_domain::training::{ShownExample, TrainTask, file};
use std::collections::BTreeMap;

/// Examples of a run.
const SHOWN: usize = 24;
/// The longer side of their pictures, in pixels.
const SIDE: u32 = 480;
/// Least overlap of a box that is right, as intersection over union.
const OVERLAP: f32 = 0.5;
const QUALITY: u8 = 88;
/// Categories of a map that are named, and the share of pixels that may be wrong in one that is right.
const AREAS_NAMED: usize = 4;
const EDGES: f32 = 0.05;

/// What is right: dashed. What was said: solid, by whether it is right.
const TRUE: Rgb<u8> = Rgb([255, 255, 255]);
const MISSED: Rgb<u8> = Rgb([255, 196, 0]);
const RIGHT: Rgb<u8> = Rgb([0, 158, 250]);
const WRONG: Rgb<u8> = Rgb([240, 60, 50]);
const DARK: Rgb<u8> = Rgb([20, 20, 20]);

/// How a prediction did.
struct Judged {
    n: usize,
    /// 0 when all of it is right; the more and the surer the mistakes, the more.
    mistakes: f32,
    truth: String,
    said: String,
    boxes: Vec<Drawn>,
    /// What is laid over the picture, where that is a map.
    map: Option<PixelMap>,
}

struct Drawn {
    at: NetBox,
    color: Rgb<u8>,
    dashed: bool,
}

/// A picture to keep with what is said of it.
pub(super) struct Example {
    pub shown: ShownExample,
    pub jpeg: Vec<u8>,
}

/// The examples of a training: the worst first, and those that are right where there are few mistakes.
pub(super) fn examples(
    task: TrainTask,
    pictures: &Pack,
    predictions: &[Prediction],
    categories: &[Named],
    thresholds: &[f32],
) -> Result<Vec<Example>, EngineError> {
    let mut all: Vec<Judged> = predictions
        .iter()
        .take(pictures.len())
        .enumerate()
        .filter_map(|(n, said)| match (pictures.truth(n), said) {
            (Truth::Boxes(truth), Prediction::Boxes(said)) => {
                Some(judge_boxes(n, truth, said, categories, thresholds))
            }
            (Truth::Pixels(truth), Prediction::Pixels { map, .. }) => {
                Some(judge_pixels(n, truth, map, categories))
            }
            (Truth::Categories(truth), Prediction::Categories(said)) => {
                Some(judge_categories(n, task, truth, said, categories, thresholds))
            }
            _ => None,
        })
        .collect();
    all.sort_by(|a, b| b.mistakes.total_cmp(&a.mistakes).then(a.n.cmp(&b.n)));
    all.truncate(SHOWN);
    all.into_iter()
        .zip(1..)
        .map(|(judged, place)| {
            let map = judged.map.as_ref().map(|m| (m, categories));
            let jpeg = drawn(&pictures.picture(judged.n)?, &judged.boxes, map)
                .map_err(|e| EngineError::Broken(format!("An example cannot be drawn: {e}.")))?;
            Ok(Example {
                shown: ShownExample {
                    file: format!("{}/{place:02}.jpg", file::EXAMPLES_DIR),
                    path: pictures.paths[judged.n].clone(),
                    truth: judged.truth,
                    said: judged.said,
                    is_right: judged.mistakes <= 0.0,
                },
                jpeg,
            })
        })
        .collect()
}

fn name(categories: &[Named], n: usize) -> &str {
    categories.get(n).map_or("?", |c| c.path.as_str())
}

/// `2 cat, 1 dog`
fn counted(categories: &[Named], of: impl Iterator<Item = usize>) -> String {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for c in of {
        *counts.entry(c).or_default() += 1;
    }
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let parts: Vec<String> = counts
        .into_iter()
        .map(|(c, n)| format!("{n} {}", name(categories, c)))
        .collect();
    parts.join(", ")
}

fn judge_boxes(
    n: usize,
    truth: &[NetBox],
    said: &[(NetBox, f32)],
    categories: &[Named],
    thresholds: &[f32],
) -> Judged {
    let mut found = vec![false; truth.len()];
    let mut boxes = Vec::new();
    let (mut right, mut wrong) = (0, 0);
    let mut mistakes = 0.0;
    let shown = said
        .iter()
        .filter(|(b, score)| *score >= thresholds.get(b.category).copied().unwrap_or(0.3));
    for (at, score) in shown.clone() {
        let best = truth
            .iter()
            .enumerate()
            .filter(|(i, t)| !found[*i] && t.category == at.category)
            .map(|(i, t)| (i, overlap(t, at)))
            .filter(|(_, o)| *o >= OVERLAP)
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let color = if let Some((i, _)) = best {
            found[i] = true;
            right += 1;
            RIGHT
        } else {
            wrong += 1;
            mistakes += score;
            WRONG
        };
        boxes.push(Drawn {
            at: *at,
            color,
            dashed: false,
        });
    }
    let missed = found.iter().filter(|f| !**f).count();
    mistakes += missed as f32;
    for (t, found) in truth.iter().zip(&found) {
        boxes.push(Drawn {
            at: *t,
            color: if *found { TRUE } else { MISSED },
            dashed: true,
        });
    }
    let what = counted(categories, shown.map(|(b, _)| b.category));
    let how = match (right, wrong, missed) {
        (_, 0, 0) => String::new(),
        (r, w, m) => format!(" ({r} right, {w} wrong, {m} missed)"),
    };
    Judged {
        n,
        mistakes,
        truth: counted(categories, truth.iter().map(|t| t.category)),
        said: format!("{what}{how}"),
        boxes,
        map: None,
    }
}

/// Pixels that are not what they were said to be, as a share of all.
fn judge_pixels(n: usize, truth: &PixelMap, said: &PixelMap, categories: &[Named]) -> Judged {
    let right = truth.scaled(said.width, said.height);
    let told = said.pixels();
    let wrong = right.iter().zip(&told).filter(|(r, s)| r != s).count();
    let mistakes = wrong as f32 / told.len().max(1) as f32;
    let words = |pixels: &[u8]| {
        let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
        for p in pixels.iter().filter(|p| **p != PixelMap::NOTHING) {
            *counts.entry(*p).or_default() += 1;
        }
        let mut counts: Vec<(u8, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(c, n)| (std::cmp::Reverse(*n), *c));
        let share = |n: usize| n as f64 * 100.0 / pixels.len().max(1) as f64;
        let parts: Vec<String> = counts
            .iter()
            .take(AREAS_NAMED)
            .map(|(c, n)| format!("{} {:.0} %", name(categories, usize::from(*c)), share(*n)))
            .collect();
        if parts.is_empty() {
            return "nothing".to_owned();
        }
        parts.join(", ")
    };
    Judged {
        n,
        // A few pixels along edges are no mistake.
        mistakes: if mistakes < EDGES { 0.0 } else { mistakes },
        truth: words(&right),
        said: format!("{} ({:.1} % of the pixels wrong)", words(&told), mistakes * 100.0),
        boxes: Vec::new(),
        map: Some(said.clone()),
    }
}

fn judge_categories(
    n: usize,
    task: TrainTask,
    truth: &[usize],
    said: &[f32],
    categories: &[Named],
    thresholds: &[f32],
) -> Judged {
    let chosen: Vec<usize> = if task == TrainTask::Multilabel {
        (0..said.len())
            .filter(|c| said[*c] >= thresholds.get(*c).copied().unwrap_or(0.5))
            .collect()
    } else {
        (0..said.len())
            .max_by(|a, b| said[*a].total_cmp(&said[*b]))
            .into_iter()
            .collect()
    };
    let too_many = chosen.iter().filter(|c| !truth.contains(c)).map(|c| said[*c]);
    let missed = truth.iter().filter(|c| !chosen.contains(c));
    let missed = missed.map(|c| 1.0 - said.get(*c).copied().unwrap_or(0.0));
    let mistakes = too_many.chain(missed).sum();
    let words = |of: &[usize], scores: bool| {
        if of.is_empty() {
            return "nothing".to_owned();
        }
        let parts: Vec<String> = of
            .iter()
            .map(|c| match scores.then(|| said.get(*c)).flatten() {
                Some(score) => format!("{} ({:.0} %)", name(categories, *c), score * 100.0),
                None => name(categories, *c).to_owned(),
            })
            .collect();
        parts.join(", ")
    };
    Judged {
        n,
        mistakes,
        truth: words(truth, false),
        said: words(&chosen, true),
        boxes: Vec::new(),
        map: None,
    }
}

/// Intersection over union.
fn overlap(a: &NetBox, b: &NetBox) -> f32 {
    let along = |a0: f32, a1: f32, b0: f32, b1: f32| ((a0 + a1).min(b0 + b1) - a0.max(b0)).max(0.0);
    let both = along(a.x, a.width, b.x, b.width) * along(a.y, a.height, b.y, b.height);
    let all = a.width * a.height + b.width * b.height - both;
    if all > 0.0 { both / all } else { 0.0 }
}

/// The picture with its boxes as JPEG.
fn drawn(
    small: &SmallPicture,
    boxes: &[Drawn],
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
    for b in boxes {
        frame(&mut picture, b);
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
        for (v, c) in pixel.0.iter_mut().zip(color) {
            *v = ((u16::from(*v) * 11 + u16::from(*c) * 9) / 20) as u8;
        }
    }
}

/// Two pixels of colour with a dark pixel on either side, so that it is seen on any picture.
fn frame(picture: &mut RgbImage, b: &Drawn) {
    let (w, h) = (picture.width() as f32, picture.height() as f32);
    let at = |share: f32, whole: f32| (share * whole).round().clamp(0.0, whole - 1.0) as i64;
    let (x0, y0) = (at(b.at.x, w), at(b.at.y, h));
    let (x1, y1) = (at(b.at.x + b.at.width, w), at(b.at.y + b.at.height, h));
    for inset in 0..4 {
        let color = if matches!(inset, 1 | 2) { b.color } else { DARK };
        let (x0, y0, x1, y1) = (x0 + inset - 1, y0 + inset - 1, x1 - inset + 1, y1 - inset + 1);
        if x1 < x0 || y1 < y0 {
            break;
        }
        for x in x0..=x1 {
            dot(picture, x, y0, x, color, b.dashed);
            dot(picture, x, y1, x, color, b.dashed);
        }
        for y in y0..=y1 {
            dot(picture, x0, y, y, color, b.dashed);
            dot(picture, x1, y, y, color, b.dashed);
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

    fn named() -> Vec<Named> {
        ["cat", "dog"]
            .map(|n| Named {
                path: n.to_owned(),
                color: "#000000".to_owned(),
            })
            .into()
    }

    fn at(category: usize, x: f32) -> NetBox {
        NetBox {
            category,
            x,
            y: 0.1,
            width: 0.3,
            height: 0.3,
        }
    }

    #[test]
    fn mistakes_of_boxes_are_counted() {
        let truth = [at(0, 0.1), at(1, 0.6)];
        let said = [(at(0, 0.12), 0.9), (at(0, 0.6), 0.8), (at(1, 0.1), 0.05)];
        let judged = judge_boxes(0, &truth, &said, &named(), &[0.3, 0.3]);
        assert_eq!(judged.truth, "1 cat, 1 dog");
        assert_eq!(judged.said, "2 cat (1 right, 1 wrong, 1 missed)");
        assert!((judged.mistakes - 1.8).abs() < 1e-6);
        let none = judge_boxes(0, &[], &[], &named(), &[0.3, 0.3]);
        assert_eq!((none.said.as_str(), none.mistakes), ("nothing", 0.0));
    }

    #[test]
    fn mistakes_of_categories_are_weighed_by_how_sure_they_were() {
        let one = TrainTask::Classification;
        let wrong = judge_categories(0, one, &[0], &[0.1, 0.9], &named(), &[0.5, 0.5]);
        let torn = judge_categories(0, one, &[0], &[0.45, 0.55], &named(), &[0.5, 0.5]);
        let right = judge_categories(0, one, &[0], &[0.6, 0.4], &named(), &[0.5, 0.5]);
        assert!(wrong.mistakes > torn.mistakes && torn.mistakes > right.mistakes);
        assert_eq!((wrong.said.as_str(), right.mistakes), ("dog (90 %)", 0.0));
    }

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
                at: whole,
                color: RIGHT,
                dashed: false,
            },
            Drawn {
                at: NetBox {
                    width: 0.0,
                    height: 0.0,
                    ..whole
                },
                color: MISSED,
                dashed: true,
            },
        ];
        let jpeg = drawn(&small, &boxes, None).unwrap();
        let back = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((back.width(), back.height()), (480, 320));
    }
}
