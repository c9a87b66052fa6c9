//! What can be done to the selected outlines and masks.

use super::Editor;
use crate::command::Command;
use limn_domain::polygon::{self, Combine, Part};
use limn_domain::{Annotation, Mask, Shape};

/// Groups of at most this many pixels are specks, and gaps of at most this many are small holes.
const SPECK: u64 = 64;

impl Editor {
    /// The selected polygons as one object, of the category and at the place of the lowest.
    pub fn join_selected(&mut self) -> bool {
        let list: Vec<&Annotation> = self
            .editable()
            .into_iter()
            .filter_map(|id| self.doc.get(id))
            .filter(|a| matches!(a.shape, Shape::Polygon { .. }))
            .collect();
        let [first, rest @ ..] = list.as_slice() else {
            return false;
        };
        if rest.is_empty() {
            return false;
        }
        let mut all: Vec<Part> = Vec::new();
        for a in &list {
            if let Shape::Polygon { parts } = &a.shape {
                all = polygon::combine(&all, parts, Combine::Union);
            }
        }
        let (keep, gone) = (first.id, rest.iter().map(|a| a.id).collect());
        let Ok((parts, _)) = polygon::mend(&all, self.doc.size()) else {
            return false;
        };
        self.run(Command::Reshape(vec![(keep, Shape::Polygon { parts })], gone))
    }

    /// The selected polygons with fewer corners; nothing moves by more than a screen pixel.
    pub fn simplify_selected(&mut self) -> bool {
        let tolerance = (1.0 / self.view.scale()).clamp(0.2, 4.0);
        let size = self.doc.size();
        let list = self
            .editable()
            .into_iter()
            .filter_map(|id| match &self.doc.get(id)?.shape {
                Shape::Polygon { parts } => {
                    let (parts, _) = polygon::mend(&polygon::simplified(parts, tolerance), size).ok()?;
                    Some((id, Shape::Polygon { parts }))
                }
                _ => None,
            })
            .collect();
        self.run(Command::Reshape(list, Vec::new()))
    }

    /// Selected polygons become masks, selected masks polygons: the pixels stay the same.
    pub fn convert_selected(&mut self) -> bool {
        let size = self.doc.size();
        let list = self
            .editable()
            .into_iter()
            .filter_map(|id| {
                let shape = match &self.doc.get(id)?.shape {
                    Shape::Polygon { parts } => Shape::Mask {
                        mask: Mask::from_polygon(parts, size)?,
                    },
                    Shape::Mask { mask } => {
                        let (parts, _) = polygon::mend(&mask.to_polygon(), size).ok()?;
                        Shape::Polygon { parts }
                    }
                    _ => return None,
                };
                Some((id, shape))
            })
            .collect();
        self.run(Command::Reshape(list, Vec::new()))
    }

    /// The selected outlines and masks without their holes.
    pub fn fill_holes_selected(&mut self) -> bool {
        self.change_outlines(
            |parts| polygon::without_holes(parts, f64::INFINITY),
            |mask| mask.without_holes(u64::MAX),
        )
    }

    /// The selected outlines and masks without specks and small holes; their largest part stays.
    pub fn clean_selected(&mut self) -> bool {
        self.change_outlines(
            |parts| polygon::without_holes(&polygon::without_specks(parts, SPECK as f64), SPECK as f64),
            |mask| mask.without_specks(SPECK).without_holes(SPECK),
        )
    }

    fn change_outlines(
        &mut self,
        of_polygon: impl Fn(&[Part]) -> Vec<Part>,
        of_mask: impl Fn(&Mask) -> Mask,
    ) -> bool {
        let list = self
            .editable()
            .into_iter()
            .filter_map(|id| match &self.doc.get(id)?.shape {
                Shape::Polygon { parts } => Some((
                    id,
                    Shape::Polygon {
                        parts: of_polygon(parts),
                    },
                )),
                Shape::Mask { mask } => Some((id, Shape::Mask { mask: of_mask(mask) })),
                _ => None,
            })
            .collect();
        self.run(Command::Reshape(list, Vec::new()))
    }
}
