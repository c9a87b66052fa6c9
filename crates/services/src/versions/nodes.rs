//! Nodes of versions out of the database.

use crate::{Error, Result};
use anyhow::anyhow;
use limn_store::Tx;
use limn_store::repo;
use limn_versions::object::{Root, Schema};
use limn_versions::{BadNode, Hash, Node, Nodes};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::Arc;

/// Nodes fetched before they are asked for.
pub(crate) type Ahead = HashMap<Hash, Arc<Node>>;

/// Reads nodes in a transaction.
pub(crate) struct DbNodes<'t> {
    tx: &'t mut Tx,
    ahead: Ahead,
    /// Nodes that were asked for lately: whoever looks up many paths goes the same way down again and again.
    lately: Ahead,
}

/// Nodes kept in `lately`.
const LATELY: usize = 256;

impl<'t> DbNodes<'t> {
    pub fn new(tx: &'t mut Tx) -> Self {
        Self::with(tx, Ahead::new())
    }

    /// Goes on with what an earlier one has fetched.
    pub fn with(tx: &'t mut Tx, ahead: Ahead) -> Self {
        Self {
            tx,
            ahead,
            lately: Ahead::new(),
        }
    }

    /// What was fetched and not asked for yet.
    pub fn into_ahead(self) -> Ahead {
        self.ahead
    }
}

impl From<BadNode> for Error {
    fn from(e: BadNode) -> Self {
        Self::Internal(e.into())
    }
}

impl Nodes for DbNodes<'_> {
    type Error = Error;

    async fn node(&mut self, hash: &Hash) -> Result<Arc<Node>> {
        if let Some(node) = self.ahead.remove(hash) {
            return Ok(node);
        }
        if let Some(node) = self.lately.get(hash) {
            return Ok(Arc::clone(node));
        }
        let bytes = bytes(self.tx, hash).await?;
        let node = Arc::new(Node::decode(&bytes)?);
        if self.lately.len() >= LATELY {
            self.lately.clear();
        }
        self.lately.insert(*hash, Arc::clone(&node));
        Ok(node)
    }

    async fn ahead(&mut self, hashes: &[Hash]) -> Result<()> {
        let wanted: Vec<[u8; 32]> = hashes.iter().map(|h| *h.bytes()).collect();
        for (digest, bytes) in repo::object::get(self.tx, &wanted).await? {
            if let Some(hash) = Hash::from_bytes(&digest) {
                self.ahead.insert(hash, Arc::new(Node::decode(&bytes)?));
            }
        }
        Ok(())
    }
}

async fn bytes(tx: &mut Tx, hash: &Hash) -> Result<Vec<u8>> {
    let found = repo::object::get(tx, &[*hash.bytes()]).await?.pop();
    Ok(found
        .ok_or_else(|| anyhow!("the object {hash} of a version is missing"))?
        .1)
}

/// An object of a version.
pub(crate) async fn object<T: DeserializeOwned>(tx: &mut Tx, hash: &Hash) -> Result<T> {
    let bytes = bytes(tx, hash).await?;
    Ok(serde_json::from_slice(&bytes)
        .map_err(|e| anyhow!("the object {hash} of a version cannot be read: {e}"))?)
}

/// Objects of one kind by their digests.
pub(crate) async fn objects<T: DeserializeOwned>(tx: &mut Tx, hashes: &[Hash]) -> Result<HashMap<Hash, T>> {
    let wanted: Vec<[u8; 32]> = hashes.iter().map(|h| *h.bytes()).collect();
    let mut found = HashMap::with_capacity(hashes.len());
    for (digest, bytes) in repo::object::get(tx, &wanted).await? {
        let object = serde_json::from_slice(&bytes)
            .map_err(|e| anyhow!("an object of a version cannot be read: {e}"))?;
        if let Some(hash) = Hash::from_bytes(&digest) {
            found.insert(hash, object);
        }
    }
    Ok(found)
}

/// The root of a version and its schema.
pub(crate) async fn open(tx: &mut Tx, digest: &Hash) -> Result<(Root, Schema)> {
    let root: Root = object(tx, digest).await?;
    let schema = match &root.schema {
        Some(hash) => object(tx, hash).await?,
        None => Schema::default(),
    };
    Ok((root, schema))
}
