use super::*;
use limn_domain::ItemId;
use limn_services::media::{MediaBody, MediaFile, Rendition};
use limn_testkit::on_both;

fn bytes(file: &MediaFile) -> Vec<u8> {
    match &file.body {
        MediaBody::Bytes(b) => b.to_vec(),
        MediaBody::File { path, len } => {
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(bytes.len() as u64, *len);
            bytes
        }
    }
}

const ALL: [Rendition; 4] = [
    Rendition::Thumb,
    Rendition::Screen,
    Rendition::Full,
    Rendition::Original,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_browsers_show_is_served_as_it_is_and_the_rest_is_made() {
    on_both(async |db| {
        let w = world(&db).await;
        let (jpeg, tiff) = (
            picture(600, 400, 5, ImageFormat::Jpeg),
            picture(2500, 100, 6, ImageFormat::Tiff),
        );
        let web = w.added("d/web.jpg", jpeg.clone()).await;
        let other = w.added("scan.tif", tiff.clone()).await;
        let get = |item: ItemId, which| w.media.get(&w.viewer, item, which);
        for which in [Rendition::Screen, Rendition::Full, Rendition::Original] {
            let file = get(web.id, which).await.unwrap();
            assert_eq!(
                (file.media_type.as_str(), file.name.as_str()),
                ("image/jpeg", "web.jpg")
            );
            assert_eq!(bytes(&file), jpeg);
            assert_eq!(file.etag, format!("\"{}\"", web.digest));
        }
        let mut etags = std::collections::HashSet::new();
        for (which, width) in [
            (Rendition::Thumb, 320),
            (Rendition::Screen, 2048),
            (Rendition::Full, 2500),
        ] {
            let file = get(other.id, which).await.unwrap();
            assert_eq!(
                (file.media_type.as_str(), file.name.as_str()),
                ("image/jpeg", "scan.jpg")
            );
            assert_eq!(image::load_from_memory(&bytes(&file)).unwrap().width(), width);
            etags.insert(file.etag);
        }
        let original = get(other.id, Rendition::Original).await.unwrap();
        assert_eq!(
            (original.media_type.as_str(), original.name.as_str()),
            ("image/tiff", "scan.tif")
        );
        assert_eq!(bytes(&original), tiff);
        etags.insert(original.etag);
        assert_eq!(etags.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_see_media() {
    on_both(async |db| {
        let w = world(&db).await;
        let item = w.added("a.png", png(1)).await;
        for which in ALL {
            assert!(w.media.get(&w.viewer, item.id, which).await.is_ok());
            let e = refusal(w.media.get(&w.outsider, item.id, which).await);
            let unknown = refusal(w.media.get(&w.outsider, ItemId::new(), which).await);
            assert_eq!(e, unknown, "an outsider cannot tell whether the item exists");
            assert_eq!(
                code(w.media.get(&Actor::Anonymous, item.id, which).await),
                Code::SignInRequired
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_file_is_named_not_an_outage() {
    on_both(async |db| {
        let w = world(&db).await;
        let item = w.added("a.png", png(1)).await;
        std::fs::remove_file(w.context.blobs.path(&item.digest)).unwrap();
        let e = refusal(w.media.get(&w.viewer, item.id, Rendition::Screen).await);
        assert!(
            e.code == Code::NotFound && e.message.contains("`a.png`"),
            "{}",
            e.message
        );
        // The thumbnail was made when it came.
        assert!(w.media.get(&w.viewer, item.id, Rendition::Thumb).await.is_ok());
    })
    .await;
}
