//! COCO captions in, beside what was said of items, and out again.

use super::{image, unzip, world};
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_domain::{Attribute, AttributeKind, AttributeValue, Attributes};
use limn_services::Actor;
use limn_store::repo::transfer;
use limn_testkit::{TestDb, build, on_both};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn captions_come_in_beside_what_was_said_and_go_out() {
    on_both(async |db| round(db).await).await;
}

async fn round(db: TestDb) {
    let world = world(&db, Task::Detection).await;
    let items = build::items(&db, world.project, "p", 2).await;
    let weather = Attribute {
        key: "weather".into(),
        name: "Weather".into(),
        kind: AttributeKind::Text,
        required: false,
        default: None,
    };
    let said = Attributes::from([("weather".to_owned(), AttributeValue::Text("rain".into()))]);
    let (project, item, now) = (world.project, items[0], world.context.now());
    let done: Result<(), limn_services::Error> = world
        .context
        .db
        .write(move |tx| {
            let said = vec![(item, said.clone())];
            let weather = weather.clone();
            Box::pin(async move {
                transfer::add_item_attributes(tx, project, vec![weather]).await?;
                Ok(transfer::say_of_items(tx, project, &said, false, now).await?)
            })
        })
        .await;
    done.unwrap();
    let caption = |id: i64, image: i64, text: &str| json!({"id": id, "image_id": image, "caption": text});
    let file = json!({
        "images": [image(1, "p000.jpg"), image(2, "p001.jpg")],
        "annotations": [caption(1, 1, "A wet road."), caption(2, 2, "Nobody."), caption(3, 1, "Rain on a road.")],
    });
    let bytes = serde_json::to_vec(&file).unwrap();
    let report = world
        .import(ImportFormat::Coco, &[("captions.json", bytes.clone())])
        .await;
    assert_eq!((report.refused, report.annotations_added), (0, 0), "{report:#?}");
    assert!(
        report
            .entries
            .iter()
            .any(|e| e.message.starts_with("2 items have their captions"))
    );
    let of = async |n: usize| {
        let all = world
            .studio
            .annotations
            .get(&Actor::System, items[n])
            .await
            .unwrap();
        (all.revision, serde_json::to_value(all.attributes).unwrap())
    };
    let first = of(0).await;
    assert_eq!(
        first.1,
        json!({"caption": "A wet road.", "caption_2": "Rain on a road.", "weather": "rain"})
    );
    assert_eq!(of(1).await.1, json!({"caption": "Nobody."}));
    // The same again changes nothing.
    world
        .import(ImportFormat::Coco, &[("captions.json", bytes)])
        .await;
    assert_eq!(of(0).await, first);

    let input = NewExport {
        format: ExportFormat::CocoCaptions,
        ..NewExport::default()
    };
    let (result, bytes) = world.export(world.project, input).await;
    assert_eq!((result.images, result.annotations), (2, 3), "{:?}", result.notes);
    let files = unzip(&bytes);
    let json: Value = serde_json::from_slice(&files[0].1).unwrap();
    let pairs: Vec<_> = json["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["image_id"].as_i64().unwrap(), a["caption"].as_str().unwrap()))
        .collect();
    assert_eq!(
        pairs,
        [(1, "A wet road."), (1, "Rain on a road."), (2, "Nobody.")]
    );
}
