use super::*;
use serde_json::Value;

fn panoptic(samples: &[Sample]) -> (Read, Tally) {
    around(
        ExportFormat::CocoPanoptic,
        ImportFormat::CocoPanoptic,
        Task::Segmentation,
        samples,
    )
}

/// What `panopticapi` asks of a file before it evaluates: every pixel's id is in `segments_info` and the other way round, areas and
/// boxes are those of the pixels, categories are known.
fn check(files: &BTreeMap<String, Vec<u8>>) {
    let json: Value = serde_json::from_slice(&files["annotations/panoptic_default.json"]).unwrap();
    let categories: Vec<i64> = json["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].as_i64().unwrap())
        .collect();
    for annotation in json["annotations"].as_array().unwrap() {
        let name = annotation["file_name"].as_str().unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(
            &files[&format!("annotations/panoptic_default/{name}")],
        ));
        let mut reader = decoder.read_info().unwrap();
        let (w, mut y) = (reader.info().width, 0);
        let mut seen: BTreeMap<i64, (i64, [u32; 4])> = BTreeMap::new();
        while let Some(row) = reader.next_row().unwrap() {
            for (x, p) in row.data().chunks_exact(3).enumerate() {
                let id = i64::from(p[0]) + 256 * i64::from(p[1]) + 65_536 * i64::from(p[2]);
                if id > 0 {
                    let x = x as u32;
                    let s = seen.entry(id).or_insert((0, [x, y, x, y]));
                    s.0 += 1;
                    s.1 = [s.1[0].min(x), s.1[1].min(y), s.1[2].max(x), s.1[3].max(y)];
                }
            }
            y += 1;
        }
        assert!(w > 0);
        let mut listed = BTreeMap::new();
        for s in annotation["segments_info"].as_array().unwrap() {
            let bbox: Vec<u32> = s["bbox"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_u64().unwrap() as u32)
                .collect();
            assert!(categories.contains(&s["category_id"].as_i64().unwrap()) && s["iscrowd"] == 0);
            let bounds = [bbox[0], bbox[1], bbox[0] + bbox[2] - 1, bbox[1] + bbox[3] - 1];
            let twice = listed.insert(s["id"].as_i64().unwrap(), (s["area"].as_i64().unwrap(), bounds));
            assert!(twice.is_none());
        }
        assert_eq!(listed, seen);
    }
}

#[test]
fn what_lies_below_others_is_counted() {
    let mask = |x: u32, n: u32| Shape::Mask {
        mask: Mask::from_pixels(x, 0, n, 1, &vec![1; n as usize]).unwrap(),
    };
    let samples = [
        (
            "x.jpg".to_owned(),
            8,
            2,
            vec![(0, mask(0, 2)), (1, mask(0, 4)), (1, mask(3, 3))],
        ),
        ("y.jpg".to_owned(), 8, 2, vec![]),
    ];
    let (files, tally) = write(ExportFormat::CocoPanoptic, dataset(Task::Segmentation), &samples);
    check(&files);
    assert_eq!(
        tally.notes(),
        ["1 masks left out: others lie over all of their pixels; for example in x.jpg."]
    );
    let json: Value = serde_json::from_slice(&files["annotations/panoptic_default.json"]).unwrap();
    assert_eq!(
        json["annotations"][0]["segments_info"][0],
        serde_json::json!({ "id": 2, "category_id": 2, "area": 3, "bbox": [0, 0, 3, 1], "iscrowd": 0 })
    );
    assert_eq!(json["images"].as_array().unwrap().len(), 2);
    assert_eq!(json["categories"][0]["isthing"], 1);
}

#[test]
fn faults_are_refused_by_record_and_the_rest_is_taken() {
    let mask = |x: u32| Shape::Mask {
        mask: Mask::from_pixels(x, 0, 1, 1, &[1]).unwrap(),
    };
    let samples = [(
        "x.jpg".to_owned(),
        8,
        2,
        vec![(0, mask(0)), (1, mask(2)), (1, mask(4))],
    )];
    let (mut files, _) = write(ExportFormat::CocoPanoptic, dataset(Task::Segmentation), &samples);
    let mut json: Value = serde_json::from_slice(&files["annotations/panoptic_default.json"]).unwrap();
    let segments = json["annotations"][0]["segments_info"].as_array_mut().unwrap();
    segments[1]["id"] = 9.into();
    segments[2]["category_id"] = 77.into();
    let other = serde_json::json!({ "image_id": 9, "file_name": "gone.png", "segments_info": [{ "id": 1, "category_id": 1 }] });
    json["annotations"].as_array_mut().unwrap().push(other);
    json["annotations"].as_array_mut().unwrap().push("x".into());
    files.insert(
        "annotations/panoptic_default.json".into(),
        json.to_string().into_bytes(),
    );
    files.insert("annotations/panoptic_default/stray.png".into(), b"x".to_vec());
    let read = read(ImportFormat::CocoPanoptic, &files, &[("x.jpg", 8, 2)]);
    assert_eq!(read.items["x.jpg"].len(), 1);
    assert_eq!(
        read.codes(),
        [
            "bad_record",
            "unknown_png",
            "unknown_segment",
            "missing_segment",
            "unknown_category",
            "missing_png"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_pixel_comes_back(samples in samples(prop_oneof![a_polygon(3), a_mask()])) {
        let (files, _) = write(ExportFormat::CocoPanoptic, dataset(Task::Segmentation), &samples);
        check(&files);
        let (read, _) = panoptic(&samples);
        prop_assert_eq!(read.report.refused, 0);
        for (name, w, h, labels) in &samples {
            let image = size(*w, *h);
            let mut wanted = Vec::new();
            for (n, (category, shape)) in labels.iter().enumerate() {
                let mut left = mask_of(shape, image);
                for (_, above) in &labels[n + 1..] {
                    if let (Some(l), Some(a)) = (&left, mask_of(above, image)) {
                        left = l.subtract(&a);
                    }
                }
                wanted.extend(left.map(|m| (NAMES[*category].to_owned(), m)));
            }
            let got = read.items.get(name).map(Vec::as_slice).unwrap_or_default();
            let got: Vec<(String, Mask)> = got.iter().map(|(c, s)| (c.clone(), mask_of(s, image).unwrap())).collect();
            prop_assert_eq!(got, wanted);
        }
    }
}
