//! What differs between two trees, without reading what they share.

use crate::read::{From, Reader, Step};
use crate::{Entry, Hash, Node, Nodes};
use std::cmp::Ordering;
use std::collections::HashSet;

/// A difference. Files are the same one when their keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Added(Entry),
    Removed(Entry),
    Changed { old: Entry, new: Entry },
}

impl Change {
    /// Of the newer one, where there is one.
    pub const fn entry(&self) -> &Entry {
        match self {
            Self::Added(e) | Self::Removed(e) => e,
            Self::Changed { new, .. } => new,
        }
    }
}

/// Two trees side by side.
#[derive(Debug)]
pub struct Diff {
    old: Reader,
    new: Reader,
}

impl Diff {
    /// The differences behind a place, in the order of keys.
    pub async fn open<N: Nodes>(
        nodes: &mut N,
        old: &Hash,
        new: &Hash,
        from: From<'_>,
    ) -> Result<Self, N::Error> {
        let mut this = Self {
            old: Reader::open(nodes, old, from).await?,
            new: Reader::open(nodes, new, from).await?,
        };
        if old == new {
            while this.old.pop().is_some() {}
            while this.new.pop().is_some() {}
        }
        Ok(this)
    }

    /// The next difference; `None` at the end.
    pub async fn next<N: Nodes>(&mut self, nodes: &mut N) -> Result<Option<Change>, N::Error> {
        loop {
            match (self.old.peek(), self.new.peek()) {
                (None, None) => return Ok(None),
                (Some(Step::Node(a, _)), Some(Step::Node(b, _))) if a.hash == b.hash => {
                    self.old.pop();
                    self.new.pop();
                }
                (Some(Step::Node(_, x)), Some(Step::Node(_, y))) => match x.cmp(y) {
                    Ordering::Greater => self.old.expand(nodes).await?,
                    Ordering::Less => self.new.expand(nodes).await?,
                    Ordering::Equal => self.expand_both(nodes).await?,
                },
                (Some(Step::Node(..)), _) => self.old.expand(nodes).await?,
                (_, Some(Step::Node(..))) => self.new.expand(nodes).await?,
                (Some(Step::Entry(a)), Some(Step::Entry(b))) => {
                    let order = a.key().cmp(&b.key());
                    let same = a == b;
                    let old = (order != Ordering::Greater).then(|| self.old.pop()).flatten();
                    let new = (order != Ordering::Less).then(|| self.new.pop()).flatten();
                    if !same && let Some(change) = change(old, new) {
                        return Ok(Some(change));
                    }
                }
                (Some(Step::Entry(_)), None) => return Ok(change(self.old.pop(), None)),
                (None, Some(Step::Entry(_))) => return Ok(change(None, self.new.pop())),
            }
        }
    }

    /// Two nodes of one level that differ; their leaves are asked for together.
    async fn expand_both<N: Nodes>(&mut self, nodes: &mut N) -> Result<(), N::Error> {
        if let (Some(Step::Node(a, 1)), Some(Step::Node(b, 1))) = (self.old.peek(), self.new.peek()) {
            let (a, b) = (nodes.node(&a.hash).await?, nodes.node(&b.hash).await?);
            let below = |node: &Node| -> HashSet<Hash> {
                match node {
                    Node::Inner { children, .. } => children.iter().map(|c| c.hash).collect(),
                    Node::Leaf(_) => HashSet::new(),
                }
            };
            let (a, b) = (below(&a), below(&b));
            let differ: Vec<Hash> = a.symmetric_difference(&b).copied().collect();
            nodes.ahead(&differ).await?;
        }
        self.old.expand(nodes).await?;
        self.new.expand(nodes).await
    }
}

fn change(old: Option<Step>, new: Option<Step>) -> Option<Change> {
    match (old, new) {
        (Some(Step::Entry(old)), Some(Step::Entry(new))) => Some(Change::Changed { old, new }),
        (Some(Step::Entry(e)), _) => Some(Change::Removed(e)),
        (_, Some(Step::Entry(e))) => Some(Change::Added(e)),
        _ => None,
    }
}
