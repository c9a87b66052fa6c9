//! Item lists and bulk actions.

use crate::labels::{World, boxed, change, code, whole};
use limn_domain::item::{BulkAction, ItemQuery, ItemSelection, ItemSort, ItemStatus};
use limn_domain::project::Task;
use limn_domain::{CategoryId, Code, ItemId, Rect};
use limn_services::{Actor, Error};
use limn_testkit::{build, on_both};
use std::collections::BTreeMap;

#[tokio::test]
async fn pages_show_each_item_once_while_items_are_added() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 23).await;
        for sort in [
            ItemSort::Added,
            ItemSort::Name,
            ItemSort::Updated,
            ItemSort::Annotations,
        ] {
            let (mut cursor, mut seen, mut rounds) = (None, BTreeMap::new(), 0);
            loop {
                let query = ItemQuery {
                    sort,
                    cursor,
                    limit: Some(5),
                    ..ItemQuery::default()
                };
                let page = w.studio.items.list(&w.viewer, w.project, query).await.unwrap();
                assert_eq!(page.total.is_some(), rounds == 0);
                for row in page.rows {
                    *seen.entry(row.item.id).or_insert(0) += 1;
                }
                cursor = page.next;
                rounds += 1;
                if cursor.is_none() || rounds > 60 {
                    break;
                }
                // Before, between and after those seen.
                for prefix in ["a", "img/0", "z"] {
                    build::items(
                        &db,
                        w.project,
                        &format!("{prefix}{sort:?}{rounds}-"),
                        usize::from(rounds < 9),
                    )
                    .await;
                }
            }
            assert!(w.items.iter().all(|id| seen.get(id) == Some(&1)), "{sort:?}");
            assert!(seen.values().all(|n| *n == 1), "{sort:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_filter_and_carry_labels() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 12).await;
        for (n, id) in w.items.iter().enumerate().take(4) {
            let labels = (0..=n)
                .map(|k| boxed(w.categories[k % 2], Rect::new(k as f64, 0., 9., 9.)))
                .collect();
            w.submit(&w.ana, *id, 0, Some(change(0, labels))).await.unwrap();
        }
        let list = async |query: ItemQuery| w.studio.items.list(&w.viewer, w.project, query).await.unwrap();
        let done = list(ItemQuery {
            status: Some(ItemStatus::Done),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!((done.total, done.rows.len()), (Some(4), 4));
        assert!(
            done.rows
                .iter()
                .enumerate()
                .all(|(n, r)| r.annotations.len() == n + 1)
        );
        assert_eq!(done.rows[0].item.done_by_name.as_deref(), Some("Ana"));
        let most = list(ItemQuery {
            sort: ItemSort::Annotations,
            limit: Some(1),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!((most.rows[0].item.id, most.total), (w.items[3], Some(12)));
        let b = list(ItemQuery {
            category_id: Some(w.categories[1]),
            limit: Some(2),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!((b.rows.len(), b.total), (2, Some(3)));
        let hers = list(ItemQuery {
            annotator_id: w.ana.user_id(),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!(hers.rows.len(), 4);
        let text = list(ItemQuery {
            text: Some(" IMG/00".into()),
            limit: Some(200),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!(text.rows.len(), 10);
        let unknown = list(ItemQuery {
            category_id: Some(CategoryId::new()),
            ..ItemQuery::default()
        })
        .await;
        assert_eq!((unknown.rows.len(), unknown.total), (0, Some(0)));

        for (hostile, field) in [
            (
                ItemQuery {
                    limit: Some(0),
                    ..ItemQuery::default()
                },
                "limit",
            ),
            (
                ItemQuery {
                    limit: Some(i64::MAX),
                    ..ItemQuery::default()
                },
                "limit",
            ),
            (
                ItemQuery {
                    text: Some("x".repeat(201)),
                    ..ItemQuery::default()
                },
                "text",
            ),
            (
                ItemQuery {
                    text: Some("a\0".into()),
                    ..ItemQuery::default()
                },
                "text",
            ),
            (
                ItemQuery {
                    cursor: Some(String::new()),
                    ..ItemQuery::default()
                },
                "cursor",
            ),
            (
                ItemQuery {
                    cursor: Some("'; DROP TABLE item; --".into()),
                    ..ItemQuery::default()
                },
                "cursor",
            ),
            (
                ItemQuery {
                    cursor: Some("f".repeat(100_000)),
                    ..ItemQuery::default()
                },
                "cursor",
            ),
            (
                ItemQuery {
                    cursor: most.next,
                    ..ItemQuery::default()
                },
                "cursor",
            ),
        ] {
            let e = w
                .studio
                .items
                .list(&w.viewer, w.project, hostile)
                .await
                .map_err(Error::into_api)
                .unwrap_err();
            assert_eq!((e.code, e.fields[0].field.as_str()), (Code::InvalidInput, field));
        }
        for (who, expected) in [
            (&w.outsider, Code::NotFound),
            (&Actor::Anonymous, Code::SignInRequired),
        ] {
            let e = w
                .studio
                .items
                .list(who, w.project, ItemQuery::default())
                .await
                .map_err(Error::into_api);
            assert_eq!(code(e), expected);
            assert_eq!(
                code(w.studio.items.get(who, w.items[0]).await.map_err(Error::into_api)),
                expected
            );
        }
    })
    .await;
}

fn matching(query: ItemQuery) -> ItemSelection {
    ItemSelection::Matching(query)
}

#[tokio::test]
async fn bulk_actions() {
    on_both(async |db| {
        let w = World::new(&db, Task::Classification, 30).await;
        let (a, b) = (w.categories[0], w.categories[1]);
        let bulk = async |who: &Actor, selection: ItemSelection, action: BulkAction| {
            w.studio
                .items
                .bulk(who, w.project, selection, action)
                .await
                .map(|o| o.changed)
                .map_err(Error::into_api)
        };
        let progress = async || {
            w.studio
                .projects
                .get(&w.manager, w.project)
                .await
                .unwrap()
                .summary
                .progress
        };
        let first = ItemSelection::Ids(w.items[..10].to_vec());
        let all = || matching(ItemQuery::default());

        for who in [&w.ana, &w.viewer] {
            assert_eq!(
                code(bulk(who, first.clone(), BulkAction::Classify(a)).await),
                Code::Forbidden
            );
        }
        assert_eq!(
            code(bulk(&w.reviewer, first.clone(), BulkAction::Delete).await),
            Code::Forbidden
        );
        assert_eq!(
            code(bulk(&w.outsider, first.clone(), BulkAction::Delete).await),
            Code::NotFound
        );
        assert_eq!(
            code(bulk(&w.manager, first.clone(), BulkAction::Classify(CategoryId::new())).await),
            Code::InvalidInput
        );
        let many = ItemSelection::Ids((0..5_001).map(|_| ItemId::new()).collect());
        assert_eq!(
            code(bulk(&w.manager, many, BulkAction::Requeue).await),
            Code::InvalidInput
        );

        w.save(&w.ana, w.items[0], change(0, vec![whole(b)]))
            .await
            .unwrap();
        assert_eq!(
            bulk(&w.reviewer, first.clone(), BulkAction::Classify(a)).await,
            Ok(10)
        );
        assert_eq!(
            bulk(&w.reviewer, first.clone(), BulkAction::Classify(a)).await,
            Ok(0),
            "done already"
        );
        assert_eq!(
            w.labels(w.items[0])
                .await
                .iter()
                .map(|l| l.category_id)
                .collect::<Vec<_>>(),
            [a]
        );
        assert_eq!((progress().await.done, progress().await.todo), (10, 20));
        let done = ItemQuery {
            status: Some(ItemStatus::Done),
            ..ItemQuery::default()
        };
        assert_eq!(
            bulk(&w.manager, matching(done), BulkAction::Requeue).await,
            Ok(10)
        );
        assert_eq!(progress().await.todo, 30);
        assert_eq!(w.labels(w.items[0]).await.len(), 1, "labels stay");
        assert_eq!(
            bulk(&w.manager, first.clone(), BulkAction::ClearAnnotations).await,
            Ok(10)
        );
        assert_eq!(w.labels(w.items[0]).await, []);
        // An editor that still shows the label is told.
        let late = w
            .save(&w.ana, w.items[0], change(1, vec![whole(b)]))
            .await
            .unwrap();
        assert!(matches!(
            late,
            limn_domain::annotation::SaveOutcome::Conflict { .. }
        ));
        let named = ItemQuery {
            text: Some("img/01".into()),
            ..ItemQuery::default()
        };
        assert_eq!(
            bulk(&w.manager, matching(named), BulkAction::Delete).await,
            Ok(10)
        );
        let mixed = ItemSelection::Ids(vec![w.items[0], w.items[0], w.items[10], ItemId::new()]);
        assert_eq!(bulk(&w.manager, mixed, BulkAction::Delete).await, Ok(1));
        assert_eq!((progress().await.total, progress().await.todo), (19, 19));
        assert_eq!(
            code(
                w.studio
                    .items
                    .get(&w.ana, w.items[0])
                    .await
                    .map_err(Error::into_api)
            ),
            Code::NotFound
        );
        assert_eq!(bulk(&w.manager, all(), BulkAction::Delete).await, Ok(19));
        assert_eq!(bulk(&w.manager, all(), BulkAction::Delete).await, Ok(0));
        let log = w
            .studio
            .activities
            .list(&w.manager, Some(w.project), None, None)
            .await
            .unwrap();
        assert!(
            log.rows
                .iter()
                .any(|l| l.summary == "classified 10 items" && l.actor_name == "Rita")
        );
        assert!(log.rows.iter().any(|l| l.summary == "deleted 1 item"));
    })
    .await;
}

#[tokio::test]
async fn boxes_are_not_classified_and_large_selections_take_several_transactions() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 0).await;
        build::items(&db, w.project, "i", 6_200).await;
        let all = || matching(ItemQuery::default());
        let classify = w
            .studio
            .items
            .bulk(
                &w.manager,
                w.project,
                all(),
                BulkAction::Classify(w.categories[0]),
            )
            .await;
        assert_eq!(code(classify.map_err(Error::into_api)), Code::WrongState);
        let deleted = w
            .studio
            .items
            .bulk(&w.manager, w.project, all(), BulkAction::Delete)
            .await
            .unwrap();
        assert_eq!(deleted.changed, 6_200);
        let log = w
            .studio
            .activities
            .list(&w.manager, Some(w.project), None, None)
            .await
            .unwrap();
        assert_eq!(log.rows.iter().filter(|l| l.verb == "item.delete").count(), 1);
        assert_eq!(w.studio.queue.state(&w.ana, w.project).await.unwrap().total, 0);
    })
    .await;
}
