//! CVAT's skeletons.

use super::*;
use limn_domain::keypoint::SkeletonPoint;
use limn_domain::{Keypoint, Point, Skeleton, Visibility};
use limn_formats::ImportedShape;

const POINTS: [&str; 3] = ["nose", "left <ear>", "right <ear>"];

fn skeleton() -> Skeleton {
    let point = |name: &&str| SkeletonPoint {
        name: (*name).into(),
        at: [0.5, 0.07],
    };
    Skeleton {
        keypoints: POINTS.iter().map(point).collect(),
        edges: vec![[0, 1]],
        symmetry: vec![[1, 2]],
    }
}

fn with_skeleton() -> Dataset {
    let mut dataset = dataset(Task::Keypoints);
    dataset.categories[2].skeleton = Some(skeleton());
    dataset
}

fn imported(xml: &str) -> (Imported, ImportReport) {
    let mut findings = Findings::default();
    let out = limn_formats::cvat::read(xml.as_bytes(), &mut findings).unwrap();
    (out, findings.into_report())
}

fn keypoints(i: &Imported) -> Vec<Vec<[f64; 3]>> {
    let of = |a: &limn_formats::ImportedAnnotation| match &a.shape {
        ImportedShape::Other(shape) => match &**shape {
            Shape::Keypoints { keypoints } => keypoints.iter().map(|k| <[f64; 3]>::from(*k)).collect(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    i.annotations.iter().map(of).collect()
}

#[test]
fn the_file_is_what_cvat_writes() {
    let keypoints = vec![
        Keypoint::new(Point::new(1.5, 2.0), Visibility::Visible),
        Keypoint::default(),
        Keypoint::new(Point::new(3.0, 4.25), Visibility::Hidden),
    ];
    let other = Shape::Keypoints {
        keypoints: vec![Keypoint::new(Point::new(1.0, 1.0), Visibility::Visible)],
    };
    let labels = vec![(2, Shape::Keypoints { keypoints }), (0, other)];
    let (out, tally) = write(
        ExportFormat::Cvat,
        with_skeleton(),
        &[("x.jpg".to_owned(), 64, 64, labels)],
    );
    assert_eq!(
        (tally.labels, tally.lost()),
        (1, 1),
        "one has no skeleton: {:?}",
        tally.notes()
    );
    let xml = text(&out, "annotations.xml");
    let parent = "<parent>a &quot;b&quot;, &lt;c&gt;: &apos;d&apos; # e &amp; é</parent>";
    for want in [
        "<type>skeleton</type>",
        &format!(
            "<label><name>left &lt;ear&gt;</name><color>#78fc07</color><type>points</type><attributes></attributes>{parent}</label>"
        ),
        " source=\"manual\" z_order=\"0\">\n      <points label=\"nose\" source=\"manual\" outside=\"0\" occluded=\"0\" points=\"1.5,2\"></points>\n",
        "outside=\"1\" occluded=\"0\" points=\"0,0\"",
        "outside=\"0\" occluded=\"1\" points=\"3,4.25\"></points>\n    </skeleton>\n",
    ] {
        assert!(xml.contains(want), "{want} in {xml}");
    }
    let (back, report) = imported(&xml);
    assert!(report.entries.is_empty(), "{report:#?}");
    assert_eq!(back.categories.len(), NAMES.len(), "keypoints are no categories");
    let got = back.categories[2].skeleton.clone().unwrap();
    assert_eq!(got, skeleton(), "its places and edges came as its drawing");
    assert!(back.categories[0].skeleton.is_none());
}

#[test]
fn skeletons_as_cvat_writes_them() {
    let xml = r#"<annotations><version>1.1</version><meta><job><labels>
<label><name>cat</name><color>#ff0000</color><type>skeleton</type><attributes></attributes><svg>&lt;line data-type="edge"/&gt;</svg></label>
<label><name>nose</name><color>#00ff00</color><type>points</type><attributes><attribute><name>x</name><input_type>text</input_type></attribute></attributes><parent>cat</parent></label>
<label><name>tail</name><color>#0000ff</color><type>points</type><attributes></attributes><parent>cat</parent></label>
</labels></job></meta>
<image id="0" name="x.jpg" width="64" height="64">
<skeleton label="cat" source="manual" z_order="3">
<points label="tail" source="manual" outside="0" occluded="1" points="5.00,6.00"><attribute name="x">1</attribute></points>
<points label="nose" source="manual" outside="0" occluded="0" points="1.00,2.00"/>
<attribute name="age">7</attribute>
</skeleton>
<skeleton label="cat"><points label="tail" outside="1" occluded="0" points="9,9"></points><points label="nose" points="3,4"></points></skeleton>
<skeleton label="cat"><points label="ear" points="3,4"></points></skeleton>
<skeleton label="cat"><points label="nose" points="3"></points></skeleton>
<skeleton label="dog"></skeleton>
<skeleton label="dog"/>
<skeleton label="bird"><points label="beak" points="1,1"/><points label="wing" points="2,2"/></skeleton>
<skeleton label="bird"><points label="wing" points="4,4"/></skeleton>
<skeleton label="bird"><points label="wing" points="4,4"/><points label="wing" points="4,4;5,5"/></skeleton>
</image></annotations>"#;
    let (out, report) = imported(xml);
    let names: Vec<_> = out
        .categories
        .iter()
        .map(|c| c.name.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["cat", "bird"]);
    assert_eq!(out.categories[0].color.as_deref(), Some("#ff0000"));
    assert!(
        out.categories[0].attributes.is_empty(),
        "a keypoint's is not the skeleton's"
    );
    assert_eq!(
        keypoints(&out),
        [
            vec![[3.0, 4.0, 2.0], [0.0, 0.0, 0.0]],
            vec![[1.0, 1.0, 2.0], [2.0, 2.0, 2.0]],
            vec![[0.0, 0.0, 0.0], [4.0, 4.0, 2.0]],
            vec![[1.0, 2.0, 2.0], [5.0, 6.0, 1.0]],
        ]
    );
    let said = out.annotations[3].attributes.clone().unwrap().0;
    assert_eq!(
        said,
        [("age".to_owned(), limn_domain::AttributeValue::Text("7".into()))]
    );
    let found: Vec<_> = report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line.unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("keypoint_unknown", 13),
            ("bad_keypoints", 14),
            ("bad_skeleton", 15),
            ("bad_skeleton", 16),
            ("bad_keypoints", 19)
        ],
        "{report:#?}"
    );
}

#[test]
fn hostile_skeletons_cost_no_more_than_themselves() {
    let many: Vec<String> = (0..5_000)
        .map(|n| format!("<points label=\"{n}\" points=\"1,1\"/>"))
        .collect();
    let labels: Vec<String> = (0..5_000)
        .map(|n| format!("<label><name>{n}</name><parent>cat</parent></label>"))
        .collect();
    let (many, labels) = (many.concat(), labels.concat());
    let xml = format!(
        "<annotations><meta><labels><label><name>cat</name></label>{labels}</labels></meta><image id=\"0\" name=\"x.jpg\">\
         <skeleton label=\"cat\">{many}</skeleton><skeleton label=\"dog\">{many}</skeleton><box label=\"cat\" xtl=\"1\" ytl=\"1\" xbr=\"9\" ybr=\"9\"/>\
         <skeleton label=\"cat\"><points label=\"1\""
    );
    let (out, report) = imported(&xml);
    assert_eq!(out.annotations.len(), 1);
    let codes: Vec<_> = report.entries.iter().map(|e| e.code.as_str()).collect();
    assert_eq!(codes, ["bad_skeleton", "bad_skeleton", "bad_xml"], "{report:#?}");
}

proptest! {
    #[test]
    fn keypoints_come_back_to_the_last_digit(
        list in prop::collection::vec((0.0..64.0, 0.0..64.0, 0..3_u8), 3)
    ) {
        let want: Vec<[f64; 3]> = list
            .iter()
            .map(|(x, y, v)| <[f64; 3]>::from(Keypoint::try_from([*x, *y, f64::from(*v)]).unwrap()))
            .collect();
        let keypoints = want.iter().map(|k| Keypoint::try_from(*k).unwrap()).collect();
        let labels = vec![(2, Shape::Keypoints { keypoints })];
        let (out, tally) = write(ExportFormat::Cvat, with_skeleton(), &[("x.jpg".to_owned(), SIDE, SIDE, labels)]);
        prop_assert_eq!(tally.lost(), 0);
        let (back, _) = imported(&text(&out, "annotations.xml"));
        prop_assert_eq!(self::keypoints(&back), [want]);
    }
}
