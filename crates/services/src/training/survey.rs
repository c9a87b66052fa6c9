//! What a version holds for training: counted for an offer, gathered for a training.

mod said;

pub(crate) use said::boxed;

use super::port::{PixelMap, Truth};
use super::{BYTES_MAX, areas, outlines, parts_of};
use crate::Result;
use crate::versions::nodes::{self, DbNodes};
use limn_domain::Digest;
use limn_domain::dataset::{DatasetKind, Split, Version};
use limn_domain::training::{HELD_BACK, PICTURES_MAX, PICTURES_MIN, Parts, TrainTask};
use limn_store::Tx;
use limn_versions::object::{Labels, Schema};
use limn_versions::{Entry, From, Hash, Reader};
use said::{Said, said};
use std::collections::{BTreeSet, HashMap};

/// Most files of a version that are looked through.
const FILES_MAX: i64 = 200_000;
/// Files whose labels are read at once.
const PAGE: usize = 1_000;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    Valid,
    Rest,
}

/// Where the pictures for the figures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Split(Split),
    Content,
}

/// What there is for every task.
pub(crate) struct Survey {
    kind: DatasetKind,
    too_many_files: bool,
    counts: [Count; TrainTask::ALL.len()],
}

/// What there is for a task.
#[derive(Default)]
pub(crate) struct Count {
    pub labels: i64,
    /// Those with labels, and their paths in the order of the schema.
    pub categories: i64,
    pub names: Vec<String>,
    /// Boxes that are around an outline, a mask or the like.
    pub outlined: i64,
    /// Objects that have no outline.
    pub bare: i64,
    /// Pictures with more than one category.
    several: i64,
    /// A number that stands for the content, and the split, of each picture.
    pictures: Vec<(u64, Split)>,
    /// Their sizes, for how much they take when they are made small.
    sizes: Vec<(u32, u32)>,
}

/// A picture to learn from.
pub(crate) struct Subject {
    pub path: String,
    pub digest: Digest,
    pub width: u32,
    pub height: u32,
    pub part: Part,
    pub truth: Truth,
}

/// A category that something is learned of.
#[derive(Clone)]
pub(crate) struct Named {
    pub path: String,
    pub color: String,
}

impl Survey {
    pub fn of(&self, task: TrainTask) -> &Count {
        &self.counts[place(task)]
    }

    /// Why it is not enough for a task, and what to do. `side` is what pictures are made small to.
    pub fn refusal(&self, task: TrainTask, number: i64, parts: &Parts, side: Option<u32>) -> Option<String> {
        let of = self.of(task);
        let n = of.pictures();
        let (what, labels) = match task {
            TrainTask::Detection => ("boxes", "boxes"),
            TrainTask::Segmentation | TrainTask::InstanceSegmentation => {
                ("outlines or masks", "outlines or masks")
            }
            TrainTask::Classification | TrainTask::Multilabel => {
                ("categories of whole pictures", "categories")
            }
        };
        if self.kind != DatasetKind::Images {
            return Some(format!(
                "Networks learn from pictures; this dataset is of the kind {}.",
                self.kind.as_str()
            ));
        }
        if self.too_many_files {
            return Some(format!(
                "Version {number} has more than {FILES_MAX} files; make a version of a selection of them."
            ));
        }
        if n == 0 {
            return Some(format!(
                "Version {number} has no {what}; label some and register a version, or choose another one."
            ));
        }
        if n < PICTURES_MIN {
            return Some(format!(
                "Only {n} of the pictures of version {number} have {labels}; {PICTURES_MIN} are the least."
            ));
        }
        if n > PICTURES_MAX {
            return Some(format!(
                "{n} pictures have {labels}; at most {PICTURES_MAX} are trained with. Make a version of a selection of them."
            ));
        }
        if task == TrainTask::Classification && of.several > 0 {
            return Some(format!(
                "{} of the pictures have more than one category; train for several categories (`multilabel`) instead.",
                of.several
            ));
        }
        if task == TrainTask::Segmentation && of.categories > PixelMap::CATEGORIES_MAX as i64 {
            return Some(format!(
                "Version {number} has {} categories; pixels are told apart by {} at most. Make a version with fewer.",
                of.categories,
                PixelMap::CATEGORIES_MAX
            ));
        }
        let whole = matches!(task, TrainTask::Classification | TrainTask::Multilabel);
        if whole && of.categories < 2 {
            return Some(format!(
                "All pictures have the category {}; there is nothing to tell apart. Label some with another one.",
                of.names.first().map_or("of the same name", String::as_str)
            ));
        }
        if parts.train < 2 {
            return Some(format!(
                "Only {} of the pictures with {labels} are in the split train; make other splits, or train without regard to them.",
                parts.train
            ));
        }
        let bytes = side.map_or(0, |side| of.bytes(side));
        (bytes > BYTES_MAX).then(|| {
            format!(
                "The pictures take {} GB when they are made ready; {} GB are the most. Make a version of a selection of them.",
                bytes >> 30,
                BYTES_MAX >> 30
            )
        })
    }
}

const fn place(task: TrainTask) -> usize {
    match task {
        TrainTask::Detection => 0,
        TrainTask::Classification => 1,
        TrainTask::Multilabel => 2,
        TrainTask::Segmentation => 3,
        TrainTask::InstanceSegmentation => 4,
    }
}

impl Count {
    pub fn pictures(&self) -> i64 {
        self.pictures.len() as i64
    }

    pub fn parts(&self, use_splits: bool) -> Parts {
        parts_of(&divide(&self.pictures, use_splits))
    }

    pub fn how(&self, use_splits: bool) -> How {
        how(&self.pictures, use_splits)
    }

    /// Of the pictures as they are kept during a training.
    fn bytes(&self, side: u32) -> u64 {
        let small = |&(w, h): &(u32, u32)| {
            let by = (f64::from(side) / f64::from(w.max(h).max(1))).min(1.0);
            (f64::from(w) * by) as u64 * (f64::from(h) * by) as u64 * 3
        };
        self.sizes.iter().map(small).sum()
    }
}

/// The number that stands for a content: the digest is as good as random.
fn number(hash: &Hash) -> u64 {
    hash.bytes().first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

fn how(pictures: &[(u64, Split)], use_splits: bool) -> How {
    let has = |split| pictures.iter().any(|(_, s)| *s == split);
    match use_splits && has(Split::Train) {
        true if has(Split::Val) => How::Split(Split::Val),
        true if has(Split::Test) => How::Split(Split::Test),
        _ => How::Content,
    }
}

/// Which picture is for what. By content a picture stays on its side however the data grows, and so do its copies.
pub(crate) fn divide(pictures: &[(u64, Split)], use_splits: bool) -> Vec<Part> {
    let by_split = use_splits && pictures.iter().any(|(_, s)| *s == Split::Train);
    let held = how(pictures, use_splits);
    let mut parts: Vec<Part> = pictures
        .iter()
        .map(|(content, split)| match (held, split) {
            (How::Split(_), Split::Train) => Part::Train,
            (How::Split(valid), split) if valid == *split => Part::Valid,
            (How::Split(_), _) => Part::Rest,
            (How::Content, split) if by_split && *split != Split::Train => Part::Rest,
            (How::Content, _) if content % 100 < HELD_BACK => Part::Valid,
            (How::Content, _) => Part::Train,
        })
        .collect();
    // A few pictures may all be on one side by chance.
    let n = |parts: &[Part], p: Part| parts.iter().filter(|x| **x == p).count();
    if held == How::Content && (n(&parts, Part::Valid) == 0 || n(&parts, Part::Train) == 0) {
        let mut contents: Vec<u64> = pictures
            .iter()
            .zip(&parts)
            .filter(|(_, p)| **p != Part::Rest)
            .map(|((content, _), _)| *content)
            .collect();
        contents.sort_unstable();
        contents.dedup();
        contents.truncate(if contents.len() < 2 {
            0
        } else {
            contents.len().div_ceil(5)
        });
        for ((content, _), part) in pictures.iter().zip(&mut parts) {
            if *part != Part::Rest {
                *part = if contents.binary_search(content).is_ok() {
                    Part::Valid
                } else {
                    Part::Train
                };
            }
        }
    }
    parts
}

/// Counts what a version holds.
pub(super) async fn count(tx: &mut Tx, kind: DatasetKind, version: &Version) -> Result<Survey> {
    let mut counts: [Count; TrainTask::ALL.len()] = Default::default();
    let too_many_files = version.files > FILES_MAX;
    if kind != DatasetKind::Images || too_many_files {
        return Ok(Survey {
            kind,
            too_many_files,
            counts,
        });
    }
    let mut used: [BTreeSet<usize>; TrainTask::ALL.len()] = Default::default();
    let schema = walk(tx, version, |entry, labels, places| {
        for task in TrainTask::ALL {
            let Some(said) = said(task, (entry.width, entry.height), labels, places) else {
                continue;
            };
            let (of, used) = (&mut counts[place(task)], &mut used[place(task)]);
            of.pictures.push((number(&entry.blob), entry.split));
            of.sizes.push((entry.width, entry.height));
            match said {
                Said::Categories(c) => {
                    of.labels += c.len() as i64;
                    of.several += i64::from(c.len() > 1);
                    used.extend(c);
                }
                Said::Boxes { boxes, outlined } => {
                    of.labels += boxes.len() as i64;
                    of.outlined += outlined;
                    used.extend(boxes.iter().map(|b| b.category));
                }
                Said::Areas(areas) => {
                    of.labels += areas.len() as i64;
                    used.extend(areas.iter().map(|a| a.0));
                }
                Said::Objects { areas, bare } => {
                    of.labels += areas.len() as i64;
                    of.bare += bare;
                    used.extend(areas.iter().map(|a| a.0));
                }
            }
        }
    })
    .await?;
    for (of, used) in counts.iter_mut().zip(used) {
        of.categories = used.len() as i64;
        of.names = used
            .into_iter()
            .filter_map(|n| schema.categories.get(n).map(|c| c.path.clone()))
            .collect();
        // Pictures without a box or an object teach nothing where there is none at all.
        if of.labels == 0 {
            *of = Count::default();
        }
    }
    Ok(Survey {
        kind,
        too_many_files,
        counts,
    })
}

/// The pictures for a task, in the order of their paths, and the categories they are of.
pub(crate) async fn gather(
    tx: &mut Tx,
    version: &Version,
    task: TrainTask,
    use_splits: bool,
) -> Result<(Vec<Subject>, Vec<Named>)> {
    let mut found: Vec<(Subject, u64, Split)> = Vec::new();
    let mut used = BTreeSet::new();
    let schema = walk(tx, version, |entry, labels, places| {
        if found.len() as i64 > PICTURES_MAX {
            return;
        }
        let Some(said) = said(task, (entry.width, entry.height), labels, places) else {
            return;
        };
        let truth = match said {
            Said::Categories(c) => {
                used.extend(c.iter().copied());
                Truth::Categories(c.into_iter().collect())
            }
            Said::Boxes { boxes, .. } => {
                used.extend(boxes.iter().map(|b| b.category));
                Truth::Boxes(boxes)
            }
            Said::Areas(areas) => {
                let map = areas::pixels(&areas, (entry.width, entry.height));
                used.extend(map.categories());
                Truth::Pixels(map)
            }
            Said::Objects { areas, .. } => {
                let size = (entry.width, entry.height);
                let cut = areas
                    .iter()
                    .filter_map(|(c, shape)| outlines::cutout(shape, size, *c));
                let truth = outlines::objects(cut);
                used.extend(truth.boxes().iter().map(|b| b.category));
                truth
            }
        };
        let subject = Subject {
            path: entry.path.clone(),
            digest: entry.blob.into(),
            width: entry.width,
            height: entry.height,
            part: Part::Rest,
            truth,
        };
        found.push((subject, number(&entry.blob), entry.split));
    })
    .await?;
    let order: HashMap<usize, usize> = used.iter().enumerate().map(|(n, c)| (*c, n)).collect();
    let named = used
        .iter()
        .filter_map(|n| schema.categories.get(*n))
        .map(|c| Named {
            path: c.path.clone(),
            color: c.color.clone(),
        })
        .collect();
    let keys: Vec<(u64, Split)> = found
        .iter()
        .map(|(_, content, split)| (*content, *split))
        .collect();
    let parts = divide(&keys, use_splits);
    let subjects = found
        .into_iter()
        .zip(parts)
        .map(|((mut subject, ..), part)| {
            subject.part = part;
            match &mut subject.truth {
                Truth::Categories(c) => c.iter_mut().for_each(|c| *c = order[c]),
                Truth::Boxes(b) => b.iter_mut().for_each(|b| b.category = order[&b.category]),
                Truth::Objects { boxes, outlines } => {
                    let own = boxes.iter_mut().chain(outlines.iter_mut().map(|o| &mut o.at));
                    own.for_each(|b| b.category = order[&b.category]);
                }
                Truth::Pixels(map) => *map = map.clone().renumbered(|c| order[&c]),
            }
            subject
        })
        .collect();
    Ok((subjects, named))
}

/// Shows every picture that somebody has said something of, with the places of the categories in the schema, which is answered.
async fn walk(
    tx: &mut Tx,
    version: &Version,
    mut each: impl FnMut(&Entry, &Labels, &HashMap<String, usize>),
) -> Result<Schema> {
    let (root, schema) = nodes::open(tx, &Hash::from(&version.digest)).await?;
    let places: HashMap<String, usize> = schema
        .categories
        .iter()
        .enumerate()
        .map(|(n, c)| (c.path.clone(), n))
        .collect();
    let mut ahead = nodes::Ahead::new();
    let mut db = DbNodes::with(tx, ahead);
    let mut reader = Reader::open(&mut db, &root.files, From::Start)
        .await?
        .to_the_end();
    ahead = db.into_ahead();
    loop {
        let mut db = DbNodes::with(tx, ahead);
        let mut page = Vec::new();
        let mut ended = false;
        while page.len() < PAGE {
            let Some(entry) = reader.next(&mut db).await? else {
                ended = true;
                break;
            };
            if entry.labels.is_some() && entry.media_type.starts_with("image/") && entry.width > 0 {
                page.push(entry);
            }
        }
        ahead = db.into_ahead();
        let wanted: Vec<Hash> = page.iter().filter_map(|e| e.labels).collect();
        let known: HashMap<Hash, Labels> = nodes::objects(tx, &wanted).await?;
        for entry in &page {
            if let Some(labels) = entry.labels.and_then(|h| known.get(&h)) {
                each(entry, labels, &places);
            }
        }
        if ended {
            return Ok(schema);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_by_content_stays_as_data_grows() {
        let all: Vec<(u64, Split)> = (0..500_u64)
            .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7, Split::None))
            .collect();
        let small = divide(&all[..200], true);
        let large = divide(&all, true);
        assert_eq!(small[..], large[..200]);
        let held = large.iter().filter(|p| **p == Part::Valid).count();
        assert!((60..140).contains(&held), "{held}");
    }

    #[test]
    fn splits_are_used_where_there_are_any() {
        let of = |splits: &[Split]| -> Vec<(u64, Split)> {
            splits
                .iter()
                .enumerate()
                .map(|(n, s)| (n as u64 * 1_000 + 50, *s))
                .collect()
        };
        let (t, v, e, n) = (Split::Train, Split::Val, Split::Test, Split::None);
        use Part::{Rest, Train, Valid};
        assert_eq!(divide(&of(&[t, v, e, n]), true), [Train, Valid, Rest, Rest]);
        // Without a validation split the test split gives the figures.
        assert_eq!(divide(&of(&[t, e, n]), true), [Train, Valid, Rest]);
        // With neither, some of the training split is held back, and never all of it.
        let parts = divide(&of(&[t, t, t, t, t, n]), true);
        assert_eq!(
            parts_of(&parts),
            Parts {
                train: 4,
                valid: 1,
                rest: 1
            }
        );
        let parts = divide(&of(&[t, v, e, n]), false);
        assert_eq!(parts_of(&parts).rest, 0);
    }

    #[test]
    fn copies_are_on_one_side() {
        let pictures = [
            (3_u64, Split::None),
            (3, Split::None),
            (77, Split::None),
            (3, Split::None),
        ];
        let parts = divide(&pictures, true);
        assert_eq!([parts[0], parts[1], parts[3]], [Part::Valid; 3]);
        assert_eq!(parts[2], Part::Train);
    }
}
