//! Registered models: versions with their own files, aliases with a history, guards.

use crate::{code, refusal};
use limn_domain::model::{ModelVersion, NewModelVersion};
use limn_domain::run::{NewRun, Tags};
use limn_domain::{Code, Role, RunId};
use limn_services::Actor;
use limn_services::artifacts::Owner;
use limn_services::housekeeping::sweep;
use limn_services::models::Register;
use limn_testkit::{Studio, TestDb, on_both};

struct Scene {
    s: Studio,
    ana: Actor,
    manager: Actor,
    run: RunId,
}

impl std::ops::Deref for Scene {
    type Target = Studio;

    fn deref(&self) -> &Studio {
        &self.s
    }
}

impl Scene {
    async fn new(db: &TestDb) -> Self {
        let s = Studio::new(db);
        let ana = s.person("Ana", Role::Labeler).await;
        let manager = s.person("Max", Role::Manager).await;
        let experiment = s.experiments.ensure(&ana, "e").await.unwrap();
        let run = s
            .runs
            .start(&ana, experiment, NewRun::default())
            .await
            .unwrap()
            .id;
        let scene = Self { s, ana, manager, run };
        scene.put("model/w.bin", b"weights 1").await;
        scene.put("model/MLmodel", b"flavors: {}").await;
        scene
    }

    async fn put(&self, path: &str, bytes: &'static [u8]) {
        let bytes = bytes::Bytes::from_static(bytes);
        self.artifacts
            .put_bytes(&self.ana, Owner::Run(self.run), path, bytes)
            .await
            .unwrap();
    }

    async fn register(&self, name: &str) -> ModelVersion {
        let new = NewModelVersion {
            name: name.to_owned(),
            run_id: Some(self.run),
            path: "model".into(),
            tags: Tags::from([("task".to_owned(), "detection".to_owned())]),
            ..NewModelVersion::default()
        };
        self.models.register(&self.ana, new).await.unwrap()
    }

    async fn text(&self, v: &ModelVersion, path: &str) -> String {
        let file = self
            .artifacts
            .open(&self.ana, Owner::Version(v.id), path)
            .await
            .unwrap();
        let limn_services::media::MediaBody::File { path, .. } = file.body else {
            panic!("a file")
        };
        std::fs::read_to_string(path).unwrap()
    }

    async fn alias(&self, name: &str, alias: &str) -> Option<i64> {
        self.models
            .by_alias(&self.ana, name, alias)
            .await
            .ok()
            .map(|v| v.number)
    }
}

#[tokio::test]
async fn a_version_keeps_its_files_whatever_becomes_of_the_run() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        let one = w.register("M").await;
        assert_eq!((one.number, one.files, one.bytes), (1, 2, 20));
        assert_eq!(one.source, format!("runs:/{}/model", w.run.hex()));
        w.put("model/w.bin", b"weights 2").await;
        let two = w.register("M").await;
        assert_eq!(w.text(&one, "w.bin").await, "weights 1");
        assert_eq!(w.text(&two, "w.bin").await, "weights 2");
        let files = w.models.version_files(&w.ana, "M", 1).await.unwrap();
        assert_eq!(
            files.iter().map(|f| f.entry.path.as_str()).collect::<Vec<_>>(),
            ["MLmodel", "w.bin"]
        );
        let bytes = bytes::Bytes::from_static(b"x");
        let no = w
            .artifacts
            .put_bytes(&w.ana, Owner::Version(one.id), "y", bytes)
            .await;
        assert_eq!(code(no), Code::WrongState);
        // The run cannot go for good while they name it, but it may lie in the bin.
        let admin = w.person("Ada", Role::Admin).await;
        w.runs.set_deleted(&w.ana, w.run, true).await.unwrap();
        let no = refusal(w.runs.purge(&admin, w.run).await);
        assert!(
            no.code == Code::Conflict && no.message.contains("M v1, M v2"),
            "{no:?}"
        );
        w.models.delete_version(&w.manager, "M", 2).await.unwrap();
        w.models.delete(&w.manager, "M").await.unwrap();
        w.runs.purge(&admin, w.run).await.unwrap();
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        let mut tx = db.read().await.unwrap();
        let left: i64 = limn_store::on_tx!(&mut tx, conn => {
            sqlx::query_scalar("SELECT count(*) FROM blob").fetch_one(conn).await.unwrap()
        });
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test]
async fn sources_are_names_and_never_paths() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        let register = async |source: &str| {
            let new = Register {
                name: "S".into(),
                source: source.into(),
                or_create: true,
                ..Register::default()
            };
            w.models.register_source(&w.ana, new).await
        };
        for (source, files) in [
            (format!("runs:/{}/model", w.run.hex()), 2),
            (format!("mlflow-artifacts:/1/{}/artifacts/model", w.run.hex()), 2),
            (
                format!(
                    "mlflow-artifacts://limn.test:80/1/{}/artifacts/model",
                    w.run.hex()
                ),
                2,
            ),
            ("s3://bucket/model".to_owned(), 0),
            ("/etc".to_owned(), 0),
            ("file:///etc/passwd".to_owned(), 0),
        ] {
            assert_eq!(register(&source).await.unwrap().files, files, "{source}");
        }
        for bad in [
            "file:///a/../../etc",
            "runs:/x/model",
            "mlflow-artifacts:/../../etc",
        ] {
            assert_eq!(code(register(bad).await), Code::InvalidInput, "{bad}");
        }
        let empty = NewModelVersion {
            name: "E".into(),
            run_id: Some(w.run),
            path: "none".into(),
            ..NewModelVersion::default()
        };
        assert_eq!(code(w.models.register(&w.ana, empty).await), Code::InvalidInput);
        // Nothing was left of what was refused.
        assert_eq!(code(w.models.get(&w.ana, "E").await), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn the_history_says_which_version_an_alias_had_when() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        for _ in 0..3 {
            w.register("M").await;
        }
        let start = w.clock.now();
        for number in [1, 2, 3] {
            w.clock.advance_seconds(100);
            w.models
                .set_alias(&w.ana, "M", "production", Some(number))
                .await
                .unwrap();
        }
        // The same again is no move.
        w.models
            .set_alias(&w.ana, "M", "production", Some(3))
            .await
            .unwrap();
        w.clock.advance_seconds(100);
        w.models.set_alias(&w.ana, "M", "production", None).await.unwrap();
        let at = async |seconds: i64| {
            let found = w
                .models
                .alias_at(&w.ana, "M", "production", start.plus_seconds(seconds))
                .await
                .unwrap();
            found.and_then(|m| m.number)
        };
        assert_eq!(
            [
                at(50).await,
                at(100).await,
                at(250).await,
                at(399).await,
                at(401).await
            ],
            [None, Some(1), Some(2), Some(3), None]
        );
        let moves = w.models.alias_moves(&w.ana, "M").await.unwrap();
        assert_eq!(
            moves.iter().map(|m| m.number).collect::<Vec<_>>(),
            [None, Some(3), Some(2), Some(1)]
        );
        assert!(moves.iter().all(|m| m.by_name == "Ana"));
        // Back, and back again: each move is one more line.
        assert_eq!(w.models.roll_back(&w.ana, "M", "production").await.unwrap(), 3);
        assert_eq!(w.models.roll_back(&w.ana, "M", "production").await.unwrap(), 2);
        w.models.delete_version(&w.manager, "M", 3).await.unwrap();
        assert_eq!(w.models.roll_back(&w.ana, "M", "production").await.unwrap(), 1);
        assert_eq!(w.models.alias_moves(&w.ana, "M").await.unwrap().len(), 7);
        assert_eq!(
            code(w.models.roll_back(&w.ana, "M", "none").await),
            Code::WrongState
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        for _ in 0..2 {
            w.register("M").await;
        }
        w.models
            .set_alias(&w.ana, "M", "champion", Some(1))
            .await
            .unwrap();
        assert_eq!(
            code(w.models.delete_version(&w.ana, "M", 2).await),
            Code::Forbidden
        );
        let no = refusal(w.models.delete_version(&w.manager, "M", 1).await);
        assert!(
            no.code == Code::Conflict && no.message.contains("champion"),
            "{no:?}"
        );
        assert_eq!(code(w.models.delete(&w.manager, "M").await), Code::Conflict);
        assert_eq!(
            code(w.models.set_alias(&w.ana, "M", "champion", Some(9)).await),
            Code::NotFound
        );
        for bad in ["v2", "latest", "a b", ""] {
            assert_eq!(
                code(w.models.set_alias(&w.ana, "M", bad, Some(1)).await),
                Code::InvalidInput,
                "{bad}"
            );
        }
        w.models.delete_version(&w.manager, "M", 2).await.unwrap();
        // Numbers are not given again.
        assert_eq!(w.register("M").await.number, 3);
        assert_eq!(w.alias("M", "latest").await, Some(3));
        let other = w.models.create(&w.ana, "N", "", Tags::new()).await.unwrap();
        assert_eq!(other.versions, 0);
        assert_eq!(code(w.models.rename(&w.ana, "N", "M").await), Code::AlreadyExists);
        w.models.rename(&w.ana, "M", "K").await.unwrap();
        assert_eq!(
            (w.alias("K", "champion").await, w.alias("M", "champion").await),
            (Some(1), None)
        );
    })
    .await;
}

#[tokio::test]
async fn stages_of_old_clients_are_aliases_too() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        for _ in 0..2 {
            w.register("M").await;
        }
        w.models
            .set_stage(&w.ana, "M", 1, "production", false)
            .await
            .unwrap();
        assert_eq!(w.alias("M", "production").await, Some(1));
        let two = w
            .models
            .set_stage(&w.ana, "M", 2, "Production", true)
            .await
            .unwrap();
        assert_eq!(
            (two.stage.as_str(), w.alias("M", "production").await),
            ("Production", Some(2))
        );
        assert_eq!(w.models.version(&w.ana, "M", 1).await.unwrap().stage, "Archived");
        w.models
            .set_stage(&w.ana, "M", 2, "Archived", false)
            .await
            .unwrap();
        assert_eq!(w.alias("M", "production").await, None);
        assert_eq!(
            code(w.models.set_stage(&w.ana, "M", 2, "Testing", false).await),
            Code::InvalidInput
        );
        assert_eq!(
            code(w.models.set_stage(&w.ana, "M", 2, "Archived", true).await),
            Code::InvalidInput
        );
    })
    .await;
}

#[tokio::test]
async fn searches_by_tag_and_name() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        for name in ["cats", "dogs"] {
            w.register(name).await;
        }
        w.models
            .set_tag(&w.ana, "cats", "team", Some("vision"))
            .await
            .unwrap();
        let names = async |filter: &str| {
            let page = w.models.search(&w.ana, filter, &[], 10, None).await.unwrap();
            page.rows.into_iter().map(|m| m.name).collect::<Vec<_>>()
        };
        assert_eq!(
            names("tag.`mlflow.prompt.is_prompt` != 'true'").await,
            ["cats", "dogs"]
        );
        assert_eq!(
            names("tag.`mlflow.prompt.is_prompt` = 'true'").await,
            Vec::<String>::new()
        );
        assert_eq!(names("tags.team = 'vision'").await, ["cats"]);
        assert_eq!(names("name ILIKE '%DO%'").await, ["dogs"]);
        let versions = w
            .models
            .search_versions(
                &w.ana,
                "tags.task = 'detection' and name IN ('cats')",
                &[],
                10,
                None,
            )
            .await
            .unwrap();
        assert_eq!(versions.rows.len(), 1);
        let page = w.models.search(&w.ana, "", &[], 1, None).await.unwrap();
        let rest = w
            .models
            .search(&w.ana, "", &[], 1, page.next.as_deref())
            .await
            .unwrap();
        assert_eq!((rest.rows[0].name.as_str(), rest.next), ("dogs", None));
    })
    .await;
}

#[tokio::test]
async fn people_find_models_by_what_is_said_of_their_versions() {
    on_both(async |db| {
        let w = Scene::new(&db).await;
        for name in ["cats", "cats", "cats", "dogs"] {
            w.clock.advance_seconds(1);
            w.register(name).await;
        }
        for (number, data) in [(1, "street"), (2, "Street 2"), (3, "sky")] {
            w.models
                .set_version_tag(&w.ana, "cats", number, "data", Some(data))
                .await
                .unwrap();
        }
        for (model, alias, number) in [("cats", "production", 2), ("dogs", "candidate", 1)] {
            w.clock.advance_seconds(1);
            w.models
                .set_alias(&w.ana, model, alias, Some(number))
                .await
                .unwrap();
        }
        w.models
            .set_tag(&w.ana, "dogs", "team", Some("vision"))
            .await
            .unwrap();
        let found = async |text: &str| -> Vec<(String, Vec<i64>)> {
            let found = w.models.find(&w.ana, text, 10).await.unwrap();
            assert_eq!(found.total, found.rows.len() as i64, "{text}");
            found
                .rows
                .into_iter()
                .map(|f| (f.model.name, f.versions))
                .collect()
        };
        let cats = |versions: &[i64]| vec![("cats".to_owned(), versions.to_vec())];
        let dogs = |versions: &[i64]| vec![("dogs".to_owned(), versions.to_vec())];
        // Those that changed last come first.
        assert_eq!(found("").await, [dogs(&[]), cats(&[])].concat());
        assert_eq!(found("CAT").await, cats(&[]));
        // A tag of either; the versions are named where they have it, the newest first.
        assert_eq!(found("team:vis").await, dogs(&[]));
        assert_eq!(found("data:street").await, cats(&[2, 1]));
        assert_eq!(found("version_tags.data = 'street'").await, cats(&[1]));
        assert_eq!(
            found("version_tags.data LIKE '%ky' AND name = 'cats'").await,
            cats(&[3])
        );
        assert_eq!(found("alias:prod").await, cats(&[2]));
        assert_eq!(found("alias IN ('candidate', 'other')").await, dogs(&[1]));
        // All of it of one version.
        assert_eq!(found("alias:prod data:street").await, cats(&[2]));
        assert!(found("alias:prod data:sky").await.is_empty());
        let other = found("alias = 'production' AND version_tags.data = 'sky'").await;
        assert!(other.is_empty(), "{other:?}");
        // Nothing is said of where a filter was meant, but why it is none.
        let hint = async |text: &str| w.models.find(&w.ana, text, 10).await.unwrap().hint;
        assert!(hint("tags.team = vision").await.unwrap().contains("in quotes"));
        assert_eq!(hint("team:vision").await, None);
        // Clients search the same.
        let page = w
            .models
            .search(&w.ana, "alias = 'candidate'", &[], 10, None)
            .await
            .unwrap();
        assert_eq!(page.rows.len(), 1);
        let few = w.models.find(&w.ana, "", 1).await.unwrap();
        assert_eq!((few.rows.len(), few.total), (1, 2));
    })
    .await;
}
