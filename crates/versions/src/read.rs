//! Reading a tree in order, from any place.

use crate::node::of_split;
use crate::{Entry, Hash, Node, Nodes, Ref};
use limn_domain::dataset::Split;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From<'a> {
    Start,
    /// Behind this key.
    After(&'a str),
    /// At this key, or the first one behind it.
    At(&'a str),
}

impl From<'_> {
    /// Whether a key lies before it.
    fn is_past(self, key: &str) -> bool {
        match self {
            Self::Start => false,
            Self::After(k) => key <= k,
            Self::At(k) => key < k,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Entry(Entry),
    /// A node of a level.
    Node(Ref, u32),
}

/// What is left of a tree to read.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The next one last.
    steps: Vec<Step>,
    split: Option<Split>,
    all: bool,
}

impl Reader {
    /// Reads from a place on.
    pub async fn open<N: Nodes>(nodes: &mut N, root: &Hash, from: From<'_>) -> Result<Self, N::Error> {
        let mut this = Self {
            steps: Vec::new(),
            split: None,
            all: false,
        };
        let top = nodes.node(root).await?;
        this.enter(&top, from);
        // Down to the first file, so that what lies before it is dropped on every level.
        if from != From::Start {
            while let Some(Step::Node(r, _)) = this.steps.last() {
                let node = nodes.node(&r.hash.clone()).await?;
                this.steps.pop();
                this.enter(&node, from);
            }
        }
        Ok(this)
    }

    /// Only the files of a split.
    #[must_use]
    pub const fn only(mut self, split: Option<Split>) -> Self {
        self.split = split;
        self
    }

    /// Everything will be read: nodes are asked for many at once.
    #[must_use]
    pub const fn to_the_end(mut self) -> Self {
        self.all = true;
        self
    }

    fn enter(&mut self, node: &Node, from: From<'_>) {
        match node {
            Node::Leaf(entries) => {
                let kept = entries
                    .iter()
                    .filter(|e| from == From::Start || !from.is_past(&e.key()));
                self.steps.extend(kept.rev().cloned().map(Step::Entry));
            }
            Node::Inner { level, children } => {
                let kept = children.iter().filter(|c| !from.is_past(&c.key));
                let below = level.saturating_sub(1);
                self.steps
                    .extend(kept.rev().cloned().map(|c| Step::Node(c, below)));
            }
        }
    }

    pub(crate) fn peek(&self) -> Option<&Step> {
        self.steps.last()
    }

    pub(crate) fn pop(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    /// Puts what is in the next node in its place.
    pub(crate) async fn expand<N: Nodes>(&mut self, nodes: &mut N) -> Result<(), N::Error> {
        if let Some(Step::Node(r, _)) = self.steps.pop() {
            let node = nodes.node(&r.hash).await?;
            if let (Node::Inner { level: 1, children }, true) = (node.as_ref(), self.all) {
                let wanted: Vec<Hash> = children
                    .iter()
                    .filter(|c| self.split.is_none_or(|s| of_split(c, s) > 0))
                    .map(|c| c.hash)
                    .collect();
                nodes.ahead(&wanted).await?;
            }
            self.enter(&node, From::Start);
        }
        Ok(())
    }

    /// The next file; `None` at the end.
    pub async fn next<N: Nodes>(&mut self, nodes: &mut N) -> Result<Option<Entry>, N::Error> {
        loop {
            match self.steps.last() {
                None => return Ok(None),
                Some(Step::Entry(e)) => {
                    let wanted = self.split.is_none_or(|s| e.split == s);
                    if let Some(Step::Entry(e)) = self.steps.pop()
                        && wanted
                    {
                        return Ok(Some(e));
                    }
                }
                Some(Step::Node(r, _)) => {
                    if self.split.is_none_or(|s| of_split(r, s) > 0) {
                        self.expand(nodes).await?;
                    } else {
                        self.steps.pop();
                    }
                }
            }
        }
    }

    /// The file of a path, whatever the case.
    pub async fn find<N: Nodes>(nodes: &mut N, root: &Hash, path: &str) -> Result<Option<Entry>, N::Error> {
        let key = crate::key(path);
        let mut node = nodes.node(root).await?;
        loop {
            // Both lists are sorted: nothing but the file itself is copied on the way down.
            let below = match node.as_ref() {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|e| e.key().cmp(&key));
                    return Ok(at.ok().and_then(|n| entries.get(n)).cloned());
                }
                Node::Inner { children, .. } => {
                    let at = children.partition_point(|c| c.key < key);
                    children.get(at).map(|c| c.hash)
                }
            };
            match below {
                Some(hash) => node = nodes.node(&hash).await?,
                None => return Ok(None),
            }
        }
    }
}
