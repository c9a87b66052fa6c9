//! Places in the page's nodes, and in the text: the browser counts UTF-16 code units within a text node, the document
//! counts scalar values.
//!
//! The page holds blocks, a block holds runs, a run holds exactly one text node. What is drawn beside the text (names of
//! categories) is generated content, which is in no node.

use limn_domain::text::Text;
use wasm_bindgen::JsCast;
use web_sys::{CharacterData, Element, Node, Range, Selection};

/// The browser's selection.
pub fn selection() -> Option<Selection> {
    leptos::prelude::window().get_selection().ok().flatten()
}

/// Code units of a run.
fn units(run: &Node) -> u32 {
    run.first_child()
        .and_then(|n| n.dyn_into::<CharacterData>().ok())
        .map_or(0, |n| n.length())
}

fn place_in_parent(node: &Node) -> u32 {
    let (mut n, mut at) = (0, node.previous_sibling());
    while let Some(before) = at {
        n += 1;
        at = before.previous_sibling();
    }
    n
}

/// Code units of the runs before one.
fn before(run: &Node) -> u32 {
    let (mut n, mut at) = (0, run.previous_sibling());
    while let Some(run) = at {
        n += units(&run);
        at = run.previous_sibling();
    }
    n
}

/// The scalar value at a place in the page; `None` outside of it.
pub fn scalar(page: &Element, text: &Text, node: &Node, offset: u32) -> Option<u32> {
    if !page.contains(Some(node)) {
        return None;
    }
    let page: &Node = page;
    if node == page {
        return Some(text.range(offset as usize).0);
    }
    let parent = node.parent_node()?;
    if parent == *page {
        // A block: so many runs.
        let runs = node.child_nodes();
        let within: u32 = (0..offset).filter_map(|i| runs.get(i)).map(|r| units(&r)).sum();
        return Some(text.scalar(place_in_parent(node) as usize, within));
    }
    if node.node_type() == Node::TEXT_NODE {
        let block = parent.parent_node()?;
        return Some(text.scalar(place_in_parent(&block) as usize, before(&parent) + offset));
    }
    // A run.
    let within = before(node) + if offset == 0 { 0 } else { units(node) };
    Some(text.scalar(place_in_parent(&parent) as usize, within))
}

/// The node and the place in it of a scalar value.
pub fn node(page: &Element, text: &Text, at: u32) -> Option<(Node, u32)> {
    let (block, mut rest) = text.place(at);
    let block = page.child_nodes().get(block as u32)?;
    let mut run = block.first_child()?;
    loop {
        let n = units(&run);
        if rest <= n {
            return Some((run.first_child()?, rest));
        }
        rest -= n;
        run = run.next_sibling()?;
    }
}

/// What is chosen, in order; the same place twice for a caret. `None` outside of the page.
pub fn chosen(page: &Element, text: &Text) -> Option<(u32, u32)> {
    let s = selection()?;
    let a = scalar(page, text, &s.anchor_node()?, s.anchor_offset());
    let b = scalar(page, text, &s.focus_node()?, s.focus_offset());
    // Pulled beyond the page: to its end on that side.
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) => (a, beyond(page, text, &s.focus_node()?)),
        _ => return None,
    };
    Some((a.min(b), a.max(b)))
}

fn beyond(page: &Element, text: &Text, node: &Node) -> u32 {
    if page.compare_document_position(node) & Node::DOCUMENT_POSITION_PRECEDING != 0 {
        0
    } else {
        text.length()
    }
}

/// Where the moving end of the selection is.
pub fn caret(page: &Element, text: &Text) -> Option<u32> {
    let s = selection()?;
    scalar(page, text, &s.focus_node()?, s.focus_offset())
}

/// Chooses a stretch, or puts the caret.
pub fn choose(page: &Element, text: &Text, start: u32, end: u32) {
    if let (Some(s), Some((a, i)), Some((b, j))) =
        (selection(), node(page, text, start), node(page, text, end))
    {
        let _ = s.set_base_and_extent(&a, i, &b, j);
    }
}

/// The range of a stretch, for its place on the screen.
pub fn range(page: &Element, text: &Text, start: u32, end: u32) -> Option<Range> {
    let range = leptos::prelude::document().create_range().ok()?;
    let (a, i) = node(page, text, start)?;
    let (b, j) = node(page, text, end)?;
    range.set_start(&a, i).ok()?;
    range.set_end(&b, j).ok()?;
    Some(range)
}
