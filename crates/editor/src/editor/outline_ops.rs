//! What can be done to the selected outlines and masks.

use super::Editor;
use crate::command::Command;
use limn_domain::polygon::{self, Part};
use limn_domain::{Mask, Shape};

/// Groups of at most this many pixels are specks, and gaps of at most this many are small holes.
const SPECK: u64 = 64;

impl Editor {
    /// A tolerance in image pixels: the one given, else a pixel of the screen.
    pub(super) fn tolerance(&self, given: Option<f64>) -> f64 {
        given.unwrap_or_else(|| (1.0 / self.view.scale()).clamp(0.2, 4.0))
    }

    /// The selected polygons with fewer corners; nothing of an outline moves by more than `tolerance` image pixels, a screen
    /// pixel when there is none. At 0 only corners go that lie in a straight line.
    pub fn simplify_selected(&mut self, tolerance: Option<f64>) -> bool {
        let tolerance = self.tolerance(tolerance);
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

    /// Selected polygons become the masks of the pixels they cover, selected masks polygons of which nothing lies farther than
    /// `tolerance` image pixels from the border of the pixels: at 0 those are exactly the same.
    pub fn convert_selected(&mut self, tolerance: f64) -> bool {
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
                        let border = mask.to_polygon();
                        let border = if tolerance > 0.0 {
                            polygon::simplified(&border, tolerance)
                        } else {
                            border
                        };
                        let (parts, _) = polygon::mend(&border, size).ok()?;
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
