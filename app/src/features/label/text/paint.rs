//! Blocks of the page, made with the browser's own calls: some thousand nodes that change a few at a time.

use crate::features::label::desk::Desk;
use limn_domain::text::Text;
use limn_domain::{AnnotationId, Source};
use limn_editor::spans::{lanes, pieces};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Pixels from one lane of underlines to the next; the style sheet leaves room for them.
const LANE: u8 = 4;
/// Characters of a line and pixels of its height, as far as a block that was never laid out is guessed.
const LINE: usize = 90;

/// A span as it is drawn.
#[derive(Debug, Clone, PartialEq, Hash)]
struct Mark {
    id: AnnotationId,
    start: u32,
    end: u32,
    lane: u8,
    name: String,
    color: String,
    on: bool,
    proposal: bool,
}

/// What the page shows now.
#[derive(Default)]
pub struct Painter {
    text: Option<Arc<Text>>,
    /// Of each block, a hash of its spans.
    shown: Vec<u64>,
}

fn marks(desk: Desk) -> Vec<Mark> {
    desk.read(|s| {
        let mut spans = s.editor.spans();
        spans.retain(|(a, ..)| !s.editor.layers().is_hidden(a));
        let places: Vec<(u32, u32)> = spans.iter().map(|(_, start, end)| (*start, *end)).collect();
        spans
            .iter()
            .zip(lanes(&places))
            .map(|((a, start, end), lane)| {
                let (name, color) = desk.category_of(a.category_id);
                Mark {
                    id: a.id,
                    start: *start,
                    end: *end,
                    lane,
                    name,
                    color,
                    on: s.editor.selection().contains(a.id),
                    proposal: a.source == Source::Prelabel,
                }
            })
            .collect()
    })
    .unwrap_or_default()
}

impl Painter {
    /// Brings the page up to date: all blocks for another text, else those whose spans changed.
    pub fn paint(&mut self, page: &Element, text: &Arc<Text>, desk: Desk) {
        let same = self.text.as_ref().is_some_and(|t| Arc::ptr_eq(t, text));
        if !same {
            self.begin(page, text);
        }
        let marks = marks(desk);
        let mut by_block: Vec<Vec<usize>> = vec![Vec::new(); text.blocks()];
        for (n, m) in marks.iter().enumerate() {
            for block in text.block_of(m.start)..=text.block_of(m.end.saturating_sub(1)) {
                if let Some(list) = by_block.get_mut(block) {
                    list.push(n);
                }
            }
        }
        let blocks = page.children();
        for (n, list) in by_block.iter().enumerate() {
            let own: Vec<&Mark> = list.iter().filter_map(|i| marks.get(*i)).collect();
            let mut hash = DefaultHasher::new();
            own.hash(&mut hash);
            let now = hash.finish();
            if self.shown.get(n) == Some(&now) {
                continue;
            }
            if let Some(block) = blocks.item(n as u32) {
                fill(&block, text, n, &own);
            }
            if let Some(shown) = self.shown.get_mut(n) {
                *shown = now;
            }
        }
    }

    fn begin(&mut self, page: &Element, text: &Arc<Text>) {
        page.set_text_content(None);
        let document = leptos::prelude::document();
        let all = document.create_document_fragment();
        for n in 0..text.blocks() {
            let Ok(block) = document.create_element("div") else {
                continue;
            };
            block.set_class_name("label-text__block");
            let lines: usize = text.block(n).lines().map(|l| l.len() / LINE + 1).sum();
            if let Some(block) = block.dyn_ref::<HtmlElement>() {
                let guess = format!("auto calc({lines} * var(--line))");
                let _ = block.style().set_property("contain-intrinsic-block-size", &guess);
            }
            let _ = all.append_child(&block);
        }
        let _ = page.append_child(&all);
        // No hash is so: every block is made.
        self.shown = vec![0; text.blocks()];
        self.text = Some(Arc::clone(text));
    }
}

/// Makes the runs of a block.
fn fill(block: &Element, text: &Text, n: usize, marks: &[&Mark]) {
    block.set_text_content(None);
    let document = leptos::prelude::document();
    let (from, to) = text.range(n);
    let places: Vec<(u32, u32)> = marks.iter().map(|m| (m.start, m.end)).collect();
    // One walk over the block for all pieces.
    let mut rest = text.block(n).char_indices();
    let whole = text.block(n);
    let mut byte = 0;
    for piece in pieces(from, to, &places) {
        let len = (piece.end - piece.start) as usize;
        let end = if piece.end == to {
            whole.len()
        } else {
            rest.by_ref()
                .nth(len - 1)
                .map_or(whole.len(), |(at, c)| at + c.len_utf8())
        };
        let Ok(run) = document.create_element("span") else {
            continue;
        };
        let node = document.create_text_node(&whole[byte..end]);
        byte = end;
        let _ = run.append_child(&node);
        let over: Vec<&Mark> = piece.over.iter().filter_map(|i| marks.get(*i).copied()).collect();
        if !over.is_empty() {
            dress(&run, &over, piece.end);
        }
        let _ = block.append_child(&run);
    }
}

/// Colours, underlines and names of a run with spans over it.
fn dress(run: &Element, over: &[&Mark], end: u32) {
    // Lanes are counted down from the text, so that those of neighbours are level.
    let depth = over.iter().map(|m| m.lane + 1).max().unwrap_or(0);
    let mut class = String::from("label-text__mark");
    if over.iter().any(|m| m.on) {
        class.push_str(" is-on");
    }
    if over.iter().all(|m| m.proposal) {
        class.push_str(" is-proposed");
    }
    let ids: Vec<String> = over.iter().map(|m| m.id.to_string()).collect();
    let _ = run.set_attribute("data-ids", &ids.join(" "));
    let ending: Vec<&&Mark> = over.iter().filter(|m| m.end == end).collect();
    if let Some(last) = ending.last() {
        let names: Vec<&str> = ending.iter().map(|m| m.name.as_str()).collect();
        let _ = run.set_attribute("data-name", &names.join(" · "));
        class.push_str(" has-name");
        style(run, "--name-color", &last.color);
    }
    run.set_class_name(&class);
    // The shortest is the one that a click takes; its colour is behind the text.
    let top = over.iter().min_by_key(|m| (m.end - m.start, m.id));
    if let Some(top) = top {
        style(run, "--mark-color", &top.color);
    }
    let mut lines = String::new();
    for m in over {
        // Writing to a text cannot fail.
        let from_below = LANE * (depth.saturating_sub(m.lane + 1));
        let _ = write!(
            lines,
            "{}linear-gradient({c},{c}) 0 calc(100% - {from_below}px) / 100% {h}px no-repeat",
            if lines.is_empty() { "" } else { ", " },
            c = m.color,
            h = if m.on { 3 } else { 2 },
        );
    }
    style(run, "--mark-lines", &lines);
    style(run, "--mark-depth", &format!("{}px", depth * LANE));
}

fn style(run: &Element, name: &str, value: &str) {
    if let Some(run) = run.dyn_ref::<HtmlElement>() {
        let _ = run.style().set_property(name, value);
    }
}

/// The spans over a run.
pub fn ids_at(run: &Element) -> Vec<AnnotationId> {
    run.get_attribute("data-ids")
        .map(|ids| ids.split(' ').filter_map(|id| id.parse().ok()).collect())
        .unwrap_or_default()
}
