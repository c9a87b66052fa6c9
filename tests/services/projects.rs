//! Projects, members, pictures, search, and that outsiders learn nothing.

use crate::{code, refusal};
use limn_domain::category::{NewCategory, UpdateCategory};
use limn_domain::project::{
    NewProject, NewProjectCategory, ProjectSettings, ProjectStatus, Task, UpdateProject,
};
use limn_domain::{CategoryId, Code, ProjectId, Role, UserId};
use limn_services::Actor;
use limn_testkit::{Studio, build, on_both};

fn named(name: &str) -> NewProject {
    NewProject {
        name: name.to_owned(),
        ..NewProject::default()
    }
}

fn category(name: &str, parent: Option<usize>) -> NewProjectCategory {
    NewProjectCategory {
        category: NewCategory {
            name: name.into(),
            ..NewCategory::default()
        },
        parent,
    }
}

#[tokio::test]
async fn a_project_is_made_with_its_categories() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let mo = studio.person("Mo", Role::Manager).await;
        let input = NewProject {
            task: Task::Multilabel,
            description: " two\nlines ".into(),
            instructions: "# Hi <script>alert(1)</script>".into(),
            categories: vec![
                category("Animal", None),
                category("<b>Cat</b>", Some(0)),
                category("Car", None),
            ],
            ..named("  <script>alert(1)</script>  ")
        };
        let made = studio.projects.create(&mo, input).await.unwrap();
        assert_eq!(made.summary.name, "<script>alert(1)</script>", "plain text");
        assert_eq!(
            (made.summary.my_role, made.summary.status),
            (Role::Manager, ProjectStatus::Running)
        );
        assert_eq!(made.summary.description, "two\nlines");
        assert!(made.instructions_html.contains("<h1>") && !made.instructions_html.contains("<script"));
        let id = made.summary.id;
        let tree = studio.categories.list(&mo, id).await.unwrap();
        let names: Vec<_> = tree.iter().map(|c| (c.name.as_str(), c.export_id)).collect();
        assert_eq!(names, [("Animal", 1), ("<b>Cat</b>", 2), ("Car", 3)]);
        assert_eq!(tree[1].parent_id, Some(tree[0].id));
        for text in ["<SCRIPT>alert(1)</script>", &id.to_string()] {
            assert_eq!(studio.projects.find(&mo, text).await.unwrap().summary.id, id);
        }
        let e = refusal(
            studio
                .projects
                .create(&mo, named("<script>ALERT(1)</script>"))
                .await,
        );
        assert_eq!(e.code, Code::AlreadyExists);
        assert!(
            e.for_field("name")
                .is_some_and(|m| m.contains("choose another name")),
            "{e:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn bad_projects_name_their_fields_and_leave_nothing() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let mo = studio.person("Mo", Role::Manager).await;
        let mut input = NewProject {
            description: "d".repeat(3_000),
            instructions: "a\0b".into(),
            settings: Some(ProjectSettings {
                lease_minutes: 0,
                ..ProjectSettings::default()
            }),
            categories: vec![category("a", None), category("b", None), category("c", None)],
            ..named(&"x".repeat(10_000))
        };
        input.categories[2].category.color = Some("red".into());
        let e = refusal(studio.projects.create(&mo, input).await);
        assert_eq!(e.code, Code::InvalidInput);
        let fields: Vec<_> = e.fields.iter().map(|f| f.field.as_str()).collect();
        let wanted = [
            "name",
            "description",
            "instructions",
            "settings.lease_minutes",
            "categories[2].color",
        ];
        assert_eq!(fields, wanted);
        assert!(e.message.contains("10000"), "{}", e.message);
        assert_eq!(studio.projects.list(&mo).await.unwrap(), []);

        // Two of one name at once: one is made.
        let (a, b) = tokio::join!(
            studio.projects.create(&mo, named("Same")),
            studio.projects.create(&mo, named("SAME"))
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
        assert_eq!(code(a.and(b)), Code::AlreadyExists);
        assert_eq!(studio.projects.list(&mo).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_project_changes_and_goes() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let mo = studio.person("Mo", Role::Manager).await;
        let id = studio
            .projects
            .create(&mo, named("One"))
            .await
            .unwrap()
            .summary
            .id;
        studio.projects.create(&mo, named("Two")).await.unwrap();
        build::items(&db, id, "a", 700).await;
        let rename = |name: &str| UpdateProject {
            name: Some(name.into()),
            ..UpdateProject::default()
        };
        assert_eq!(
            code(studio.projects.update(&mo, id, rename("TWO")).await),
            Code::AlreadyExists
        );
        assert_eq!(
            studio
                .projects
                .update(&mo, id, rename("ONE"))
                .await
                .unwrap()
                .summary
                .name,
            "ONE",
            "its own name"
        );
        let input = UpdateProject {
            status: Some(ProjectStatus::Paused),
            settings: Some(ProjectSettings {
                shuffle: true,
                ..ProjectSettings::default()
            }),
            instructions: Some("**new**".into()),
            ..UpdateProject::default()
        };
        let is = studio.projects.update(&mo, id, input).await.unwrap();
        assert_eq!(
            (is.summary.status, is.summary.progress.total),
            (ProjectStatus::Paused, 700)
        );
        assert!(is.instructions_html.contains("<strong>new"));
        let log = studio
            .activities
            .list(&mo, Some(id), None, Some(1))
            .await
            .unwrap();
        assert_eq!(
            log.rows[0].summary,
            "paused the queue, changed the instructions, changed the settings"
        );
        studio.projects.delete(&mo, id).await.unwrap();
        assert_eq!(code(studio.projects.get(&mo, id).await), Code::NotFound);
        assert_eq!(code(studio.projects.delete(&mo, id).await), Code::NotFound);
        assert_eq!(studio.projects.list(&mo).await.unwrap().len(), 1);
        let mine = studio.activities.list(&mo, None, None, Some(1)).await.unwrap();
        assert_eq!(mine.rows[0].summary, "deleted the project “ONE”");
    })
    .await;
}

#[tokio::test]
async fn members_come_and_go() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let (mo, bo) = (
            studio.person("Mo", Role::Manager).await,
            studio.person("Bo", Role::Labeler).await,
        );
        let (mo_id, bo_id) = (mo.user_id().unwrap(), bo.user_id().unwrap());
        let id = studio.projects.create(&mo, named("P")).await.unwrap().summary.id;
        build::items(&db, id, "a", 1).await;
        let people = studio.members.candidates(&mo, id).await.unwrap();
        assert_eq!(people.iter().map(|u| u.id).collect::<Vec<_>>(), [bo_id]);
        let e = refusal(studio.members.set(&mo, id, bo_id, Role::Admin).await);
        assert!(e.for_field("role").is_some());
        assert_eq!(
            code(studio.members.set(&mo, id, UserId::new(), Role::Viewer).await),
            Code::NotFound
        );
        studio.members.set(&mo, id, bo_id, Role::Viewer).await.unwrap();
        assert_eq!(
            code(studio.queue.take(&bo, id, 1).await),
            Code::Forbidden,
            "a viewer"
        );
        assert_eq!(
            studio
                .members
                .set(&mo, id, bo_id, Role::Labeler)
                .await
                .unwrap()
                .role,
            Role::Labeler
        );
        assert_eq!(studio.queue.take(&bo, id, 1).await.unwrap().items.len(), 1);
        assert_eq!(
            code(studio.members.set(&bo, id, bo_id, Role::Manager).await),
            Code::Forbidden
        );
        assert_eq!(code(studio.members.candidates(&bo, id).await), Code::Forbidden);
        studio.members.remove(&mo, id, bo_id).await.unwrap();
        assert_eq!(code(studio.members.remove(&mo, id, bo_id).await), Code::NotFound);
        assert_eq!(code(studio.queue.take(&bo, id, 1).await), Code::NotFound);
        assert_eq!(
            studio.queue.take(&mo, id, 1).await.unwrap().items.len(),
            1,
            "it went back to the queue"
        );
        studio.members.remove(&mo, id, mo_id).await.unwrap();
        assert_eq!(code(studio.projects.get(&mo, id).await), Code::NotFound);
    })
    .await;
}

#[tokio::test]
async fn outsiders_learn_that_there_is_no_such_project() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let (mo, eve) = (
            studio.person("Mo", Role::Manager).await,
            studio.person("Eve", Role::Manager).await,
        );
        let input = NewProject {
            categories: vec![category("Secret", None)],
            ..named("Hidden")
        };
        let id = studio.projects.create(&mo, input).await.unwrap().summary.id;
        let secret = studio.categories.list(&mo, id).await.unwrap()[0].id;
        let png = image_bytes();
        let path = studio.assets.add(&mo, id, "a.png", png.clone()).await.unwrap();
        let asset = path.rsplit('/').next().unwrap().parse().unwrap();
        let bo = eve.user_id().unwrap();
        for actor in [&eve, &Actor::Anonymous] {
            let wanted = if *actor == Actor::Anonymous {
                Code::SignInRequired
            } else {
                Code::NotFound
            };
            assert_eq!(code(studio.projects.get(actor, id).await), wanted);
            assert_eq!(code(studio.projects.find(actor, "hidden").await), wanted);
            assert_eq!(
                code(studio.projects.update(actor, id, UpdateProject::default()).await),
                wanted
            );
            assert_eq!(code(studio.projects.delete(actor, id).await), wanted);
            assert_eq!(code(studio.members.list(actor, id).await), wanted);
            assert_eq!(
                code(studio.members.set(actor, id, bo, Role::Manager).await),
                wanted
            );
            assert_eq!(code(studio.members.remove(actor, id, bo).await), wanted);
            assert_eq!(code(studio.members.candidates(actor, id).await), wanted);
            assert_eq!(code(studio.categories.list(actor, id).await), wanted);
            assert_eq!(
                code(studio.categories.create(actor, id, NewCategory::default()).await),
                wanted
            );
            assert_eq!(
                code(
                    studio
                        .categories
                        .update(actor, secret, UpdateCategory::default())
                        .await
                ),
                wanted
            );
            assert_eq!(code(studio.categories.impact(actor, secret).await), wanted);
            assert_eq!(
                code(studio.categories.merge(actor, secret, CategoryId::new()).await),
                wanted
            );
            assert_eq!(code(studio.categories.remove(actor, secret).await), wanted);
            assert_eq!(
                code(studio.assets.add(actor, id, "a.png", png.clone()).await),
                wanted
            );
            assert_eq!(code(studio.assets.get(actor, asset).await), wanted);
            assert_eq!(
                code(studio.activities.list(actor, Some(id), None, None).await),
                wanted
            );
        }
        assert_eq!(studio.search.find(&eve, "hidden").await.unwrap(), []);
        assert_eq!(studio.projects.list(&eve).await.unwrap(), []);
        assert_eq!(
            code(studio.projects.list(&Actor::Anonymous).await),
            Code::SignInRequired
        );
        let absent = refusal(studio.projects.get(&eve, ProjectId::new()).await);
        assert_eq!(
            refusal(studio.projects.get(&eve, id).await),
            absent,
            "word for word"
        );
    })
    .await;
}

/// A small real PNG.
fn image_bytes() -> bytes::Bytes {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 3)
        .write_to(&mut out, image::ImageFormat::Png)
        .unwrap();
    out.into_inner().into()
}

#[tokio::test]
async fn pictures_are_pictures() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let mo = studio.person("Mo", Role::Manager).await;
        let id = studio.projects.create(&mo, named("P")).await.unwrap().summary.id;
        let path = studio
            .assets
            .add(&mo, id, "../../x\0.png", image_bytes())
            .await
            .unwrap();
        let asset = path.strip_prefix("/media/assets/").unwrap().parse().unwrap();
        let (media_type, bytes) = studio.assets.get(&mo, asset).await.unwrap();
        assert_eq!((media_type.as_str(), bytes), ("image/png", image_bytes()));
        for (bytes, wanted) in [
            (bytes::Bytes::new(), Code::UnsupportedMedia),
            (
                b"<svg onload='alert(1)'/>".to_vec().into(),
                Code::UnsupportedMedia,
            ),
            (b"just text".to_vec().into(), Code::UnsupportedMedia),
            (vec![0; 8 << 20 | 1].into(), Code::TooLarge),
        ] {
            let e = refusal(studio.assets.add(&mo, id, "a.png", bytes).await);
            assert_eq!(e.code, wanted);
            assert!(e.message.contains("a.png"), "{}", e.message);
        }
    })
    .await;
}

#[tokio::test]
async fn search_finds_projects_and_items() {
    on_both(async |db| {
        let studio = Studio::new(&db);
        let mo = studio.person("Mo", Role::Manager).await;
        let id = studio
            .projects
            .create(&mo, named("Street 50%"))
            .await
            .unwrap()
            .summary
            .id;
        build::items(&db, id, "street_", 30).await;
        let hits = studio.search.find(&mo, " STREET ").await.unwrap();
        assert_eq!(
            (hits.len(), hits[0].kind.as_str(), hits[1].kind.as_str()),
            (20, "project", "item")
        );
        assert_eq!(hits[0].href, format!("/projects/{id}"));
        assert!(hits[1].href.starts_with(&format!("/projects/{id}/label/")));
        assert_eq!(studio.search.find(&mo, "50%").await.unwrap().len(), 1);
        for nothing in [
            "",
            "  ",
            "%%",
            "__",
            "\0",
            "'; DROP TABLE item; --",
            &*"x".repeat(100_000),
        ] {
            assert_eq!(
                studio.search.find(&mo, nothing).await.unwrap(),
                [],
                "{nothing:.20}"
            );
        }
    })
    .await;
}
