//! What an edit must be whatever item it is for, and then for its item.

use crate::{Error, Result};
use limn_domain::annotation::SaveChange;
use limn_domain::polygon;
use limn_domain::project::Task;
use limn_domain::{Annotation, Shape, Size};
use std::collections::HashSet;

/// Most labels put, and most removed, by one edit.
pub(super) const MAX: usize = 20_000;
/// Most active time one edit can report: a day.
const ACTIVE_MS_MAX: i64 = 24 * 3600 * 1000;

/// Checks numbers, sizes and ids.
pub(super) fn change(mut change: SaveChange) -> Result<SaveChange> {
    for (field, n) in [
        ("upserts", change.upserts.len()),
        ("removes", change.removes.len()),
    ] {
        if n > MAX {
            return Err(Error::field(
                field,
                format!("{n} in one change; send at most {MAX} and the rest in a next one."),
            ));
        }
    }
    if change.active_ms < 0 {
        return Err(Error::field("active_ms", "Active time cannot be negative."));
    }
    change.active_ms = change.active_ms.min(ACTIVE_MS_MAX);
    if change.base_revision < 0 {
        return Err(Error::field("base_revision", "Revisions count from 0."));
    }
    let mut ids = HashSet::with_capacity(change.upserts.len());
    for (n, a) in change.upserts.iter().enumerate() {
        if !ids.insert(a.id) {
            return Err(at(
                n,
                "id",
                "comes twice in this change; send each annotation once.",
            ));
        }
        if let Some(score) = a.score
            && !(0.0..=1.0).contains(&score)
        {
            return Err(at(n, "score", "must lie between 0 and 1."));
        }
        if let Shape::Polygon { parts } = &a.shape {
            let corners: usize = parts.iter().flatten().map(Vec::len).sum();
            if corners > polygon::VERTICES_MAX {
                return Err(at(n, "parts", &format!("{}.", polygon::Fault::TooMany)));
            }
        }
        if let Shape::Box { rect } = a.shape {
            if !(rect.is_finite() && rect.right().is_finite() && rect.bottom().is_finite()) {
                return Err(at(n, "rect", "holds a number that is not finite."));
            }
            if rect.w <= 0.0 || rect.h <= 0.0 {
                return Err(at(n, "rect", "needs a width and a height above 0."));
            }
        }
    }
    Ok(change)
}

/// Checks that the shapes are of the kind the project labels with, and clips them to the image.
pub(super) fn fit(upserts: &mut [Annotation], task: Task, image: Size) -> Result<()> {
    for (n, a) in upserts.iter_mut().enumerate() {
        match (&mut a.shape, task) {
            (Shape::Box { rect }, Task::Detection) => {
                let inside = rect.clipped(image);
                if inside.w <= 0.0 || inside.h <= 0.0 {
                    let (w, h) = (image.width, image.height);
                    return Err(at(
                        n,
                        "rect",
                        &format!("lies outside the image of {w} x {h} pixels."),
                    ));
                }
                *rect = inside;
            }
            (Shape::Polygon { parts }, Task::Segmentation) => match polygon::mend(parts, image) {
                Ok((good, _)) => *parts = good,
                Err(fault) => return Err(at(n, "parts", &format!("{fault}."))),
            },
            (Shape::Mask { mask }, Task::Segmentation) => {
                mask.check(image)
                    .map_err(|fault| at(n, "mask", &format!("{fault}.")))?;
            }
            (Shape::Whole, Task::Classification | Task::Multilabel) => {}
            (_, Task::Detection) => {
                return Err(at(n, "kind", "must be `box`: this project labels by boxes."));
            }
            (_, Task::Segmentation) => {
                return Err(at(
                    n,
                    "kind",
                    "must be `polygon` or `mask`: this project labels by outlines.",
                ));
            }
            _ => {
                return Err(at(
                    n,
                    "kind",
                    "must be `whole`: this project labels whole images.",
                ));
            }
        }
    }
    Ok(())
}

/// The `n`th upsert is at fault. `field` is added to its name when it says more.
pub(super) fn at(n: usize, field: &str, problem: &str) -> Error {
    Error::field(
        &format!("upserts[{n}]"),
        format!("upserts[{n}].{field} {problem}"),
    )
}
