//! What keys and buttons do.

use super::{Desk, Modal, SaveState};
use crate::features::label::api;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::polygon::Combine;
use limn_domain::{Annotation, Source};
use limn_editor::{Action as A, Editor, Finish, Mods, Order, Tool};

impl Desk {
    /// Carries out an action. `false`: it does not apply here, and the key keeps its usual meaning.
    pub fn act(self, action: A) -> bool {
        let task = self.task_now();
        if !action.is_for(task) {
            return false;
        }
        if action == A::Escape && self.leave_branch() {
            return true;
        }
        if let Some(done) = self.act_on_text(action) {
            return done;
        }
        if let Some(done) = self.act_on_video(action) {
            return done;
        }
        let closes = matches!(
            action,
            A::Submit | A::Skip | A::Next | A::Previous | A::First | A::Last
        );
        if let Some(done) = self.act_in_grid(action) {
            return done;
        }
        // What is being drawn is closed, not lost; Enter does no more than that.
        if closes && self.edit(Editor::finish_outline).unwrap_or(false) && action == A::Submit {
            return true;
        }
        if closes {
            self.edit(Editor::settle_smart);
        }
        match action {
            A::Submit => self.submit(),
            A::Skip => self.ask_skip(),
            A::Next => self.step(true),
            A::Previous => self.step(false),
            A::Last => self.jump(true),
            A::First => self.jump(false),
            A::SaveNow => self.save_all(),
            A::Help => self.modal.set(Some(Modal::Keys)),
            A::Instructions => self.modal.set(Some(Modal::Instructions)),
            A::SearchCategory => {
                self.sheet_up.set(true);
                self.searching.set(true);
            }
            A::Grid => self.set_grid(Some(super::SIZES[1])),
            A::AdjustImage => self.show_light.update(|v| *v = !*v),
            A::Category(n) => return self.pick_key(n, false),
            A::Relabel(n) => return self.pick_key(n, true),
            A::Undo => self.undo(),
            A::Redo => self.redo(),
            A::AcceptAll => {
                self.edit(Editor::accept_all);
            }
            A::RejectAll => {
                self.edit(Editor::reject_all);
            }
            A::ZoomIn => self.view(|e| e.zoom_step(true)),
            A::ZoomOut => self.view(|e| e.zoom_step(false)),
            A::Fit => self.view(Editor::fit),
            A::OneToOne => self.view(Editor::one_to_one),
            A::TurnLeft => self.view(|e| e.turn_view(-90.0)),
            A::TurnRight => self.view(|e| e.turn_view(90.0)),
            A::TurnLeftABit => self.view(|e| e.turn_view(-5.0)),
            A::TurnRightABit => self.view(|e| e.turn_view(5.0)),
            A::Upright => self.view(Editor::upright_view),
            A::NudgeLeft if !self.has_selection() => self.step(false),
            A::NudgeRight if !self.has_selection() => self.step(true),
            _ if !task.marks_objects() => return false,
            other => return self.act_on_boxes(other),
        }
        true
    }

    fn act_on_boxes(self, action: A) -> bool {
        let (dx, dy) = direction(action);
        if let Some(tool) = action.tool() {
            self.view(|e| e.set_tool(tool));
            return true;
        }
        match action {
            A::LeaveOut => return self.edit(Editor::outline_leave_out).unwrap_or(false),
            A::BrushLarger => self.view(|e| e.grow_brush(true)),
            A::BrushSmaller => self.view(|e| e.grow_brush(false)),
            A::FillHoles => {
                self.edit(Editor::fill_holes_selected);
            }
            A::Clean => {
                self.edit(Editor::clean_selected);
            }
            A::Join => {
                self.edit(|e| e.combine_selected(Combine::Union));
            }
            A::Subtract => {
                self.edit(|e| e.combine_selected(Combine::Subtract));
            }
            A::Intersect => {
                if self.edit(|e| e.combine_selected(Combine::Intersect)) == Some(false) {
                    self.toasts.info("The selected outlines have nothing in common.");
                }
            }
            A::Borders => {
                self.edit(|e| e.set_snaps_to_borders(!e.snaps_to_borders()));
            }
            A::Simplify => {
                let tolerance = self.looks.get_untracked().tolerance;
                self.edit(|e| e.simplify_selected(tolerance));
            }
            A::Convert => {
                let tolerance = self.looks.get_untracked().tolerance.unwrap_or(0.0);
                self.edit(|e| e.convert_selected(tolerance));
            }
            A::EditCorners => {
                let tolerance = self.looks.get_untracked().tolerance;
                if self.edit(|e| e.toggle_corners(tolerance)) == Some(false) {
                    self.toasts.info("Select one mask whose corners to edit first.");
                }
            }
            A::HideOrPan if self.has_selection() => self.view(Editor::toggle_hidden_selected),
            A::HideOrPan => self.view(|e| e.set_tool(Tool::Pan)),
            A::Escape => return self.edit(Editor::escape).unwrap_or(false),
            A::KeyPointer => self.view(Editor::toggle_aim),
            A::HoldPointer => return self.hold_aim(Mods::default()),
            A::Template => {
                self.edit(Editor::template_box);
            }
            A::Delete => {
                self.edit(|e| e.outline_back() || e.delete_selected());
            }
            A::Copy => {
                let list = self.read(|s| s.editor.copied()).unwrap_or_default();
                if list.is_empty() {
                    return false;
                }
                self.clipboard.set_value(list);
            }
            A::Paste => {
                let list = self.clipboard.get_value();
                if list.is_empty() {
                    return false;
                }
                self.edit(|e| e.paste(&list, false));
            }
            A::Duplicate => {
                self.edit(Editor::duplicate);
            }
            A::RepeatPrevious => self.repeat_previous(),
            A::SelectAll => self.view(Editor::select_all),
            A::CycleNext | A::CyclePrevious => {
                if self.read(|s| s.editor.doc().is_empty()).unwrap_or(true) {
                    return false;
                }
                self.view(|e| e.cycle(action == A::CycleNext));
            }
            A::Group => {
                self.edit(Editor::group_selected);
            }
            A::Ungroup => {
                self.edit(Editor::ungroup_selected);
            }
            A::Relate => {
                self.ready_relation();
                if self.edit(Editor::begin_relation) == Some(false) {
                    self.toasts
                        .info("Select the object that the relation goes out from first.");
                }
            }
            A::HideAll => self.view(Editor::toggle_all_hidden),
            A::Isolate => self.view(Editor::toggle_isolated),
            A::Lock => self.view(Editor::toggle_locked_selected),
            A::Raise => self.order(Order::Up),
            A::Lower => self.order(Order::Down),
            A::ToFront => self.order(Order::Front),
            A::ToBack => self.order(Order::Back),
            A::Narrower | A::Wider | A::Shorter | A::Taller => {
                self.edit(|e| e.grow(dx, dy));
            }
            A::AcceptSelected => {
                self.edit(Editor::accept_selected);
            }
            A::ZoomToSelection => self.view(Editor::zoom_to_selection),
            _ if (dx, dy) != (0.0, 0.0) => {
                if !self.has_selection() {
                    return false;
                }
                self.edit(|e| {
                    let (dx, dy) = e.view().step_on_image(dx, dy);
                    e.nudge(dx, dy)
                });
            }
            _ => return false,
        }
        true
    }

    /// New relations say the project's first kind until another was chosen.
    fn ready_relation(self) {
        let first = self
            .project
            .with_untracked(|p| p.as_ref().and_then(|p| p.settings.relations.first().cloned()));
        if let Some(kind) = first {
            self.edit(|e| {
                if e.relation_kind().is_empty() {
                    e.set_relation_kind(kind);
                }
            });
        }
    }

    fn view(self, f: impl FnOnce(&mut Editor)) {
        self.edit(f);
    }

    fn order(self, order: Order) {
        self.edit(|e| e.reorder(order));
    }

    fn has_selection(self) -> bool {
        self.read(|s| !s.editor.selection().is_empty()).unwrap_or(false)
    }

    fn pick_key(self, n: u8, relabel: bool) -> bool {
        let id = self.with_digit(n);
        id.map(|id| self.pick(id, relabel)).is_some()
    }

    pub fn undo(self) {
        if self.act_in_grid(A::Undo).is_some() {
            return;
        }
        self.edit(Editor::undo);
    }

    pub fn redo(self) {
        if self.act_in_grid(A::Redo).is_some() {
            return;
        }
        self.edit(Editor::redo);
    }

    /// The previous or next item of the strip; past its end the queue hands out another.
    pub fn step(self, forward: bool) {
        match self.beside(forward) {
            Some(id) => self.go(id),
            None if forward => self.take_ahead(true),
            None => self.toasts.info("This is the oldest item here."),
        }
    }

    fn jump(self, last: bool) {
        let id = self
            .film
            .with_untracked(|f| if last { f.last() } else { f.first() }.map(|f| f.id));
        if let Some(id) = id {
            self.go(id);
        }
    }

    /// Why the open item cannot be left now, if it cannot.
    fn obstacle(self) -> Option<String> {
        let (read_only, held, state) =
            self.read(|s| (s.editor.is_read_only(), s.held_by.clone(), s.state.clone()))?;
        if let Some(who) = held {
            return Some(format!("{who} holds this item."));
        }
        if read_only {
            return Some("You may look at this item, not change it.".to_owned());
        }
        match state {
            SaveState::Conflict => {
                self.modal.set(Some(Modal::Merge));
                Some("Decide the conflicts first.".to_owned())
            }
            SaveState::Taken(_) => {
                self.modal.set(Some(Modal::Trouble));
                Some("Somebody else holds this item now.".to_owned())
            }
            _ => None,
        }
    }

    /// Marks the open item done and goes on; the server hears of it in the background.
    pub fn submit(self) {
        if self.in_grid_now() {
            self.submit_page(false);
            return;
        }
        let Some(id) = self.current.get_untracked() else {
            return;
        };
        if let Some(why) = self.obstacle() {
            self.toasts.info(why);
            return;
        }
        let labeled = |a: &Annotation| a.source != Source::Prelabel;
        let bare = self
            .read(|s| !s.editor.doc().whole().any(labeled))
            .unwrap_or(true);
        if self.task_now().takes_one() && bare {
            self.toasts.info("Pick a category first, or skip the item.");
            return;
        }
        self.edit(Editor::fill_item_defaults);
        if let Some(attribute) = self
            .read(|s| s.editor.item_undescribed().map(str::to_owned))
            .flatten()
        {
            self.sheet_up.set(true);
            self.toasts.info(format!(
                "Say \u{201c}{attribute}\u{201d} of the item first: it is required."
            ));
            return;
        }
        if let Some((object, attribute)) = self.read(|s| s.editor.undescribed()).flatten() {
            self.edit(|e| {
                e.seek(object);
                e.select(object, false);
                e.reveal(object);
            });
            self.reveal_span(object);
            self.sheet_up.set(true);
            self.toasts.info(format!(
                "Say \u{201c}{attribute}\u{201d} of the selected object first: it is required."
            ));
            return;
        }
        self.finish(id, Finish::Submit);
    }

    /// Asks for the reason of a skip.
    pub fn ask_skip(self) {
        let todo = self.read(|s| s.is_todo()).unwrap_or(false);
        match self.obstacle() {
            Some(why) => self.toasts.info(why),
            None if !todo => self.toasts.info("Only items to do can be skipped."),
            None if self.current.get_untracked().is_some() => self.modal.set(Some(Modal::Skip)),
            None => {}
        }
    }

    /// Puts the open item aside and goes on.
    pub fn skip(self, reason: Option<String>) {
        if self.in_grid_now() {
            self.skip_targets(reason.as_deref());
            return;
        }
        if let Some(id) = self.current.get_untracked() {
            self.finish(id, Finish::Skip { reason });
        }
    }

    fn finish(self, id: limn_domain::ItemId, finish: Finish) {
        self.edit(|e| e.cancel());
        self.sheet(id, |s| s.finish = Some(finish));
        self.mark(id);
        self.sheet_up.set(false);
        // The strip is moved on before the answer: the next picture is there already.
        match self.next_todo() {
            Some(next) if self.pulls.get_value() => self.show(next),
            _ if self.pulls.get_value() => self.take_ahead(true),
            _ => {}
        }
        self.touched(id);
        self.pump(id);
    }

    /// Copies the shapes of the item worked on before.
    fn repeat_previous(self) {
        let Some(previous) = self.beside(false) else {
            self.toasts.info("There is no previous item to repeat.");
            return;
        };
        spawn_local(async move {
            let here = self.sheet(previous, |s| s.editor.doc().iter().cloned().collect::<Vec<_>>());
            let list = match here {
                Some(list) => list,
                None => match api::queue_open(previous).await {
                    Ok(work) => work.annotations.annotations,
                    Err(e) => return self.toasts.error(&e),
                },
            };
            let list: Vec<Annotation> = list
                .into_iter()
                .filter(|a| a.source != Source::Prelabel)
                .collect();
            if !self.edit(|e| e.paste(&list, true)).unwrap_or(false) {
                self.toasts
                    .info("The previous item has no shapes that are not here already.");
            }
        });
    }
}

/// The step of an arrow key in image pixels.
fn direction(action: A) -> (f64, f64) {
    match action {
        A::NudgeLeft | A::Narrower => (-1.0, 0.0),
        A::NudgeRight | A::Wider => (1.0, 0.0),
        A::NudgeUp | A::Shorter => (0.0, -1.0),
        A::NudgeDown | A::Taller => (0.0, 1.0),
        A::LeapLeft => (-10.0, 0.0),
        A::LeapRight => (10.0, 0.0),
        A::LeapUp => (0.0, -10.0),
        A::LeapDown => (0.0, 10.0),
        _ => (0.0, 0.0),
    }
}
