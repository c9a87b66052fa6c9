//! The command palette's search.

use crate::authz::viewer;
use crate::{Actor, Context, Result};
use limn_store::repo;

/// Hits in all.
const MAX: i64 = 20;
/// Of them projects at most, so that items find room.
const PROJECTS_MAX: i64 = 8;
/// Longest text looked for, in characters.
const TEXT_MAX: usize = 200;

#[derive(Clone)]
pub struct Search(pub(crate) Context);

impl Search {
    /// Projects and items whose name contains the text, best first, at most 20.
    pub async fn find(&self, actor: &Actor, text: &str) -> Result<Vec<Hit>> {
        let viewer = viewer(actor)?;
        let text: String = text
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(TEXT_MAX)
            .collect();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.0.db.read().await?;
        let mut hits: Vec<Hit> = repo::search::projects(&mut tx, viewer, &text, PROJECTS_MAX)
            .await?
            .into_iter()
            .map(|(id, name)| Hit {
                kind: "project".to_owned(),
                title: name,
                detail: "Project".to_owned(),
                href: format!("/projects/{id}"),
            })
            .collect();
        // A single letter is in nearly every name.
        if text.chars().nth(1).is_some() {
            let items = repo::search::items(&mut tx, viewer, &text, MAX - hits.len() as i64).await?;
            hits.extend(items.into_iter().map(|i| Hit {
                kind: "item".to_owned(),
                title: i.name,
                detail: i.project_name,
                href: format!("/projects/{}/label/{}", i.project_id, i.id),
            }));
        }
        Ok(hits)
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
