//! Saving labels: idempotent, checked, and never over somebody else's work.

use limn_domain::annotation::{SaveChange, SaveOutcome};
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::token::TokenScope;
use limn_domain::{
    Annotation, AnnotationId, ApiError, CategoryId, ChangeId, Code, ItemId, ProjectId, Rect, Role, Shape,
    Source, TokenId,
};
use limn_services::{Actor, Error};
use limn_testkit::{Studio, TestDb, build, on_both};

pub(crate) fn boxed(category_id: CategoryId, rect: Rect) -> Annotation {
    Annotation {
        id: AnnotationId::new(),
        category_id,
        shape: Shape::Box { rect },
        z: 0,
        source: Source::Human,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    }
}

pub(crate) fn whole(category_id: CategoryId) -> Annotation {
    Annotation {
        shape: Shape::Whole,
        ..boxed(category_id, Rect::default())
    }
}

pub(crate) fn change(base_revision: i64, upserts: Vec<Annotation>) -> SaveChange {
    SaveChange {
        change_id: ChangeId::new(),
        base_revision,
        upserts,
        removes: vec![],
        active_ms: 10,
        attributes: None,
    }
}

/// A project with a manager, a reviewer, two labelers and a viewer.
pub(crate) struct World {
    pub studio: Studio,
    pub project: ProjectId,
    pub categories: Vec<CategoryId>,
    pub items: Vec<ItemId>,
    pub manager: Actor,
    pub reviewer: Actor,
    pub ana: Actor,
    pub bo: Actor,
    pub viewer: Actor,
    pub outsider: Actor,
}

impl World {
    pub async fn new(db: &TestDb, task: Task, items: usize) -> Self {
        let studio = Studio::new(db);
        let project = build::project(db, &format!("{task:?}"), task).await;
        let categories = build::categories(db, project, &["a", "b"]).await;
        let mut people = Vec::new();
        for (name, role) in [
            ("Max", Role::Manager),
            ("Rita", Role::Reviewer),
            ("Ana", Role::Labeler),
            ("Bo", Role::Labeler),
            ("Vic", Role::Viewer),
        ] {
            let actor = studio.person(name, Role::Labeler).await;
            build::member(db, project, actor.user_id().unwrap(), role).await;
            people.push(actor);
        }
        let outsider = studio.person("Odd", Role::Manager).await;
        let items = build::items(db, project, "img/", items).await;
        let mut people = people.into_iter();
        let mut next = || people.next().unwrap();
        Self {
            project,
            categories,
            items,
            manager: next(),
            reviewer: next(),
            ana: next(),
            bo: next(),
            viewer: next(),
            outsider,
            studio,
        }
    }

    pub async fn save(
        &self,
        actor: &Actor,
        item: ItemId,
        change: SaveChange,
    ) -> Result<SaveOutcome, ApiError> {
        self.studio
            .annotations
            .save(actor, item, change)
            .await
            .map_err(Error::into_api)
    }

    pub async fn submit(
        &self,
        actor: &Actor,
        item: ItemId,
        revision: i64,
        change: Option<SaveChange>,
    ) -> Result<SaveOutcome, ApiError> {
        self.studio
            .queue
            .submit(actor, item, Submit { revision, change })
            .await
            .map_err(Error::into_api)
    }

    pub async fn labels(&self, item: ItemId) -> Vec<Annotation> {
        self.studio
            .annotations
            .get(&self.manager, item)
            .await
            .unwrap()
            .annotations
    }
}

pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, ApiError>) -> Code {
    result.expect_err("this is refused").code
}

const SAVED: fn(i64) -> Result<SaveOutcome, ApiError> = |revision| Ok(SaveOutcome::Saved { revision });

#[tokio::test]
async fn an_edit_sent_again_is_answered_as_the_first_time() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let first = change(0, vec![boxed(c, Rect::new(1.5, 2.25, 10.0, 20.0))]);
        assert_eq!(w.save(&w.ana, item, first.clone()).await, SAVED(1));
        let second = SaveChange {
            removes: vec![first.upserts[0].id],
            ..change(1, vec![boxed(c, Rect::new(0., 0., 1., 1.))])
        };
        assert_eq!(w.save(&w.ana, item, second.clone()).await, SAVED(2));
        for _ in 0..2 {
            assert_eq!(w.save(&w.ana, item, first.clone()).await, SAVED(1));
            assert_eq!(w.save(&w.ana, item, second.clone()).await, SAVED(2));
        }
        assert_eq!(w.labels(item).await, second.upserts);
        // Also after the item has gone to somebody else.
        w.studio.clock.advance_seconds(3_600);
        w.studio.queue.open(&w.bo, item).await.unwrap();
        assert_eq!(w.save(&w.ana, item, second.clone()).await, SAVED(2));
        // The same change for another item is another change.
        let there = w
            .save(
                &w.bo,
                w.items[1],
                SaveChange {
                    base_revision: 7,
                    ..first
                },
            )
            .await;
        assert!(matches!(there, Ok(SaveOutcome::Conflict { current }) if current.revision == 0));
    })
    .await;
}

#[tokio::test]
async fn a_conflict_writes_nothing_and_shows_what_is_there() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let first = change(0, vec![boxed(c, Rect::new(1., 1., 2., 2.))]);
        w.save(&w.ana, item, first.clone()).await.unwrap();
        for base in [0, 2, 99] {
            let late = change(base, vec![boxed(c, Rect::new(9., 9., 2., 2.))]);
            let Ok(SaveOutcome::Conflict { current }) = w.save(&w.reviewer, item, late.clone()).await else {
                panic!("base {base} is not the revision");
            };
            assert_eq!((current.revision, &current.annotations), (1, &first.upserts));
            assert_eq!(current.updated_by_name.as_deref(), Some("Ana"));
            let submitted = w.submit(&w.reviewer, item, base, Some(late)).await;
            assert!(matches!(submitted, Ok(SaveOutcome::Conflict { .. })));
            let submitted = w.submit(&w.reviewer, item, base, None).await;
            assert!(matches!(submitted, Ok(SaveOutcome::Conflict { .. })));
        }
        assert_eq!(w.labels(item).await, first.upserts);
        assert_eq!(
            w.studio.items.get(&w.ana, item).await.unwrap().status,
            ItemStatus::Todo
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_edits_at_once_on_one_revision_one_is_saved() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let mut tasks = tokio::task::JoinSet::new();
        let same = change(0, vec![boxed(c, Rect::new(1., 1., 2., 2.))]);
        for n in 0..24 {
            // Three edits, each sent eight times over.
            let change = match n % 3 {
                0 => same.clone(),
                k => SaveChange {
                    change_id: format!("01900000-0000-7000-8000-00000000000{k}").parse().unwrap(),
                    ..change(0, vec![boxed(c, Rect::new(f64::from(k), 1., 2., 2.))])
                },
            };
            let (studio, ana) = (w.studio.clone(), w.ana.clone());
            tasks.spawn(async move {
                (
                    change.change_id,
                    studio.annotations.save(&ana, item, change).await.unwrap(),
                )
            });
        }
        let mut saved = std::collections::BTreeMap::new();
        while let Some(done) = tasks.join_next().await {
            let (id, outcome) = done.unwrap();
            let ok = outcome == SaveOutcome::Saved { revision: 1 };
            assert!(ok || matches!(outcome, SaveOutcome::Conflict { .. }));
            assert_eq!(*saved.entry(id).or_insert(ok), ok, "the same edit has one answer");
        }
        assert_eq!(saved.values().filter(|ok| **ok).count(), 1);
        assert_eq!(w.labels(item).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn shapes_are_checked_and_named() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let elsewhere = build::project(&db, "Other", Task::Detection).await;
        let foreign = build::categories(&db, elsewhere, &["x"]).await[0];
        let good = || boxed(c, Rect::new(1., 1., 5., 5.));
        let scored = |score| Annotation {
            score: Some(score),
            ..good()
        };
        let bad = [
            boxed(c, Rect::new(f64::NAN, 0., 1., 1.)),
            boxed(c, Rect::new(0., f64::INFINITY, 1., 1.)),
            boxed(c, Rect::new(f64::MAX, 0., f64::MAX, 1.)),
            boxed(c, Rect::new(0., 0., 0., 1.)),
            boxed(c, Rect::new(0., 0., 1., -1.)),
            boxed(c, Rect::new(640., 0., 1., 1.)),
            boxed(c, Rect::new(-5., 0., 5., 1.)),
            whole(c),
            Annotation {
                shape: Shape::Polygon {
                    parts: vec![vec![vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]]]],
                },
                ..good()
            },
            scored(1.01),
            scored(-0.1),
            scored(f64::NAN),
            boxed(foreign, Rect::new(1., 1., 5., 5.)),
            boxed(CategoryId::new(), Rect::new(1., 1., 5., 5.)),
            Annotation {
                source: Source::Import,
                ..good()
            },
        ];
        for bad in bad {
            let name = format!("{bad:?}");
            let e = w
                .save(&w.ana, item, change(0, vec![good(), bad]))
                .await
                .expect_err(&name);
            assert_eq!(
                (e.code, e.fields[0].field.as_str()),
                (Code::InvalidInput, "upserts[1]"),
                "{name}: {e}"
            );
        }
        let twice = good();
        let e = w
            .save(&w.ana, item, change(0, vec![twice.clone(), twice]))
            .await
            .unwrap_err();
        assert_eq!(e.fields[0].field, "upserts[1]");
        let huge = change(0, vec![good(); 20_001]);
        assert_eq!(
            w.save(&w.ana, item, huge).await.unwrap_err().fields[0].field,
            "upserts"
        );
        let negative = SaveChange {
            active_ms: -1,
            ..change(0, vec![])
        };
        assert_eq!(
            w.save(&w.ana, item, negative).await.unwrap_err().fields[0].field,
            "active_ms"
        );
        assert_eq!(w.labels(item).await, [], "nothing was written");

        // Boxes are cut at the edge; a manager may send imported labels, a labeler may keep them.
        let over = boxed(c, Rect::new(-10., 470.5, 20., 100.));
        let imported = Annotation {
            source: Source::Import,
            score: Some(1.0),
            ..good()
        };
        assert_eq!(
            w.save(&w.manager, item, change(0, vec![over.clone(), imported.clone()]))
                .await,
            SAVED(1)
        );
        let labels = w.labels(item).await;
        let cut = labels.iter().find(|a| a.id == over.id).unwrap();
        assert_eq!(
            cut.shape,
            Shape::Box {
                rect: Rect::new(0., 470.5, 10., 9.5)
            }
        );
        assert_eq!(w.save(&w.ana, item, change(1, vec![imported])).await, SAVED(2));
        assert_eq!(
            w.save(
                &w.ana,
                item,
                SaveChange {
                    active_ms: 1 << 60,
                    ..change(2, vec![])
                }
            )
            .await,
            SAVED(2)
        );
    })
    .await;
}

#[tokio::test]
async fn who_may_save() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 3).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let edit = |base| change(base, vec![boxed(c, Rect::new(1., 1., 5., 5.))]);
        let me = match &w.ana {
            Actor::User(me) => me.clone(),
            _ => unreachable!(),
        };
        let token = |scope, project_id| Actor::Token {
            me: me.clone(),
            token_id: TokenId::new(),
            scope,
            project_id,
            dataset_id: None,
        };
        assert_eq!(
            code(w.save(&Actor::Anonymous, item, edit(0)).await),
            Code::SignInRequired
        );
        assert_eq!(code(w.save(&w.outsider, item, edit(0)).await), Code::NotFound);
        assert_eq!(code(w.save(&w.ana, ItemId::new(), edit(0)).await), Code::NotFound);
        assert_eq!(code(w.save(&w.viewer, item, edit(0)).await), Code::Forbidden);
        assert_eq!(
            code(w.save(&token(TokenScope::Read, None), item, edit(0)).await),
            Code::Forbidden
        );
        assert_eq!(
            code(
                w.save(&token(TokenScope::Write, Some(ProjectId::new())), item, edit(0))
                    .await
            ),
            Code::NotFound
        );
        assert_eq!(
            w.save(&token(TokenScope::Write, Some(w.project)), item, edit(0))
                .await,
            SAVED(1)
        );

        // Held by Ana: nobody else writes, a manager neither.
        w.studio.queue.open(&w.ana, item).await.unwrap();
        for other in [&w.bo, &w.reviewer, &w.manager] {
            let e = w.save(other, item, edit(1)).await.unwrap_err();
            assert_eq!(e.code, Code::ItemTaken);
            assert!(e.message.contains("Ana"), "{e}");
            assert_eq!(code(w.submit(other, item, 1, None).await), Code::ItemTaken);
        }
        // A save is a sign of life: the lease goes on from it.
        w.studio.clock.advance_seconds(9 * 60);
        assert_eq!(w.save(&w.ana, item, edit(1)).await, SAVED(2));
        w.studio.clock.advance_seconds(9 * 60);
        assert_eq!(code(w.save(&w.bo, item, edit(2)).await), Code::ItemTaken);
        w.studio.clock.advance_seconds(2 * 60);
        assert_eq!(
            w.save(&w.bo, item, edit(2)).await,
            SAVED(3),
            "the lease has ended"
        );
        assert_eq!(
            w.save(&w.ana, item, edit(3)).await,
            SAVED(4),
            "and nobody took the item"
        );

        // Done: the one who submitted it and reviewers correct it.
        assert_eq!(w.submit(&w.ana, item, 4, None).await, SAVED(4));
        assert_eq!(code(w.save(&w.bo, item, edit(4)).await), Code::Forbidden);
        assert_eq!(code(w.submit(&w.bo, item, 4, None).await), Code::Forbidden);
        assert_eq!(w.save(&w.ana, item, edit(4)).await, SAVED(5));
        assert_eq!(w.save(&w.reviewer, item, edit(5)).await, SAVED(6));
        assert_eq!(w.save(&Actor::System, item, edit(6)).await, SAVED(7));
        let labels = w.studio.annotations.get(&w.viewer, item).await.unwrap();
        assert_eq!(
            (labels.revision, labels.annotations.len(), labels.updated_by),
            (7, 7, None)
        );
        for (who, expected) in [
            (&w.outsider, Code::NotFound),
            (&Actor::Anonymous, Code::SignInRequired),
        ] {
            assert_eq!(
                code(w.studio.annotations.get(who, item).await.map_err(Error::into_api)),
                expected
            );
        }
    })
    .await;
}

#[tokio::test]
async fn classification_keeps_its_number_of_labels() {
    on_both(async |db| {
        let w = World::new(&db, Task::Classification, 2).await;
        let (item, a, b) = (w.items[0], w.categories[0], w.categories[1]);
        let box_there = w
            .save(&w.ana, item, change(0, vec![boxed(a, Rect::new(0., 0., 1., 1.))]))
            .await;
        assert_eq!(box_there.unwrap_err().fields[0].field, "upserts[0]");
        assert_eq!(
            code(w.save(&w.ana, item, change(0, vec![whole(a), whole(b)])).await),
            Code::InvalidInput
        );
        assert_eq!(
            code(w.submit(&w.ana, item, 0, None).await),
            Code::InvalidInput,
            "no category yet"
        );
        let proposal = Annotation {
            source: Source::Prelabel,
            score: Some(0.5),
            ..whole(b)
        };
        assert_eq!(
            code(
                w.submit(&w.ana, item, 0, Some(change(0, vec![proposal.clone()])))
                    .await
            ),
            Code::InvalidInput
        );
        assert_eq!(w.labels(item).await, [], "a refused submit writes nothing");
        let first = whole(a);
        assert_eq!(
            w.save(&w.ana, item, change(0, vec![first.clone(), proposal]))
                .await,
            SAVED(1)
        );
        assert_eq!(
            code(w.save(&w.ana, item, change(1, vec![whole(b)])).await),
            Code::InvalidInput
        );
        let other = SaveChange {
            removes: vec![first.id],
            ..change(1, vec![whole(b)])
        };
        assert_eq!(w.submit(&w.ana, item, 1, Some(other)).await, SAVED(2));
        let it = w.studio.items.get(&w.ana, item).await.unwrap();
        assert_eq!(
            (it.status, it.annotation_count, it.prelabel_count),
            (ItemStatus::Done, 1, 1)
        );

        let w = World::new(&on_same(&db).await, Task::Multilabel, 1).await;
        let (item, a, b) = (w.items[0], w.categories[0], w.categories[1]);
        assert_eq!(
            w.save(&w.ana, item, change(0, vec![whole(a), whole(b)])).await,
            SAVED(1)
        );
        assert_eq!(
            code(w.save(&w.ana, item, change(1, vec![whole(a)])).await),
            Code::InvalidInput
        );
        assert_eq!(w.submit(&w.ana, item, 1, None).await, SAVED(1));
    })
    .await;
}

/// Another empty database of the same kind.
async fn on_same(db: &TestDb) -> TestDb {
    match db.backend {
        limn_testkit::Backend::Sqlite => TestDb::sqlite().await,
        limn_testkit::Backend::Postgres => TestDb::postgres().await.unwrap(),
    }
}
