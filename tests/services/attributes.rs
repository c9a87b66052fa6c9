//! Attributes: their definitions, the values that are saved, and submissions that lack a required one.

use crate::labels::{World, boxed, change};
use crate::{code, refusal};
use limn_domain::category::UpdateCategory;
use limn_domain::project::Task;
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
