//! COCO panoptic: pictures of segments in an archive inside the archive of the annotations.

use super::*;
use image::{DynamicImage, Rgb, RgbImage};
use std::io::Cursor;

/// A picture of segments, 64 x 48: what lies where, the last on top.
fn segments(of: &[(u32, [u32; 4])]) -> Vec<u8> {
    let mut image = RgbImage::new(64, 48);
    for (id, [x, y, w, h]) in of {
        let color = Rgb([*id as u8, (id >> 8) as u8, (id >> 16) as u8]);
        for (x, y) in (*y..y + h).flat_map(|y| (*x..x + w).map(move |x| (x, y))) {
            image.put_pixel(x, y, color);
        }
    }
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(image)
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

/// The annotations of the publisher: the JSON, and the archive of pictures of segments beside it.
fn annotations(inner: &[u8]) -> Vec<u8> {
    let image =
        |id: i64| json!({ "id": id, "file_name": format!("{id:012}.jpg"), "width": 64, "height": 48 });
    let segment = |id: u32, category: i64, crowd: u8| json!({ "id": id, "category_id": category, "iscrowd": crowd, "area": 1, "bbox": [0, 0, 1, 1] });
    let said = |id: i64, segments: Vec<serde_json::Value>| json!({ "image_id": id, "file_name": format!("{id:012}.png"), "segments_info": segments });
    let file = json!({
        "images": [image(1), image(2), image(3)],
        "annotations": [
            said(1, vec![segment(70_000, 18, 0), segment(300, 18, 0), segment(5, 187, 0), segment(6, 1, 1)]),
            said(2, vec![segment(5, 187, 0)]),
            said(3, vec![segment(5, 187, 0)]),
        ],
        "categories": [
            { "id": 1, "name": "person", "isthing": 1, "supercategory": "person" },
            { "id": 18, "name": "dog", "isthing": 1, "supercategory": "animal" },
            { "id": 187, "name": "sky-other-merged", "isthing": 0, "supercategory": "sky" },
        ],
    });
    zip(&[
        (
            "annotations/panoptic_val.json",
            serde_json::to_vec(&file).unwrap(),
        ),
        ("annotations/panoptic_val.zip", inner.to_vec()),
    ])
}

fn scenes(p: &Publisher, slug: &str, inner: &[u8]) -> Record {
    let jpeg = |shade| picture(64, 48, shade, ImageFormat::Jpeg);
    let pictures = zip(&[
        ("val/000000000001.jpg", jpeg(10)),
        ("val/000000000002.jpg", jpeg(20)),
        ("val/000000000003.jpg", jpeg(30)),
    ]);
    record(
        slug,
        CatalogueTask::PanopticSegmentation,
        vec![
            p.file(&format!("{slug}.zip"), pictures),
            p.file(&format!("{slug}-panoptic.zip"), annotations(inner)),
        ],
        Loader::Coco(Coco {
            images: format!("{slug}.zip"),
            annotations: format!("{slug}-panoptic.zip"),
            path: Some("annotations/panoptic_val.json".to_owned()),
            segments: Some("annotations/panoptic_val.zip".to_owned()),
            split: Split::Val,
        }),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn segments_become_masks() {
    on_both(async |db| {
        let p = Publisher::start().await;
        // Two dogs, one of an id above two bytes; sky around them; a crowd; and pixels that nothing is said of.
        let first = segments(&[
            (5, [0, 0, 64, 48]),
            (70_000, [2, 3, 10, 20]),
            (300, [40, 10, 8, 6]),
            (6, [0, 40, 64, 8]),
            (77, [60, 0, 4, 4]),
        ]);
        let inner = zip(&[
            ("panoptic_val/000000000001.png", first),
            ("panoptic_val/000000000002.png", b"no picture".to_vec()),
            ("__MACOSX/panoptic_val/._000000000001.png", b"x".to_vec()),
            ("../../etc/evil.png", b"x".to_vec()),
        ]);
        let w = open(&db, vec![scenes(&p, "whole", &inner)]).await;
        let out = w.add("whole").await;
        let v = w.versions.get(&w.manager, out.version.version_id).await.unwrap();
        assert_eq!(
            (v.files, v.counts.labels, v.task),
            (3, 3, Some(Task::Segmentation))
        );
        let entries = w.entries(v.id).await;
        let e = &entries["val/000000000001.jpg"];
        assert_eq!(
            e.categories
                .iter()
                .map(|(c, n)| (c.as_str(), *n))
                .collect::<Vec<_>>(),
            [("dog", 2), ("sky-other-merged", 1)]
        );
        let dogs: Vec<[f64; 4]> = e
            .annotations
            .iter()
            .map(|l| {
                assert!(matches!(l.shape, Shape::Mask { .. }), "{l:?}");
                let r = l.shape.bounds().unwrap();
                [r.x, r.y, r.w, r.h]
            })
            .filter(|r| r[2] < 64.0)
            .collect();
        assert_eq!(dogs, [[2.0, 3.0, 10.0, 20.0], [40.0, 10.0, 8.0, 6.0]]);
        assert!(entries["val/000000000002.jpg"].annotations.is_empty());
        for sign in [
            "crowd",
            "16 pixels belong to segment 77",
            "000000000002.png",
            "`000000000003.png` was not brought along",
            "refused: ../../etc/evil.png",
        ] {
            assert!(
                out.version.notes.iter().any(|n| n.contains(sign)),
                "{sign}: {:#?}",
                out.version.notes
            );
        }
        let schema = w.versions.schema(&w.manager, v.id).await.unwrap();
        let sky = schema
            .categories
            .iter()
            .find(|c| c.name == "sky-other-merged")
            .unwrap();
        assert_eq!(sky.export_id, 187, "ids of the file stay");
        // What was unpacked for it is gone with what was fetched.
        let left = std::fs::read_dir(w.db.dir().join("data/catalogue"))
            .unwrap()
            .count();
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inner_archive_that_is_none_makes_nothing() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let whole = zip(&[("a/000000000001.png", segments(&[(5, [0, 0, 64, 48])]))]);
        let mut without = scenes(&p, "without", &whole);
        let Loader::Coco(coco) = &mut without.loader else {
            panic!()
        };
        coco.segments = Some("annotations/other.zip".to_owned());
        // The outer archive is small; what is packed in it is not.
        let huge = scenes(&p, "huge", &vec![0; 500_000]);
        assert!(huge.bytes().unwrap() < 100_000);
        let sets = vec![without, scenes(&p, "torn", &whole[..whole.len() - 40]), huge];
        let studio = Studio::with(&db, |limits| {
            limits.upload_bytes = 100_000;
            limits.catalogue.records = Arc::new(Catalogue::new(sets).unwrap());
        });
        let w = world_of(&db, Task::Detection, studio).await;
        for (slug, sign) in [
            ("without", "There is no `annotations/other.zip`"),
            ("torn", "annotations/panoptic_val.zip"),
            ("huge", "`annotations/panoptic_val.zip` is larger than"),
        ] {
            let job = w.try_add(slug, None).await;
            assert_eq!(job.state, JobState::Failed, "{slug}: {:?}", job.result);
            let error = job.error.unwrap();
            assert!(error.contains(sign), "{slug}: {error}");
        }
        assert_eq!(w.dataset_count().await, 0);
    })
    .await;
}
