//! Polygons and masks, both ways.

use super::*;
use limn_domain::polygon::{Part, mend};
use limn_domain::{Mask, Size};
use limn_formats::ImportedOutline;

const SIZE: Size = Size {
    width: 100.0,
    height: 50.0,
};

fn outlines() -> Options {
    Options {
        outlines: true,
        ..Options::default()
    }
}

/// What a file's annotations become in a picture of 100 x 50, and the report.
fn placed(file: &str) -> (Vec<Placed>, ImportReport) {
    let (out, report) = read_with(file.as_bytes(), &outlines());
    let imported = out.unwrap();
    let fit = Fit::new(Some((100.0, 50.0)), (100.0, 50.0), 1, imported.normalised);
    (
        imported.annotations.iter().map(|a| fit.place(&a.shape)).collect(),
        report,
    )
}

fn written(shape: LabelShape<'_>) -> (String, Written) {
    let label = Label {
        attributes: None,
        category_id: 1,
        shape,
    };
    let image = image(1, "a.jpg");
    let mut w = CocoWriter::new(
        Vec::new(),
        Cursor::new(Vec::new()),
        &INFO,
        &CATEGORIES,
        BoxSegmentation::Empty,
    )
    .unwrap();
    w.image(&image, [label]).unwrap();
    let (bytes, written) = w.finish().unwrap();
    (String::from_utf8(bytes).unwrap(), written)
}

fn square(x: f64, y: f64, side: f64) -> Vec<[f64; 2]> {
    vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
}

#[test]
fn polygons_come_back_to_the_last_digit() {
    let parts = vec![
        vec![square(1.1, 2.3, 20.7)],
        vec![square(50.0, 5.0, 10.123_456_789)],
    ];
    let (text, counts) = written(LabelShape::Polygon(&parts));
    assert_eq!((counts.annotations, counts.holes), (1, 0));
    assert!(text.contains("\"bbox\":[1.1,2.3,"), "{text}");
    let (back, report) = placed(&text);
    assert_eq!(back, [Placed::Polygon { parts, fixed: None }]);
    assert!(report.entries.is_empty(), "{report:?}");
}

#[test]
fn holes_and_masks_are_run_lengths() {
    let parts = vec![vec![square(10.0, 10.0, 20.0), square(15.0, 15.0, 5.0)]];
    let (text, counts) = written(LabelShape::Polygon(&parts));
    assert_eq!(counts.holes, 1);
    assert!(
        text.contains("\"area\":375.0") && text.contains("\"size\":[50,100]"),
        "{text}"
    );
    let mask = Mask::from_polygon(&parts, SIZE).unwrap();
    let (back, _) = placed(&text);
    assert_eq!(back, [Placed::Mask { mask: mask.clone() }]);
    let (again, counts) = written(LabelShape::Mask(&mask));
    assert_eq!(again, text);
    assert_eq!(counts.holes, 0);
}

#[test]
fn parts_that_overlap_are_united_and_bad_parts_are_named() {
    let file = with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"segmentation":[[0,0,20,0,20,20,0,20],[10,10,30,10,30,30,10,30]]},
{"id":2,"image_id":1,"category_id":1,"segmentation":[[0,0,10,10,10,0,0,10]]},
{"id":3,"image_id":1,"category_id":1,"segmentation":[[90,40,120,40,120,60,90,60]]},
{"id":4,"image_id":1,"category_id":1,"segmentation":[[0,0,9,0,9,9],[3,3,4,4]]}"#,
    );
    let (back, _) = placed(&file);
    let area = |n: usize| match &back[n] {
        Placed::Polygon { parts, fixed } => (limn_domain::polygon::area(parts).round(), *fixed),
        other => panic!("{other:?}"),
    };
    assert_eq!(area(0), (700.0, Some("outline_crossing")));
    assert_eq!(area(1), (50.0, Some("outline_crossing")));
    assert_eq!(area(2), (100.0, Some("outline_clipped")));
    assert_eq!(area(3), (41.0, Some("outline_part_left_out")));
}

/// These took for ever once: more corners than a polygon may have, in the file or after mending.
#[test]
fn a_tangle_is_refused_at_once() {
    let fit = Fit::new(None, (1000.0, 1000.0), 1, false);
    let place = |rings| {
        fit.place(&ImportedShape::Outline(Box::new(ImportedOutline::Polygons(
            rings,
        ))))
    };
    let apart =
        (0..17_000).map(|i| square(f64::from(i % 400) * 2.0, f64::from(i / 400) * 2.0, 1.0)[..3].to_vec());
    assert!(matches!(
        place(apart.collect()),
        Placed::Refused("outline_too_many", _)
    ));
    // A star polygon, every side of which crosses nearly every other.
    let at = |i: u32| f64::from(i * 150 % 301) / 301.0 * std::f64::consts::TAU;
    let star = (0..301).map(|i| [500.0 + 400.0 * at(i).cos(), 500.0 + 400.0 * at(i).sin()]);
    assert!(matches!(
        place(vec![star.collect()]),
        Placed::Refused("outline_too_many", _)
    ));
    // Many parts that overlap are united all the same.
    let pile = (0..150).map(|i| square(f64::from(i % 15) * 30.0, f64::from(i / 15) * 40.0, 45.0));
    let Placed::Polygon { parts, fixed } = place(pile.collect()) else {
        panic!()
    };
    assert_eq!((parts.len(), fixed), (1, Some("outline_crossing")));
    let area = limn_domain::polygon::area(&parts);
    assert!(
        (area - (14.0 * 30.0 + 45.0) * (9.0 * 40.0 + 45.0)).abs() < 1.0,
        "{area}"
    );
}

#[test]
fn what_is_no_outline_is_refused_with_its_place_and_the_rest_kept() {
    let file = with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"segmentation":[[1,2,3]]},
{"id":2,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"segmentation":{"size":[50,100],"counts":[1,2,3]}},
{"id":3,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"segmentation":{"size":[50,100],"counts":"\u0001"}},
{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"segmentation":{"size":[50,100],"counts":[5000]}},
{"id":5,"image_id":1,"category_id":1,"segmentation":[[1,1,9,1,9,9]]},
{"id":6,"image_id":1,"category_id":1,"segmentation":[[1,1,9,1]]},
{"id":7,"image_id":1,"category_id":1,"segmentation":[[1,1,9,1,5,1]]},
{"id":8,"image_id":1,"category_id":1,"segmentation":[[200,1,209,1,205,9]]},
{"id":9,"image_id":1,"category_id":1,"segmentation":{"size":[10,10],"counts":[0,100]}},
{"id":10,"image_id":1,"category_id":1,"bbox":[1,1,5,5],"segmentation":[]}"#,
    );
    let (back, report) = placed(&file);
    let found: Vec<_> = entries(&report)
        .into_iter()
        .map(|(_, code, line, _)| (code, line.unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("bad_outline", 3),
            ("bad_mask", 4),
            ("bad_outline", 5),
            ("bad_mask", 6)
        ]
    );
    assert!(report.entries[1].message.contains("5000"), "{report:?}");
    let refused: Vec<_> = back
        .iter()
        .map(|p| match p {
            Placed::Refused(code, _) => *code,
            Placed::Polygon { .. } => "polygon",
            Placed::Box { .. } => "box",
            _ => "other",
        })
        .collect();
    assert_eq!(
        refused,
        [
            "polygon",
            "outline_too_few",
            "outline_empty",
            "outline_outside",
            "mask_size",
            "box"
        ]
    );
}

#[test]
fn without_the_option_outlines_are_boxes() {
    let file = with_annotations(r#"{"id":1,"image_id":1,"category_id":1,"segmentation":[[1,1,9,1,9,9]]}"#);
    assert_eq!(boxes(&read(&file).0), [[1.0, 1.0, 8.0, 8.0]]);
}

#[test]
fn outlines_of_the_stored_picture_are_turned() {
    // The file speaks of 50 x 100; the picture is shown as 100 x 50 (EXIF 6: turned right).
    let pixels = Mask::from_pixels(3, 7, 2, 3, &[1, 0, 1, 1, 0, 1]).unwrap();
    let size = (50, 100);
    let shape = ImportedShape::Outline(Box::new(ImportedOutline::Mask {
        mask: pixels.clone(),
        size,
    }));
    for orientation in 5..=8 {
        let fit = Fit::new(Some((50.0, 100.0)), (100.0, 50.0), orientation, false);
        let Placed::Mask { mask } = fit.place(&shape) else {
            panic!()
        };
        assert_eq!(mask.area(), pixels.area());
        // As polygons the same pixels are covered.
        let rings = pixels.to_polygon().into_iter().flatten().collect();
        let outline = ImportedShape::Outline(Box::new(ImportedOutline::Polygons(rings)));
        let Placed::Polygon { parts, .. } = fit.place(&outline) else {
            panic!()
        };
        assert_eq!(Mask::from_polygon(&parts, SIZE), Some(mask), "{orientation}");
    }
}

fn polygons() -> impl Strategy<Value = Vec<Part>> {
    let vertex = (0.0..100.0_f64, 0.0..50.0_f64).prop_map(|(x, y)| [x, y]);
    let ring = proptest::collection::vec(vertex, 3..9);
    proptest::collection::vec(proptest::collection::vec(ring, 1..3), 1..3)
}

proptest! {
    /// Without holes every corner comes back, with holes every pixel.
    #[test]
    fn what_is_written_is_read(parts in polygons()) {
        let Ok((parts, _)) = mend(&parts, SIZE) else { return Ok(()) };
        let (text, counts) = written(LabelShape::Polygon(&parts));
        if counts.annotations == 0 {
            prop_assert_eq!(counts.dropped, 1);
            return Ok(());
        }
        let (back, report) = placed(&text);
        prop_assert!(report.entries.is_empty());
        if counts.holes == 0 {
            prop_assert_eq!(back, [Placed::Polygon { parts, fixed: None }]);
        } else {
            prop_assert_eq!(back, [Placed::Mask { mask: Mask::from_polygon(&parts, SIZE).unwrap() }]);
        }
    }
}
