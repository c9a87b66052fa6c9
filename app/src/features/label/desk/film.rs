//! The filmstrip: what I did, the open item, and what comes next.

use super::{Desk, Frame, Mark, SaveState, Sheet};
use leptos::prelude::*;
use limn_domain::ItemId;
use limn_domain::item::{Item, ItemStatus};

impl Mark {
    pub fn of_item(item: &Item) -> Self {
        match item.status {
            ItemStatus::Todo => Self::Todo,
            ItemStatus::Done => Self::Done,
            ItemStatus::Skipped => Self::Skipped,
        }
    }

    fn of_sheet(s: &Sheet) -> Self {
        match s.state {
            SaveState::Conflict | SaveState::Taken(_) | SaveState::Refused(_) => Self::Trouble,
            _ if s.finish.is_some() => Self::Sent,
            _ => Self::of_item(&s.item),
        }
    }
}

impl Desk {
    /// Appends items that are not in the strip yet.
    pub(super) fn extend_film(self, items: impl IntoIterator<Item = Frame>) {
        self.film.try_update(|film| {
            for f in items {
                if film.iter().all(|o| o.id != f.id) {
                    film.push(f);
                }
            }
        });
    }

    pub(super) fn drop_frame(self, id: ItemId) {
        self.film.try_update(|film| film.retain(|f| f.id != id));
    }

    /// Shows an item's state in the strip.
    pub fn mark(self, id: ItemId) {
        let Some(mark) = self.sheet(id, |s| Mark::of_sheet(s)) else {
            return;
        };
        let same = self
            .film
            .try_with_untracked(|film| film.iter().any(|f| f.id == id && f.mark == mark));
        if same == Some(false) {
            self.film.try_update(|film| {
                if let Some(f) = film.iter_mut().find(|f| f.id == id) {
                    f.mark = mark;
                }
            });
        }
    }

    /// The neighbour in the strip.
    pub(super) fn beside(self, forward: bool) -> Option<ItemId> {
        let now = self.current.get_untracked();
        self.film.with_untracked(|film| {
            let at = film.iter().position(|f| Some(f.id) == now)?;
            let to = if forward { at + 1 } else { at.checked_sub(1)? };
            film.get(to).map(|f| f.id)
        })
    }

    /// The next item after the open one that is still to do; then any other one to do.
    pub(super) fn next_todo(self) -> Option<ItemId> {
        let now = self.current.get_untracked();
        self.film.with_untracked(|film| {
            let at = film.iter().position(|f| Some(f.id) == now).map_or(0, |i| i + 1);
            film[at..]
                .iter()
                .chain(&film[..at])
                .find(|f| f.mark == Mark::Todo && Some(f.id) != now)
                .map(|f| f.id)
        })
    }

    /// Items to do after the open one, nearest first.
    pub fn upcoming(self) -> Vec<ItemId> {
        let now = self.current.get_untracked();
        self.film.with_untracked(|film| {
            let at = film.iter().position(|f| Some(f.id) == now).map_or(0, |i| i + 1);
            film[at..]
                .iter()
                .filter(|f| f.mark == Mark::Todo)
                .map(|f| f.id)
                .collect()
        })
    }
}

impl Frame {
    pub fn of(item: &Item) -> Self {
        Self {
            id: item.id,
            name: item.name.clone(),
            mark: Mark::of_item(item),
        }
    }
}
