//! Runs and what they log: series in chunks, latest values, searches, files and their end.

mod groups;
mod large;

use crate::{code, refusal};
use limn_domain::filter;
use limn_domain::run::{ExperimentId, NewPoint, NewRun, Point, RunBatch, RunInput, RunStatus, Tags, View};
use limn_domain::{Code, Role, RunId};
use limn_services::Actor;
use limn_services::artifacts::{Owner, Preview};
use limn_services::housekeeping::sweep;
use limn_services::runs::Search;
use limn_store::repo;
use limn_testkit::{Studio, build, on_both};

/// An experiment and somebody who logs to it.
async fn scene(db: &limn_testkit::TestDb) -> (Studio, Actor, ExperimentId) {
    let studio = Studio::new(db);
    let ana = studio.person("Ana", Role::Viewer).await;
    let experiment = studio.experiments.ensure(&ana, "digits").await.unwrap();
    (studio, ana, experiment)
}

async fn started(s: &Studio, who: &Actor, experiment: ExperimentId) -> RunId {
    s.runs.start(who, experiment, NewRun::default()).await.unwrap().id
}

fn metrics(points: Vec<NewPoint>) -> RunBatch {
    RunBatch {
        metrics: points,
        ..RunBatch::default()
    }
}

fn search(experiment: ExperimentId, filter: &str) -> Search {
    Search {
        experiments: vec![experiment],
        filter: filter.to_owned(),
        limit: 1_000,
        count: true,
        ..Search::default()
    }
}

#[tokio::test]
async fn a_series_logged_point_by_point_lies_in_few_chunks_and_comes_back_whole() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let run = started(&s, &ana, experiment).await;
        let mut all = Vec::new();
        for i in 0..4_300_i64 {
            let value = if i % 1_000 == 7 {
                f64::NAN
            } else {
                (i as f64).sin()
            };
            all.push(Point {
                step: i,
                at_ms: 1_000 + i,
                value,
            });
        }
        for p in &all[..4_200] {
            let batch = metrics(vec![NewPoint {
                key: "loss".into(),
                point: *p,
                model: None,
            }]);
            s.runs.log(&ana, run, batch).await.unwrap();
        }
        // The rest at once, and the last of it twice.
        for part in [&all[4_200..], &all[4_299..]] {
            let batch = part
                .iter()
                .map(|p| NewPoint {
                    key: "loss".into(),
                    point: *p,
                    model: None,
                })
                .collect();
            s.runs.log(&ana, run, metrics(batch)).await.unwrap();
        }
        let back = s.runs.history(&ana, run, "loss").await.unwrap();
        assert_eq!(back.len(), all.len());
        for (a, b) in back.iter().zip(&all) {
            assert_eq!(
                (a.step, a.at_ms, a.value.to_bits()),
                (b.step, b.at_ms, b.value.to_bits())
            );
        }
        let chunks = repo::metric::chunks(&mut db.read().await.unwrap(), run, "loss")
            .await
            .unwrap();
        assert!(chunks <= 130, "{chunks} chunks");
        let latest = s.runs.metrics(&ana, run).await.unwrap();
        assert_eq!((latest[0].0.last.step, latest[0].1), (4_299, 4_301));
        let series = s
            .runs
            .series(&ana, &[(run, "loss".into()), (run, "none".into())], 200)
            .await
            .unwrap();
        assert_eq!(series.len(), 1);
        assert!(series[0].points.len() <= 200 && series[0].total == 4_300);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_lose_nothing() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let run = started(&s, &ana, experiment).await;
        let writers = (0..16_i64).map(|w| {
            let (s, ana) = (s.clone(), ana.clone());
            tokio::spawn(async move {
                for i in 0..40_i64 {
                    // All of them write to one metric, and each to its own.
                    let points = vec![
                        NewPoint::new("shared", w * 40 + i, i, 1.0),
                        NewPoint::new(format!("own{w}"), i, i, 1.0),
                    ];
                    s.runs.log(&ana, run, metrics(points)).await.unwrap();
                }
            })
        });
        for w in futures::future::join_all(writers).await {
            w.unwrap();
        }
        assert_eq!(s.runs.history(&ana, run, "shared").await.unwrap().len(), 640);
        let all = s.runs.metrics(&ana, run).await.unwrap();
        assert_eq!(all.len(), 17);
        assert!(
            all.iter()
                .all(|(m, points)| *points == if m.key == "shared" { 640 } else { 40 }),
            "{all:?}"
        );
        assert_eq!(
            all.iter().find(|(m, _)| m.key == "shared").unwrap().0.last.step,
            639
        );
    })
    .await;
}

#[tokio::test]
async fn the_latest_value_is_by_step_then_time_then_value() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let run = started(&s, &ana, experiment).await;
        let latest = async |points: Vec<(i64, i64, f64)>| {
            for (step, at, value) in points {
                s.runs
                    .log(&ana, run, metrics(vec![NewPoint::new("m", step, at, value)]))
                    .await
                    .unwrap();
            }
            s.runs.get(&ana, run).await.unwrap().data.metrics[0].last.value
        };
        assert_eq!(latest(vec![(5, 10, 1.0), (4, 99, 2.0)]).await, 1.0);
        assert_eq!(latest(vec![(5, 11, 3.0), (5, 10, 9.0)]).await, 3.0);
        assert_eq!(latest(vec![(5, 11, 2.0)]).await, 3.0);
        assert_eq!(latest(vec![(5, 11, 4.0)]).await, 4.0);
        assert!(latest(vec![(6, 0, f64::NAN)]).await.is_nan());
        assert_eq!(latest(vec![(6, 0, 1.0)]).await, 1.0);
        assert_eq!(
            latest(vec![(i64::MAX, 0, f64::NEG_INFINITY), (i64::MIN, 0, 7.0)]).await,
            f64::NEG_INFINITY
        );
        // Within one batch too.
        let batch = vec![
            NewPoint::new("b", 1, 1, 1.0),
            NewPoint::new("b", 3, 1, 3.0),
            NewPoint::new("b", 2, 1, 2.0),
        ];
        s.runs.log(&ana, run, metrics(batch)).await.unwrap();
        assert_eq!(
            s.runs.get(&ana, run).await.unwrap().data.metrics[0].last.value,
            3.0
        );
    })
    .await;
}

#[tokio::test]
async fn searches_find_what_the_grammar_says() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        for i in 0..6_i64 {
            let tags = Tags::from([(
                "team".to_owned(),
                if i % 2 == 0 { "Vision" } else { "sound" }.to_owned(),
            )]);
            let new = NewRun {
                name: format!("run_{i}"),
                start_ms: Some(1_000 + i),
                tags,
                ..NewRun::default()
            };
            let run = s.runs.start(&ana, experiment, new).await.unwrap().id;
            let value = if i == 4 { f64::NAN } else { i as f64 / 10.0 };
            let mut batch = metrics(if i == 5 {
                vec![]
            } else {
                vec![NewPoint::new("a b", 0, 0, value)]
            });
            batch.params = vec![("lr".into(), format!("0.{i}")), ("100%".into(), "x_y*".into())];
            s.runs.log(&ana, run, batch).await.unwrap();
            if i == 0 {
                s.runs.finish(&ana, run, RunStatus::Failed).await.unwrap();
                let input = RunInput {
                    name: "d".into(),
                    digest: "1".into(),
                    tags: Tags::from([("mlflow.data.context".to_owned(), "training".to_owned())]),
                    ..RunInput::default()
                };
                s.runs.log_inputs(&ana, run, vec![input]).await.unwrap();
            }
        }
        let names = async |filter: &str, order: &[&str]| {
            let q = Search {
                order_by: order.iter().map(|o| (*o).to_owned()).collect(),
                ..search(experiment, filter)
            };
            let found = s
                .runs
                .search(&ana, q)
                .await
                .unwrap_or_else(|e| panic!("{filter}: {e}"));
            let names: String = found
                .runs
                .iter()
                .map(|r| r.info.name.trim_start_matches("run_").to_owned())
                .collect();
            assert_eq!(found.total, Some(found.runs.len() as i64));
            names
        };
        assert_eq!(names("", &[]).await, "543210");
        assert_eq!(names("metrics.`a b` < 0.2", &[]).await, "10");
        assert_eq!(
            names("metrics.`a b` >= 0.1 AND metrics.`a b` != 0.2", &[]).await,
            "31"
        );
        assert_eq!(names("params.lr = '0.3'", &[]).await, "3");
        assert_eq!(
            names("params.`100%` LIKE 'x%' and run_name ILIKE 'RUN\\_1'", &[]).await,
            ""
        );
        assert_eq!(names("params.`100%` LIKE '%*'", &[]).await.len(), 6);
        assert_eq!(names("tags.team LIKE 'v%'", &[]).await, "");
        assert_eq!(names("tags.team ILIKE 'v%'", &[]).await, "420");
        assert_eq!(
            names("tags.team != 'sound' and run_name LIKE 'run_4'", &[]).await,
            "4"
        );
        assert_eq!(
            names("tags.none IS NULL and params.lr IS NOT NULL", &[])
                .await
                .len(),
            6
        );
        assert_eq!(names("status = 'FAILED'", &[]).await, "0");
        assert_eq!(names("start_time >= 1004", &[]).await, "54");
        assert_eq!(names("run_name IN ('run_1', 'run_2')", &[]).await, "21");
        assert_eq!(
            names("dataset.name = 'd' and dataset.context = 'training'", &[]).await,
            "0"
        );
        assert_eq!(names("dataset.context = 'validation'", &[]).await, "");
        assert_eq!(names("run_id = 'nonsense'", &[]).await, "");
        // What is not a number comes after numbers, what is missing last, whichever way.
        assert_eq!(names("", &["metrics.`a b` ASC"]).await, "012345");
        assert_eq!(names("", &["metrics.`a b` DESC"]).await, "321045");
        assert_eq!(names("", &["tags.team", "params.lr DESC"]).await.len(), 6);
        assert_eq!(names("", &["attributes.run_name"]).await, "012345");
    })
    .await;
}

#[tokio::test]
async fn pages_do_not_overlap_and_what_changes_is_read_anew() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let mut runs = Vec::new();
        for i in 0..7_i64 {
            let new = NewRun {
                start_ms: Some(i),
                ..NewRun::default()
            };
            runs.push(s.runs.start(&ana, experiment, new).await.unwrap().id);
        }
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let q = Search {
                limit: 3,
                cursor,
                ..search(experiment, "")
            };
            let page = s.runs.search(&ana, q).await.unwrap();
            seen.extend(page.runs.iter().map(|r| r.info.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        runs.reverse();
        assert_eq!(seen, runs);
        // What was read before is kept until the run changes.
        s.runs
            .log(&ana, runs[0], metrics(vec![NewPoint::new("m", 0, 0, 2.0)]))
            .await
            .unwrap();
        let found = s.runs.search(&ana, search(experiment, "")).await.unwrap();
        assert_eq!(found.runs[0].logged.data.metrics[0].last.value, 2.0);
        s.runs.delete_tag(&ana, runs[0], "mlflow.runName").await.unwrap();
        let found = s.runs.search(&ana, search(experiment, "")).await.unwrap();
        assert!(found.runs[0].logged.data.tags.is_empty());
    })
    .await;
}

#[tokio::test]
async fn parameters_do_not_change_and_refusals_leave_nothing() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let run = started(&s, &ana, experiment).await;
        let params = |list: &[(&str, &str)]| RunBatch {
            params: list
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            metrics: vec![NewPoint::new("m", 0, 0, 1.0)],
            ..RunBatch::default()
        };
        s.runs
            .log(
                &ana,
                run,
                RunBatch {
                    metrics: vec![],
                    ..params(&[("a", "1"), ("a", "1")])
                },
            )
            .await
            .unwrap();
        s.runs
            .log(
                &ana,
                run,
                RunBatch {
                    metrics: vec![],
                    ..params(&[("a", "1"), ("b", "2")])
                },
            )
            .await
            .unwrap();
        let no = refusal(s.runs.log(&ana, run, params(&[("c", "1"), ("a", "2")])).await);
        assert!(
            no.code == Code::InvalidInput && no.message.contains("'1', and now as '2'"),
            "{no:?}"
        );
        let is = s.runs.get(&ana, run).await.unwrap().data;
        assert_eq!(is.params.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(is.metrics.is_empty());
        assert_eq!(
            code(s.runs.log(&ana, RunId::new(), params(&[])).await),
            Code::NotFound
        );
        assert_eq!(
            code(s.runs.start(&ana, ExperimentId(99), NewRun::default()).await),
            Code::NotFound
        );
        let bad = metrics(vec![NewPoint::new("a//b", 0, 0, 1.0)]);
        assert_eq!(code(s.runs.log(&ana, run, bad).await), Code::InvalidInput);
    })
    .await;
}

#[tokio::test]
async fn the_bin_and_the_end_of_runs_and_their_files() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let admin = s.person("Ada", Role::Admin).await;
        let run = started(&s, &ana, experiment).await;
        let other = started(&s, &ana, experiment).await;
        let put = async |run: RunId, path: &str, bytes: &'static [u8]| {
            s.artifacts
                .put_bytes(&ana, Owner::Run(run), path, bytes::Bytes::from_static(bytes))
                .await
        };
        put(run, "only.txt", b"only here").await.unwrap();
        put(run, "both.txt", b"in both").await.unwrap();
        put(other, "d/both.txt", b"in both").await.unwrap();
        put(other, "empty", b"").await.unwrap();
        assert_eq!(code(put(run, "../x", b"x").await), Code::InvalidInput);
        assert_eq!(code(put(run, "", b"x").await), Code::InvalidInput);
        s.runs
            .log(&ana, run, metrics(vec![NewPoint::new("m", 0, 0, 1.0)]))
            .await
            .unwrap();

        let stored = async || -> (i64, i64) {
            let mut tx = db.read().await.unwrap();
            limn_store::on_tx!(&mut tx, conn => {
                sqlx::query_as("SELECT (SELECT count(*) FROM blob), (SELECT count(*) FROM artifact)")
                    .fetch_one(conn)
                    .await
                    .unwrap()
            })
        };
        assert_eq!(stored().await, (3, 4));
        // A clean-up takes nothing that a run names.
        s.clock.advance_seconds(7_200);
        sweep(&s.context).await.unwrap();
        assert_eq!(stored().await, (3, 4));

        assert_eq!(code(s.runs.purge(&ana, run).await), Code::Forbidden);
        assert_eq!(code(s.runs.purge(&admin, run).await), Code::WrongState);
        s.runs.set_deleted(&ana, run, true).await.unwrap();
        assert_eq!(code(s.runs.set_deleted(&ana, run, true).await), Code::WrongState);
        let late = metrics(vec![NewPoint::new("m", 1, 1, 1.0)]);
        assert_eq!(code(s.runs.log(&ana, run, late).await), Code::WrongState);
        let in_bin = Search {
            view: View::Deleted,
            ..search(experiment, "")
        };
        assert_eq!(s.runs.search(&ana, in_bin).await.unwrap().runs.len(), 1);
        s.runs.purge(&admin, run).await.unwrap();
        assert_eq!(code(s.runs.get(&ana, run).await), Code::NotFound);
        s.clock.advance_seconds(7_200);
        sweep(&s.context).await.unwrap();
        // What the other run has too stays.
        assert_eq!(stored().await, (2, 2));
        let text = s
            .artifacts
            .preview(&ana, Owner::Run(other), "d/both.txt")
            .await
            .unwrap();
        assert_eq!(
            text,
            Preview::Text {
                text: "in both".into(),
                is_cut: false
            }
        );

        // An experiment takes its runs along, into the bin and out of it, and for good.
        s.runs.set_deleted(&ana, other, true).await.unwrap();
        s.clock.advance_seconds(1);
        let third = started(&s, &ana, experiment).await;
        s.experiments.set_deleted(&ana, experiment, true).await.unwrap();
        assert_eq!(
            code(s.runs.start(&ana, experiment, NewRun::default()).await),
            Code::WrongState
        );
        assert_eq!(code(s.experiments.ensure(&ana, "digits").await), Code::WrongState);
        assert_eq!(
            code(s.experiments.create(&ana, "digits", Tags::new()).await),
            Code::AlreadyExists
        );
        s.experiments.set_deleted(&ana, experiment, false).await.unwrap();
        let live = s.runs.search(&ana, search(experiment, "")).await.unwrap();
        assert_eq!(live.runs.iter().map(|r| r.info.id).collect::<Vec<_>>(), [third]);
        s.experiments.set_deleted(&ana, experiment, true).await.unwrap();
        assert_eq!(code(s.experiments.purge(&ana, experiment).await), Code::Forbidden);
        s.experiments.purge(&admin, experiment).await.unwrap();
        s.clock.advance_seconds(7_200);
        sweep(&s.context).await.unwrap();
        assert_eq!(stored().await, (0, 0));
        let first = ExperimentId(0);
        assert_eq!(
            code(s.experiments.set_deleted(&admin, first, true).await),
            Code::WrongState
        );
    })
    .await;
}

#[tokio::test]
async fn files_are_listed_by_folder_and_previewed_without_being_run() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let run = Owner::Run(started(&s, &ana, experiment).await);
        for (path, bytes) in [
            ("a/b/1.txt", &b"one"[..]),
            ("a/2.txt", b"two"),
            ("a-b.txt", b"dash"),
            ("a0", b"zero"),
            ("m.pkl", b"\x80\x04."),
            ("pic.png", b"\x89PNG"),
            ("raw.bin", b"\xff\xfe\x00"),
        ] {
            s.artifacts
                .put_bytes(&ana, run, path, bytes::Bytes::copy_from_slice(bytes))
                .await
                .unwrap();
        }
        let list = async |folder: &str| {
            let all = s.artifacts.list(&ana, run, folder).await.unwrap();
            all.into_iter()
                .map(|e| (e.path, e.is_dir, e.size))
                .collect::<Vec<_>>()
        };
        let file = |p: &str, n: i64| (p.to_owned(), false, n);
        assert_eq!(
            list("").await,
            [
                ("a".to_owned(), true, 6),
                file("a-b.txt", 4),
                file("a0", 4),
                file("m.pkl", 3),
                file("pic.png", 4),
                file("raw.bin", 3)
            ]
        );
        assert_eq!(list("a").await, [("a/b".to_owned(), true, 3), file("a/2.txt", 3)]);
        assert_eq!(list("a/2.txt").await, []);
        assert_eq!(list("none").await, []);
        let preview = async |path: &str| s.artifacts.preview(&ana, run, path).await.unwrap();
        assert_eq!(preview("m.pkl").await, Preview::None);
        assert_eq!(preview("raw.bin").await, Preview::None);
        assert_eq!(preview("pic.png").await, Preview::Picture);
        let long = "ä".repeat(200_000);
        s.artifacts
            .put_bytes(&ana, run, "long.txt", long.clone().into())
            .await
            .unwrap();
        let Preview::Text { text, is_cut } = preview("long.txt").await else {
            panic!("a text")
        };
        assert!(is_cut && long.starts_with(&text) && text.len() > 200_000);
        s.artifacts.delete(&ana, run, "a").await.unwrap();
        assert_eq!(code(s.artifacts.delete(&ana, run, "a").await), Code::NotFound);
        assert_eq!(list("a").await, []);
    })
    .await;
}

#[tokio::test]
async fn inputs_name_versions_of_datasets_that_the_person_may_see() {
    on_both(async |db| {
        let (s, ana, experiment) = scene(&db).await;
        let owner = build::user(&db, "Owner", Role::Manager).await;
        let dataset = build::dataset(&db, "Secret", owner).await;
        let blob = build::digest("x");
        let store = blob.clone();
        db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move { repo::blob::put(tx, &store, 1, "text/plain", build::START).await })
        })
        .await
        .unwrap();
        let version = build::version(&db, dataset, "a.txt", &blob).await;
        let input = |name: &str| RunInput {
            name: name.to_owned(),
            digest: "1".into(),
            source: format!("{{\"url\": \"http://limn.test/api/v1/versions/{version}/file?path=a.txt\"}}"),
            ..RunInput::default()
        };
        let run = started(&s, &ana, experiment).await;
        s.runs.log_inputs(&ana, run, vec![input("unseen")]).await.unwrap();
        let them = Studio::actor(owner, "Owner", Role::Manager);
        s.runs.log_inputs(&them, run, vec![input("seen")]).await.unwrap();
        let inputs = s.runs.get(&ana, run).await.unwrap().inputs;
        let of = |name: &str| inputs.iter().find(|i| i.name == name).unwrap().version_id;
        assert_eq!((of("unseen"), of("seen")), (None, Some(version)));
        // The version says who used it.
        let impact = s.versions.impact(&them, version).await.unwrap();
        assert!(
            impact.used_by.iter().any(|u| u.contains("run")),
            "{:?}",
            impact.used_by
        );
    })
    .await;
}

#[test]
fn the_grammar_takes_what_the_pages_write() {
    let column = limn_domain::run::table::Column {
        entity: filter::Entity::Metric,
        key: "val loss/x".into(),
    };
    assert!(filter::RUNS.sort(&format!("{} DESC", column.name())).is_ok());
}
