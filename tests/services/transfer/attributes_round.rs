//! Values of attributes out and in again, into projects that know them and projects that learn them from the file.

use super::{World, codes, world};
use limn_domain::annotation::{SaveChange, SaveOutcome};
use limn_domain::attribute::{Attribute, AttributeKind};
use limn_domain::category::NewCategory;
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, Attributes, CategoryId, ChangeId, ItemId, ProjectId, Rect, Role, Shape, Source,
};
use limn_testkit::{TestDb, build, on_both};

fn attribute(name: &str, kind: AttributeKind) -> Attribute {
    Attribute {
        key: String::new(),
        name: name.to_owned(),
        kind,
        required: false,
        default: None,
    }
}

fn attributes() -> Vec<Attribute> {
    let options = vec!["dark red".to_owned(), "blue".to_owned()];
    let (min, max) = (Some(0.0), Some(9.5));
    vec![
        attribute("Colour", AttributeKind::Select { options }),
        attribute("occluded", AttributeKind::Checkbox),
        attribute("Age", AttributeKind::Number { min, max }),
        attribute("note", AttributeKind::Text),
    ]
}

fn values(json: &str) -> Attributes {
    serde_json::from_str(json).unwrap()
}

async fn category(world: &World, project: ProjectId, attributes: Vec<Attribute>) -> CategoryId {
    let new = NewCategory {
        name: "car".into(),
        attributes,
        ..NewCategory::default()
    };
    world
        .studio
        .categories
        .create(&world.manager, project, new)
        .await
        .unwrap()
        .id
}

/// Another project with one item, and the world that looks at it.
async fn elsewhere(db: &TestDb, world: World, name: &str) -> (World, ItemId) {
    let project = build::project(db, name, Task::Objects).await;
    let items = build::items(db, project, "p", 1).await;
    build::member(db, project, world.manager.user_id().unwrap(), Role::Manager).await;
    (World { project, ..world }, items[0])
}

async fn saved(world: &World, item: ItemId) -> Vec<Attributes> {
    let labels = world
        .studio
        .annotations
        .get(&limn_services::Actor::System, item)
        .await
        .unwrap();
    labels.annotations.into_iter().map(|a| a.attributes).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_come_back_the_same() {
    on_both(async |db| {
        let mut world = world(&db, Task::Objects).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let id = category(&world, world.project, attributes()).await;
        let want = [
            values(r#"{"colour":"dark red","occluded":true,"age":0.1,"note":"a \"b\"; é\nc"}"#),
            Attributes::new(),
            values(r#"{"occluded":false,"age":9.0}"#),
        ];
        let upserts = want.iter().zip(0_i64..).map(|(attributes, z)| Annotation {
            id: AnnotationId::new(),
            category_id: id,
            shape: Shape::Box {
                rect: Rect::new(1.0 + z as f64, 2.0, 8.0, 8.0),
            },
            z,
            source: Source::Human,
            score: None,
            attributes: attributes.clone(),
            links: limn_domain::Links::default(),
        });
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: 0,
            upserts: upserts.collect(),
            removes: vec![],
            active_ms: 0,
            attributes: None,
        };
        let outcome = world
            .studio
            .annotations
            .save(&world.manager, items[0], change)
            .await
            .unwrap();
        assert!(matches!(outcome, SaveOutcome::Saved { .. }));
        let source = world.project;
        for format in [
            ExportFormat::Coco,
            ExportFormat::Jsonl,
            ExportFormat::Csv,
            ExportFormat::Cvat,
            ExportFormat::Labelme,
            ExportFormat::LabelStudio,
        ] {
            let input = NewExport {
                format,
                ..NewExport::default()
            };
            let (result, bytes) = world.export(source, input).await;
            assert!(result.notes.is_empty(), "{format:?} {:?}", result.notes);
            let name = if format == ExportFormat::Coco {
                "a.json"
            } else {
                "a.zip"
            };
            let defines = matches!(format, ExportFormat::Jsonl | ExportFormat::Cvat);
            let (other, item) = elsewhere(&db, world, format.as_str()).await;
            world = other;
            if !defines {
                category(&world, world.project, attributes()).await;
            }
            let report = world.import(format.import(), &[(name, bytes)]).await;
            assert_eq!(
                (report.annotations_added, report.refused, report.fixed),
                (3, 0, 0),
                "{format:?} {report:#?}"
            );
            assert_eq!(saved(&world, item).await, want, "{format:?}");
        }
        // A format without attributes says so.
        let input = NewExport {
            format: ExportFormat::Voc,
            ..NewExport::default()
        };
        let (result, _) = world.export(source, input).await;
        assert!(
            result
                .notes
                .iter()
                .any(|n| n.starts_with("2 labels have attributes")),
            "{:?}",
            result.notes
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_project_does_not_define_is_counted_by_name_and_the_labels_come_in() {
    on_both(async |db| {
        let world = world(&db, Task::Objects).await;
        let items = build::items(&db, world.project, "p", 1).await;
        category(&world, world.project, attributes()).await;
        let rows: Vec<String> = (0..300)
            .map(|n| {
                format!(
                    "p000.jpg,car,{n},1,5,5,\"{{\"\"COLOUR\"\": \"\"Blue\"\", \"\"Age\"\": {}, \"\"speed\"\": 3}}\"",
                    if n < 200 { "99" } else { "\"\"3\"\"" }
                )
            })
            .collect();
        let csv = format!("file,category,x,y,w,h,attributes\n{}\n", rows.join("\n"));
        let report = world.import(limn_domain::import::ImportFormat::Csv, &[("a.csv", csv.into_bytes())]).await;
        assert_eq!((report.annotations_added, report.refused, report.fixed), (300, 0, 1), "{report:#?}");
        assert_eq!(codes(&report), ["attribute_unknown", "attribute_value"]);
        let [unknown, unfit] = report.entries.as_slice() else {
            panic!("{report:#?}")
        };
        assert!(unknown.message.starts_with("300 values of `speed`"), "{unknown:?}");
        assert_eq!((unknown.file.as_str(), unknown.line), ("a.csv", Some(2)));
        assert!(unfit.message.contains("200 values of `Age` were left out: Age must lie between 0 and 9.5"), "{unfit:?}");
        let back = saved(&world, items[0]).await;
        assert_eq!(back[0], values(r#"{"colour":"blue"}"#));
        assert_eq!(back[299], values(r#"{"colour":"blue","age":3}"#));
    })
    .await;
}

/// CVAT says of every shape whether it is occluded: a value where the category can hold it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn occluded_shapes_of_cvat_say_so_in_an_attribute() {
    on_both(async |db| {
        let xml = r#"<annotations><image id="0" name="p000.jpg">
<box label="car" occluded="1" xtl="1" ytl="1" xbr="9" ybr="9" z_order="0"/>
<box label="car" occluded="0" xtl="2" ytl="1" xbr="9" ybr="9" z_order="1"/></image></annotations>"#;
        let cvat = limn_domain::import::ImportFormat::Cvat;
        let world = world(&db, Task::Objects).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let report = world.import(cvat, &[("a.xml", xml.into())]).await;
        assert_eq!((report.annotations_added, report.refused), (2, 0), "{report:#?}");
        assert!(!codes(&report).contains(&"attribute_unknown"), "{report:#?}");
        let want = [values(r#"{"occluded":true}"#), Attributes::new()];
        assert_eq!(saved(&world, items[0]).await, want);
        // A category that was there keeps its attributes.
        let (world, item) = elsewhere(&db, world, "known").await;
        category(&world, world.project, attributes()[..1].to_vec()).await;
        let report = world.import(cvat, &[("a.xml", xml.into())]).await;
        assert_eq!((report.annotations_added, report.refused), (2, 0), "{report:#?}");
        assert!(codes(&report).contains(&"attribute_unknown"), "{report:#?}");
        assert_eq!(saved(&world, item).await, [Attributes::new(), Attributes::new()]);
    })
    .await;
}
