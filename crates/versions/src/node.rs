//! Nodes: what is stored, hashed and loaded.

use crate::{Entry, Hash};
use limn_domain::dataset::Split;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::sync::Arc;

/// Files by split, in the order of [`Split::ALL`].
pub type SplitCounts = [u64; 4];

/// A node below another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ref {
    /// Key of its last file.
    #[serde(rename = "k")]
    pub key: String,
    #[serde(rename = "d")]
    pub hash: Hash,
    /// Bytes of its files, the same bytes counted as often as they occur.
    #[serde(rename = "s")]
    pub bytes: u64,
    #[serde(rename = "t")]
    pub splits: SplitCounts,
}

impl Ref {
    pub fn files(&self) -> u64 {
        self.splits.iter().sum()
    }
}

/// Bytes that are no node.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a node of a version cannot be read: {0}")]
pub struct BadNode(pub String);

/// A stretch of the files, or of the nodes below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Leaf(Vec<Entry>),
    /// `level` counts from the leaves, which are 0.
    Inner {
        level: u32,
        children: Vec<Ref>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    n: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    e: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<Ref>,
}

impl Node {
    pub fn decode(bytes: &[u8]) -> Result<Self, BadNode> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|e| BadNode(e.to_string()))?;
        if stored.n == 0 {
            Ok(Self::Leaf(stored.e))
        } else {
            Ok(Self::Inner {
                level: stored.n,
                children: stored.c,
            })
        }
    }

    pub const fn level(&self) -> u32 {
        match self {
            Self::Leaf(_) => 0,
            Self::Inner { level, .. } => *level,
        }
    }

    /// What a node above says of it, and the node as it is stored.
    pub(crate) fn seal(self) -> (Ref, NewNode) {
        let (mut splits, mut bytes, mut key) = ([0; 4], 0, String::new());
        let (mut objects, mut blobs) = (Vec::new(), Vec::new());
        let stored = match self {
            Self::Leaf(e) => {
                for entry in &e {
                    splits[entry.split.index()] += 1;
                    bytes += entry.size;
                    blobs.push(entry.blob);
                    objects.extend(entry.labels);
                }
                key = e.last().map(Entry::key).unwrap_or(key);
                Stored {
                    n: 0,
                    e,
                    c: Vec::new(),
                }
            }
            Self::Inner { level, children } => {
                for child in &children {
                    for (sum, n) in splits.iter_mut().zip(child.splits) {
                        *sum += n;
                    }
                    bytes += child.bytes;
                    objects.push(child.hash);
                }
                key = children.last().map(|c| c.key.clone()).unwrap_or(key);
                Stored {
                    n: level,
                    e: Vec::new(),
                    c: children,
                }
            }
        };
        // Plain data with text keys always becomes JSON.
        let json = serde_json::to_vec(&stored).unwrap_or_default();
        let hash = Hash::of(&json);
        for list in [&mut objects, &mut blobs] {
            list.sort_unstable();
            list.dedup();
        }
        let above = Ref {
            key,
            hash,
            bytes,
            splits,
        };
        let node = NewNode {
            hash,
            bytes: json,
            objects,
            blobs,
        };
        (above, node)
    }
}

/// A node to keep. What it names is kept before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    pub hash: Hash,
    pub bytes: Vec<u8>,
    /// Nodes and labels it names, each once.
    pub objects: Vec<Hash>,
    /// Files it names, each once.
    pub blobs: Vec<Hash>,
}

/// Where nodes are loaded from.
pub trait Nodes: Send {
    type Error: From<BadNode> + Send;

    fn node(&mut self, hash: &Hash) -> impl Future<Output = Result<Arc<Node>, Self::Error>> + Send;

    /// These will be asked for soon, one after another.
    fn ahead(&mut self, hashes: &[Hash]) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = hashes;
        std::future::ready(Ok(()))
    }
}

/// Files of a split within a node.
pub(crate) fn of_split(r: &Ref, split: Split) -> u64 {
    r.splits[split.index()]
}
