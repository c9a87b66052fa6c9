//! What versions were made from, and what was made from them, as a graph.

use super::api;
use super::layout::use_dataset;
use crate::data::use_load;
use crate::ui::{Card, EmptyState, ErrorView, Glyph, RelativeTime, Skeleton, Table};
use leptos::prelude::*;
use limn_domain::DatasetId;
use limn_domain::dataset::{LineageEdge, LineageNode};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Size of a node and the room around it, in SVG units.
const WIDTH: usize = 190;
const HEIGHT: usize = 44;
const COLUMN: usize = 270;
const ROW: usize = 68;
/// Passes over the edges until columns no longer move; longer chains stay in the last column.
const PASSES: usize = 60;
/// Sweeps over the columns until lines cross little; more change next to nothing.
const SWEEPS: usize = 6;

/// `/data/:id/lineage`
#[component]
pub fn LineageTab() -> impl IntoView {
    let ctx = use_dataset();
    let edges = use_load(
        move || ctx.versions.with(Vec::len),
        move |_| api::dataset_lineage(ctx.id),
    );
    view! {
        <Transition fallback=|| view! { <Skeleton lines=5/> }>
            {move || Suspend::new(async move {
                match edges.await {
                    Ok(list) if list.is_empty() => view! {
                        <Card><EmptyState glyph=Glyph::Merge title="Nothing to trace yet" text="Once a version is registered, this shows what it was made from; later, what was made from it."/></Card>
                    }
                    .into_any(),
                    Ok(list) => view! { <Graph own=ctx.id edges=list.clone()/> <Edges edges=list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || edges.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// What tells nodes apart: their ids, or their names once those are gone.
fn key(node: &LineageNode) -> String {
    match node {
        LineageNode::Version {
            version_id: Some(id), ..
        } => format!("v{id}"),
        LineageNode::Project {
            project_id: Some(id), ..
        } => format!("p{id}"),
        LineageNode::Version { name, .. } => format!("V{name}"),
        LineageNode::Project { name, .. } => format!("P{name}"),
        LineageNode::Upload { name } => format!("U{name}"),
        LineageNode::Datastore { datastore_id, name } => format!("D{datastore_id}{name}"),
        LineageNode::Catalogue { slug, .. } => format!("C{slug}"),
    }
}

fn name(node: &LineageNode) -> &str {
    match node {
        LineageNode::Version { name, .. }
        | LineageNode::Project { name, .. }
        | LineageNode::Datastore { name, .. }
        | LineageNode::Catalogue { name, .. }
        | LineageNode::Upload { name } => name,
    }
}

fn what(node: &LineageNode) -> &'static str {
    match node {
        LineageNode::Version { version_id: None, .. } => "Version, gone or not yours",
        LineageNode::Version { .. } => "Version",
        LineageNode::Project { project_id: None, .. } => "Project, gone or not yours",
        LineageNode::Project { .. } => "Labeling project",
        LineageNode::Upload { .. } => "Uploaded files",
        LineageNode::Datastore { .. } => "Datastore",
        LineageNode::Catalogue { .. } => "Open dataset",
    }
}

fn href(node: &LineageNode) -> Option<String> {
    match node {
        LineageNode::Version {
            dataset_id: Some(id), ..
        } => Some(format!("/data/{id}")),
        LineageNode::Project {
            project_id: Some(id), ..
        } => Some(format!("/projects/{id}")),
        LineageNode::Datastore { datastore_id, .. } => Some(format!("/datastores/{datastore_id}")),
        LineageNode::Catalogue { slug, .. } => Some(format!("/data/catalogue/{slug}")),
        _ => None,
    }
}

/// A node in its place: column, row.
struct Placed {
    node: LineageNode,
    column: usize,
    row: usize,
}

/// Puts every node a column behind all it was made from.
fn place(edges: &[LineageEdge]) -> BTreeMap<String, Placed> {
    let mut order: Vec<String> = Vec::new();
    let mut nodes: BTreeMap<String, Placed> = BTreeMap::new();
    for edge in edges {
        // An upload stands for itself each time.
        for node in [&edge.from, &edge.to] {
            if let Entry::Vacant(slot) = nodes.entry(key(node)) {
                order.push(slot.key().clone());
                slot.insert(Placed {
                    node: node.clone(),
                    column: 0,
                    row: 0,
                });
            }
        }
    }
    for _ in 0..PASSES {
        let mut moved = false;
        for edge in edges {
            let from = nodes.get(&key(&edge.from)).map_or(0, |n| n.column);
            if let Some(to) = nodes.get_mut(&key(&edge.to))
                && to.column <= from
                && from < PASSES
            {
                to.column = from + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let count = nodes.values().map(|n| n.column + 1).max().unwrap_or(0);
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); count];
    for key in order {
        let column = nodes.get(&key).map_or(0, |n| n.column);
        columns[column].push(key);
    }
    untangle(&mut columns, edges);
    for column in columns {
        for (row, key) in column.into_iter().enumerate() {
            if let Some(n) = nodes.get_mut(&key) {
                n.row = row;
            }
        }
    }
    nodes
}

/// Orders the rows of each column so that few lines cross: by the mean row of what a node was made from, then by that of what was made of
/// it, in turn (the barycenter method of Sugiyama, Tagawa and Toda, 1981).
fn untangle(columns: &mut [Vec<String>], edges: &[LineageEdge]) {
    let lines: Vec<(String, String)> = edges.iter().map(|e| (key(&e.from), key(&e.to))).collect();
    let mut at: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (c, column) in columns.iter().enumerate() {
        at.extend(column.iter().enumerate().map(|(r, key)| (key.clone(), (c, r))));
    }
    for sweep in 0..SWEEPS {
        let back = sweep % 2 == 1;
        for step in 0..columns.len() {
            let c = if back { columns.len() - 1 - step } else { step };
            let mean = |key: &String| {
                let others = lines.iter().filter_map(|(from, to)| match (back, key) {
                    (false, k) if k == to => at.get(from).filter(|(column, _)| *column < c),
                    (true, k) if k == from => at.get(to).filter(|(column, _)| *column > c),
                    _ => None,
                });
                let rows: Vec<usize> = others.map(|(_, row)| *row).collect();
                if rows.is_empty() {
                    return at.get(key).map_or(0.0, |(_, row)| *row as f64);
                }
                rows.iter().sum::<usize>() as f64 / rows.len() as f64
            };
            let mut sorted: Vec<(f64, String)> = columns[c].iter().map(|k| (mean(k), k.clone())).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            columns[c] = sorted.into_iter().map(|(_, key)| key).collect();
            at.extend(
                columns[c]
                    .iter()
                    .enumerate()
                    .map(|(r, key)| (key.clone(), (c, r))),
            );
        }
    }
}

#[component]
fn Graph(own: DatasetId, edges: Vec<LineageEdge>) -> impl IntoView {
    let nodes = place(&edges);
    let columns = nodes.values().map(|n| n.column).max().unwrap_or(0) + 1;
    let rows = nodes.values().map(|n| n.row).max().unwrap_or(0) + 1;
    let (width, height) = (
        columns * COLUMN - (COLUMN - WIDTH) + 4,
        rows * ROW - (ROW - HEIGHT) + 4,
    );
    let at = |n: &Placed| (n.column * COLUMN + 2, n.row * ROW + 2);
    let lines = edges
        .iter()
        .filter_map(|e| {
            let (a, b) = (nodes.get(&key(&e.from))?, nodes.get(&key(&e.to))?);
            let ((x0, y0), (x1, y1)) = (at(a), at(b));
            let (x0, y0, y1) = (x0 + WIDTH, y0 + HEIGHT / 2, y1 + HEIGHT / 2);
            let bend = (COLUMN - WIDTH) / 2;
            let d = format!(
                "M{x0} {y0}C{} {y0} {} {y1} {x1} {y1}",
                x0 + bend,
                x1.saturating_sub(bend)
            );
            Some(view! { <path class="lineage__edge" d=d><title>{e.how.clone()}</title></path> })
        })
        .collect_view();
    let boxes = nodes
        .values()
        .map(|n| {
            let (x, y) = at(n);
            let mine = matches!(&n.node, LineageNode::Version { dataset_id: Some(d), .. } if *d == own);
            let class = match &n.node {
                LineageNode::Version { .. } if mine => "lineage__node is-own",
                LineageNode::Version { .. } => "lineage__node",
                LineageNode::Project { .. } => "lineage__node is-project",
                LineageNode::Upload { .. }
                | LineageNode::Datastore { .. }
                | LineageNode::Catalogue { .. } => "lineage__node is-upload",
            };
            let full = name(&n.node).to_owned();
            let inner = view! {
                <title>{full.clone()}</title>
                <rect class=class x=x y=y width=WIDTH height=HEIGHT rx="8"></rect>
                <text class="lineage__name" x=x + 12 y=y + 19>{short(&full)}</text>
                <text class="lineage__what" x=x + 12 y=y + 34>{what(&n.node)}</text>
            };
            match href(&n.node) {
                Some(to) => view! { <a href=to>{inner}</a> }.into_any(),
                None => view! { <g>{inner}</g> }.into_any(),
            }
        })
        .collect_view();
    view! {
        <div class="card lineage" tabindex="0" role="group" aria-label="Lineage">
            <svg width=width height=height viewBox=format!("0 0 {width} {height}")>
                {lines}
                {boxes}
            </svg>
        </div>
    }
}

/// As much of a name as fits.
fn short(name: &str) -> String {
    if name.chars().count() <= 24 {
        return name.to_owned();
    }
    // The end tells versions apart.
    let end: Vec<char> = name.chars().rev().take(8).collect();
    let start: String = name.chars().take(14).collect();
    format!("{start}\u{2026}{}", end.into_iter().rev().collect::<String>())
}

#[component]
fn Edges(edges: Vec<LineageEdge>) -> impl IntoView {
    let end = |node: &LineageNode| {
        let text = name(node).to_owned();
        match href(node) {
            Some(to) => view! { <a class="link" href=to>{text}</a> }.into_any(),
            None => view! { <span>{text}</span> }.into_any(),
        }
    };
    view! {
        <Card flush=true>
            <Table label="What was made from what" columns=vec!["From", "To", "How", "When"]>
                {edges.into_iter().rev().map(|e| view! {
                    <tr>
                        <td data-label="From">{end(&e.from)}</td>
                        <td data-label="To">{end(&e.to)}</td>
                        <td data-label="How">{e.how}</td>
                        <td data-label="When"><span><RelativeTime at=e.at/><span class="faint data-sub">{e.by_name}</span></span></td>
                    </tr>
                }).collect_view()}
            </Table>
        </Card>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::Timestamp;

    fn edge(from: &str, to: &str) -> LineageEdge {
        let node = |name: &str| LineageNode::Version {
            dataset_id: None,
            version_id: None,
            name: name.to_owned(),
        };
        LineageEdge {
            from: node(from),
            to: node(to),
            how: String::new(),
            by_name: String::new(),
            at: Timestamp(0),
        }
    }

    #[test]
    fn what_is_made_stands_behind_what_it_was_made_from_even_in_a_circle() {
        let placed = place(&[edge("a", "b"), edge("b", "c"), edge("a", "c")]);
        assert_eq!(placed.values().map(|n| n.column).collect::<Vec<_>>(), [0, 1, 2]);
        // A project that is registered into the dataset it came from.
        let circle = place(&[edge("a", "b"), edge("b", "a")]);
        assert_eq!(circle.len(), 2);
    }

    #[test]
    fn lines_do_not_cross_where_they_need_not() {
        let placed = place(&[
            edge("start", "a"),
            edge("start", "b"),
            edge("b", "of b"),
            edge("a", "of a"),
        ]);
        let row = |wanted: &str| placed.values().find(|n| name(&n.node) == wanted).map(|n| n.row);
        assert_eq!(row("a") < row("b"), row("of a") < row("of b"));
    }
}
