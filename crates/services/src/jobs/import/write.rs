//! Placed labels are written, some hundred items in one transaction.

use super::Import;
use super::place::Label;
use crate::Error;
use limn_domain::import::ImportAs;
use limn_domain::item::ItemStatus;
use limn_domain::link::RELATIONS_MAX;
use limn_domain::{
    Annotation, AnnotationId, GroupId, ItemId, Links, ProjectId, Rect, Relation, Shape, Source, Timestamp,
    UserId,
};
use limn_formats::{Detail, ImportedLinks};
use limn_store::repo::annotation::{self, NewAnnotation};
use limn_store::repo::item::bulk::{self, Stamp};
use limn_store::repo::transfer;
use limn_store::{StoreError, Tx};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

/// Most items and labels of one transaction, so that people's saves get their turn in between.
const ITEMS: usize = 500;
const LABELS: usize = 5_000;

/// Labels to write together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    items: Vec<(ItemId, Vec<Label>)>,
    places: HashMap<ItemId, usize>,
    labels: usize,
}

impl Batch {
    pub fn add(&mut self, item: ItemId, labels: Vec<Label>) {
        self.labels += labels.len();
        if let Some(n) = self.places.get(&item) {
            self.items[*n].1.extend(labels);
        } else {
            self.places.insert(item, self.items.len());
            self.items.push((item, labels));
        }
    }

    pub fn is_full(&self) -> bool {
        self.items.len() >= ITEMS || self.labels >= LABELS
    }
}

/// How a batch is written.
#[derive(Debug, Clone, Copy)]
struct Rules {
    project: ProjectId,
    import_as: ImportAs,
    /// One label an item.
    single: bool,
    user: Option<UserId>,
    now: Timestamp,
}

/// What became of a batch, in labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Outcome {
    added: i64,
    /// Already on their item.
    repeated: u64,
    /// The item has another label and takes one.
    second: u64,
    /// Proposals for items that are done.
    late: u64,
    /// The item was deleted meanwhile.
    gone: u64,
}

impl Import<'_> {
    /// Writes a batch; the counts go into the report.
    pub(super) async fn write(&mut self, batch: Batch) -> anyhow::Result<()> {
        if batch.items.is_empty() {
            return Ok(());
        }
        let rules = Rules {
            project: self.project,
            import_as: self.input.import_as,
            single: self.task.takes_one(),
            user: self.user,
            now: self.ctx.now(),
        };
        // Old labels go once: a later file of the same import adds to an earlier one's.
        let fresh: HashSet<ItemId> = if self.input.replace {
            batch
                .items
                .iter()
                .map(|(id, _)| *id)
                .filter(|id| self.replaced.insert(*id))
                .collect()
        } else {
            HashSet::new()
        };
        let outcome: Result<Outcome, Error> = self
            .ctx
            .db
            .write(move |tx| Box::pin(async move { Ok(apply(tx, rules, &fresh, batch.items).await?) }))
            .await;
        let outcome = outcome?;
        self.findings.report_mut().annotations_added += outcome.added;
        self.repeated += outcome.repeated;
        let mut lost = |code, n: u64, why: &str| {
            if n > 0 {
                self.findings
                    .refused(code, || Detail::new(format!("{n} labels were left out: {why}.")));
                self.findings.report_mut().refused += i64::try_from(n - 1).unwrap_or(0);
            }
        };
        lost(
            "second_category",
            outcome.second,
            "their items have another category, and the project takes one an item; import with `replace`",
        );
        lost(
            "item_done",
            outcome.late,
            "they are proposals for items that are done already",
        );
        lost(
            "item_deleted",
            outcome.gone,
            "their items were deleted while the import ran",
        );
        Ok(())
    }
}

async fn apply(
    tx: &mut Tx,
    rules: Rules,
    replace: &HashSet<ItemId>,
    items: Vec<(ItemId, Vec<Label>)>,
) -> Result<Outcome, StoreError> {
    let mut out = Outcome::default();
    let ids: Vec<ItemId> = items.iter().map(|(id, _)| *id).collect();
    // Locked until the end, so that what is read below still holds when it is written.
    let chosen: HashMap<ItemId, bulk::Chosen> = bulk::choose_ids(tx, rules.project, &ids)
        .await?
        .into_iter()
        .map(|c| (c.id, c))
        .collect();
    let is_final = rules.import_as == ImportAs::Labels;
    let late = |c: &bulk::Chosen| !is_final && c.status == ItemStatus::Done;
    let cleared: Vec<ItemId> = chosen
        .values()
        .filter(|c| replace.contains(&c.id) && !late(c))
        .map(|c| c.id)
        .collect();
    if is_final {
        annotation::delete_of_items(tx, &cleared).await?;
    } else {
        // Proposals never cost anybody's work.
        transfer::delete_proposals(tx, &cleared).await?;
    }
    let labeled: Vec<ItemId> = chosen
        .values()
        .filter(|c| c.annotation_count + c.prelabel_count > 0)
        .map(|c| c.id)
        .collect();
    let mut existing = annotation::of_items(tx, &labeled).await?;
    let (mut new, mut touched) = (Vec::new(), Vec::new());
    for (id, labels) in items {
        let Some(item) = chosen.get(&id) else {
            out.gone += labels.len() as u64;
            continue;
        };
        if late(item) {
            out.late += labels.len() as u64;
            continue;
        }
        let mut has = Has::new(existing.remove(&id).unwrap_or_default(), is_final);
        let before = new.len();
        let (mut names, mut linked) = (Names::default(), Vec::new());
        for label in labels {
            if let Some(there) = has.take(&label) {
                names.note(label.links.as_deref(), there);
                out.repeated += 1;
            } else if rules.single && has.count > 0 {
                out.second += 1;
            } else {
                has.count += 1;
                let links = label.links.clone();
                let row = row(id, label, has.next_z(), &rules);
                names.note(links.as_deref(), row.annotation.id);
                linked.extend(links.map(|links| (new.len(), links)));
                new.push(row);
            }
        }
        for (n, links) in linked {
            new[n].annotation.links = names.links(new[n].annotation.id, *links);
        }
        let changed = new.len() > before || replace.contains(&id);
        if changed || (is_final && item.status != ItemStatus::Done) {
            touched.push(id);
        }
    }
    annotation::insert_many(tx, &new, rules.now).await?;
    // Nobody submitted these: they are done, but count as nobody's work.
    bulk::settle(
        tx,
        rules.project,
        &touched,
        is_final,
        Stamp {
            by: None,
            now: rules.now,
        },
    )
    .await?;
    out.added = new.len() as i64;
    Ok(out)
}

fn row(item_id: ItemId, label: Label, z: i64, rules: &Rules) -> NewAnnotation {
    let is_final = rules.import_as == ImportAs::Labels;
    NewAnnotation {
        item_id,
        annotation: Annotation {
            id: AnnotationId::new(),
            category_id: label.category_id,
            shape: label.shape,
            z,
            source: if is_final {
                Source::Import
            } else {
                Source::Prelabel
            },
            score: label.score.filter(|_| !is_final),
            attributes: label.attributes,
            links: Links::default(),
        },
        created_by: rules.user,
    }
}

/// What the file calls the labels and groups of one item.
#[derive(Default)]
struct Names {
    labels: HashMap<String, AnnotationId>,
    groups: HashMap<String, GroupId>,
}

impl Names {
    fn note(&mut self, links: Option<&ImportedLinks>, id: AnnotationId) {
        if let Some(key) = links.and_then(|l| l.key.clone()) {
            self.labels.insert(key, id);
        }
    }

    /// The links as ours; relations to labels that did not come in are dropped, as with a label that is deleted.
    fn links(&mut self, of: AnnotationId, links: ImportedLinks) -> Links {
        let relations = links.relations.into_iter().filter_map(|(to, kind)| {
            Some(Relation {
                to: *self.labels.get(&to)?,
                kind,
            })
        });
        let one = |r: Relation| {
            Links {
                group: None,
                relations: vec![r],
            }
            .check(of)
            .ok()
        };
        let mut out = Links::default();
        for relation in relations
            .filter_map(one)
            .flat_map(|l| l.relations)
            .take(RELATIONS_MAX)
        {
            out.relate(relation);
        }
        out.group = links
            .group
            .map(|g| *self.groups.entry(g).or_insert_with(GroupId::new));
        out
    }
}

/// The labels an item has already: equal ones are not added again, however often an import runs.
struct Has {
    /// By category and shape.
    equal: HashMap<Key, Vec<AnnotationId>>,
    /// Labels of the kind that is imported.
    count: usize,
    top: i64,
}

/// The bounds, and a hash of what they do not say.
type Key = (limn_domain::CategoryId, [u64; 4], u64);

impl Has {
    fn new(annotations: Vec<Annotation>, is_final: bool) -> Self {
        let top = annotations.iter().map(|a| a.z).max().unwrap_or(-1);
        let mut this = Self {
            equal: HashMap::new(),
            count: 0,
            top,
        };
        for a in annotations {
            let is_label = a.source != Source::Prelabel;
            this.count += usize::from(is_label == is_final);
            // A proposal that somebody confirmed is there too; a label where a proposal stands is news.
            if is_label || !is_final {
                let equal = this.equal.entry(key(a.category_id, &a.shape)).or_default();
                equal.push(a.id);
            }
        }
        this
    }

    /// An equal label that is there, used up by this one.
    fn take(&mut self, label: &Label) -> Option<AnnotationId> {
        self.equal.get_mut(&key(label.category_id, &label.shape))?.pop()
    }

    fn next_z(&mut self) -> i64 {
        self.top += 1;
        self.top
    }
}

fn key(category: limn_domain::CategoryId, shape: &Shape) -> Key {
    let bits = |r: Rect| [r.x, r.y, r.w, r.h].map(|v| (v + 0.0).to_bits());
    let mut hash = std::hash::DefaultHasher::new();
    shape.kind().hash(&mut hash);
    hash_numbers(shape, &mut hash);
    (
        category,
        shape.bounds().map_or([u64::MAX; 4], bits),
        hash.finish(),
    )
}

/// What the bounds do not say of a shape.
fn hash_numbers(shape: &Shape, hash: &mut std::hash::DefaultHasher) {
    let bits = |v: f64, hash: &mut std::hash::DefaultHasher| v.to_bits().hash(hash);
    match shape {
        Shape::Whole | Shape::Box { .. } => {}
        Shape::Track { keyframes } => {
            for k in keyframes {
                (k.frame, k.outside, k.occluded, k.shape.kind()).hash(hash);
                if let Shape::Box { rect } = k.shape {
                    for v in [rect.x, rect.y, rect.w, rect.h] {
                        bits(v + 0.0, hash);
                    }
                }
                hash_numbers(&k.shape, hash);
            }
        }
        Shape::Span { start, end } => (start, end).hash(hash),
        Shape::Polygon { parts } => {
            for v in parts.iter().flatten().flatten().flatten() {
                bits(*v, hash);
            }
        }
        Shape::Mask { mask } => mask.counts.hash(hash),
        Shape::RotatedBox { rect } | Shape::Ellipse { rect } => {
            for v in [rect.cx, rect.cy, rect.w, rect.h, rect.angle] {
                bits(v, hash);
            }
        }
        Shape::Polyline { points } | Shape::Points { points } => {
            for v in points.iter().flatten() {
                bits(*v, hash);
            }
        }
        Shape::Keypoints { keypoints } => {
            for v in keypoints.iter().flat_map(|k| <[f64; 3]>::from(*k)) {
                bits(v, hash);
            }
        }
    }
}
