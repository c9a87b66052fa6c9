//! Objects by clicks: a network on the server finds them. While the tool is in hand the picture is looked at ahead, and how far that is shows; what the
//! editor asks goes to the server, one question at a time, of which only the newest waits. An item that is left is not asked about any more, and the
//! server gives up on it.

use super::api;
use super::desk::Desk;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::smart::{Answer, Ask, Clicks, Segmented};
use limn_domain::{Code, ItemId};
use limn_editor::Editor;
use std::time::Duration;

/// Between two looks at how far it is.
const TICK: Duration = Duration::from_millis(700);

/// Whether it can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    Idle,
    Waiting,
    /// What is done of the picture, 0..=1.
    Looking(f64),
    Ready,
    Failed(String),
}

/// A question under way, or answered last.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    item: ItemId,
    serial: u64,
    ask: Ask,
}

#[derive(Default)]
struct Inner {
    /// Whose picture is looked at, and which look that is.
    item: Option<ItemId>,
    turn: u32,
    asked: Option<Question>,
    answered: Option<Question>,
}

/// A handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Segmenting {
    desk: Desk,
    pub stage: RwSignal<Stage>,
    inner: StoredValue<Inner>,
}

impl Segmenting {
    pub fn new(desk: Desk) -> Self {
        let this = Self {
            desk,
            stage: RwSignal::new(Stage::Idle),
            inner: StoredValue::new(Inner::default()),
        };
        Effect::new(move |_| {
            desk.look_tick.track();
            desk.current.track();
            this.follow();
        });
        this
    }

    /// Looks at the picture once more, after something went wrong.
    pub fn again(self) {
        self.inner.update_value(|i| i.item = None);
        self.follow();
    }

    /// Looks at the open picture while the tool is in hand, and asks what there is to ask.
    fn follow(self) {
        let wanted = self.desk.read(|s| {
            let in_hand = s.editor.tool().asks_server() && !s.editor.is_read_only();
            in_hand.then_some(s.item.id)
        });
        let wanted = wanted.flatten();
        if self.inner.try_with_value(|i| i.item) == Some(wanted) {
            self.ask();
            return;
        }
        let turn = self.inner.try_update_value(|i| {
            i.item = wanted;
            i.turn = i.turn.wrapping_add(1);
            i.answered = None;
            i.turn
        });
        if let (Some(item), Some(turn)) = (wanted, turn) {
            self.stage.try_set(Stage::Waiting);
            self.look(item, turn);
        } else {
            self.stage.try_set(Stage::Idle);
        }
    }

    fn is_now(self, turn: u32) -> bool {
        self.inner.try_with_value(|i| i.turn == turn && i.item.is_some()) == Some(true)
    }

    fn look(self, item: ItemId, turn: u32) {
        spawn_local(async move {
            let found = api::label_look(item).await;
            if !self.is_now(turn) {
                return;
            }
            let stage = match found {
                Ok(s) if s.ready => Stage::Ready,
                Ok(s) if s.waits => Stage::Waiting,
                Ok(s) => Stage::Looking(s.share),
                Err(e) => Stage::Failed(e.message.clone()),
            };
            let goes_on = matches!(stage, Stage::Waiting | Stage::Looking(_));
            if matches!(stage, Stage::Failed(_)) {
                self.desk.edit(Editor::no_answer);
            }
            self.stage.try_set(stage);
            if goes_on {
                set_timeout(
                    move || {
                        if self.is_now(turn) {
                            self.look(item, turn);
                        }
                    },
                    TICK,
                );
            } else {
                self.ask();
            }
        });
    }

    fn ask(self) {
        if self.stage.try_with_untracked(|s| *s == Stage::Ready) != Some(true) {
            return;
        }
        let question = self.desk.read(|s| {
            let (serial, ask) = s.editor.ask()?;
            matches!(ask, Ask::Segment { .. }).then_some(Question {
                item: s.item.id,
                serial,
                ask,
            })
        });
        let Some(question) = question.flatten() else {
            return;
        };
        let Ask::Segment { frame, scribbles } = &question.ask else {
            return;
        };
        let clicks = Clicks::of(*frame, scribbles);
        let free = self.inner.try_update_value(|i| {
            let free = i.asked.is_none() && i.answered.as_ref() != Some(&question);
            if free {
                i.asked = Some(question.clone());
            }
            free
        });
        if free != Some(true) {
            return;
        }
        spawn_local(async move {
            let found = api::label_segment(question.item, clicks).await;
            let here = self.inner.try_update_value(|i| {
                i.asked = None;
                i.answered = Some(question.clone());
                i.item == Some(question.item)
            });
            match found {
                // An answer about another picture is of no use.
                _ if here != Some(true) => {}
                Ok(Segmented { mask }) => {
                    let answer = Answer::Region { mask, hover: None };
                    self.desk
                        .edit(|e| e.take_answer(question.serial, &question.ask, answer));
                }
                Err(e) => {
                    self.desk.edit(Editor::no_answer);
                    if matches!(e.code, Code::InvalidInput | Code::TooManyRequests) {
                        self.desk.toasts.error(&e);
                    } else {
                        self.stage.try_set(Stage::Failed(e.message.clone()));
                    }
                }
            }
            // What was asked meanwhile.
            self.follow();
        });
    }
}
