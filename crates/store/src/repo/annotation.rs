//! Annotation rows: labels of items, saved edits, and what happens to labels when a category goes.
//!
//! For imports: [`insert_many`] writes labels in bulk and leaves the items alone; call `item::bulk::settle` for the
//! touched items afterwards, in the same transaction. For categories: [`delete_category`] and [`move_category`] keep the
//! items' counts and revisions right.

mod category;
mod change;
mod insert;

pub use category::{delete_category, move_category, projects_of};
pub use change::{Applied, Change, apply, distinct_labels, has_import, replayed};
pub use insert::{NewAnnotation, delete_of_items, insert_many};

use crate::{StoreError, Tx, on_tx};
use limn_domain::annotation::ItemAnnotations;
use limn_domain::{
    Annotation, AnnotationId, Attributes, CategoryId, ItemId, Links, Rect, Shape, Source, Timestamp, UserId,
    link,
};
use sqlx::FromRow;
use std::collections::HashMap;

#[derive(FromRow)]
struct AnnotationRow {
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

/// The column `attributes`; NULL without values.
fn attributes(values: &Attributes) -> Result<Option<String>, StoreError> {
    if values.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(values)
        .map(Some)
        .map_err(|e| StoreError::Corrupt(format!("attributes that cannot be written: {e}")))
}

/// The values that a row holds; `None` when they are no attributes.
pub(in crate::repo) fn read_attributes(json: Option<&str>) -> Option<Attributes> {
    json.map_or_else(|| Some(Attributes::new()), |json| serde_json::from_str(json).ok())
}

/// The column `links`; NULL without any.
fn links(links: &Links) -> Result<Option<String>, StoreError> {
    if links.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(links)
        .map(Some)
        .map_err(|e| StoreError::Corrupt(format!("links that cannot be written: {e}")))
}

/// The links that a row holds; `None` when they are none.
pub(in crate::repo) fn read_links(json: Option<&str>) -> Option<Links> {
    json.map_or_else(|| Some(Links::default()), |json| serde_json::from_str(json).ok())
}

/// What the column `geometry` holds for a shape.
pub(in crate::repo) fn geometry(shape: &Shape) -> Result<Option<String>, StoreError> {
    let json = match shape {
        Shape::Whole | Shape::Box { .. } => return Ok(None),
        Shape::Polygon { parts } => serde_json::to_string(parts),
        Shape::Mask { mask } => serde_json::to_string(mask),
        Shape::RotatedBox { rect } | Shape::Ellipse { rect } => serde_json::to_string(rect),
        Shape::Polyline { points } | Shape::Points { points } => serde_json::to_string(points),
        Shape::Keypoints { keypoints } => serde_json::to_string(keypoints),
        Shape::Span { start, end } => serde_json::to_string(&[start, end]),
        Shape::Track { keyframes } => serde_json::to_string(keyframes),
    };
    json.map(Some)
        .map_err(|e| StoreError::Corrupt(format!("a shape that cannot be written: {e}")))
}

pub(in crate::repo) fn bounds(
    x: Option<f64>,
    y: Option<f64>,
    w: Option<f64>,
    h: Option<f64>,
) -> Option<Rect> {
    Some(Rect::new(x?, y?, w?, h?))
}

/// The shape that a row holds; `None` when its columns contradict each other.
pub(in crate::repo) fn shape(kind: &str, bounds: Option<Rect>, geometry: Option<&str>) -> Option<Shape> {
    fn read<T: serde::de::DeserializeOwned>(geometry: Option<&str>) -> Option<T> {
        serde_json::from_str(geometry?).ok()
    }
    let g = geometry;
    Some(match kind {
        "whole" => Shape::Whole,
        "box" => Shape::Box { rect: bounds? },
        "polygon" => Shape::Polygon { parts: read(g)? },
        "mask" => Shape::Mask { mask: read(g)? },
        "rotated_box" => Shape::RotatedBox { rect: read(g)? },
        "ellipse" => Shape::Ellipse { rect: read(g)? },
        "polyline" => Shape::Polyline { points: read(g)? },
        "points" => Shape::Points { points: read(g)? },
        "keypoints" => Shape::Keypoints { keypoints: read(g)? },
        "span" => {
            let [start, end] = read(g)?;
            Shape::Span { start, end }
        }
        "track" => Shape::Track { keyframes: read(g)? },
        _ => return None,
    })
}

impl AnnotationRow {
    fn into_annotation(self) -> Result<Annotation, StoreError> {
        let bounds = bounds(self.x, self.y, self.w, self.h);
        let shape = shape(&self.kind, bounds, self.geometry.as_deref());
        let attributes = read_attributes(self.attributes.as_deref());
        let links = read_links(self.links.as_deref());
        let (Some(shape), Some(attributes), Some(links)) = (shape, attributes, links) else {
            return Err(StoreError::Corrupt(format!(
                "annotation {} of item {}",
                self.id, self.item_id
            )));
        };
        Ok(Annotation {
            id: self.id,
            category_id: self.category_id,
            shape,
            z: self.z,
            source: self.source,
            score: self.score,
            attributes,
            links,
        })
    }
}

/// All labels and proposals of an item in drawing order, lowest first, ties by id.
pub async fn of_item(tx: &mut Tx, item: ItemId) -> Result<Vec<Annotation>, StoreError> {
    let rows: Vec<AnnotationRow> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT item_id, id, category_id, kind, x, y, w, h, geometry, z, source, score, attributes, links FROM annotation \
             WHERE item_id = $1 ORDER BY z, id",
        )
        .bind(item)
        .fetch_all(conn)
        .await?
    });
    let rows = rows.into_iter().map(AnnotationRow::into_annotation);
    let mut list = rows.collect::<Result<Vec<_>, _>>()?;
    link::drop_dangling(&mut list);
    Ok(list)
}

/// The same of several items (at most a page of them) in one query. Items without labels are absent.
pub async fn of_items(tx: &mut Tx, items: &[ItemId]) -> Result<HashMap<ItemId, Vec<Annotation>>, StoreError> {
    let mut out: HashMap<ItemId, Vec<Annotation>> = HashMap::new();
    if let [item] = items {
        let annotations = of_item(tx, *item).await?;
        if !annotations.is_empty() {
            out.insert(*item, annotations);
        }
        return Ok(out);
    }
    if items.is_empty() {
        return Ok(out);
    }
    let rows: Vec<AnnotationRow> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT item_id, id, category_id, kind, x, y, w, h, geometry, z, source, score, attributes, links FROM annotation WHERE item_id IN (",
        );
        let mut list = q.separated(", ");
        for id in items {
            list.push_bind(*id);
        }
        q.push(") ORDER BY item_id, z, id");
        q.build_query_as().fetch_all(conn).await?
    });
    for row in rows {
        out.entry(row.item_id).or_default().push(row.into_annotation()?);
    }
    for list in out.values_mut() {
        link::drop_dangling(list);
    }
    Ok(out)
}

#[derive(FromRow)]
struct Head {
    revision: i64,
    annotated_by: Option<UserId>,
    annotated_by_name: Option<String>,
    attributes: Option<String>,
    updated_at: Timestamp,
}

/// All labels of an item with its revision; `None` when there is no such item.
pub async fn current(tx: &mut Tx, item: ItemId) -> Result<Option<ItemAnnotations>, StoreError> {
    let head: Option<Head> = on_tx!(tx, conn => {
        sqlx::query_as(
            "SELECT revision, annotated_by, updated_at, attributes, \
             (SELECT u.name FROM user_account u WHERE u.id = item.annotated_by) AS annotated_by_name \
             FROM item WHERE id = $1",
        )
        .bind(item)
        .fetch_optional(conn)
        .await?
    });
    let Some(head) = head else { return Ok(None) };
    Ok(Some(ItemAnnotations {
        item_id: item,
        revision: head.revision,
        updated_by: head.annotated_by,
        updated_by_name: head.annotated_by_name,
        updated_at: head.updated_at,
        attributes: read_attributes(head.attributes.as_deref())
            .ok_or_else(|| StoreError::Corrupt(format!("attributes of item {item}")))?,
        annotations: of_item(tx, item).await?,
    }))
}
