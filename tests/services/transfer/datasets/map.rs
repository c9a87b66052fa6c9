//! Pictures as points of a map: made by a job, filtered and coloured, selected by area.

use super::explore::{by, page};
use super::similar::{seeing, with_models};
use super::*;
use crate::code;
use limn_domain::explore::{ExploreFilter, ExploreQuery};
use limn_domain::map::{MapArea, MapAsk, MapPoints, PASSES, WITHOUT};
use limn_domain::{Code, Point};
use limn_services::explore::map::MapAnswer;

/// Three dark pictures, three light ones, and a text.
async fn two_kinds(w: &World) -> (Dataset, VersionId) {
    let d = w.dataset("Street", DatasetKind::Files).await;
    let shade = |s: u8| picture(100, 80, s, ImageFormat::Png);
    let files = [
        ("Dark/a.png", shade(10)),
        ("Dark/b.png", shade(12)),
        ("Dark/c.png", shade(14)),
        ("about.txt", b"Pictures of two kinds.".to_vec()),
        ("light/a.png", shade(200)),
        ("light/b.png", shade(202)),
        ("light/c.png", shade(204)),
    ];
    let v = w.upload_zip(&d, &files, UploadMode::Add).await.version_id;
    page(w, v, ExploreQuery::default()).await;
    (d, v)
}

async fn asked(w: &World, v: VersionId, filter: ExploreFilter, color: Option<&str>) -> MapAnswer {
    let color = color.map(str::to_owned);
    w.explore.map(&w.manager, v, filter, color).await.unwrap()
}

/// The points, when a job has laid them out.
async fn points(w: &World, v: VersionId, filter: ExploreFilter, color: Option<&str>) -> MapPoints {
    if let MapAnswer::Waits(job) = asked(w, v, filter.clone(), color).await {
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    }
    match asked(w, v, filter, color).await {
        MapAnswer::Points(points) => points,
        MapAnswer::Waits(job) => panic!("it waits for {job:?}"),
    }
}

fn area(corners: &[(f64, f64)]) -> MapArea {
    MapArea {
        corners: corners.iter().map(|(x, y)| Point::new(*x, *y)).collect(),
        ..MapArea::default()
    }
}

fn everything() -> MapArea {
    area(&[(-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_become_points_with_colors_and_what_passes() {
    on_both(async |db| {
        let w = seeing(&db).await;
        let (_, v) = two_kinds(&w).await;
        let all = points(&w, v, ExploreFilter::default(), Some("folder")).await;
        assert_eq!((all.head.total, all.head.placed, all.head.matched), (7, 6, 6));
        let key = w
            .explore
            .map_files(
                &w.manager,
                v,
                MapAsk {
                    rows: all.rows.clone(),
                    paths: Vec::new(),
                },
            )
            .await
            .unwrap();
        let named: Vec<&str> = key.iter().map(|f| f.path.as_str()).collect();
        assert!(
            named.contains(&"Dark/a.png") && !named.contains(&"about.txt"),
            "{named:?}"
        );
        let legend: Vec<_> = all
            .head
            .legend
            .iter()
            .map(|v| (v.value.as_str(), v.count))
            .collect();
        assert_eq!(all.head.label, "Folder");
        assert_eq!(
            legend,
            [("Dark", 3), ("light", 3), ("/", 0)],
            "of what is on the map"
        );
        assert!(
            all.marks
                .iter()
                .all(|m| m & PASSES != 0 && m & !PASSES != WITHOUT)
        );

        // Those of one folder are nearer to each other than to those of the other.
        let far = |a: usize, b: usize| {
            let d = |axis: usize| f64::from(all.at[a][axis]) - f64::from(all.at[b][axis]);
            d(0).hypot(d(1))
        };
        assert!(far(0, 1).max(far(1, 2)).max(far(0, 2)) < far(0, 3).min(far(1, 4)).min(far(2, 5)));

        let dark = points(&w, v, by("folder", &["Dark"]), None).await;
        assert_eq!((dark.head.matched, dark.head.without, dark.rows.len()), (3, 3, 6));
        let pass: Vec<bool> = dark.marks.iter().map(|m| m & PASSES != 0).collect();
        assert_eq!(pass, [true, true, true, false, false, false]);
        assert_eq!(dark.at, all.at, "they stay where they are");

        let wrong = w
            .explore
            .map(&w.manager, v, ExploreFilter::default(), Some("colour".to_owned()));
        let wrong = wrong.await.unwrap_err().into_api();
        assert!(
            wrong.for_field("color").unwrap().contains("`colour`"),
            "{wrong:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn areas_give_files_and_files_give_rows() {
    on_both(async |db| {
        let w = seeing(&db).await;
        let (_, v) = two_kinds(&w).await;
        assert_eq!(
            code(w.explore.map_area(&w.manager, v, everything()).await),
            Code::WrongState,
            "not laid out yet"
        );
        let all = points(&w, v, ExploreFilter::default(), Some("folder")).await;
        let paths = async |input: MapArea| {
            let found = w.explore.map_area(&w.manager, v, input).await.unwrap();
            found.into_iter().map(|f| f.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(everything()).await.len(), 6);
        let filtered = MapArea {
            filter: by("folder", &["light"]),
            ..everything()
        };
        assert_eq!(
            paths(filtered).await,
            ["light/a.png", "light/b.png", "light/c.png"]
        );
        // What its colour hides is not selected: the first one is that of `Dark`.
        let hidden = MapArea {
            color: Some("folder".to_owned()),
            hidden: vec![1],
            ..everything()
        };
        assert_eq!(paths(hidden).await, ["light/a.png", "light/b.png", "light/c.png"]);
        // Around one point alone.
        let [x, y] = all.at[0].map(|n| f64::from(n) / 65_535.0);
        let near = 1e-4;
        let one = area(&[
            (x - near, y - near),
            (x + near, y - near),
            (x + near, y + near),
            (x - near, y + near),
        ]);
        assert_eq!(paths(one).await, ["Dark/a.png"]);
        for bad in [area(&[(0.0, 0.0), (1.0, 1.0)]), area(&[(0.0, 0.0); 501])] {
            let refused = w
                .explore
                .map_area(&w.manager, v, bad)
                .await
                .unwrap_err()
                .into_api();
            assert!(refused.for_field("corners").is_some(), "{refused:?}");
        }

        let ask = MapAsk {
            rows: vec![all.rows[5], 99, u32::MAX],
            paths: vec!["DARK/b.png".to_owned(), "gone.png".to_owned()],
        };
        let named = w.explore.map_files(&w.manager, v, ask).await.unwrap();
        let named: Vec<_> = named.iter().map(|f| (f.row, f.path.as_str())).collect();
        assert_eq!(named, [(all.rows[1], "Dark/b.png"), (all.rows[5], "light/c.png")]);
        let many = MapAsk {
            rows: vec![0; 10_001],
            paths: Vec::new(),
        };
        assert_eq!(
            code(w.explore.map_files(&w.manager, v, many).await),
            Code::InvalidInput
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_map_is_a_cache_and_needs_pictures_and_models() {
    on_both(async |db| {
        let w = seeing(&db).await;
        let (d, v) = two_kinds(&w).await;
        let first = points(&w, v, ExploreFilter::default(), None).await;
        let file = |v: VersionId| w.context.data_dir.join("indexes").join(format!("{v}.map"));
        assert!(file(v).exists());
        // Lost, it is made anew, and is the same.
        std::fs::write(file(v), b"what").unwrap();
        let again = World {
            studio: with_models(&db),
            project: w.project,
            manager: w.manager.clone(),
        };
        let again_first = again
            .explore
            .map(&w.manager, v, ExploreFilter::default(), None)
            .await
            .unwrap();
        assert!(matches!(again_first, MapAnswer::Waits(_)));
        assert_eq!(points(&again, v, ExploreFilter::default(), None).await, first);

        let text = w
            .upload_zip(&d, &[("only.txt", b"No picture.".to_vec())], UploadMode::Replace)
            .await
            .version_id;
        page(&w, text, ExploreQuery::default()).await;
        let refused = w
            .explore
            .map(&w.manager, text, ExploreFilter::default(), None)
            .await;
        let refused = refused.unwrap_err().into_api();
        assert_eq!(refused.code, Code::WrongState);
        assert!(refused.message.contains("no pictures"), "{}", refused.message);

        let blind = limn_testkit::Studio::new(&db);
        let refused = blind
            .explore
            .map(&w.manager, v, ExploreFilter::default(), None)
            .await;
        assert_eq!(code(refused), Code::WrongState);

        w.versions.delete(&w.manager, v, true).await.unwrap();
        sweep(&w.context).await.unwrap();
        assert!(!file(v).exists());
    })
    .await;
}
