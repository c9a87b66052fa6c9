//! Spans of a document: put, moved by their ends, gone through in the order of the text.

use super::Editor;
use crate::command::Command;
use limn_domain::{Annotation, AnnotationId, Links, Shape, Source};
use std::collections::HashSet;

impl Editor {
    /// The length of the document in Unicode scalar values; 0 for a picture.
    pub fn set_length(&mut self, length: u32) {
        self.length = length;
    }

    pub const fn length(&self) -> u32 {
        self.length
    }

    /// The spans in the order of the text: by start, of those the longest first.
    pub fn spans(&self) -> Vec<(&Annotation, u32, u32)> {
        let mut all: Vec<_> = self
            .doc
            .iter()
            .filter_map(|a| a.shape.span().map(|(start, end)| (a, start, end)))
            .collect();
        all.sort_by_key(|(a, start, end)| (*start, u32::MAX - *end, a.id));
        all
    }

    /// Puts spans of the category in hand, in one step of the history; those that are there already, or are none, are left
    /// out. The last new one is selected. Answers how many were put.
    pub fn add_spans(&mut self, list: &[(u32, u32)]) -> usize {
        let Some(category_id) = self.category else {
            return 0;
        };
        let mut there: HashSet<(u32, u32)> = self
            .doc
            .iter()
            .filter(|a| a.category_id == category_id)
            .filter_map(|a| a.shape.span())
            .collect();
        let mut z = self.doc.top_z();
        let attributes = self.default_attributes(category_id);
        let mut new = Vec::new();
        for (start, end) in list {
            if start >= end || *end > self.length || !there.insert((*start, *end)) {
                continue;
            }
            z += 1;
            new.push(Annotation {
                id: AnnotationId::new(),
                category_id,
                shape: Shape::Span {
                    start: *start,
                    end: *end,
                },
                z,
                source: Source::Human,
                score: None,
                attributes: attributes.clone(),
                links: Links::default(),
            });
        }
        let (n, last) = (new.len(), new.last().map(|a| a.id));
        if !self.run(Command::Add(new)) {
            return 0;
        }
        if let Some(id) = last {
            self.select(id, false);
        }
        n
    }

    /// Gives a span other ends; moves in a row are one step. `false`: they are none, or nothing changed.
    pub fn set_span(&mut self, id: AnnotationId, start: u32, end: u32) -> bool {
        let can = |a: &Annotation| a.shape.span().is_some() && self.layers.can_edit(a);
        if !self.doc.get(id).is_some_and(can) || start >= end || end > self.length {
            return false;
        }
        self.run_joining(
            Command::Reshape(vec![(id, Shape::Span { start, end })], Vec::new()),
            true,
        )
    }

    /// Selects the next or previous span of the text; proposals among the others.
    pub fn cycle_spans(&mut self, forward: bool) -> Option<AnnotationId> {
        let all: Vec<AnnotationId> = self.spans().iter().map(|(a, ..)| a.id).collect();
        let at = self
            .selection
            .primary()
            .and_then(|p| all.iter().position(|id| *id == p));
        let n = all.len();
        let next = *all.get(match (at, forward) {
            (Some(i), true) => (i + 1) % n.max(1),
            (Some(i), false) => (i + n - 1) % n.max(1),
            (None, true) => 0,
            (None, false) => n.checked_sub(1)?,
        })?;
        self.select(next, false);
        Some(next)
    }
}
