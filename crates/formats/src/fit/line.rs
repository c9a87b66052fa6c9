//! Lines of a file in the frame of the picture: cut at its border.

use super::{Fit, Placed, SLACK};
use limn_domain::polygon::Vertex;
use limn_domain::{Point, Shape, Size};

impl Fit {
    /// A line that leaves the image is cut where it does; of several pieces the longest stays.
    pub(super) fn place_line(&self, points: &[Vertex]) -> Placed {
        // Faults of the points, and all lines that lie inside.
        let placed = self.place_points(points, 2, |points| Shape::Polyline { points });
        if !matches!(placed, Placed::Other { fixed: Some(_), .. }) {
            return placed;
        }
        let own: Vec<Point> = points
            .iter()
            .map(|[x, y]| self.map_point(Point::new(*x, *y)))
            .collect();
        let pieces = pieces(&own, self.actual);
        let several = pieces.len() > 1;
        let mut best: Option<(f64, Vec<Vertex>)> = None;
        for piece in pieces {
            let length = length(&piece);
            if length > best.as_ref().map_or(0.0, |(most, _)| *most) {
                best = Some((length, piece));
            }
        }
        let Some((_, points)) = best else {
            return Placed::Refused("line_outside", "the line lies outside the image");
        };
        Placed::Other {
            shape: Shape::Polyline { points },
            fixed: Some(if several { "line_pieces" } else { "line_clipped" }),
        }
    }
}

fn length(piece: &[Vertex]) -> f64 {
    let pairs = piece.iter().zip(piece.iter().skip(1));
    pairs.map(|([ax, ay], [bx, by])| (bx - ax).hypot(by - ay)).sum()
}

/// What of the line lies in the image, in its order; a piece that only touches the border, or has no finite length, is
/// none.
fn pieces(points: &[Point], size: Size) -> Vec<Vec<Vertex>> {
    let mut out: Vec<Vec<Vertex>> = Vec::new();
    // Whether the last piece ends where the next side begins.
    let mut goes_on = false;
    for (a, b) in points.iter().zip(points.iter().skip(1)) {
        let Some((from, to)) = inside(*a, *b, size) else {
            goes_on = false;
            continue;
        };
        let at = |t: f64| {
            // The ends as they are, to the last digit.
            let [x, y] = if t == 0.0 {
                [a.x, a.y]
            } else if t == 1.0 {
                [b.x, b.y]
            } else {
                [a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)]
            };
            [x.clamp(0.0, size.width), y.clamp(0.0, size.height)]
        };
        let (start, end) = (at(from), at(to));
        if goes_on
            && from == 0.0
            && let Some(piece) = out.last_mut()
        {
            piece.push(end);
        } else {
            out.push(vec![start, end]);
        }
        goes_on = to == 1.0;
    }
    out.retain(|piece| length(piece) > SLACK);
    out
}

/// From where to where a side lies in the image, as shares of it (Liang and Barsky).
fn inside(a: Point, b: Point, size: Size) -> Option<(f64, f64)> {
    let (mut from, mut to) = (0.0_f64, 1.0_f64);
    for (start, step, most) in [(a.x, b.x - a.x, size.width), (a.y, b.y - a.y, size.height)] {
        if step == 0.0 {
            if start < 0.0 || start > most {
                return None;
            }
            continue;
        }
        let (t, u) = ((0.0 - start) / step, (most - start) / step);
        from = from.max(t.min(u));
        to = to.min(t.max(u));
    }
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(points: &[Vertex]) -> Placed {
        Fit::new(None, (100.0, 50.0), 1, false).place_line(points)
    }

    fn line(placed: Placed) -> (Vec<Vertex>, Option<&'static str>) {
        match placed {
            Placed::Other {
                shape: Shape::Polyline { points },
                fixed,
            } => (points, fixed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_line_is_cut_where_it_leaves_the_image() {
        let whole = [[1.0, 2.0], [99.5, 50.0]];
        assert_eq!(line(place(&whole)), (whole.to_vec(), None));
        // Corner by corner it would end at [100, 20].
        assert_eq!(
            line(place(&[[50.0, 0.0], [150.0, 20.0]])),
            (vec![[50.0, 0.0], [100.0, 10.0]], Some("line_clipped"))
        );
        // Both ends outside.
        assert_eq!(
            line(place(&[[-10.0, 25.0], [110.0, 25.0]])),
            (vec![[0.0, 25.0], [100.0, 25.0]], Some("line_clipped"))
        );
        assert_eq!(
            line(place(&[[10.0, -10.0], [10.0, 10.0], [20.0, 10.0], [20.0, 70.0]])),
            (
                vec![[10.0, 0.0], [10.0, 10.0], [20.0, 10.0], [20.0, 50.0]],
                Some("line_clipped")
            )
        );
    }

    #[test]
    fn of_several_pieces_the_longest_stays() {
        let points = [[10.0, 10.0], [10.0, -10.0], [40.0, -10.0], [40.0, 30.0]];
        assert_eq!(
            line(place(&points)),
            (vec![[40.0, 0.0], [40.0, 30.0]], Some("line_pieces"))
        );
    }

    #[test]
    fn what_is_nowhere_in_the_image_is_refused() {
        for points in [
            vec![[-5.0, -5.0], [-5.0, 60.0]],
            // Past a corner, and touching one.
            vec![[-10.0, 5.0], [5.0, -10.0]],
            vec![[-10.0, 10.0], [10.0, -10.0]],
        ] {
            assert!(
                matches!(place(&points), Placed::Refused("line_outside", _)),
                "{points:?}"
            );
        }
        let far = place(&[[1.0, 1.0], [f64::MAX, f64::MAX], [-f64::MAX, 1.0]]);
        assert!(!matches!(far, Placed::Whole), "no panic");
    }
}
