//! Undo and redo. One gesture is one step; the history can be written down and read back.

use crate::command::{Change, Kind};
use crate::document::Document;
use serde::{Deserialize, Serialize};

/// Most steps kept.
pub const MAX_STEPS: usize = 500;
/// Most edits kept over all steps, so that one item's history stays small enough to be written at every step.
pub const MAX_EDITS: usize = 20_000;

/// The same for what survives a reload.
const KEPT_STEPS: usize = 100;
const KEPT_EDITS: usize = 2_000;

/// The steps done and those undone since.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    done: Vec<Change>,
    undone: Vec<Change>,
    /// Whether the next nudge may join the last step.
    #[serde(skip)]
    open: bool,
}

impl History {
    /// Notes a step that was just carried out.
    pub fn push(&mut self, change: Change) {
        self.undone.clear();
        self.open = false;
        self.done.push(change);
        self.trim();
    }

    /// Notes a step that continues the last one when that is still open (nudges in a row): both become one.
    pub fn push_joining(&mut self, change: Change) {
        let joins = self.open
            && self.done.last().is_some_and(|last| {
                last.kind == change.kind
                    && last.edits.len() == change.edits.len()
                    && last.edits.iter().zip(&change.edits).all(|(a, b)| a.id == b.id)
            });
        if joins && let Some(last) = self.done.last_mut() {
            for (to, from) in last.edits.iter_mut().zip(change.edits) {
                to.after = from.after;
            }
            self.undone.clear();
        } else {
            self.push(change);
        }
        self.open = true;
    }

    /// The next nudge starts a step of its own.
    pub const fn seal(&mut self) {
        self.open = false;
    }

    /// Takes back the last step. The change is returned for the selection to follow.
    pub fn undo(&mut self, doc: &mut Document) -> Option<&Change> {
        let change = self.done.pop()?;
        self.open = false;
        doc.revert(&change);
        self.undone.push(change);
        self.undone.last()
    }

    /// Does the last undone step again.
    pub fn redo(&mut self, doc: &mut Document) -> Option<&Change> {
        let change = self.undone.pop()?;
        self.open = false;
        doc.apply(&change);
        self.done.push(change);
        self.done.last()
    }

    pub fn can_undo(&self) -> Option<Kind> {
        self.done.last().map(|c| c.kind)
    }

    pub fn can_redo(&self) -> Option<Kind> {
        self.undone.last().map(|c| c.kind)
    }

    pub fn is_empty(&self) -> bool {
        self.done.is_empty() && self.undone.is_empty()
    }

    /// The newest steps: as much as is written down with every edit.
    #[must_use]
    pub fn tail(&self) -> Self {
        let newest = |list: &[Change]| -> Vec<Change> {
            let mut edits = 0;
            let keep = list
                .iter()
                .rev()
                .take(KEPT_STEPS)
                .take_while(|c| {
                    edits += c.edits.len();
                    edits <= KEPT_EDITS
                })
                .count();
            list[list.len() - keep..].to_vec()
        };
        Self {
            done: newest(&self.done),
            undone: newest(&self.undone),
            open: false,
        }
    }

    fn trim(&mut self) {
        let mut edits: usize = 0;
        let keep = self
            .done
            .iter()
            .rev()
            .take(MAX_STEPS)
            .take_while(|c| {
                edits += c.edits.len();
                edits <= MAX_EDITS
            })
            .count();
        // The last step can always be taken back, however large.
        let keep = keep.max(1);
        if keep < self.done.len() {
            self.done.drain(..self.done.len() - keep);
        }
    }
}
