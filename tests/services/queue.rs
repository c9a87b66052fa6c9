//! The queue as people use it.

use crate::labels::{World, boxed, change, code};
use limn_domain::annotation::SaveOutcome;
use limn_domain::item::ItemStatus;
use limn_domain::project::{ProjectSettings, ProjectStatus, Task, UpdateProject};
use limn_domain::queue::{Skip, Submit};
use limn_domain::{Annotation, Code, ItemId, ProjectId, Rect, Source};
use limn_services::{Actor, Error};
use limn_testkit::on_both;

fn ids(taken: &limn_domain::queue::Taken) -> Vec<ItemId> {
    taken.items.iter().map(|w| w.item.id).collect()
}

#[tokio::test]
async fn a_labelers_day() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 5).await;
        let (q, c) = (&w.studio.queue, w.categories[0]);
        let mine = q.mine(&w.ana).await.unwrap();
        assert_eq!((mine.len(), mine[0].in_hand, mine[0].state.todo), (1, 0, 5));
        assert_eq!(q.mine(&w.viewer).await.unwrap(), []);
        assert_eq!(q.mine(&w.outsider).await.unwrap(), []);

        let taken = q.take(&w.ana, w.project, 2).await.unwrap();
        assert_eq!(ids(&taken), w.items[..2]);
        assert_eq!(
            taken.items[0].lease_until,
            Some(w.studio.clock.now().plus_seconds(600))
        );
        assert_eq!(
            (
                taken.state.todo,
                taken.state.held_by_others,
                taken.state.done_by_me
            ),
            (5, 0, 0)
        );
        let his = q.take(&w.bo, w.project, 1).await.unwrap();
        assert_eq!((ids(&his), his.state.held_by_others), (vec![w.items[2]], 2));

        // Submit with the last edit riding along; sent again, it is answered the same.
        let last = change(0, vec![boxed(c, Rect::new(1., 1., 9., 9.))]);
        for _ in 0..3 {
            let done = w.submit(&w.ana, w.items[0], 0, Some(last.clone())).await;
            assert_eq!(done, Ok(SaveOutcome::Saved { revision: 1 }));
        }
        let state = q.state(&w.ana, w.project).await.unwrap();
        assert_eq!(
            (state.todo, state.total, state.done_by_me, state.held_by_others),
            (4, 5, 1, 1)
        );

        // An edit that was saved by itself, and then rides along again.
        let edit = change(0, vec![boxed(c, Rect::new(1., 1., 9., 9.))]);
        w.save(&w.ana, w.items[1], edit.clone()).await.unwrap();
        let done = w.submit(&w.ana, w.items[1], 0, Some(edit)).await;
        assert_eq!(done, Ok(SaveOutcome::Saved { revision: 1 }));
        assert_eq!(
            w.studio.items.get(&w.ana, w.items[1]).await.unwrap().status,
            ItemStatus::Done
        );

        // Looking back, and correcting.
        let history = q.history(&w.ana, w.project, None).await.unwrap();
        assert_eq!(
            history.rows.iter().map(|i| i.id).collect::<Vec<_>>(),
            [w.items[1], w.items[0]]
        );
        let again = q.open(&w.ana, w.items[0]).await.unwrap();
        assert_eq!(
            (again.lease_until, again.held_by, again.annotations.revision),
            (None, None, 1)
        );
        let better = change(1, vec![boxed(c, Rect::new(5., 5., 9., 9.))]);
        assert_eq!(
            w.submit(&w.ana, w.items[0], 1, Some(better)).await,
            Ok(SaveOutcome::Saved { revision: 2 })
        );
        assert_eq!(
            q.state(&w.ana, w.project).await.unwrap().done_by_me,
            2,
            "once is once"
        );

        let log = w
            .studio
            .activities
            .list(&w.manager, Some(w.project), None, None)
            .await
            .unwrap();
        assert!(
            log.rows.iter().any(|a| a.summary == "submitted 3 items"),
            "{log:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn opening_an_item() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let q = &w.studio.queue;
        let seen = q.open(&w.viewer, w.items[0]).await.unwrap();
        assert_eq!(
            (seen.lease_until, seen.item.leased_by),
            (None, None),
            "looking leases nothing"
        );
        let hers = q.open(&w.ana, w.items[0]).await.unwrap();
        assert!(hers.lease_until.is_some() && hers.held_by.is_none());
        for other in [&w.bo, &w.viewer, &Actor::System] {
            let seen = q.open(other, w.items[0]).await.unwrap();
            assert_eq!((seen.lease_until, seen.held_by.as_deref()), (None, Some("Ana")));
        }
        for (who, expected) in [
            (&w.outsider, Code::NotFound),
            (&Actor::Anonymous, Code::SignInRequired),
        ] {
            assert_eq!(
                code(q.open(who, w.items[0]).await.map_err(Error::into_api)),
                expected
            );
        }
        assert_eq!(
            code(q.open(&w.ana, ItemId::new()).await.map_err(Error::into_api)),
            Code::NotFound
        );
        let pause = UpdateProject {
            status: Some(ProjectStatus::Paused),
            ..UpdateProject::default()
        };
        w.studio
            .projects
            .update(&w.manager, w.project, pause)
            .await
            .unwrap();
        assert_eq!(
            q.open(&w.bo, w.items[1]).await.unwrap().lease_until,
            None,
            "paused: nothing new"
        );
        assert!(
            q.open(&w.ana, w.items[0]).await.unwrap().lease_until.is_some(),
            "what is in hand stays"
        );
        assert_eq!(ids(&q.take(&w.ana, w.project, 5).await.unwrap()), w.items[..1]);
        assert_eq!(ids(&q.take(&w.bo, w.project, 5).await.unwrap()), []);
        assert_eq!(q.mine(&w.ana).await.unwrap().len(), 1);
        assert_eq!(q.mine(&w.bo).await.unwrap().len(), 0);
        let done = w.submit(&w.ana, w.items[0], 0, None).await;
        assert_eq!(
            done,
            Ok(SaveOutcome::Saved { revision: 0 }),
            "work in hand can be submitted"
        );
    })
    .await;
}

#[tokio::test]
async fn skipping() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 3).await;
        let q = &w.studio.queue;
        let settings = ProjectSettings {
            skip_needs_reason: true,
            ..ProjectSettings::default()
        };
        let update = UpdateProject {
            settings: Some(settings),
            ..UpdateProject::default()
        };
        w.studio
            .projects
            .update(&w.manager, w.project, update)
            .await
            .unwrap();
        q.take(&w.ana, w.project, 1).await.unwrap();
        let skip = async |who: &Actor, item: ItemId, reason: Option<&str>| {
            let input = Skip {
                reason: reason.map(str::to_owned),
            };
            q.skip(who, item, input).await.map_err(Error::into_api)
        };
        for bad in [
            None,
            Some(""),
            Some("  \n "),
            Some("a\0b"),
            Some(&*"x".repeat(501)),
        ] {
            let e = skip(&w.ana, w.items[0], bad).await.unwrap_err();
            assert_eq!(e.fields[0].field, "reason", "{bad:?}");
        }
        assert_eq!(code(skip(&w.bo, w.items[0], Some("mine")).await), Code::ItemTaken);
        assert_eq!(
            code(skip(&w.viewer, w.items[1], Some("no")).await),
            Code::Forbidden
        );
        assert_eq!(
            code(skip(&w.outsider, w.items[1], Some("no")).await),
            Code::NotFound
        );
        for _ in 0..2 {
            skip(&w.ana, w.items[0], Some(" blurred <b> ")).await.unwrap();
        }
        let it = w.studio.items.get(&w.ana, w.items[0]).await.unwrap();
        assert_eq!(
            (it.status, it.skip_reason.as_deref()),
            (ItemStatus::Skipped, Some("blurred <b>"))
        );
        assert_eq!(code(skip(&w.bo, w.items[0], Some("too")).await), Code::WrongState);
        assert_eq!(code(w.submit(&w.bo, w.items[0], 0, None).await), Code::Forbidden);
        let done = w.submit(&w.ana, w.items[0], 0, None).await;
        assert_eq!(
            done,
            Ok(SaveOutcome::Saved { revision: 0 }),
            "one's own skip can be taken back"
        );
        assert_eq!(
            code(skip(&w.ana, w.items[0], Some("again")).await),
            Code::WrongState
        );
        let state = q.state(&w.ana, w.project).await.unwrap();
        assert_eq!((state.todo, state.done_by_me), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn leases_live_by_heartbeats() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 4).await;
        let q = &w.studio.queue;
        let two = ids(&q.take(&w.ana, w.project, 2).await.unwrap());
        w.studio.clock.advance_seconds(500);
        let asked = vec![two[0], two[0], w.items[3]];
        let beat = q.heartbeat(&w.ana, w.project, asked).await.unwrap();
        assert_eq!((beat.kept, beat.lost), (vec![two[0]], vec![w.items[3]]));
        w.studio.clock.advance_seconds(200);
        // The other one went back by itself.
        assert_eq!(ids(&q.take(&w.bo, w.project, 1).await.unwrap()), [two[1]]);
        let beat = q.heartbeat(&w.ana, w.project, two.clone()).await.unwrap();
        assert_eq!((beat.kept, beat.lost), (vec![two[0]], vec![two[1]]));
        q.release(&w.ana, w.project, two.clone()).await.unwrap();
        w.studio.clock.advance_seconds(1);
        assert_eq!(ids(&q.take(&w.bo, w.project, 2).await.unwrap()), [two[1], two[0]]);

        let refused = [
            code(
                q.heartbeat(&w.viewer, w.project, vec![])
                    .await
                    .map_err(Error::into_api),
            ),
            code(
                q.heartbeat(&w.outsider, w.project, vec![])
                    .await
                    .map_err(Error::into_api),
            ),
            code(
                q.heartbeat(&w.ana, ProjectId::new(), vec![])
                    .await
                    .map_err(Error::into_api),
            ),
            code(
                q.heartbeat(&w.ana, w.project, vec![two[0]; 201])
                    .await
                    .map_err(Error::into_api),
            ),
            code(
                q.release(&w.viewer, w.project, vec![])
                    .await
                    .map_err(Error::into_api),
            ),
            code(q.take(&w.viewer, w.project, 1).await.map_err(Error::into_api)),
            code(
                q.take(&Actor::System, w.project, 1)
                    .await
                    .map_err(Error::into_api),
            ),
            code(q.take(&w.ana, w.project, 0).await.map_err(Error::into_api)),
            code(q.take(&w.ana, w.project, i64::MAX).await.map_err(Error::into_api)),
            code(q.state(&w.outsider, w.project).await.map_err(Error::into_api)),
        ];
        use Code::{Forbidden, InvalidInput, NotFound, SignInRequired};
        let expected = [
            Forbidden,
            NotFound,
            NotFound,
            InvalidInput,
            Forbidden,
            Forbidden,
            SignInRequired,
            InvalidInput,
            InvalidInput,
            NotFound,
        ];
        assert_eq!(refused, expected);
    })
    .await;
}

#[tokio::test]
async fn proposals_wait_with_the_item() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let proposal = Annotation {
            source: Source::Prelabel,
            score: Some(0.25),
            ..boxed(w.categories[0], Rect::new(1., 1., 9., 9.))
        };
        w.save(&w.manager, w.items[0], change(0, vec![proposal.clone()]))
            .await
            .unwrap();
        let progress = async || {
            w.studio
                .projects
                .get(&w.manager, w.project)
                .await
                .unwrap()
                .summary
                .progress
        };
        assert_eq!(progress().await.prelabeled, 1);
        let taken = w.studio.queue.take(&w.ana, w.project, 2).await.unwrap();
        assert_eq!(
            taken.items[0].annotations.annotations,
            std::slice::from_ref(&proposal)
        );
        assert_eq!(taken.items[0].annotations.updated_by_name.as_deref(), Some("Max"));
        assert_eq!(taken.items[1].annotations.annotations, []);
        let confirmed = Annotation {
            source: Source::Human,
            score: None,
            ..proposal
        };
        w.save(&w.ana, w.items[0], change(1, vec![confirmed]))
            .await
            .unwrap();
        assert_eq!(progress().await.prelabeled, 0);
    })
    .await;
}

#[tokio::test]
async fn history_has_pages() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 120).await;
        let q = &w.studio.queue;
        for (n, id) in w.items.iter().enumerate() {
            if n % 3 == 0 {
                w.studio.clock.advance_seconds(1);
            }
            q.submit(
                &w.ana,
                *id,
                Submit {
                    revision: 0,
                    change: None,
                },
            )
            .await
            .unwrap();
        }
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let page = q.history(&w.ana, w.project, cursor).await.unwrap();
            assert!(page.rows.len() <= 50);
            seen.extend(page.rows.into_iter().map(|i| i.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let newest_first: Vec<_> = w.items.iter().rev().copied().collect();
        assert_eq!(seen, newest_first);
        for bad in ["x", "", "6162", &"00".repeat(9_000)] {
            let e = q
                .history(&w.ana, w.project, Some(bad.to_owned()))
                .await
                .map_err(Error::into_api);
            assert_eq!(e.unwrap_err().fields[0].field, "cursor");
        }
    })
    .await;
}
