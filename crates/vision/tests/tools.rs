//! The tools over pictures whose right answer is known.
#![allow(clippy::unwrap_used, reason = "tests")]

use limn_domain::smart::{Answer, Ask, Sampling, Scribble, Stop};
use limn_domain::{Mask, Point, Rect};
use limn_vision::cut::{Strokes, Window, by_odds, cut};
use limn_vision::superpixels::Superpixels;
use limn_vision::wand::{Wand, connected};
use limn_vision::wire::{Costs, Wire};
use limn_vision::{Edges, Grid, Picture, Scene};
use proptest::prelude::*;

const W: u32 = 160;
const H: u32 = 120;

/// A disc of one colour on a gradient, with a little noise that is the same each time.
fn disc(noise: i32) -> (Vec<u8>, impl Fn(f64, f64) -> bool) {
    let inside = |x: f64, y: f64| (x - 80.0).hypot(y - 60.0) < 36.0;
    let mut seed = 7_u32;
    let mut rgba = Vec::new();
    for y in 0..H {
        for x in 0..W {
            let mut color = if inside(f64::from(x) + 0.5, f64::from(y) + 0.5) {
                [210, 90, 60]
            } else {
                [40 + (x / 4) as i32, 70 + (y / 4) as i32, 110]
            };
            for c in &mut color {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *c += (seed >> 16) as i32 % (2 * noise + 1) - noise;
            }
            rgba.extend(color.map(|c| c.clamp(0, 255) as u8));
            rgba.push(255);
        }
    }
    (rgba, inside)
}

/// Intersection over union of a bitmap over the picture and what is right.
fn iou(bits: &[u8], right: &impl Fn(f64, f64) -> bool) -> f64 {
    let (mut both, mut either) = (0, 0);
    for (i, bit) in bits.iter().enumerate() {
        let (x, y) = (i as u32 % W, i as u32 / W);
        let want = right(f64::from(x) + 0.5, f64::from(y) + 0.5);
        both += u32::from(*bit == 1 && want);
        either += u32::from(*bit == 1 || want);
    }
    f64::from(both) / f64::from(either.max(1))
}

fn bits(mask: &Mask) -> Vec<u8> {
    let mut out = vec![0; (W * H) as usize];
    let pixels = mask.pixels().unwrap();
    for y in 0..mask.height {
        for x in 0..mask.width {
            out[((y + mask.y) * W + x + mask.x) as usize] = pixels[(y * mask.width + x) as usize];
        }
    }
    out
}

fn whole() -> Sampling {
    Sampling {
        x: 0,
        y: 0,
        width: W,
        height: H,
        columns: W,
        rows: H,
        image_width: W,
        image_height: H,
    }
}

fn click(x: f64, y: f64, include: bool) -> Scribble {
    Scribble {
        points: vec![Point::new(x, y)],
        include,
    }
}

fn region(answer: Answer) -> Mask {
    match answer {
        Answer::Region { mask, .. } => mask.unwrap(),
        other @ Answer::Paths { .. } => panic!("{other:?}"),
    }
}

fn wand(scribbles: Vec<Scribble>, tolerance: f64, smooth: bool) -> Ask {
    Ask::Wand {
        scribbles,
        tolerance,
        everywhere: false,
        smooth,
    }
}

#[test]
fn every_tool_finds_the_disc() {
    let (rgba, inside) = disc(6);
    let mut scene = Scene::new(whole(), &rgba).unwrap();
    let found = region(scene.answer(&wand(vec![click(80.0, 60.0, true)], 25.0, true)));
    assert!(
        iou(&bits(&found), &inside) > 0.97,
        "wand {}",
        iou(&bits(&found), &inside)
    );
    let boxed = Ask::Cut {
        frame: Some(Rect::new(36.0, 16.0, 88.0, 90.0)),
        scribbles: vec![],
    };
    let found = region(scene.answer(&boxed));
    assert!(
        iou(&bits(&found), &inside) > 0.97,
        "box {}",
        iou(&bits(&found), &inside)
    );
    // By strokes alone, without a box.
    let stroke = Scribble {
        points: vec![Point::new(60.0, 60.0), Point::new(100.0, 62.0)],
        include: true,
    };
    let told = Ask::Cut {
        frame: None,
        scribbles: vec![stroke, click(10.0, 10.0, false), click(150.0, 110.0, false)],
    };
    let found = region(scene.answer(&told));
    assert!(
        iou(&bits(&found), &inside) > 0.95,
        "strokes {}",
        iou(&bits(&found), &inside)
    );
    // To and fro inside the disc.
    let zigzag = (0..17).flat_map(|i| {
        let dy = f64::from(i) * 4.0 - 32.0;
        let half = (33.0_f64.powi(2) - dy * dy).sqrt();
        [80.0 - half, 80.0 + half].map(|x| Point::new(x, 60.0 + dy))
    });
    let painted = Ask::Superpixels {
        scribbles: vec![Scribble {
            points: zigzag.collect(),
            include: true,
        }],
        grain: 10,
        hover: Some(Point::new(5.0, 5.0)),
    };
    let Answer::Region { mask, hover } = scene.answer(&painted) else {
        panic!("a region")
    };
    let found = bits(&mask.unwrap());
    assert!(
        iou(&found, &inside) > 0.93,
        "superpixels {}",
        iou(&found, &inside)
    );
    assert!(hover.unwrap().contains(Point::new(5.0, 5.0)));
    // Five rough clicks around it.
    let stops: Vec<Stop> = (0..5)
        .map(|i| {
            let a = f64::from(i) * 1.256;
            Stop {
                at: Point::new(80.0 + 38.0 * a.cos(), 60.0 + 34.0 * a.sin()),
                reach: 6.0,
            }
        })
        .collect();
    let legs = (0..5).map(|i| [stops[i], stops[(i + 1) % 5]]).collect();
    let Answer::Paths { paths } = scene.answer(&Ask::Wire { legs }) else {
        panic!("paths")
    };
    for (a, b) in paths.iter().zip(paths.iter().cycle().skip(1)) {
        assert_eq!(a.last(), b.first(), "legs meet");
    }
    let ring: Vec<[f64; 2]> = paths.concat();
    let size = limn_domain::Size {
        width: f64::from(W),
        height: f64::from(H),
    };
    let (parts, _) = limn_domain::polygon::mend(&[vec![ring]], size).unwrap();
    let found = Mask::from_polygon(&parts, size).unwrap();
    assert!(
        iou(&bits(&found), &inside) > 0.95,
        "wire {}",
        iou(&bits(&found), &inside)
    );
}

#[test]
fn what_a_model_says_is_laid_on_the_edges() {
    let (rgba, inside) = disc(6);
    let p = Picture::from_rgba(W, H, &rgba).unwrap();
    let far = |i: usize| (f64::from(i as u32 % W) + 0.5 - 80.0).hypot(f64::from(i as u32 / W) + 0.5 - 60.0);
    // Sure of the middle and of what is far away, and torn about what lies between.
    let odds: Vec<f32> = (0..p.grid.len())
        .map(|i| match far(i) {
            d if d < 28.0 => 2.0,
            d if d > 46.0 => -2.0,
            _ => 0.0,
        })
        .collect();
    let found = by_odds(&p, &odds);
    assert!(iou(&found, &inside) > 0.95, "{}", iou(&found, &inside));
    // A part of it, at every sample a node of its own.
    let area = Window {
        left: 30,
        top: 10,
        right: 120,
        bottom: 90,
    };
    let part = p.cropped(area).unwrap();
    assert_eq!((part.grid.width, part.grid.height), (90, 80));
    let own: Vec<f32> = (0..part.grid.len())
        .map(|i| odds[p.grid.at(i % 90 + 30, i / 90 + 10)])
        .collect();
    let bits = by_odds(&part, &own);
    let same = bits
        .iter()
        .enumerate()
        .filter(|(i, b)| **b == found[p.grid.at(i % 90 + 30, i / 90 + 10)]);
    assert!(same.count() * 100 > bits.len() * 97);
    assert_eq!(by_odds(&part, &odds), vec![0; part.grid.len()]);
    assert!(p.cropped(Window { right: 161, ..area }).is_none());
    assert!(p.cropped(Window { right: 30, ..area }).is_none());
}

#[test]
fn a_coarse_view_answers_in_image_pixels() {
    // Every fourth pixel of an image of 640 x 480 whose left upper part is in view, shifted.
    let (rgba, inside) = disc(3);
    let sampling = Sampling {
        x: 100,
        y: 60,
        width: 480,
        height: 360,
        columns: W,
        rows: H,
        image_width: 640,
        image_height: 480,
    };
    let mut scene = Scene::new(sampling, &rgba).unwrap();
    let at = |x: f64, y: f64| Point::new(100.0 + 3.0 * x, 60.0 + 3.0 * y);
    let seed = Scribble {
        points: vec![at(80.0, 60.0)],
        include: true,
    };
    let mask = region(scene.answer(&wand(vec![seed], 25.0, true)));
    let area = mask.area() as f64;
    let want = std::f64::consts::PI * 108.0 * 108.0;
    assert!((area / want - 1.0).abs() < 0.03, "{area} of {want}");
    for (x, y) in [
        (80.0, 60.0),
        (50.0, 60.0),
        (80.0, 30.0),
        (40.0, 60.0),
        (80.0, 100.0),
    ] {
        assert_eq!(mask.contains(at(x, y)), inside(x, y), "{x} {y}");
    }
    // What lies outside the view counts for nothing.
    let lost = Scribble {
        points: vec![Point::new(5.0, 5.0), Point::new(f64::NAN, 1e300)],
        include: true,
    };
    let nothing = Answer::Region {
        mask: None,
        hover: None,
    };
    assert_eq!(scene.answer(&wand(vec![lost.clone()], 25.0, false)), nothing);
    let cut = Ask::Cut {
        frame: Some(Rect::new(f64::NAN, 0.0, -5.0, f64::INFINITY)),
        scribbles: vec![lost],
    };
    assert_eq!(scene.answer(&cut), nothing);
}

#[test]
fn pixels_that_do_not_fit_are_refused() {
    assert!(Scene::new(whole(), &[0; 12]).is_err());
    let beyond = Sampling { x: 1, ..whole() };
    assert!(Scene::new(beyond, &vec![0; (W * H * 4) as usize]).is_err());
    let finer = Sampling {
        columns: W + 1,
        ..whole()
    };
    assert!(Scene::new(finer, &vec![0; ((W + 1) * H * 4) as usize]).is_err());
}

/// A small picture of random colours from few.
fn pictures() -> impl Strategy<Value = Picture> {
    (3..20_u32, 3..16_u32).prop_flat_map(|(w, h)| {
        prop::collection::vec(0..5_u8, (w * h) as usize).prop_map(move |v| {
            let rgba: Vec<u8> = v
                .iter()
                .flat_map(|c| [c * 50, 200 - c * 40, c * 20, 255])
                .collect();
            Picture::from_rgba(w, h, &rgba).unwrap()
        })
    })
}

fn is_connected(grid: Grid, bits: &[u8]) -> bool {
    let Some(first) = bits.iter().position(|b| *b == 1) else {
        return true;
    };
    connected(grid, bits, &[first]) == bits
}

proptest! {
    #[test]
    fn more_tolerance_is_more(p in pictures(), at in any::<prop::sample::Index>(), t in 0.0..90.0_f64) {
        let seed = at.index(p.grid.len());
        let mut wand = Wand::default();
        let less = wand.region(&p, &[seed], &[], t, false);
        let more = wand.region(&p, &[seed], &[], t + 1.0, false);
        prop_assert!(less.iter().zip(&more).all(|(a, b)| a <= b));
        prop_assert_eq!(less[seed], 1);
        prop_assert!(is_connected(p.grid, &less));
        // Exactly what can be reached over colours within the tolerance; the clicked pixel is always in.
        let mut all = wand.region(&p, &[seed], &[], t, true);
        all[seed] = 1;
        prop_assert_eq!(connected(p.grid, &all, &[seed]), less);
    }

    #[test]
    fn negative_clicks_are_out(p in pictures(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (a, b) = (a.index(p.grid.len()), b.index(p.grid.len()));
        let region = Wand::default().region(&p, &[a], &[b], 60.0, false);
        prop_assert_eq!(region[b], 0);
    }

    #[test]
    fn superpixels_part_the_picture(p in pictures(), grain in 2..8_usize) {
        let s = Superpixels::of(&p, grain);
        prop_assert!(s.labels.iter().all(|l| (*l as usize) < s.count));
        for label in 0..s.count {
            let bits: Vec<u8> = s.labels.iter().map(|l| u8::from(*l as usize == label)).collect();
            prop_assert!(bits.contains(&1));
            prop_assert!(is_connected(p.grid, &bits));
        }
    }

    #[test]
    fn the_way_is_the_cheapest(p in pictures(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let (a, b) = (a.index(p.grid.len()), b.index(p.grid.len()));
        let mut wire = Wire::new(Costs::new(p.grid, Edges::of(&p)));
        let path = wire.path(a, b);
        prop_assert_eq!((path[0], path[path.len() - 1]), (a, b));
        let cost = |way: &[usize]| wire.costs().along(way);
        let (got, straight) = (cost(&path), cost(&p.grid.line(a, b)));
        prop_assert!(got.is_some() && got <= straight, "{:?} {:?}", got, straight);
    }

    #[test]
    fn a_cut_honours_every_stroke(
        p in pictures(),
        marks in prop::collection::btree_map(any::<prop::sample::Index>().prop_map(|i| i.index(200)), any::<bool>(), 0..6),
        boxed in any::<bool>(),
    ) {
        let marks: Vec<(usize, bool)> = marks.into_iter().filter(|(i, _)| *i < p.grid.len()).collect();
        let of = |what: bool| marks.iter().filter(|m| m.1 == what).map(|m| m.0).collect::<Vec<_>>();
        let strokes = Strokes { object: of(true), ground: of(false) };
        let all = Window { left: 0, top: 0, right: p.grid.width, bottom: p.grid.height };
        let bits = cut(&p, boxed.then_some(all), &strokes);
        if boxed || !strokes.object.is_empty() {
            prop_assert!(strokes.object.iter().all(|i| bits[*i] == 1));
        }
        prop_assert!(strokes.ground.iter().all(|i| bits[*i] == 0));
    }
}
