//! What an edit must be whatever item it is for, and then for its item.

use crate::{Error, Result};
use limn_domain::annotation::SaveChange;
use limn_domain::polygon;
use limn_domain::project::Task;
use limn_domain::track::{self, Keyframe};
use limn_domain::{Annotation, Rect, Shape, Size};
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
    for (n, a) in change.upserts.iter_mut().enumerate() {
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
        if !a.links.is_empty() {
            a.links = std::mem::take(&mut a.links)
                .check(a.id)
                .map_err(|why| at(n, "relations", &format!("{why}.")))?;
        }
        if let Shape::Polygon { parts } = &a.shape {
            let corners: usize = parts.iter().flatten().map(Vec::len).sum();
            if corners > polygon::VERTICES_MAX {
                return Err(at(n, "parts", &format!("{}.", polygon::Fault::TooMany)));
            }
        }
        if let Shape::Box { rect } = a.shape {
            sound(rect).map_err(|why| at(n, "rect", why))?;
        }
    }
    Ok(change)
}

/// Checks that the shapes are of a kind the project labels with, and brings them into the image: boxes and outlines are
/// cut to it, points moved onto it; turned boxes and ellipses may reach beyond it. Spans lie in a document of `length`
/// Unicode scalar values, tracks in a video of `length` frames.
pub(super) fn fit(upserts: &mut [Annotation], task: Task, image: Size, length: i64) -> Result<()> {
    for (n, a) in upserts.iter_mut().enumerate() {
        let kind = a.shape.shape_kind();
        // Documents have a length and no width, pictures a width and no length.
        let frames = if image.width > 0.0 { length } else { 0 };
        if let Shape::Track { keyframes } = &mut a.shape {
            fit_track(keyframes, task, image, frames).map_err(|problem| at(n, "keyframes", &problem))?;
            continue;
        }
        if frames > 0 {
            return Err(at(
                n,
                "kind",
                &format!(
                    "must be `track` on a video, not `{}`: say on which frames the object is.",
                    kind.as_str()
                ),
            ));
        }
        if !task.allows(kind) {
            let kinds = task.kinds().iter().map(|k| format!("`{}`", k.as_str()));
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            let problem = format!("must be one of {kinds} in this project, not `{}`.", kind.as_str());
            return Err(at(n, "kind", &problem));
        }
        if let Shape::Span { start, end } = a.shape {
            fit_span(start, end, length).map_err(|problem| at(n, "end", &problem))?;
        }
        fit_one(&mut a.shape, image).map_err(|(field, problem)| at(n, field, &problem))?;
    }
    Ok(())
}

/// The field at fault and what is wrong with it.
type Fault = (&'static str, String);

fn fit_one(shape: &mut Shape, image: Size) -> std::result::Result<(), Fault> {
    let outside = || {
        format!(
            "lies outside the image of {} x {} pixels.",
            image.width, image.height
        )
    };
    match shape {
        Shape::Whole | Shape::Span { .. } | Shape::Track { .. } => {}
        Shape::Box { rect } => {
            let inside = rect.clipped(image);
            if inside.w <= 0.0 || inside.h <= 0.0 {
                return Err(("rect", outside()));
            }
            *rect = inside;
        }
        Shape::Polygon { parts } => {
            *parts = polygon::mend(parts, image)
                .map_err(|fault| ("parts", format!("{fault}.")))?
                .0;
        }
        Shape::Mask { mask } => mask.check(image).map_err(|fault| ("mask", format!("{fault}.")))?,
        Shape::RotatedBox { rect } | Shape::Ellipse { rect } => {
            if !rect.is_finite() || rect.w <= 0.0 || rect.h <= 0.0 || rect.w.max(rect.h) > 1e7 {
                return Err((
                    "rect",
                    "needs finite numbers, and a width and a height above 0.".to_owned(),
                ));
            }
            *rect = rect.normal();
            let region = shape.region(0.1).unwrap_or_default();
            polygon::mend(&region, image).map_err(|_| ("rect", outside()))?;
        }
        Shape::Polyline { points } => fit_points(points, 2, image)?,
        Shape::Points { points } => fit_points(points, 1, image)?,
        Shape::Keypoints { keypoints } => {
            for k in keypoints.iter_mut().filter(|k| k.at().is_some()) {
                let mut one = [[k.x, k.y]];
                fit_points(&mut one, 1, image).map_err(|(_, why)| ("keypoints", why))?;
                [k.x, k.y] = one[0];
            }
            if keypoints.iter().all(|k| k.at().is_none()) {
                return Err((
                    "keypoints",
                    "needs at least one keypoint that is labeled.".to_owned(),
                ));
            }
        }
    }
    Ok(())
}

/// A track lies in a video of `frames`, and its shapes are like those of pictures.
fn fit_track(
    keyframes: &mut [Keyframe],
    task: Task,
    image: Size,
    frames: i64,
) -> std::result::Result<(), String> {
    if frames == 0 {
        return Err("are of a video; this item is a picture. Send the shape itself.".to_owned());
    }
    track::check(keyframes, u32::try_from(frames).unwrap_or(u32::MAX))
        .map_err(|fault| format!("{fault}."))?;
    for (n, k) in keyframes.iter_mut().enumerate() {
        let kind = k.shape.shape_kind();
        if !task.allows(kind) {
            return Err(format!(
                "[{n}].shape is a `{}`, which is no label of this project.",
                kind.as_str()
            ));
        }
        let name = format!("[{n}].shape");
        if let Shape::Box { rect } = &k.shape {
            sound(*rect).map_err(|why| format!("{name}.rect {why}"))?;
        }
        fit_one(&mut k.shape, image).map_err(|(field, why)| format!("{name}.{field} {why}"))?;
    }
    Ok(())
}

/// Whether a box is one.
fn sound(rect: Rect) -> std::result::Result<(), &'static str> {
    if !(rect.is_finite() && rect.right().is_finite() && rect.bottom().is_finite()) {
        return Err("holds a number that is not finite.");
    }
    if rect.w <= 0.0 || rect.h <= 0.0 {
        return Err("needs a width and a height above 0.");
    }
    Ok(())
}

/// A span is of some characters of its document.
fn fit_span(start: u32, end: u32, length: i64) -> std::result::Result<(), String> {
    if start >= end {
        return Err(format!(
            "is {end}, which must be after the span's start at {start}."
        ));
    }
    if i64::from(end) > length {
        return Err(format!("is {end}, beyond the document's {length} characters."));
    }
    Ok(())
}

fn fit_points(points: &mut [[f64; 2]], least: usize, image: Size) -> std::result::Result<(), Fault> {
    if points.len() < least {
        return Err(("points", format!("needs at least {least}.")));
    }
    if points.len() > polygon::VERTICES_MAX {
        return Err((
            "points",
            format!("has more than {} points.", polygon::VERTICES_MAX),
        ));
    }
    for [x, y] in points {
        if !(x.is_finite() && y.is_finite()) {
            return Err(("points", "holds a number that is not finite.".to_owned()));
        }
        (*x, *y) = (x.clamp(0.0, image.width), y.clamp(0.0, image.height));
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
