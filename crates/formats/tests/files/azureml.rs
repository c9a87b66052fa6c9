use super::*;
use serde_json::{Value, json};

#[test]
fn the_file_is_what_azure_writes() {
    let shapes = vec![
        (
            1,
            Shape::Box {
                rect: Rect::new(10.0, 5.0, 20.0, 10.0),
            },
        ),
        (0, Shape::Whole),
    ];
    let samples = [("x.jpg".to_owned(), 100, 50, shapes)];
    let (files, _) = write(ExportFormat::CocoAzureml, dataset(Task::Detection), &samples);
    let json: Value = serde_json::from_slice(&files["annotations.json"]).unwrap();
    assert_eq!(
        json,
        json!({
            "images": [{ "id": 1, "width": 100.0, "height": 50.0, "file_name": "x.jpg" }],
            "annotations": [
                { "id": 1, "category_id": 2, "image_id": 1, "area": 0.0, "bbox": [0.1, 0.1, 0.2, 0.2] },
                { "id": 2, "category_id": 1, "image_id": 1, "area": 0.0 },
            ],
            "categories": [
                { "id": 1, "name": NAMES[0] }, { "id": 2, "name": NAMES[1] }, { "id": 3, "name": NAMES[2] }, { "id": 4, "name": NAMES[3] }
            ],
        })
    );
    assert!(text(&files, "annotations.json").contains("\"width\":100.0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn detected_and_scaled_on_the_way_back(samples in samples(a_polygon(1))) {
        // A file without a single label has nothing to tell shares from pixels by.
        prop_assume!(samples.iter().any(|(.., l)| !l.is_empty()));
        let without_holes = |s: &Sample| s.3.iter().all(|(_, s)| parts_of(s).iter().all(|p| p.len() == 1));
        prop_assume!(samples.iter().all(without_holes));
        let (read, tally) = around(ExportFormat::CocoAzureml, ImportFormat::Coco, Task::Segmentation, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, _, _, labels) in &samples {
            for ((_, shape), (_, back)) in labels.iter().zip(&read.items[name]) {
                prop_assert!((polygon::area(parts_of(shape)) - polygon::area(parts_of(back))).abs() < 1e-6);
            }
        }
    }
}
