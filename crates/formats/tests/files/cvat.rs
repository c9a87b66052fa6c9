use super::*;

fn cvat(task: Task, samples: &[Sample]) -> (Read, Tally) {
    around(ExportFormat::Cvat, ImportFormat::Cvat, task, samples)
}

#[test]
fn the_file_is_what_cvat_writes() {
    let mask = Mask::from_pixels(2, 3, 3, 2, &[0, 1, 1, 1, 0, 0]).unwrap();
    let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b]];
    let shapes = vec![
        (0, Shape::Whole),
        (
            1,
            Shape::Box {
                rect: Rect::new(0.5, 1.0, 2.0, 3.0),
            },
        ),
        (2, Shape::Mask { mask }),
        (
            3,
            Shape::Polygon {
                parts: vec![vec![square(1.0, 4.0)], vec![square(6.0, 8.0)]],
            },
        ),
        (
            3,
            Shape::Polygon {
                parts: vec![vec![square(1.0, 8.0), square(2.0, 4.0)]],
            },
        ),
    ];
    let samples = [("a/x.jpg".to_owned(), 10, 9, shapes.clone())];
    let (files, tally) = write(ExportFormat::Cvat, dataset(Task::Segmentation), &samples);
    let text = text(&files, "annotations.xml");
    for piece in [
        "<size>1</size>",
        "<label><name>cat</name><color>#28fe07</color><type>any</type>",
        "<image id=\"0\" name=\"a/x.jpg\" width=\"10\" height=\"9\">",
        "<tag label=\"cat\" source=\"manual\"/>",
        "<box label=\"traffic light\" source=\"manual\" occluded=\"0\" xtl=\"0.5\" ytl=\"1\" xbr=\"2.5\" ybr=\"4\" z_order=\"1\"/>",
        "rle=\"1, 3, 2\" left=\"2\" top=\"3\" width=\"3\" height=\"2\" z_order=\"2\"/>",
        "points=\"6,6;8,6;8,8;6,8\" group_id=\"1\" z_order=\"3\"/>",
    ] {
        assert!(text.contains(piece), "{piece}\n{text}");
    }
    assert_eq!((tally.labels, tally.lost(), tally.notes().len()), (5, 0, 1));
    let (read, _) = cvat(Task::Segmentation, &samples);
    let back: Vec<&Shape> = read.items["a/x.jpg"].iter().map(|(_, s)| s).collect();
    for (n, (_, shape)) in shapes.iter().take(4).enumerate() {
        assert_eq!(back[n], shape);
    }
    assert_eq!(mask_of(back[4], size(10, 9)), mask_of(&shapes[4].1, size(10, 9)));
}

#[test]
fn faults_are_refused_by_line_and_the_rest_is_taken() {
    let xml = r#"<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "boom">]>
<annotations>
<meta><job><labels><label><name>cat</name><color>#FF0000</color></label></labels></job></meta>
<image id="7" name="x.jpg" width="64" height="64">
<skeleton label="cat"><points label="nose" points="1,2"/></skeleton>
<box label="cat" xtl="1" ytl="2" xbr="nan" ybr="4"/>
<cuboid label="cat"/>
<mask label="cat" rle="1,2" left="0" top="0" width="2" height="2"/>
<polygon label="cat" points="1;2"/>
<box label="" xtl="1" ytl="2" xbr="3" ybr="4"/>
<box label="&a;dog" xtl="1" ytl="2" xbr="3" ybr="4" z_order="5"><attribute name="x">1</attribute></box>
<tag label="cat"></tag>
</image>
<image id="8"><box label="cat" xtl="1" ytl="2" xbr="3" ybr="4"/></image>
<image id="9" name="y.jpg" width="64" height="64"><box label="cat" xtl="1" ytl="2" xbr="3" ybr="4"/>
<box label="cat" xtl="1"#;
    let set = files(&[("annotations.xml", xml)]);
    let read = read(ImportFormat::Cvat, &set, &[("x.jpg", 64, 64), ("y.jpg", 64, 64)]);
    let x: Vec<_> = read.items["x.jpg"]
        .iter()
        .map(|(c, s)| (c.as_str(), s.kind()))
        .collect();
    assert_eq!(x, [("cat", "keypoints"), ("cat", "whole"), ("&a;dog", "box")]);
    assert_eq!(read.items["y.jpg"].len(), 1, "what is complete is taken");
    let cuboid = &read.report.entries[1].message;
    for taken in ["lines", "points", "ellipses", "skeletons"] {
        assert!(cuboid.contains(taken), "{cuboid}");
    }
    let lines: Vec<_> = read
        .report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line.unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            ("bad_box", 7),
            ("kind_unknown", 8),
            ("bad_mask", 9),
            ("bad_outline", 10),
            ("bad_name", 11),
            ("no_file_name", 15),
            ("bad_xml", 17)
        ]
    );
}

#[test]
fn other_xml_is_told_apart() {
    for (xml, sign) in [
        (
            "<annotation><filename>x.jpg</filename></annotation>",
            "not a CVAT file",
        ),
        ("hello", "not a CVAT file"),
    ] {
        let read = read(ImportFormat::Cvat, &files(&[("a.xml", xml)]), &[]);
        assert_eq!(read.codes(), ["not_the_format"]);
        assert!(
            read.report.entries[0].message.contains(sign),
            "{:?}",
            read.report.entries
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shapes_come_back(samples in samples(prop_oneof![a_box(), a_polygon(3), a_mask()])) {
        let (read, tally) = cvat(Task::Segmentation, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, w, h, labels) in &samples {
            let empty = Vec::new();
            let got = read.items.get(name).unwrap_or(&empty);
            prop_assert_eq!(got.len(), labels.len());
            for ((category, shape), (name, back)) in labels.iter().zip(got) {
                prop_assert_eq!(NAMES[*category], name);
                match shape {
                    Shape::Box { rect } => prop_assert!(apart(*rect, rect_of(back)) < 1e-9),
                    Shape::Polygon { parts } if parts.iter().all(|p| p.len() == 1) => prop_assert_eq!(shape, back),
                    Shape::Polygon { .. } => prop_assert_eq!(mask_of(shape, size(*w, *h)), mask_of(back, size(*w, *h))),
                    Shape::Mask { mask } => prop_assert_eq!(mask.tidied(), mask_of(back, size(*w, *h))),
                    _ => prop_assert_eq!(shape, back),
                }
            }
        }
    }
}
