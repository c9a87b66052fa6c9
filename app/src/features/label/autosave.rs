//! Nothing drawn is ever lost: every edit is kept in the browser's database at once, then sent within a third of a
//! second, and sent again until the server has answered.
//!
//! A change carries its own id, so sending it twice is harmless. When the server has a newer revision, its state and
//! ours are merged by annotation; only what two people changed differently asks for a decision.

use super::api;
use super::desk::{Desk, Modal, SaveState};
use super::outbox::{self, Record};
use crate::error::AppError;
use crate::ui::Tone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::annotation::{ItemAnnotations, SaveChange, SaveOutcome};
use limn_domain::item::ItemStatus;
use limn_domain::queue::{Skip, Submit};
use limn_domain::{AnnotationId, ChangeId, Code, ItemId};
use limn_editor::{Editor, Finish, Side};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use wasm_bindgen::prelude::*;

/// From an edit to its sending; further edits meanwhile go along.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// An answer that takes longer counts as none.
const PATIENCE: Duration = Duration::from_secs(20);
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Browsers send at most 64 KiB when a page closes.
const LAST_WORDS: usize = 60_000;

/// What to send next.
enum Step {
    Save(SaveChange),
    Submit(Submit),
    Skip(Skip),
}

/// In semantic segmentation what undo or a merge brought back may lie on other masks, and the server takes no such save. Says
/// whether masks were cut.
fn kept_apart(e: &mut Editor) -> bool {
    e.stored().in_flight().is_none() && e.conflicts().is_empty() && e.keep_apart()
}

async fn sleep(time: Duration) {
    let promise = js_sys::Promise::new(&mut |ok, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&ok, time.as_millis() as i32);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
}

/// The outcome of `work`, or a lost connection when it takes too long.
async fn patiently<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let mut work = pin!(work);
    let mut timer = pin!(sleep(PATIENCE));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(out) = work.as_mut().poll(cx) {
            return Poll::Ready(out);
        }
        timer.as_mut().poll(cx).map(|()| Err(AppError::offline()))
    })
    .await
}

impl Desk {
    /// Starts the timers and listeners of saving; they end with the page.
    pub fn start_saving(self) {
        let beat = set_interval_with_handle(move || self.heartbeat(), HEARTBEAT).ok();
        let online = window_event_listener_untyped("online", move |_| self.save_all());
        let seen = window_event_listener_untyped("visibilitychange", move |_| {
            if !document().hidden() {
                self.save_all();
                self.heartbeat();
            }
        });
        let hide = window_event_listener_untyped("pagehide", move |_| self.last_words());
        let leave = window_event_listener_untyped("beforeunload", move |ev| {
            // Kept work needs no question; work that could not be kept does.
            let unkept = !self.keeps.try_get_value().unwrap_or(true) && self.any_pending();
            if unkept {
                ev.prevent_default();
            }
        });
        let version = self.session.version;
        Effect::new(move |before: Option<u32>| {
            let now = version.get();
            if before.is_some_and(|b| b != now) {
                self.save_all();
            }
            now
        });
        on_cleanup(move || {
            if let Some(b) = beat {
                b.clear();
            }
            for listener in [online, seen, hide, leave] {
                listener.remove();
            }
            self.last_words();
            self.leave();
        });
    }

    fn any_pending(self) -> bool {
        self.sheets
            .try_with_value(|s| s.values().any(|s| s.is_pending()))
            .unwrap_or(false)
    }

    /// Items besides the open one that the server still has to hear of.
    pub fn waiting_elsewhere(self) -> usize {
        let now = self.current.try_get_untracked().flatten();
        self.sheets
            .try_with_value(|s| {
                s.iter()
                    .filter(|(id, s)| Some(**id) != now && s.is_pending())
                    .count()
            })
            .unwrap_or(0)
    }

    fn pending_ids(self) -> Vec<ItemId> {
        self.sheets
            .try_with_value(|s| {
                s.iter()
                    .filter(|(_, s)| s.is_pending())
                    .map(|(id, _)| *id)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Sends everything that waits, now.
    pub fn save_all(self) {
        for id in self.pending_ids() {
            self.pump(id);
        }
    }

    fn set_state(self, id: ItemId, state: SaveState) {
        let changed = self.sheet(id, |s| {
            let changed = s.state != state;
            s.state = state;
            changed
        });
        if changed == Some(true) {
            self.save_tick.try_update(|n| *n += 1);
            self.mark(id);
        }
    }

    /// An item has changed here: keeps it at once and sends it soon.
    pub(super) fn touched(self, id: ItemId) {
        let go = self.sheet(id, |s| {
            if matches!(s.state, SaveState::Saved | SaveState::Refused(_)) {
                s.state = SaveState::Waiting;
            }
            !std::mem::replace(&mut s.scheduled, true)
        });
        self.save_tick.try_update(|n| *n += 1);
        spawn_local(async move {
            self.keep(id).await;
        });
        if go == Some(true) {
            set_timeout(
                move || {
                    self.sheet(id, |s| s.scheduled = false);
                    self.pump(id);
                },
                DEBOUNCE,
            );
        }
    }

    /// Writes the item's unconfirmed work to the browser's database.
    async fn keep(self, id: ItemId) {
        let Some(me) = self.session.me.try_get_untracked().flatten() else {
            return;
        };
        let record = self.sheet(id, |s| Record {
            user: me.id,
            project: self.project_id,
            name: s.item.name.clone(),
            at: js_sys::Date::now(),
            state: s
                .editor
                .stored()
                .to_local(s.editor.history(), s.active_ms as i64, s.finish.clone()),
        });
        let Some(record) = record else {
            return;
        };
        let kept = outbox::put(&record).await.is_ok();
        let told = self.keeps.try_get_value().unwrap_or(true);
        if kept != told {
            self.keeps.try_set_value(kept);
            if !kept {
                self.toasts.fail(
                    "This browser does not let Limn keep unsent work. Stay on the page until it says Saved.",
                );
            }
        }
    }

    /// Sends what an item has, one thing after the other, until nothing is left or something is in the way.
    pub(super) fn pump(self, id: ItemId) {
        let free = self.sheet(id, |s| !std::mem::replace(&mut s.sending, true));
        if free != Some(true) {
            return;
        }
        spawn_local(async move {
            while let Some(step) = self.next_step(id) {
                self.keep(id).await;
                self.set_state(id, SaveState::Sending);
                let change = match &step {
                    Step::Save(c) => Some(c.change_id),
                    Step::Submit(s) => s.change.as_ref().map(|c| c.change_id),
                    Step::Skip(_) => None,
                };
                let answer = match step {
                    Step::Save(c) => patiently(api::annotation_save(id, c)).await.map(|o| (o, false)),
                    Step::Submit(s) => patiently(api::queue_submit(id, s)).await.map(|o| (o, true)),
                    Step::Skip(s) => {
                        let skipped = patiently(api::queue_skip(id, s)).await;
                        let revision = self.sheet(id, |s| s.editor.stored().revision()).unwrap_or(0);
                        skipped.map(|()| (SaveOutcome::Saved { revision }, true))
                    }
                };
                match answer {
                    Ok((SaveOutcome::Saved { revision }, last)) => {
                        self.confirmed(id, change, revision, last).await;
                    }
                    Ok((SaveOutcome::Conflict { current }, _)) => {
                        if !self.merge(id, current).await {
                            break;
                        }
                    }
                    Err(e) => {
                        self.failed(id, &e).await;
                        break;
                    }
                }
            }
            self.sheet(id, |s| s.sending = false);
            // Edits made while the last answer was on its way.
            let again = self.sheet(id, |s| s.is_pending() && s.state == SaveState::Waiting);
            if again == Some(true) {
                self.pump(id);
            }
        });
    }

    fn next_step(self, id: ItemId) -> Option<Step> {
        let parted = self.sheet(id, |s| kept_apart(&mut s.editor));
        if parted == Some(true) && self.current.try_get_untracked() == Some(Some(id)) {
            self.refresh();
        }
        let step = self.sheet(id, |s| {
            if !s.editor.conflicts().is_empty() {
                return Err(SaveState::Conflict);
            }
            let fresh = s.editor.stored().in_flight().is_none();
            let active = s.active_ms.round().clamp(0.0, 86_400_000.0);
            let revision = s.editor.stored().revision();
            let change = s.editor.stored_mut().begin_save(active as i64).cloned();
            if fresh && change.is_some() {
                s.active_ms = 0.0;
            }
            // The last part of a large change carries the submission.
            let more = s.editor.stored().has_more();
            match (&s.finish, change) {
                (Some(_), Some(change)) if more => Ok(Step::Save(change)),
                (Some(Finish::Submit), change) => Ok(Step::Submit(Submit { revision, change })),
                (_, Some(change)) => Ok(Step::Save(change)),
                (Some(Finish::Skip { reason }), None) => Ok(Step::Skip(Skip {
                    reason: reason.clone(),
                })),
                (None, None) => Err(SaveState::Saved),
            }
        })?;
        match step {
            Ok(step) => Some(step),
            Err(state) => {
                self.set_state(id, state);
                None
            }
        }
    }

    async fn confirmed(self, id: ItemId, change: Option<ChangeId>, revision: i64, last: bool) {
        let clean = self.sheet(id, |s| {
            s.attempts = 0;
            if let Some(c) = change {
                s.editor.stored_mut().acknowledge(c, revision);
            }
            s.item.revision = revision;
            if last {
                let was_todo = s.item.status == ItemStatus::Todo;
                s.item.status = match s.finish.take() {
                    Some(Finish::Skip { .. }) => ItemStatus::Skipped,
                    _ => ItemStatus::Done,
                };
                s.leased = false;
                return (s.editor.stored().is_clean(), was_todo);
            }
            (s.editor.stored().is_clean(), false)
        });
        if let Some((clean, was_todo)) = clean {
            if was_todo {
                self.queue.try_update(|q| {
                    if let Some(q) = q {
                        q.todo = (q.todo - 1).max(0);
                        q.done_by_me += 1;
                    }
                });
            }
            // The undo log of a finished item is not needed any more.
            match self.session.me.get_untracked() {
                Some(me) if last && clean => outbox::remove(me.id, id).await,
                _ => self.keep(id).await,
            }
        }
        self.mark(id);
        if last {
            self.save_tick.try_update(|n| *n += 1);
            if !self.pulls.try_get_value().unwrap_or(true)
                && self.current.try_get_untracked() == Some(Some(id))
            {
                self.toasts.ok("Submitted.");
            }
        }
    }

    /// Merges what the server has now. `true`: nothing needs a decision, go on saving.
    async fn merge(self, id: ItemId, current: ItemAnnotations) -> bool {
        let me = self.session.me.try_get_untracked().flatten().map(|m| m.id);
        let who = if current.updated_by.is_some() && current.updated_by == me {
            "You in another place".to_owned()
        } else {
            current
                .updated_by_name
                .clone()
                .unwrap_or_else(|| "Somebody else".to_owned())
        };
        let open = self.current.try_get_untracked() == Some(Some(id));
        let out = self.sheet(id, |s| {
            let merge = s.editor.stored().merge_with(&current);
            let (conflicts, taken) = (merge.conflicts.len(), merge.taken);
            s.theirs.clone_from(&who);
            s.editor.take_merge(current, merge);
            if conflicts > 0 {
                s.finish = None;
            }
            (conflicts, taken, s.item.name.clone())
        });
        let Some((conflicts, taken, name)) = out else {
            return false;
        };
        if open {
            self.refresh();
        }
        self.keep(id).await;
        if conflicts == 0 {
            if taken > 0 {
                self.toasts.info(format!(
                    "{who} changed {name} too. {taken} changes came in; yours stand."
                ));
            }
            return true;
        }
        self.set_state(id, SaveState::Conflict);
        if open {
            self.modal.try_set(Some(Modal::Merge));
        } else {
            self.toasts.with_link(
                Tone::Warn,
                format!("{who} and you changed the same objects of {name}."),
                "Decide",
                format!("/projects/{}/label/{id}", self.project_id),
            );
        }
        false
    }

    /// Puts the decisions of the merge dialog in place and saves on.
    pub fn decide(self, choices: &HashMap<AnnotationId, Side>) {
        let Some(id) = self.current.get_untracked() else {
            return;
        };
        self.edit(|e| e.decide(choices));
        self.set_state(id, SaveState::Waiting);
        self.touched(id);
    }

    async fn failed(self, id: ItemId, e: &AppError) {
        match e.code {
            Code::SignInRequired => self.set_state(id, SaveState::SignedOut),
            Code::ItemTaken => {
                self.sheet(id, |s| {
                    s.finish = None;
                    s.leased = false;
                });
                self.set_state(id, SaveState::Taken(e.message.clone()));
                self.speak_of(id, e);
            }
            // The revision moved on between two steps: read it and merge.
            Code::Conflict => match patiently(api::queue_open(id)).await {
                Ok(work) => {
                    if self.merge(id, work.annotations).await {
                        self.set_state(id, SaveState::Waiting);
                    }
                }
                Err(_) => self.retry_later(id),
            },
            Code::Unavailable | Code::Internal | Code::TooManyRequests => self.retry_later(id),
            _ => {
                self.sheet(id, |s| {
                    s.editor.stored_mut().abandon_save();
                    s.finish = None;
                });
                self.set_state(id, SaveState::Refused(e.message.clone()));
                self.speak_of(id, e);
            }
        }
        self.keep(id).await;
        self.mark(id);
    }

    fn speak_of(self, id: ItemId, e: &AppError) {
        if self.current.try_get_untracked() == Some(Some(id)) {
            self.modal.try_set(Some(Modal::Trouble));
        } else {
            let name = self.sheet(id, |s| s.item.name.clone()).unwrap_or_default();
            self.toasts.with_link(
                Tone::Bad,
                format!("{name}: {}", e.message),
                "Open",
                format!("/projects/{}/label/{id}", self.project_id),
            );
        }
    }

    fn retry_later(self, id: ItemId) {
        self.set_state(id, SaveState::Offline);
        let attempts = self.sheet(id, |s| {
            s.attempts += 1;
            s.attempts
        });
        let wait = 1_000_u64 << attempts.unwrap_or(1).saturating_sub(1).min(5);
        let jitter = (js_sys::Math::random() * 400.0) as u64;
        set_timeout(
            move || self.pump(id),
            Duration::from_millis(wait.min(30_000) + jitter),
        );
    }

    /// Throws away the unconfirmed work on the open item and shows what the server has.
    pub fn discard(self) {
        let Some(id) = self.current.get_untracked() else {
            return;
        };
        spawn_local(async move {
            if let Some(me) = self.session.me.get_untracked() {
                outbox::remove(me.id, id).await;
            }
            match api::queue_open(id).await {
                Ok(work) => {
                    self.sheets.update_value(|s| {
                        s.remove(&id);
                    });
                    self.current.set(None);
                    self.adopt_again(work).await;
                }
                Err(e) => self.toasts.error(&e),
            }
        });
    }

    /// Tries once more to save the open item.
    pub fn try_again(self) {
        if let Some(id) = self.current.get_untracked() {
            self.set_state(id, SaveState::Waiting);
            self.pump(id);
        }
    }

    /// The open item's annotations as a file, for work that cannot be saved.
    pub fn export_work(self) -> Option<(String, String)> {
        self.read(|s| {
            let list: Vec<_> = s.editor.stored().iter().cloned().collect();
            let text = serde_json::to_string_pretty(&list).ok()?;
            Some((
                format!("{}.annotations.json", s.item.name.replace('/', "_")),
                text,
            ))
        })?
    }

    /// Keeps the leases and learns which are gone.
    fn heartbeat(self) {
        let ids: Vec<ItemId> = self
            .sheets
            .try_with_value(|s| {
                s.iter()
                    .filter(|(_, s)| s.leased && s.is_todo())
                    .map(|(id, _)| *id)
                    .collect()
            })
            .unwrap_or_default();
        if ids.is_empty() || (document().hidden() && !self.any_pending()) {
            return;
        }
        spawn_local(async move {
            let Ok(beat) = api::queue_heartbeat(self.project_id, ids).await else {
                return;
            };
            for id in beat.lost {
                self.lost(id);
            }
        });
    }

    fn lost(self, id: ItemId) {
        let Some((name, worked)) = self.sheet(id, |s| {
            s.leased = false;
            (
                s.item.name.clone(),
                s.is_pending() || !s.editor.history().is_empty(),
            )
        }) else {
            return;
        };
        if worked || self.current.try_get_untracked() == Some(Some(id)) {
            self.toasts.with_link(
                Tone::Warn,
                format!("Your hold on {name} has ended: somebody else may have taken it. Your work is kept."),
                "Open",
                format!("/projects/{}/label/{id}", self.project_id),
            );
        } else {
            self.sheets.try_update_value(|s| s.remove(&id));
            self.drop_frame_of(id);
        }
    }

    /// The page closes: what waits is sent without waiting for the answer. It is kept here in any case.
    fn last_words(self) {
        for id in self.pending_ids() {
            let change = self.sheet(id, |s| {
                let active = s.active_ms.round().max(0.0) as i64;
                kept_apart(&mut s.editor);
                s.editor.stored_mut().begin_save(active).cloned()
            });
            let Some(Some(change)) = change else {
                continue;
            };
            let body = serde_json::json!({ "item": id, "change": change }).to_string();
            if body.len() > LAST_WORDS {
                continue;
            }
            let init = web_sys::RequestInit::new();
            init.set_method("POST");
            init.set_body(&body.into());
            let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
            if let Ok(headers) = web_sys::Headers::new() {
                let _ = headers.set("content-type", "application/json");
                let _ = headers.set("accept", "application/json");
                init.set_headers(&headers);
            }
            drop(window().fetch_with_str_and_init(api::SAVE_PATH, &init));
        }
    }
}
