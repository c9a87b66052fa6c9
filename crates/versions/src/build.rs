//! Making trees: from sorted files, or from another tree and what changed.

use crate::{BadNode, Entry, Hash, NewNode, Node, Nodes, Ref};
use std::collections::{BTreeMap, HashMap};

/// A node ends behind a key whose digest has this many zero bits: 64 to a node on average.
const MASK: u32 = 63;
/// And behind this many, whatever the keys are.
const MOST: usize = 512;

fn ends(level: u32, key: &str, len: usize) -> bool {
    if len >= MOST {
        return true;
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&level.to_le_bytes());
    hasher.update(key.as_bytes());
    let bytes = hasher.finalize();
    let head = bytes.as_bytes();
    u32::from_le_bytes([head[0], head[1], head[2], head[3]]) & MASK == 0
}

/// A finished tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its root; the key is the last one.
    pub root: Ref,
    /// The nodes that were made and not taken before, those below others first.
    pub nodes: Vec<NewNode>,
}

#[derive(Debug, Default)]
struct Level {
    open: Vec<Ref>,
    pushed: u64,
}

/// Takes files in the order of their keys.
#[derive(Debug, Default)]
pub struct Builder {
    leaf: Vec<Entry>,
    /// From level 1.
    inner: Vec<Level>,
    last: Option<String>,
    made: Vec<NewNode>,
    /// Nodes with a single child, and that child.
    single: HashMap<Hash, Ref>,
}

impl Builder {
    /// Adds the next file. Errors when its key is not greater than the last one's.
    pub fn push(&mut self, entry: Entry) -> Result<(), BadNode> {
        let key = entry.key();
        if self.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(BadNode(format!("`{}` is out of order", entry.path)));
        }
        self.leaf.push(entry);
        if ends(0, &key, self.leaf.len()) {
            self.close_leaf();
        }
        self.last = Some(key);
        Ok(())
    }

    /// Nodes made since the last call; each names only nodes that came before it.
    pub fn take(&mut self) -> Vec<NewNode> {
        std::mem::take(&mut self.made)
    }

    /// Nodes that wait to be taken.
    pub fn waiting(&self) -> usize {
        self.made.len()
    }

    /// Whether nothing is open from the leaves up to a level.
    fn is_clean(&self, level: u32) -> bool {
        self.leaf.is_empty() && self.inner.iter().take(level as usize).all(|l| l.open.is_empty())
    }

    fn close_leaf(&mut self) {
        let (above, node) = Node::Leaf(std::mem::take(&mut self.leaf)).seal();
        self.made.push(node);
        self.push_ref(1, above);
    }

    /// Adds a node of the level below `level`.
    fn push_ref(&mut self, mut level: u32, mut child: Ref) {
        loop {
            let at = level as usize - 1;
            while self.inner.len() <= at {
                self.inner.push(Level::default());
            }
            self.last = Some(child.key.clone());
            let own = &mut self.inner[at];
            own.pushed += 1;
            let key = child.key.clone();
            own.open.push(child);
            if !ends(level, &key, own.open.len()) {
                return;
            }
            child = self.close(level);
            level += 1;
        }
    }

    fn close(&mut self, level: u32) -> Ref {
        let children = std::mem::take(&mut self.inner[level as usize - 1].open);
        let only = (children.len() == 1).then(|| children[0].clone());
        let (above, node) = Node::Inner { level, children }.seal();
        if let Some(only) = only {
            self.single.insert(node.hash, only);
        }
        self.made.push(node);
        above
    }

    /// The tree of everything pushed.
    pub fn finish(mut self) -> Built {
        if !self.leaf.is_empty() || self.inner.is_empty() {
            self.close_leaf();
        }
        let mut level = 1;
        let mut root = loop {
            let at = level as usize - 1;
            // An update takes whole subtrees over, above levels that hold little or nothing.
            let is_top = self.inner.iter().skip(at + 1).all(|l| l.pushed == 0);
            match self.inner.get(at) {
                Some(l) if is_top && l.pushed == 1 && l.open.len() == 1 => break l.open[0].clone(),
                Some(l) if !l.open.is_empty() => {
                    let above = self.close(level);
                    self.push_ref(level + 1, above);
                }
                _ => {}
            }
            level += 1;
        };
        // A root with a single child says nothing that the child does not.
        while let Some(child) = self.single.get(&root.hash) {
            root = child.clone();
        }
        Built {
            root,
            nodes: self.made,
        }
    }
}

/// The tree `root` with some files put (`Some`) and others removed (`None`), by key. Loads only the nodes on the way.
pub async fn update<N: Nodes>(
    nodes: &mut N,
    root: &Hash,
    edits: BTreeMap<String, Option<Entry>>,
) -> Result<Built, N::Error> {
    let mut edits = edits.into_iter().peekable();
    let mut builder = Builder::default();
    let top = nodes.node(root).await?;
    let whole = top.as_ref().clone().seal().0;
    let mut stack = vec![(whole, top.level(), true)];
    while let Some((r, level, is_last)) = stack.pop() {
        let touched = edits.peek().is_some_and(|(key, _)| is_last || *key <= r.key);
        if !touched && builder.is_clean(level) && r.files() > 0 {
            builder.push_ref(level + 1, r);
            continue;
        }
        let node = nodes.node(&r.hash).await?;
        match node.as_ref() {
            Node::Inner { children, .. } => {
                let last = children.len().saturating_sub(1);
                for (n, child) in children.iter().enumerate().rev() {
                    stack.push((child.clone(), level.saturating_sub(1), is_last && n == last));
                }
            }
            Node::Leaf(entries) => {
                for entry in entries {
                    let key = entry.key();
                    let mut replaced = false;
                    while let Some((at, edit)) = edits.next_if(|(k, _)| *k <= key) {
                        replaced = at == key;
                        if let Some(new) = edit {
                            builder.push(new)?;
                        }
                    }
                    if !replaced {
                        builder.push(entry.clone())?;
                    }
                }
                if is_last {
                    for (_, edit) in edits.by_ref() {
                        if let Some(new) = edit {
                            builder.push(new)?;
                        }
                    }
                }
            }
        }
    }
    let mut built = builder.finish();
    // A node that was taken over as it is may be such a root too.
    loop {
        if built.nodes.iter().any(|n| n.hash == built.root.hash) {
            break;
        }
        let node = nodes.node(&built.root.hash).await?;
        match node.as_ref() {
            Node::Inner { children, .. } if children.len() == 1 => built.root = children[0].clone(),
            _ => break,
        }
    }
    Ok(built)
}
