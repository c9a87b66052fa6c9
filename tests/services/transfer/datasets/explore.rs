//! Exploring the files of a version: filters with counts, saved views, versions of what was found.

use super::*;
use limn_domain::Code;
use limn_domain::explore::{Bounds, ExploreFilter, ExplorePage, ExploreQuery, NewView};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) async fn page(w: &World, version: VersionId, query: ExploreQuery) -> ExplorePage {
    let answer = w.explore.page(&w.manager, version, query.clone()).await.unwrap();
    if let Some(job) = answer.job {
        assert!(answer.page.is_none());
        assert_eq!(w.finish(job.id).await.state, JobState::Succeeded);
    }
    let answer = w.explore.page(&w.manager, version, query).await.unwrap();
    answer.page.expect("it is indexed by now")
}

pub(super) fn by(facet: &str, values: &[&str]) -> ExploreFilter {
    ExploreFilter {
        facets: BTreeMap::from([(facet.to_owned(), values.iter().map(|v| (*v).to_owned()).collect())]),
        ..ExploreFilter::default()
    }
}

pub(super) fn of(filter: ExploreFilter) -> ExploreQuery {
    ExploreQuery {
        filter,
        ..ExploreQuery::default()
    }
}

pub(super) fn count(page: &ExplorePage, facet: &str, value: &str) -> Option<i64> {
    let facet = page.facets.iter().find(|f| f.name == facet)?;
    Some(facet.values.iter().find(|v| v.value == value)?.count)
}

pub(super) fn paths(page: &ExplorePage) -> Vec<&str> {
    page.rows.iter().map(|r| r.path.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_filtered_by_what_is_known_of_them_with_counts() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let version = w.register_project(&d).await.version_id;
        // The registration has queued a profile, which measures and indexes.
        let job = w.profiles.start(&w.manager, version).await.unwrap();
        w.finish(job.id).await;

        let all = page(&w, version, ExploreQuery::default()).await;
        assert_eq!((all.total, all.matched), (2, 2));
        assert_eq!(paths(&all), ["a.png", "sub/b.png"]);
        assert_eq!(all.rows[0].annotations.len(), 1, "rows come with their labels");
        assert_eq!(count(&all, "category", "cat"), Some(1));
        assert_eq!(count(&all, "folder", "sub"), Some(1));
        assert_eq!(count(&all, "labeled", "labeled"), Some(2));
        assert_eq!(count(&all, "source", "import"), Some(2));
        let bright = all.columns.iter().find(|c| c.name == "brightness").unwrap();
        assert_eq!(bright.bins.iter().sum::<i64>(), 2, "measured by the profile");

        let cats = page(&w, version, of(by("category", &["cat"]))).await;
        assert_eq!(cats.matched, 1);
        assert_eq!(
            count(&cats, "category", "dog"),
            Some(1),
            "what could be added still counts"
        );
        let other = cats.rows[0].path.clone();
        let folder = if other == "a.png" { "/" } else { "sub" };
        assert_eq!(count(&cats, "folder", folder), Some(1));

        let wide = ExploreFilter {
            ranges: BTreeMap::from([(
                "width".to_owned(),
                Bounds {
                    min: Some(101.0),
                    max: None,
                },
            )]),
            ..ExploreFilter::default()
        };
        assert_eq!(page(&w, version, of(wide)).await.matched, 0);
        let text = ExploreFilter {
            text: "SUB/".to_owned(),
            ..ExploreFilter::default()
        };
        assert_eq!(paths(&page(&w, version, of(text)).await), ["sub/b.png"]);
        let last = ExploreQuery {
            descending: true,
            limit: Some(1),
            ..ExploreQuery::default()
        };
        assert_eq!(paths(&page(&w, version, last).await), ["sub/b.png"]);

        let wrong = w
            .explore
            .page(&w.manager, version, of(by("colour", &["red"])))
            .await;
        let wrong = wrong.unwrap_err().into_api();
        assert!(
            wrong.for_field("filter").unwrap().contains("`colour`"),
            "{wrong:?}"
        );
        let huge = of(ExploreFilter {
            text: "x".repeat(5_000),
            ..ExploreFilter::default()
        });
        let refused = w.explore.page(&w.manager, version, huge).await.unwrap_err();
        assert_eq!(refused.into_api().code, Code::InvalidInput);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_missing_or_damaged_is_built_again() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let version = w.register_project(&d).await.version_id;
        let first = page(&w, version, ExploreQuery::default()).await;
        let folder = w.context.data_dir.join("indexes");
        let file = std::fs::read_dir(&folder)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let bytes = std::fs::read(&file).unwrap();
        // Another server over the same folder, so that nothing is held in memory.
        for damage in [Vec::new(), bytes[..bytes.len() / 2].to_vec(), vec![255; 40]] {
            std::fs::write(&file, damage).unwrap();
            let again = limn_testkit::Studio::new(&db);
            let answer = again
                .explore
                .page(&w.manager, version, ExploreQuery::default())
                .await
                .unwrap();
            assert!(
                answer.page.is_none() && answer.job.is_some(),
                "it is not answered from"
            );
        }
        // A draft that may be in the middle of being written stays; one that a crash has left long ago goes.
        let draft = |name: &str| {
            let path = file.with_extension(name);
            let written = std::fs::File::create(&path).unwrap();
            (path, written)
        };
        let ((fresh, _), (left, written)) = (draft("aa.draft"), draft("bb.draft"));
        let long_ago = std::time::SystemTime::now() - Duration::from_hours(2);
        written.set_modified(long_ago).unwrap();
        sweep(&w.context).await.unwrap();
        assert!(fresh.exists() && file.exists());
        assert!(!left.exists());
        // With its version goes its index.
        w.versions.delete(&w.manager, version, true).await.unwrap();
        sweep(&w.context).await.unwrap();
        assert!(!file.exists());
        assert_eq!(first.total, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_becomes_a_version_and_views_are_kept() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let version = w.register_project(&d).await.version_id;
        page(&w, version, ExploreQuery::default()).await;

        let subset = w.dataset("Subset", DatasetKind::Images).await;
        let source = VersionSource::Selection {
            version_id: version,
            filter: by("folder", &["sub"]),
            paths: Vec::new(),
        };
        let made = w.register(&subset, source).await;
        assert_eq!(
            w.paths(made.version_id, EntryQuery::default()).await,
            ["sub/b.png"]
        );
        let lineage = w.versions.lineage(&w.manager, subset.summary.id).await.unwrap();
        assert!(
            lineage.iter().any(|e| e.how.contains("folder sub")),
            "{lineage:?}"
        );
        // Paths that are named go before the filter.
        let named = VersionSource::Selection {
            version_id: version,
            filter: by("folder", &["sub"]),
            paths: vec!["A.png".to_owned()],
        };
        let made = w.register(&subset, named).await;
        assert_eq!(w.paths(made.version_id, EntryQuery::default()).await, ["a.png"]);
        let none = VersionSource::Selection {
            version_id: version,
            filter: ExploreFilter::default(),
            paths: vec!["gone.png".to_owned()],
        };
        let job = w.registered(&subset, none).await;
        assert_eq!(job.state, JobState::Failed);

        let view = |name: &str, facet: &str| NewView {
            name: name.to_owned(),
            query: of(by(facet, &["x"])),
        };
        let id = d.summary.id;
        w.explore
            .save_view(&w.manager, id, view("Night", "a"))
            .await
            .unwrap();
        let views = w
            .explore
            .save_view(&w.manager, id, view("night", "b"))
            .await
            .unwrap();
        assert_eq!(views.len(), 1, "one of the same name is replaced");
        assert!(views[0].query.filter.facets.contains_key("b"));
        let eva = w.person("Eva", Role::Labeler).await;
        assert_eq!(
            w.explore.views(&eva, id).await.unwrap_err().into_api().code,
            Code::NotFound
        );
        let left = w.explore.delete_view(&w.manager, id, views[0].id).await.unwrap();
        assert!(left.is_empty());
    })
    .await;
}
