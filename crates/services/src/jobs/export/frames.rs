//! Videos in an export: their frames, and videos as pictures for formats without tracks.

use limn_domain::attribute::AttributeValue;
use limn_domain::{AnnotationId, Shape, track, video};
use limn_store::repo::frame;
use limn_store::repo::item::{ExportAnnotation, ExportItem};
use limn_store::{StoreError, Tx};
use std::collections::HashSet;

/// Frames read at once.
const PAGE: i64 = 10_000;
/// Export ids of frames: this many for each item.
const IDS: i64 = 1_000_000;

pub(in crate::jobs) fn is_video(item: &ExportItem) -> bool {
    item.media_type == video::MEDIA_TYPE
}

/// Reads the frames of a video.
pub(in crate::jobs) async fn load(tx: &mut Tx, item: &mut ExportItem) -> Result<(), StoreError> {
    loop {
        let page = frame::page(tx, item.id, item.frames.len() as i64, PAGE).await?;
        let is_last = (page.len() as i64) < PAGE;
        item.frames.extend(page);
        if is_last {
            return Ok(());
        }
    }
}

/// The item itself, or each frame of a video as a picture with the shapes that are seen on it. Ids of frames are those of their
/// item times a million, and their number; with `numbered` labels get a `track_id`, counted from 1 in each video.
pub(in crate::jobs) fn as_pictures(
    item: ExportItem,
    numbered: bool,
) -> Box<dyn Iterator<Item = ExportItem> + Send> {
    if !is_video(&item) {
        return Box::new(std::iter::once(item));
    }
    Box::new((0..item.frames.len()).map(move |n| picture(&item, n, numbered)))
}

fn picture(video: &ExportItem, n: usize, numbered: bool) -> ExportItem {
    let frame = &video.frames[n];
    let number = u32::try_from(n).unwrap_or(u32::MAX);
    let mut annotations: Vec<ExportAnnotation> = (1_u32..)
        .zip(&video.annotations)
        .filter_map(|(id, a)| {
            let shape = match &a.shape {
                Shape::Track { keyframes } => track::at(keyframes, number)?.shape,
                other => other.clone(),
            };
            let mut seen = ExportAnnotation { shape, ..a.clone() };
            if numbered {
                let id = AttributeValue::Number(f64::from(id));
                seen.attributes.entry("track_id".to_owned()).or_insert(id);
            }
            Some(seen)
        })
        .collect();
    let here: HashSet<AnnotationId> = annotations.iter().map(|a| a.id).collect();
    for a in &mut annotations {
        a.links.relations.retain(|r| here.contains(&r.to));
    }
    ExportItem {
        id: video.id,
        export_id: video.export_id * IDS + i64::from(number) + 1,
        name: video::frame_name(&video.name, number, &frame.media_type),
        digest: frame.digest.clone(),
        media_type: frame.media_type.clone(),
        byte_size: frame.byte_size,
        length: 0,
        width: video.width,
        height: video.height,
        orientation: frame.orientation,
        frames: Vec::new(),
        status: video.status,
        created_at: video.created_at,
        updated_at: video.updated_at,
        about: video.about.clone(),
        annotations,
    }
}
