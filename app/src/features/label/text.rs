//! Documents: the text in the middle, spans on it, and what marks them.
//!
//! The page is made of blocks of some kilobytes that the browser lays out only near the view (`content-visibility`), so a
//! megabyte scrolls like a page; only blocks whose spans changed are made anew. Texts and names reach the page as text
//! nodes and attributes, never as markup.

mod act;
mod bar;
mod dom;
mod list;
mod load;
mod page;
mod paint;

pub use list::Spans;
pub use page::TextStage;

use leptos::prelude::*;
use limn_domain::text::Text;
use limn_domain::{AnnotationId, ItemId};
use std::sync::Arc;

/// The text of the open document.
#[derive(Debug, Clone)]
pub enum Loaded {
    No,
    Yes(ItemId, Arc<Text>),
    /// Why it cannot be shown.
    Failed(String),
}

/// What the panels know of the document's page. All parts are handles.
#[derive(Clone, Copy)]
pub struct Reading {
    pub loaded: RwSignal<Loaded>,
    /// The stretch that somebody has chosen and that is not marked yet.
    pub chosen: RwSignal<Option<(u32, u32)>>,
    /// The span under the pointer, on the page or in the list.
    pub hover: RwSignal<Option<AnnotationId>>,
    /// A place to bring into view; counted, so that the same place works twice.
    pub goal: RwSignal<(u64, u32, u32)>,
    /// The search is open.
    pub finding: RwSignal<bool>,
}

impl Reading {
    pub fn new() -> Self {
        Self {
            loaded: RwSignal::new(Loaded::No),
            chosen: RwSignal::new(None),
            hover: RwSignal::new(None),
            goal: RwSignal::new((0, 0, 0)),
            finding: RwSignal::new(false),
        }
    }

    /// The text of the open document, if it is there. Tracked.
    pub fn text(self) -> Option<Arc<Text>> {
        self.loaded.with(|l| match l {
            Loaded::Yes(_, text) => Some(Arc::clone(text)),
            _ => None,
        })
    }

    pub fn text_now(self) -> Option<Arc<Text>> {
        untrack(|| self.text())
    }

    /// Brings a place into view.
    pub fn reveal(self, start: u32, end: u32) {
        self.goal.update(|g| *g = (g.0 + 1, start, end));
    }
}
