//! What was found by exploring a project: exported, made a version of, requeued.

use super::{World, world};
use limn_domain::dataset::{DatasetKind, EntryQuery, NewVersion, VersionOutcome, VersionSource};
use limn_domain::explore::ExploreFilter;
use limn_domain::export::{ExportResult, NewExport};
use limn_domain::item::{BulkAction, ItemSelection, ItemStatus};
use limn_domain::item_explore::{ItemChoice, NAMED_MAX, ProjectExport};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{Code, ItemId};
use limn_testkit::on_both;
use std::collections::BTreeMap;

fn by(facet: &str, value: &str) -> ExploreFilter {
    ExploreFilter {
        facets: BTreeMap::from([(facet.to_owned(), vec![value.to_owned()])]),
        ..ExploreFilter::default()
    }
}

/// The names of the pictures in an export of these.
async fn exported(w: &World, only: ItemChoice) -> Vec<String> {
    let input = ProjectExport {
        export: NewExport::default(),
        only: Some(only),
    };
    let job = w.exports.start_of(&w.manager, w.project, input).await.unwrap();
    let job = w.finish(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    let result: ExportResult = serde_json::from_value(job.result.unwrap()).unwrap();
    let (path, _) = w.exports.file(&w.manager, job.id).await.unwrap();
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let images = file["images"].as_array().unwrap();
    assert_eq!(images.len() as i64, result.images);
    let names = images.iter().map(|i| i["file_name"].as_str().unwrap().to_owned());
    names.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_is_exported_registered_and_requeued() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let found = |filter: ExploreFilter| ItemChoice {
            filter,
            items: Vec::new(),
        };
        assert_eq!(
            exported(&w, found(by("state", "Done"))).await,
            ["a.png", "sub/b.png"]
        );
        assert_eq!(
            exported(&w, found(by("folder", "sub"))).await,
            ["sub/b.png", "sub/c.png"]
        );
        let items = w.items(w.project).await;
        let named = ItemChoice {
            // Those that are named go before the filter.
            filter: by("folder", "sub"),
            items: vec![items["a.png"].0.id],
        };
        assert_eq!(exported(&w, named).await, ["a.png"]);

        let d = w.dataset("Found", DatasetKind::Images).await;
        let register = async |filter: ExploreFilter| {
            let input = NewVersion {
                source: VersionSource::Found {
                    project_id: w.project,
                    filter,
                    items: Vec::new(),
                },
                note: String::new(),
            };
            let job = w
                .versions
                .register(&w.manager, d.summary.id, input)
                .await
                .unwrap();
            w.finish(job.id).await
        };
        let job = register(by("folder", "sub")).await;
        let made: VersionOutcome = serde_json::from_value(job.result.unwrap()).unwrap();
        let page = w
            .versions
            .entries(&w.manager, made.version_id, EntryQuery::default())
            .await
            .unwrap();
        let paths: Vec<String> = page.rows.into_iter().map(|e| e.path).collect();
        assert_eq!(paths, ["sub/b.png", "sub/c.png"]);
        let lineage = w.versions.lineage(&w.manager, d.summary.id).await.unwrap();
        assert!(
            lineage.iter().any(|e| e.how.contains("folder sub")),
            "{lineage:?}"
        );
        let job = register(by("folder", "nowhere")).await;
        assert_eq!(job.state, JobState::Failed);
        assert!(job.error.unwrap().contains("No item passes"));

        let selection = ItemSelection::Found(by("state", "Done"));
        let outcome = w
            .items
            .bulk(&w.manager, w.project, selection, BulkAction::Requeue)
            .await
            .unwrap();
        assert_eq!(outcome.changed, 2);
        let items = w.items(w.project).await;
        assert!(items.values().all(|(item, _)| item.status == ItemStatus::Todo));
    })
    .await;
}

#[tokio::test]
async fn too_many_names_and_unknown_facets_are_refused() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let many = ItemChoice {
            filter: ExploreFilter::default(),
            items: (0..=NAMED_MAX).map(|_| ItemId::new()).collect(),
        };
        let unknown = ItemChoice {
            filter: by("colour", "red"),
            items: Vec::new(),
        };
        for (only, field) in [(many, "items"), (unknown, "filter")] {
            let input = ProjectExport {
                export: NewExport::default(),
                only: Some(only),
            };
            let refused = w.exports.start_of(&w.manager, w.project, input).await;
            let refused = refused.unwrap_err().into_api();
            assert_eq!(refused.code, Code::InvalidInput);
            assert!(refused.for_field(field).is_some(), "{refused:?}");
        }
    })
    .await;
}
