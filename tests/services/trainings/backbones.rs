//! Trainings that begin with a registered backbone: offered, checked, carried to the trainer, noted, guarded.

use super::of;
use super::trainer::Script;
use super::world::World;
use crate::{code, refusal};
use limn_domain::dataset::LineageNode;
use limn_domain::job::JobState;
use limn_domain::model::NewModelVersion;
use limn_domain::run::{NewRun, RunStatus};
use limn_domain::training::{NewTraining, TrainTask};
use limn_domain::{Code, Role};
use limn_services::artifacts::Owner;
use limn_store::repo;
use limn_testkit::{build, on_both};

impl World {
    /// Registers the next version of a model with one file.
    async fn weights(&self, name: &str, file: &str, bytes: &'static [u8]) -> String {
        let s = &self.studio;
        let experiment = s.experiments.ensure(&self.mia, "Weights").await.unwrap();
        let run = s
            .runs
            .start(&self.mia, experiment, NewRun::default())
            .await
            .unwrap()
            .id;
        s.artifacts
            .put_bytes(&self.mia, Owner::Run(run), file, bytes.into())
            .await
            .unwrap();
        let new = NewModelVersion {
            name: name.to_owned(),
            run_id: Some(run),
            ..NewModelVersion::default()
        };
        let made = s.models.register(&self.mia, new).await.unwrap();
        format!("{}/{}", made.model_name, made.number)
    }
}

fn beginning(task: TrainTask, backbone: &str) -> NewTraining {
    NewTraining {
        task,
        backbone: Some(backbone.to_owned()),
        examples: Some(true),
        ..NewTraining::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_training_begins_with_registered_weights() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let names: Vec<&[&str]> = (0..12)
            .map(|n| if n % 2 == 0 { &["cat"][..] } else { &["dog"][..] })
            .collect();
        let version = w.wholes("Pets", &names).await;
        let good = w.weights("nets", "resnet.safetensors", b"net of mine").await;
        let other = w.weights("other", "w.pth", b"something else").await;
        let graph = w.weights("graph", "net.onnx", b"net of steps").await;
        let notes = w.weights("notes", "readme.txt", b"none").await;

        let trainings = &w.studio.trainings;
        let offer = trainings.offer(&w.lena, version).await.unwrap();
        assert_eq!(offer.backbones, [good.clone(), other.clone()]);
        let one = of(&offer, TrainTask::Classification);
        assert_eq!(one.backbone_steps, Some(one.parts.train * 2));
        assert_eq!(of(&offer, TrainTask::Detection).backbone_steps, None);

        // What cannot be begun with is told at once, beside its field, and nothing is begun.
        for (name, why) in [
            ("nets", "NAME/VERSION"),
            ("nets/9", "no version 9"),
            (other.as_str(), "of nothing known"),
            (graph.as_str(), "as ONNX, which cannot be fine-tuned"),
            (notes.as_str(), "holds no weights"),
        ] {
            let input = beginning(TrainTask::Classification, name);
            let said = refusal(trainings.start(&w.lena, version, input).await);
            assert!(
                said.for_field("backbone").is_some_and(|m| m.contains(why)),
                "{name}: {said:?}"
            );
        }
        let boxes = w.boxes("Boxes", 8, None).await;
        let input = beginning(TrainTask::Detection, &good);
        let said = refusal(trainings.start(&w.lena, boxes, input).await);
        assert!(
            said.for_field("backbone")
                .is_some_and(|m| m.contains("Only classifications"))
        );
        let begun = w.studio.jobs.list(&w.lena, None, true, None, None).await.unwrap();
        assert!(begun.rows.is_empty());

        let started = w
            .start(
                version,
                beginning(TrainTask::Classification, &format!(" {good} ")),
            )
            .await;
        // The weights stay until it has ended.
        let kept = refusal(w.studio.models.delete_version(&w.mia, "nets", 1).await);
        assert_eq!(kept.code, Code::Conflict);
        assert!(
            kept.message.contains("a training begins with"),
            "{}",
            kept.message
        );
        assert_eq!(
            refusal(w.studio.models.delete(&w.mia, "nets").await).code,
            Code::Conflict
        );
        let job = w.finish(started.job.id).await;
        assert_eq!((job.state, job.error.as_deref()), (JobState::Succeeded, None));
        let seen = w.trainer.seen();
        assert_eq!(seen.backbone.as_deref(), Some(&b"net of mine"[..]));
        assert!(seen.sizes.iter().all(|s| *s == (24, 24)), "{:?}", seen.sizes);

        let run = started.run().unwrap();
        let after = w.run(run).await;
        assert_eq!(after.info.status, RunStatus::Finished);
        let params = &after.data.params;
        assert_eq!(
            (&params["backbone"], &params["net"]),
            (&good, &"netling".to_owned())
        );
        assert_eq!(params["steps"], (one.parts.train * 2).to_string());
        assert!(params["backbone_digest"].len() > 20, "{params:?}");
        let about = w.bytes(run, "model/categories.json").await;
        let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
        assert_eq!(about["side"], 24);
        let made = w.studio.models.of_run(&w.lena, run).await.unwrap();
        assert_eq!(made[0].tags["limn.backbone"], good);
        assert!(
            made[0]
                .description
                .contains("| began with | nets/1, weights of a netling |"),
            "{}",
            made[0].description
        );
        // Its steps say nothing of those of other trainings.
        let offer = trainings.offer(&w.lena, version).await.unwrap();
        assert_eq!(of(&offer, TrainTask::Classification).seconds_per_step, None);

        // One that begins with nothing is given nothing.
        let input = NewTraining {
            task: TrainTask::Classification,
            backbone: Some(String::new()),
            ..NewTraining::default()
        };
        let started = w.start(version, input).await;
        let job = w.finish(started.job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let seen = w.trainer.seen();
        assert_eq!((seen.backbone, seen.sizes[0]), (None, (32, 32)));
        let plain = w.run(started.run().unwrap()).await;
        assert!(!plain.data.params.contains_key("backbone"));
        w.studio.models.delete_version(&w.mia, "nets", 1).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_version_of_a_projects_labels_is_found() {
    on_both(async |db| {
        let w = World::new(&db, Script::default()).await;
        let version = w.wholes("Pets", &[&["cat"], &["dog"], &["cat"], &["dog"]]).await;
        let dataset = w.version(version).await.dataset_id;
        let mut tx = w.studio.db.read().await.unwrap();
        let edges = repo::lineage::of_dataset(&mut tx, dataset, 10).await.unwrap();
        drop(tx);
        let project = edges.iter().find_map(|e| match &e.from {
            LineageNode::Project { project_id, .. } => *project_id,
            _ => None,
        });
        let project = project.expect("made of a project");
        let versions = &w.studio.versions;
        let found = versions.of_project(&w.mia, project).await.unwrap();
        assert_eq!(found.map(|v| v.id), Some(version));
        // For those who see the project; of versions that they do not see they learn nothing.
        assert_eq!(code(versions.of_project(&w.lena, project).await), Code::NotFound);
        let ute = w.studio.person("Ute", Role::Labeler).await;
        build::member(&w.studio.db, project, ute.user_id().unwrap(), Role::Labeler).await;
        assert_eq!(versions.of_project(&ute, project).await.unwrap(), None);
        let empty = build::project(&w.studio.db, "Empty", limn_domain::project::Task::Multilabel).await;
        build::member(&w.studio.db, empty, w.mia.user_id().unwrap(), Role::Manager).await;
        assert_eq!(versions.of_project(&w.mia, empty).await.unwrap(), None);
    })
    .await;
}
