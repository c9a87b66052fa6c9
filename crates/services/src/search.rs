//! The command palette's search.

use crate::{Actor, Context, Result};

#[derive(Clone)]
pub struct Search(pub(crate) Context);

impl Search {
    /// Projects and items whose name contains the text, best first, at most 20.
    pub async fn find(&self, actor: &Actor, text: &str) -> Result<Vec<Hit>> {
        todo!()
    }
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hit {
    /// `project` or `item`.
    pub kind: String,
    pub title: String,
    pub detail: String,
    pub href: String,
}
