//! What lies under the pointer: handles of the selection first, then edges, then the smallest box around the point.

use crate::document::Document;
use crate::layers::Layers;
use crate::shape::{self, Corner};
use limn_domain::{Annotation, AnnotationId, Point, Rect, Shape, TurnedRect};

/// One of the eight grips of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    TopLeft,
    Top,
    TopRight,
    Right,
    BottomRight,
    Bottom,
    BottomLeft,
    Left,
}

impl Handle {
    /// Corners first, so that they win over the sides of a small box.
    pub const ALL: [Self; 8] = [
        Self::TopLeft,
        Self::TopRight,
        Self::BottomRight,
        Self::BottomLeft,
        Self::Top,
        Self::Right,
        Self::Bottom,
        Self::Left,
    ];

    /// Which edges it moves: -1 left or top, 1 right or bottom, 0 neither.
    pub const fn sides(self) -> (i8, i8) {
        match self {
            Self::TopLeft => (-1, -1),
            Self::Top => (0, -1),
            Self::TopRight => (1, -1),
            Self::Right => (1, 0),
            Self::BottomRight => (1, 1),
            Self::Bottom => (0, 1),
            Self::BottomLeft => (-1, 1),
            Self::Left => (-1, 0),
        }
    }

    /// Where it sits on a box.
    pub fn at(self, r: Rect) -> Point {
        let (sx, sy) = self.sides();
        let along = |s: i8, start: f64, len: f64| start + len * f64::from(s + 1) / 2.0;
        Point::new(along(sx, r.x, r.w), along(sy, r.y, r.h))
    }
}

/// What was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    Handle(AnnotationId, Handle),
    /// The grip above a box or ellipse that turns it.
    Turn(AnnotationId),
    /// A corner of a polygon, a point of a line or of a skeleton.
    Corner(AnnotationId, Corner),
    /// The middle of the side that begins at a corner, where another can be pulled out.
    Middle(AnnotationId, Corner),
    Edge(AnnotationId),
    Inside(AnnotationId),
}

impl Hit {
    pub const fn id(self) -> AnnotationId {
        match self {
            Self::Handle(id, _)
            | Self::Turn(id)
            | Self::Corner(id, _)
            | Self::Middle(id, _)
            | Self::Edge(id)
            | Self::Inside(id) => id,
        }
    }
}

/// Distance from a point to a box's outline.
pub fn edge_distance(r: Rect, p: Point) -> f64 {
    let dx = (r.x - p.x).max(p.x - r.right());
    let dy = (r.y - p.y).max(p.y - r.bottom());
    if dx <= 0.0 && dy <= 0.0 {
        -dx.max(dy)
    } else {
        dx.max(0.0).hypot(dy.max(0.0))
    }
}

/// The grip of `rect` within `reach` of `p` (image pixels). Sides of a box too small to tell apart give way to corners.
pub fn handle_at(rect: Rect, p: Point, reach: f64) -> Option<Handle> {
    Handle::ALL
        .into_iter()
        .filter(|h| match h.sides() {
            (0, _) => rect.w >= 4.0 * reach,
            (_, 0) => rect.h >= 4.0 * reach,
            _ => true,
        })
        .map(|h| (h, h.at(rect).distance(p)))
        .filter(|(_, d)| *d <= reach)
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(h, _)| h)
}

/// Where the grip sits that turns a box: `out` image pixels above the middle of its top.
pub fn turn_grip(rect: TurnedRect, out: f64) -> Point {
    rect.to_image(Point::new(0.0, -rect.h / 2.0 - out))
}

/// Which points of a shape show as grips. The others cannot be taken hold of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    All,
    /// Those that lie no farther than `reach` image pixels from a place.
    Near {
        at: Point,
        reach: f64,
    },
    Nothing,
}

impl Shown {
    /// Whether a point at `p` is one of them.
    pub fn has(self, p: Point) -> bool {
        match self {
            Self::All => true,
            Self::Near { at, reach } => at.distance(p) <= reach,
            Self::Nothing => false,
        }
    }
}

/// The grip of a shape within `reach` of `p`, of those that are `shown`; `turn` says how far out the grip that turns it sits, if
/// it shows.
pub(crate) fn grip(
    id: AnnotationId,
    shape: &Shape,
    p: Point,
    reach: f64,
    turn: Option<f64>,
    shown: Shown,
) -> Option<Hit> {
    if let Some(rect) = shape::turned_rect(shape) {
        if turn.is_some_and(|out| turn_grip(rect, out).distance(p) <= reach) {
            return Some(Hit::Turn(id));
        }
        let own = Rect::new(-rect.w / 2.0, -rect.h / 2.0, rect.w, rect.h);
        return handle_at(own, rect.to_own(p), reach).map(|h| Hit::Handle(id, h));
    }
    let nearest = |list: &mut dyn Iterator<Item = (Corner, Point)>| {
        list.filter(|(_, at)| shown.has(*at))
            .map(|(c, at)| (c, at.distance(p)))
            .filter(|(_, d)| *d <= reach)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(c, _)| c)
    };
    if let Some(c) = nearest(&mut shape::vertices(shape).into_iter()) {
        return Some(Hit::Corner(id, c));
    }
    let mut long = shape::sides(shape)
        .into_iter()
        .filter(|(_, _, side)| *side >= 4.0 * reach)
        .map(|(c, at, _)| (c, at));
    nearest(&mut long).map(|c| Hit::Middle(id, c))
}

/// Whether `a` is hit before `b` at the same distance: the smaller box, then the higher one.
fn before(a: (&Annotation, Rect), b: (&Annotation, Rect)) -> std::cmp::Ordering {
    a.1.area()
        .total_cmp(&b.1.area())
        .then_with(|| (b.0.z, b.0.id).cmp(&(a.0.z, a.0.id)))
}

/// What lies at `p` (image pixels), grips aside; `slack` is the tolerance for edges, in image pixels. Hidden and locked shapes are
/// never hit.
pub fn hit(doc: &Document, layers: &Layers, p: Point, slack: f64) -> Option<Hit> {
    let mut edge: Option<(f64, &Annotation, Rect)> = None;
    let mut inside: Option<(&Annotation, Rect)> = None;
    let near = Rect::new(p.x - slack, p.y - slack, 2.0 * slack, 2.0 * slack);
    for a in doc.near(near) {
        let Some(r) = doc.bounds(a.id).filter(|_| layers.can_edit(a)) else {
            continue;
        };
        let (d, within) = shape::place_of(&a.shape, p);
        if d <= slack
            && edge.is_none_or(|(e, b, br)| d.total_cmp(&e).then_with(|| before((a, r), (b, br))).is_lt())
        {
            edge = Some((d, a, r));
        }
        if within && inside.is_none_or(|i| before((a, r), i).is_lt()) {
            inside = Some((a, r));
        }
    }
    // A small box under the pointer wins over the edge of a larger one that it lies on.
    match (edge, inside) {
        (Some((_, e, er)), Some((i, ir))) if i.id != e.id && before((i, ir), (e, er)).is_lt() => {
            Some(Hit::Inside(i.id))
        }
        (Some((_, e, _)), _) => Some(Hit::Edge(e.id)),
        (None, Some((i, _))) => Some(Hit::Inside(i.id)),
        (None, None) => None,
    }
}
