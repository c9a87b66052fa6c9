//! Draws the images of a sample project and labels some of them.

use super::Payload;
use super::draw::{self, Drawn, Kind};
use crate::{Context, Error, ingest};
use anyhow::Context as _;
use limn_domain::item::{AddItemOutcome, Item, ItemStatus};
use limn_domain::project::Media;
use limn_domain::{Annotation, AnnotationId, CategoryId, ProjectId, Rect, Shape, Source, UserId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_store::repo::annotation::NewAnnotation;
use limn_store::repo::item::bulk::Stamp;
use limn_store::{StoreError, repo};
use std::collections::HashMap;

const IMAGES: u64 = 24;
/// The last of them are done: what is to do is drawn first, so that nobody waits for it.
const DONE: u64 = 8;
/// These have proposals.
const PROPOSED: std::ops::Range<u64> = 3..8;

const fn is_done(n: u64) -> bool {
    n >= IMAGES - DONE
}

/// Runs it. Safe to run again: what is there already stays.
pub(crate) struct SampleJob(pub Context);

#[async_trait::async_trait]
impl Handler for SampleJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let Payload { project, user } =
            serde_json::from_value(payload).map_err(|e| Permanent(e.to_string()))?;
        let categories = self.categories(project).await?;
        for n in 0..IMAGES {
            progress.report(n as i64, IMAGES as i64, "Drawing").await?;
            let picture = tokio::task::spawn_blocking(move || draw::picture(n)).await??;
            let staged = self.0.blobs.stage_bytes(picture.jpeg.into())?;
            let name = format!("sample-{:02}.jpg", n + 1);
            let item = match ingest::add_staged(&self.0, project, Media::Image, &name, staged).await {
                Ok(AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item }) => item,
                Err(Error::Api(e)) => return Err(Permanent(e.message).into()),
                Err(e) => return Err(e).context("The sample's images could not be added"),
            };
            if is_done(n) || PROPOSED.contains(&n) {
                self.label(&item, &picture.shapes, &categories, n, user).await?;
            }
        }
        progress.report(IMAGES as i64, IMAGES as i64, "Done").await?;
        Ok(None)
    }
}

impl SampleJob {
    async fn categories(&self, project: ProjectId) -> anyhow::Result<HashMap<Kind, CategoryId>> {
        let rows = repo::transfer::categories(&mut self.0.db.read().await?, project).await?;
        Ok(Kind::ALL
            .into_iter()
            .filter_map(|kind| {
                Some((
                    kind,
                    rows.iter().find(|c| c.name.eq_ignore_ascii_case(kind.name()))?.id,
                ))
            })
            .collect())
    }

    /// Labels an item that nobody has touched yet, as an import would.
    async fn label(
        &self,
        item: &Item,
        shapes: &[Drawn],
        categories: &HashMap<Kind, CategoryId>,
        n: u64,
        user: Option<UserId>,
    ) -> anyhow::Result<()> {
        let (id, project, done, now) = (item.id, item.project_id, is_done(n), self.0.now());
        let rows: Vec<NewAnnotation> = shapes
            .iter()
            .zip(0_i64..)
            .filter_map(|(shape, z)| {
                let category_id = *categories.get(&shape.kind)?;
                let (rect, source, score) = if done {
                    (shape.rect, Source::Import, None)
                } else {
                    (
                        roughly(shape.rect, z),
                        Source::Prelabel,
                        Some(0.62 + 0.07 * (z % 5) as f64),
                    )
                };
                let annotation = Annotation {
                    id: AnnotationId::new(),
                    category_id,
                    shape: Shape::Box { rect },
                    z,
                    source,
                    score,
                    attributes: limn_domain::Attributes::new(),
                    links: limn_domain::Links::default(),
                };
                Some(NewAnnotation {
                    item_id: id,
                    annotation,
                    created_by: user,
                })
            })
            .collect();
        self.0
            .db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    let untouched = repo::item::get(tx, id, now).await?.is_some_and(|i| {
                        i.revision == 0 && i.status == ItemStatus::Todo && i.leased_by.is_none()
                    });
                    if untouched {
                        repo::annotation::insert_many(tx, &rows, now).await?;
                        repo::item::bulk::settle(tx, project, &[id], done, Stamp { by: user, now }).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }
}

/// A proposal as a model makes it: a few pixels off.
fn roughly(rect: Rect, z: i64) -> Rect {
    let off = 3.0 + (z % 3) as f64;
    Rect::new(rect.x - off, rect.y + off / 2.0, rect.w + off, rect.h + off)
}
