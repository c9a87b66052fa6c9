//! Getting items: at the start, when moving on, ahead of time.

use super::{Desk, Frame, Phase, SaveState, Sheet, with_keys};
use crate::error::AppError;
use crate::features::label::api;
use crate::features::label::outbox::{self, Record};
use crate::ui::Tone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::{Item, ItemStatus};
use limn_domain::project::{ProjectStatus, Task};
use limn_domain::queue::{Taken, WorkItem};
use limn_domain::smart::can_segment;
use limn_domain::{ItemId, Size};
use limn_editor::{Begun, Definition, Document, Editor, History, Tool};
use std::sync::atomic::{AtomicU64, Ordering};

/// Items leased ahead of the open one.
const AHEAD: usize = 3;
/// Most items one person may have in hand.
const IN_HAND: usize = 10;

impl Desk {
    /// Loads the project and the first items. `item` opens that one; otherwise the queue hands one out.
    pub fn start(self, item: Option<ItemId>) {
        self.phase.set(Phase::Loading);
        spawn_local(async move {
            if let Err(e) = self.load(item).await {
                self.phase.try_set(Phase::Failed(e));
            }
        });
    }

    async fn load(self, item: Option<ItemId>) -> Result<(), AppError> {
        let project = api::label_project(self.project_id).await?;
        let categories = api::label_categories(self.project_id).await?;
        let cats = with_keys(categories);
        if self.category.get_untracked().is_none() {
            self.category.set(cats.first().map(|c| c.category.id));
        }
        self.categories.set(cats);
        if can_segment(project.summary.task) {
            // Without an answer the page goes on without the tool.
            self.segmenter
                .set(api::label_segmenter(self.project_id).await.unwrap_or_default());
        }
        self.project.set(Some(project));
        let pending = self.recover().await;
        let history = api::label_history(self.project_id, None)
            .await
            .map(|p| p.rows)
            .unwrap_or_default();
        self.extend_film(history.iter().rev().map(Frame::of));
        let first = match item {
            Some(id) => {
                self.adopt(api::queue_open(id).await?).await;
                if let Ok(state) = api::read_queue(self.project_id).await {
                    self.queue.set(Some(state));
                }
                Some(id)
            }
            None if self.may_label() => {
                let taken = api::queue_take(self.project_id, AHEAD as i64 + 1).await?;
                let ids: Vec<ItemId> = taken.items.iter().map(|w| w.item.id).collect();
                self.take_in(taken).await;
                let last = remembered(self).filter(|id| ids.contains(id));
                last.or_else(|| ids.first().copied())
            }
            None => None,
        };
        match first {
            Some(id) if self.in_grid_now() => {
                self.current.set(Some(id));
                self.fill_page();
            }
            Some(id) => self.show(id),
            None => self.phase.set(Phase::Empty),
        }
        // What was left unsent in earlier visits goes out now.
        for id in pending {
            if self.sheet(id, |_| ()).is_none()
                && let Ok(work) = api::queue_open(id).await
            {
                let frame = Frame::of(&work.item);
                self.adopt(work).await;
                self.film.try_update(|film| {
                    if film.iter().all(|f| f.id != id) {
                        film.insert(0, frame);
                    }
                });
            }
            self.pump(id);
        }
        Ok(())
    }

    /// Sends again what was under way when the page was closed, so that its answer is known before anything is loaded.
    /// Returns the items of this project with unsent work.
    async fn recover(self) -> Vec<ItemId> {
        let Some(me) = self.session.me.get_untracked() else {
            return Vec::new();
        };
        let mut pending = Vec::new();
        for mut record in outbox::all(me.id).await {
            if record.project != self.project_id || !record.state.is_pending() {
                continue;
            }
            let id = record.state.item_id;
            pending.push(id);
            if let Some(change) = record.state.in_flight.clone() {
                match api::annotation_save(id, change.clone()).await {
                    Ok(SaveOutcome::Saved { revision }) => {
                        record.state.acknowledge(change.change_id, revision);
                    }
                    Ok(SaveOutcome::Conflict { .. }) => record.state.abandon_save(),
                    Err(_) => continue,
                }
                let _ = outbox::put(&record).await;
            }
        }
        pending
    }

    /// Puts an item from the server into hand, with the work kept here on top.
    pub(super) async fn adopt(self, work: WorkItem) {
        let id = work.item.id;
        let name = work.item.name.clone();
        if self
            .sheet(id, |s| s.leased = work.lease_until.is_some())
            .is_some()
        {
            return;
        }
        let record = match self.session.me.get_untracked() {
            Some(me) => outbox::get(me.id, id).await,
            None => None,
        };
        self.extend_film([Frame::of(&work.item)]);
        let theirs = work
            .annotations
            .updated_by_name
            .clone()
            .unwrap_or_else(|| "somebody else".to_owned());
        let (sheet, merged) = self.sheet_of(work, record, theirs);
        let pending = sheet.is_pending();
        self.sheets.try_update_value(|s| s.insert(id, sheet));
        if merged > 0 {
            self.toasts.info(format!(
                "{name}: your unsent work was merged with what changed meanwhile."
            ));
        }
        if pending {
            self.touched(id);
        }
    }

    fn sheet_of(self, work: WorkItem, record: Option<Record>, theirs: String) -> (Sheet, usize) {
        static SHEETS: AtomicU64 = AtomicU64::new(0);
        let size = Size {
            width: work.item.width as f64,
            height: work.item.height as f64,
        };
        let task = self.task_now();
        let mut merged = 0;
        let (editor, finish, active_ms, conflicts) = if let Some(r) = record {
            let moved = r.state.is_pending() && r.state.base_revision != work.annotations.revision;
            let clean_but_old = !r.state.is_pending() && moved_on(&r, &work);
            let (doc, merge) = Document::restore(task, size, work.annotations, &r.state);
            if moved && merge.conflicts.is_empty() {
                merged = r.state.edits.len();
            }
            let history = if clean_but_old {
                limn_editor::History::default()
            } else {
                r.state.history
            };
            let mut editor = editor_of(&work.item, doc, history);
            editor.set_conflicts(merge.conflicts.clone());
            let finish = r.state.finish.filter(|_| merge.conflicts.is_empty());
            (
                editor,
                finish,
                r.state.active_ms as f64,
                !merge.conflicts.is_empty(),
            )
        } else {
            let doc = Document::new(task, size, work.annotations);
            (
                editor_of(&work.item, doc, limn_editor::History::default()),
                None,
                0.0,
                false,
            )
        };
        let mut sheet = Sheet {
            number: SHEETS.fetch_add(1, Ordering::Relaxed),
            item: work.item,
            editor,
            leased: work.lease_until.is_some(),
            held_by: work.held_by,
            finish,
            state: if conflicts {
                SaveState::Conflict
            } else {
                SaveState::Saved
            },
            active_ms,
            theirs,
            sending: false,
            scheduled: false,
            attempts: 0,
        };
        let me = self.session.me.with_untracked(|m| m.as_ref().map(|m| m.id));
        let others = sheet.item.status != ItemStatus::Todo && sheet.item.done_by != me;
        let locked = sheet.held_by.is_some() || !self.may_label() || (others && !self.may_edit_others());
        sheet.editor.set_read_only(locked);
        sheet
            .editor
            .set_length(u32::try_from(sheet.item.length).unwrap_or(0));
        sheet
            .editor
            .set_segments(self.segmenter.with_untracked(Option::is_some));
        (sheet, merged)
    }

    pub(super) async fn take_in(self, taken: Taken) {
        self.queue.try_set(Some(taken.state));
        for work in taken.items {
            self.adopt(work).await;
        }
    }

    /// Opens an item: at once when it is in hand, else after asking for it.
    pub fn go(self, id: ItemId) {
        if self.in_grid_now() {
            if self.grid.page.with_untracked(|p| p.contains(&id)) {
                self.focus(id, super::Pick::Only);
                return;
            }
            self.set_grid(None);
        }
        if self.current.get_untracked() == Some(id) {
            return;
        }
        if self.sheet(id, |_| ()).is_some() {
            self.show(id);
            return;
        }
        spawn_local(async move {
            match api::queue_open(id).await {
                Ok(work) => {
                    self.adopt(work).await;
                    self.show(id);
                }
                Err(e) => self.toasts.error(&e),
            }
        });
    }

    pub(super) fn show(self, id: ItemId) {
        let size = self.screen.get_value();
        let before = self.current.get_untracked();
        self.playing.set(false);
        self.edit(|e| e.cancel());
        self.sheets.update_value(|sheets| {
            let Some(mut sheet) = sheets.remove(&id) else {
                return;
            };
            if let Some(old) = before.and_then(|b| sheets.get(&b)) {
                sheet.editor.carry_over(&old.editor);
            }
            sheet.editor.clear_selection();
            sheet.editor.resize_view(size);
            sheet.editor.fit();
            if let Some(c) = self.category.get_untracked() {
                sheet.editor.set_category(c);
            }
            sheets.insert(id, sheet);
        });
        self.define(id);
        if before.is_none() {
            let first_tool = match self.task_now() {
                Task::Detection | Task::Objects => Tool::Box,
                Task::Segmentation => Tool::Polygon,
                Task::Semantic => Tool::Brush,
                Task::Keypoints => Tool::Keypoints,
                Task::Entities => Tool::Select,
                Task::Classification | Task::Multilabel | Task::TextClassification | Task::TextMultilabel => {
                    Tool::Pan
                }
            };
            self.sheet(id, |s| s.editor.set_tool(first_tool));
        }
        // What is in hand from a picture may not be for videos.
        self.sheet(id, |s| {
            let tool = s.editor.tool();
            if s.editor.frames().is_some() && (tool.paints() || tool.is_smart() || tool == Tool::Slice) {
                s.editor.set_tool(Tool::Select);
            }
        });
        if before.is_none()
            && let Some(frame) = super::video::frame_left(self, id)
        {
            self.sheet(id, |s| s.editor.go_to_frame(frame));
        }
        self.current.set(Some(id));
        self.phase.set(Phase::Ready);
        self.refresh();
        if let Some(begun) = begun_on(self, id) {
            self.edit(|e| e.go_on(begun));
        }
        remember(self, id);
        self.forget_far();
        if let Some(previous) = before {
            self.pump(previous);
        }
        let state = self.read(|s| (s.state.clone(), s.held_by.clone(), s.item.name.clone()));
        match state {
            Some((SaveState::Conflict, ..)) => self.modal.set(Some(super::Modal::Merge)),
            Some((_, Some(who), name)) => self.toasts.info(format!(
                "{who} holds {name} right now: you can look at it, not change it."
            )),
            _ => {}
        }
        if self.pulls.get_value() {
            self.take_ahead(false);
        }
    }

    /// Tells an item's editor what the categories say of their objects.
    pub(super) fn define(self, id: ItemId) {
        let definitions = self.categories.with_untracked(|list| {
            list.iter()
                .map(|c| {
                    let definition = Definition {
                        parent: c.category.parent_id,
                        skeleton: c.category.skeleton.clone(),
                        attributes: c.category.attributes.clone(),
                    };
                    (c.category.id, definition)
                })
                .collect()
        });
        let of_item = self
            .project
            .with_untracked(|p| p.as_ref().map(|p| p.settings.attributes.clone()))
            .unwrap_or_default();
        self.sheet(id, |s| {
            s.editor.set_definitions(definitions);
            s.editor.set_item_attributes(of_item);
        });
    }

    /// Keeps the next few items ready. With `then_go` the first new one is opened.
    pub(super) fn take_ahead(self, then_go: bool) {
        let ahead = self.upcoming().len();
        if self.taking.get_value() || (ahead >= AHEAD && !then_go) || !self.may_label() {
            return;
        }
        let in_hand = self
            .sheets
            .with_value(|s| s.values().filter(|s| s.leased && s.is_todo()).count());
        let want = (in_hand + AHEAD.saturating_sub(ahead)).max(1);
        if in_hand >= IN_HAND && then_go {
            self.toasts.info(format!(
                "You have {in_hand} items in hand. Submit or skip some to get more."
            ));
            return;
        }
        self.taking.set_value(true);
        spawn_local(async move {
            let taken = api::queue_take(self.project_id, want.min(IN_HAND) as i64).await;
            if self.taking.try_set_value(false).is_some() {
                return;
            }
            match taken {
                Ok(taken) => {
                    let paused = taken.state.status == ProjectStatus::Paused;
                    self.take_in(taken).await;
                    if then_go {
                        match self.next_todo() {
                            Some(id) => self.show(id),
                            None => self.run_out(paused),
                        }
                    }
                }
                Err(e) if then_go => self.toasts.error(&e),
                // Tried again with the next item.
                Err(_) => {}
            }
        });
    }

    pub(super) fn run_out(self, paused: bool) {
        self.phase.set(Phase::Empty);
        self.current.set(None);
        self.refresh();
        if paused {
            self.toasts.with_link(
                Tone::Neutral,
                "The project is paused: its queue hands out nothing new.",
                "To the project",
                format!("/projects/{}", self.project_id),
            );
        }
    }

    /// Finished items far from the open one leave the memory; they are asked for again when somebody goes back.
    fn forget_far(self) {
        const KEEP: usize = 24;
        let now = self.current.get_untracked();
        let order: Vec<ItemId> = self.film.with_untracked(|f| f.iter().map(|f| f.id).collect());
        let at = order.iter().position(|id| Some(*id) == now).unwrap_or(0);
        self.sheets.update_value(|sheets| {
            if sheets.len() > KEEP {
                sheets.retain(|id, s| {
                    let near = order
                        .iter()
                        .position(|o| o == id)
                        .is_some_and(|i| i.abs_diff(at) <= KEEP / 2);
                    near || s.is_pending() || s.is_todo() || s.sending
                });
            }
        });
    }

    /// Shows an item anew as the server has it.
    pub(in crate::features::label) async fn adopt_again(self, work: WorkItem) {
        let id = work.item.id;
        self.adopt(work).await;
        self.show(id);
        self.mark(id);
    }

    /// Takes an item out of the strip.
    pub(in crate::features::label) fn drop_frame_of(self, id: ItemId) {
        self.drop_frame(id);
    }

    /// Gives back what was only taken ahead.
    pub fn leave(self) {
        let now = self.current.get_untracked();
        let unused: Vec<ItemId> = self.sheets.with_value(|sheets| {
            sheets
                .iter()
                .filter(|(id, s)| {
                    Some(**id) != now
                        && s.leased
                        && s.is_todo()
                        && !s.is_pending()
                        && s.editor.history().is_empty()
                })
                .map(|(id, _)| *id)
                .collect()
        });
        let project = self.project_id;
        if !unused.is_empty() {
            spawn_local(async move {
                let _ = api::queue_release(project, unused).await;
            });
        }
    }
}

/// The workspace of an item.
fn editor_of(item: &Item, doc: Document, history: History) -> Editor {
    match item.frames() {
        Some(frames) => Editor::new_video(doc, history, frames),
        None => Editor::new(doc, history),
    }
}

/// An undo log whose item was changed by somebody else since does not fit any more.
fn moved_on(record: &Record, work: &WorkItem) -> bool {
    record.state.base_revision != work.annotations.revision
}

/// Where this tab keeps what is being drawn corner by corner.
fn draft_slot(desk: Desk) -> String {
    format!("limn-draft-{}", desk.project_id)
}

/// What was being drawn on the item before a reload; it is kept no more, until it goes on.
fn begun_on(desk: Desk, item: ItemId) -> Option<Begun> {
    let storage = window().session_storage().ok().flatten()?;
    let json = storage.get_item(&draft_slot(desk)).ok().flatten()?;
    let (of, begun): (ItemId, Begun) = serde_json::from_str(&json).ok()?;
    if of != item {
        return None;
    }
    let _ = storage.remove_item(&draft_slot(desk));
    Some(begun)
}

/// Pieces of a stroke between two times that it is kept; the last ones are kept when the page goes.
const PIECES: usize = 24;

/// Keeps what is being drawn, at every corner and click, until it is finished or dropped.
pub(in crate::features::label) fn keep_drafts(desk: Desk) {
    let progress = Memo::new(move |_| {
        desk.look_tick.track();
        desk.current.track();
        desk.read(|s| {
            let n = s.editor.progress();
            let n = if s.editor.stroke().is_some() {
                n.div_ceil(PIECES)
            } else {
                n
            };
            (n > 0).then_some((s.item.id, n))
        })
        .flatten()
    });
    Effect::new(move |before: Option<bool>| {
        let there = progress.get().is_some();
        // Not at the start: what was kept is still to be looked at.
        if there || before == Some(true) {
            keep_draft(desk);
        }
        there
    });
    let going = window_event_listener_untyped("pagehide", move |_| {
        if progress.try_get_untracked().flatten().is_some() {
            keep_draft(desk);
        }
    });
    on_cleanup(move || going.remove());
}

fn keep_draft(desk: Desk) {
    let Ok(Some(storage)) = window().session_storage() else {
        return;
    };
    let begun = desk.read(|s| Some((s.item.id, s.editor.begun()?))).flatten();
    match begun.and_then(|b| serde_json::to_string(&b).ok()) {
        // Where there is no room for it, what was kept before is better than nothing.
        Some(json) => drop(storage.set_item(&draft_slot(desk), &json)),
        None => drop(storage.remove_item(&draft_slot(desk))),
    }
}

fn slot(desk: Desk) -> String {
    format!("limn-label-{}", desk.project_id)
}

/// The item that was open in this tab before a reload.
fn remembered(desk: Desk) -> Option<ItemId> {
    let storage = window().session_storage().ok().flatten()?;
    storage.get_item(&slot(desk)).ok().flatten()?.parse().ok()
}

fn remember(desk: Desk, id: ItemId) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = storage.set_item(&slot(desk), &id.to_string());
    }
}
