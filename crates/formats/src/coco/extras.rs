//! What COCO says beyond boxes and outlines: keypoints and their skeletons; and turned boxes and ellipses, for which it has
//! no form of its own, in fields that other readers pass over (`rotated_box` and `ellipse`: `[cx, cy, w, h, angle]` in
//! pixels and degrees clockwise).

use super::options::Options;
use super::record;
use crate::json::loose::Numbers;
use crate::model::ImportedShape;
use crate::skeletons;
use limn_domain::keypoint::{KEYPOINTS_MAX, Skeleton};
use limn_domain::{Keypoint, Shape, TurnedRect};
use serde_json::Value;

/// Longest record that is looked through for these fields, in bytes.
const RECORD_MAX: usize = 1 << 20;

/// The shape an annotation's own fields tell, if any. `Err`: stable name of the reason and a sentence.
pub(super) fn shape(
    bytes: Option<&[u8]>,
    options: &Options,
) -> Result<Option<ImportedShape>, (&'static str, String)> {
    let Some(bytes) = bytes.filter(|b| b.len() <= RECORD_MAX) else {
        return Ok(None);
    };
    // The record was read before: repairs are in the findings already.
    let Ok((raw, _)) = record::parse::<record::RawExtras>(bytes) else {
        return Ok(None);
    };
    if options.turned {
        if let Some(rect) = turned(&raw.rotated_box) {
            return Ok(Some(ImportedShape::Other(Box::new(Shape::RotatedBox { rect }))));
        }
        if let Some(rect) = turned(&raw.ellipse) {
            return Ok(Some(ImportedShape::Other(Box::new(Shape::Ellipse { rect }))));
        }
    }
    match raw.keypoints.0 {
        Some(list) if options.keypoints => keypoints(&list)
            .map(|keypoints| Some(ImportedShape::Other(Box::new(Shape::Keypoints { keypoints }))))
            .map_err(|why| ("bad_keypoints", why)),
        _ => Ok(None),
    }
}

fn turned(numbers: &Numbers) -> Option<TurnedRect> {
    match numbers {
        Numbers::List(n) => match n.as_slice() {
            [cx, cy, w, h, angle] => Some(TurnedRect {
                cx: *cx,
                cy: *cy,
                w: *w,
                h: *h,
                angle: *angle,
            }),
            _ => None,
        },
        _ => None,
    }
}

fn keypoints(list: &Value) -> Result<Vec<Keypoint>, String> {
    let numbers: Option<Vec<f64>> = list
        .as_array()
        .map(|l| l.iter().map_while(Value::as_f64).collect());
    let Some(numbers) = numbers.filter(|n| Some(n.len()) == list.as_array().map(Vec::len)) else {
        return Err("The keypoints must be a list of numbers: [x, y, v, ...].".to_owned());
    };
    if numbers.is_empty() || numbers.len() % 3 != 0 {
        return Err(format!(
            "The keypoints are {} numbers; three belong to each: [x, y, v, ...].",
            numbers.len()
        ));
    }
    numbers
        .chunks_exact(3)
        .enumerate()
        .map(|(n, c)| {
            Keypoint::try_from([c[0], c[1], c[2]]).map_err(|why| format!("Keypoint {}: {why}.", n + 1))
        })
        .collect()
}

/// The skeleton of a category record; `None` for categories without. `Err` says what is wrong with it.
pub(super) fn skeleton(bytes: Option<&[u8]>) -> Result<Option<Skeleton>, String> {
    let Some(bytes) = bytes.filter(|b| b.len() <= RECORD_MAX) else {
        return Ok(None);
    };
    let Ok((raw, _)) = record::parse::<record::RawSkeleton>(bytes) else {
        return Ok(None);
    };
    let names: Vec<String> = match raw.keypoints.0 {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) if list.is_empty() => return Ok(None),
        Some(Value::Array(list)) => list
            .iter()
            .map(|name| match name {
                Value::String(s) => s.clone(),
                other => other.to_string(),
            })
            .collect(),
        Some(_) => return Err("`keypoints` must be a list of names".to_owned()),
    };
    if names.len() > KEYPOINTS_MAX {
        return Err(format!(
            "it has {} keypoints; {KEYPOINTS_MAX} are the most",
            names.len()
        ));
    }
    let pairs = |v: &Value| -> Vec<[usize; 2]> {
        let place = |v: &Value| v.as_u64().and_then(|i| usize::try_from(i).ok()?.checked_sub(1));
        let pair = |p: &Value| Some([place(p.get(0)?)?, place(p.get(1)?)?]);
        v.as_array()
            .map(|l| l.iter().filter_map(pair).collect())
            .unwrap_or_default()
    };
    let edges = raw.skeleton.0.as_ref().map(pairs).unwrap_or_default();
    skeletons::of_names(names, edges)
}
