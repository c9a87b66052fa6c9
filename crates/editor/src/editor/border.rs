//! Borders of neighbours: corners snap to them, and between two corners on one border the outline follows it, so that shared
//! sides have no gap.

use super::{Editor, PointerKind};
use limn_domain::polygon::{self, Ring};
use limn_domain::{AnnotationId, Point, Rect, Shape};

/// A place on the border of a polygon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    id: AnnotationId,
    part: usize,
    ring: usize,
    /// The side that begins at this corner.
    side: usize,
    pub point: Point,
}

impl Border {
    fn same_ring(&self, other: &Self) -> bool {
        (self.id, self.part, self.ring) == (other.id, other.part, other.ring)
    }
}

/// The corners between two places on a ring, on the shorter way.
fn between(ring: &Ring, from: &Border, to: &Border) -> Vec<Point> {
    let n = ring.len();
    let corner = |i: usize| Point::new(ring[i % n][0], ring[i % n][1]);
    // Onwards from the end of the first side to the beginning of the second, or back the other way. On one side it depends
    // on which place comes first; one of the two ways is then empty.
    let ahead =
        from.side == to.side && corner(from.side).distance(from.point) > corner(to.side).distance(to.point);
    let steps = (to.side + n - from.side) % n;
    let onwards: Vec<Point> = (0..if ahead { n } else { steps })
        .map(|k| corner(from.side + 1 + k))
        .collect();
    let steps = (from.side + n - to.side) % n;
    let turned = from.side == to.side && !ahead;
    let back: Vec<Point> = (0..if turned { n } else { steps })
        .map(|k| corner(from.side + n - k))
        .collect();
    let length = |way: &[Point]| {
        let all = std::iter::once(from.point)
            .chain(way.iter().copied())
            .chain(std::iter::once(to.point));
        let all: Vec<Point> = all.collect();
        all.windows(2).map(|w| w[0].distance(w[1])).sum::<f64>()
    };
    let mut way = if length(&onwards) <= length(&back) {
        onwards
    } else {
        back
    };
    way.retain(|p| *p != from.point && *p != to.point);
    way
}

impl Editor {
    /// Whether corners snap to the borders of other outlines.
    pub const fn snaps_to_borders(&self) -> bool {
        self.borders
    }

    pub fn set_snaps_to_borders(&mut self, on: bool) {
        self.borders = on;
        self.epochs.look += 1;
    }

    /// The nearest corner, else the nearest point of a side, of an outline that shows; `but` is left out.
    pub(super) fn border_at(
        &self,
        at: Point,
        kind: PointerKind,
        but: Option<AnnotationId>,
    ) -> Option<Border> {
        if !self.borders {
            return None;
        }
        let (reach, _) = self.reach(kind);
        let window = Rect::new(at.x - reach, at.y - reach, 2.0 * reach, 2.0 * reach);
        // Corners win over sides a bit farther off.
        let mut best: Option<(f64, Border)> = None;
        for a in self.doc.near(window) {
            let Shape::Polygon { parts } = &a.shape else {
                continue;
            };
            if Some(a.id) == but || !self.layers.is_visible(a) {
                continue;
            }
            for (part, rings) in parts.iter().enumerate() {
                for (ring, corners) in rings.iter().enumerate() {
                    for side in 0..corners.len() {
                        let (v, w) = (corners[side], corners[(side + 1) % corners.len()]);
                        let (a_, b_) = (Point::new(v[0], v[1]), Point::new(w[0], w[1]));
                        let on = polygon::nearest_on(a_, b_, at);
                        let corner = a_.distance(at);
                        let (far, point) = if corner <= reach {
                            (corner / 2.0, a_)
                        } else {
                            (on.distance(at), on)
                        };
                        if far <= reach && best.is_none_or(|(d, _)| far < d) {
                            let border = Border {
                                id: a.id,
                                part,
                                ring,
                                side,
                                point,
                            };
                            best = Some((far, border));
                        }
                    }
                }
            }
        }
        best.map(|(_, b)| b)
    }

    /// The corners of the border that two of its places have between them; none when they are on different ones.
    pub(super) fn border_between(&self, from: Option<Border>, to: Option<Border>) -> Vec<Point> {
        let (Some(from), Some(to)) = (from, to) else {
            return Vec::new();
        };
        let ring = match self.doc.get(from.id).map(|a| &a.shape) {
            Some(Shape::Polygon { parts }) if from.same_ring(&to) => {
                parts.get(from.part).and_then(|p| p.get(from.ring))
            }
            _ => None,
        };
        ring.map(|ring| between(ring, &from, &to)).unwrap_or_default()
    }
}
