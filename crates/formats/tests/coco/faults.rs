//! What is wrong in a file is named by line and record, and the rest is read.

use super::*;

#[test]
fn unknown_references_are_refused_by_name() {
    let (imported, report) = read(with_annotations(
        r#"{"id":1,"image_id":1,"category_id":7,"bbox":[1,1,2,2]},
{"id":2,"image_id":99,"category_id":1,"bbox":[1,1,2,2]},
{"id":3,"category_id":1,"bbox":[1,1,2,2]},
{"id":4,"image_id":1,"bbox":[1,1,2,2]},
{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}"#,
    ));
    assert_eq!(imported.annotations.len(), 1);
    assert_eq!(
        entries(&report),
        [
            (Severity::Refused, "no_image_id", Some(5), Some("annotations[2]")),
            (
                Severity::Refused,
                "no_category_id",
                Some(6),
                Some("annotations[3]")
            ),
            (
                Severity::Refused,
                "unknown_category",
                Some(3),
                Some("annotations[0] (id 1)")
            ),
            (
                Severity::Refused,
                "unknown_image",
                Some(4),
                Some("annotations[1] (id 2)")
            ),
        ]
    );
    assert!(
        report.entries[2].message.contains("id 7"),
        "{}",
        report.entries[2].message
    );
}

#[test]
fn duplicate_ids() {
    let (imported, report) = read(
        r#"{"images":[{"id":1,"file_name":"a.jpg"},{"id":1,"file_name":"b.jpg"}],
"categories":[{"id":1,"name":"cat"},{"id":1,"name":"dog"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":1,"image_id":1,"category_id":1,"bbox":[5,5,2,2]},
{"id":1,"image_id":1,"category_id":1,"bbox":[5,5,2,2]}]}"#,
    );
    assert_eq!((imported.images.len(), imported.categories.len()), (1, 1));
    assert_eq!(boxes(&imported), [[1.0, 1.0, 2.0, 2.0], [5.0, 5.0, 2.0, 2.0]]);
    assert_eq!(
        entries(&report),
        [
            (Severity::Refused, "duplicate_id", Some(1), Some("images[1]")),
            (Severity::Refused, "duplicate_id", Some(2), Some("categories[1]")),
            (
                Severity::Fixed,
                "duplicate_id",
                Some(4),
                Some("annotations[1] (id 1)")
            ),
            (
                Severity::Refused,
                "duplicate_annotation",
                Some(5),
                Some("annotations[2] (id 1)")
            ),
        ]
    );
}

#[test]
fn ids_from_zero_and_ids_that_are_texts() {
    let (imported, report) = read(
        r#"{"images":[{"id":0,"file_name":"a.jpg"},{"id":"b-7","file_name":"b.jpg"}],"categories":[{"id":0,"name":"cat"},{"id":"2","name":"dog"}],
"annotations":[{"id":0,"image_id":0,"category_id":0,"bbox":[1,1,2,2]},{"id":"x","image_id":"b-7","category_id":2.0,"bbox":[3,3,2,2]},
{"id":2,"image_id":"0","category_id":"0","bbox":[9,9,2,2]}]}"#,
    );
    assert_eq!(
        imported.images.iter().map(|i| i.id).collect::<Vec<_>>(),
        [Some(0), None]
    );
    assert_eq!(
        imported.categories.iter().map(|i| i.id).collect::<Vec<_>>(),
        [Some(0), Some(2)]
    );
    let got: Vec<_> = imported
        .annotations
        .iter()
        .map(|a| (a.image, a.category))
        .collect();
    assert_eq!(got, [(0, 0), (0, 0), (1, 1)]);
    assert_eq!(codes(&report), ["string_ids", "zero_ids"]);
    assert_eq!(report.refused, 0);
}

#[test]
fn numbers_that_are_none_and_boxes_that_are_none() {
    let (imported, report) = read(with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"bbox":[NaN,1,2,2]},
{"id":2,"image_id":1,"category_id":1,"bbox":[1,1,Infinity,2]},
{"id":3,"image_id":1,"category_id":1,"bbox":[1,1,2]},
{"id":4,"image_id":1,"category_id":1,"bbox":"no"},
{"id":5,"image_id":1,"category_id":1,"bbox":[1e999,1,2,2]},
{"id":6,"image_id":1,"category_id":1,"bbox":["1","2","3","4.5"]},
{"id":7,"image_id":1,"category_id":1,"bbox":[1e300,1,2,2],"score":7},
{"id":8,"image_id":1,"category_id":1,"bbox":[NaN,1,2,2],"segmentation":[[1,1,4,1,4,3]]},
{"id":9,"image_id":1,"category_id":1,"segmentation":{"size":[5,6],"counts":"6230009"},"iscrowd":0},
{"id":10,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"iscrowd":1},
{"id":123456789012345678901234567890,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":12,"image_id":1,"category_id":1,"caption":"text"},
{"id":13,"image_id":1,"caption":"text"},
{"id":15,"image_id":1,"caption":" "},
{"id":14,"image_id":1,"category_id":1,"keypoints":[1,1,2]}"#,
    ));
    assert_eq!(
        boxes(&imported),
        [
            [1.0, 2.0, 3.0, 4.5],
            [1e300, 1.0, 2.0, 2.0],
            [1.0, 1.0, 3.0, 2.0],
            [1.0, 1.0, 3.0, 2.0],
            [1.0, 1.0, 2.0, 2.0],
        ]
    );
    // A label without a box is one of the whole image.
    assert_eq!(
        imported
            .annotations
            .iter()
            .filter(|a| a.shape == ImportedShape::Whole)
            .count(),
        1
    );
    assert_eq!(imported.annotations[1].score, Some(1.0));
    let refused: Vec<_> = report
        .entries
        .iter()
        .filter(|e| e.severity == Severity::Refused)
        .map(|e| (e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        refused,
        [
            ("not_a_number", Some(3)),
            ("not_a_number", Some(4)),
            ("bad_bbox", Some(5)),
            ("bad_bbox", Some(6)),
            ("bad_record", Some(7)),
            ("crowd", Some(12)),
            ("caption", Some(16)),
            ("keypoints", Some(17)),
        ]
    );
}

#[test]
fn sizes_in_any_spelling_and_images_without_names() {
    let (imported, report) = read(
        r#"{"images":[{"id":1,"file_name":"a.jpg","width":640.0,"height":"480"},{"id":2,"width":1,"height":1},
{"id":3,"coco_url":"http://e.org/c.jpg","width":-1,"height":null},{"file_name":"d.jpg"},{"id":5,"file_name":"  "}],"annotations":[]}"#,
    );
    let got: Vec<_> = imported
        .images
        .iter()
        .map(|i| (i.file_name.as_deref().unwrap(), i.size))
        .collect();
    assert_eq!(
        got,
        [("a.jpg", Some((640.0, 480.0))), ("http://e.org/c.jpg", None)]
    );
    assert_eq!(codes(&report), ["no_file_name", "no_id", "no_file_name"]);
}

#[test]
fn category_names_are_made_usable() {
    let long = "x".repeat(10_000);
    let (imported, report) = read(format!(
        r#"{{"images":[],"categories":[{{"id":1,"name":"{long}"}},{{"id":2}},{{"id":3,"name":"two\nlines"}},{{"id":4,"name":"<img src=x onerror=alert(1)>"}},{{"id":5,"name":7}}]}}"#
    ));
    let names: Vec<_> = imported
        .categories
        .iter()
        .map(|c| c.name.as_deref().unwrap())
        .collect();
    assert_eq!(names[0].len(), 120);
    // Markup is only text; whoever shows it escapes it.
    assert_eq!(
        names[1..],
        ["category 2", "two lines", "<img src=x onerror=alert(1)>", "7"]
    );
    assert_eq!(codes(&report), ["category_name"; 3]);
}

#[test]
fn truncated_files_give_what_was_complete() {
    let whole = with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":2,"image_id":1,"category_id":1,"bbox":[3,3,2,2]}"#,
    );
    let cut = whole.find("[3,3").unwrap();
    let (imported, report) = read(&whole[..cut]);
    assert_eq!(boxes(&imported), [[1.0, 1.0, 2.0, 2.0]]);
    assert_eq!(
        entries(&report),
        [(Severity::Refused, "truncated", Some(4), None)]
    );
    let (imported, report) = read(whole.replace("{\"id\":2", "]}{\"id\":2"));
    assert_eq!(imported.annotations.len(), 1);
    assert!(report.refused <= 1);
    // Cut anywhere: never a panic.
    for n in 0..whole.len() {
        drop(read_with(&whole.as_bytes()[..n], &Options::default()));
    }
}

#[test]
fn ids_of_a_lost_list_are_never_taken_for_the_project_s_own() {
    // The categories stand last, as in COCO's own files, and are lost.
    let text = r#"{"images":[{"id":5,"file_name":"a.jpg"}],"annotations":[{"id":1,"image_id":5,"category_id":3,"bbox":[1,1,2,2]},{"id":2,"#;
    let (imported, report) = read(text);
    assert!(imported.annotations.is_empty() && imported.categories.is_empty());
    assert_eq!(codes(&report), ["truncated", "unknown_category"]);
    let text = r#"{"categories":[{"id":3,"name":"a"}],"annotations":[{"id":1,"image_id":5,"category_id":3,"bbox":[1,1,2,2]}],"images":["#;
    let (imported, _) = read(text);
    assert!(imported.annotations.is_empty() && imported.images.is_empty());
}

#[test]
fn results_speak_of_the_project_s_own_ids() {
    let (imported, report) = read(
        r#"[{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236},{"image_id":73,"category_id":18,"bbox":[1,2,3,4],"score":0.5}"#,
    );
    assert_eq!(
        imported
            .images
            .iter()
            .map(|i| (i.id, i.file_name.clone()))
            .collect::<Vec<_>>(),
        [(Some(42), None), (Some(73), None)]
    );
    assert_eq!(
        imported
            .categories
            .iter()
            .map(|c| (c.id, c.name.clone()))
            .collect::<Vec<_>>(),
        [(Some(18), None)]
    );
    assert_eq!(imported.annotations[0].score, Some(0.236));
    assert_eq!(codes(&report), ["truncated"]);
}

#[test]
fn what_is_no_coco_file_is_refused_by_name() {
    for (bytes, says) in [
        (&b""[..], "is empty"),
        (b"<annotation/>", "not JSON"),
        (b"\x89PNG\r\n\x1a\n", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"{}", "neither"),
        (b"{\"version\": \"1\", \"shapes\": [1, 2]}", "neither"),
        (b"[]", "x"),
    ] {
        let (out, _) = read_with(bytes, &Options::default());
        match out {
            Err(FormatError::NotTheFormat(m)) => {
                assert!(m.contains(says) && m.contains("labels.json"), "{m}");
            }
            Err(e) => panic!("{e}"),
            // An empty list of results is one.
            Ok(i) => assert!(bytes == b"[]" && i.annotations.is_empty()),
        }
    }
}

#[test]
fn marks_encodings_and_odd_values_in_passing() {
    let (imported, report) = read(b"\xef\xbb\xbf{\"images\":[{\"id\":1,\"file_name\":\"caf\xe9.jpg\"},7,null,[1]],\"categories\":{\"a\":1},\"annotations\":[]}");
    assert_eq!(imported.images[0].file_name.as_deref(), Some("caf\u{fffd}.jpg"));
    assert_eq!(
        codes(&report),
        ["not_utf8", "bad_record", "bad_record", "bad_record", "not_a_list"]
    );
}

#[test]
fn limits_hold() {
    let options = Options {
        images_max: 2,
        annotations_max: 1,
        categories_max: 1,
        record_max: 100,
        ..Options::default()
    };
    let long = "y".repeat(200);
    let text = format!(
        r#"{{"images":[{{"id":1,"file_name":"{long}"}},{{"id":2,"file_name":"b"}},{{"id":3,"file_name":"c"}},{{"id":4,"file_name":"d"}}],"categories":[{{"id":1,"name":"a"}}],
"annotations":[{{"image_id":2,"category_id":1}},{{"image_id":2,"category_id":1}}]}}"#
    );
    let (out, report) = read_with(text.as_bytes(), &options);
    let out = out.unwrap();
    assert_eq!((out.images.len(), out.annotations.len()), (2, 1));
    assert_eq!(codes(&report), ["record_too_long", "too_many"]);
}
