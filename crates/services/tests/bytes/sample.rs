use super::*;
use limn_domain::Source;
use limn_domain::item::{ItemQuery, ItemStatus};
use limn_domain::job::JobState;
use limn_testkit::on_both;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_gets_a_project_to_label() {
    on_both(async |db| {
        let w = world(&db).await;
        let project = w.sample.create(&w.manager).await.unwrap();
        let second = w.sample.create(&w.manager).await.unwrap();
        assert_eq!(project.summary.name, "Sample project");
        assert_eq!(second.summary.name, "Sample project 2");
        assert!(
            project.instructions_html.contains("<strong>every</strong>"),
            "{}",
            project.instructions_html
        );
        let names: Vec<_> = w
            .categories
            .list(&w.manager, project.summary.id)
            .await
            .unwrap()
            .into_iter()
            .map(|c| c.name)
            .collect();
        assert_eq!(names, ["circle", "square", "triangle"]);
        assert_eq!(code(w.sample.create(&w.viewer).await), Code::Forbidden);

        let all = w
            .jobs
            .list(&w.manager, Some(second.summary.id), false, None, None)
            .await
            .unwrap()
            .rows;
        w.jobs.cancel(&w.manager, all[0].id).await.unwrap();
        let stop = CancellationToken::new();
        let runner = tokio::spawn(limn_services::jobs::runner(&w.services, 1).run(stop.clone()));
        for _ in 0..600 {
            let jobs = w
                .jobs
                .list(&w.manager, Some(project.summary.id), false, None, None)
                .await
                .unwrap()
                .rows;
            assert_eq!(
                (jobs.len(), jobs[0].title.as_str()),
                (1, "Draw the images of Sample project")
            );
            if jobs[0].state.is_final() {
                assert_eq!(jobs[0].state, JobState::Succeeded, "{:?}", jobs[0]);
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stop.cancel();
        runner.await.unwrap();

        let rows = w
            .items
            .list(&w.manager, project.summary.id, ItemQuery::default())
            .await
            .unwrap()
            .rows;
        assert_eq!(rows.len(), 24);
        let done = rows.iter().filter(|r| r.item.status == ItemStatus::Done).count();
        let proposed = rows.iter().filter(|r| r.item.prelabel_count > 0).count();
        assert_eq!((done, proposed), (8, 5));
        for row in &rows {
            let labels = row.item.annotation_count + row.item.prelabel_count;
            assert_eq!(labels, row.annotations.len() as i64);
            for a in &row.annotations {
                let inside = a.shape.bounds().unwrap();
                assert!(
                    inside.x >= 0.0 && inside.right() <= 800.0 && inside.y >= 0.0 && inside.bottom() <= 540.0
                );
                assert_eq!(a.source == Source::Import, row.item.status == ItemStatus::Done);
            }
        }
        let progress = w
            .projects
            .get(&w.manager, project.summary.id)
            .await
            .unwrap()
            .summary
            .progress;
        assert_eq!(
            (progress.total, progress.done, progress.todo, progress.prelabeled),
            (24, 8, 16, 5)
        );
    })
    .await;
}
