//! Skeletons that files give by the names of their keypoints alone.

use limn_domain::keypoint::{KEYPOINTS_MAX, Skeleton, SkeletonPoint};

/// A skeleton of these names: COCO's person is known by them; of others left and right change places in a mirrored picture.
/// `Err` says what is wrong with it.
pub(crate) fn of_names(names: Vec<String>, edges: Vec<[usize; 2]>) -> Result<Option<Skeleton>, String> {
    if names.len() > KEYPOINTS_MAX {
        return Err(format!(
            "it has {} keypoints; {KEYPOINTS_MAX} are the most",
            names.len()
        ));
    }
    let person = Skeleton::coco_person();
    let is_person = person.keypoints.iter().map(|k| &k.name).eq(names.iter());
    let skeleton = if is_person {
        let edges = if edges.is_empty() { person.edges } else { edges };
        Skeleton { edges, ..person }
    } else {
        Skeleton {
            symmetry: mirrored(&names),
            keypoints: on_a_circle(names),
            edges,
        }
    };
    skeleton
        .check()
        .map(Some)
        .map_err(|why| why.trim_end_matches('.').to_owned())
}

/// The same where a file says the usual places of some keypoints, from 0 to 1, by their numbers.
pub(crate) fn of_places(
    names: Vec<String>,
    places: &[(usize, [f64; 2])],
    edges: Vec<[usize; 2]>,
) -> Result<Option<Skeleton>, String> {
    let mut skeleton = of_names(names, edges)?;
    let keypoints = skeleton.as_mut().map(|s| &mut s.keypoints);
    if let Some(keypoints) = keypoints {
        for (n, at) in places {
            if let Some(keypoint) = keypoints.get_mut(*n) {
                keypoint.at = *at;
            }
        }
    }
    Ok(skeleton)
}

/// Keypoints whose usual place a file does not say: on a circle, for people to move.
pub(crate) fn on_a_circle(names: Vec<String>) -> Vec<SkeletonPoint> {
    let count = names.len() as f64;
    let round = |v: f64| (v * 1000.0).round() / 1000.0;
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| {
            let turn = std::f64::consts::TAU * i as f64 / count;
            SkeletonPoint {
                name,
                at: [round(0.5 + 0.45 * turn.sin()), round(0.5 - 0.45 * turn.cos())],
            }
        })
        .collect()
}

/// Pairs of names that differ in left and right only.
fn mirrored(names: &[String]) -> Vec<[usize; 2]> {
    let mut out = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let lower = name.to_lowercase();
        if lower.contains("left") {
            let other = lower.replace("left", "right");
            if let Some(j) = names.iter().position(|n| n.to_lowercase() == other) {
                out.push([i, j]);
            }
        }
    }
    out
}
