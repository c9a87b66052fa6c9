//! Groups and relations as they are saved, and what becomes of them when the other end goes.

use crate::labels::{World, boxed, change};
use crate::refusal;
use limn_domain::project::{ProjectSettings, Task, UpdateProject};
use limn_domain::{Annotation, Code, GroupId, Links, Rect, Relation};
use limn_testkit::on_both;

#[tokio::test]
async fn links_are_kept_and_checked() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let b = boxed(c, Rect::new(20.0, 1.0, 5.0, 5.0));
        let links = Links {
            group: Some(GroupId::new()),
            relations: vec![Relation {
                to: b.id,
                kind: " holds ".to_owned(),
            }],
        };
        let a = Annotation {
            links: links.clone(),
            ..boxed(c, Rect::new(1.0, 1.0, 5.0, 5.0))
        };
        w.save(&w.ana, item, change(0, vec![a.clone(), b.clone()]))
            .await
            .unwrap();
        let of_a = |list: Vec<Annotation>| list.into_iter().find(|l| l.id == a.id).unwrap().links;
        let kept = of_a(w.labels(item).await);
        assert_eq!(kept.group, links.group);
        assert_eq!(
            kept.relations,
            [Relation {
                to: b.id,
                kind: "holds".to_owned()
            }]
        );

        let own = Annotation {
            links: Links {
                group: None,
                relations: vec![Relation {
                    to: a.id,
                    kind: String::new(),
                }],
            },
            ..a.clone()
        };
        let e = w.save(&w.ana, item, change(1, vec![own])).await.unwrap_err();
        assert_eq!(e.code, Code::InvalidInput);
        assert!(e.fields[0].message.contains("itself"), "{e}");

        // Somebody who knows nothing of the relation removes its other end.
        let mut gone = change(1, vec![]);
        gone.removes = vec![b.id];
        w.save(&w.ana, item, gone).await.unwrap();
        let left = of_a(w.labels(item).await);
        assert_eq!((left.group, left.relations.len()), (links.group, 0));
    })
    .await;
}

#[tokio::test]
async fn a_project_has_kinds_of_relations() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 1).await;
        let set = async |kinds: &[&str]| {
            let settings = ProjectSettings {
                relations: kinds.iter().map(|k| (*k).to_owned()).collect(),
                ..ProjectSettings::default()
            };
            let input = UpdateProject {
                settings: Some(settings),
                ..UpdateProject::default()
            };
            w.studio.projects.update(&w.manager, w.project, input).await
        };
        let p = set(&[" holds ", "part of"]).await.unwrap();
        assert_eq!(p.settings.relations, ["holds", "part of"]);
        let e = refusal(set(&["holds", "HOLDS"]).await);
        assert_eq!(e.fields[0].field, "settings.relations");
        let again = w.studio.projects.get(&w.ana, w.project).await.unwrap();
        assert_eq!(again.settings.relations, ["holds", "part of"]);
    })
    .await;
}
