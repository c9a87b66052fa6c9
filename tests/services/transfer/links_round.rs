//! Groups and relations out and in again.

use super::{World, world};
use limn_domain::annotation::SaveChange;
use limn_domain::category::NewCategory;
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, Attributes, ChangeId, GroupId, ItemId, Links, Rect, Relation, Role, Shape,
    Source,
};
use limn_testkit::{TestDb, build, on_both};

/// Another project with one item, and the world that looks at it.
async fn elsewhere(db: &TestDb, world: World, name: &str) -> (World, ItemId) {
    let project = build::project(db, name, Task::Objects).await;
    let items = build::items(db, project, "p", 1).await;
    build::member(db, project, world.manager.user_id().unwrap(), Role::Manager).await;
    (World { project, ..world }, items[0])
}

/// Of each label in drawing order: whether it is grouped with the first, and the places of those it relates to.
async fn told(world: &World, item: ItemId) -> Vec<(bool, Vec<(usize, String)>)> {
    let labels = world
        .studio
        .annotations
        .get(&limn_services::Actor::System, item)
        .await
        .unwrap()
        .annotations;
    let group = labels[0].links.group;
    labels
        .iter()
        .map(|a| {
            let grouped = a.links.group.is_some() && a.links.group == group;
            let mut to: Vec<_> = a
                .links
                .relations
                .iter()
                .map(|r| (labels.iter().position(|l| l.id == r.to).unwrap(), r.kind.clone()))
                .collect();
            to.sort();
            (grouped, to)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_relations_come_back_the_same() {
    on_both(async |db| {
        let mut world = world(&db, Task::Objects).await;
        let item = build::items(&db, world.project, "p", 1).await[0];
        let new = NewCategory {
            name: "car".into(),
            ..NewCategory::default()
        };
        let category = world
            .studio
            .categories
            .create(&world.manager, world.project, new)
            .await
            .unwrap()
            .id;
        let ids: Vec<AnnotationId> = (0..3).map(|_| AnnotationId::new()).collect();
        let group = Some(GroupId::new());
        let to = |n: usize, kind: &str| Relation {
            to: ids[n],
            kind: kind.to_owned(),
        };
        let links = [
            (group, vec![to(1, "holds"), to(2, "")]),
            (None, vec![to(0, "beside")]),
            (group, vec![]),
        ];
        let upserts = links
            .into_iter()
            .zip(0_i64..)
            .map(|((group, relations), z)| Annotation {
                id: ids[z as usize],
                category_id: category,
                shape: Shape::Box {
                    rect: Rect::new(1.0 + z as f64, 2.0, 8.0, 8.0),
                },
                z,
                source: Source::Human,
                score: None,
                attributes: Attributes::new(),
                links: Links { group, relations },
            });
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: 0,
            upserts: upserts.collect(),
            removes: vec![],
            active_ms: 0,
            attributes: None,
        };
        world
            .studio
            .annotations
            .save(&world.manager, item, change)
            .await
            .unwrap();
        let want = told(&world, item).await;
        let source = world.project;
        for format in [ExportFormat::Jsonl, ExportFormat::LabelStudio, ExportFormat::Cvat] {
            let input = NewExport {
                format,
                ..NewExport::default()
            };
            let (result, bytes) = world.export(source, input).await;
            let grouped = format != ExportFormat::LabelStudio;
            let related = format != ExportFormat::Cvat;
            assert_eq!(
                result.notes.is_empty(),
                grouped && related,
                "{format:?} {:?}",
                result.notes
            );
            let (other, item) = elsewhere(&db, world, format.as_str()).await;
            world = other;
            let report = world.import(format.import(), &[("a.zip", bytes)]).await;
            assert_eq!((report.annotations_added, report.refused), (3, 0), "{report:#?}");
            let back = told(&world, item).await;
            let to = |to: &Vec<_>| if related { to.clone() } else { vec![] };
            let want: Vec<_> = want.iter().map(|(g, all)| (*g && grouped, to(all))).collect();
            assert_eq!(back, want, "{format:?}");
        }
        // Formats without them say so.
        for format in [ExportFormat::Coco, ExportFormat::Voc] {
            let input = NewExport {
                format,
                ..NewExport::default()
            };
            let (result, _) = world.export(source, input).await;
            let said = result
                .notes
                .iter()
                .any(|n| n.starts_with("3 labels have groups or relations"));
            assert!(said, "{format:?} {:?}", result.notes);
        }
    })
    .await;
}
