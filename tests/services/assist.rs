//! The model that learns while people label, from the first picture to the last proposal, on both databases.

mod alike;
mod backbone;
mod boxes;
mod clicks;
mod ends;
mod faults;
mod holdout;
mod instances;
mod masks;
mod onnx;
mod spans;
mod world;

use crate::{code, refusal};
use image::{Rgb, RgbImage};
use limn_domain::annotation::{Annotation, SaveChange};
use limn_domain::assist::{AssistOrder, AssistState, Basis, Retrain, UpdateAssist};
use limn_domain::item::ItemStatus;
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{CategoryId, ChangeId, Code, ItemId, Role, Source};
use limn_services::Actor;
use limn_testkit::{build, on_both};
use std::time::{Duration, Instant};
use world::{World, drawn, encoded, whole};

#[tokio::test]
async fn from_the_first_label_to_accepted_proposals() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(150, 1).await;
        let off = w.get().await;
        assert_eq!(
            (off.state, off.items.manual, off.items.total),
            (AssistState::Off, 150, 150)
        );

        // Without labels: pictures are seen, and alike ones lie together.
        let seen = w.turn_on(AssistOrder::Useful).await;
        assert_eq!(
            (seen.state, seen.items.seen, seen.items.prelabeled),
            (AssistState::Waiting, 150, 0)
        );
        assert!(seen.items.clustered > 0 && seen.model.is_none(), "{seen:?}");
        assert!(
            seen.message.contains("the model begins at 10"),
            "{}",
            seen.message
        );

        let first = w.label(60).await;
        let kinds: std::collections::BTreeSet<usize> = first[..12].iter().map(|i| w.truth[i]).collect();
        assert_eq!(kinds.len(), 3, "the first are of every kind");
        let ready = w.train().await;
        let model = ready.model.clone().expect("a model");
        assert_eq!(
            (ready.state, model.version, ready.new_labels),
            (AssistState::Ready, 1, 0)
        );
        let f = &model.figures;
        assert_eq!(f.trained_on + f.holdout, 60);
        assert!(f.holdout >= 8, "every fifth comes from the holdout: {f:?}");
        assert_eq!(f.basis, Basis::CrossValidated);
        assert!(f.warnings[0].contains("of the holdout"), "{:?}", f.warnings);
        assert_eq!(ready.curve.len(), 1);
        assert_eq!(ready.curve[0].labels, 60);

        // Proposals look like proposals, are mostly right, and are nobody's labels.
        let proposed = w.proposed().await;
        assert_eq!(proposed.len() as i64, ready.items.prelabeled);
        assert!(proposed.len() > 20, "{ready:?}");
        let right = proposed
            .iter()
            .filter(|(i, a)| {
                assert!(
                    a.iter()
                        .all(|a| a.source == Source::Prelabel && a.score.is_some_and(|s| s > 0.3))
                );
                assert_eq!(i.annotation_count, 0);
                a.len() == 1 && a[0].category_id == w.categories[w.truth[&i.id]]
            })
            .count();
        assert!(right * 10 >= proposed.len() * 9, "{right} of {}", proposed.len());
        w.counted().await;

        // They come first, those of one category together.
        let taken = w.studio.queue.take(&w.lena, w.project, 16).await.unwrap();
        assert!(taken.items.iter().all(|i| i.item.prelabel_count == 1));
        let of: Vec<CategoryId> = taken
            .items
            .iter()
            .map(|i| i.annotations.annotations[0].category_id)
            .collect();
        let mut changes = 0;
        of.windows(2).for_each(|w| changes += usize::from(w[0] != w[1]));
        assert!(changes <= 2, "{of:?}");
        for (n, work) in taken.items.iter().enumerate() {
            if n == 0 {
                // One is corrected.
                let other = (w.truth[&work.item.id] + 1) % 3;
                w.submit(work.item.id, other).await;
            } else {
                w.accept(work.item.id).await;
            }
        }
        let after = w.get().await;
        assert_eq!(
            (after.work.accepted, after.work.corrected, after.work.manual),
            (15, 1, 60)
        );
        assert_eq!(after.new_labels, 16);
        // 15 of half a second and one of two, against two seconds without.
        let saved = after.work.seconds_saved().unwrap();
        assert!((saved - 15.0 * 1.5).abs() < 1e-6, "{saved}");
        w.counted().await;

        // What was accepted teaches, but does not judge.
        let second = w.train().await;
        let model = second.model.unwrap();
        assert_eq!(model.version, 2);
        assert_eq!(model.figures.trained_on + model.figures.holdout, 60 + 16);
        assert_eq!(model.figures.accuracy.of, 60);
        assert_eq!(second.curve.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_people_hold_touched_or_refused_stays_theirs() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(120, 2).await;
        w.turn_on(AssistOrder::Random).await;
        w.label(50).await;
        // Somebody holds one; another has a proposal that was imported; a third was begun.
        let held = w.studio.queue.take(&w.lena, w.project, 1).await.unwrap().items[0]
            .item
            .id;
        let todo: Vec<ItemId> = w
            .items(ItemStatus::Todo)
            .await
            .iter()
            .map(|(i, _)| i.id)
            .collect();
        let (imported, begun) = (todo[20], todo[21]);
        let save = |item, annotation: Annotation| {
            let change = SaveChange {
                change_id: ChangeId::new(),
                base_revision: 0,
                upserts: vec![annotation],
                removes: Vec::new(),
                attributes: None,
                active_ms: 0,
            };
            (item, change)
        };
        let proposal = Annotation {
            source: Source::Prelabel,
            score: Some(0.4),
            ..whole(w.categories[0])
        };
        for (item, change) in [
            save(imported, proposal.clone()),
            save(begun, whole(w.categories[1])),
        ] {
            w.studio.annotations.save(&w.manager, item, change).await.unwrap();
        }
        let ready = w.train().await;
        assert!(ready.items.prelabeled > 10, "{ready:?}");
        let of = async |item| {
            w.studio
                .annotations
                .get(&w.manager, item)
                .await
                .unwrap()
                .annotations
        };
        assert_eq!(of(held).await, []);
        let kept = of(imported).await;
        assert_eq!((kept.len(), kept[0].id), (1, proposal.id));
        assert_eq!(of(begun).await[0].source, Source::Human);
        // The imported one is no proposal of the assist's.
        assert_eq!(w.proposed().await.len() as i64, ready.items.prelabeled + 1);

        // What is refused is not proposed again, and what others have is not made anew.
        let proposed = w.proposed().await;
        let (refused, annotations) = proposed.iter().find(|(i, _)| i.id != imported).unwrap();
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: refused.revision,
            upserts: Vec::new(),
            removes: vec![annotations[0].id],
            attributes: None,
            active_ms: 0,
        };
        w.studio
            .annotations
            .save(&w.manager, refused.id, change)
            .await
            .unwrap();
        w.train().await;
        assert_eq!(of(refused.id).await, []);
        w.counted().await;

        // Off: its proposals go, the imported one and people's labels stay; the queue is as it was.
        w.change(UpdateAssist {
            enabled: Some(false),
            ..UpdateAssist::default()
        })
        .await;
        let off = w.run().await;
        assert_eq!((off.state, off.items.prelabeled), (AssistState::Off, 0));
        let left = w.proposed().await;
        assert_eq!(left.iter().map(|(i, _)| i.id).collect::<Vec<_>>(), [imported]);
        assert_eq!(of(begun).await.len(), 1);
        w.counted().await;
        let next = w.studio.queue.take(&w.manager, w.project, 128).await.unwrap();
        let ranks: Vec<i64> = next.items.iter().map(|i| i.item.export_id).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
    })
    .await;
}

#[tokio::test]
async fn the_schedule_trains_after_so_many_labels() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(80, 3).await;
        w.turn_on(AssistOrder::Clusters).await;
        w.label(20).await;
        let (stop, task) = w.work();
        let began = Instant::now();
        let mut now = w.get().await;
        while now.model.is_none() {
            assert!(began.elapsed() < Duration::from_mins(2), "{now:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
            now = w.get().await;
        }
        // Not before there are ten more; then by itself.
        w.label(5).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(w.get().await.model.unwrap().version, 1);
        w.label(6).await;
        while w.get().await.model.unwrap().version < 2 {
            assert!(began.elapsed() < Duration::from_mins(2));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        task.await.unwrap();
        // Never: more labels change nothing.
        w.change(UpdateAssist {
            retrain: Some(Retrain::Never),
            ..UpdateAssist::default()
        })
        .await;
        w.label(12).await;
        let (stop, task) = w.work();
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(w.get().await.model.unwrap().version, 2);
        let why = refusal(w.studio.assist.train(&w.manager, w.project).await);
        assert_eq!(why.code, Code::WrongState);
        assert!(why.message.contains("never"), "{}", why.message);
    })
    .await;
}

#[tokio::test]
async fn hopeless_projects_are_told_why() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        // All of one category.
        for i in 0..25 {
            w.add(&format!("{i}.png"), drawn(0, i), 0).await;
        }
        w.turn_on(AssistOrder::Useful).await;
        w.label(20).await;
        let one = w.train().await;
        assert_eq!(one.state, AssistState::Waiting);
        assert!(one.message.contains("of one category"), "{}", one.message);

        // All the same picture, and pictures of one pixel.
        let mut w = World::again(w, "Equal").await;
        for i in 0..30 {
            w.add(
                &format!("{i}.png"),
                encoded(RgbImage::from_pixel(24, 24, Rgb([90, 90, 90]))),
                i % 3,
            )
            .await;
        }
        w.turn_on(AssistOrder::Clusters).await;
        w.label(25).await;
        let equal = w.train().await;
        assert!(
            equal.message.contains("look the same") || equal.message.contains("labeled item"),
            "{}",
            equal.message
        );
        let mut w = World::again(w, "Pixels").await;
        for i in 0..30_u8 {
            w.add(
                &format!("{i}.png"),
                encoded(RgbImage::from_pixel(1, 1, Rgb([i * 8, 7, 255 - i]))),
                usize::from(i % 3),
            )
            .await;
        }
        let pixels = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((pixels.state, pixels.items.seen), (AssistState::Waiting, 30));
        w.label(25).await;
        assert_ne!(w.train().await.state, AssistState::Failed);

        // A picture whose bytes are gone is left to people; the rest goes on.
        let mut w = World::again(w, "Lost").await;
        w.add_shapes(40, 9).await;
        let lost = w.items(ItemStatus::Todo).await[5].0.clone();
        std::fs::remove_file(w.studio.context.blobs.path(&lost.digest)).unwrap();
        w.studio.context.renditions.delete(&lost.digest).await.unwrap();
        let rest = w.turn_on(AssistOrder::Clusters).await;
        assert_eq!((rest.state, rest.items.clustered), (AssistState::Waiting, 39));

        // Nonsense in the settings, and other tasks.
        let bad = |accuracy| UpdateAssist {
            accuracy: Some(accuracy),
            ..UpdateAssist::default()
        };
        for accuracy in [0.2, 1.0, f64::NAN] {
            let why = refusal(w.studio.assist.update(&w.manager, w.project, bad(accuracy)).await);
            assert_eq!(why.fields[0].field, "accuracy");
        }
        let on = UpdateAssist {
            enabled: Some(true),
            ..UpdateAssist::default()
        };
        assert_eq!(
            code(w.studio.assist.update(&w.lena, w.project, on.clone()).await),
            Code::Forbidden
        );
        let skeletons = build::project(&db, "Skeletons", Task::Keypoints).await;
        let why = refusal(w.studio.assist.update(&Actor::System, skeletons, on).await);
        assert_eq!(why.fields[0].field, "enabled");
        assert_eq!(
            code(w.studio.assist.train(&Actor::System, skeletons).await),
            Code::WrongState
        );
    })
    .await;
}

#[tokio::test]
async fn a_stopped_run_goes_on_where_it_was_and_a_deleted_project_ends_it() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(300, 4).await;
        w.change(UpdateAssist {
            enabled: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        let job = w.get().await.job.unwrap();
        let (stop, task) = w.work();
        w.until(job.id, |j| !j.message.is_empty() || j.state.is_final())
            .await;
        w.studio.jobs.cancel(&w.manager, job.id).await.unwrap();
        let ended = w.until(job.id, |j| j.state.is_final()).await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(ended.state, JobState::Cancelled);
        let kept = w.get().await.items.seen;
        let again = w.train().await;
        assert_eq!((again.items.seen, again.state), (300, AssistState::Waiting));
        let result = again.job.unwrap().result.unwrap();
        assert_eq!(result["new_pictures"].as_i64(), Some(300 - kept), "{result}");

        // Deleted in the middle.
        w.label(30).await;
        w.studio.assist.train(&w.manager, w.project).await.unwrap();
        w.studio.projects.delete(&w.manager, w.project).await.unwrap();
        let (stop, task) = w.work();
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(
            code(w.studio.assist.get(&w.manager, w.project).await),
            Code::NotFound
        );
    })
    .await;
}

#[tokio::test]
async fn copies_and_alike_items_are_found() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(60, 5).await;
        let first = w.items(ItemStatus::Todo).await[0].0.id;
        assert_eq!(
            code(w.studio.assist.similar(&w.lena, first, 5).await),
            Code::WrongState
        );
        let bytes = drawn(1, 77);
        let one = w.add("one.png", bytes.clone(), 1).await;
        let copy = w.add("copy.png", bytes, 1).await;
        w.turn_on(AssistOrder::Useful).await;
        let near = w.studio.assist.similar(&w.lena, one, 10).await.unwrap();
        assert_eq!((near.len(), near[0].item_id, near[0].similarity), (10, copy, 1.0));
        let alike = near.iter().filter(|n| w.truth[&n.item_id] == 1).count();
        assert!(alike >= 7, "{alike} of 10");
        assert!(near.windows(2).all(|n| n[0].similarity >= n[1].similarity));
        assert_eq!(
            code(w.studio.assist.similar(&w.lena, one, 0).await),
            Code::InvalidInput
        );
        let outsider = w.studio.person("Otto", Role::Manager).await;
        assert_eq!(
            code(w.studio.assist.similar(&outsider, one, 5).await),
            Code::NotFound
        );
    })
    .await;
}

#[tokio::test]
async fn several_categories_an_item() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Multilabel).await;
        w.add_shapes(130, 6).await;
        w.turn_on(AssistOrder::Useful).await;
        w.label(70).await;
        let ready = w.train().await;
        assert_eq!(ready.state, AssistState::Ready, "{ready:?}");
        let proposed = w.proposed().await;
        assert!(proposed.len() > 10, "{ready:?}");
        let right = proposed
            .iter()
            .filter(|(i, a)| a.len() == 1 && a[0].category_id == w.categories[w.truth[&i.id]])
            .count();
        assert!(right * 10 >= proposed.len() * 8, "{right} of {}", proposed.len());
        // A category is removed: nothing of it is left, and the next run goes on.
        w.studio
            .categories
            .remove(&w.manager, w.categories[2])
            .await
            .unwrap();
        let after = w.train().await;
        assert_ne!(after.state, AssistState::Failed, "{after:?}");
        assert!(
            w.proposed()
                .await
                .iter()
                .flat_map(|(_, a)| a)
                .all(|a| a.category_id != w.categories[2])
        );
        w.counted().await;
    })
    .await;
}

#[tokio::test]
async fn models_are_kept_in_the_registry_where_that_is_wanted() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(60, 3).await;
        w.turn_on(AssistOrder::Random).await;
        w.label(30).await;
        w.train().await;
        let models = async || {
            w.studio
                .models
                .search(&w.lena, "", &[], 10, None)
                .await
                .unwrap()
                .rows
        };
        assert!(
            models().await.is_empty(),
            "nobody outside the project learns of it by itself"
        );
        w.change(UpdateAssist {
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        // What the change has queued trains nothing.
        w.run().await;
        w.label(10).await;
        w.train().await;
        let found = models().await;
        assert_eq!(
            (found.len(), found[0].name.as_str(), found[0].versions),
            (1, "Shapes assist", 1)
        );
        let version = w
            .studio
            .models
            .version(&w.lena, "Shapes assist", 1)
            .await
            .unwrap();
        let run = w.studio.runs.get(&w.lena, version.run_id.unwrap()).await.unwrap();
        assert_eq!(run.info.status, limn_domain::run::RunStatus::Finished);
        assert_eq!(run.data.params["labels"], "40");
        assert!(
            run.data
                .metrics
                .iter()
                .any(|m| m.key == "accuracy" && m.last.value > 0.3)
        );
        let experiment = w
            .studio
            .experiments
            .get(&w.lena, run.info.experiment_id)
            .await
            .unwrap();
        assert_eq!(experiment.name, "Shapes");
        assert!(
            version.files >= 4 && version.description.contains("learned from 40 labels"),
            "{version:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn documents_are_described_by_their_words() {
    on_both(async |db| {
        const THEMES: [[&str; 6]; 3] = [
            ["goal", "match", "keeper", "league", "coach", "penalty"],
            ["bread", "butter", "oven", "flour", "dough", "recipe"],
            ["invoice", "payment", "account", "balance", "bank", "transfer"],
        ];
        let mut w = World::new(&db, Task::TextClassification).await;
        let mut rng = limn_ml::Rng::new(11);
        for n in 0..120 {
            let kind = (n * 7 + n / 3) % 3;
            let text: Vec<&str> = (0..30)
                .map(|k| match k % 3 {
                    0 => THEMES[kind][rng.below(6)],
                    _ => ["the", "and", "of", "was", "with", "then", "some"][rng.below(7)],
                })
                .collect();
            let text = format!("Note {n}.\r\n{} \u{1f600}", text.join(" "));
            w.add(&format!("{n:03}.txt"), text.into_bytes().into(), kind)
                .await;
        }
        let waiting = w.turn_on(AssistOrder::Useful).await;
        assert_eq!((waiting.state, waiting.items.seen), (AssistState::Waiting, 120));
        w.label(50).await;
        let ready = w.train().await;
        assert_eq!(ready.state, AssistState::Ready);
        let proposed = w.proposed().await;
        assert!(proposed.len() >= 30, "{ready:?}");
        let right = proposed
            .iter()
            .filter(|(i, a)| a.len() == 1 && a[0].category_id == w.categories[w.truth[&i.id]]);
        assert!(right.count() * 20 >= proposed.len() * 19);
        w.counted().await;
        // They come one by one, so what measures comes between the proposals.
        let order: Vec<i64> = w.next(10).await.iter().map(|i| i.prelabel_count).collect();
        assert!(order[0] == 1 && order[4] == 0 && order[9] == 0, "{order:?}");
        let why = refusal(
            w.studio
                .assist
                .update(
                    &w.manager,
                    w.project,
                    UpdateAssist {
                        backbone: Some("resnet18/1".to_owned()),
                        ..UpdateAssist::default()
                    },
                )
                .await,
        );
        assert!(why.for_field("backbone").is_some(), "{why:?}");
    })
    .await;
}
