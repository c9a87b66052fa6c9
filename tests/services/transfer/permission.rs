//! Who may start, see, steer and fetch, and what bad requests are told.

use super::{Working, World, world};
use crate::{code, refusal};
use limn_domain::export::NewExport;
use limn_domain::import::{ImportAs, ImportFormat, NewImport};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::token::TokenScope;
use limn_domain::upload::NewUpload;
use limn_domain::{Code, JobId, Role, TokenId, UploadId};
use limn_services::Actor;
use limn_testkit::{build, on_both};

async fn member(world: &World, name: &str, role: Role) -> Actor {
    let actor = world.person(name, Role::Labeler).await;
    build::member(&world.db, world.project, actor.user_id().unwrap(), role).await;
    actor
}

fn token(of: &Actor, scope: TokenScope, world: &World) -> Actor {
    let me = of.me().unwrap().clone();
    Actor::Token {
        me,
        token_id: TokenId::new(),
        scope,
        project_id: Some(world.project),
        dataset_id: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_decide_who_imports_exports_fetches_and_steers() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let reviewer = member(&world, "Rita", Role::Reviewer).await;
        let other = member(&world, "Rob", Role::Reviewer).await;
        let labeler = member(&world, "Lena", Role::Labeler).await;
        let outsider = world.person("Otto", Role::Manager).await;
        let admin = world.person("Ada", Role::Admin).await;
        let input = NewExport::default();
        let start = async |actor: &Actor| world.exports.start(actor, world.project, input).await;
        assert_eq!(code(start(&labeler).await), Code::Forbidden);
        assert_eq!(code(start(&outsider).await), Code::NotFound);
        assert_eq!(code(start(&Actor::Anonymous).await), Code::SignInRequired);

        let job = start(&reviewer).await.unwrap();
        assert_eq!(
            (job.state, job.title.as_str()),
            (JobState::Queued, "Export COCO of Raccoons")
        );
        assert_eq!(
            start(&reviewer).await.unwrap().id,
            job.id,
            "an equal one waits already"
        );
        let get = async |actor: &Actor, id: JobId| world.jobs.get(actor, id).await;
        for sees in [
            &reviewer,
            &labeler,
            &admin,
            &world.manager,
            &token(&labeler, TokenScope::Read, &world),
        ] {
            assert_eq!(get(sees, job.id).await.unwrap().id, job.id);
        }
        assert_eq!(code(get(&outsider, job.id).await), Code::NotFound);
        assert_eq!(code(world.jobs.log(&outsider, job.id, 0).await), Code::NotFound);
        assert_eq!(code(get(&Actor::Anonymous, job.id).await), Code::SignInRequired);
        for (actor, n) in [(&reviewer, 1), (&labeler, 1), (&admin, 1), (&outsider, 0)] {
            assert_eq!(
                world
                    .jobs
                    .list(actor, None, true, None, None)
                    .await
                    .unwrap()
                    .rows
                    .len(),
                n
            );
        }
        assert_eq!(
            code(
                world
                    .jobs
                    .list(&outsider, Some(world.project), false, None, None)
                    .await
            ),
            Code::NotFound
        );

        assert_eq!(
            code(world.exports.file(&reviewer, job.id).await),
            Code::WrongState
        );
        assert_eq!(code(world.jobs.retry(&reviewer, job.id).await), Code::WrongState);
        for may_not in [&labeler, &other] {
            assert_eq!(code(world.jobs.cancel(may_not, job.id).await), Code::Forbidden);
        }
        assert_eq!(code(world.jobs.cancel(&outsider, job.id).await), Code::NotFound);
        assert_eq!(
            world.jobs.cancel(&reviewer, job.id).await.unwrap().state,
            JobState::Cancelled
        );
        assert_eq!(code(world.jobs.cancel(&reviewer, job.id).await), Code::WrongState);
        assert_eq!(
            code(world.exports.file(&reviewer, job.id).await),
            Code::WrongState
        );
        assert_eq!(
            world.jobs.retry(&world.manager, job.id).await.unwrap().state,
            JobState::Queued
        );

        let working: Working = world.work();
        world.until(job.id, |j| j.state.is_final()).await;
        working.stop().await;
        assert!(world.exports.file(&other, job.id).await.is_ok());
        assert_eq!(code(world.exports.file(&labeler, job.id).await), Code::Forbidden);
        assert_eq!(code(world.exports.file(&outsider, job.id).await), Code::NotFound);
        assert_eq!(
            code(world.exports.file(&reviewer, JobId::new()).await),
            Code::NotFound
        );
        world.clock.advance_seconds(8 * 86_400);
        assert_eq!(
            code(world.exports.file(&reviewer, job.id).await),
            Code::LinkExpired
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_names_the_upload_at_fault() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let labeler = member(&world, "Lena", Role::Labeler).await;
        let good = world.upload("a.json", "{}").await;
        let part = world
            .uploads
            .create(
                &world.manager,
                NewUpload {
                    name: "b.json".into(),
                    size: 10,
                },
            )
            .await
            .unwrap();
        let input = |uploads: &[UploadId]| NewImport {
            format: ImportFormat::Coco,
            import_as: ImportAs::Labels,
            uploads: uploads.to_vec(),
            create_categories: true,
            replace: false,
            columns: None,
            sequence: None,
        };
        let start = async |actor: &Actor, uploads: &[UploadId]| {
            world.imports.start(actor, world.project, input(uploads)).await
        };
        assert_eq!(code(start(&labeler, &[good]).await), Code::Forbidden);
        for (uploads, field) in [
            (vec![], "uploads"),
            (vec![good, good], "uploads[1]"),
            (vec![good, part.id], "uploads[1]"),
            (vec![UploadId::new()], "uploads[0]"),
        ] {
            let error = refusal(start(&world.manager, &uploads).await);
            assert_eq!(
                (error.code, error.fields[0].field.as_str()),
                (Code::InvalidInput, field),
                "{error:?}"
            );
        }
        // Somebody else's upload is as good as none.
        let other = member(&world, "Max", Role::Manager).await;
        assert_eq!(code(start(&other, &[good]).await), Code::InvalidInput);

        // The file goes away between the start and the run.
        let job = start(&world.manager, &[good]).await.unwrap();
        world.uploads.delete(&world.manager, good).await.unwrap();
        let job = world.finish(job.id).await;
        assert_eq!((job.state, job.attempts), (JobState::Failed, 1));
        assert!(job.error.unwrap().contains("Upload the files again"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_go_on_page_by_page() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let mut all = Vec::new();
        for n in 0..5 {
            world.clock.advance_seconds(i64::from(n % 2 == 0));
            let input = NewExport {
                with_images: n % 2 == 1,
                scope: if n > 1 {
                    limn_domain::export::ExportScope::Done
                } else {
                    Default::default()
                },
                ..NewExport::default()
            };
            let job = world
                .exports
                .start(
                    if n == 4 { &Actor::System } else { &world.manager },
                    world.project,
                    input,
                )
                .await
                .unwrap();
            all.push(job.id);
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = world
                .jobs
                .list(&world.manager, Some(world.project), false, cursor, Some(2))
                .await
                .unwrap();
            seen.extend(page.rows.iter().map(|j| j.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        all.reverse();
        assert_eq!(seen, all);
        let bad = world
            .jobs
            .list(&world.manager, None, false, Some("nonsense".into()), None)
            .await;
        assert_eq!(code(bad), Code::InvalidInput);
    })
    .await;
}
