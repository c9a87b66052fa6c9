//! Whatever many workers do, in whatever order, and wherever they crash: no item is lost and none is done twice.

use limn_domain::annotation::SaveOutcome;
use limn_domain::item::{BulkAction, ItemSelection, ItemStatus};
use limn_domain::project::Task;
use limn_domain::queue::{Skip, Submit};
use limn_domain::{Code, ItemId, ProjectId, Role, Timestamp};
use limn_services::{Actor, Error};
use limn_store::repo;
use limn_testkit::{Studio, TestDb, build, on_both};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const WORKERS: usize = 4;
const ITEMS: usize = 7;
const LEASE: i64 = 600;

#[derive(Debug, Clone)]
enum Op {
    Take {
        who: usize,
        count: i64,
    },
    /// Submit the nth of the items the worker thinks they have.
    Submit {
        who: usize,
        nth: usize,
    },
    Skip {
        who: usize,
        nth: usize,
    },
    Beat {
        who: usize,
    },
    Release {
        who: usize,
        nth: usize,
    },
    /// The browser closes: the worker forgets everything.
    Forget {
        who: usize,
    },
    /// The connection breaks in the middle of a request.
    CrashInTake {
        who: usize,
        count: i64,
    },
    CrashInSubmit {
        who: usize,
        nth: usize,
    },
    /// The worker is taken out of the project and comes back.
    Remove {
        who: usize,
    },
    Requeue {
        item: usize,
    },
    Pass {
        seconds: i64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let who = || 0..WORKERS;
    let nth = || 0..4_usize;
    prop_oneof![
        6 => (who(), 1..4_i64).prop_map(|(who, count)| Op::Take { who, count }),
        6 => (who(), nth()).prop_map(|(who, nth)| Op::Submit { who, nth }),
        2 => (who(), nth()).prop_map(|(who, nth)| Op::Skip { who, nth }),
        2 => who().prop_map(|who| Op::Beat { who }),
        2 => (who(), nth()).prop_map(|(who, nth)| Op::Release { who, nth }),
        1 => who().prop_map(|who| Op::Forget { who }),
        2 => (who(), 1..4_i64).prop_map(|(who, count)| Op::CrashInTake { who, count }),
        2 => (who(), nth()).prop_map(|(who, nth)| Op::CrashInSubmit { who, nth }),
        1 => who().prop_map(|who| Op::Remove { who }),
        1 => (0..ITEMS).prop_map(|item| Op::Requeue { item }),
        3 => prop_oneof![1..60_i64, 300..700_i64].prop_map(|seconds| Op::Pass { seconds }),
    ]
}

/// What must be true, beside what is.
struct Model {
    studio: Studio,
    project: ProjectId,
    manager: Actor,
    workers: Vec<Actor>,
    items: Vec<ItemId>,
    /// What each worker thinks they have in hand.
    hands: Vec<Vec<ItemId>>,
    /// The lease somebody was promised on an item: until then nobody else may get it.
    promised: BTreeMap<ItemId, (usize, Timestamp)>,
    status: BTreeMap<ItemId, (ItemStatus, Option<usize>)>,
}

impl Model {
    async fn new(db: &TestDb, n: usize) -> Self {
        let studio = Studio::new(db);
        let project = build::project(db, &format!("P{n}"), Task::Detection).await;
        let manager = studio.person(&format!("m{n}"), Role::Admin).await;
        let mut workers = Vec::new();
        for k in 0..WORKERS {
            let worker = studio.person(&format!("w{n}-{k}"), Role::Labeler).await;
            build::member(db, project, worker.user_id().unwrap(), Role::Labeler).await;
            workers.push(worker);
        }
        let items = build::items(db, project, "i", ITEMS).await;
        Self {
            status: items.iter().map(|i| (*i, (ItemStatus::Todo, None))).collect(),
            hands: vec![Vec::new(); WORKERS],
            promised: BTreeMap::new(),
            studio,
            project,
            manager,
            workers,
            items,
        }
    }

    fn now(&self) -> Timestamp {
        self.studio.clock.now()
    }

    /// Whether the worker may count on the item now.
    fn holds(&self, who: usize, item: ItemId) -> bool {
        self.promised
            .get(&item)
            .is_some_and(|(w, until)| *w == who && *until > self.now())
    }

    fn nth(&self, who: usize, nth: usize) -> Option<ItemId> {
        let hand = &self.hands[who];
        (!hand.is_empty()).then(|| hand[nth % hand.len()])
    }

    async fn run(&mut self, op: Op) {
        match op {
            Op::Take { who, count } => self.take(who, count).await,
            Op::Submit { who, nth } => {
                let Some(item) = self.nth(who, nth) else { return };
                let result = self.submit_one(who, item).await;
                self.finished(who, item, result, ItemStatus::Done);
            }
            Op::Skip { who, nth } => {
                let Some(item) = self.nth(who, nth) else { return };
                if self.status[&item].0 != ItemStatus::Todo {
                    return;
                }
                let skip = self
                    .studio
                    .queue
                    .skip(&self.workers[who], item, Skip::default())
                    .await;
                self.finished(
                    who,
                    item,
                    skip.map_err(|e| e.into_api().code),
                    ItemStatus::Skipped,
                );
            }
            Op::Beat { who } => {
                let asked = self.hands[who].clone();
                let beat = self
                    .studio
                    .queue
                    .heartbeat(&self.workers[who], self.project, asked)
                    .await
                    .unwrap();
                for item in &beat.lost {
                    assert!(!self.holds(who, *item), "a live lease was lost");
                    self.hands[who].retain(|i| i != item);
                }
                for item in beat.kept {
                    self.promise(who, item, beat.lease_until);
                }
            }
            Op::Release { who, nth } => {
                let Some(item) = self.nth(who, nth) else { return };
                self.studio
                    .queue
                    .release(&self.workers[who], self.project, vec![item])
                    .await
                    .unwrap();
                self.let_go(who, item);
            }
            Op::Forget { who } => self.hands[who].clear(),
            Op::CrashInTake { who, count } => {
                let (studio, worker, project) =
                    (self.studio.clone(), self.workers[who].clone(), self.project);
                broken(async move { studio.queue.take(&worker, project, count).await.map(|_| ()) }).await;
                self.settle().await;
            }
            Op::CrashInSubmit { who, nth } => {
                let Some(item) = self.nth(who, nth) else { return };
                let (studio, worker) = (self.studio.clone(), self.workers[who].clone());
                let before = self.holds(who, item);
                broken(async move {
                    studio
                        .queue
                        .submit(
                            &worker,
                            item,
                            Submit {
                                revision: 0,
                                change: None,
                            },
                        )
                        .await
                        .map(|_| ())
                })
                .await;
                self.settle().await;
                // It happened or it did not; if it did, it was allowed to.
                let is = self.studio.items.get(&self.manager, item).await.unwrap();
                let was = self.status[&item];
                if is.status != was.0 {
                    assert!(
                        before || !self.held_by_another(who, item),
                        "submitted without holding it"
                    );
                    assert_eq!(
                        (is.status, is.done_by),
                        (ItemStatus::Done, self.workers[who].user_id())
                    );
                    self.status.insert(item, (ItemStatus::Done, Some(who)));
                    self.promised.remove(&item);
                    self.hands[who].retain(|i| *i != item);
                }
            }
            Op::Remove { who } => {
                let user = self.workers[who].user_id().unwrap();
                self.studio
                    .members
                    .remove(&self.manager, self.project, user)
                    .await
                    .unwrap();
                let refused = self.studio.queue.take(&self.workers[who], self.project, 1).await;
                assert_eq!(refused.unwrap_err().into_api().code, Code::NotFound);
                self.studio
                    .members
                    .set(&self.manager, self.project, user, Role::Labeler)
                    .await
                    .unwrap();
                self.promised.retain(|_, (w, _)| *w != who);
                self.hands[who].clear();
            }
            Op::Requeue { item } => {
                let item = self.items[item];
                let ids = ItemSelection::Ids(vec![item]);
                let done = self
                    .studio
                    .items
                    .bulk(&self.manager, self.project, ids, BulkAction::Requeue)
                    .await;
                let expected = i64::from(self.status[&item].0 != ItemStatus::Todo);
                assert_eq!(done.unwrap().changed, expected);
                self.status.insert(item, (ItemStatus::Todo, None));
            }
            Op::Pass { seconds } => self.studio.clock.advance_seconds(seconds),
        }
    }

    async fn take(&mut self, who: usize, count: i64) {
        let taken = self
            .studio
            .queue
            .take(&self.workers[who], self.project, count)
            .await
            .unwrap();
        assert!(taken.items.len() as i64 <= count);
        let got: Vec<_> = taken
            .items
            .iter()
            .map(|w| (w.item.id, w.lease_until.unwrap()))
            .collect();
        assert_eq!(
            got.iter().map(|(i, _)| i).collect::<BTreeSet<_>>().len(),
            got.len(),
            "an item came twice"
        );
        if (taken.items.len() as i64) < count {
            // Nothing was held back: all that is to do is promised to others, or with those who crashed.
            for item in self.items.clone() {
                let free = self.status[&item].0 == ItemStatus::Todo
                    && !got.iter().any(|(i, _)| *i == item)
                    && !self.held_by_another(who, item);
                if free {
                    let row = self.studio.items.get(&self.manager, item).await.unwrap();
                    assert!(row.leased_by.is_some(), "{item} is free but was not handed out");
                }
            }
        }
        for (item, until) in got {
            assert!(
                !self.held_by_another(who, item),
                "{item} is promised to somebody else"
            );
            assert_eq!(self.status[&item].0, ItemStatus::Todo);
            assert_eq!(until, self.now().plus_seconds(LEASE));
            self.promise(who, item, until);
            if !self.hands[who].contains(&item) {
                self.hands[who].push(item);
            }
        }
    }

    fn held_by_another(&self, who: usize, item: ItemId) -> bool {
        self.promised
            .get(&item)
            .is_some_and(|(w, until)| *w != who && *until > self.now())
    }

    fn promise(&mut self, who: usize, item: ItemId, until: Timestamp) {
        self.promised.insert(item, (who, until));
    }

    fn let_go(&mut self, who: usize, item: ItemId) {
        self.hands[who].retain(|i| *i != item);
        if self.promised.get(&item).is_some_and(|(w, _)| *w == who) {
            self.promised.remove(&item);
        }
    }

    async fn submit_one(&self, who: usize, item: ItemId) -> Result<(), Code> {
        let submit = Submit {
            revision: 0,
            change: None,
        };
        match self
            .studio
            .queue
            .submit(&self.workers[who], item, submit)
            .await
            .map_err(Error::into_api)
        {
            Ok(SaveOutcome::Saved { .. }) => Ok(()),
            Ok(SaveOutcome::Conflict { .. }) => panic!("nobody edits here"),
            Err(e) => Err(e.code),
        }
    }

    fn finished(&mut self, who: usize, item: ItemId, result: Result<(), Code>, status: ItemStatus) {
        let (was, by) = self.status[&item];
        match result {
            Ok(()) => {
                assert!(
                    !self.held_by_another(who, item),
                    "finished what another one holds"
                );
                assert!(
                    was == ItemStatus::Todo || by == Some(who),
                    "finished what another one finished"
                );
                if was != status {
                    self.status.insert(item, (status, Some(who)));
                }
                self.promised.remove(&item);
            }
            Err(Code::ItemTaken) => assert!(!self.holds(who, item), "the holder was sent away"),
            Err(Code::Forbidden) => assert!(was != ItemStatus::Todo && by != Some(who)),
            Err(code) => panic!("{code:?}"),
        }
        self.hands[who].retain(|i| *i != item);
    }

    /// Waits until what a broken request left behind has run or gone.
    async fn settle(&self) {
        if self.studio.db.backend == limn_testkit::Backend::Postgres {
            // Dropped connections roll back when the pool takes them again; a lock on all items waits for that.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (project, all) = (self.project, self.items.clone());
        self.studio
            .db
            .write::<_, limn_store::StoreError, _>(move |tx| {
                Box::pin(async move { repo::item::bulk::choose_ids(tx, project, &all).await.map(|_| ()) })
            })
            .await
            .unwrap();
    }

    /// The rows say what the model says.
    async fn check(&self) {
        let mut tx = self.studio.db.read().await.unwrap();
        let kept = repo::item::counter::progress(&mut tx, self.project)
            .await
            .unwrap();
        assert_eq!(
            kept,
            repo::item::counter::recount(&mut tx, self.project).await.unwrap()
        );
        let done = repo::item::counter::done_by_user(&mut tx, self.project)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(kept.total, ITEMS as i64);
        for (who, worker) in self.workers.iter().enumerate() {
            let mine = self
                .status
                .values()
                .filter(|s| **s == (ItemStatus::Done, Some(who)))
                .count() as i64;
            assert_eq!(
                done.get(&worker.user_id().unwrap()).copied().unwrap_or(0),
                mine,
                "done by worker {who}"
            );
        }
        for item in &self.items {
            let row = self.studio.items.get(&self.manager, *item).await.unwrap();
            let (status, by) = self.status[item];
            assert_eq!(
                (row.status, row.done_by),
                (status, by.map(|w| self.workers[w].user_id().unwrap()))
            );
            if let Some((who, until)) = self.promised.get(item)
                && *until > self.now()
            {
                assert_eq!(
                    row.leased_by,
                    self.workers[*who].user_id(),
                    "a promise was broken"
                );
            }
        }
    }

    /// In the end one worker alone can do all that is left.
    async fn drain(&mut self) {
        self.studio.clock.advance_seconds(LEASE + 1);
        let left: BTreeSet<ItemId> = self
            .items
            .iter()
            .copied()
            .filter(|i| self.status[i].0 == ItemStatus::Todo)
            .collect();
        let mut reached = BTreeSet::new();
        loop {
            let taken = self
                .studio
                .queue
                .take(&self.workers[0], self.project, 3)
                .await
                .unwrap();
            if taken.items.is_empty() {
                break;
            }
            for work in taken.items {
                assert!(reached.insert(work.item.id), "handed out after it was submitted");
                assert_eq!(self.submit_one(0, work.item.id).await, Ok(()));
            }
        }
        assert_eq!(reached, left, "every item is reached");
        assert_eq!(
            self.studio
                .queue
                .state(&self.manager, self.project)
                .await
                .unwrap()
                .todo,
            0
        );
    }
}

/// Polls a request a few times and drops it.
pub(crate) async fn broken(request: impl Future<Output = limn_services::Result<()>> + Send) {
    drop(tokio::time::timeout(Duration::from_micros(300), request).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_work_never_loses_or_doubles_an_item() {
    on_both(async |db| {
        let cases = std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|n| n.parse().ok())
            .unwrap_or(24);
        let config = Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let runtime = tokio::runtime::Handle::current();
        let count = std::cell::Cell::new(0);
        let result = runner.run(&prop::collection::vec(op(), 1..60), |ops| {
            count.set(count.get() + 1);
            tokio::task::block_in_place(|| {
                runtime.block_on(async {
                    let mut model = Model::new(&db, count.get()).await;
                    for op in ops {
                        model.run(op).await;
                        model.check().await;
                    }
                    model.drain().await;
                });
            });
            Ok(())
        });
        if let Err(e) = result {
            panic!("{e}");
        }
    })
    .await;
}
