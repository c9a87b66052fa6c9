//! Large and deep pictures: cut into tiles by a job, or when asked for.

use crate::{code, refusal};
use bytes::Bytes;
use futures::stream;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma};
use limn_domain::item::AddItemOutcome;
use limn_domain::job::{Job, JobState};
use limn_domain::picture::{Picture, Pyramid, TileFormat};
use limn_domain::project::Task;
use limn_domain::{Code, ItemId, ProjectId, Role};
use limn_services::media::{MediaBody, Rendition};
use limn_services::{Actor, Clock, Context, Limits, Services};
use limn_testkit::build::{self, START};
use limn_testkit::{TestDb, on_both};
use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

struct World {
    services: Services,
    db: TestDb,
    project: ProjectId,
    manager: Actor,
}

/// Everything of more than 100,000 pixels is large here.
async fn world(db: &TestDb) -> World {
    let limits = Limits {
        whole_pixels: 100_000,
        image_pixels: 10_000_000,
        ..Limits::default()
    };
    let context = Context::open(db.db(), db.dir().join("data"), limits, Clock::fixed(START)).unwrap();
    let project = build::project(db, "Slides", Task::Detection).await;
    let user = build::user(db, "Mia", Role::Manager).await;
    build::member(db, project, user, Role::Manager).await;
    World {
        services: Services::new(context),
        db: db.clone(),
        project,
        manager: limn_testkit::Studio::actor(user, "Mia", Role::Manager),
    }
}

impl World {
    async fn add(&self, name: &str, bytes: Vec<u8>) -> Result<ItemId, limn_services::Error> {
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
        let outcome = self
            .services
            .ingest
            .add(&self.manager, self.project, name, body)
            .await?;
        let (AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item }) = outcome;
        Ok(item.id)
    }

    async fn picture(&self, item: ItemId) -> Picture {
        self.services.media.picture(&self.manager, item).await.unwrap()
    }

    async fn jobs(&self) -> Vec<Job> {
        let page = self
            .services
            .jobs
            .list(&Actor::System, Some(self.project), false, None, None)
            .await
            .unwrap();
        page.rows
    }

    /// Runs what is queued until nothing is.
    async fn work(&self) {
        let timing = limn_jobs::Timing {
            poll: Duration::from_millis(20),
            watch: Duration::from_millis(20),
            ..limn_jobs::Timing::default()
        };
        let stop = CancellationToken::new();
        let runner = limn_services::jobs::runner(&self.services, 2).with_timing(timing);
        let task = tokio::spawn(runner.run(stop.clone()));
        let began = Instant::now();
        while self.jobs().await.iter().any(|j| !j.state.is_final()) {
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "{:?}",
                self.jobs().await
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        task.await.unwrap();
    }

    async fn tile(&self, item: ItemId, level: u32, x: u32, y: u32) -> (Bytes, bool) {
        let tile = self
            .services
            .media
            .tile(&self.manager, item, level, x, y)
            .await
            .unwrap();
        match tile.file.body {
            MediaBody::Bytes(b) => (b, tile.gzip),
            MediaBody::File { .. } | MediaBody::Blob(_) | MediaBody::Remote(_) => panic!("tiles are bytes"),
        }
    }
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

fn wide(seed: u8) -> GrayImage {
    GrayImage::from_fn(900, 700, |x, y| Luma([(x ^ y) as u8 ^ seed]))
}

fn tiled(picture: Picture) -> Pyramid {
    match picture {
        Picture::Tiled(p) => p,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_large_picture_is_cut_by_a_job() {
    on_both(async |db: TestDb| {
        let w = world(&db).await;
        let item = w.add("slide.png", png(wide(0))).await.unwrap();
        assert_eq!(w.picture(item).await, Picture::Making { done: 0, total: 0 });
        // Asking does not queue it again.
        w.picture(item).await;
        assert_eq!(w.jobs().await.len(), 1);
        let early = w.services.media.get(&w.manager, item, Rendition::Thumb).await;
        assert!(early.unwrap().stands_in, "no hole in a page of pictures");
        assert_eq!(
            code(w.services.media.tile(&w.manager, item, 0, 0, 0).await),
            Code::WrongState
        );

        w.work().await;
        let job = w.jobs().await.remove(0);
        assert_eq!(
            (job.state, job.done, job.total),
            (JobState::Succeeded, 700, 700),
            "{job:?}"
        );
        assert_eq!(job.title, "Cut slide.png into tiles");
        let p = tiled(w.picture(item).await);
        assert_eq!(
            (p.width, p.height, p.levels, p.channels, p.bits),
            (900, 700, 2, 1, 8)
        );
        assert_eq!(p.format, TileFormat::Png);
        let (bytes, gzip) = w.tile(item, 0, 1, 1).await;
        assert!(!gzip);
        let tile = image::load_from_memory(&bytes).unwrap().into_luma8();
        assert_eq!(tile.dimensions(), (388, 188));
        assert_eq!(tile.get_pixel(5, 6), wide(0).get_pixel(517, 518));
        for (level, x, y) in [
            (0, 2, 0),
            (0, 0, 2),
            (2, 0, 0),
            (u32::MAX, 0, 0),
            (0, u32::MAX, u32::MAX),
        ] {
            assert_eq!(
                code(w.services.media.tile(&w.manager, item, level, x, y).await),
                Code::NotFound
            );
        }
        let thumb = w
            .services
            .media
            .get(&w.manager, item, Rendition::Thumb)
            .await
            .unwrap();
        assert!(thumb.media_type == "image/jpeg" && !thumb.stands_in);

        // The same bytes again, in another project: nothing is to be done.
        let other = build::project(&w.db, "More slides", Task::Detection).await;
        build::member(&w.db, other, w.manager.user_id().unwrap(), Role::Manager).await;
        let again = World {
            project: other,
            services: w.services.clone(),
            db: w.db.clone(),
            manager: w.manager.clone(),
        };
        let twin = again.add("again.png", png(wide(0))).await.unwrap();
        assert_eq!(tiled(again.picture(twin).await), p);
        w.work().await;
    })
    .await;
}

#[tokio::test]
async fn tiles_that_were_cleaned_away_are_made_again() {
    on_both(async |db: TestDb| {
        let w = world(&db).await;
        let item = w.add("slide.png", png(wide(1))).await.unwrap();
        w.work().await;
        let before = tiled(w.picture(item).await);
        std::fs::remove_dir_all(db.dir().join("data/renditions")).unwrap();
        std::fs::create_dir_all(db.dir().join("data/renditions/tmp")).unwrap();
        assert_eq!(w.picture(item).await, Picture::Making { done: 0, total: 0 });
        w.work().await;
        assert_eq!(tiled(w.picture(item).await), before);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_cut_says_why() {
    on_both(async |db: TestDb| {
        let w = world(&db).await;
        // Whole by its header, damaged further on: only cutting finds out.
        let mut bytes = png(wide(2));
        let middle = bytes.len() / 2;
        bytes[middle..middle + 40].fill(0xaa);
        let item = w.add("bad.png", bytes).await.unwrap();
        w.work().await;
        let Picture::Failed { message } = w.picture(item).await else {
            panic!("it cannot be cut");
        };
        assert!(
            message.contains("bad.png") && message.contains("PNG"),
            "{message}"
        );
        // Asking again does not try again for ever; a manager may.
        assert_eq!(w.jobs().await.len(), 1);
        let job = w.jobs().await.remove(0);
        assert_eq!(job.state, JobState::Failed);
        w.services.jobs.retry(&w.manager, job.id).await.unwrap();
        assert!(matches!(w.picture(item).await, Picture::Making { .. }));
        w.services.jobs.cancel(&w.manager, job.id).await.unwrap();
        let Picture::Failed { message } = w.picture(item).await else {
            panic!("it was cancelled");
        };
        assert!(message.contains("cancelled"), "{message}");

        let huge = w.add("huge.png", png(GrayImage::new(4_000, 3_000))).await;
        assert!(refusal(huge).message.contains("4000 x 3000"));
    })
    .await;
}

#[tokio::test]
async fn deep_pictures_keep_their_depth() {
    on_both(async |db: TestDb| {
        let w = world(&db).await;
        let deep: ImageBuffer<Luma<u16>, Vec<u16>> =
            ImageBuffer::from_fn(200, 100, |x, y| Luma([(x * 20 + y) as u16]));
        let item = w
            .add("ct.png", png(DynamicImage::from(deep.clone())))
            .await
            .unwrap();
        // Small: at once, without a job.
        let p = tiled(w.picture(item).await);
        assert!(w.jobs().await.is_empty());
        assert_eq!((p.bits, p.channels, p.format), (16, 1, TileFormat::Raw16));
        assert_eq!(p.range, [0, 199 * 20 + 99]);
        let (bytes, gzip) = w.tile(item, 0, 0, 0).await;
        assert!(gzip);
        let mut raw = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..])
            .read_to_end(&mut raw)
            .unwrap();
        let at = (7 * 200 + 31) * 2;
        assert_eq!(
            u16::from_le_bytes([raw[at], raw[at + 1]]),
            deep.get_pixel(31, 7).0[0]
        );
        // And an ordinary one has no tiles.
        let small = w.add("small.png", png(GrayImage::new(100, 90))).await.unwrap();
        assert_eq!(w.picture(small).await, Picture::Whole);
    })
    .await;
}
