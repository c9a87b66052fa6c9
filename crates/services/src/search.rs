//! The command palette's search.

use crate::authz::{bound_dataset, dataset_viewer, is_bound, viewer};
use crate::{Actor, Context, Result};
use limn_store::repo;

/// Hits in all.
const MAX: i64 = 20;
/// Of them projects at most, so that items find room.
const PROJECTS_MAX: i64 = 8;
/// Of them datasets at most.
const DATASETS_MAX: i64 = 6;
/// Longest text looked for, in characters.
const TEXT_MAX: usize = 200;

#[derive(Clone)]
pub struct Search(pub(crate) Context);

impl Search {
    /// Projects, datasets and items whose name contains the text, best first, at most 20.
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
        let only = bound_dataset(actor);
        if !is_bound(actor) || only.is_some() {
            let filter = repo::dataset::ListFilter {
                member: dataset_viewer(actor)?,
                only,
                text: Some(&text),
                kind: None,
                tag: None,
                after: None,
                limit: DATASETS_MAX,
            };
            let datasets = repo::dataset::list(&mut tx, &filter).await?;
            hits.extend(datasets.into_iter().map(|d| Hit {
                kind: "dataset".to_owned(),
                title: d.name,
                detail: format!("Dataset, {}", d.kind.label().to_lowercase()),
                href: format!("/data/{}", d.id),
            }));
        }
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
    /// `project`, `dataset` or `item`.
    pub kind: String,
    pub title: String,
    pub detail: String,
    pub href: String,
}
