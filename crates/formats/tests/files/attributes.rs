//! Attributes out and in again, in the formats that have them.

use crate::{NAMES, a_box, a_mask, a_polygon, dataset, files, text};
use limn_domain::attribute::{self, Attribute, AttributeKind, AttributeValue, Attributes};
use limn_domain::export::ExportFormat;
use limn_domain::import::{ImportFormat, ImportReport};
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Rect, Shape, Source, TurnedRect};
use limn_formats::read::{self, Role};
use limn_formats::write::{self, Dataset, Files, Item, Label, Tally};
use limn_formats::{Findings, Imported, ImportedAnnotation};
use proptest::prelude::*;
use std::collections::BTreeMap;

const FORMATS: [ExportFormat; 5] = [
    ExportFormat::Jsonl,
    ExportFormat::Csv,
    ExportFormat::Cvat,
    ExportFormat::Labelme,
    ExportFormat::LabelStudio,
];

fn attribute(name: &str, kind: AttributeKind, default: Option<AttributeValue>) -> Attribute {
    Attribute {
        key: Attribute::key_in_files(name),
        name: name.to_owned(),
        kind,
        required: false,
        default,
    }
}

fn said(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

fn options(of: &[&str]) -> AttributeKind {
    AttributeKind::Select {
        options: of.iter().map(|o| (*o).to_owned()).collect(),
    }
}

fn defined() -> Vec<Attribute> {
    let bounds = AttributeKind::Number {
        min: Some(-5.5),
        max: Some(1e6),
    };
    let free = AttributeKind::Number { min: None, max: None };
    attribute::check_attributes(vec![
        attribute(
            "colour",
            options(&["red", "a \"b\", <c> & d", "3"]),
            Some(said("3")),
        ),
        attribute(
            "is-hidden",
            AttributeKind::Checkbox,
            Some(AttributeValue::Flag(false)),
        ),
        attribute("age", bounds, Some(AttributeValue::Number(0.1))),
        attribute("free", free, None),
        attribute("note", AttributeKind::Text, Some(said("x\ty"))),
        // Names of Label Studio's own controls and parts of LabelMe's files.
        attribute("box", AttributeKind::Text, None),
        attribute("description", AttributeKind::Text, None),
    ])
    .unwrap()
}

/// All categories have them; the second has another kind of `colour`.
fn with_attributes() -> Dataset {
    let mut dataset = dataset(Task::Objects);
    for category in &mut dataset.categories {
        category.attributes = defined();
    }
    dataset.categories[1].attributes[0].kind = options(&["blue", "red"]);
    dataset.categories[1].attributes[0].default = None;
    dataset
}

type Said = (usize, Shape, Attributes);

fn write(format: ExportFormat, dataset: Dataset, labels: &[Said]) -> BTreeMap<String, Vec<u8>> {
    let mut writer = write::writer(format, dataset).expect("a format of many files");
    let (mut out, mut tally) = (Files::default(), Tally::default());
    writer.begin(&mut out).unwrap();
    let labels: Vec<Label<'_>> = labels
        .iter()
        .zip(0..)
        .map(|((category, shape, attributes), z)| Label {
            id: AnnotationId::new(),
            category: *category,
            shape,
            z,
            source: Source::Human,
            score: None,
            attributes,
            links: &limn_domain::link::NO_LINKS,
        })
        .collect();
    let item = Item {
        text: "",
        id: 1,
        name: "x.jpg",
        width: 64,
        height: 64,
        about: &limn_domain::attribute::NO_ATTRIBUTES,
        times_us: &[],
    };
    writer.item(&item, &labels, &mut out, &mut tally).unwrap();
    writer.finish(&mut out).unwrap();
    out.finish()
}

fn read(format: ImportFormat, files: &BTreeMap<String, Vec<u8>>) -> (Imported, Imported, ImportReport) {
    let mut reader = read::reader(format, Task::Objects);
    let mut findings = Findings::default();
    let of = |role| {
        files
            .iter()
            .filter(move |(path, _)| read::role(format, path) == Some(role))
    };
    for (path, bytes) in of(Role::Table) {
        reader.table(path, &mut bytes.as_slice(), &mut findings).unwrap();
    }
    let begun = reader.begin();
    let (path, bytes) = of(Role::Labels).next().unwrap();
    let imported = reader.labels(path, &mut bytes.as_slice(), &mut findings).unwrap();
    (begun, imported, findings.into_report())
}

/// The values of a label as an import into the same project has them.
fn values(list: &[Attribute], label: &ImportedAnnotation) -> Attributes {
    let all = label.attributes.iter().flat_map(|v| &v.0);
    all.filter_map(|(name, value)| {
        let a = attribute::find(list, name).unwrap_or_else(|| panic!("{name}"));
        Some((a.key.clone(), a.read(value.clone()).unwrap()?))
    })
    .collect()
}

fn some_values() -> impl Strategy<Value = Attributes> {
    let select = prop::option::of((0..2_usize).prop_map(|n| ["red", "red"][n]));
    let text = || prop::option::of("\\PC{0,20}|a\nb\r\n c|<&\"'>;,|true|3");
    let number = prop::option::of(-5.5..1e6);
    (
        select,
        any::<Option<bool>>(),
        number,
        any::<Option<i32>>(),
        text(),
        text(),
        text(),
    )
        .prop_map(|(colour, hidden, age, free, note, boxed, description)| {
            let flag = |v: Option<bool>| v.map(AttributeValue::Flag);
            let number = |v: Option<f64>| v.map(AttributeValue::Number);
            let text = |v: Option<String>| v.map(AttributeValue::Text);
            [
                ("colour", colour.map(said)),
                ("is-hidden", flag(hidden)),
                ("age", number(age)),
                ("free", number(free.map(|n| f64::from(n) / 7.0))),
                ("note", text(note)),
                ("box", text(boxed)),
                ("description", text(description)),
            ]
            .into_iter()
            .filter_map(|(k, v)| Some((k.to_owned(), v?)))
            .collect()
        })
}

fn a_turned() -> impl Strategy<Value = Shape> {
    (10.0..50.0, 10.0..50.0, 2.0..10.0, 1.0..359.0).prop_map(|(cx, cy, w, angle)| Shape::RotatedBox {
        rect: TurnedRect {
            cx,
            cy,
            w,
            h: 3.0,
            angle,
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_come_back_with_their_labels(
        labels in prop::collection::vec(
            (0..NAMES.len(), prop_oneof![a_box(), a_polygon(2), a_mask(), a_turned()], some_values()), 1..6,
        ),
    ) {
        for format in FORMATS {
            let dataset = with_attributes();
            let files = write(format, dataset.clone(), &labels);
            let (_, imported, report) = read(format.import(), &files);
            prop_assert!(report.entries.is_empty(), "{format:?} {report:#?}");
            let back: Vec<Attributes> = imported
                .annotations
                .iter()
                .map(|a| {
                    let name = imported.categories[a.category as usize].name.as_deref().unwrap();
                    let n = NAMES.iter().position(|n| *n == name).unwrap();
                    values(&dataset.categories[n].attributes, a)
                })
                .collect();
            let want: Vec<Attributes> = labels.iter().map(|l| l.2.clone()).collect();
            prop_assert_eq!(back, want, "{:?}", format);
        }
    }
}

#[test]
fn definitions_come_back() {
    for format in [ExportFormat::Jsonl, ExportFormat::Cvat] {
        let mut dataset = with_attributes();
        dataset.categories[2].attributes.clear();
        dataset.categories[0].attributes[1].required = format == ExportFormat::Jsonl;
        let files = write(format, dataset.clone(), &[]);
        let (begun, imported, report) = read(format.import(), &files);
        assert!(report.entries.is_empty(), "{report:#?}");
        let categories = if format == ExportFormat::Jsonl {
            begun
        } else {
            imported
        }
        .categories;
        for (category, want) in categories.into_iter().zip(dataset.categories) {
            assert_eq!(
                attribute::check_attributes(category.attributes),
                Ok(want.attributes),
                "{format:?}"
            );
        }
    }
}

/// Whoever has no attributes gets the files of before.
#[test]
fn files_without_attributes_do_not_mention_them() {
    let shape = Shape::Box {
        rect: Rect::new(1.0, 2.0, 3.0, 4.0),
    };
    for format in FORMATS {
        let plain = write(
            format,
            dataset(Task::Objects),
            &[(0, shape.clone(), Attributes::new())],
        );
        for (name, bytes) in plain {
            let text = String::from_utf8(bytes)
                .unwrap()
                .replace("<attributes></attributes>", "");
            assert!(!text.contains("attribute"), "{name}: {text}");
        }
    }
}

#[test]
fn cvat_as_cvat_writes_it() {
    let xml = r#"<annotations><version>1.1</version><meta><task><labels>
<label><name>car</name><color>#ff0000</color><type>any</type><attributes>
<attribute><name>Make of it</name><mutable>False</mutable><input_type>radio</input_type><default_value>vw</default_value><values>vw
bmw
vw</values></attribute>
<attribute><name>age</name><mutable>True</mutable><input_type>number</input_type><default_value></default_value><values>0
99
1</values></attribute>
<attribute><name>bad</name><input_type>checkbox</input_type><default_value>perhaps</default_value><values></values></attribute>
<attribute><name></name><input_type>text</input_type></attribute>
</attributes></label>
<label><name></name><attributes><attribute><name>lost</name></attribute></attributes></label>
<label><name>car</name><attributes></attributes></label></labels></task></meta>
<image id="0" name="x.jpg" width="64" height="64">
<box label="car" xtl="1" ytl="1" xbr="9" ybr="9" occluded="0" z_order="0">
<attribute name="Make of it">bmw</attribute><attribute name="age">7</attribute><attribute name="gone"/>
</box>
<cuboid label="car"><attribute name="age">8</attribute></cuboid>
<box label="car" xtl="1" ytl="1" xbr="9" ybr="8"/>
<polygon label="car" points="1,1;9,1;9,9" group_id="1"></polygon>
<polygon label="car" points="20,20;30,20;30,30" group_id="1"><attribute name="age">&#57;</attribute></polygon>
</image></annotations>"#;
    let (_, imported, report) = read(ImportFormat::Cvat, &files(&[("annotations.xml", xml)]));
    assert_eq!(report.refused, 1, "{report:#?}");
    let list = attribute::check_attributes(imported.categories[0].attributes.clone()).unwrap();
    let keys: Vec<_> = list.iter().map(|a| (a.key.as_str(), a.default.clone())).collect();
    assert_eq!(
        keys,
        [("make_of_it", Some(said("vw"))), ("age", None), ("bad", None)]
    );
    assert_eq!(list[0].kind, options(&["vw", "bmw"]));
    let values: Vec<_> = imported
        .annotations
        .iter()
        .map(|a| a.attributes.clone().unwrap_or_default().0)
        .collect();
    assert_eq!(
        values,
        [
            vec![
                ("Make of it".to_owned(), said("bmw")),
                ("age".to_owned(), said("7")),
                ("gone".to_owned(), said(""))
            ],
            vec![],
            // Polygons of one group that say different things are different objects.
            vec![],
            vec![("age".to_owned(), said("9"))],
        ]
    );
}

#[test]
fn label_studio_per_region_results() {
    let json = r#"[{"id": 1, "data": {"image": "x.jpg"}, "annotations": [{"result": [
{"id": "a", "type": "choices", "from_name": "colour", "value": {"choices": ["red"]}},
{"id": "a", "type": "rectanglelabels", "from_name": "box", "original_width": 64, "original_height": 64,
 "value": {"x": 10, "y": 10, "width": 5, "height": 5, "rectanglelabels": ["cat"]}},
{"id": "a", "type": "number", "from_name": "age__2", "value": {"number": 3}},
{"id": "a", "type": "textarea", "from_name": "note", "value": {"text": ["x", "y"]}},
{"id": "b", "type": "choices", "from_name": "whole", "value": {"choices": ["dog"]}},
{"id": "c", "type": "number", "from_name": "age", "value": {"number": 3}}
]}]}]"#;
    let (_, imported, report) = read(ImportFormat::LabelStudio, &files(&[("a.json", json)]));
    assert_eq!(report.refused, 1, "a number of no region: {report:#?}");
    assert_eq!(imported.annotations.len(), 2);
    assert_eq!(
        imported.annotations[0].attributes.clone().unwrap().0,
        [
            ("colour".to_owned(), said("red")),
            ("age".to_owned(), AttributeValue::Number(3.0)),
            ("note".to_owned(), said("x\ny")),
        ]
    );
    assert_eq!(imported.annotations[1].attributes, None);
}

#[test]
fn label_studio_has_a_control_for_each_attribute() {
    let out = write(ExportFormat::LabelStudio, with_attributes(), &[]);
    let config = text(&out, "label-config.xml");
    for want in [
        "<Choices name=\"colour\" toName=\"image\" perRegion=\"true\"",
        "<Choices name=\"colour__2\" toName=\"image\" perRegion=\"true\" whenLabelValue=\"traffic light\"",
        "<Choices name=\"is-hidden\"",
        "<Number name=\"age\"",
        "min=\"-5.5\" max=\"1000000\"",
        "<TextArea name=\"box__2\"",
    ] {
        assert!(config.contains(want), "{want} in {config}");
    }
}

#[test]
fn what_is_no_attribute_never_costs_the_label() {
    let line = |attributes: &str| {
        format!(
            "{{\"file\": \"x.jpg\", \"width\": 64, \"height\": 64, \"annotations\": [{{\"category\": \"cat\", \"kind\": \"whole\", \"attributes\": {attributes}}}]}}"
        )
    };
    for odd in ["null", "[1]", "7", "{\"a\": null}", "\"x\"", "{\"\": 1}"] {
        let (_, imported, report) = read(ImportFormat::Jsonl, &files(&[("items.jsonl", &line(odd))]));
        assert_eq!(
            (imported.annotations.len(), report.refused),
            (1, 0),
            "{odd}: {report:#?}"
        );
        assert_eq!(imported.annotations[0].attributes, None, "{odd}");
    }
    let csv = "file,category,kind,attributes\nx.jpg,cat,whole,\"{\"\"a\"\": true}\"\nx.jpg,dog,whole,{a\ny.jpg,dog,whole,";
    let (_, imported, report) = read(ImportFormat::Csv, &files(&[("labels.csv", csv)]));
    assert_eq!(
        (imported.annotations.len(), report.refused, report.fixed),
        (3, 0, 1),
        "{report:#?}"
    );
    assert!(imported.annotations[0].attributes.is_some());
    let table = r#"[{"id": 1, "name": "cat", "attributes": [{"name": "a", "type": "select"}, {"name": "b", "type": "text"}, 7]}]"#;
    let both = files(&[("categories.json", table), ("items.jsonl", &line("{}"))]);
    let (begun, _, report) = read(ImportFormat::Jsonl, &both);
    assert_eq!(
        (begun.categories[0].attributes.len(), report.fixed),
        (1, 2),
        "{report:#?}"
    );
    let labelme = r#"{"imagePath": "x.jpg", "imageWidth": 64, "imageHeight": 64, "flags": {}, "shapes": [
{"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [9, 9]], "flags": {"hidden": true}, "attributes": {"age": "3"}, "description": "old"},
{"label": "cat", "shape_type": "rectangle", "points": [[1, 1], [9, 8]], "flags": null, "attributes": [1], "description": ""}]}"#;
    let (_, imported, report) = read(ImportFormat::Labelme, &files(&[("x.json", labelme)]));
    assert_eq!(
        (imported.annotations.len(), report.refused),
        (2, 0),
        "{report:#?}"
    );
    let first = imported.annotations[0].attributes.clone().unwrap().0;
    assert_eq!(first.len(), 3, "{first:?}");
    assert_eq!(imported.annotations[1].attributes, None);
}
