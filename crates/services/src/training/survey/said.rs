//! What labels say of a picture for a task.

use crate::training::areas::is_area;
use crate::training::port::{NetBox, TrainTask};
use limn_domain::{Shape, Source};
use limn_versions::object::Labels;
use std::collections::{BTreeSet, HashMap};

/// What is said of a picture, by the place of the category in the schema.
pub(super) enum Said<'a> {
    Categories(BTreeSet<usize>),
    Boxes {
        boxes: Vec<NetBox>,
        outlined: i64,
    },
    /// Categories with what they cover, the lowest first.
    Areas(Vec<(usize, Shape)>),
    /// Objects with what each covers, and how many there are of which nobody said what they cover.
    Objects {
        areas: Vec<(usize, &'a Shape)>,
        bare: i64,
    },
}

/// What is said of a picture of this size for a task; `None` when nothing is. Proposals are no labels.
pub(super) fn said<'a>(
    task: TrainTask,
    size: (u32, u32),
    labels: &'a Labels,
    places: &HashMap<String, usize>,
) -> Option<Said<'a>> {
    // With the places of their categories.
    let own = labels.labels.iter().filter(|l| l.source != Source::Prelabel);
    let own = own.filter_map(|l| Some((*places.get(&l.category)?, &l.shape)));
    match task {
        TrainTask::Detection => {
            let mut outlined = 0;
            let boxes: Vec<NetBox> = own
                .filter_map(|(category, shape)| {
                    let found = boxed(shape, size, category)?;
                    outlined += i64::from(!matches!(shape, Shape::Box { .. }));
                    Some(found)
                })
                .collect();
            // Nothing but whole categories is of another task; nothing at all is an example of nothing.
            let other = labels.labels.iter().any(|l| matches!(l.shape, Shape::Whole));
            (!boxes.is_empty() || !other).then_some(Said::Boxes { boxes, outlined })
        }
        TrainTask::InstanceSegmentation => {
            let found = own.filter(|(category, shape)| boxed(shape, size, *category).is_some());
            let (areas, bare): (Vec<_>, Vec<_>) = found.partition(|(_, shape)| is_area(shape));
            let bare = bare.len() as i64;
            // Whatever else is said of it is of other tasks; nothing at all is an example of nothing.
            let any = !areas.is_empty() || labels.labels.is_empty();
            any.then_some(Said::Objects { areas, bare })
        }
        TrainTask::Segmentation => {
            let areas = own.filter(|(_, shape)| is_area(shape));
            let areas: Vec<(usize, Shape)> = areas.map(|(c, shape)| (c, shape.clone())).collect();
            (!areas.is_empty()).then_some(Said::Areas(areas))
        }
        TrainTask::Classification | TrainTask::Multilabel => {
            let whole = own.filter(|(_, shape)| matches!(shape, Shape::Whole));
            let categories: BTreeSet<usize> = whole.map(|(c, _)| c).collect();
            (!categories.is_empty()).then_some(Said::Categories(categories))
        }
    }
}

/// The box around a shape in pixels, as shares of the picture. Points, lines and tracks have none worth learning.
pub(crate) fn boxed(shape: &Shape, (width, height): (u32, u32), category: usize) -> Option<NetBox> {
    let is_area = matches!(
        shape,
        Shape::Box { .. }
            | Shape::RotatedBox { .. }
            | Shape::Polygon { .. }
            | Shape::Mask { .. }
            | Shape::Ellipse { .. }
            | Shape::Keypoints { .. }
    );
    let rect = shape.bounds().filter(|_| is_area)?;
    let (w, h) = (f64::from(width), f64::from(height));
    let clip = |v: f64, most: f64| v.clamp(0.0, most);
    let (x0, y0) = (clip(rect.x, w), clip(rect.y, h));
    let (x1, y1) = (clip(rect.x + rect.w, w), clip(rect.y + rect.h, h));
    (x1 > x0 && y1 > y0).then(|| NetBox {
        category,
        x: (x0 / w) as f32,
        y: (y0 / h) as f32,
        width: ((x1 - x0) / w) as f32,
        height: ((y1 - y0) / h) as f32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::{Attributes, Rect};
    use limn_versions::object::Label;

    #[test]
    fn objects_are_what_is_outlined_and_nothing_at_all_is_an_example_too() {
        let label = |shape: &Shape, source| Label {
            category: "cat".to_owned(),
            shape: shape.clone(),
            source,
            score: None,
            attributes: Attributes::new(),
            group: None,
            relations: Vec::new(),
        };
        let rect = Rect {
            x: 1.0,
            y: 1.0,
            w: 4.0,
            h: 4.0,
        };
        let outline = |x: f64| Shape::Polygon {
            parts: vec![vec![vec![[x, 1.0], [x + 4.0, 1.0], [x + 4.0, 5.0]]]],
        };
        let bare = label(&Shape::Box { rect }, Source::Human);
        let drawn = label(&outline(1.0), Source::Human);
        let outside = label(&outline(90.0), Source::Human);
        let proposed = label(&outline(1.0), Source::Prelabel);
        let places: HashMap<String, usize> = [("cat".to_owned(), 3)].into();
        // Places of the categories of objects, and how many have no outline.
        let counts = |list: &[&Label]| {
            let labels = Labels {
                labels: list.iter().map(|l| (*l).clone()).collect(),
                ..Labels::default()
            };
            match said(TrainTask::InstanceSegmentation, (20, 10), &labels, &places)? {
                Said::Objects { areas, bare } => {
                    Some((areas.iter().map(|a| a.0).collect::<Vec<usize>>(), bare))
                }
                _ => panic!("objects"),
            }
        };
        assert_eq!(counts(&[&bare, &drawn, &outside, &proposed]), Some((vec![3], 1)));
        assert_eq!(counts(&[]), Some((vec![], 0)));
        for other in [&bare, &outside, &proposed] {
            assert_eq!(counts(&[other]), None);
        }
    }
}
