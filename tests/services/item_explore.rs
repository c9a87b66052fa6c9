//! Looking through a project's items: counts that follow what people do, saved views, who may.

use crate::labels::{World, boxed, change};
use limn_domain::explore::{Bounds, ExploreFilter, ExploreQuery, NewView};
use limn_domain::item::{BulkAction, ItemSelection};
use limn_domain::item_explore::{ItemsAnswer, ItemsFound};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::queue::Skip;
use limn_domain::{Annotation, Code, ItemId, Rect, Source};
use limn_jobs::Timing;
use limn_services::{Actor, Services};
use limn_testkit::{Studio, TestDb, build, on_both};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

async fn answer(w: &World, query: ExploreQuery) -> ItemsAnswer {
    w.studio.explore.items(&w.viewer, w.project, query).await.unwrap()
}

async fn found(w: &World, filter: ExploreFilter) -> ItemsFound {
    let query = ExploreQuery {
        filter,
        ..ExploreQuery::default()
    };
    let answer = answer(w, query).await;
    assert!(answer.job.is_none(), "{:?}", answer.job);
    answer.page.expect("a small project is indexed at once")
}

fn by(facet: &str, values: &[&str]) -> ExploreFilter {
    ExploreFilter {
        facets: BTreeMap::from([(facet.to_owned(), values.iter().map(|v| (*v).to_owned()).collect())]),
        ..ExploreFilter::default()
    }
}

fn within(column: &str, min: Option<f64>, max: Option<f64>) -> ExploreFilter {
    ExploreFilter {
        ranges: BTreeMap::from([(column.to_owned(), Bounds { min, max })]),
        ..ExploreFilter::default()
    }
}

fn count(page: &ItemsFound, facet: &str, value: &str) -> i64 {
    let facet = page.facets.iter().find(|f| f.name == facet);
    let value = facet.and_then(|f| f.values.iter().find(|v| v.value == value));
    value.map_or(0, |v| v.count)
}

fn ids(page: &ItemsFound) -> Vec<ItemId> {
    page.rows.iter().map(|r| r.item.id).collect()
}

async fn finish(services: &Services, job: &Job) {
    let timing = Timing {
        poll: Duration::from_millis(20),
        watch: Duration::from_millis(20),
        ..Timing::default()
    };
    let stop = CancellationToken::new();
    let runner = limn_services::jobs::runner(services, 1).with_timing(timing);
    let task = tokio::spawn(runner.run(stop.clone()));
    let began = Instant::now();
    loop {
        let now = services.jobs.get(&Actor::System, job.id).await.unwrap();
        if now.state.is_final() {
            assert_eq!(now.state, JobState::Succeeded, "{:?}", now.error);
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{now:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn counts_follow_what_people_do() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 6).await;
        let all = found(&w, ExploreFilter::default()).await;
        assert_eq!((all.total, all.matched, all.rows.len()), (6, 6, 6));
        assert_eq!(ids(&all), w.items, "in the order of names");
        assert_eq!(count(&all, "state", "To do"), 6);
        assert_eq!(count(&all, "labeled", "none"), 6);
        assert_eq!(count(&all, "folder", "img"), 6);

        // Two labels and a submission, at the very moment of the look before.
        let rect = Rect::new(1.0, 2.0, 30.0, 40.0);
        let labels = vec![boxed(w.categories[0], rect), boxed(w.categories[1], rect)];
        w.save(&w.ana, w.items[0], change(0, labels)).await.unwrap();
        let saved = found(&w, by("category", &["a"])).await;
        assert_eq!(ids(&saved), [w.items[0]]);
        assert_eq!(saved.rows[0].annotations.len(), 2, "rows come with their labels");
        assert_eq!(count(&saved, "category", "a"), 1);
        assert_eq!(count(&saved, "labeled_by", "Ana"), 1);
        assert_eq!(count(&saved, "shape", "box"), 1);
        w.submit(&w.ana, w.items[0], 1, None).await.unwrap();
        let done = found(&w, by("state", &["Done"])).await;
        assert_eq!(ids(&done), [w.items[0]]);
        assert_eq!(count(&done, "submitted_by", "Ana"), 1);
        assert_eq!(
            count(&done, "state", "To do"),
            5,
            "what could be added still counts"
        );

        // In somebody's hands, and not any more.
        let taken = w.studio.queue.take(&w.bo, w.project, 2).await.unwrap();
        assert_eq!(taken.items.len(), 2);
        let held = found(&w, by("held_by", &["Bo"])).await;
        assert_eq!((held.matched, count(&held, "state", "Being labeled")), (2, 2));
        w.studio.clock.advance_seconds(7_200);
        let held = found(&w, by("held_by", &["Bo"])).await;
        assert_eq!((held.matched, count(&held, "state", "To do")), (0, 0));
        assert_eq!(
            count(&found(&w, ExploreFilter::default()).await, "state", "To do"),
            5
        );

        let why = Skip {
            reason: Some("blurred".to_owned()),
        };
        w.studio.queue.skip(&w.ana, w.items[1], why).await.unwrap();
        let skipped = found(&w, by("reason", &["blurred"])).await;
        assert_eq!(ids(&skipped), [w.items[1]]);

        // A proposal with a score.
        let proposal = Annotation {
            source: Source::Prelabel,
            score: Some(0.75),
            ..boxed(w.categories[1], rect)
        };
        w.save(&w.manager, w.items[2], change(0, vec![proposal]))
            .await
            .unwrap();
        let proposed = found(&w, within("score", Some(0.7), Some(0.8))).await;
        assert_eq!(ids(&proposed), [w.items[2]]);
        assert_eq!(count(&proposed, "proposed", "b"), 1);
        assert_eq!(count(&proposed, "labeled", "proposals only"), 1);
        assert_eq!(found(&w, within("score", Some(0.8), None)).await.matched, 0);

        // A new one, and some that are no more.
        let more = build::items(&db, w.project, "new/", 1).await;
        let text = ExploreFilter {
            text: "NEW/".to_owned(),
            ..ExploreFilter::default()
        };
        assert_eq!(ids(&found(&w, text).await), more);
        let gone = ItemSelection::Ids(w.items[3..5].to_vec());
        w.studio
            .items
            .bulk(&w.manager, w.project, gone, BulkAction::Delete)
            .await
            .unwrap();
        let left = found(&w, ExploreFilter::default()).await;
        assert_eq!((left.total, left.matched), (5, 5));
        assert_eq!(left.rows.len(), 5);
        // One goes and one comes at once.
        let gone = ItemSelection::Ids(vec![w.items[5]]);
        w.studio
            .items
            .bulk(&w.manager, w.project, gone, BulkAction::Delete)
            .await
            .unwrap();
        let newer = build::items(&db, w.project, "newer/", 1).await;
        let label = change(0, vec![boxed(w.categories[0], rect)]);
        w.save(&w.manager, newer[0], label).await.unwrap();
        let left = found(&w, ExploreFilter::default()).await;
        assert_eq!((left.total, count(&left, "folder", "newer")), (5, 1));
        assert!(!ids(&left).contains(&w.items[5]));
    })
    .await;
}

#[tokio::test]
async fn names_are_those_of_now() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let label = boxed(w.categories[0], Rect::new(1.0, 2.0, 30.0, 40.0));
        w.save(&w.ana, w.items[0], change(0, vec![label])).await.unwrap();
        assert_eq!(found(&w, by("category", &["a"])).await.matched, 1);
        let renamed = limn_domain::category::UpdateCategory {
            name: Some("raccoon".to_owned()),
            ..Default::default()
        };
        w.studio
            .categories
            .update(&w.manager, w.categories[0], renamed)
            .await
            .unwrap();
        let page = found(&w, by("category", &["raccoon"])).await;
        assert_eq!((page.matched, count(&page, "category", "raccoon")), (1, 1));
        let page = found(&w, by("category", &["a"])).await;
        assert_eq!(page.matched, 0);
        let facet = page.facets.iter().find(|f| f.name == "category").unwrap();
        assert!(
            facet.values.iter().any(|v| v.value == "a" && v.count == 0),
            "what is filtered by stays in sight: {facet:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_views_are_kept() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let refused = async |query: ExploreQuery| {
            let refused = w.studio.explore.items(&w.viewer, w.project, query).await;
            refused.unwrap_err().into_api()
        };
        let of = |filter| ExploreQuery {
            filter,
            ..ExploreQuery::default()
        };
        let wrong = refused(of(by("colour", &["red"]))).await;
        assert!(
            wrong.for_field("filter").unwrap().contains("`colour`"),
            "{wrong:?}"
        );
        let wrong = refused(of(within("weight", Some(1.0), None))).await;
        assert!(
            wrong.for_field("filter").unwrap().contains("`weight`"),
            "{wrong:?}"
        );
        let like = ExploreQuery {
            like: Some("img/000.jpg".to_owned()),
            ..ExploreQuery::default()
        };
        assert!(refused(like).await.for_field("like").is_some());
        let long = "x".repeat(2_001);
        let wrong = refused(of(by("state", &[&long]))).await;
        assert!(wrong.for_field("filter").is_some(), "{wrong:?}");
        // Each facet takes a set of all items, also one that no item has.
        let many = |n: usize| ExploreFilter {
            facets: (0..n)
                .map(|n| (format!("item:{n}"), vec!["x".to_owned()]))
                .collect(),
            ..ExploreFilter::default()
        };
        let wrong = refused(of(many(101))).await;
        assert!(wrong.for_field("filter").unwrap().contains("100"), "{wrong:?}");
        assert_eq!(found(&w, many(100)).await.matched, 0);
        // A facet that items may have, and none has.
        assert_eq!(found(&w, by("item:weather", &["rain"])).await.matched, 0);
        let outsider = w
            .studio
            .explore
            .items(&w.outsider, w.project, ExploreQuery::default())
            .await;
        assert_eq!(outsider.unwrap_err().into_api().code, Code::NotFound);

        let view = |name: &str, facet: &str| NewView {
            name: name.to_owned(),
            query: of(by(facet, &["x"])),
        };
        let explore = &w.studio.explore;
        explore
            .save_item_view(&w.manager, w.project, view("Night", "state"))
            .await
            .unwrap();
        let views = explore
            .save_item_view(&w.manager, w.project, view("night", "folder"))
            .await
            .unwrap();
        assert_eq!(views.len(), 1, "one of the same name is replaced");
        assert!(views[0].query.filter.facets.contains_key("folder"));
        assert_eq!(explore.item_views(&w.viewer, w.project).await.unwrap(), views);
        // A list of views holds all of them: none may be megabytes.
        let values: Vec<String> = (0..100).map(|n| format!("{n:01000}")).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let large = NewView {
            name: "Large".to_owned(),
            query: of(by("folder", &values)),
        };
        assert_eq!(
            found(&w, large.query.filter.clone()).await.matched,
            0,
            "to be asked"
        );
        let refused = explore.save_item_view(&w.manager, w.project, large).await;
        let why = refused.unwrap_err().into_api();
        assert!(why.for_field("query").unwrap().contains("64 KB"), "{why:?}");
        let refused = explore
            .delete_item_view(&w.reviewer, w.project, views[0].id)
            .await;
        assert_eq!(refused.unwrap_err().into_api().code, Code::Forbidden);
        let left = explore
            .delete_item_view(&w.manager, w.project, views[0].id)
            .await
            .unwrap();
        assert!(left.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_large_project_is_indexed_by_a_job_whose_file_others_go_on_from() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 4_010).await;
        // The items are no news any more.
        w.studio.clock.advance_seconds(3_600);
        let first = answer(&w, ExploreQuery::default()).await;
        assert!(first.page.is_none());
        let job = first.job.expect("what is too much to wait for is a job's");
        let again = answer(&w, ExploreQuery::default()).await;
        assert_eq!(again.job.map(|j| j.id), Some(job.id), "one is enough");
        finish(&w.studio.services, &job).await;
        assert_eq!(found(&w, ExploreFilter::default()).await.total, 4_010);

        // Another server over the same folder, after something has happened.
        let label = boxed(w.categories[0], Rect::new(1.0, 2.0, 30.0, 40.0));
        w.save(&w.ana, w.items[4_000], change(0, vec![label]))
            .await
            .unwrap();
        let other = Studio::new(&db);
        let query = ExploreQuery {
            filter: by("category", &["a"]),
            ..ExploreQuery::default()
        };
        let page = other
            .explore
            .items(&w.viewer, w.project, query)
            .await
            .unwrap()
            .page;
        let page = page.expect("it reads the file");
        assert_eq!((page.total, ids(&page)), (4_010, vec![w.items[4_000]]));

        // A file that is damaged is as none.
        let folder = w.studio.context.data_dir.join("indexes/items");
        let file = std::fs::read_dir(&folder)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        std::fs::write(&file, b"nonsense").unwrap();
        let other = Studio::new(&db);
        let none = other
            .explore
            .items(&w.viewer, w.project, ExploreQuery::default())
            .await;
        assert!(none.unwrap().page.is_none());
        // With its project goes its file.
        w.studio.projects.delete(&Actor::System, w.project).await.unwrap();
        limn_services::housekeeping::sweep(&w.studio.context)
            .await
            .unwrap();
        assert!(!file.exists());
    })
    .await;
}

#[tokio::test]
async fn what_the_job_of_another_process_took_in_is_not_asked_for_again() {
    let db = TestDb::sqlite().await;
    let w = World::new(&db, Task::Multilabel, 17_500).await;
    let other = Studio::new(&db);
    let pass = |seconds: i64| {
        w.studio.clock.advance_seconds(seconds);
        other.clock.advance_seconds(seconds);
    };
    pass(3_600);
    let first = answer(&w, ExploreQuery::default()).await;
    finish(&other.services, &first.job.expect("it is not indexed yet")).await;
    assert_eq!(found(&w, ExploreFilter::default()).await.total, 17_500);

    // More than should lie over the index for long, in two parts that questions can follow.
    for these in w.items[..5_200].chunks(2_600) {
        pass(60);
        let these = ItemSelection::Ids(these.to_vec());
        let action = BulkAction::Classify(w.categories[0]);
        let bulk = w.studio.items.bulk(&w.manager, w.project, these, action).await;
        assert_eq!(bulk.unwrap().changed, 2_600);
        found(&w, ExploreFilter::default()).await;
    }
    let active = async || {
        let jobs = &w.studio.jobs;
        let list = jobs.list(&w.manager, Some(w.project), true, None, None).await;
        let rows = list.unwrap().rows.into_iter();
        rows.filter(|j| j.kind == "explore_items").collect::<Vec<Job>>()
    };
    let jobs = active().await;
    assert_eq!(jobs.len(), 1, "one that takes it in: {jobs:?}");
    pass(60);
    finish(&other.services, &jobs[0]).await;
    for _ in 0..2 {
        let found = found(&w, by("category", &["a"])).await;
        assert_eq!((found.total, found.matched), (17_500, 5_200));
        assert!(active().await.is_empty(), "it is taken in");
    }
}
