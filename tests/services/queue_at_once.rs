//! Workers truly at once: leases that end under them, broken requests, people who vanish.

use crate::queue_random::broken;
use limn_domain::annotation::SaveOutcome;
use limn_domain::project::Task;
use limn_domain::queue::{Skip, Submit};
use limn_domain::{Code, ItemId, ProjectId, Role};
use limn_services::{Actor, Error};
use limn_store::repo;
use limn_testkit::{Studio, build, on_both};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_at_once_finish_every_item_once() {
    on_both(async |db| {
        const N: usize = 160;
        let studio = Studio::new(&db);
        let project = build::project(&db, "P", Task::Detection).await;
        let items = build::items(&db, project, "i", N).await;
        let finished: Arc<Mutex<BTreeMap<ItemId, u32>>> = Arc::default();
        let mut tasks = tokio::task::JoinSet::new();
        for k in 0..10_u64 {
            let worker = studio.person(&format!("w{k}"), Role::Labeler).await;
            build::member(&db, project, worker.user_id().unwrap(), Role::Labeler).await;
            let (studio, finished) = (studio.clone(), finished.clone());
            tasks.spawn(async move { work(studio, project, worker, k, finished).await });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let finished = finished.lock().unwrap().clone();
        assert_eq!(
            finished.keys().copied().collect::<BTreeSet<_>>(),
            items.into_iter().collect()
        );
        assert!(finished.values().all(|n| *n == 1), "{finished:?}");
        let mut tx = db.read().await.unwrap();
        let kept = repo::item::counter::progress(&mut tx, project).await.unwrap();
        assert_eq!(
            kept,
            repo::item::counter::recount(&mut tx, project).await.unwrap()
        );
        assert_eq!((kept.todo, kept.done + kept.skipped), (0, N as i64));
    })
    .await;
}

async fn work(
    studio: Studio,
    project: ProjectId,
    me: Actor,
    seed: u64,
    finished: Arc<Mutex<BTreeMap<ItemId, u32>>>,
) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    loop {
        let taken = studio
            .queue
            .take(&me, project, 1 + random(3) as i64)
            .await
            .unwrap();
        if taken.state.todo == 0 {
            return;
        }
        for w in taken.items {
            let item = w.item.id;
            match random(12) {
                0 => studio.clock.advance_seconds(400),
                1 => studio.queue.release(&me, project, vec![item]).await.unwrap(),
                2 => {
                    let (studio, me) = (studio.clone(), me.clone());
                    broken(async move { studio.queue.take(&me, project, 4).await.map(|_| ()) }).await;
                }
                3 => drop(studio.queue.heartbeat(&me, project, vec![item]).await.unwrap()),
                // Somebody forgets it; it comes back to them or, later, to others.
                4 => {}
                5 => match studio
                    .queue
                    .skip(&me, item, Skip::default())
                    .await
                    .map_err(Error::into_api)
                {
                    Ok(()) => *finished.lock().unwrap().entry(item).or_default() += 1,
                    Err(e) => assert!(matches!(e.code, Code::ItemTaken | Code::WrongState), "{e}"),
                },
                _ => {
                    let submit = Submit {
                        revision: 0,
                        change: None,
                    };
                    match studio
                        .queue
                        .submit(&me, item, submit)
                        .await
                        .map_err(Error::into_api)
                    {
                        Ok(SaveOutcome::Saved { .. }) => {
                            *finished.lock().unwrap().entry(item).or_default() += 1;
                        }
                        Ok(SaveOutcome::Conflict { .. }) => panic!("nobody edits here"),
                        Err(e) => assert!(matches!(e.code, Code::ItemTaken | Code::Forbidden), "{e}"),
                    }
                }
            }
        }
        if random(4) == 0 {
            // Whoever waits for others' leases to end lets time pass.
            studio.clock.advance_seconds(30);
        }
    }
}
