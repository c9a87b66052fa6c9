//! Undo and redo. One gesture is one step; the history can be written down and read back.

use crate::command::{Change, Kind};
use crate::document::Document;
use limn_domain::{Annotation, Shape};
use serde::{Deserialize, Serialize};

/// Most steps kept.
pub const MAX_STEPS: usize = 500;
/// Most edits kept over all steps, so that one item's history stays small enough to be written at every step.
pub const MAX_EDITS: usize = 20_000;

/// Most bytes of shapes kept: a step of the brush holds the mask before and after.
pub const MAX_BYTES: usize = 64 << 20;

/// The same for what survives a reload.
const KEPT_STEPS: usize = 100;
const KEPT_EDITS: usize = 2_000;
const KEPT_BYTES: usize = 1 << 20;

/// About how many bytes the shapes of a step take.
fn weight(change: &Change) -> usize {
    let of = |a: &Option<Annotation>| match a.as_ref().map(|a| &a.shape) {
        Some(Shape::Mask { mask }) => mask.counts.len(),
        Some(Shape::Polygon { parts }) => 16 * parts.iter().flatten().map(Vec::len).sum::<usize>(),
        Some(Shape::Polyline { points } | Shape::Points { points }) => 16 * points.len(),
        Some(Shape::Track { keyframes }) => keyframes.len() * 64,
        _ => 0,
    };
    change.edits.iter().map(|e| of(&e.before) + of(&e.after)).sum()
}

/// How many of the newest steps stay within all three bounds.
fn newest(list: &[Change], steps: usize, edits: usize, bytes: usize) -> usize {
    let (mut edits_seen, mut bytes_seen) = (0, 0);
    list.iter()
        .rev()
        .take(steps)
        .take_while(|c| {
            edits_seen += c.edits.len();
            bytes_seen += weight(c);
            edits_seen <= edits && bytes_seen <= bytes
        })
        .count()
}

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
        let kept = |list: &[Change]| -> Vec<Change> {
            list[list.len() - newest(list, KEPT_STEPS, KEPT_EDITS, KEPT_BYTES)..].to_vec()
        };
        Self {
            done: kept(&self.done),
            undone: kept(&self.undone),
            open: false,
        }
    }

    fn trim(&mut self) {
        // The last step can always be taken back, however large.
        let keep = newest(&self.done, MAX_STEPS, MAX_EDITS, MAX_BYTES).max(1);
        if keep < self.done.len() {
            self.done.drain(..self.done.len() - keep);
        }
    }
}
