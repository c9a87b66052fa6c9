//! Items with their labels in export order, a page at a time.

use crate::repo::annotation::{bounds, read_attributes, read_links, shape};
use crate::repo::frame::Frame;
use crate::{StoreError, Tx, on_tx};
use limn_domain::item::ItemStatus;
use limn_domain::{
    AnnotationId, Attributes, CategoryId, Digest, ItemId, Links, ProjectId, Shape, Source, Timestamp, link,
};
use sqlx::FromRow;
use std::collections::HashMap;

/// Most labels a page holds, unless a single item has more.
const LABELS: i64 = 50_000;

/// An item as exports need it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportItem {
    pub id: ItemId,
    pub export_id: i64,
    pub name: String,
    pub digest: Digest,
    pub media_type: String,
    pub byte_size: i64,
    /// Unicode scalar values of a document; 0 for a picture.
    pub length: i64,
    pub width: i64,
    pub height: i64,
    /// EXIF orientation of the stored bytes, 1 to 8.
    pub orientation: i64,
    /// The frames of a video; [`export_page`] leaves them out.
    pub frames: Vec<Frame>,
    pub status: ItemStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// What is said of the item as a whole.
    pub about: Attributes,
    /// Confirmed labels (no proposals), in drawing order, ties by id.
    pub annotations: Vec<ExportAnnotation>,
}

/// A confirmed label.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportAnnotation {
    pub id: AnnotationId,
    pub category_id: CategoryId,
    pub shape: Shape,
    /// Drawing order; higher lies above.
    pub z: i64,
    pub source: Source,
    pub score: Option<f64>,
    pub attributes: Attributes,
    /// Relations only to labels of the same list.
    pub links: Links,
}

impl link::Linked for ExportAnnotation {
    fn id(&self) -> AnnotationId {
        self.id
    }

    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

#[derive(FromRow)]
struct ItemPart {
    id: ItemId,
    export_id: i64,
    name: String,
    digest: Digest,
    media_type: String,
    byte_size: i64,
    length: i64,
    width: i64,
    height: i64,
    orientation: i64,
    status: ItemStatus,
    created_at: Timestamp,
    updated_at: Timestamp,
    attributes: Option<String>,
    annotation_count: i64,
}

#[derive(FromRow)]
struct LabelPart {
    item_id: ItemId,
    id: AnnotationId,
    category_id: CategoryId,
    kind: String,
    x: Option<f64>,
    y: Option<f64>,
    w: Option<f64>,
    h: Option<f64>,
    geometry: Option<String>,
    z: i64,
    source: Source,
    score: Option<f64>,
    attributes: Option<String>,
    links: Option<String>,
}

/// The items after export id `after` (0 to begin) in the order of export ids, at most `limit` and fewer when they hold
/// very many labels. An empty page is the end. Read all pages in one snapshot.
pub async fn export_page(
    tx: &mut Tx,
    project: ProjectId,
    after: i64,
    limit: i64,
    only_done: bool,
) -> Result<Vec<ExportItem>, StoreError> {
    let mut items: Vec<ItemPart> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT id, export_id, name, digest, media_type, byte_size, length, width, height, orientation, status, created_at, \
             updated_at, attributes, annotation_count FROM item WHERE project_id = ",
        );
        q.push_bind(project).push(" AND export_id > ").push_bind(after);
        if only_done {
            q.push(" AND status = 'done'");
        }
        q.push(" ORDER BY export_id LIMIT ").push_bind(limit);
        q.build_query_as().fetch_all(conn).await?
    });
    let mut labels = 0;
    let fitting = items
        .iter()
        .take_while(|i| {
            let first = labels == 0;
            labels += i.annotation_count;
            first || labels <= LABELS
        })
        .count();
    items.truncate(fitting);
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return Ok(Vec::new());
    };
    let mut by_item: HashMap<ItemId, Vec<LabelPart>> = HashMap::new();
    if items.iter().any(|i| i.annotation_count > 0) {
        let rows: Vec<LabelPart> = on_tx!(tx, conn => {
            sqlx::query_as(
                "SELECT a.item_id, a.id, a.category_id, a.kind, a.x, a.y, a.w, a.h, a.geometry, a.z, a.source, \
                 a.score, a.attributes, a.links \
                 FROM item i CROSS JOIN annotation a \
                 WHERE i.project_id = $1 AND i.export_id BETWEEN $2 AND $3 AND i.annotation_count > 0 \
                 AND a.item_id = i.id AND a.source <> 'prelabel' AND (i.status = 'done' OR NOT $4)",
            )
            .bind(project)
            .bind(first.export_id)
            .bind(last.export_id)
            .bind(only_done)
            .fetch_all(conn)
            .await?
        });
        for row in rows {
            by_item.entry(row.item_id).or_default().push(row);
        }
    }
    items.into_iter().map(|i| assemble(i, &mut by_item)).collect()
}

fn assemble(i: ItemPart, by_item: &mut HashMap<ItemId, Vec<LabelPart>>) -> Result<ExportItem, StoreError> {
    let mut labels = by_item.remove(&i.id).unwrap_or_default();
    labels.sort_unstable_by_key(|a| (a.z, a.id));
    let mut annotations = labels
        .into_iter()
        .map(|a| {
            let bounds = bounds(a.x, a.y, a.w, a.h);
            let shape = shape(&a.kind, bounds, a.geometry.as_deref());
            let attributes = read_attributes(a.attributes.as_deref());
            let links = read_links(a.links.as_deref());
            let (Some(shape), Some(attributes), Some(links)) = (shape, attributes, links) else {
                let what = format!("annotation {} of item {}", a.id, i.id);
                return Err(StoreError::Corrupt(what));
            };
            Ok(ExportAnnotation {
                id: a.id,
                category_id: a.category_id,
                shape,
                z: a.z,
                source: a.source,
                score: a.score,
                attributes,
                links,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    link::drop_dangling(&mut annotations);
    Ok(ExportItem {
        id: i.id,
        export_id: i.export_id,
        about: read_attributes(i.attributes.as_deref())
            .ok_or_else(|| StoreError::Corrupt(format!("attributes of item {}", i.id)))?,
        name: i.name,
        digest: i.digest,
        media_type: i.media_type,
        byte_size: i.byte_size,
        length: i.length,
        width: i.width,
        height: i.height,
        orientation: i.orientation,
        frames: Vec::new(),
        status: i.status,
        created_at: i.created_at,
        updated_at: i.updated_at,
        annotations,
    })
}
