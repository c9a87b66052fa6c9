//! What is kept on the labeler's machine until the server has confirmed it.

use super::Document;
use crate::command::Edit;
use crate::document::merge::{Annotations, Merge, merge};
use crate::history::History;
use limn_domain::annotation::{ItemAnnotations, SaveChange};
use limn_domain::project::Task;
use limn_domain::{Attributes, ChangeId, ItemId, Size};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the labeler left the item, still to be told to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finish", rename_all = "snake_case")]
pub enum Finish {
    Submit,
    Skip { reason: Option<String> },
}

/// The unconfirmed work on one item: small, whatever the number of annotations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalState {
    pub item_id: ItemId,
    /// The revision the work stands on.
    pub base_revision: i64,
    /// Every annotation that differs from that revision, with both states.
    pub edits: Vec<Edit>,
    /// What is said of the item as a whole, at that revision and now, where the two differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<(Attributes, Attributes)>,
    /// A save sent without an answer yet: sent again as it is, with its own id.
    pub in_flight: Option<SaveChange>,
    pub history: History,
    /// Milliseconds of work not yet told to the server.
    pub active_ms: i64,
    pub finish: Option<Finish>,
}

impl LocalState {
    /// Whether the server still has to hear something.
    pub fn is_pending(&self) -> bool {
        !self.edits.is_empty() || self.about.is_some() || self.in_flight.is_some() || self.finish.is_some()
    }

    /// The change to send without opening the item: the one under way, or one over every difference. `None` when
    /// there is nothing to save.
    pub fn begin_save(&mut self) -> Option<&SaveChange> {
        if self.in_flight.is_none() {
            let mut change = SaveChange {
                change_id: ChangeId::new(),
                base_revision: self.base_revision,
                upserts: Vec::new(),
                removes: Vec::new(),
                attributes: self.about.as_ref().map(|(_, after)| after.clone()),
                active_ms: self.active_ms,
            };
            for e in self
                .edits
                .iter()
                .filter(|e| e.before != e.after)
                .take(super::MAX_SAVE)
            {
                match &e.after {
                    Some(a) => change.upserts.push(a.clone()),
                    None => change.removes.push(e.id),
                }
            }
            if change.upserts.is_empty() && change.removes.is_empty() && change.attributes.is_none() {
                return None;
            }
            self.active_ms = 0;
            self.in_flight = Some(change);
        }
        self.in_flight.as_ref()
    }

    /// The server has stored the change under `revision`.
    pub fn acknowledge(&mut self, change: ChangeId, revision: i64) {
        if self.in_flight.as_ref().is_none_or(|c| c.change_id != change) {
            return;
        }
        if let Some(change) = self.in_flight.take() {
            if let (Some(said), Some((before, after))) = (change.attributes, &mut self.about) {
                *before = said;
                if before == after {
                    self.about = None;
                }
            }
            let mut saved: BTreeMap<_, _> = change.upserts.into_iter().map(|a| (a.id, Some(a))).collect();
            saved.extend(change.removes.into_iter().map(|id| (id, None)));
            for e in &mut self.edits {
                if let Some(state) = saved.remove(&e.id) {
                    e.before = state;
                }
            }
            self.edits.retain(|e| e.before != e.after);
            self.base_revision = revision;
        }
    }

    /// Forgets the save under way, e.g. one the server refused.
    pub fn abandon_save(&mut self) {
        self.in_flight = None;
    }
}

impl Document {
    /// The unconfirmed work, to be kept. `history`, `active_ms` and `finish` go along as they are.
    pub fn to_local(&self, history: &History, active_ms: i64, finish: Option<Finish>) -> LocalState {
        LocalState {
            item_id: self.item_id,
            base_revision: self.revision,
            edits: self.touched(),
            about: (self.about != self.base_about
                || self.in_flight.as_ref().is_some_and(|c| c.attributes.is_some()))
            .then(|| (self.base_about.clone(), self.about.clone())),
            in_flight: self.in_flight.clone(),
            history: history.tail(),
            active_ms,
            finish,
        }
    }

    /// The document as it was left: what the server has now, with the kept work on top.
    ///
    /// When the server still has the revision the work stands on, the merge is empty and the save under way goes on.
    /// When it has a newer one, the work is merged with it; conflicts stand as mine until they are decided.
    pub fn restore(task: Task, size: Size, server: ItemAnnotations, local: &LocalState) -> (Self, Merge) {
        let theirs: Annotations = server.annotations.iter().map(|a| (a.id, a.clone())).collect();
        let mut base = theirs.clone();
        let mut mine = theirs.clone();
        for e in &local.edits {
            set(&mut base, e.id, e.before.clone());
            set(&mut mine, e.id, e.after.clone());
        }
        let same = server.revision == local.base_revision;
        if same {
            base.clone_from(&theirs);
        }
        let outcome = merge(task, &base, &mine, &theirs);
        let mut doc = Self::new(task, size, server.clone());
        if let Some((before, after)) = &local.about {
            doc.base_about
                .clone_from(if same { &server.attributes } else { before });
            doc.about.clone_from(after);
        }
        doc.rebase(server, outcome.merged.clone());
        if same {
            doc.in_flight.clone_from(&local.in_flight);
        }
        (doc, outcome)
    }
}

fn set(map: &mut Annotations, id: limn_domain::AnnotationId, value: Option<limn_domain::Annotation>) {
    match value {
        Some(a) => map.insert(id, a),
        None => map.remove(&id),
    };
}
