//! Ties annotations to images and categories once the whole file is known.

use super::captions::{self, CAPTIONS_MAX};
use super::import::Gather;
use crate::findings::{Detail, Findings};
use crate::json::loose::Key;
use crate::model::{Imported, ImportedAnnotation, ImportedCategory, ImportedImage};
use limn_domain::AttributeValue;
use limn_domain::category::MAX_LEVELS;
use std::collections::HashMap;

pub(super) fn resolve(mut g: Gather<'_>) -> Imported {
    // A file without these lists (COCO results) speaks of a dataset the project knows: ids stand for themselves.
    if g.whole && !g.has_images {
        let ids: Vec<_> = g.image_ids.keys().into_iter().map(Key::int).collect();
        for (n, id) in ids.into_iter().enumerate().filter_map(|(n, id)| Some((n, id?))) {
            g.image_ids.records[n] = Some(g.out.images.len() as u32);
            g.out.images.push(ImportedImage {
                id: Some(id),
                ..ImportedImage::default()
            });
        }
    }
    if g.whole && !g.has_categories {
        let ids: Vec<_> = g.category_ids.keys().into_iter().map(Key::int).collect();
        for (n, id) in ids.into_iter().enumerate().filter_map(|(n, id)| Some((n, id?))) {
            g.category_ids.records[n] = Some(g.out.categories.len() as u32);
            g.out.categories.push(ImportedCategory {
                id: Some(id),
                ..ImportedCategory::default()
            });
        }
    }
    parents(&mut g.out.categories, &g.supercategories);

    let (image_keys, category_keys) = (g.image_ids.keys(), g.category_ids.keys());
    let findings = &mut *g.findings;
    g.out.annotations.retain_mut(|a| {
        let Some(image) = g.image_ids.records[a.image as usize] else {
            let id = image_keys[a.image as usize];
            refuse(findings, "unknown_image", a, || {
                format!("There is no image with id {id} in the file.")
            });
            return false;
        };
        let Some(category) = g.category_ids.records[a.category as usize] else {
            let id = category_keys[a.category as usize];
            refuse(findings, "unknown_category", a, || {
                format!("There is no category with id {id} in the file; add it to `categories`.")
            });
            return false;
        };
        (a.image, a.category) = (image, category);
        true
    });
    caption_items(
        std::mem::take(&mut g.captions),
        &g.image_ids.records,
        &mut g.out,
        findings,
    );
    duplicates(&mut g.out.annotations, findings);
    g.out.annotations.sort_unstable_by_key(|a| (a.image, a.index));
    g.out
}

/// Sentences about images become texts that are said of them, in the file's order.
fn caption_items(
    list: Vec<(u32, u64, String)>,
    images: &[Option<u32>],
    out: &mut Imported,
    findings: &mut Findings,
) {
    for (number, line, text) in list {
        let image = images[number as usize].and_then(|n| out.images.get_mut(n as usize));
        let Some(image) = image else {
            findings.refused("unknown_image", || {
                Detail::new("There is no image with the caption's image_id in the file.").line(line)
            });
            continue;
        };
        let said = image.attributes.get_or_insert_default();
        let number = said.0.len() + 1;
        if number > CAPTIONS_MAX {
            findings.refused("too_many", || {
                let of = image.label();
                Detail::new(format!(
                    "Only the first {CAPTIONS_MAX} captions of {of} are taken."
                ))
                .line(line)
            });
            continue;
        }
        said.put(&captions::attribute(number).key, AttributeValue::Text(text));
        out.captions = out.captions.max(number);
    }
}

fn refuse(
    findings: &mut Findings,
    code: &'static str,
    a: &ImportedAnnotation,
    message: impl FnOnce() -> String,
) {
    findings.refused(code, || {
        Detail::new(message()).line(u64::from(a.line)).record(a.record())
    });
}

/// An id used twice: the same label again is left out, another label is taken (ids of labels are not kept).
fn duplicates(annotations: &mut Vec<ImportedAnnotation>, findings: &mut Findings) {
    let mut by_id: Vec<(i64, u32)> = (0_u32..)
        .zip(annotations.iter())
        .filter_map(|(n, a)| Some((a.id?, n)))
        .collect();
    by_id.sort_unstable();
    let mut again = Vec::new();
    for pair in by_id.windows(2) {
        let ((id, first), (other, n)) = (pair[0], pair[1]);
        if id != other {
            continue;
        }
        let (first, a) = (&annotations[first as usize], &annotations[n as usize]);
        if (first.image, first.category, &first.shape) == (a.image, a.category, &a.shape) {
            refuse(findings, "duplicate_annotation", a, || {
                format!("The same annotation stands in the file twice under id {id}.")
            });
            again.push(n);
        } else {
            findings.fixed("duplicate_id", || {
                Detail::new(format!("Annotation id {id} is used more than once; the label was taken and gets an id of its own."))
                    .line(u64::from(a.line))
                    .record(a.record())
            });
        }
    }
    if !again.is_empty() {
        again.sort_unstable();
        let mut n = 0;
        annotations.retain(|_| {
            let drop = again.binary_search(&n).is_ok();
            n += 1;
            !drop
        });
    }
}

/// A supercategory that names another category of the file is its parent, as our exports write it. One that names
/// nothing (most of the world's files) groups, but is no label; it makes no category.
fn parents(categories: &mut [ImportedCategory], supercategories: &[Option<String>]) {
    let mut by_name: HashMap<&str, Option<usize>> = HashMap::new();
    for (i, c) in categories.iter().enumerate() {
        if let Some(name) = &c.name {
            by_name.entry(name).and_modify(|e| *e = None).or_insert(Some(i));
        }
    }
    let found: Vec<Option<usize>> = supercategories
        .iter()
        .enumerate()
        .map(|(i, s)| {
            s.as_deref()
                .and_then(|s| by_name.get(s.trim()).copied().flatten())
                .filter(|p| *p != i)
        })
        .collect();
    for i in 0..found.len() {
        let (mut at, mut levels) = (i, 1);
        while let Some(p) = found[at] {
            at = p;
            levels += 1;
            if levels > MAX_LEVELS {
                break;
            }
        }
        // Cycles and trees too deep stay flat.
        categories[i].parent = if levels <= MAX_LEVELS { found[i] } else { None };
    }
}
