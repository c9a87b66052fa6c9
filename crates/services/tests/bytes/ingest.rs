use super::*;
use futures::StreamExt as _;
use limn_domain::item::ItemQuery;
use limn_domain::upload::{UploadCheck, UploadCheckFile};
use limn_testkit::on_both;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_becomes_an_item_and_again_nothing() {
    on_both(async |db| {
        let w = world(&db).await;
        let item = w.added("a/b.png", png(1)).await;
        assert_eq!(
            (item.width, item.height, item.media_type.as_str(), item.export_id),
            (40, 30, "image/png", 1)
        );
        assert!(w.context.blobs.exists(&item.digest).await);
        // The same again, in other case; and other bytes under the name.
        let again = w.add("A/B.PNG", png(1)).await.unwrap();
        assert!(matches!(again, AddItemOutcome::Unchanged { item: i } if i.id == item.id));
        let e = refusal(w.add("a/b.png", png(2)).await);
        assert_eq!(e.code, Code::AlreadyExists);
        assert!(e.message.contains("`a/b.png`"), "{}", e.message);
        // The same bytes under another name, and in another project, are stored once.
        assert_eq!(w.added("c.png", png(1)).await.digest, item.digest);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_file_is_named_and_leaves_nothing() {
    on_both(async |db| {
        let w = world(&db).await;
        let jpeg = picture(300, 300, 9, ImageFormat::Jpeg);
        let mut huge = png(1);
        huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let huge = {
            let mut crc = flate2_crc(&huge[12..29]).to_be_bytes().to_vec();
            huge.splice(29..33, crc.drain(..));
            huge
        };
        let cases: [(&str, Vec<u8>, Code, &str); 8] = [
            (
                "cut.jpg",
                jpeg[..jpeg.len() / 2].to_vec(),
                Code::UnsupportedMedia,
                "ends early",
            ),
            (
                "text.png",
                b"I am a text".to_vec(),
                Code::UnsupportedMedia,
                "this is text",
            ),
            ("empty.png", Vec::new(), Code::UnsupportedMedia, "empty"),
            ("huge.png", huge, Code::UnsupportedMedia, "60000 x 60000"),
            (
                "a.svg",
                b"<svg onload='x()'/>".to_vec(),
                Code::UnsupportedMedia,
                "SVG",
            ),
            ("a.zip", b"PK\x03\x04....".to_vec(), Code::UnsupportedMedia, "zip"),
            ("../a.png", png(1), Code::InvalidInput, ".."),
            ("a\nb.png", png(1), Code::InvalidInput, "control"),
        ];
        for (name, bytes, code, says) in cases {
            let e = refusal(w.add(name, bytes).await);
            assert_eq!(e.code, code, "{name}: {}", e.message);
            assert!(e.message.contains(says), "{name}: {}", e.message);
            assert!(
                e.message.contains(name) || e.code == Code::InvalidInput,
                "{name}: {}",
                e.message
            );
        }
        let e = refusal(
            w.ingest
                .add(&w.manager, w.project, "a.png", broken(png(1)[..20].to_vec()))
                .await,
        );
        assert_eq!(e.code, Code::BadRequest);
        let page = w
            .items
            .list(&w.manager, w.project, ItemQuery::default())
            .await
            .unwrap();
        assert!(page.rows.is_empty());
        let left = std::fs::read_dir(w.context.data_dir.join("blobs"))
            .unwrap()
            .count();
        assert_eq!(left, 1, "only the folder for temporary files");
    })
    .await;
}

fn flate2_crc(bytes: &[u8]) -> u32 {
    // The CRC of PNG chunks, bit by bit: it is only a test.
    !bytes.iter().fold(u32::MAX, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| {
            if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_are_checked_before_the_body_is_read() {
    on_both(async |db| {
        let w = world(&db).await;
        for (actor, code) in [
            (&w.viewer, Code::Forbidden),
            (&w.outsider, Code::NotFound),
            (&Actor::Anonymous, Code::SignInRequired),
        ] {
            let read = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&read);
            let watched = body(png(1)).inspect(move |_| seen.store(true, Ordering::Relaxed));
            assert_eq!(
                super::code(w.ingest.add(actor, w.project, "a.png", watched).await),
                code
            );
            assert!(!read.load(Ordering::Relaxed));
        }
        let gone = ProjectId::new();
        assert_eq!(
            code(w.ingest.add(&w.manager, gone, "a.png", body(png(1))).await),
            Code::NotFound
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_lose_nothing() {
    on_both(async |db| {
        let w = world(&db).await;
        let (studio, manager, project) = (&w.studio, &w.manager, w.project);
        // Every name twice, at the same time.
        let adding = (0..80_u8).map(|n| async move {
            studio
                .ingest
                .add(manager, project, &format!("{:02}.png", n / 2), body(png(n / 2)))
                .await
        });
        let outcomes: Vec<_> = stream::iter(adding).buffer_unordered(16).collect().await;
        let added = outcomes
            .iter()
            .filter(|o| matches!(o, Ok(AddItemOutcome::Added { .. })))
            .count();
        let unchanged = outcomes
            .iter()
            .filter(|o| matches!(o, Ok(AddItemOutcome::Unchanged { .. })))
            .count();
        assert_eq!(
            (added, unchanged),
            (40, 40),
            "{:?}",
            outcomes.iter().find(|o| o.is_err())
        );
        let page = w
            .items
            .list(&w.manager, w.project, ItemQuery::default())
            .await
            .unwrap();
        let mut ids: Vec<_> = page.rows.iter().map(|r| r.item.export_id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=40).collect::<Vec<_>>(), "export ids without gaps");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_asked_about_before_it_is_sent_again() {
    on_both(async |db| {
        let w = world(&db).await;
        let bytes = png(3);
        w.added("folder/a.png", bytes.clone()).await;
        let file = |name: &str, size: i64| UploadCheckFile {
            name: name.to_owned(),
            size,
        };
        let size = bytes.len() as i64;
        let files = vec![
            file("Folder\\A.png", size),
            file("folder/a.png", size + 1),
            file("new.png", 5),
            file("../x.png", 1),
        ];
        let ask = |actor| {
            w.ingest
                .check(actor, w.project, UploadCheck { files: files.clone() })
        };
        assert_eq!(
            ask(&w.manager).await.unwrap().missing,
            ["folder/a.png", "new.png", "../x.png"]
        );
        assert_eq!(code(ask(&w.viewer).await), Code::Forbidden);
        let many = (0..2_000).map(|n| file(&format!("{n}.png"), 1)).collect();
        let missing = w
            .ingest
            .check(&w.manager, w.project, UploadCheck { files: many })
            .await
            .unwrap();
        assert_eq!(missing.missing.len(), 2_000);
        let too_many = (0..10_001).map(|n| file(&format!("{n}.png"), 1)).collect();
        assert_eq!(
            code(
                w.ingest
                    .check(&w.manager, w.project, UploadCheck { files: too_many })
                    .await
            ),
            Code::InvalidInput
        );
    })
    .await;
}
