//! Groups of an image: polygons of one label that say the same are parts of one object; all else stays objects of its own that
//! belong together.

use crate::model::{ImportedAnnotation, ImportedLinks, ImportedOutline, ImportedShape};
use limn_domain::polygon::Ring;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A label of the image under way.
pub(super) struct Drawn {
    pub z: i64,
    /// As the file says it; 0 for none.
    pub group: i64,
    pub label: ImportedAnnotation,
}

fn rings(label: &mut ImportedAnnotation) -> Option<&mut Vec<Ring>> {
    if let ImportedShape::Outline(outline) = &mut label.shape
        && let ImportedOutline::Polygons(rings) = &mut **outline
    {
        Some(rings)
    } else {
        None
    }
}

/// Joins what is one object, and links what is left of each group.
pub(super) fn join(labels: &mut Vec<Drawn>) {
    if labels.iter().all(|l| l.group == 0) {
        return;
    }
    let mut out: Vec<Drawn> = Vec::with_capacity(labels.len());
    let mut first: HashMap<(i64, u32, i64, String), usize> = HashMap::new();
    for mut drawn in labels.drain(..) {
        if drawn.group != 0 && rings(&mut drawn.label).is_some() {
            // Objects of one group differ in their place in the drawing order or in what is said of them.
            let said = format!("{:?}", drawn.label.attributes);
            match first.entry((drawn.group, drawn.label.category, drawn.z, said)) {
                Entry::Occupied(n) => {
                    let into = out.get_mut(*n.get()).and_then(|d| rings(&mut d.label));
                    if let (Some(into), Some(more)) = (into, rings(&mut drawn.label)) {
                        into.append(more);
                        continue;
                    }
                }
                Entry::Vacant(none) => {
                    none.insert(out.len());
                }
            }
        }
        out.push(drawn);
    }
    let mut sizes: HashMap<i64, usize> = HashMap::new();
    for drawn in &out {
        *sizes.entry(drawn.group).or_default() += 1;
    }
    // A group of one says nothing.
    let is_group = |group: i64| group != 0 && sizes.get(&group).is_some_and(|n| *n > 1);
    for drawn in out.iter_mut().filter(|d| is_group(d.group)) {
        drawn.label.links = ImportedLinks {
            group: Some(drawn.group.to_string()),
            ..ImportedLinks::default()
        }
        .some();
    }
    *labels = out;
}
