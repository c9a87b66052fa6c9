//! What keys, clicks and buttons do to documents.

use super::dom;
use crate::features::label::desk::Desk;
use leptos::prelude::*;
use limn_domain::{AnnotationId, CategoryId};
use limn_editor::{Action as A, Editor};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The page of the document.
pub fn page() -> Option<Element> {
    document().query_selector(".label-text__page").ok().flatten()
}

impl Desk {
    /// Carries out what only documents have. `None`: it is done as everywhere.
    pub fn act_on_text(self, action: A) -> Option<bool> {
        let task = self.task_now();
        if !task.is_text() {
            return None;
        }
        Some(match action {
            A::FindText => {
                self.reading.finding.set(true);
                focus_search();
                true
            }
            A::Submit if self.reading.chosen.get_untracked().is_some() => self.mark_chosen(),
            A::Escape if self.reading.chosen.get_untracked().is_some() => {
                self.unchoose();
                true
            }
            A::CycleNext | A::CyclePrevious => {
                let next = self.edit(|e| e.cycle_spans(action == A::CycleNext)).flatten();
                next.is_some_and(|id| {
                    self.reveal_span(id);
                    true
                })
            }
            A::AcceptSelected | A::Delete if task.marks_objects() => {
                let accepts = action == A::AcceptSelected;
                self.edit(|e| {
                    if accepts {
                        e.accept_selected()
                    } else {
                        e.delete_selected()
                    }
                });
                // The next suggestion, which is selected now, may be far away.
                if let Some(id) = self.read(|s| s.editor.selection().primary()).flatten() {
                    self.reveal_span(id);
                }
                true
            }
            A::EndOn | A::EndBack | A::StartOn | A::StartBack => self.move_end(action),
            A::Undo | A::Redo => {
                self.edit(|e| if action == A::Undo { e.undo() } else { e.redo() });
                if let Some(id) = self.read(|s| s.editor.selection().primary()).flatten() {
                    self.reveal_span(id);
                }
                true
            }
            _ => return None,
        })
    }

    /// Marks what is chosen as the category. `false`: nothing is chosen.
    pub fn pick_for_chosen(self, id: CategoryId) -> bool {
        if self.reading.chosen.get_untracked().is_none() || !self.task_now().marks_objects() {
            return false;
        }
        self.category.set(Some(id));
        self.edit(|e| e.set_category(id));
        self.mark_chosen()
    }

    /// Marks what is chosen as the category in hand.
    pub fn mark_chosen(self) -> bool {
        let Some((start, end)) = self.reading.chosen.get_untracked() else {
            return false;
        };
        self.mark_span(start, end);
        true
    }

    /// Marks a stretch without the white space at its ends; what is marked so already is selected, and accepted where it was a suggestion.
    pub fn mark_span(self, start: u32, end: u32) {
        let Some(text) = self.reading.text_now() else {
            return;
        };
        let Some((start, end)) = text.trimmed(start, end) else {
            self.unchoose();
            return;
        };
        let state = self.read(|s| (s.editor.is_read_only(), s.editor.category()));
        match state {
            Some((true, _)) => return,
            Some((false, None)) => {
                self.toasts
                    .info("Pick a category first, by its key or on the right.");
                return;
            }
            _ => {}
        }
        if self.edit(|e| e.add_spans(&[(start, end)])) == Some(0) {
            let there = self.read(|s| {
                let category = s.editor.category();
                s.editor
                    .spans()
                    .into_iter()
                    .find(|(a, from, to)| Some(a.category_id) == category && (*from, *to) == (start, end))
                    .map(|(a, ..)| a.id)
            });
            if let Some(id) = there.flatten() {
                self.edit(|e| {
                    e.select(id, false);
                    e.accept(id);
                });
            }
        }
        // The page has been made anew around it: the caret goes behind the span.
        self.reading.chosen.set(None);
        if let Some(page) = page() {
            dom::choose(&page, &text, end, end);
        }
    }

    /// Marks many stretches in one step, each once. Answers how many were new.
    pub fn mark_all(self, list: &[(u32, u32)]) -> usize {
        self.edit(|e| e.add_spans(list)).unwrap_or(0)
    }

    pub fn unchoose(self) {
        self.reading.chosen.set(None);
        if let Some(s) = dom::selection() {
            let _ = s.collapse_to_end();
        }
    }

    pub fn reveal_span(self, id: AnnotationId) {
        let at = self.read(|s| s.editor.doc().get(id).and_then(|a| a.shape.span()));
        if let Some((start, end)) = at.flatten() {
            self.reading.reveal(start, end);
        }
    }

    /// Selects the shortest span of these; the next longer one when it is selected already.
    pub fn pick_span(self, ids: &[AnnotationId], add: bool) {
        let mut all: Vec<(u32, AnnotationId)> = self
            .read(|s| {
                ids.iter()
                    .filter_map(|id| Some((s.editor.doc().get(*id)?.shape.span()?, *id)))
                    .map(|((start, end), id)| (end - start, id))
                    .collect()
            })
            .unwrap_or_default();
        all.sort_unstable();
        let now = self.read(|s| s.editor.selection().single()).flatten();
        let at = all.iter().position(|(_, id)| Some(*id) == now);
        let next = at.map_or(0, |i| (i + 1) % all.len().max(1));
        match all.get(next) {
            Some((_, id)) => {
                let id = *id;
                self.edit(|e| e.select(id, add));
            }
            None if !add && self.read(|s| !s.editor.selection().is_empty()) == Some(true) => {
                self.edit(Editor::clear_selection);
            }
            None => {}
        }
    }

    /// Moves an end of the selected span by a grapheme.
    fn move_end(self, action: A) -> bool {
        let (Some(text), Some(id)) = (
            self.reading.text_now(),
            self.read(|s| s.editor.selection().single()).flatten(),
        ) else {
            return false;
        };
        let Some((start, end)) = self
            .read(|s| s.editor.doc().get(id).and_then(|a| a.shape.span()))
            .flatten()
        else {
            return false;
        };
        let (start, end) = match action {
            A::EndOn => (start, text.step(end, true)),
            A::EndBack => (start, text.step(end, false)),
            A::StartOn => (text.step(start, true), end),
            _ => (text.step(start, false), end),
        };
        self.edit(|e| e.set_span(id, start, end));
        true
    }
}

fn focus_search() {
    request_animation_frame(|| {
        let field = document().query_selector(".label-text__field").ok().flatten();
        if let Some(field) = field.and_then(|f| f.dyn_into::<web_sys::HtmlInputElement>().ok()) {
            let _ = field.focus();
            field.select();
        }
    });
}
