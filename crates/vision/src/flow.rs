//! Maximum flow and minimum cut: Boykov and Kolmogorov, "An experimental comparison of min-cut/max-flow algorithms for
//! energy minimization in vision" (2004), with the marks and distances of their own implementation.

use std::collections::VecDeque;

const NONE: u32 = u32::MAX;
const TERMINAL: u32 = u32::MAX - 1;
const ORPHAN: u32 = u32::MAX - 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Source,
    Sink,
}

#[derive(Debug, Clone, Copy)]
struct Arc {
    head: u32,
    next: u32,
    /// What may still flow. The arc back is at this one's index with the last bit flipped.
    left: i32,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    first: u32,
    /// Arc to the parent, or what there is instead.
    parent: u32,
    tree: Tree,
    /// What may still flow from the source, or, below 0, to the sink.
    terminal: i32,
    stamp: u32,
    distance: u32,
    waiting: bool,
}

/// A network between a source and a sink, with whole capacities.
#[derive(Debug, Clone)]
pub struct Flow {
    nodes: Vec<Node>,
    arcs: Vec<Arc>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
    flow: i64,
}

impl Flow {
    pub fn new(nodes: usize, arcs: usize) -> Self {
        let node = Node {
            first: NONE,
            parent: NONE,
            tree: Tree::Source,
            terminal: 0,
            stamp: 0,
            distance: 0,
            waiting: false,
        };
        Self {
            nodes: vec![node; nodes],
            arcs: Vec::with_capacity(arcs * 2),
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
            flow: 0,
        }
    }

    /// Capacities from the source to a node and from it to the sink; once a node.
    pub fn terminals(&mut self, i: usize, source: i32, sink: i32) {
        self.flow += i64::from(source.min(sink));
        self.nodes[i].terminal = source - sink;
    }

    /// Capacities between two nodes, there and back.
    pub fn join(&mut self, a: usize, b: usize, there: i32, back: i32) {
        for (from, to, left) in [(a, b, there), (b, a, back)] {
            let at = self.arcs.len() as u32;
            self.arcs.push(Arc {
                head: to as u32,
                next: self.nodes[from].first,
                left,
            });
            self.nodes[from].first = at;
        }
    }

    /// Whether a node is on the source's side of the cut, after [`Self::run`].
    pub fn is_source(&self, i: usize) -> bool {
        self.nodes[i].parent != NONE && self.nodes[i].tree == Tree::Source
    }

    /// The maximum flow, which is the cost of the minimum cut.
    pub fn run(&mut self) -> i64 {
        for i in 0..self.nodes.len() {
            let n = &mut self.nodes[i];
            if n.terminal != 0 {
                n.tree = if n.terminal > 0 { Tree::Source } else { Tree::Sink };
                n.parent = TERMINAL;
                n.distance = 1;
                self.wake(i as u32);
            }
        }
        while let Some(&i) = self.active.front() {
            let found = if self.nodes[i as usize].parent == NONE {
                None
            } else {
                self.grow(i)
            };
            let Some(middle) = found else {
                self.active.pop_front();
                self.nodes[i as usize].waiting = false;
                continue;
            };
            self.time += 1;
            self.augment(middle);
            while let Some(o) = self.orphans.pop_front() {
                self.adopt(o);
            }
        }
        self.flow
    }

    fn wake(&mut self, i: u32) {
        let n = &mut self.nodes[i as usize];
        if !n.waiting {
            n.waiting = true;
            self.active.push_back(i);
        }
    }

    /// What may flow from the source's side to the sink's along an arc of a node of `tree`, seen from that node.
    fn open(&self, arc: u32, tree: Tree) -> bool {
        let arc = if tree == Tree::Source { arc } else { arc ^ 1 };
        self.arcs[arc as usize].left > 0
    }

    /// Grows the tree of a node; returns the arc from the source's tree to the sink's where they meet.
    fn grow(&mut self, i: u32) -> Option<u32> {
        let Node {
            tree,
            stamp,
            distance,
            first,
            ..
        } = self.nodes[i as usize];
        let mut arc = first;
        while arc != NONE {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            if self.open(arc, tree) {
                let other = &mut self.nodes[head as usize];
                if other.parent == NONE {
                    other.tree = tree;
                    other.parent = arc ^ 1;
                    other.stamp = stamp;
                    other.distance = distance + 1;
                    self.wake(head);
                } else if other.tree != tree {
                    return Some(if tree == Tree::Source { arc } else { arc ^ 1 });
                } else if other.stamp <= stamp && other.distance > distance && other.parent != TERMINAL {
                    // A shorter way to the root.
                    other.parent = arc ^ 1;
                    other.stamp = stamp;
                    other.distance = distance + 1;
                }
            }
            arc = next;
        }
        None
    }

    /// The arcs from a node to the root of its tree, and the root.
    fn way(&self, mut i: u32) -> (Vec<u32>, u32) {
        let mut way = Vec::new();
        loop {
            let parent = self.nodes[i as usize].parent;
            if parent >= ORPHAN {
                return (way, i);
            }
            way.push(parent);
            i = self.arcs[parent as usize].head;
        }
    }

    fn augment(&mut self, middle: u32) {
        let (up, source) = self.way(self.arcs[middle as usize ^ 1].head);
        let (down, sink) = self.way(self.arcs[middle as usize].head);
        // The arcs in the direction of the flow.
        let all: Vec<u32> = up
            .iter()
            .map(|a| a ^ 1)
            .chain([middle])
            .chain(down.iter().copied())
            .collect();
        let least = all
            .iter()
            .map(|a| self.arcs[*a as usize].left)
            .chain([
                self.nodes[source as usize].terminal,
                -self.nodes[sink as usize].terminal,
            ])
            .min()
            .unwrap_or(0);
        for a in &all {
            self.arcs[*a as usize].left -= least;
            self.arcs[*a as usize ^ 1].left += least;
        }
        for a in up {
            if self.arcs[a as usize ^ 1].left == 0 {
                let child = self.arcs[a as usize ^ 1].head;
                self.orphan(child);
            }
        }
        for a in down {
            if self.arcs[a as usize].left == 0 {
                let child = self.arcs[a as usize ^ 1].head;
                self.orphan(child);
            }
        }
        self.nodes[source as usize].terminal -= least;
        if self.nodes[source as usize].terminal == 0 {
            self.orphan(source);
        }
        self.nodes[sink as usize].terminal += least;
        if self.nodes[sink as usize].terminal == 0 {
            self.orphan(sink);
        }
        self.flow += i64::from(least);
    }

    fn orphan(&mut self, i: u32) {
        self.nodes[i as usize].parent = ORPHAN;
        self.orphans.push_back(i);
    }

    /// Steps from a node to its root; `None` when it has none any more.
    fn depth(&mut self, from: u32) -> Option<u32> {
        let (mut i, mut d) = (from, 0);
        loop {
            let n = &mut self.nodes[i as usize];
            if n.stamp == self.time {
                return Some(d + n.distance);
            }
            d += 1;
            match n.parent {
                TERMINAL => {
                    n.stamp = self.time;
                    n.distance = 1;
                    return Some(d);
                }
                ORPHAN | NONE => return None,
                a => i = self.arcs[a as usize].head,
            }
        }
    }

    /// Gives an orphan another parent in its tree, or sets it free.
    fn adopt(&mut self, i: u32) {
        let Node { tree, first, .. } = self.nodes[i as usize];
        let (mut best, mut least) = (NONE, u32::MAX);
        let mut arc = first;
        while arc != NONE {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            let n = self.nodes[head as usize];
            // Flow comes to this node from its parent, or goes to it.
            if self.open(arc ^ 1, tree)
                && n.tree == tree
                && n.parent != NONE
                && let Some(d) = self.depth(head)
            {
                if d < least {
                    (best, least) = (arc, d);
                }
                let (mut j, mut d) = (head, d);
                while self.nodes[j as usize].stamp != self.time {
                    let n = &mut self.nodes[j as usize];
                    n.stamp = self.time;
                    n.distance = d;
                    d -= 1;
                    j = self.arcs[n.parent as usize].head;
                }
            }
            arc = next;
        }
        if best != NONE {
            let n = &mut self.nodes[i as usize];
            n.parent = best;
            n.stamp = self.time;
            n.distance = least + 1;
            return;
        }
        self.nodes[i as usize].parent = NONE;
        let mut arc = first;
        while arc != NONE {
            let Arc { head, next, .. } = self.arcs[arc as usize];
            let n = self.nodes[head as usize];
            if n.tree == tree && n.parent != NONE {
                if self.open(arc ^ 1, tree) {
                    self.wake(head);
                }
                if n.parent < ORPHAN && self.arcs[n.parent as usize].head == i {
                    self.orphan(head);
                }
            }
            arc = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_flow_is_the_least_cut(
            terminals in prop::collection::vec((0..12_i32, 0..12_i32), 1..9),
            arcs in prop::collection::vec((0..8_usize, 0..8_usize, 0..9_i32, 0..9_i32), 0..26),
        ) {
            let n = terminals.len();
            let arcs: Vec<_> = arcs.into_iter().filter(|(a, b, ..)| a != b && *a < n && *b < n).collect();
            let mut flow = Flow::new(n, arcs.len());
            for (i, (s, t)) in terminals.iter().enumerate() {
                flow.terminals(i, *s, *t);
            }
            for (a, b, there, back) in &arcs {
                flow.join(*a, *b, *there, *back);
            }
            let cost = |side: &dyn Fn(usize) -> bool| -> i64 {
                let ends: i32 = terminals.iter().enumerate().map(|(i, (s, t))| if side(i) { *t } else { *s }).sum();
                let between: i32 = arcs
                    .iter()
                    .map(|(a, b, there, back)| match (side(*a), side(*b)) {
                        (true, false) => *there,
                        (false, true) => *back,
                        _ => 0,
                    })
                    .sum();
                i64::from(ends + between)
            };
            let least = (0..1_u32 << n).map(|set| cost(&|i| set >> i & 1 == 1)).min().unwrap_or(0);
            let got = flow.run();
            prop_assert_eq!(got, least);
            prop_assert_eq!(cost(&|i| flow.is_source(i)), least);
        }
    }
}
