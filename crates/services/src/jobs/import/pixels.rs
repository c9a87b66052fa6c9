//! Labels of a file in semantic segmentation: one mask a category, no pixel with two.

use super::place::Label;
use limn_domain::{Mask, Shape};

/// What became of the labels of an item.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Merged {
    /// Labels that went into the mask that their category had.
    pub joined: u64,
    /// Masks that lost pixels to one that lies above.
    pub covered: u64,
}

fn mask_of(label: &Label) -> Option<&Mask> {
    match &label.shape {
        Shape::Mask { mask } => Some(mask),
        _ => None,
    }
}

/// The pixels of all labels of a category as one of them, those that come later above those before. What is so already stays to the
/// last run.
pub(super) fn apart(list: Vec<Label>) -> (Vec<Label>, Merged) {
    let mut out: Vec<Label> = Vec::with_capacity(list.len());
    let mut merged = Merged::default();
    for label in list {
        let Some(mask) = mask_of(&label).cloned() else {
            out.push(label);
            continue;
        };
        out.retain_mut(|below| {
            let own = mask_of(below)
                .filter(|m| below.category_id != label.category_id && m.window().intersects(mask.window()));
            let Some(own) = own else { return true };
            let left = own.subtract(&mask);
            if left.as_ref().map(Mask::area) == Some(own.area()) {
                return true;
            }
            merged.covered += 1;
            match left {
                Some(left) => {
                    below.shape = Shape::Mask { mask: left };
                    true
                }
                None => false,
            }
        });
        let own = out
            .iter()
            .position(|l| l.category_id == label.category_id && mask_of(l).is_some());
        let both = own.and_then(|n| Some((n, mask_of(out.get(n)?)?.union(&mask)?)));
        if let Some((n, both)) = both
            && let Some(own) = out.get_mut(n)
        {
            merged.joined += 1;
            own.shape = Shape::Mask { mask: both };
            // Only as sure as the least sure of it.
            own.score = own.score.zip(label.score).map(|(a, b)| a.min(b));
        } else {
            out.push(label);
        }
    }
    (out, merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::{Attributes, CategoryId};

    fn label(category_id: CategoryId, x: u32, width: u32) -> Label {
        let mask = Mask::from_pixels(x, 0, width, 10, &vec![1; width as usize * 10]).unwrap_or_default();
        Label {
            category_id,
            shape: Shape::Mask { mask },
            score: None,
            attributes: Attributes::new(),
            links: None,
        }
    }

    fn areas(list: &[Label]) -> Vec<u64> {
        list.iter().filter_map(mask_of).map(Mask::area).collect()
    }

    #[test]
    fn later_labels_lie_above_and_a_category_has_one_mask() {
        let (road, car) = (CategoryId::new(), CategoryId::new());
        let list = vec![
            label(road, 0, 20),
            label(car, 5, 10),
            label(road, 30, 10),
            label(car, 12, 5),
        ];
        let (out, merged) = apart(list);
        assert_eq!(out.iter().map(|l| l.category_id).collect::<Vec<_>>(), [road, car]);
        assert_eq!(areas(&out), [180, 120]);
        assert_eq!((merged.joined, merged.covered), (2, 2));
        let [Some(a), Some(b)] = [0, 1].map(|n| out.get(n).and_then(mask_of)) else {
            panic!("two masks")
        };
        assert_eq!(a.intersect(b), None);
    }

    #[test]
    fn what_is_apart_stays_and_what_is_covered_goes() {
        let (road, car) = (CategoryId::new(), CategoryId::new());
        let list = vec![label(road, 0, 20), label(car, 20, 10)];
        assert_eq!(apart(list.clone()), (list, Merged::default()));
        let (out, merged) = apart(vec![label(road, 5, 5), label(car, 0, 20)]);
        assert_eq!((areas(&out), merged.covered), (vec![200], 1));
    }
}
