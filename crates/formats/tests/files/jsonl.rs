use super::*;
use csv::exactly;

#[test]
fn the_tree_goes_along() {
    let mut data = dataset(Task::Detection);
    data.categories[1].parent = Some(0);
    data.categories[2].name = "cat".into();
    data.categories[2].parent = Some(3);
    let samples = [("x.jpg".to_owned(), 10, 9, vec![(2, Shape::Whole)])];
    let (files, _) = write(ExportFormat::Jsonl, data, &samples);
    let line = text(&files, "items.jsonl");
    assert!(
        line.starts_with("{\"file\":\"x.jpg\",\"width\":10,\"height\":9,\"annotations\":[{\"id\":\"0"),
        "{line}"
    );
    let mut reader = read::reader(ImportFormat::Jsonl, Task::Objects);
    let mut findings = Findings::default();
    reader
        .table(
            "categories.json",
            &mut files["categories.json"].as_slice(),
            &mut findings,
        )
        .unwrap();
    let found = reader.begin().categories;
    assert_eq!(
        (found[1].parent, found[2].parent, found[2].id),
        (Some(0), Some(3), Some(3))
    );
    assert_eq!(found[0].color.as_deref(), Some("#28fe07"));
    let back = reader
        .labels("items.jsonl", &mut line.as_bytes(), &mut findings)
        .unwrap();
    assert_eq!(back.annotations[0].category, 2, "the other category of that name");
}

#[test]
fn faults_are_refused_by_line_and_the_rest_is_taken() {
    let tree = r#"[{"id": 1, "name": "a", "parent": 2}, {"id": 2, "name": "b", "parent": 1}, {"id": 3, "name": ""}]"#;
    let items = "{\"file\": \"x.jpg\", \"annotations\": [{\"category\": \"dog\", \"kind\": \"box\", \"rect\": {\"x\": 1, \"y\": 2, \"w\": 3, \"h\": 4}}, {\"category\": \"dog\", \"kind\": \"blob\"}, {\"kind\": \"whole\"}]}\nhello\n\n{\"file\": \"y.jpg\"}\n";
    let set = files(&[
        ("categories.json", tree),
        ("items.jsonl", items),
        ("none.jsonl", "x\n"),
    ]);
    let read = read(ImportFormat::Jsonl, &set, &[("x.jpg", 64, 64), ("y.jpg", 64, 64)]);
    assert_eq!(
        read.items["x.jpg"],
        [(
            "dog".to_owned(),
            Shape::Box {
                rect: Rect::new(1.0, 2.0, 3.0, 4.0)
            }
        )]
    );
    let lines: Vec<_> = read
        .report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("bad_name", None),
            ("bad_record", Some(1)),
            ("bad_name", Some(1)),
            ("bad_record", Some(2)),
            ("bad_record", Some(1)),
            ("not_the_format", None)
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shapes_come_back_exactly(samples in samples(prop_oneof![Just(Shape::Whole), a_box(), a_polygon(3), a_mask()])) {
        let (read, _) = around(ExportFormat::Jsonl, ImportFormat::Jsonl, Task::Segmentation, &samples);
        exactly(&samples, &read);
        prop_assert_eq!(read.categories, NAMES);
    }
}
