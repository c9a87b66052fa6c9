//! Attributes: their definitions, the values that are saved, and submissions that lack a required one.

use crate::labels::{World, boxed, change};
use crate::{code, refusal};
use limn_domain::annotation::SaveChange;
use limn_domain::category::UpdateCategory;
use limn_domain::project::{ProjectSettings, Task, UpdateProject};
use limn_domain::queue::Submit;
use limn_domain::{Annotation, Attribute, AttributeKind, AttributeValue, Attributes, Code, Rect};
use limn_testkit::on_both;

fn attribute(name: &str, kind: AttributeKind, required: bool) -> Attribute {
    Attribute {
        key: String::new(),
        name: name.to_owned(),
        kind,
        required,
        default: None,
    }
}

fn define(attributes: Vec<Attribute>) -> UpdateCategory {
    UpdateCategory {
        attributes: Some(attributes),
        ..UpdateCategory::default()
    }
}

fn values(json: &str) -> Attributes {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn values_are_kept_checked_and_asked_for() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let options = vec!["red".to_owned(), "blue".to_owned()];
        let list = vec![
            attribute("Colour", AttributeKind::Select { options }, false),
            attribute("Occluded", AttributeKind::Checkbox, true),
        ];
        let categories = &w.studio.categories;
        let made = categories
            .update(&w.manager, c, define(list.clone()))
            .await
            .unwrap();
        let keys: Vec<&str> = made.attributes.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["colour", "occluded"]);
        assert_eq!(
            code(categories.update(&w.ana, c, define(list)).await),
            Code::Forbidden
        );
        let e = refusal(
            categories
                .update(
                    &w.manager,
                    c,
                    define(vec![attribute("", AttributeKind::Text, false)]),
                )
                .await,
        );
        assert_eq!(
            (e.code, e.fields[0].field.as_str()),
            (Code::InvalidInput, "attributes")
        );

        let label = Annotation {
            attributes: values(r#"{"colour":"blue","nobody":3}"#),
            ..boxed(c, Rect::new(1.0, 1.0, 5.0, 5.0))
        };
        w.save(&w.ana, item, change(0, vec![label.clone()]))
            .await
            .unwrap();
        assert_eq!(w.labels(item).await[0].attributes, values(r#"{"colour":"blue"}"#));
        let wrong = Annotation {
            attributes: values(r#"{"colour":"green"}"#),
            ..label.clone()
        };
        let e = w.save(&w.ana, item, change(1, vec![wrong])).await.unwrap_err();
        assert!(
            e.fields[0]
                .message
                .contains("Colour must be one of `red`, `blue`"),
            "{e}"
        );
        // Another category knows nothing of them.
        let other = Annotation {
            attributes: values(r#"{"colour":"blue"}"#),
            ..boxed(w.categories[1], Rect::new(1.0, 1.0, 5.0, 5.0))
        };
        w.save(&w.ana, w.items[1], change(0, vec![other])).await.unwrap();
        assert!(w.labels(w.items[1]).await[0].attributes.is_empty());

        // Submitted only when the required one is said.
        let submit = |revision, change| {
            let input = Submit { revision, change };
            w.studio.queue.submit(&w.ana, item, input)
        };
        let e = refusal(submit(1, None).await);
        assert_eq!(e.code, Code::InvalidInput);
        assert!(e.message.contains("no “Occluded” yet"), "{e}");
        let said = Annotation {
            attributes: values(r#"{"colour":"blue","occluded":false}"#),
            ..label
        };
        submit(1, Some(change(1, vec![said.clone()]))).await.unwrap();
        assert_eq!(
            w.labels(item).await[0].attributes.get("occluded"),
            Some(&AttributeValue::Flag(false))
        );
        // A renamed attribute keeps its key and its values.
        let mut renamed = made.attributes;
        renamed[1].name = "Hidden".to_owned();
        categories.update(&w.manager, c, define(renamed)).await.unwrap();
        assert_eq!(w.labels(item).await[0].attributes, said.attributes);
    })
    .await;
}

#[tokio::test]
async fn items_have_attributes_of_their_own() {
    on_both(async |db| {
        let w = World::new(&db, Task::Detection, 2).await;
        let item = w.items[0];
        let options = vec!["rain".to_owned(), "sun".to_owned()];
        let settings = ProjectSettings {
            attributes: vec![
                attribute("Weather", AttributeKind::Select { options }, true),
                attribute("Caption", AttributeKind::Text, false),
            ],
            ..ProjectSettings::default()
        };
        let input = UpdateProject {
            settings: Some(settings),
            ..UpdateProject::default()
        };
        let made = w
            .studio
            .projects
            .update(&w.manager, w.project, input)
            .await
            .unwrap();
        let keys: Vec<&str> = made.settings.attributes.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["weather", "caption"]);

        let say = |revision, json: &str| SaveChange {
            attributes: Some(values(json)),
            ..change(revision, vec![])
        };
        let about = async || {
            let now = w.studio.annotations.get(&w.ana, item).await.unwrap();
            (now.revision, now.attributes)
        };
        let e = w
            .save(&w.ana, item, say(0, r#"{"weather":"snow"}"#))
            .await
            .unwrap_err();
        assert_eq!(e.fields[0].field, "attributes");
        // Not submitted without the required one, said or not.
        let submit = |revision, change| w.studio.queue.submit(&w.ana, item, Submit { revision, change });
        let e = refusal(submit(0, None).await);
        assert!(e.message.contains("no “Weather” yet"), "{e}");
        let first = say(0, r#"{"weather":"rain","caption":"A wet road","nobody":1}"#);
        w.save(&w.ana, item, first.clone()).await.unwrap();
        let want = values(r#"{"weather":"rain","caption":"A wet road"}"#);
        assert_eq!(about().await, (1, want.clone()));
        // The same change again is answered as before; labels leave what was said.
        w.save(&w.ana, item, first).await.unwrap();
        w.save(
            &w.ana,
            item,
            change(1, vec![boxed(w.categories[0], Rect::new(1.0, 1.0, 5.0, 5.0))]),
        )
        .await
        .unwrap();
        assert_eq!(about().await, (2, want.clone()));
        submit(2, None).await.unwrap();
        // Whoever takes an item sees what is said of it.
        let opened = w.studio.queue.open(&w.ana, item).await.unwrap();
        assert_eq!(opened.annotations.attributes, want);
    })
    .await;
}
