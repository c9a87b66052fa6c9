//! Several items at once: a page of them, some chosen, a category for all of these.
//!
//! Every item keeps its own sheet, so that undo, saving and what happens offline are those of the single item.

use super::{Desk, Phase, Sheet};
use crate::features::label::api;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::project::{ProjectStatus, Task};
use limn_domain::{Annotation, CategoryId, ItemId, Source};
use limn_editor::{Action as A, Command, Editor, Finish};
use std::collections::BTreeSet;

/// Items of a page.
pub const SIZES: [usize; 6] = [4, 9, 16, 25, 36, 64];
/// Most items that the server hands out at once.
const TAKE_MAX: usize = 128;
const SIZE: &str = "limn-grid";
/// Below this width of the window in pixels, pages have few columns and scroll.
const NARROW: f64 = 700.0;

/// The page. All parts are handles.
#[derive(Clone, Copy)]
pub struct Grid {
    /// Items of a page; `None`: one item at a time.
    pub size: RwSignal<Option<usize>>,
    pub page: RwSignal<Vec<ItemId>>,
    pub chosen: RwSignal<BTreeSet<ItemId>>,
    /// Goes up when labels of the page change.
    pub tick: RwSignal<u64>,
    /// Where a range of chosen items began.
    anchor: StoredValue<Option<ItemId>>,
    /// Items changed together, to be undone together.
    done: StoredValue<Vec<Vec<ItemId>>>,
    undone: StoredValue<Vec<Vec<ItemId>>>,
}

impl Grid {
    pub fn new() -> Self {
        let storage = window().local_storage().ok().flatten();
        let kept = storage.and_then(|s| s.get_item(SIZE).ok().flatten());
        let kept = kept.and_then(|s| s.parse().ok()).filter(|n| SIZES.contains(n));
        Self {
            size: RwSignal::new(kept),
            page: RwSignal::new(Vec::new()),
            chosen: RwSignal::new(BTreeSet::new()),
            tick: RwSignal::new(0),
            anchor: StoredValue::new(None),
            done: StoredValue::new(Vec::new()),
            undone: StoredValue::new(Vec::new()),
        }
    }
}

/// A label of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    pub name: String,
    pub color: String,
    /// Of a proposal.
    pub score: Option<f64>,
}

/// Columns of a page of so many items.
pub fn columns(size: usize) -> usize {
    let wide = window()
        .inner_width()
        .ok()
        .and_then(|w| w.as_f64())
        .unwrap_or(1440.0)
        > NARROW;
    match size {
        _ if wide => (1..=8).find(|n| n * n >= size).unwrap_or(8),
        0..=16 => 2,
        _ => 3,
    }
}

fn labeled(s: &Sheet) -> bool {
    s.editor.doc().whole().any(|a| a.source != Source::Prelabel)
}

/// How the focus moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// Exactly this one.
    Only,
    /// This one too, or no more.
    Toggle,
    /// All from where the range began.
    Range,
    /// None but the focus.
    Move,
}

impl Desk {
    /// Whether several items can be shown at once.
    pub fn has_grid(self) -> bool {
        matches!(self.task(), Task::Classification | Task::Multilabel) && self.pulls.get_value()
    }

    /// Whether they are.
    pub fn in_grid(self) -> bool {
        self.grid.size.get().is_some() && self.has_grid()
    }

    pub(super) fn in_grid_now(self) -> bool {
        self.grid.size.get_untracked().is_some()
            && matches!(self.task_now(), Task::Classification | Task::Multilabel)
            && self.pulls.get_value()
    }

    /// Pages of so many items, or one at a time; remembered.
    pub fn set_grid(self, size: Option<usize>) {
        let before = self.grid.size.get_untracked();
        if before == size {
            return;
        }
        if let Ok(Some(s)) = window().local_storage() {
            let _ = match size {
                Some(n) => s.set_item(SIZE, &n.to_string()),
                None => s.remove_item(SIZE),
            };
        }
        self.grid.size.set(size);
        self.grid.chosen.set(BTreeSet::new());
        let now = self.current.get_untracked();
        if size.is_some() {
            self.fill_page();
        } else {
            self.give_back_page();
            match now {
                Some(id) => self.show(id),
                None => self.take_ahead(true),
            }
        }
    }

    /// Gives back the items of the page that nobody touched, except the one in focus.
    fn give_back_page(self) {
        let now = self.current.get_untracked();
        let page = self.grid.page.get_untracked();
        self.grid.page.set(Vec::new());
        let unused: Vec<ItemId> = page
            .into_iter()
            .filter(|id| Some(*id) != now)
            .filter(|id| {
                let unused = |s: &mut Sheet| {
                    s.leased && s.is_todo() && !s.is_pending() && s.editor.history().is_empty()
                };
                self.sheet(*id, unused) == Some(true)
            })
            .collect();
        for id in &unused {
            self.sheets.try_update_value(|s| s.remove(id));
            self.drop_frame(*id);
        }
        let project = self.project_id;
        if !unused.is_empty() {
            spawn_local(async move {
                let _ = api::queue_release(project, unused).await;
            });
        }
    }

    /// Takes items until the page is full, after those that are still to do.
    pub(super) fn fill_page(self) {
        let Some(size) = self.grid.size.get_untracked() else {
            return;
        };
        if self.taking.get_value() {
            return;
        }
        self.taking.set_value(true);
        spawn_local(async move {
            // Those on their way to the server may still count as in hand there.
            let leaving = self
                .sheets
                .with_value(|s| s.values().filter(|s| s.leased && !s.is_todo()).count());
            let want = (size + leaving).min(TAKE_MAX);
            let taken = api::queue_take(self.project_id, want as i64).await;
            if self.taking.try_set_value(false).is_some() {
                return;
            }
            let taken = match taken {
                Ok(taken) => taken,
                Err(e) => {
                    self.toasts.error(&e);
                    return;
                }
            };
            let paused = taken.state.status == ProjectStatus::Paused;
            let ids: Vec<ItemId> = taken.items.iter().map(|w| w.item.id).collect();
            self.take_in(taken).await;
            let todo = |id: &ItemId| self.sheet(*id, |s| s.is_todo() && s.leased) == Some(true);
            let mut page: Vec<ItemId> = self.grid.page.get_untracked();
            page.extend(ids);
            let mut seen = BTreeSet::new();
            page.retain(|id| seen.insert(*id) && todo(id));
            page.truncate(size);
            for id in &page {
                self.define(*id);
            }
            let first = page.first().copied();
            let keeps = self.current.get_untracked().is_some_and(|id| page.contains(&id));
            self.grid.page.set(page);
            match first {
                None => self.run_out(paused),
                Some(first) => {
                    if !keeps {
                        self.current.set(Some(first));
                        self.grid.anchor.set_value(Some(first));
                    }
                    self.phase.set(Phase::Ready);
                    self.refresh();
                }
            }
            // Another size was chosen meanwhile.
            match self.grid.size.get_untracked() {
                Some(now) if now != size => self.fill_page(),
                Some(_) => {}
                None => self.give_back_page(),
            }
        });
    }

    /// The items that a category goes to: those chosen, or the one in focus.
    pub fn targets(self) -> Vec<ItemId> {
        let chosen = self.grid.chosen.get_untracked();
        if chosen.is_empty() {
            return self.current.get_untracked().into_iter().collect();
        }
        let page = self.grid.page.get_untracked();
        page.into_iter().filter(|id| chosen.contains(id)).collect()
    }

    /// The labels of an item, to be shown on its cell.
    pub fn tags(self, id: ItemId) -> Vec<Tag> {
        let tag = |a: &Annotation| {
            let (name, color) = self.category_of(a.category_id);
            let score = (a.source == Source::Prelabel).then(|| a.score.unwrap_or(0.0));
            Tag { name, color, score }
        };
        self.sheet(id, |s| s.editor.doc().whole().map(tag).collect())
            .unwrap_or_default()
    }

    /// Whether every target has the category.
    pub fn targets_have(self, category: CategoryId) -> bool {
        let targets = self.targets();
        !targets.is_empty() && targets.into_iter().all(|id| self.has(id, category))
    }

    fn has(self, id: ItemId, category: CategoryId) -> bool {
        let is = |a: &Annotation| a.category_id == category && a.source != Source::Prelabel;
        self.sheet(id, |s| s.editor.doc().whole().any(is)) == Some(true)
    }

    /// Gives the targets a category; when all have it already, takes it away.
    pub(super) fn give(self, category: CategoryId) {
        let targets = self.targets();
        let all = self.targets_have(category);
        let is = |a: &Annotation| a.category_id == category && a.source != Source::Prelabel;
        self.together(&targets, |e| {
            if all || !e.doc().whole().any(is) {
                e.toggle_whole(category);
            }
        });
    }

    /// Changes several items as one step.
    fn together(self, ids: &[ItemId], f: impl Fn(&mut Editor)) {
        let changed: Vec<ItemId> = ids
            .iter()
            .copied()
            .filter(|id| {
                let moved = self.sheet(*id, |s| {
                    let before = s.editor.epochs().doc;
                    f(&mut s.editor);
                    s.editor.epochs().doc != before
                });
                moved == Some(true)
            })
            .collect();
        if changed.is_empty() {
            return;
        }
        for id in &changed {
            self.touched(*id);
        }
        self.grid.done.update_value(|d| d.push(changed));
        self.grid.undone.set_value(Vec::new());
        self.woke();
    }

    fn woke(self) {
        self.grid.tick.update(|n| *n += 1);
        self.doc_tick.update(|n| *n += 1);
    }

    fn step_back(self, back: bool) {
        let (from, to) = if back {
            (self.grid.done, self.grid.undone)
        } else {
            (self.grid.undone, self.grid.done)
        };
        let page = self.grid.page.get_untracked();
        // What was submitted meanwhile is taken back on its own page.
        let step = loop {
            let Some(step) = from.try_update_value(Vec::pop).flatten() else {
                return;
            };
            if step.iter().any(|id| page.contains(id)) {
                break step;
            }
        };
        for id in step.iter().filter(|id| page.contains(id)) {
            self.sheet(*id, |s| if back { s.editor.undo() } else { s.editor.redo() });
            self.touched(*id);
        }
        to.update_value(|t| t.push(step));
        self.woke();
    }

    /// The focus goes to an item of the page.
    pub fn focus(self, id: ItemId, pick: Pick) {
        let page = self.grid.page.get_untracked();
        let Some(at) = page.iter().position(|p| *p == id) else {
            return;
        };
        if self.current.get_untracked() != Some(id) {
            self.current.set(Some(id));
        }
        let from = self
            .grid
            .anchor
            .get_value()
            .and_then(|a| page.iter().position(|p| *p == a))
            .unwrap_or(at);
        match pick {
            Pick::Range => {
                let (a, b) = (from.min(at), from.max(at));
                self.grid.chosen.set(page[a..=b].iter().copied().collect());
                return;
            }
            Pick::Toggle => self.grid.chosen.update(|c| {
                if !c.remove(&id) {
                    c.insert(id);
                }
            }),
            Pick::Only => self.grid.chosen.set(BTreeSet::from([id])),
            Pick::Move => self.grid.chosen.set(BTreeSet::new()),
        }
        self.grid.anchor.set_value(Some(id));
        self.refresh();
    }

    /// The item in focus is chosen too, or no more; `false` when one item is shown.
    pub fn toggle_focused(self) -> bool {
        let here = self.in_grid_now();
        if let Some(id) = self.current.get_untracked().filter(|_| here) {
            self.focus(id, Pick::Toggle);
        }
        here
    }

    fn move_focus(self, dx: i64, dy: i64, pick: Pick) {
        let page = self.grid.page.get_untracked();
        let now = self.current.get_untracked();
        let Some(at) = page.iter().position(|p| Some(*p) == now) else {
            return;
        };
        let step = dx + dy * columns(self.grid.size.get_untracked().unwrap_or(1)) as i64;
        let to = at as i64 + step;
        if let Some(id) = usize::try_from(to).ok().and_then(|to| page.get(to)) {
            self.focus(*id, pick);
        }
    }

    /// Submits the items of the page that have a category, or all of them; others come in their places.
    pub fn submit_page(self, all: bool) {
        let page = self.grid.page.get_untracked();
        let (mut sent, mut undescribed) = (Vec::new(), None);
        for id in page {
            let ready = self.sheet(id, |s| {
                if s.editor.is_read_only() || !(all || labeled(s)) || !s.editor.conflicts().is_empty() {
                    return Err(None);
                }
                s.editor.fill_item_defaults();
                let of_item = s.editor.item_undescribed().map(str::to_owned);
                if let Some(attribute) = of_item.or_else(|| s.editor.undescribed().map(|(_, name)| name)) {
                    return Err(Some(attribute));
                }
                s.finish = Some(Finish::Submit);
                Ok(())
            });
            match ready {
                Some(Ok(())) => sent.push(id),
                Some(Err(Some(attribute))) => undescribed = Some((id, attribute)),
                _ => {}
            }
        }
        if let Some((id, attribute)) = undescribed {
            self.focus(id, Pick::Only);
            self.toasts.info(format!(
                "\u{201c}{attribute}\u{201d} is required: open the item and say it there."
            ));
        } else if sent.is_empty() {
            self.toasts
                .info("Give the items a category first; Submit takes those that have one.");
        }
        self.finished(&sent);
    }

    /// Puts the targets aside.
    pub(super) fn skip_targets(self, reason: Option<&str>) {
        let targets = self.targets();
        for id in &targets {
            let finish = Finish::Skip {
                reason: reason.map(str::to_owned),
            };
            self.sheet(*id, |s| s.finish = Some(finish));
        }
        self.finished(&targets);
    }

    fn finished(self, ids: &[ItemId]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.mark(*id);
            self.touched(*id);
            self.pump(*id);
        }
        self.grid.chosen.set(BTreeSet::new());
        self.grid.page.update(|p| p.retain(|id| !ids.contains(id)));
        self.sheet_up.set(false);
        self.fill_page();
    }

    /// What a key does in the grid; `None` when it is none of the grid's.
    pub(super) fn act_in_grid(self, action: A) -> Option<bool> {
        if !self.in_grid_now() || self.phase.get_untracked() != Phase::Ready {
            return None;
        }
        match action {
            A::Submit => self.submit_page(false),
            A::Skip => self.ask_skip(),
            A::Category(n) | A::Relabel(n) => {
                let id = self.with_digit(n)?;
                self.pick(id, false);
            }
            A::Undo => self.step_back(true),
            A::Redo => self.step_back(false),
            A::AcceptAll => {
                let page = self.grid.page.get_untracked();
                self.together(&page, |e| {
                    e.accept_all();
                });
            }
            A::RejectAll => {
                let page = self.grid.page.get_untracked();
                self.together(&page, |e| {
                    e.reject_all();
                });
            }
            A::AcceptSelected => self.together(&self.targets(), |e| {
                e.accept_all();
            }),
            A::Delete => self.together(&self.targets(), |e| {
                e.run(Command::Classify(Vec::new()));
            }),
            A::SelectAll => {
                let page = self.grid.page.get_untracked();
                self.grid.chosen.set(page.into_iter().collect());
            }
            A::Escape => {
                if self.grid.chosen.with_untracked(BTreeSet::is_empty) {
                    return Some(false);
                }
                self.grid.chosen.set(BTreeSet::new());
            }
            A::NudgeLeft | A::Previous => self.move_focus(-1, 0, Pick::Move),
            A::NudgeRight | A::Next => self.move_focus(1, 0, Pick::Move),
            A::NudgeUp => self.move_focus(0, -1, Pick::Move),
            A::NudgeDown => self.move_focus(0, 1, Pick::Move),
            A::LeapLeft => self.move_focus(-1, 0, Pick::Range),
            A::LeapRight => self.move_focus(1, 0, Pick::Range),
            A::LeapUp => self.move_focus(0, -1, Pick::Range),
            A::LeapDown => self.move_focus(0, 1, Pick::Range),
            A::ZoomIn => self.resize_page(false),
            A::ZoomOut => self.resize_page(true),
            A::Grid => self.set_grid(None),
            A::SaveNow | A::Help | A::Instructions | A::SearchCategory => return None,
            _ => return Some(false),
        }
        Some(true)
    }

    /// The next larger or smaller page.
    fn resize_page(self, larger: bool) {
        let now = self.grid.size.get_untracked();
        let at = SIZES.iter().position(|s| Some(*s) == now).unwrap_or(0);
        let to = if larger { Some(at + 1) } else { at.checked_sub(1) };
        if let Some(size) = to.and_then(|to| SIZES.get(to)) {
            self.set_grid(Some(*size));
        }
    }
}
