//! Documents: text files, tables and annotation files in; every format out and in again.

use super::{World, codes, picture, unzip, world, zip};
use image::ImageFormat;
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::import::{ImportFormat, TextColumns};
use limn_domain::item::{AddItemOutcome, ItemStatus};
use limn_domain::project::Task;
use limn_domain::{Role, Shape};
use limn_services::media::{MediaBody, Rendition};
use limn_services::{Actor, Error};
use limn_testkit::{TestDb, build, on_both};
use std::collections::BTreeMap;

const LETTER: &str = "😀 Ana Lu\u{308}, born in תל אביב.\r\n<b>Bob</b>\r\n";

async fn add(world: &World, name: &str, bytes: &[u8]) -> Result<AddItemOutcome, Error> {
    let body = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(bytes))]);
    world.ingest.add(&world.manager, world.project, name, body).await
}

async fn text_of(world: &World, name: &str) -> String {
    let items = world.items(world.project).await;
    let file = world
        .media
        .get(&Actor::System, items[name].0.id, Rendition::Text)
        .await
        .unwrap();
    assert_eq!(file.media_type, "text/plain; charset=utf-8");
    let MediaBody::File { path, len } = file.body else {
        panic!("a text is a file")
    };
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.len() as u64, len);
    text
}

/// Names, and labels as category and span, of every item.
async fn labels(world: &World) -> BTreeMap<String, Vec<(String, Option<(u32, u32)>)>> {
    let all = world
        .categories
        .list(&Actor::System, world.project)
        .await
        .unwrap();
    let names: BTreeMap<_, _> = all.into_iter().map(|c| (c.id, c.name)).collect();
    let items = world.items(world.project).await;
    items
        .into_iter()
        .map(|(name, (_, all))| {
            let mut all: Vec<_> = all
                .into_iter()
                .map(|a| (names[&a.category_id].clone(), a.shape.span()))
                .collect();
            all.sort();
            (name, all)
        })
        .collect()
}

async fn other(db: &TestDb, world: &World, task: Task, name: &str) -> World {
    let other = World {
        studio: world.studio.clone(),
        project: build::project(db, name, task).await,
        manager: world.manager.clone(),
    };
    build::member(db, other.project, other.manager.user_id().unwrap(), Role::Manager).await;
    other
}

#[tokio::test]
async fn text_files_become_documents_and_others_are_refused_by_name() {
    on_both(async |db| {
        let w = world(&db, Task::Entities).await;
        let AddItemOutcome::Added { item } = add(&w, "letter.txt", LETTER.as_bytes()).await.unwrap() else {
            panic!("it is new")
        };
        assert_eq!(
            (item.width, item.height, item.media_type.as_str()),
            (0, 0, "text/plain")
        );
        assert_eq!(item.length, LETTER.chars().count() as i64);
        assert_eq!(item.excerpt, "😀 Ana Lu\u{308}, born in תל אביב. <b>Bob</b>");
        assert_eq!(
            text_of(&w, "letter.txt").await,
            LETTER,
            "line ends and marks stay"
        );
        // With a byte order mark it is the same document, in UTF-16 too.
        let mark = [b"\xef\xbb\xbf", LETTER.as_bytes()].concat();
        let wide: Vec<u8> = std::iter::once(0xfeff)
            .chain(LETTER.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [mark, wide] {
            let again = add(&w, "LETTER.txt", &bytes).await.unwrap();
            assert!(matches!(again, AddItemOutcome::Unchanged { .. }));
        }
        let said = async |name: &str, bytes: &[u8]| add(&w, name, bytes).await.unwrap_err().into_api();
        let latin = said("k.txt", b"one\nK\xf6ln").await;
        assert!(
            latin
                .message
                .contains("`k.txt`: line 2, byte 6, is not UTF-8. Save the file as UTF-8."),
            "{latin:?}"
        );
        assert!(said("n.txt", b"a\0b").await.message.contains("line 1, byte 2"));
        assert!(said("e.txt", b"").await.message.contains("empty"));
        let png = picture(20, 20, 1, ImageFormat::Png);
        assert!(said("p.png", &png).await.message.contains("a picture (PNG)"));
        let archive = zip(&[("a.txt", b"a".to_vec())]);
        assert!(said("z.zip", &archive).await.message.contains("zip archive"));
        let long = said("l.txt", "x".repeat((1 << 20) + 1).as_bytes()).await;
        assert_eq!(long.code, limn_domain::Code::TooLarge);
        assert!(
            said("letter.txt", b"other")
                .await
                .message
                .contains("another item")
        );
        // One of a megabyte is taken; a text is no picture in a project of pictures.
        add(&w, "full.txt", "x".repeat(1 << 20).as_bytes()).await.unwrap();
        let pictures = other(&db, &w, Task::Detection, "Pictures").await;
        let e = add(&pictures, "a.txt", b"a").await.unwrap_err().into_api();
        assert!(e.message.contains("this is text, not a picture"), "{e:?}");
        assert_eq!(w.items(w.project).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_table_by_its_columns_and_the_rest_of_bad_ones() {
    on_both(async |db| {
        let w = world(&db, Task::TextMultilabel).await;
        let csv = b"nr,Review,mood\n1,\"good, \"\"really\"\"\r\nyes\",pos|long\n2,bad\n3,K\xf6ln,neg\n4,fine,\n5,fine,pos\n";
        let mut input = w.input(ImportFormat::Csv, &[("r.csv", csv.to_vec())]).await;
        input.columns = Some(TextColumns {
            text: "Review".into(),
            label: Some("mood".into()),
            id: Some("nr".into()),
            name: None,
        });
        let report = w.import_with(input).await;
        assert_eq!(
            (report.items_added, report.annotations_added, report.categories_added, report.refused),
            (3, 3, 2, 2),
            "{report:#?}"
        );
        let at = |code: &str| report.entries.iter().find(|e| e.code == code).and_then(|e| e.line);
        assert_eq!((at("ragged_row"), at("not_utf8")), (Some(4), Some(5)));
        assert_eq!(text_of(&w, "r/1.txt").await, "good, \"really\"\r\nyes");
        let all = labels(&w).await;
        assert_eq!(all["r/1.txt"], [("long".to_owned(), None), ("pos".to_owned(), None)]);
        let items = w.items(w.project).await;
        assert_eq!(items["r/1.txt"].0.status, ItemStatus::Done);
        assert_eq!(items["r/4.txt"].0.status, ItemStatus::Todo, "without a label");
        // Again: nothing new.
        let mut input = w.input(ImportFormat::Csv, &[("r.csv", csv.to_vec())]).await;
        input.columns = Some(TextColumns {
            text: "Review".into(),
            label: Some("mood".into()),
            id: Some("nr".into()),
            name: None,
        });
        let again = w.import_with(input).await;
        assert_eq!((again.items_added, again.items_unchanged, again.annotations_added), (0, 3, 0));
        // A column that is not there, and files that are no table at all.
        let report = w
            .import(ImportFormat::Csv, &[("x.csv", b"a,b\n1,2\n".to_vec()), ("y.csv", vec![0; 100])])
            .await;
        assert_eq!(codes(&report), ["not_the_format", "not_the_format"], "{report:#?}");
        assert!(report.entries[0].message.contains("it has a, b"), "{report:#?}");
    })
    .await;
}

#[tokio::test]
async fn spans_go_out_and_come_in_with_every_format() {
    on_both(async |db| {
        let w = world(&db, Task::Entities).await;
        let line = serde_json::json!({ "name": "mail/letter.txt", "text": LETTER, "spans": [
            { "start": 2, "end": 9, "label": "PER" }, { "start": 2, "end": 5, "label": "<i>x</i>" },
            { "start": 19, "end": 26, "label": "LOC" }, { "start": 0, "end": 999, "label": "LOC" }] });
        let files = format!("{line}\n{{\"name\":\"none.txt\",\"text\":\"nothing\"}}\n");
        let archive = zip(&[
            ("d.jsonl", files.into_bytes()),
            ("documents/extra.txt", b"Ana".to_vec()),
        ]);
        let report = w.import(ImportFormat::Jsonl, &[("set.zip", archive)]).await;
        assert_eq!(
            (report.items_added, report.annotations_added, report.refused),
            (3, 3, 1),
            "{report:#?}"
        );
        assert!(codes(&report).contains(&"span_outside"), "{report:#?}");
        let was = labels(&w).await;
        assert_eq!(was["mail/letter.txt"].len(), 3);
        for (n, format) in ExportFormat::for_task(Task::Entities).enumerate() {
            let input = NewExport {
                format,
                with_images: true,
                ..NewExport::default()
            };
            let (result, bytes) = w.export(w.project, input).await;
            let (again, same) = w.export(w.project, input).await;
            assert_eq!((&result.digest, &bytes), (&again.digest, &same), "{format:?}");
            let files: BTreeMap<_, _> = unzip(&bytes).into_iter().collect();
            assert_eq!(
                files["documents/mail/letter.txt"],
                LETTER.as_bytes(),
                "{format:?}"
            );
            let into = other(&db, &w, Task::Entities, &format!("Into {n}")).await;
            let report = into.import(format.import(), &[("set.zip", bytes)]).await;
            assert_eq!(report.refused, 0, "{format:?} {report:#?}");
            let is = labels(&into).await;
            if format == ExportFormat::Conll {
                // Of the two over one word the longer one; names are not in the file.
                assert_eq!(report.annotations_added, 2, "{report:#?}");
                assert!(
                    result.notes.iter().any(|n| n.contains("share a word")),
                    "{result:?}"
                );
            } else {
                assert_eq!(was["mail/letter.txt"], is["mail/letter.txt"], "{format:?}");
                assert_eq!(text_of(&into, "mail/letter.txt").await, LETTER, "{format:?}");
            }
        }
        // Into a project that has other texts of these names: named, and the rest taken.
        let into = other(&db, &w, Task::Entities, "Taken").await;
        add(&into, "none.txt", b"else").await.unwrap();
        let (_, bytes) = w
            .export(
                w.project,
                NewExport {
                    format: ExportFormat::Jsonl,
                    ..NewExport::default()
                },
            )
            .await;
        let report = into.import(ImportFormat::Jsonl, &[("set.zip", bytes)]).await;
        assert_eq!((report.items_added, report.refused), (2, 1), "{report:#?}");
        assert!(codes(&report).contains(&"name_taken"), "{report:#?}");
        // A format of pictures is refused by name.
        let input = w.input(ImportFormat::Coco, &[("a.json", b"{}".to_vec())]).await;
        let e = w
            .imports
            .start(&w.manager, w.project, input)
            .await
            .unwrap_err()
            .into_api();
        assert!(e.message.contains("csv, jsonl, conll, spacy, images"), "{e:?}");
        let shapes: Vec<Shape> = w.items(w.project).await["mail/letter.txt"]
            .1
            .iter()
            .map(|a| a.shape.clone())
            .collect();
        assert!(shapes.contains(&Shape::Span { start: 2, end: 9 }));
    })
    .await;
}
