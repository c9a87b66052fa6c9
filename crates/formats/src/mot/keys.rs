//! Boxes on many frames as few keyframes that say the same.

use limn_domain::{Keyframe, Rect, Shape};

/// How far from the line between two keyframes a box may lie, in pixels: what writing numbers as text costs.
const SAME: f64 = 1e-6;

/// A box on a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// From 0.
    pub frame: u32,
    pub rect: Rect,
    pub occluded: bool,
}

fn numbers(r: Rect) -> [f64; 4] {
    [r.x, r.y, r.w, r.h]
}

/// The keyframes of a track: where it begins, changes its way or how it is seen, and where it is gone. `spots` in the order of
/// frames, each frame once.
pub fn keyframes(spots: &[Spot]) -> Vec<Keyframe> {
    let mut out = Vec::new();
    let key = |s: &Spot, frame: u32, outside: bool| Keyframe {
        frame,
        shape: Shape::Box { rect: s.rect },
        outside,
        occluded: s.occluded && !outside,
    };
    let mut rest = spots;
    while !rest.is_empty() {
        // Frames one after another.
        let n = rest
            .windows(2)
            .position(|w| w[1].frame != w[0].frame + 1)
            .map_or(rest.len(), |n| n + 1);
        let (run, later) = rest.split_at(n);
        rest = later;
        let mut at = 0;
        loop {
            out.push(key(&run[at], run[at].frame, false));
            let end = straight(&run[at..]) + at;
            if end == at || end + 1 == run.len() {
                if end > at {
                    out.push(key(&run[end], run[end].frame, false));
                }
                if end + 1 >= run.len() {
                    break;
                }
            }
            at = if end == at { at + 1 } else { end };
        }
        let last = &run[n - 1];
        out.push(key(last, last.frame + 1, true));
    }
    out
}

/// How many boxes on from the first lie on one line with it, none of them seen otherwise.
fn straight(run: &[Spot]) -> usize {
    let [first, second, ..] = run else { return 0 };
    let (from, to) = (numbers(first.rect), numbers(second.rect));
    let step: Vec<f64> = from.iter().zip(to).map(|(a, b)| b - a).collect();
    let fits = |(n, s): &(usize, &Spot)| {
        let now = numbers(s.rect);
        let near = (0..4).all(|i| (from[i] + step[i] * *n as f64 - now[i]).abs() <= SAME);
        near && s.occluded == first.occluded
    };
    run.iter().enumerate().skip(1).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::track;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keyframes_say_what_every_frame_said(
            list in prop::collection::vec((0_u8..4, 0_u8..3, any::<bool>(), any::<bool>()), 1..60)
        ) {
            // Steps repeat often, so that there are lines to be found.
            let (mut rect, mut spots) = (Rect::new(10.0, 10.0, 20.0, 20.0), Vec::new());
            for (frame, (dx, dy, there, occluded)) in (0..).zip(list) {
                rect = Rect::new(rect.x + f64::from(dx / 2), rect.y + f64::from(dy / 2) * 0.5, rect.w, rect.h);
                if there {
                    spots.push(Spot { frame, rect, occluded });
                }
            }
            let keys = keyframes(&spots);
            if spots.is_empty() {
                return Ok(());
            }
            prop_assert_eq!(track::check(&keys, 100), Ok(()), "{:?}", keys);
            for frame in 0..70 {
                let want = spots.iter().find(|s| s.frame == frame);
                let seen = track::at(&keys, frame);
                prop_assert_eq!(seen.is_some(), want.is_some(), "frame {} of {:?}", frame, keys);
                if let (Some(seen), Some(want)) = (seen, want) {
                    prop_assert_eq!(seen.occluded, want.occluded);
                    let Shape::Box { rect } = seen.shape else { panic!() };
                    for (a, b) in numbers(rect).into_iter().zip(numbers(want.rect)) {
                        prop_assert!((a - b).abs() < 1e-5);
                    }
                }
            }
        }
    }

    #[test]
    fn a_straight_way_has_two_keyframes() {
        let spots: Vec<Spot> = (5..25)
            .map(|frame| Spot {
                frame,
                rect: Rect::new(f64::from(frame) * 0.1, 3.0, 4.0, 5.0),
                occluded: false,
            })
            .collect();
        let keys = keyframes(&spots);
        let frames: Vec<_> = keys.iter().map(|k| (k.frame, k.outside)).collect();
        assert_eq!(frames, [(5, false), (24, false), (25, true)]);
    }
}
