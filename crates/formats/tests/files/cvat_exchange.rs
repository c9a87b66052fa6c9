//! What a CVAT that runs asks of our files, and what its own say.

use super::*;
use limn_domain::attribute::{Attribute, AttributeKind, AttributeValue};
use limn_domain::keypoint::SkeletonPoint;
use limn_domain::track::Keyframe;
use limn_domain::{GroupId, Links, Skeleton};
use limn_formats::{ImportedOutline, ImportedShape};

type Said = (usize, Shape, i64, Attributes, Links);

fn attribute(key: &str, name: &str, kind: AttributeKind) -> Attribute {
    Attribute {
        key: key.to_owned(),
        name: name.to_owned(),
        kind,
        required: false,
        default: None,
    }
}

fn a_rect(x: f64) -> Shape {
    Shape::Box {
        rect: Rect::new(x, 2.0, 3.0, 4.0),
    }
}

fn square(x: f64) -> Vec<[f64; 2]> {
    vec![[x, 1.0], [x + 4.0, 1.0], [x + 4.0, 5.0], [x, 5.0]]
}

/// The XML of one picture, or of one video where a label is a track.
fn written(format: ExportFormat, dataset: Dataset, labels: &[Said]) -> String {
    let mut writer = write::writer(format, dataset).expect("a format of many files");
    let (mut out, mut tally) = (Files::default(), Tally::default());
    writer.begin(&mut out).unwrap();
    let all: Vec<Label<'_>> = labels
        .iter()
        .map(|(category, shape, z, attributes, links)| Label {
            id: AnnotationId::nil(),
            category: *category,
            shape,
            z: *z,
            source: Source::Human,
            score: None,
            attributes,
            links,
        })
        .collect();
    let times = limn_domain::video::times(3, 30.0);
    let is_video = format == ExportFormat::CvatVideo;
    let item = Item {
        text: "",
        id: 1,
        name: "x.jpg",
        width: 64,
        height: 64,
        about: &limn_domain::attribute::NO_ATTRIBUTES,
        times_us: if is_video { &times } else { &[] },
    };
    writer.item(&item, &all, &mut out, &mut tally).unwrap();
    writer.finish(&mut out).unwrap();
    let name = if is_video {
        "x/annotations.xml"
    } else {
        "annotations.xml"
    };
    text(&out.finish(), name)
}

fn imported(xml: &str) -> (Imported, ImportReport) {
    let mut findings = Findings::default();
    let out = limn_formats::cvat::read(xml.as_bytes(), &mut findings).unwrap();
    (out, findings.into_report())
}

fn said(i: &Imported) -> Vec<Vec<(String, AttributeValue)>> {
    i.annotations
        .iter()
        .map(|a| a.attributes.clone().unwrap_or_default().0)
        .collect()
}

fn groups(i: &Imported) -> Vec<Option<&str>> {
    i.annotations
        .iter()
        .map(|a| a.links.as_ref().and_then(|l| l.group.as_deref()))
        .collect()
}

fn a_text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

/// CVAT gives an attribute its default when it does not know the name.
#[test]
fn attributes_go_by_their_names() {
    let mut dataset = dataset(Task::Objects);
    dataset.categories[0].attributes = vec![
        attribute("colour", "Colour of it", AttributeKind::Text),
        // An import would take `b` for the next one, whose key it is.
        attribute("a", "b", AttributeKind::Text),
        attribute("b", "c", AttributeKind::Text),
    ];
    let values: Attributes = [("colour", "red"), ("a", "1"), ("b", "2")]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), a_text(value)))
        .collect();
    let track = Shape::Track {
        keyframes: vec![Keyframe {
            frame: 0,
            shape: a_rect(1.0),
            outside: false,
            occluded: false,
        }],
    };
    for (format, shape) in [
        (ExportFormat::Cvat, a_rect(1.0)),
        (ExportFormat::CvatVideo, track),
    ] {
        let label = (0, shape, 0, values.clone(), Links::default());
        let xml = written(format, dataset.clone(), &[label]);
        for name in ["Colour of it", "a", "c"] {
            for piece in [
                format!("<attribute><name>{name}</name>"),
                format!("<attribute name=\"{name}\">"),
            ] {
                assert!(xml.contains(&piece), "{piece}\n{xml}");
            }
        }
        let (back, report) = imported(&xml);
        assert!(report.entries.is_empty(), "{report:#?}");
        let list = &dataset.categories[0].attributes;
        let got: Attributes = said(&back)[0]
            .iter()
            .map(|(name, value)| {
                let found = limn_domain::attribute::find(list, name).unwrap();
                (found.key.clone(), value.clone())
            })
            .collect();
        assert_eq!(got, values, "{format:?}");
    }
}

/// Keys that were made from names come back as they were.
#[test]
fn keys_are_made_from_names_as_our_own_are() {
    let mut dataset = dataset(Task::Objects);
    dataset.categories[0].attributes = vec![
        attribute("age_of_it", "Age of it", AttributeKind::Text),
        attribute("note", "Note", AttributeKind::Text),
        attribute("is-old", "is-old", AttributeKind::Checkbox),
    ];
    let (back, _) = imported(&written(ExportFormat::Cvat, dataset.clone(), &[]));
    let got = limn_domain::attribute::check_attributes(back.categories[0].attributes.clone());
    assert_eq!(got, Ok(dataset.categories[0].attributes.clone()));
}

#[test]
fn occluded_shapes_say_so_in_an_attribute() {
    let xml = r#"<annotations><version>1.1</version><meta><task><labels>
<label><name>cat</name><attributes></attributes></label>
<label><name>dog</name><attributes><attribute><name>Occluded</name><input_type>select</input_type><values>no
partly</values></attribute></attributes></label>
<label><name>owl</name><attributes></attributes></label></labels></task></meta>
<image id="0" name="x.jpg" width="64" height="64">
<box label="cat" occluded="1" xtl="1" ytl="1" xbr="9" ybr="9"/>
<box label="cat" occluded="0" xtl="1" ytl="1" xbr="9" ybr="8"/>
<cuboid label="cat" occluded="1"/>
<box label="owl" occluded="0" xtl="1" ytl="1" xbr="9" ybr="7"></box>
<box label="dog" occluded="1" xtl="1" ytl="1" xbr="9" ybr="6"><attribute name="Occluded">partly</attribute></box>
<box label="cat" occluded="1" xtl="1" ytl="1" xbr="9" ybr="5"><attribute name="x">1</attribute></box>
<box label="owl" xtl="1" ytl="1" xbr="9" ybr="4"/>
</image></annotations>"#;
    let (out, _) = imported(xml);
    let flag = || ("occluded".to_owned(), AttributeValue::Flag(true));
    assert_eq!(
        said(&out),
        [
            vec![flag()],
            vec![],
            vec![],
            vec![("Occluded".to_owned(), a_text("partly"))],
            vec![("x".to_owned(), a_text("1")), flag()],
            vec![],
        ]
    );
    let defined: Vec<_> = out.categories.iter().map(|c| c.attributes.as_slice()).collect();
    assert_eq!(
        defined[0],
        [attribute("occluded", "occluded", AttributeKind::Checkbox)]
    );
    assert_eq!((defined[1].len(), defined[2].len()), (1, 0));
}

#[test]
fn occluded_labels_are_occluded_in_cvat() {
    let mut dataset = dataset(Task::Objects);
    dataset.categories[0].attributes = vec![attribute("occluded", "Hidden", AttributeKind::Checkbox)];
    let label = |x, on| {
        let values: Attributes = [("occluded".to_owned(), AttributeValue::Flag(on))].into();
        (0, a_rect(x), 0, values, Links::default())
    };
    let xml = written(
        ExportFormat::Cvat,
        dataset,
        &[label(1.0, true), label(2.0, false)],
    );
    for piece in [
        "occluded=\"1\" xtl=\"1\"",
        "occluded=\"0\" xtl=\"2\"",
        "<attribute name=\"Hidden\">true</attribute>",
    ] {
        assert!(xml.contains(piece), "{piece}\n{xml}");
    }
}

#[test]
fn groups_stay_together_and_only_parts_are_joined() {
    let xml = r#"<annotations><image id="0" name="x.jpg" width="64" height="64">
<polygon label="cat" points="1,1;9,1;9,9" group_id="1" z_order="0"/>
<polygon label="cat" points="11,1;19,1;19,9" group_id="1" z_order="0"/>
<polygon label="cat" points="21,1;29,1;29,9" group_id="2" z_order="0"/>
<polygon label="cat" points="31,1;39,1;39,9" group_id="2" z_order="1"/>
<box label="cat" xtl="1" ytl="1" xbr="9" ybr="9" group_id="3" z_order="2"/>
<skeleton label="dog" group_id="3" z_order="3"><points label="nose" points="1,1"/></skeleton>
<box label="cat" xtl="1" ytl="1" xbr="9" ybr="8" group_id="4" z_order="4"/>
<box label="cat" xtl="1" ytl="1" xbr="9" ybr="7" group_id="0" z_order="5"/>
</image><image id="1" name="y.jpg" width="64" height="64">
<polygon label="cat" points="1,1;9,1;9,9" group_id="1"><attribute name="n">1</attribute></polygon>
<polygon label="cat" points="11,1;19,1;19,9" group_id="1"><attribute name="n">2</attribute></polygon>
<polygon label="cat" points="21,1;29,1;29,9" group_id="1"><attribute name="n">1</attribute></polygon>
</image></annotations>"#;
    let (out, report) = imported(xml);
    assert_eq!(report.refused, 0, "{report:#?}");
    let parts: Vec<usize> = out
        .annotations
        .iter()
        .map(|a| match &a.shape {
            ImportedShape::Outline(outline) => match &**outline {
                ImportedOutline::Polygons(rings) => rings.len(),
                other => panic!("{other:?}"),
            },
            _ => 0,
        })
        .collect();
    assert_eq!(parts, [2, 1, 1, 0, 0, 0, 0, 2, 1]);
    assert_eq!(
        groups(&out),
        [
            None,
            Some("2"),
            Some("2"),
            Some("3"),
            Some("3"),
            None,
            None,
            Some("1"),
            Some("1")
        ]
    );
}

/// Of one label, on one level, and the same said of them: only a group makes parts of one object of them.
#[test]
fn polygons_without_a_group_are_objects_of_their_own() {
    let xml = r#"<annotations><image id="0" name="x.jpg" width="64" height="64">
<polygon label="cat" points="1,1;9,1;9,9" z_order="0"/>
<polygon label="cat" points="11,1;19,1;19,9" z_order="0"/>
<polygon label="cat" points="21,1;29,1;29,9" group_id="0" z_order="0"/>
<polygon label="cat" points="31,1;39,1;39,9" group_id="0" z_order="0"/>
<polygon label="cat" points="41,1;49,1;49,9" group_id="" z_order="0"/>
<polygon label="cat" points="51,1;59,1;59,9" group_id="7" z_order="0"/>
<polygon label="cat" points="51,11;59,11;59,19" group_id="7" z_order="0"/>
</image></annotations>"#;
    let (out, report) = imported(xml);
    assert_eq!(report.refused, 0, "{report:#?}");
    let parts: Vec<usize> = out
        .annotations
        .iter()
        .map(|a| match &a.shape {
            ImportedShape::Outline(outline) => match &**outline {
                ImportedOutline::Polygons(rings) => rings.len(),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(parts, [1, 1, 1, 1, 1, 2]);
    assert!(groups(&out).iter().all(Option::is_none));
}

#[test]
fn groups_are_written_beside_the_parts_of_polygons() {
    let parts = Shape::Polygon {
        parts: vec![vec![square(1.0)], vec![square(11.0)]],
    };
    let alone = Shape::Polygon {
        parts: vec![vec![square(21.0)]],
    };
    let group = GroupId::new();
    let grouped = || Links {
        group: Some(group),
        ..Links::default()
    };
    let none = Attributes::new;
    let labels = [
        (0, parts.clone(), 0, none(), Links::default()),
        (0, a_rect(1.0), 1, none(), grouped()),
        (0, parts, 2, none(), grouped()),
        (0, alone, 3, none(), grouped()),
        (0, Shape::Whole, 4, none(), grouped()),
    ];
    let xml = written(ExportFormat::Cvat, dataset(Task::Objects), &labels);
    let numbers: Vec<&str> = xml
        .split("group_id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(numbers, ["1", "1", "2", "2", "2", "2", "2"], "{xml}");
    let (back, _) = imported(&xml);
    let mut got = groups(&back);
    // A tag has no `z_order`, so it comes among the lowest.
    got.sort_unstable();
    assert_eq!(got, [None, Some("2"), Some("2"), Some("2"), Some("2")]);
}

/// As they are drawn one after the other on a page: all on one level.
#[test]
fn outlines_of_one_group_stay_objects_of_their_own() {
    let outline = |x: f64| Shape::Polygon {
        parts: vec![vec![square(x)]],
    };
    let group = GroupId::new();
    let grouped = || Links {
        group: Some(group),
        ..Links::default()
    };
    let labels = [
        (0, outline(1.0), 0, Attributes::new(), grouped()),
        (0, outline(11.0), 0, Attributes::new(), grouped()),
        (0, outline(21.0), 0, Attributes::new(), grouped()),
        (0, outline(31.0), 0, Attributes::new(), Links::default()),
    ];
    let xml = written(ExportFormat::Cvat, dataset(Task::Objects), &labels);
    let (back, _) = imported(&xml);
    assert_eq!(groups(&back), [Some("1"), Some("1"), Some("1"), None], "{xml}");
    let left: Vec<f64> = back
        .annotations
        .iter()
        .map(|a| match &a.shape {
            ImportedShape::Outline(outline) => match &**outline {
                ImportedOutline::Polygons(rings) => rings[0][0][0],
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(left, [1.0, 11.0, 21.0, 31.0], "in their order: {xml}");
}

fn with_svg(svg: &str) -> String {
    let svg = svg
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<annotations><meta><task><labels><label><name>cat</name><type>skeleton</type><attributes></attributes><svg>{svg}</svg></label>\
         <label><name>nose</name><type>points</type><parent>cat</parent></label>\
         <label><name>left eye</name><type>points</type><parent>cat</parent></label>\
         <label><name>tail</name><type>points</type><parent>cat</parent></label>\
         </labels></task></meta></annotations>"
    )
}

/// Places and edges that an import makes of a drawing, and the codes of its report.
fn drawn(svg: &str) -> (Vec<[f64; 2]>, Vec<[usize; 2]>, Vec<String>) {
    let (out, report) = imported(&with_svg(svg));
    let skeleton = out.categories[0].skeleton.clone().unwrap();
    let codes = report.entries.iter().map(|e| e.code.clone()).collect();
    let places = skeleton.keypoints.iter().map(|k| k.at).collect();
    (places, skeleton.edges, codes)
}

fn circle(node: &str, name: &str, x: &str, y: &str) -> String {
    format!(
        "<circle r=\"1.5\" cx=\"{x}\" cy=\"{y}\" data-type=\"element node\" data-node-id=\"{node}\" data-label-name=\"{name}\"></circle>"
    )
}

fn edge(from: &str, to: &str) -> String {
    format!("<line data-type=\"edge\" data-node-from=\"{from}\" data-node-to=\"{to}\"></line>")
}

#[test]
fn the_drawing_of_a_skeleton_says_places_and_edges() {
    let three = [
        circle("7", "tail", "90", "80"),
        circle("2", "left eye", "12.5", "0"),
        circle("3", "nose", "29", "7"),
    ]
    .concat();
    let (places, edges, codes) = drawn(&format!("{}{three}", edge("2", "3") + &edge("7", "2")));
    assert_eq!(places, [[0.29, 0.07], [0.125, 0.0], [0.9, 0.8]]);
    assert_eq!(edges, [[1, 0], [2, 1]], "in the order of `meta`");
    assert!(codes.is_empty(), "{codes:?}");
    // A drawing of another size is taken by its figure; what `meta` does not know is passed over.
    let (places, edges, codes) = drawn(
        &[
            circle("1", "nose", "-100", "50"),
            circle("2", "tail", "300", "50"),
            circle("3", "ear", "100", "50"),
            edge("1", "2"),
            edge("2", "3"),
        ]
        .concat(),
    );
    assert_eq!((places[0], places[2]), ([0.0, 0.5], [1.0, 0.5]));
    assert_eq!(edges, [[0, 2]]);
    assert!(codes.is_empty(), "{codes:?}");
}

#[test]
fn a_bad_drawing_is_a_note_and_costs_nothing_else() {
    let many: String = (0..300)
        .map(|n| circle(&n.to_string(), "nose", "1", "1"))
        .collect();
    let ends = circle("1", "nose", "1", "1") + &circle("2", "tail", "2", "2");
    let lines = ends.clone() + &edge("1", "2").repeat(5_000);
    for bad in [
        "<circle".to_owned(),
        "<circle></line>".to_owned(),
        circle("1", "nose", "NaN", "1"),
        circle("1", "nose", "1e300", "1"),
        circle("1", "nose", "1", "1").repeat(2),
        ends.clone() + &edge("1", "9"),
        ends + &edge("1", "1"),
        "<circle data-node-id=\"1\" cx=\"1\" cy=\"1\"/>".to_owned(),
        many,
        lines,
    ] {
        let (places, edges, codes) = drawn(&bad);
        assert_eq!((places.len(), edges.len()), (3, 0));
        assert_eq!(codes, ["bad_drawing"], "{}", &bad[..bad.len().min(200)]);
    }
    for empty in ["", "text", "<g/>", "<line data-type=\"edge\"/>"] {
        assert!(drawn(empty).2.is_empty(), "{empty}");
    }
}

#[test]
fn a_skeleton_is_drawn_as_cvat_draws_it() {
    let mut dataset = dataset(Task::Keypoints);
    let point = |name: &str, at| SkeletonPoint {
        name: name.into(),
        at,
    };
    let skeleton = Skeleton {
        keypoints: vec![point("a \"b\"", [0.29, 0.57]), point("<c> & d", [1.0 / 3.0, 1.0])],
        edges: vec![[1, 0]],
        symmetry: vec![],
    };
    dataset.categories[0].skeleton = Some(skeleton.clone());
    dataset.categories[1].skeleton = Some(Skeleton::coco_person());
    let xml = written(ExportFormat::Cvat, dataset, &[]);
    let (back, report) = imported(&xml);
    assert!(report.entries.is_empty(), "{report:#?}");
    assert_eq!(back.categories[1].skeleton, Some(Skeleton::coco_person()));
    let got = back.categories[0].skeleton.clone().unwrap();
    assert_eq!(
        (&got.edges, got.keypoints[0].clone()),
        (&skeleton.edges, skeleton.keypoints[0].clone())
    );
    assert!((got.keypoints[1].at[0] - 1.0 / 3.0).abs() < 1e-9);
    for piece in [
        "data-type=&quot;element node&quot; data-element-id=&quot;1&quot; data-node-id=&quot;1&quot;",
        "cx=&quot;29&quot; cy=&quot;57&quot;",
        "data-type=&quot;edge&quot; data-node-from=&quot;2&quot;",
    ] {
        assert!(xml.contains(piece), "{piece}\n{xml}");
    }
}
