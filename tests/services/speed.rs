//! How fast the hot paths are without HTTP; prints, and is run by hand:
//! `cargo test -p limn-tests --test services -- --ignored --nocapture speed`. `LIMN_SPEED_N` scales it.

use crate::labels::{World, boxed, change};
use limn_domain::annotation::SaveOutcome;
use limn_domain::project::Task;
use limn_domain::{Annotation, ItemId, Rect, Role, Source};
use limn_services::Actor;
use limn_store::repo::annotation::{self, NewAnnotation};
use limn_store::repo::item::bulk::{self, Stamp};
use limn_store::repo::item::{self, NewItem};
use limn_store::{StoreError, repo};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};
use std::time::{Duration, Instant};

const LABELERS: usize = 64;

fn scale() -> usize {
    std::env::var("LIMN_SPEED_N")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1)
}

/// Processor time of this process so far, all threads; the machine may be busy with other things. Linux only.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split(' ')
        .filter_map(|f| f.parse().ok())
        .collect();
    // utime and stime, in hundredths of a second; the state before them is no number.
    fields.get(10..12).map_or(0.0, |t| (t[0] + t[1]) / 100.0)
}

/// Runs the tasks to their end; each answers how long its requests took.
async fn report(db: &TestDb, what: &str, tasks: tokio::task::JoinSet<Vec<Duration>>) {
    let (started, before) = (Instant::now(), cpu());
    let mut each = tasks.join_all().await.concat();
    let (took, used) = (started.elapsed().as_secs_f64(), cpu() - before);
    each.sort_unstable();
    let at = |p: usize| each.get(each.len() * p / 100).copied().unwrap_or_default();
    let n = each.len() as f64;
    println!(
        "{:?} {what}: {:.0}/s, p50 {:?}, p95 {:?}, {:.3} ms of processor each",
        db.backend,
        n / took,
        at(50),
        at(95),
        used * 1e3 / n
    );
}

async fn labelers(w: &World, db: &TestDb) -> Vec<Actor> {
    let mut people = Vec::new();
    for n in 0..LABELERS {
        let actor = w.studio.person(&format!("l{n}"), Role::Labeler).await;
        build::member(db, w.project, actor.user_id().unwrap(), Role::Labeler).await;
        people.push(actor);
    }
    people
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn saving_and_taking() {
    on_both(async |db| {
        let rounds = 30 * scale();
        let w = World::new(&db, Task::Detection, 0).await;
        build::items(&db, w.project, "i", LABELERS * rounds).await;
        let people = labelers(&w, &db).await;
        let mut tasks = tokio::task::JoinSet::new();
        for me in people.clone() {
            let (studio, project) = (w.studio.clone(), w.project);
            tasks.spawn(async move {
                let mut each = Vec::new();
                for n in 0..rounds {
                    let t = Instant::now();
                    let taken = studio.queue.take(&me, project, 1).await.unwrap();
                    each.push(t.elapsed());
                    let id = taken.items[0].item.id;
                    // Not measured here: so that the next one is fresh.
                    if n + 1 < rounds {
                        studio.queue.release(&me, project, vec![id]).await.unwrap();
                    }
                }
                each
            });
        }
        report(&db, "take 1 and release", tasks).await;

        let mut tasks = tokio::task::JoinSet::new();
        for me in people {
            let (studio, project, c) = (w.studio.clone(), w.project, w.categories.clone());
            tasks.spawn(async move {
                let item = studio.queue.take(&me, project, 1).await.unwrap().items[0].item.id;
                let mut each = Vec::new();
                let mut boxes: Vec<Annotation> = (0..10)
                    .map(|n| boxed(c[n % 2], Rect::new(n as f64 * 7.25, 3.5, 20.125, 30.0)))
                    .collect();
                for revision in 0..rounds as i64 {
                    for b in &mut boxes {
                        b.z += 1;
                    }
                    let t = Instant::now();
                    let saved = studio
                        .annotations
                        .save(&me, item, change(revision, boxes.clone()))
                        .await
                        .unwrap();
                    assert_eq!(
                        saved,
                        SaveOutcome::Saved {
                            revision: revision + 1
                        }
                    );
                    each.push(t.elapsed());
                }
                each
            });
        }
        report(&db, "save 10 boxes", tasks).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn adding_importing_and_exporting() {
    on_both(async |db| {
        let n = 50_000 * scale();
        let w = World::new(&db, Task::Detection, 0).await;
        let (p, c) = (w.project, w.categories[0]);
        let digest = build::digest("one");
        let blob = digest.clone();
        db.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::blob::put(tx, &blob, 1, "image/jpeg", START).await })
        })
        .await
        .unwrap();
        let t = Instant::now();
        let mut all: Vec<ItemId> = Vec::with_capacity(n);
        for start in (0..n).step_by(2_000) {
            let rows: Vec<NewItem> = (start..(start + 2_000).min(n))
                .map(|k| NewItem {
                    id: ItemId::new(),
                    name: format!("folder/{k:07}.jpg"),
                    digest: digest.clone(),
                    media_type: "image/jpeg".into(),
                    byte_size: 1,
                    width: 640,
                    height: 480,
                    orientation: 1,
                    length: 0,
                    excerpt: String::new(),
                })
                .collect();
            all.extend(rows.iter().map(|r| r.id));
            db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { item::insert_many(tx, p, &rows, START).await.map(|_| ()) })
            })
            .await
            .unwrap();
        }
        println!("{:?} add {n} items: {:?}", db.backend, t.elapsed());
        let t = Instant::now();
        for chunk in all.chunks(500) {
            let chunk = chunk.to_vec();
            db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    let rows: Vec<NewAnnotation> = chunk
                        .iter()
                        .flat_map(|item| (0..2).map(move |k| (*item, k)))
                        .map(|(item_id, k)| NewAnnotation {
                            item_id,
                            annotation: Annotation {
                                source: Source::Import,
                                ..boxed(c, Rect::new(f64::from(k) * 3.3, 1.1, 10.7, 20.9))
                            },
                            created_by: None,
                        })
                        .collect();
                    annotation::insert_many(tx, &rows, START).await?;
                    bulk::settle(tx, p, &chunk, true, Stamp { by: None, now: START }).await
                })
            })
            .await
            .unwrap();
        }
        println!("{:?} import {} boxes: {:?}", db.backend, 2 * n, t.elapsed());
        let (t, mut after, mut labels) = (Instant::now(), 0, 0);
        let mut tx = db.read().await.unwrap();
        loop {
            let page = item::export_page(&mut tx, p, after, 1_000, false).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.export_id;
            labels += page.iter().map(|i| i.annotations.len()).sum::<usize>();
        }
        println!(
            "{:?} read {labels} boxes for an export: {:?}",
            db.backend,
            t.elapsed()
        );
        drop(tx);
        for query in [
            limn_domain::item::ItemQuery::default(),
            limn_domain::item::ItemQuery {
                status: Some(limn_domain::item::ItemStatus::Done),
                sort: limn_domain::item::ItemSort::Annotations,
                ..Default::default()
            },
            limn_domain::item::ItemQuery {
                text: Some("49999.jpg".into()),
                ..Default::default()
            },
            limn_domain::item::ItemQuery {
                category_id: Some(w.categories[1]),
                ..Default::default()
            },
            limn_domain::item::ItemQuery {
                category_id: Some(w.categories[0]),
                ..Default::default()
            },
        ] {
            let t = Instant::now();
            let page = w.studio.items.list(&w.manager, p, query.clone()).await.unwrap();
            println!(
                "{:?} list {query:?}: {} rows in {:?}",
                db.backend,
                page.rows.len(),
                t.elapsed()
            );
        }
    })
    .await;
}
