//! Semantic segmentation: no edit puts pixels of one category on those of another.
//!
//! What lies so already (labels that were imported beside others) is no reason to refuse an edit of something else: only pixels that
//! an edit claims anew count.

use super::check::at;
use crate::{Error, Result};
use limn_domain::annotation::SaveChange;
use limn_domain::{Annotation, AnnotationId, ItemId, Mask};
use limn_store::Tx;
use limn_store::repo::annotation;
use std::collections::BTreeMap;

/// What comparing masks may cost for one edit: runs and columns gone through. An edit beyond that is taken as it is, and drawing order
/// decides as with imports.
const WORK: usize = 16 << 20;

/// Pixels that an edit gives a second category.
#[derive(Debug, PartialEq, Eq)]
struct Overlap {
    /// The place in the upserts.
    n: usize,
    /// Whose pixels they are.
    other: AnnotationId,
    pixels: u64,
}

/// Refuses an edit after which pixels have two categories that had not. Its shapes are checked already.
pub(super) async fn check(tx: &mut Tx, item: ItemId, change: &SaveChange) -> Result<()> {
    if change.upserts.iter().all(|a| a.claimed().is_none()) {
        return Ok(());
    }
    let before = annotation::of_item(tx, item).await?;
    match overlap(&before, change) {
        None => Ok(()),
        Some(found) => Err(refusal(&found, change)),
    }
}

fn refusal(found: &Overlap, change: &SaveChange) -> Error {
    let id = change.upserts.get(found.n).map_or(AnnotationId::nil(), |a| a.id);
    let problem = format!(
        "of annotation {id} lies on {} pixels of annotation {}, which is of another category; a pixel has one category here. Take \
         these pixels from one of the two, and send both in one change.",
        found.pixels, found.other
    );
    at(found.n, "mask", &problem)
}

/// A run is a character of the text at least, and each column of a mask is a piece of its own.
fn cost(mask: &Mask) -> usize {
    mask.counts.len() + mask.width as usize
}

fn overlap(before: &[Annotation], change: &SaveChange) -> Option<Overlap> {
    let before: BTreeMap<AnnotationId, &Annotation> = before.iter().map(|a| (a.id, a)).collect();
    let mut now = before.clone();
    for id in &change.removes {
        now.remove(id);
    }
    now.extend(change.upserts.iter().map(|a| (a.id, a)));
    let mut work = WORK;
    for (n, a) in change.upserts.iter().enumerate() {
        let Some(pixels) = a.newly_claimed(before.get(&a.id).copied()) else {
            continue;
        };
        for other in now.values().filter(|o| o.category_id != a.category_id) {
            work = work.checked_sub(1)?;
            let near = other.claimed().filter(|m| m.window().intersects(pixels.window()));
            let Some(mask) = near else { continue };
            work = work.checked_sub(cost(mask) + cost(&pixels))?;
            if let Some(shared) = pixels.intersect(mask) {
                return Some(Overlap {
                    n,
                    other: other.id,
                    pixels: shared.area(),
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::{Attributes, CategoryId, ChangeId, Links, Shape, Source};

    fn block(category_id: CategoryId, x: u32, width: u32) -> Annotation {
        let mask = Mask::from_pixels(x, 0, width, 10, &vec![1; width as usize * 10]).unwrap_or_default();
        Annotation {
            id: AnnotationId::new(),
            category_id,
            shape: Shape::Mask { mask },
            z: 0,
            source: Source::Human,
            score: None,
            attributes: Attributes::new(),
            links: Links::default(),
        }
    }

    fn wider(a: &Annotation, x: u32, width: u32) -> Annotation {
        Annotation {
            id: a.id,
            ..block(a.category_id, x, width)
        }
    }

    fn edit(upserts: Vec<Annotation>, removes: Vec<AnnotationId>) -> SaveChange {
        SaveChange {
            change_id: ChangeId::new(),
            base_revision: 0,
            upserts,
            removes,
            attributes: None,
            active_ms: 0,
        }
    }

    fn found(n: usize, other: &Annotation, pixels: u64) -> Overlap {
        Overlap {
            n,
            other: other.id,
            pixels,
        }
    }

    #[test]
    fn pixels_that_an_edit_claims_have_no_other_category() {
        let (road, car) = (CategoryId::new(), CategoryId::new());
        let (a, b) = (block(road, 0, 20), block(car, 20, 10));
        let stored = [a.clone(), b.clone()];
        let of = |upserts, removes| overlap(&stored, &edit(upserts, removes));
        assert_eq!(of(vec![wider(&a, 0, 25)], vec![]), Some(found(0, &b, 50)));
        // Given by the other in the same edit, or that goes.
        assert_eq!(of(vec![wider(&a, 0, 25), wider(&b, 25, 5)], vec![]), None);
        assert_eq!(of(vec![wider(&a, 0, 25)], vec![b.id]), None);
        // Both of one edit; of one category; a proposal and its confirmation.
        let (c, d) = (block(road, 50, 9), block(car, 58, 9));
        assert_eq!(of(vec![c.clone(), d.clone()], vec![]), Some(found(0, &d, 10)));
        assert_eq!(of(vec![block(road, 0, 20)], vec![]), None);
        let proposed = Annotation {
            source: Source::Prelabel,
            ..block(road, 22, 4)
        };
        assert_eq!(of(vec![proposed.clone()], vec![]), None);
        let confirmed = Annotation {
            source: Source::Human,
            ..proposed.clone()
        };
        let stored = [b.clone(), proposed];
        assert_eq!(
            overlap(&stored, &edit(vec![confirmed], vec![])),
            Some(found(0, &b, 40))
        );
        // Another category for what lies on nothing.
        let other = Annotation {
            category_id: car,
            ..a.clone()
        };
        assert_eq!(of(vec![other], vec![]), None);
    }

    #[test]
    fn what_lies_on_others_already_does_not_stand_in_the_way() {
        let (road, car) = (CategoryId::new(), CategoryId::new());
        let (a, b) = (block(road, 0, 20), block(car, 15, 10));
        let stored = [a.clone(), b.clone()];
        let of = |upserts| overlap(&stored, &edit(upserts, vec![]));
        let higher = Annotation { z: 7, ..a.clone() };
        assert_eq!(of(vec![higher]), None);
        assert_eq!(of(vec![wider(&a, 0, 18)]), None);
        // Only what is new of it counts.
        assert_eq!(of(vec![wider(&a, 0, 22)]), Some(found(0, &b, 20)));
    }
}
