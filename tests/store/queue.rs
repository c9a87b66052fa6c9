//! queue: taking, keeping and giving back, finishing, and what people see of it.

use crate::items::progress;
use crate::people::{read, write};
use limn_domain::activity::Activity;
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::{ActivityId, ChangeId, ItemId, ProjectId, Role, Timestamp, UserId};
use limn_store::repo::item::counter::{Standing, Tally};
use limn_store::repo::queue::{self, Holding};
use limn_store::repo::{activity, item};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};

const MINUTE: i64 = 60;

async fn take(db: &TestDb, p: ProjectId, user: UserId, n: i64, paused: bool, at: i64) -> Vec<Holding> {
    let now = START.plus_seconds(at);
    write!(db, tx => queue::take(tx, p, user, n, paused, now, now.plus_seconds(10 * MINUTE)).await).unwrap()
}

fn ids(taken: &[Holding]) -> Vec<ItemId> {
    taken.iter().map(|h| h.item.id).collect()
}

async fn finish(db: &TestDb, p: ProjectId, id: ItemId, status: ItemStatus, by: UserId, at: i64) {
    write!(db, tx => {
        let c = queue::lock_item(tx, id, by, None).await?.expect("the item is there");
        let before = Standing { status: c.status, prelabeled: c.prelabel_count > 0, done_by: c.done_by };
        let reason = (status == ItemStatus::Skipped).then_some("blurred");
        queue::finish(tx, id, status, reason, Some(by), START.plus_seconds(at)).await?;
        let mut tally = Tally::default();
        tally.leave(before);
        tally.enter(Standing { status, done_by: Some(by), ..before });
        tally.on_row_of(Some(by)).write(tx, p).await
    })
    .unwrap();
}

#[tokio::test]
async fn items_are_held_by_one_person_until_they_give_them_back() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let other = build::project(&db, "Q", Task::Detection).await;
        let all = build::items(&db, p, "i", 6).await;
        build::items(&db, other, "i", 1).await;
        let (ana, bo) = (
            build::user(&db, "Ana", Role::Labeler).await,
            build::user(&db, "Bo", Role::Labeler).await,
        );

        let first = take(&db, p, ana, 2, false, 0).await;
        assert_eq!(ids(&first), all[..2]);
        assert_eq!(first[0].lease_until, START.plus_seconds(600));
        assert_eq!(first[0].item.leased_by, Some(ana));
        assert_eq!(ids(&take(&db, p, bo, 2, false, 1).await), all[2..4]);
        // In hand first, then new ones, never more than asked for.
        assert_eq!(
            ids(&take(&db, p, ana, 3, false, 2).await),
            [all[0], all[1], all[4]]
        );
        assert_eq!(ids(&take(&db, p, ana, 1, false, 3).await), all[..1]);
        assert_eq!(
            ids(&take(&db, p, ana, 9, true, 3).await),
            [all[0], all[1], all[4]],
            "paused: nothing new"
        );
        assert_eq!(
            ids(&take(&db, p, bo, 9, false, 4).await),
            [all[2], all[3], all[5]]
        );
        assert_eq!(take(&db, p, UserId::new(), 0, true, 4).await.len(), 0);

        let now = START.plus_seconds(5);
        let seen = queue::project_context(&mut read(&db).await, p, ana, now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (seen.state.todo, seen.state.total, seen.state.held_by_others),
            (6, 6, 3)
        );
        assert_eq!((seen.member_role, seen.state.done_by_me), (None, 0));
        assert!(
            queue::project_context(&mut read(&db).await, ProjectId::new(), ana, now)
                .await
                .unwrap()
                .is_none()
        );

        // A heartbeat keeps what is one's own.
        let (hers, until) = ([all[0], all[2], ItemId::new()], START.plus_seconds(1_000));
        let kept = write!(db, tx => queue::heartbeat(tx, p, ana, &hers, until).await).unwrap();
        assert_eq!(kept, [all[0]]);
        assert_eq!(
            write!(db, tx => queue::heartbeat(tx, p, ana, &[], until).await).unwrap(),
            []
        );
        // Ten minutes later all other leases have ended, without anybody doing anything.
        let late = take(&db, p, bo, 9, false, 700).await;
        assert_eq!(ids(&late), [all[2], all[3], all[5], all[1], all[4]]);
        let lost = [all[1]];
        assert_eq!(
            write!(db, tx => queue::heartbeat(tx, p, ana, &lost, until).await).unwrap(),
            []
        );

        let give = [all[5], all[0]];
        assert_eq!(
            write!(db, tx => queue::release(tx, p, bo, &give).await).unwrap(),
            1
        );
        assert_eq!(
            write!(db, tx => queue::release(tx, other, bo, &give).await).unwrap(),
            0
        );
        assert_eq!(write!(db, tx => queue::release(tx, p, bo, &[]).await).unwrap(), 0);
        assert_eq!(ids(&take(&db, p, ana, 9, false, 701).await), [all[0], all[5]]);
        assert_eq!(
            write!(db, tx => queue::release_all_of_user(tx, bo, Some(other)).await).unwrap(),
            0
        );
        assert_eq!(
            write!(db, tx => queue::release_all_of_user(tx, bo, Some(p)).await).unwrap(),
            4
        );
        assert_eq!(
            write!(db, tx => queue::release_all_of_user(tx, ana, None).await).unwrap(),
            2
        );
        assert_eq!(take(&db, p, bo, 9, false, 702).await.len(), 6);
    })
    .await;
}

#[tokio::test]
async fn one_item_can_be_leased_when_it_is_free() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let id = build::items(&db, p, "i", 1).await[0];
        let (ana, bo) = (build::user(&db, "Ana", Role::Labeler).await, build::user(&db, "Bo", Role::Labeler).await);
        let lease = async |user: UserId, at: i64| {
            let now = START.plus_seconds(at);
            write!(db, tx => queue::lease_one(tx, id, user, now, now.plus_seconds(60)).await).unwrap()
        };
        assert!(lease(ana, 0).await && lease(ana, 1).await);
        assert!(!lease(bo, 2).await);
        let c = queue::item_context(&mut read(&db).await, id, bo).await.unwrap().unwrap();
        assert_eq!((c.lease_user_id, c.holder_name.as_deref()), (Some(ana), Some("Ana")));
        assert!(c.held_by_other(Some(bo), START.plus_seconds(2)) && c.held_by_other(None, START));
        assert!(!c.held_by_other(Some(ana), START) && !c.held_by_other(Some(bo), START.plus_seconds(61)));
        assert!(lease(bo, 61).await);
        finish(&db, p, id, ItemStatus::Done, bo, 62).await;
        assert!(!lease(ana, 200).await, "it is done");
        let h = queue::holding(&mut read(&db).await, id, START).await.unwrap().unwrap();
        assert_eq!((h.item.status, h.item.leased_by, h.item.done_by), (ItemStatus::Done, None, Some(bo)));
        assert!(queue::holding(&mut read(&db).await, ItemId::new(), START).await.unwrap().is_none());
        assert!(queue::item_context(&mut read(&db).await, ItemId::new(), bo).await.unwrap().is_none());
        let none = write!(db, tx => Ok(queue::lock_item(tx, ItemId::new(), bo, Some(ChangeId::new())).await?.is_none()));
        assert!(none.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_people_did_is_counted_and_listed() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let empty = build::project(&db, "Q", Task::Detection).await;
        let all = build::items(&db, p, "i", 5).await;
        let (ana, bo) = (
            build::user(&db, "Ana", Role::Labeler).await,
            build::user(&db, "Bo", Role::Labeler).await,
        );
        build::member(&db, p, ana, Role::Labeler).await;
        take(&db, p, ana, 3, false, 0).await;
        finish(&db, p, all[0], ItemStatus::Done, ana, 10).await;
        finish(&db, p, all[1], ItemStatus::Skipped, ana, 20).await;
        finish(&db, p, all[3], ItemStatus::Done, bo, 20).await;
        finish(&db, p, all[4], ItemStatus::Done, ana, 20).await;
        let now = progress(&db, p).await;
        assert_eq!((now.todo, now.done, now.skipped), (1, 3, 1));

        let page = async |after: Option<(Timestamp, i64)>| {
            queue::history(&mut read(&db).await, p, ana, after, 2, START)
                .await
                .unwrap()
        };
        let first = page(None).await;
        assert_eq!(first.iter().map(|i| i.id).collect::<Vec<_>>(), [all[4], all[1]]);
        assert_eq!(
            (first[1].skip_reason.as_deref(), first[1].done_by_name.as_deref()),
            (Some("blurred"), Some("Ana"))
        );
        let rest = page(Some((first[1].done_at.unwrap(), first[1].export_id))).await;
        assert_eq!(rest.iter().map(|i| i.id).collect::<Vec<_>>(), [all[0]]);

        let mine = queue::mine(&mut read(&db).await, ana, false, START)
            .await
            .unwrap();
        assert_eq!(mine.len(), 1);
        assert_eq!(
            (mine[0].project, mine[0].in_hand, mine[0].member_role),
            (p, 1, Some(Role::Labeler))
        );
        assert_eq!(
            (mine[0].state.todo, mine[0].state.total, mine[0].state.done_by_me),
            (1, 5, 2)
        );
        let every = queue::mine(&mut read(&db).await, bo, true, START).await.unwrap();
        assert_eq!(every.len(), 2);
        let it = every.iter().find(|r| r.project == p).unwrap();
        assert_eq!(
            (it.state.held_by_others, it.in_hand, it.state.done_by_me),
            (1, 0, 1)
        );
        let none = every.iter().find(|r| r.project == empty).unwrap();
        assert_eq!((none.state.total, none.state.todo), (0, 0));
        // Submitting once more, by another person, moves the credit.
        finish(&db, p, all[3], ItemStatus::Done, ana, 30).await;
        assert_eq!(progress(&db, p).await.done, 3);
        let done = item::counter::done_by_user(&mut read(&db).await, p)
            .await
            .unwrap();
        assert_eq!((done[&ana], done[&bo]), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn a_stretch_of_work_is_one_line_of_the_log() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        let ana = build::user(&db, "Ana", Role::Labeler).await;
        let id = ActivityId::new();
        for n in 0..3 {
            let line = Activity {
                id,
                at: START.plus_seconds(n),
                actor_id: Some(ana),
                actor_name: "Ana".into(),
                project_id: Some(p),
                verb: "item.submit".into(),
                summary: "submitted".into(),
            };
            write!(db, tx => queue::note_finish(tx, &line).await).unwrap();
        }
        let lines = activity::list(&mut read(&db).await, activity::Scope::Project(p), None, 9)
            .await
            .unwrap();
        assert_eq!(lines.len(), 1);
        assert_eq!(
            (lines[0].summary.as_str(), lines[0].at),
            ("submitted 3 items", START.plus_seconds(2))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn takers_at_once_never_get_the_same_item() {
    on_both(async |db| {
        let p = build::project(&db, "P", Task::Detection).await;
        build::items(&db, p, "i", 150).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..16 {
            let user = build::user(&db, &format!("u{n}"), Role::Labeler).await;
            let db = db.clone();
            tasks.spawn(async move {
                let mut got = Vec::new();
                // In hand first: asking for more and more takes new ones each time.
                for count in 1..=10 {
                    let taken = take(&db, p, user, count, false, 0).await;
                    assert!(taken.iter().all(|h| h.item.leased_by == Some(user)));
                    got = ids(&taken);
                }
                got
            });
        }
        let mut seen = std::collections::BTreeSet::new();
        while let Some(got) = tasks.join_next().await {
            for id in got.unwrap() {
                assert!(seen.insert(id), "{id} was handed out twice");
            }
        }
        assert_eq!(seen.len(), 150, "16 people who take 10 leave nothing of 150");
    })
    .await;
}
