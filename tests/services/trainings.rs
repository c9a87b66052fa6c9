//! Trainings with a trainer that does no mathematics: what becomes of runs, figures, files, checkpoints and versions.

mod backbones;
mod ends;
mod trainer;
mod world;

use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::dataset::DatasetKind;
use limn_domain::job::JobState;
use limn_domain::run::RunStatus;
use limn_domain::training::{NewTraining, Parts, TaskOffer, TrainTask, TrainingOffer};
use limn_services::artifacts::Owner;
use limn_services::experiments::DEFAULT;
use limn_store::repo;
use limn_testkit::on_both;
use trainer::Script;
use world::{World, drawn};

fn of(offer: &TrainingOffer, task: TrainTask) -> &TaskOffer {
    offer.tasks.iter().find(|t| t.task == task).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_becomes_a_run_with_files_and_a_registered_version() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let version = w.boxes("Raccoons", 12, Some([75, 25, 0])).await;
        let offer = w.studio.trainings.offer(&w.lena, version).await.unwrap();
        let (boxes, one) = (&offer.tasks[0], of(&offer, TrainTask::Classification));
        assert_eq!((boxes.pictures, boxes.labels, boxes.categories), (12, 12, 2));
        assert_eq!(
            boxes.parts,
            Parts {
                train: 9,
                valid: 3,
                rest: 0
            }
        );
        assert_eq!((boxes.refusal.as_deref(), boxes.steps), (None, 45));
        assert!(
            one.refusal
                .as_deref()
                .unwrap()
                .contains("no categories of whole pictures")
        );

        let started = w
            .start(
                version,
                NewTraining {
                    steps: Some(30),
                    examples: Some(true),
                    ..NewTraining::default()
                },
            )
            .await;
        let run = started.run().unwrap();
        let info = w.run(run).await;
        assert_eq!(
            (info.info.status, info.info.user_name.as_str()),
            (RunStatus::Scheduled, "Lena")
        );
        assert_ne!(started.experiment_id, DEFAULT);
        let job = w.finish(started.job.id).await;
        assert_eq!((job.state, job.error.as_deref()), (JobState::Succeeded, None));

        let after = w.run(run).await;
        assert_eq!(after.info.status, RunStatus::Finished);
        assert_eq!(after.data.params["steps"], "30");
        assert_eq!(after.data.params["categories"], "cat, dog");
        assert_eq!(after.data.params["held_back"], "the split val");
        assert_eq!(after.data.params["net"], "none");
        assert_eq!(after.data.tags["limn.device"], "an abacus");
        assert_eq!(after.inputs[0].version_id, Some(version));
        assert_eq!(
            after.inputs[0].digest,
            w.version(version).await.digest.to_string()
        );
        let loss = w.studio.runs.history(&w.lena, run, "loss").await.unwrap();
        let steps: Vec<i64> = loss.iter().map(|p| p.step).collect();
        assert_eq!(steps, (1..=30).collect::<Vec<_>>());
        let last = after
            .data
            .metrics
            .iter()
            .find(|m| m.key == "valid_mAP50")
            .unwrap();
        assert_eq!((last.last.step, last.last.value), (30, 0.5));

        let files = w
            .studio
            .artifacts
            .files(&w.lena, Owner::Run(run), "")
            .await
            .unwrap();
        let names: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
        for name in [
            "confusion_matrix.csv",
            "confusion_matrix.json",
            "figures.json",
            "model/README.md",
            "model/categories.json",
            "model/model.limn",
            "predictions/01.jpg",
            "predictions/index.json",
            "training.log",
        ] {
            assert!(names.contains(&name), "{name} of {names:?}");
        }
        let log = String::from_utf8(w.bytes(run, "training.log").await).unwrap();
        assert!(
            log.trim_end().ends_with("Registered as Raccoons detection v1."),
            "{log}"
        );
        assert!(log.contains("Computed on an abacus."), "{log}");
        let report = w.studio.trainings.report(&w.lena, run).await.unwrap().unwrap();
        assert_eq!(report.confusion.unwrap().names, ["cat", "dog", "nothing"]);
        assert_eq!(report.examples.len(), 3);
        // The worst comes first: the trainer sees nothing on the last picture.
        assert!(!report.examples[0].is_right && report.examples[0].said.contains("1 missed"));
        assert!(report.examples[2].is_right);
        let jpeg = w.bytes(run, "predictions/01.jpg").await;
        assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 480);

        let made = w.studio.models.of_run(&w.lena, run).await.unwrap();
        assert_eq!(
            (made.len(), made[0].model_name.as_str()),
            (1, "Raccoons detection")
        );
        assert_eq!((made[0].dataset_version_id, made[0].files), (Some(version), 3));
        assert!(made[0].description.contains("Average precision"));
        assert!(!w.folder(run).exists(), "nothing is left behind");

        // Asked about a picture, it answers in the picture's own pixels.
        let said = w
            .studio
            .trainings
            .predict(&w.lena, "Raccoons detection", 1, drawn(200, 100, 9).into(), None)
            .await
            .unwrap();
        assert_eq!((said.width, said.height, said.boxes.len()), (200, 100, 1));
        let b = &said.boxes[0];
        assert_eq!(
            (b.category.as_str(), b.x, b.width, b.height),
            ("cat", 50.0, 100.0, 50.0)
        );
        let none = w
            .studio
            .trainings
            .predict(
                &w.lena,
                "Raccoons detection",
                1,
                drawn(200, 100, 9).into(),
                Some(0.95),
            )
            .await
            .unwrap();
        assert!(none.boxes.is_empty());
        let bad = w
            .studio
            .trainings
            .predict(&w.lena, "Raccoons detection", 1, "no picture".into(), None);
        assert_eq!(code(bad.await), Code::UnsupportedMedia);
        // What it took is known for the next offer.
        let offer = w.studio.trainings.offer(&w.lena, version).await.unwrap();
        assert!(offer.tasks[0].seconds_per_step.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_come_small_upright_and_with_boxes_as_shares() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let version = w.boxes("Raccoons", 6, None).await;
        let started = w.start(version, NewTraining::default()).await;
        let job = w.finish(started.job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let seen = w.trainer.seen();
        assert_eq!(seen.train + seen.valid, 6);
        assert!(seen.valid >= 1, "some are held back");
        assert_eq!(seen.sizes[0], (32, 24), "64 x 48 pixels fit 32");
        assert!(
            seen.boxes
                .iter()
                .all(|b| (b.x - 0.125).abs() < 1e-6 && (b.width - 0.5).abs() < 1e-6),
            "{:?}",
            seen.boxes
        );
        let run = w.run(started.run().unwrap()).await;
        assert_eq!(run.data.params["held_back"], "20 % by content");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_version_lacks_is_said_before_anything_begins() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let trainings = &w.studio.trainings;
        let start = async |version, task| {
            let input = NewTraining {
                task,
                ..NewTraining::default()
            };
            refusal(trainings.start(&w.lena, version, input).await)
        };
        let few = w.boxes("Few", 3, None).await;
        let said = start(few, TrainTask::Detection).await;
        assert_eq!(
            (said.code, said.fields[0].field.as_str()),
            (Code::InvalidInput, "task")
        );
        assert!(
            said.message
                .contains("Only 3 of the pictures of version 1 have boxes; 4 are the least"),
            "{}",
            said.message
        );
        let said = start(few, TrainTask::Classification).await;
        assert!(
            said.message
                .contains("version 1 has no categories of whole pictures")
                || said.message.contains("Version 1 has no"),
            "{}",
            said.message
        );

        let alike = w.wholes("Alike", &[&["cat"][..]; 6]).await;
        let said = start(alike, TrainTask::Classification).await;
        assert!(
            said.message.contains("All pictures have the category cat"),
            "{}",
            said.message
        );
        let several = w
            .wholes(
                "Several",
                &[&["cat", "dog"][..], &["cat"], &["dog"], &["cat"], &["dog"]],
            )
            .await;
        let said = start(several, TrainTask::Classification).await;
        assert!(
            said.message
                .contains("1 of the pictures have more than one category"),
            "{}",
            said.message
        );
        let offer = trainings.offer(&w.lena, several).await.unwrap();
        assert_eq!(of(&offer, TrainTask::Multilabel).refusal, None);

        let tables = w.dataset("Tables", DatasetKind::Files).await;
        let version = w.register_files(tables, &[("a.csv", b"x\n1\n".to_vec())]).await;
        let said = start(version, TrainTask::Detection).await;
        assert!(said.message.contains("of the kind files"), "{}", said.message);

        let good = w.boxes("Good", 8, None).await;
        let input = NewTraining {
            steps: Some(0),
            ..NewTraining::default()
        };
        assert_eq!(
            refusal(trainings.start(&w.lena, good, input).await).fields[0].field,
            "steps"
        );
        let input = NewTraining {
            model: Some("a/b".into()),
            ..NewTraining::default()
        };
        assert_eq!(
            refusal(trainings.start(&w.lena, good, input).await).fields[0].field,
            "model"
        );
        let input = NewTraining {
            experiment: Some("a\nb".into()),
            ..NewTraining::default()
        };
        assert_eq!(
            refusal(trainings.start(&w.lena, good, input).await).fields[0].field,
            "experiment"
        );
        // Nothing was begun by any of it.
        assert!(
            w.studio
                .jobs
                .list(&w.lena, None, true, None, None)
                .await
                .unwrap()
                .rows
                .is_empty()
        );
        // Whoever does not see the dataset does not learn of it.
        let stranger = w.studio.person("Ute", limn_domain::Role::Manager).await;
        assert_eq!(
            code(trainings.start(&stranger, good, NewTraining::default()).await),
            Code::NotFound
        );
        assert_eq!(code(trainings.offer(&stranger, good).await), Code::NotFound);
        // A model of another make cannot be asked.
        let asked = trainings
            .predict(&w.lena, "nobody", 1, drawn(8, 8, 1).into(), None)
            .await;
        assert_eq!(code(asked), Code::NotFound);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn classifiers_say_categories_and_pictures_that_cannot_be_read_are_left_out() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let names: Vec<&[&str]> = (0..12)
            .map(|n| if n % 2 == 0 { &["cat"][..] } else { &["dog"][..] })
            .collect();
        let version = w.wholes("Pets", &names).await;
        // One of the files is damaged on the disk.
        let entries = w.entries(version).await;
        std::fs::write(
            w.studio.context.blobs.path(&entries[3].digest),
            b"\x89PNG\r\n\x1a\nbroken",
        )
        .unwrap();
        let input = NewTraining {
            task: TrainTask::Classification,
            register: false,
            examples: Some(true),
            ..NewTraining::default()
        };
        let started = w.start(version, input).await;
        let job = w.finish(started.job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        assert_eq!(w.trainer.seen().train + w.trainer.seen().valid, 11);
        let log = w.studio.jobs.log(&w.lena, job.id, 0).await.unwrap();
        assert!(log.iter().any(|l| l.message.contains("is left out")), "{log:?}");
        let run = started.run().unwrap();
        assert!(w.studio.models.of_run(&w.lena, run).await.unwrap().is_empty());
        let report = w.studio.trainings.report(&w.lena, run).await.unwrap().unwrap();
        assert!(
            report
                .examples
                .iter()
                .any(|e| e.said.starts_with("cat (") || e.said.starts_with("dog (")),
            "{:?}",
            report.examples
        );
        // Pictures of a private dataset are kept only when that is asked for.
        let input = NewTraining {
            task: TrainTask::Classification,
            register: false,
            ..NewTraining::default()
        };
        let started = w.start(version, input).await;
        let job = w.finish(started.job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let report = w.studio.trainings.report(&w.lena, started.run().unwrap()).await;
        assert!(report.unwrap().unwrap().examples.is_empty());
        let mut tx = w.studio.db.read().await.unwrap();
        assert!(repo::training::orphans(&mut tx, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlines_teach_what_every_pixel_is() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let version = w.outlines("Outlines", 10).await;
        let offer = w.studio.trainings.offer(&w.lena, version).await.unwrap();
        let areas = of(&offer, TrainTask::Segmentation);
        assert_eq!((areas.pictures, areas.labels, areas.categories), (10, 10, 2));
        assert_eq!(areas.refusal, None);
        let boxes = w.boxes("Boxes", 8, None).await;
        let offer = w.studio.trainings.offer(&w.lena, boxes).await.unwrap();
        for task in [TrainTask::Segmentation, TrainTask::InstanceSegmentation] {
            let none = of(&offer, task);
            assert!(
                none.refusal.as_ref().unwrap().contains("no outlines or masks"),
                "{none:?}"
            );
        }

        let input = NewTraining {
            task: TrainTask::Segmentation,
            steps: Some(5),
            examples: Some(true),
            ..NewTraining::default()
        };
        let started = w.start(version, input).await;
        let job = w.finish(started.job.id).await;
        assert_eq!((job.state, job.error.as_deref()), (JobState::Succeeded, None));
        let run = started.run().unwrap();
        let shown = w.bytes(run, "predictions/index.json").await;
        let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
        // A quarter of the picture each.
        assert!(shown[0]["truth"].as_str().unwrap().ends_with("25 %"), "{shown}");
        assert_eq!(shown[0]["is_right"], true);

        let said = w
            .studio
            .trainings
            .predict(
                &w.lena,
                "Outlines segmentation",
                1,
                drawn(200, 100, 9).into(),
                None,
            )
            .await
            .unwrap();
        assert_eq!(
            (said.boxes.len(), said.categories.len(), said.areas.len()),
            (0, 0, 1)
        );
        let area = &said.areas[0];
        assert_eq!((area.category.as_str(), area.area), ("cat", 100 * 100));
        assert_eq!(area.segmentation.size, [100, 200]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlines_teach_objects_and_their_pixels() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let version = w.outlines("Objects", 10).await;
        let offer = w.studio.trainings.offer(&w.lena, version).await.unwrap();
        let objects = of(&offer, TrainTask::InstanceSegmentation);
        assert_eq!(
            (objects.pictures, objects.labels, objects.categories),
            (10, 10, 2)
        );
        assert_eq!(
            (objects.refusal.as_deref(), objects.model.as_str()),
            (None, "Objects instance segmentation")
        );
        let input = NewTraining {
            task: TrainTask::InstanceSegmentation,
            steps: Some(5),
            examples: Some(true),
            ..NewTraining::default()
        };
        let started = w.start(version, input).await;
        assert_eq!(started.job.title, "Train instance segmentation on Objects v1");
        let job = w.finish(started.job.id).await;
        assert_eq!((job.state, job.error.as_deref()), (JobState::Succeeded, None));
        // An outline of 32 x 24 pixels is so many places, all of its box.
        let seen = w.trainer.seen();
        assert_eq!((seen.boxes.len(), seen.outlines.len()), (seen.train, seen.train));
        for (b, cut) in seen.boxes.iter().zip(&seen.outlines) {
            assert_eq!((cut.at, cut.columns, cut.rows), (*b, 32, 24));
            assert!(cut.places().iter().all(|v| *v == 1));
        }

        let run = started.run().unwrap();
        let after = w.run(run).await;
        assert_eq!(after.info.status, RunStatus::Finished);
        assert_eq!(after.data.params["task"], "instance_segmentation");
        assert_eq!(after.data.tags["limn.task"], "instance_segmentation");
        assert_eq!(
            after.inputs[0].digest,
            w.version(version).await.digest.to_string()
        );
        let mask = after.data.metrics.iter().find(|m| m.key == "valid_mask_mAP50");
        assert_eq!(mask.unwrap().last.value, 0.5);
        let log = w.studio.jobs.log(&w.lena, job.id, 0).await.unwrap();
        assert!(
            log.iter().any(|l| l
                .message
                .starts_with("Trained: mask_mAP50 0.500. Registered as Objects")),
            "{log:?}"
        );
        let report = w.studio.trainings.report(&w.lena, run).await.unwrap().unwrap();
        assert_eq!(report.figures.task, TrainTask::InstanceSegmentation);
        assert_eq!(
            report.confusion.as_ref().unwrap().names,
            ["cat", "dog", "nothing"]
        );
        // Three quarters of an outline are right; on the last picture it sees nothing.
        let n = report.examples.len();
        assert!(
            n >= 1 && report.examples[0].said == "nothing (0 right, 0 wrong, 1 missed)",
            "{report:?}"
        );
        assert!(report.examples[1..].iter().all(|e| e.is_right), "{report:?}");
        let jpeg = w.bytes(run, "predictions/01.jpg").await;
        assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 480);

        // Asked about a picture, it answers boxes with the pixels of what is in them.
        let made = w.studio.models.of_run(&w.lena, run).await.unwrap();
        assert_eq!(made[0].model_name, "Objects instance segmentation");
        assert!(made[0].description.contains("which pixels are theirs"));
        let said = w
            .studio
            .trainings
            .predict(&w.lena, &made[0].model_name, 1, drawn(200, 100, 9).into(), None)
            .await
            .unwrap();
        assert_eq!(
            (said.task, said.boxes.len(), said.areas.len()),
            (TrainTask::InstanceSegmentation, 1, 0)
        );
        let b = &said.boxes[0];
        assert_eq!(
            (b.category.as_str(), b.x, b.y, b.width, b.height),
            ("cat", 50.0, 25.0, 100.0, 50.0)
        );
        let pixels = b.segmentation.as_ref().unwrap();
        assert_eq!(pixels.size, [100, 200]);
        let runs = limn_domain::mask::decode_counts(&pixels.counts).unwrap();
        let mask = limn_domain::Mask::from_runs(200, 100, &runs).unwrap();
        assert!((3_600..=3_900).contains(&mask.area()), "{}", mask.area());
    })
    .await;
}
