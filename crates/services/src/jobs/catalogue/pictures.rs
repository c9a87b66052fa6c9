//! Pictures that come as pixels: IDX and CIFAR. They become PNG, the same bytes each time.

use super::load::{
    Content, LIMITS, Loaded, Sample, Sources, To, Trouble, categories, category, folder_of, format, path_of,
    refused, storage,
};
use bytes::Bytes;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use limn_domain::catalogue::{Cifar, Idx};
use limn_domain::dataset::Split;
use limn_formats::{cifar as bin, idx as file};
use limn_jobs::Permanent;
use limn_storage::archive;
use limn_versions::object::Category;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

pub fn idx(l: &Idx, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let paths: Vec<String> = l.categories.iter().map(|c| path_of(c)).collect();
    // Parts of one split go on counting.
    let mut numbers: HashMap<Split, u32> = HashMap::new();
    for part in &l.parts {
        let reader =
            archive::plain(&sources.get(&part.labels)?, LIMITS).map_err(|e| storage(&part.labels, e))?;
        let labels = file::labels(&part.labels, reader).map_err(|e| format(&part.labels, e))?;
        let reader =
            archive::plain(&sources.get(&part.images)?, LIMITS).map_err(|e| storage(&part.images, e))?;
        let mut images = file::Images::open(&part.images, reader).map_err(|e| format(&part.images, e))?;
        if images.count() as usize != labels.len() {
            return Err(Permanent(format!(
                "`{}` has {} pictures, and `{}` has {} labels.",
                part.images,
                images.count(),
                part.labels,
                labels.len()
            ))
            .into());
        }
        to.expect(images.count());
        let (width, height) = images.size();
        let number = numbers.entry(part.split).or_default();
        for (n, label) in labels.iter().enumerate() {
            let Some(pixels) = images.take_next().map_err(|e| format(&part.images, e))? else {
                break;
            };
            let category = named(&paths, *label, &part.labels, n)?;
            let png = png(&pixels, (width, height), ExtendedColorType::L8)?;
            to.put(Sample {
                path: format!("{}{number:05}.png", folder_of(part.split)),
                split: part.split,
                content: made(to, png, width, height)?,
                category: Some(category.clone()),
            })?;
            *number += 1;
        }
        // Says whether more follows.
        images.take_next().map_err(|e| format(&part.images, e))?;
    }
    Ok(Loaded {
        categories: Some(categories(&paths)),
        notes: Vec::new(),
    })
}

pub fn cifar(l: &Cifar, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    let parts: HashMap<&str, Split> = l.parts.iter().map(|p| (p.path.as_str(), p.split)).collect();
    let mut found: HashSet<String> = HashSet::new();
    // The group of each category, as the records say.
    let mut groups: BTreeMap<u8, u8> = BTreeMap::new();
    let mut notes = Vec::new();
    let source = sources.get(&l.file)?;
    let out = archive::each::<Trouble>(
        &source,
        LIMITS,
        |name| parts.contains_key(name),
        |name, reader| {
            found.insert(name.to_owned());
            let split = parts.get(name).copied().unwrap_or_default();
            let stem = name.rsplit('/').next().unwrap_or(name);
            let stem = stem.rsplit_once('.').map_or(stem, |(s, _)| s);
            let mut records = bin::Records::new(name, reader, !l.groups.is_empty());
            let mut n = 0;
            while let Some(record) = records.take_next().map_err(|e| format(name, e))? {
                let category = match record.group {
                    Some(group) => {
                        let (below, above) = (
                            named(&l.categories, record.label, name, n)?,
                            named(&l.groups, group, name, n)?,
                        );
                        if *groups.entry(record.label).or_insert(group) != group {
                            return Err(Trouble::Reader(
                                Permanent(format!("`{name}`: `{below}` is in two groups.")).into(),
                            ));
                        }
                        format!("{}/{}", path_of(above), path_of(below))
                    }
                    None => path_of(named(&l.categories, record.label, name, n)?),
                };
                let png = png(&record.rgb, (bin::SIDE, bin::SIDE), ExtendedColorType::Rgb8)?;
                to.put(Sample {
                    path: format!("{}{stem}_{n:05}.png", folder_of(split)),
                    split,
                    content: made(to, png, bin::SIDE, bin::SIDE)?,
                    category: Some(category),
                })?;
                n += 1;
            }
            Ok(ControlFlow::Continue(()))
        },
    )
    .map_err(|e| e.about(&l.file))?;
    refused(&mut notes, &l.file, &out);
    if let Some(part) = l.parts.iter().find(|p| !found.contains(&p.path)) {
        return Err(Permanent(format!(
            "There is no `{}` in `{}`; mend the catalogue.",
            part.path, l.file
        ))
        .into());
    }
    Ok(Loaded {
        categories: Some(tree(l, &groups)),
        notes,
    })
}

/// The categories with their ids from 1; groups stand above them and have the ids that follow.
fn tree(l: &Cifar, groups: &BTreeMap<u8, u8>) -> Vec<Category> {
    let above = |n: usize| {
        let group = groups.get(&u8::try_from(n).ok()?)?;
        l.groups.get(usize::from(*group))
    };
    let mut out: Vec<Category> = l
        .categories
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let path = match above(n) {
                Some(group) => format!("{}/{}", path_of(group), path_of(name)),
                None => path_of(name),
            };
            category(path, n as i64 + 1, n)
        })
        .collect();
    let used: BTreeSet<u8> = groups.values().copied().collect();
    let next = out.len();
    for group in used {
        if let Some(name) = l.groups.get(usize::from(group)) {
            let n = next + usize::from(group);
            out.push(category(path_of(name), n as i64 + 1, n));
        }
    }
    out
}

fn named<'a>(names: &'a [String], label: u8, file: &str, n: usize) -> anyhow::Result<&'a String> {
    names.get(usize::from(label)).ok_or_else(|| {
        Permanent(format!(
            "`{file}` gives picture {} the label {label}; the catalogue names {} categories, from 0.",
            n + 1,
            names.len()
        ))
        .into()
    })
}

fn png(pixels: &[u8], (width, height): (u32, u32), color: ExtendedColorType) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive)
        .write_image(pixels, width, height, color)?;
    Ok(out)
}

fn made(to: &To, png: Vec<u8>, width: u32, height: u32) -> anyhow::Result<Content> {
    Ok(Content::Picture {
        staged: to.blobs.stage_bytes(Bytes::from(png))?,
        width,
        height,
    })
}
