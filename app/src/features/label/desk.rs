//! The labeler's desk: the items in hand, which one is open, and what the panels look at.
//!
//! [`Desk`] is a handle to it all; copy it freely. Everything that edits goes through [`Desk::edit`], which notices what
//! changed, wakes the parts of the page that show it, and hands changed annotations to the autosave.

mod act;
mod aim;
mod film;
mod grid;
mod load;
mod pictures;
mod video;

pub(super) use grid::{Pick, SIZES, columns};
pub(super) use load::keep_drafts;
pub use pictures::is_small;
pub use video::SPEEDS;
pub(super) use video::keep_frame;

use super::branch;
use super::look::Look;
use super::text::Reading;
use crate::error::AppError;
use crate::session::{Session, use_session};
use crate::ui::{Toasts, use_toasts};
use leptos::prelude::*;
use limn_domain::authz::{Action as Right, allowed};
use limn_domain::category::Category;
use limn_domain::item::{Item, ItemStatus};
use limn_domain::picture::Picture;
use limn_domain::project::{Project, Task};
use limn_domain::queue::QueueState;
use limn_domain::{Annotation, CategoryId, ItemId, ProjectId, Size};
use limn_editor::keymap::Overrides;
use limn_editor::{Editor, Finish, Keymap};
use std::collections::HashMap;
use std::sync::Arc;

/// Whether an item's work has reached the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveState {
    Saved,
    /// Kept here, about to be sent.
    Waiting,
    Sending,
    /// The server does not answer; tried again by itself.
    Offline,
    SignedOut,
    /// Somebody else changed the same objects: a decision is needed.
    Conflict,
    /// Somebody else holds the item.
    Taken(String),
    /// The server refused the change, for this reason.
    Refused(String),
}

/// An item in hand.
pub struct Sheet {
    /// Which of this page's sheets it is: an item that is loaded anew has another one, whose editor counts its changes from the beginning.
    pub number: u64,
    pub item: Item,
    pub editor: Editor,
    pub leased: bool,
    /// Name of another person who holds it.
    pub held_by: Option<String>,
    /// How I left it, as far as the server has not confirmed that.
    pub finish: Option<Finish>,
    pub state: SaveState,
    /// Milliseconds worked and not reported yet.
    pub active_ms: f64,
    /// Whose changes are in the open conflicts.
    pub theirs: String,
    pub(super) sending: bool,
    pub(super) scheduled: bool,
    pub(super) attempts: u32,
}

impl Sheet {
    /// Whether the server still has to hear something.
    pub fn is_pending(&self) -> bool {
        self.finish.is_some() || !self.editor.stored().is_clean()
    }

    /// Whether it waits for the labeler.
    pub fn is_todo(&self) -> bool {
        self.item.status == ItemStatus::Todo && self.finish.is_none()
    }
}

/// A category as the panels show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cat {
    pub category: Category,
    /// Level below the root, from 0.
    pub depth: usize,
    /// Digit that picks it.
    pub key: Option<u8>,
    pub color: String,
}

/// A picture of the filmstrip.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub id: ItemId,
    pub name: String,
    pub mark: Mark,
}

/// Where a picture of the filmstrip stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Todo,
    Done,
    Skipped,
    /// Left, not confirmed yet.
    Sent,
    /// Needs a look: a conflict, a refusal.
    Trouble,
}

impl Mark {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Sent => "sent",
            Self::Trouble => "trouble",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Todo => "to do",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Sent => "being sent",
            Self::Trouble => "needs a look",
        }
    }
}

/// What fills the stage.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    Loading,
    Ready,
    /// The queue has nothing (more) for the labeler.
    Empty,
    Failed(AppError),
}

/// The dialog that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modal {
    Skip,
    Instructions,
    Keys,
    Merge,
    /// Saving has stopped: why, and what can be done.
    Trouble,
}

/// The desk. All parts are handles.
#[derive(Clone, Copy)]
pub struct Desk {
    pub project_id: ProjectId,
    pub session: Session,
    pub toasts: Toasts,
    pub phase: RwSignal<Phase>,
    pub project: RwSignal<Option<Project>>,
    pub categories: RwSignal<Vec<Cat>>,
    pub queue: RwSignal<Option<QueueState>>,
    pub film: RwSignal<Vec<Frame>>,
    pub current: RwSignal<Option<ItemId>>,
    pub modal: RwSignal<Option<Modal>>,
    /// Goes up when annotations of the open item change.
    pub doc_tick: RwSignal<u64>,
    pub selection_tick: RwSignal<u64>,
    pub view_tick: RwSignal<u64>,
    pub look_tick: RwSignal<u64>,
    /// Goes up when another frame of a video is in view.
    pub frame_tick: RwSignal<u64>,
    /// When the frames of videos are shown, in microseconds.
    pub times: RwSignal<HashMap<ItemId, Arc<Vec<i64>>>>,
    pub playing: RwSignal<bool>,
    /// How fast; 1 is as it was filmed.
    pub speed: RwSignal<f64>,
    /// Goes up when the state of any save changes.
    pub save_tick: RwSignal<u64>,
    /// The category of new shapes.
    pub category: RwSignal<Option<CategoryId>>,
    /// How the picture and the shapes are shown.
    pub looks: RwSignal<Look>,
    pub show_light: RwSignal<bool>,
    /// How the pictures of items are shown, as far as that is known.
    pub pictures: RwSignal<HashMap<ItemId, Picture>>,
    /// Goes up when tiles came.
    pub tiles_tick: RwSignal<u64>,
    /// Goes up when a thumbnail that was missing is there.
    pub thumbs_tick: RwSignal<u64>,
    /// The samples shown from black to white, where somebody chose them.
    pub window: RwSignal<Option<(u16, u16)>>,
    /// The pixel under the pointer: a number a channel.
    pub value: RwSignal<Option<Vec<u16>>>,
    /// What makes the shades in view equally frequent: the table of an SVG filter.
    pub equal_shades: RwSignal<Option<String>>,
    /// The category search is open.
    pub searching: RwSignal<bool>,
    /// A click on an object adds it to the selection, or takes it out: for fingers, which have no Shift.
    pub several: RwSignal<bool>,
    /// On a phone: the panel is up.
    pub sheet_up: RwSignal<bool>,
    /// Classification by a tree: the category whose children the digits name.
    pub branch: RwSignal<Option<CategoryId>>,
    /// Classification: a pick submits.
    pub auto_submit: RwSignal<bool>,
    pub keymap: RwSignal<Keymap>,
    /// Keys that were chosen instead of the default ones, in this browser.
    pub own_keys: RwSignal<Overrides>,
    /// The network that finds objects by clicks, where the project has one.
    pub segmenter: RwSignal<Option<String>>,
    /// Documents: what the page of the text shows.
    pub reading: Reading,
    /// Several items at once.
    pub grid: grid::Grid,
    /// Whether the queue hands out items here (not for a single opened item).
    pub pulls: StoredValue<bool>,
    pub(super) sheets: StoredValue<HashMap<ItemId, Sheet>>,
    pub(super) clipboard: StoredValue<Vec<Annotation>>,
    screen: StoredValue<Size>,
    /// When somebody last did something, in milliseconds.
    last_input: StoredValue<f64>,
    taking: StoredValue<bool>,
    /// The browser's database works.
    pub(super) keeps: StoredValue<bool>,
}

const AUTO_SUBMIT: &str = "limn-auto-submit";
const OWN_KEYS: &str = "limn-keys";
const LOOKS: &str = "limn-look";

impl Desk {
    pub fn new(project_id: ProjectId, pulls: bool) -> Self {
        let storage = window().local_storage().ok().flatten();
        let kept = |key: &str| storage.as_ref().and_then(|s| s.get_item(key).ok().flatten());
        let auto = kept(AUTO_SUBMIT).is_some_and(|v| v == "1");
        let looks: Look = kept(LOOKS)
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default();
        // What is no map of keys is nothing.
        let own_keys: Overrides = kept(OWN_KEYS)
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default();
        Self {
            project_id,
            session: use_session(),
            toasts: use_toasts(),
            phase: RwSignal::new(Phase::Loading),
            project: RwSignal::new(None),
            categories: RwSignal::new(Vec::new()),
            queue: RwSignal::new(None),
            film: RwSignal::new(Vec::new()),
            current: RwSignal::new(None),
            modal: RwSignal::new(None),
            doc_tick: RwSignal::new(0),
            selection_tick: RwSignal::new(0),
            view_tick: RwSignal::new(0),
            look_tick: RwSignal::new(0),
            frame_tick: RwSignal::new(0),
            times: RwSignal::new(HashMap::new()),
            playing: RwSignal::new(false),
            speed: RwSignal::new(1.0),
            save_tick: RwSignal::new(0),
            category: RwSignal::new(None),
            looks: RwSignal::new(looks.bounded()),
            show_light: RwSignal::new(false),
            pictures: RwSignal::new(HashMap::new()),
            tiles_tick: RwSignal::new(0),
            thumbs_tick: RwSignal::new(0),
            window: RwSignal::new(None),
            value: RwSignal::new(None),
            equal_shades: RwSignal::new(None),
            searching: RwSignal::new(false),
            several: RwSignal::new(false),
            sheet_up: RwSignal::new(false),
            branch: RwSignal::new(None),
            auto_submit: RwSignal::new(auto),
            keymap: RwSignal::new(Keymap::with_overrides(&own_keys).unwrap_or_default()),
            own_keys: RwSignal::new(own_keys),
            segmenter: RwSignal::new(None),
            reading: Reading::new(),
            grid: grid::Grid::new(),
            pulls: StoredValue::new(pulls),
            sheets: StoredValue::new(HashMap::new()),
            clipboard: StoredValue::new(Vec::new()),
            screen: StoredValue::new(Size::default()),
            last_input: StoredValue::new(js_sys::Date::now()),
            taking: StoredValue::new(false),
            keeps: StoredValue::new(true),
        }
    }

    pub fn task(self) -> Task {
        self.project
            .with(|p| p.as_ref().map_or(Task::Detection, |p| p.summary.task))
    }

    pub(super) fn task_now(self) -> Task {
        self.project
            .with_untracked(|p| p.as_ref().map_or(Task::Detection, |p| p.summary.task))
    }

    /// Whether my role may label here.
    pub fn may_label(self) -> bool {
        self.project.with_untracked(|p| {
            p.as_ref()
                .is_some_and(|p| allowed(p.summary.my_role, Right::Label))
        })
    }

    /// Whether my role may change what others finished.
    fn may_edit_others(self) -> bool {
        self.project.with_untracked(|p| {
            p.as_ref()
                .is_some_and(|p| allowed(p.summary.my_role, Right::EditOthersLabels))
        })
    }

    /// Works on one item in hand; `None` when it is not (or the page is gone).
    pub(super) fn sheet<R>(self, id: ItemId, f: impl FnOnce(&mut Sheet) -> R) -> Option<R> {
        self.sheets.try_update_value(|s| s.get_mut(&id).map(f)).flatten()
    }

    /// Looks at the open item. Not tracked: read the tick that fits first.
    pub fn read<R>(self, f: impl FnOnce(&Sheet) -> R) -> Option<R> {
        let id = self.current.try_get_untracked()??;
        self.sheets.try_with_value(|s| s.get(&id).map(f)).flatten()
    }

    /// Works on the open item's editor, then wakes whatever shows what changed.
    pub fn edit<R>(self, f: impl FnOnce(&mut Editor) -> R) -> Option<R> {
        let id = self.current.try_get_untracked()??;
        let (out, before, after) = self.sheet(id, |s| {
            let before = s.editor.epochs();
            let out = f(&mut s.editor);
            (out, before, s.editor.epochs())
        })?;
        if after.selection != before.selection {
            self.selection_tick.update(|n| *n += 1);
        }
        if after.view != before.view {
            self.view_tick.update(|n| *n += 1);
        }
        if after.look != before.look {
            self.look_tick.update(|n| *n += 1);
        }
        if after.frame != before.frame {
            self.frame_tick.update(|n| *n += 1);
            // Other objects are seen; nothing has changed.
            if after.doc == before.doc {
                self.doc_tick.update(|n| *n += 1);
            }
        }
        if after.doc != before.doc {
            self.doc_tick.update(|n| *n += 1);
            self.touched(id);
        }
        Some(out)
    }

    /// Wakes everything that shows the open item.
    pub(super) fn refresh(self) {
        for tick in [
            self.doc_tick,
            self.selection_tick,
            self.view_tick,
            self.look_tick,
            self.frame_tick,
            self.save_tick,
        ] {
            tick.try_update(|n| *n += 1);
        }
    }

    /// The canvas has this size now.
    pub fn resize(self, size: Size) {
        self.screen.set_value(size);
        self.edit(|e| e.resize_view(size));
    }

    /// The name and colour of a category; a removed one has a stand-in.
    pub fn category_of(self, id: CategoryId) -> (String, String) {
        self.categories.with_untracked(|list| {
            list.iter().find(|c| c.category.id == id).map_or_else(
                || ("Removed category".to_owned(), "#8b8d94".to_owned()),
                |c| (c.category.name.clone(), c.color.clone()),
            )
        })
    }

    /// Makes a category the one for new shapes (and of the selection), or switches it for the whole item.
    pub fn pick(self, id: CategoryId, relabel: bool) {
        if self.pick_for_chosen(id) {
            return;
        }
        self.open_branch(id);
        if self.in_grid_now() {
            self.give(id);
            return;
        }
        if !self.read(|s| s.editor.is_read_only()).unwrap_or(true) {
            self.category.set(Some(id));
        }
        if self.edit(|e| e.pick_category(id, relabel)) == Some(false) {
            self.say_unfit(id);
        }
        let single = self.task_now().takes_one() && self.auto_submit.get_untracked();
        // A category with others below it may be said more exactly by the next key.
        if single
            && !self.has_below(id)
            && self
                .read(|s| s.editor.doc().whole().next().is_some())
                .unwrap_or(false)
        {
            self.submit();
        }
    }

    fn has_below(self, id: CategoryId) -> bool {
        self.tree_now(|all| branch::has_below(all, id))
    }

    fn tree_now<R>(self, f: impl FnOnce(&[Category]) -> R) -> R {
        let all: Vec<Category> = self
            .categories
            .with_untracked(|list| list.iter().map(|c| c.category.clone()).collect());
        f(&all)
    }

    /// Whether digits name one level of the tree of categories at a time.
    fn by_levels(self) -> bool {
        !self.task_now().marks_objects() && self.tree_now(branch::by_levels)
    }

    fn open_branch(self, id: CategoryId) {
        if self.by_levels() {
            self.branch.set(self.tree_now(|all| branch::opened_by(all, id)));
        }
    }

    /// One level up. Whether there was one.
    pub fn leave_branch(self) -> bool {
        let Some(now) = self.branch.get_untracked() else {
            return false;
        };
        self.branch
            .set(self.tree_now(|all| branch::above(all, now).first().copied()));
        true
    }

    /// The digit that picks a category now.
    pub fn digit_of(self, cat: &Cat) -> Option<u8> {
        if self.by_levels() {
            let branch = self.branch.get();
            self.tree_now(|all| branch::digits(all, branch).get(&cat.category.id).copied())
        } else {
            cat.key
        }
    }

    /// The category of a digit.
    pub(super) fn with_digit(self, n: u8) -> Option<CategoryId> {
        if self.by_levels() {
            let branch = self.branch.get_untracked();
            let digits = self.tree_now(|all| branch::digits(all, branch));
            return digits.into_iter().find(|(_, d)| *d == n).map(|(id, _)| id);
        }
        self.categories
            .with_untracked(|list| list.iter().find(|c| c.key == Some(n)).map(|c| c.category.id))
    }

    /// Gives the selected shapes another category.
    pub fn relabel(self, id: CategoryId) {
        if self.edit(|e| e.relabel_selected(id)) == Some(false) {
            self.say_unfit(id);
        }
    }

    fn say_unfit(self, id: CategoryId) {
        let name = self.category_of(id).0;
        self.toasts.info(format!(
            "{name} has another skeleton: objects with keypoints keep their category."
        ));
    }

    /// Remembers whether a pick submits.
    pub fn set_auto_submit(self, on: bool) {
        self.auto_submit.set(on);
        if let Ok(Some(s)) = window().local_storage() {
            let _ = s.set_item(AUTO_SUBMIT, if on { "1" } else { "0" });
        }
    }

    /// Changes how things are shown, and remembers it.
    pub fn set_look(self, change: impl FnOnce(&mut Look)) {
        self.looks.update(change);
        if let (Ok(Some(s)), Ok(json)) = (
            window().local_storage(),
            serde_json::to_string(&self.looks.get_untracked()),
        ) {
            let _ = s.set_item(LOOKS, &json);
        }
    }

    /// Takes other keys into use and remembers them. Errors: why they cannot be.
    pub fn set_own_keys(self, keys: Overrides) -> Result<(), String> {
        self.keymap.set(Keymap::with_overrides(&keys)?);
        if let Ok(Some(s)) = window().local_storage() {
            let _ = match serde_json::to_string(&keys) {
                Ok(json) if !keys.is_empty() => s.set_item(OWN_KEYS, &json),
                _ => s.remove_item(OWN_KEYS),
            };
        }
        self.own_keys.set(keys);
        Ok(())
    }

    /// Somebody did something: counts as work up to half a minute since the last time.
    pub fn note_activity(self) {
        const IDLE_MS: f64 = 30_000.0;
        let now = js_sys::Date::now();
        let gap = now - self.last_input.get_value();
        self.last_input.set_value(now);
        if !(0.0..=IDLE_MS).contains(&gap) {
            return;
        }
        let here = if self.in_grid_now() {
            self.grid.page.get_untracked()
        } else {
            self.current.get_untracked().into_iter().collect()
        };
        // On a page of several, each gets its share.
        let share = gap / here.len().max(1) as f64;
        for id in here {
            self.sheet(id, |s| s.active_ms += share);
        }
    }
}

/// The categories in tree order with their level and key. Explicit keys first; without any, the first ten get 1-9 and 0.
pub(super) fn with_keys(list: Vec<Category>) -> Vec<Cat> {
    let none = list.iter().all(|c| c.hotkey.is_none());
    let mut depths: HashMap<CategoryId, usize> = HashMap::new();
    list.into_iter()
        .enumerate()
        .map(|(i, category)| {
            let depth = category
                .parent_id
                .and_then(|p| depths.get(&p))
                .map_or(0, |d| d + 1);
            depths.insert(category.id, depth);
            let key = match category.hotkey {
                Some(k) => u8::try_from(k).ok(),
                None if none && i < 10 => Some(((i + 1) % 10) as u8),
                None if i == 9 => Some(0),
                None => None,
            };
            let color = crate::ui::safe_color(&category.color);
            Cat {
                category,
                depth,
                key,
                color,
            }
        })
        .collect()
}

/// Coordinates as people read them: at most two decimals.
pub fn px(v: f64) -> String {
    let r = (v * 100.0).round() / 100.0;
    format!("{}", if r == 0.0 { 0.0 } else { r })
}
