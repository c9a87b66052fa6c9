//! The labels of pictures out of a COCO file.

use super::load::{Sources, category, format};
use super::panoptic;
use crate::jobs::import::attributes::{Losses, Place, matched};
use crate::jobs::import::categories::Target;
use crate::jobs::import::place::{self, Known};
use limn_domain::catalogue::{CatalogueTask, Coco};
use limn_domain::import::{ImportFormat, Severity};
use limn_domain::project::Task;
use limn_domain::{Attribute, CategoryId, ItemId, Source};
use limn_formats::coco::captions;
use limn_formats::{Findings, Imported, read};
use limn_jobs::{Permanent, Progress};
use limn_versions::Entry;
use limn_versions::object::{Category, Label, Labels, derived, step};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// What is said of every picture.
pub struct Placer {
    task: Task,
    pub categories: Vec<Category>,
    /// What is said of pictures as a whole: their captions.
    pub attributes: Vec<Attribute>,
    imported: Imported,
    /// The labels of each image.
    labels: Vec<Range<usize>>,
    /// Images by the last part of their names, in small letters.
    by_name: HashMap<String, usize>,
    placed: HashSet<usize>,
    targets: Vec<Target>,
    paths: HashMap<CategoryId, String>,
    losses: Losses,
    findings: Findings,
    /// What of the archives was refused.
    refused: Vec<String>,
}

impl Placer {
    /// Reads the annotations; `limit`: most bytes of an archive in an archive. Blocking.
    pub fn read(
        l: &Coco,
        task: CatalogueTask,
        sources: &Sources,
        limit: u64,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let captioning = task == CatalogueTask::ImageCaptioning;
        let task = task.labels().unwrap_or(Task::Detection);
        let mut findings = Findings::new(l.path.as_ref().unwrap_or(&l.annotations));
        let (mut imported, refused) = if l.segments.is_some() {
            panoptic::read(l, task, sources, limit, progress, &mut findings)?
        } else {
            let imported = sources.read(&l.annotations, l.path.as_ref(), |name, reader| {
                let mut format_reader = read::reader(ImportFormat::Coco, task);
                format_reader
                    .labels(name, reader, &mut findings)
                    .map_err(|e| format(name, e))
            })?;
            (imported, Vec::new())
        };
        if findings.count("truncated") + findings.count("malformed") > 0 {
            let why = findings.report().entries.first().map(|e| e.message.clone());
            let name = l.path.as_ref().unwrap_or(&l.annotations);
            return Err(Permanent(format!("`{name}`: {}", why.unwrap_or_default())).into());
        }
        if captioning {
            imported.annotations.clear();
        }
        let (categories, targets) = tree(&imported);
        let mut labels = Vec::with_capacity(imported.images.len());
        let mut at = 0;
        for (_, own) in imported.items() {
            labels.push(at..at + own.len());
            at += own.len();
        }
        let by_name = imported
            .images
            .iter()
            .zip(0..)
            .filter_map(|(image, n)| Some((last(image.file_name.as_ref()?), n)))
            .collect();
        Ok(Self {
            task,
            paths: categories
                .iter()
                .map(|c| (derived::category(&c.path), c.path.clone()))
                .collect(),
            attributes: (1..=imported.captions).map(captions::attribute).collect(),
            categories,
            targets,
            imported,
            labels,
            by_name,
            placed: HashSet::new(),
            losses: Losses::default(),
            findings,
            refused,
        })
    }

    /// Images of the annotations.
    pub fn images(&self) -> usize {
        self.imported.images.len()
    }

    /// What is said of a picture.
    pub fn said(&mut self, entry: &Entry) -> Labels {
        let Some(n) = self.by_name.get(&last(&entry.path)).copied() else {
            return Labels::default();
        };
        self.placed.insert(n);
        let image = &self.imported.images[n];
        let own = &self.imported.annotations[self.labels[n].clone()];
        let item = Known {
            id: ItemId::nil(),
            width: f64::from(entry.width),
            height: f64::from(entry.height),
            orientation: entry.orientation,
            length: 0,
        };
        let about = {
            let place = Place {
                file: self.findings.file(),
                line: image.line,
                record: &|| image.label(),
            };
            matched(
                &self.attributes,
                image.attributes.as_deref(),
                &place,
                &mut self.losses,
            )
        };
        let placed = place::labels(
            self.task,
            item,
            (image, self.imported.normalised),
            own,
            &self.targets,
            &mut self.losses,
            &mut self.findings,
        );
        let labels = placed
            .into_iter()
            .filter_map(|label| {
                Some(Label {
                    category: self.paths.get(&label.category_id)?.clone(),
                    shape: label.shape,
                    source: Source::Import,
                    score: label.score,
                    attributes: label.attributes,
                    group: None,
                    relations: Vec::new(),
                })
            })
            .collect();
        Labels { about, labels }
    }

    /// What was left out and mended, for people.
    pub fn notes(mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.refused);
        let missing = self.imported.images.len() - self.placed.len();
        if missing > 0 {
            notes.push(format!(
                "{missing} images of the annotations have no picture in the archive."
            ));
        }
        self.losses.report(&mut self.findings);
        let mut codes: BTreeMap<String, String> = BTreeMap::new();
        for entry in &self.findings.report().entries {
            if entry.severity != Severity::Note {
                codes
                    .entry(entry.code.clone())
                    .or_insert_with(|| entry.message.clone());
            }
        }
        for (code, message) in codes {
            notes.push(match self.findings.count(&code) {
                1 => message,
                n => format!("{n} times: {message}"),
            });
        }
        notes
    }
}

/// The last part of a path, as it is compared.
fn last(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase()
}

/// The categories with their paths, and what they mean to labels, by the file's order.
fn tree(imported: &Imported) -> (Vec<Category>, Vec<Target>) {
    let list = &imported.categories;
    let path = |n: usize| -> String {
        let mut parts = Vec::new();
        let (mut at, mut levels) = (Some(n), 0);
        while let Some(c) = at.and_then(|n| list.get(n)).filter(|_| levels < list.len()) {
            parts.push(step(c.name.as_deref().unwrap_or_default()));
            at = c.parent;
            levels += 1;
        }
        parts.reverse();
        parts.join("/")
    };
    // The file's ids stay where they can; what has none comes behind them.
    let mut used: HashSet<i64> = HashSet::new();
    let mut next = list.iter().filter_map(|c| c.id).max().unwrap_or(0).max(0) + 1;
    let (mut out, mut targets) = (Vec::new(), Vec::new());
    for (n, c) in list.iter().enumerate() {
        let path = path(n);
        let own = c.id.filter(|id| *id >= 1 && used.insert(*id));
        let id = own.unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        targets.push(Target::Known(
            derived::category(&path),
            c.skeleton.as_ref().map(|s| s.keypoints.len()),
            Vec::new().into(),
        ));
        let mut made = category(path, id, n);
        made.skeleton.clone_from(&c.skeleton);
        out.push(made);
    }
    out.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
    (out, targets)
}
