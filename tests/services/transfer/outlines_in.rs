//! COCO files of outlines.

use super::{coco, codes, image, world};
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_testkit::{build, on_both};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coco_file_of_outlines_is_imported_once_however_often() {
    on_both(async |db| {
        let world = world(&db, Task::Segmentation).await;
        build::items(&db, world.project, "p", 2).await;
        let outline = |id: i64, shape: serde_json::Value| {
            json!({ "id": id, "image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8], "segmentation": shape })
        };
        let file = coco(
            &[image(1, "p000.jpg"), image(2, "p001.jpg")],
            &[
                outline(1, json!([[1, 1, 9, 1, 9, 9, 1, 9]])),
                // The same box, another outline.
                outline(2, json!([[1, 1, 9, 1, 9, 9]])),
                outline(3, json!({ "size": [480, 640], "counts": [10, 5, 307_185] })),
                outline(4, json!({ "size": [480, 640], "counts": [10, 5] })),
                outline(5, json!([])),
            ],
            &["cat"],
        );
        let report = world.import(ImportFormat::Coco, &[("a.json", file.clone())]).await;
        assert_eq!((report.annotations_added, report.refused), (3, 2), "{report:#?}");
        assert!(codes(&report).contains(&"bad_mask") && codes(&report).contains(&"not_an_outline"), "{report:#?}");
        let again = world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        assert_eq!(again.annotations_added, 0, "{again:#?}");
    })
    .await;
}
