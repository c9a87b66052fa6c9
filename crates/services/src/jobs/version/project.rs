//! A version of a labeling project.

use super::Work;
use super::derive::in_words;
use crate::Context;
use crate::explore::items::Chosen;
use crate::jobs::export::frames;
use crate::versions::draft::Made;
use crate::versions::labels::{self, Tally};
use limn_domain::ProjectId;
use limn_domain::dataset::{LineageNode, Split};
use limn_domain::item::ItemStatus;
use limn_domain::item_explore::ItemChoice;
use limn_jobs::{Permanent, Progress};
use limn_store::repo;
use limn_store::repo::item::ExportItem;
use limn_versions::object::Schema;
use limn_versions::{Builder, Entry, Hash};

/// Items read at once.
const PAGE: i64 = 1_000;
/// Nodes gathered before they are written.
const NODES: usize = 200;

/// Which items of a project.
pub(super) struct Which<'a> {
    /// All states when empty.
    states: &'a [ItemStatus],
    /// With a label of one of these categories; all when empty.
    categories: &'a [String],
    chosen: Option<Chosen>,
    /// In words, for the lineage.
    how: String,
}

impl<'a> Which<'a> {
    /// Those of some states, the done ones when none is named, and of some categories.
    pub fn of_states(states: &'a [ItemStatus], categories: &'a [String]) -> Self {
        let states: &'a [ItemStatus] = if states.is_empty() {
            &[ItemStatus::Done]
        } else {
            states
        };
        let how = if states == [ItemStatus::Done] {
            "Its done items".to_owned()
        } else {
            let states: Vec<&str> = states.iter().map(|s| s.label()).collect();
            format!("Its items: {}", states.join(", ").to_lowercase())
        };
        Self {
            states,
            categories,
            chosen: None,
            how,
        }
    }

    /// Those that were found by exploring it, whatever their state.
    pub async fn found(
        ctx: &Context,
        project: ProjectId,
        choice: &ItemChoice,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let how = if !choice.items.is_empty() {
            format!("{} selected items", choice.items.len())
        } else if choice.filter.is_empty() {
            "All its items".to_owned()
        } else {
            format!("Its items: {}", in_words(&choice.filter))
        };
        Ok(Self {
            states: &[],
            categories: &[],
            chosen: Some(Chosen::of(ctx, project, choice, progress).await?),
            how,
        })
    }

    fn only_done(&self) -> bool {
        self.states == [ItemStatus::Done]
    }

    fn lets(&self, item: &ExportItem) -> bool {
        let is_chosen = |c: &Chosen| c.lets(item.id, &item.name);
        (self.states.is_empty() || self.states.contains(&item.status))
            && self.chosen.as_ref().is_none_or(is_chosen)
    }

    /// Why there is no version.
    fn none(&self) -> String {
        let what = match (&self.chosen, self.only_done()) {
            (Some(_), _) => {
                return "No item passes the filter any more, so there is nothing to make a version of. Look again, and choose others."
                    .to_owned();
            }
            (None, true) => "done items",
            (None, false) => "items of these states",
        };
        format!(
            "The project has no {what} to make a version of. Label some first, or choose items in other states too."
        )
    }
}

impl Work<'_> {
    /// Reads the project in one snapshot: what changes meanwhile is in the next version.
    pub(super) async fn of_project(&mut self, project: ProjectId, which: &Which<'_>) -> anyhow::Result<Made> {
        let mut tx = self.ctx.db.read().await?;
        let head = repo::transfer::head(&mut tx, project)
            .await?
            .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?;
        let heads = repo::transfer::categories(&mut tx, project).await?;
        let settings = repo::project::get(&mut tx, project, None)
            .await?
            .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?
            .settings;
        let paths = labels::paths(&heads);
        let only_done = which.only_done();
        let (mut after, mut done) = (0, 0);
        let mut entries: Vec<(String, Entry)> = Vec::new();
        loop {
            self.progress
                .report(done, head.items, "Reading the project")
                .await?;
            let page = repo::item::export_page(&mut tx, project, after, PAGE, only_done).await?;
            let Some(last) = page.last() else { break };
            after = last.export_id;
            done += page.len() as i64;
            for mut item in page {
                if !which.lets(&item) {
                    continue;
                }
                // Of a video the version holds the frames, each with what is seen on it.
                if frames::is_video(&item) {
                    frames::load(&mut tx, &mut item).await?;
                }
                for item in frames::as_pictures(item, true) {
                    let said = labels::canonical(&item, &paths);
                    let counts = said.counts();
                    let wanted = which.categories;
                    if !wanted.is_empty() && !wanted.iter().any(|c| counts.contains_key(c)) {
                        continue;
                    }
                    let hash = self.draft.labels(&said).await?;
                    let entry = Entry {
                        labels: hash,
                        categories: counts,
                        ..plain(item)
                    };
                    entries.push((entry.key(), entry));
                }
            }
        }
        drop(tx);
        if entries.is_empty() {
            return Err(Permanent(which.none()).into());
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let total = entries.len() as i64;
        let (mut builder, mut tally) = (Builder::default(), Tally::default());
        for (n, (_, entry)) in entries.into_iter().enumerate() {
            tally.add(&entry);
            builder.push(entry)?;
            if builder.waiting() >= NODES {
                self.progress
                    .report(n as i64, total, "Writing the version")
                    .await?;
                self.draft.nodes(builder.take()).await?;
            }
        }
        let built = builder.finish();
        self.draft.nodes(built.nodes).await?;
        Ok(Made {
            dataset: self.dataset.id,
            kind: self.dataset.kind,
            files: built.root,
            schema: Some(Schema {
                task: Some(head.task),
                categories: labels::categories(&heads, &paths),
                attributes: settings.attributes,
                relations: settings.relations,
            }),
            tally,
            note: self.payload.input.note.clone(),
            by: self.payload.user,
            by_name: self.payload.user_name.clone(),
            from: vec![LineageNode::Project {
                project_id: Some(project),
                name: head.name,
            }],
            how: which.how.clone(),
            notes: Vec::new(),
        })
    }
}

/// An item without its labels.
fn plain(item: ExportItem) -> Entry {
    Entry {
        size: u64::try_from(item.byte_size).unwrap_or(0),
        blob: Hash::from(&item.digest),
        media_type: item.media_type,
        width: u32::try_from(item.width).unwrap_or(0),
        height: u32::try_from(item.height).unwrap_or(0),
        orientation: u8::try_from(item.orientation).unwrap_or(1),
        length: u32::try_from(item.length).unwrap_or(0),
        split: Split::None,
        labels: None,
        categories: std::collections::BTreeMap::new(),
        path: item.name,
    }
}
