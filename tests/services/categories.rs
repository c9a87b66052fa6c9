//! The category tree, its limits, and what merging and removing do to labels.

use crate::{code, refusal};
use limn_domain::annotation::{Annotation, SaveChange, SaveOutcome, Shape, Source};
use limn_domain::category::{Category, CategoryImpact, NewCategory, UpdateCategory};
use limn_domain::project::{NewProject, NewProjectCategory, Task};
use limn_domain::{AnnotationId, CategoryId, ChangeId, Code, ItemId, ProjectId, Role};
use limn_services::Actor;
use limn_testkit::{Studio, TestDb, build, on_both};

fn new(name: &str, parent_id: Option<CategoryId>) -> NewCategory {
    NewCategory {
        name: name.into(),
        parent_id,
        ..NewCategory::default()
    }
}

/// A studio with a multi-label project and these categories at its top level.
async fn with(db: &TestDb, names: &[&str]) -> (Studio, Actor, ProjectId, Vec<Category>) {
    let studio = Studio::new(db);
    let mo = studio.person("Mo", Role::Manager).await;
    let row = |name: &&str| NewProjectCategory {
        category: new(name, None),
        parent: None,
    };
    let input = NewProject {
        name: "P".into(),
        task: Task::Multilabel,
        categories: names.iter().map(row).collect(),
        ..NewProject::default()
    };
    let id = studio.projects.create(&mo, input).await.unwrap().summary.id;
    let categories = studio.categories.list(&mo, id).await.unwrap();
    (studio, mo, id, categories)
}

/// Gives labels of the whole item; answers the item's revision.
async fn label(studio: &Studio, actor: &Actor, item: ItemId, categories: &[CategoryId]) -> i64 {
    let base_revision = studio.annotations.get(actor, item).await.unwrap().revision;
    let upserts = categories
        .iter()
        .map(|c| Annotation {
            id: AnnotationId::new(),
            category_id: *c,
            shape: Shape::Whole,
            z: 0,
            source: Source::Human,
            score: None,
            attributes: limn_domain::Attributes::new(),
            links: limn_domain::Links::default(),
        })
        .collect();
    let change = SaveChange {
        change_id: ChangeId::new(),
        base_revision,
        upserts,
        removes: vec![],
        active_ms: 0,
        attributes: None,
    };
    match studio.annotations.save(actor, item, change).await.unwrap() {
        SaveOutcome::Saved { revision } => revision,
        SaveOutcome::Conflict { .. } => panic!("nobody else is here"),
    }
}

async fn names(studio: &Studio, actor: &Actor, project: ProjectId) -> Vec<String> {
    studio
        .categories
        .list(actor, project)
        .await
        .unwrap()
        .into_iter()
        .map(|c| c.name)
        .collect()
}

#[tokio::test]
async fn a_tree_has_six_levels_and_no_circles() {
    on_both(async |db| {
        let (studio, mo, p, _) = with(&db, &[]).await;
        let mut chain: Vec<CategoryId> = Vec::new();
        for n in 0..6 {
            let input = new(&format!("level {}", n + 1), chain.last().copied());
            chain.push(studio.categories.create(&mo, p, input).await.unwrap().id);
        }
        let e = refusal(
            studio
                .categories
                .create(&mo, p, new("level 7", chain.last().copied()))
                .await,
        );
        assert!(
            e.for_field("parent_id").is_some_and(|m| m.contains("6 levels")),
            "{e:?}"
        );
        let two = studio
            .categories
            .create(&mo, p, new("two", None))
            .await
            .unwrap()
            .id;
        studio
            .categories
            .create(&mo, p, new("below two", Some(two)))
            .await
            .unwrap();
        let under = |parent| UpdateCategory {
            parent_id: Some(parent),
            ..UpdateCategory::default()
        };
        let e = refusal(studio.categories.update(&mo, two, under(Some(chain[4]))).await);
        assert!(
            e.for_field("parent_id").is_some(),
            "its child would be on level 7: {e:?}"
        );
        studio
            .categories
            .update(&mo, two, under(Some(chain[3])))
            .await
            .unwrap();
        for below_itself in [chain[0], chain[5]] {
            let e = refusal(
                studio
                    .categories
                    .update(&mo, chain[0], under(Some(below_itself)))
                    .await,
            );
            assert!(
                e.for_field("parent_id")
                    .is_some_and(|m| m.contains("below itself")),
                "{e:?}"
            );
        }
        studio.categories.update(&mo, two, under(None)).await.unwrap();
        let other = build::project(&db, "Q", Task::Multilabel).await;
        let foreign = build::categories(&db, other, &["x"]).await[0];
        let e = refusal(studio.categories.create(&mo, p, new("y", Some(foreign))).await);
        assert!(e.for_field("parent_id").is_some(), "a parent in another project");
    })
    .await;
}

#[tokio::test]
async fn keys_move_names_are_unique_and_order_holds() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["a", "b", "c"]).await;
        let [a, b, c] = [all[0].id, all[1].id, all[2].id];
        let key = |k| UpdateCategory {
            hotkey: Some(k),
            ..UpdateCategory::default()
        };
        studio.categories.update(&mo, a, key(Some(1))).await.unwrap();
        let both = UpdateCategory {
            position: Some(0),
            ..key(Some(1))
        };
        assert_eq!(
            studio.categories.update(&mo, b, both).await.unwrap().hotkey,
            Some(1)
        );
        let listed = studio.categories.list(&mo, p).await.unwrap();
        let seen: Vec<_> = listed
            .iter()
            .map(|c| (c.name.as_str(), c.hotkey, c.position))
            .collect();
        assert_eq!(seen, [("b", Some(1), 0), ("a", None, 1), ("c", None, 2)]);
        assert!(
            refusal(studio.categories.update(&mo, a, key(Some(10))).await)
                .for_field("hotkey")
                .is_some()
        );
        studio.categories.update(&mo, b, key(None)).await.unwrap();

        let rename = |name: &str| UpdateCategory {
            name: Some(name.into()),
            ..UpdateCategory::default()
        };
        assert_eq!(
            code(studio.categories.update(&mo, a, rename("B")).await),
            Code::AlreadyExists
        );
        assert_eq!(
            code(studio.categories.create(&mo, p, new(" b ", None)).await),
            Code::AlreadyExists
        );
        studio.categories.create(&mo, p, new("b", Some(c))).await.unwrap();
        let html = studio
            .categories
            .update(&mo, a, rename("<img src=x onerror=alert(1)>"))
            .await
            .unwrap();
        assert_eq!(html.name, "<img src=x onerror=alert(1)>");
        let paint = |color: &str| UpdateCategory {
            color: Some(color.into()),
            ..UpdateCategory::default()
        };
        assert_eq!(
            studio
                .categories
                .update(&mo, a, paint("#ABCDEF"))
                .await
                .unwrap()
                .color,
            "#abcdef"
        );
        assert!(
            refusal(studio.categories.update(&mo, a, paint("url(x)")).await)
                .for_field("color")
                .is_some()
        );
        let to_end = UpdateCategory {
            position: Some(i64::MAX),
            ..UpdateCategory::default()
        };
        studio.categories.update(&mo, b, to_end).await.unwrap();
        assert_eq!(
            names(&studio, &mo, p).await,
            ["<img src=x onerror=alert(1)>", "c", "b", "b"]
        );
    })
    .await;
}

#[tokio::test]
async fn export_ids_are_given_once() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["a", "b"]).await;
        let asked = |name: &str, id| NewCategory {
            export_id: Some(id),
            ..new(name, None)
        };
        assert_eq!(
            studio
                .categories
                .create(&mo, p, asked("far", 90))
                .await
                .unwrap()
                .export_id,
            90
        );
        assert_eq!(
            studio
                .categories
                .create(&mo, p, asked("gap", 7))
                .await
                .unwrap()
                .export_id,
            7
        );
        assert_eq!(
            studio
                .categories
                .create(&mo, p, new("next", None))
                .await
                .unwrap()
                .export_id,
            91
        );
        studio.categories.remove(&mo, all[1].id).await.unwrap();
        for taken in [1, 2, 90] {
            let e = refusal(studio.categories.create(&mo, p, asked("x", taken)).await);
            assert!(
                e.for_field("export_id").is_some_and(|m| m.contains("92")),
                "{e:?}"
            );
        }
        for bad in [0, -1, i64::MAX] {
            let e = refusal(studio.categories.create(&mo, p, asked("x", bad)).await);
            assert!(e.for_field("export_id").is_some(), "{e:?}");
        }
        assert_eq!(
            studio
                .categories
                .create(&mo, p, new("b", None))
                .await
                .unwrap()
                .export_id,
            92
        );
    })
    .await;
}

#[tokio::test]
async fn merging_moves_labels_and_children() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["cat", "dog", "car"]).await;
        let [cat, dog, car] = [all[0].id, all[1].id, all[2].id];
        let kitten = studio
            .categories
            .create(&mo, p, new("kitten", Some(cat)))
            .await
            .unwrap()
            .id;
        let items = build::items(&db, p, "a", 3).await;
        let r0 = label(&studio, &mo, items[0], &[cat, dog, kitten]).await;
        let r1 = label(&studio, &mo, items[1], &[cat]).await;
        let r2 = label(&studio, &mo, items[2], &[car]).await;
        let impact = studio.categories.impact(&mo, cat).await.unwrap();
        assert_eq!(
            impact,
            CategoryImpact {
                annotations: 3,
                items: 2,
                children: 1
            }
        );
        assert!(
            refusal(studio.categories.merge(&mo, cat, cat).await)
                .for_field("into")
                .is_some()
        );
        assert_eq!(
            code(studio.categories.merge(&mo, cat, CategoryId::new()).await),
            Code::NotFound
        );
        studio.categories.merge(&mo, cat, dog).await.unwrap();

        let listed = studio.categories.list(&mo, p).await.unwrap();
        let seen: Vec<_> = listed
            .iter()
            .map(|c| (c.name.as_str(), c.annotation_count, c.item_count))
            .collect();
        // The item with both has one label of it now.
        assert_eq!(seen, [("dog", 2, 2), ("car", 1, 1), ("kitten", 1, 1)]);
        assert_eq!(listed[2].parent_id, None);
        for (item, was, moved, labels) in [
            (items[0], r0, true, 2),
            (items[1], r1, true, 1),
            (items[2], r2, false, 1),
        ] {
            let is = studio.annotations.get(&mo, item).await.unwrap();
            assert_eq!(is.annotations.len(), labels);
            assert_eq!(is.revision > was, moved, "open editors notice");
            assert_eq!(
                studio.items.get(&mo, item).await.unwrap().annotation_count,
                labels as i64
            );
        }
        let log = studio.activities.list(&mo, Some(p), None, Some(1)).await.unwrap();
        assert!(
            log.rows[0].summary.starts_with("merged “cat” into “dog”"),
            "{}",
            log.rows[0].summary
        );
    })
    .await;
}

#[tokio::test]
async fn a_child_that_would_clash_keeps_its_parent() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["cat", "dog", "tabby"]).await;
        studio
            .categories
            .create(&mo, p, new("Tabby", Some(all[0].id)))
            .await
            .unwrap();
        let e = refusal(studio.categories.merge(&mo, all[0].id, all[1].id).await);
        assert_eq!(e.code, Code::AlreadyExists);
        assert!(e.message.contains("Tabby"), "{}", e.message);
        assert_eq!(
            names(&studio, &mo, p).await,
            ["cat", "Tabby", "dog", "tabby"],
            "nothing half done"
        );
    })
    .await;
}

#[tokio::test]
async fn removing_takes_descendants_and_their_labels() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["cat", "dog"]).await;
        let [cat, dog] = [all[0].id, all[1].id];
        let kitten = studio
            .categories
            .create(&mo, p, new("kitten", Some(cat)))
            .await
            .unwrap()
            .id;
        let items = build::items(&db, p, "a", 2).await;
        let before = label(&studio, &mo, items[0], &[kitten, dog]).await;
        label(&studio, &mo, items[1], &[dog]).await;
        studio.categories.remove(&mo, cat).await.unwrap();
        assert_eq!(names(&studio, &mo, p).await, ["dog"]);
        let is = studio.annotations.get(&mo, items[0]).await.unwrap();
        assert_eq!(
            is.annotations.iter().map(|a| a.category_id).collect::<Vec<_>>(),
            [dog]
        );
        assert!(is.revision > before);
        assert_eq!(studio.items.get(&mo, items[0]).await.unwrap().annotation_count, 1);
        assert_eq!(code(studio.categories.remove(&mo, cat).await), Code::NotFound);
        // An editor that still shows the label is told when it saves.
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: before,
            upserts: vec![],
            removes: vec![],
            active_ms: 0,
            attributes: None,
        };
        let outcome = studio.annotations.save(&mo, items[0], change).await.unwrap();
        assert!(matches!(outcome, SaveOutcome::Conflict { .. }), "{outcome:?}");
    })
    .await;
}

#[tokio::test]
async fn removing_and_labeling_at_once_end_in_one_of_two_ways() {
    on_both(async |db| {
        let (studio, mo, p, all) = with(&db, &["cat", "dog"]).await;
        let cat = all[0].id;
        let items = build::items(&db, p, "a", 40).await;
        // Half of them have such a label already, so that both sides want the same rows in another order.
        for item in &items[..20] {
            label(&studio, &mo, *item, &[cat]).await;
        }
        let save = async |n: usize, item: ItemId| {
            let change = SaveChange {
                change_id: ChangeId::new(),
                base_revision: i64::from(n < 20),
                upserts: vec![Annotation {
                    id: AnnotationId::new(),
                    category_id: cat,
                    shape: Shape::Whole,
                    z: 0,
                    source: Source::Human,
                    score: None,
                    attributes: limn_domain::Attributes::new(),
                    links: limn_domain::Links::default(),
                }],
                removes: vec![],
                active_ms: 0,
                attributes: None,
            };
            studio.annotations.save(&mo, item, change).await
        };
        let saves = futures::future::join_all(items.iter().enumerate().map(|(n, i)| save(n, *i)));
        let (removed, saved) = tokio::join!(studio.categories.remove(&mo, cat), saves);
        removed.unwrap();
        for outcome in saved {
            // Saved before the removal, or refused with a reason; never a failure inside.
            if let Err(e) = outcome {
                assert_ne!(e.into_api().code, Code::Internal);
            }
        }
        for item in items {
            assert_eq!(studio.annotations.get(&mo, item).await.unwrap().annotations, []);
            assert_eq!(studio.items.get(&mo, item).await.unwrap().annotation_count, 0);
        }
    })
    .await;
}
