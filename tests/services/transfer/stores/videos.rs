//! Videos of datastores: files that ffmpeg takes apart and folders of frames, taken once and followed like pictures.

use super::super::videos::{ffmpeg, frame};
use super::super::world_of;
use super::trouble::bucket;
use super::{World, figures, picture, report, world};
use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::datastore::{AddSource, Datastore, ProjectSource, SourceReport};
use limn_domain::import::Sequence;
use limn_domain::item::Item;
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::video;
use limn_testkit::{Studio, on_both};
use std::path::Path;

/// Ten frames a second, every third missing: times tell whether frames are decoded or counted.
const VARY: &str = "testsrc=size=64x48:rate=10:duration=2 -vf select=not(eq(mod(n\\,3)\\,1)) -fps_mode vfr";
const LONG: &str = "testsrc2=size=320x240:rate=10:duration=6 -c:v mjpeg -q:v 3";

impl World {
    async fn take_frames(&self, store: &Datastore, glob: &str, rate: f64) -> ProjectSource {
        let input = AddSource {
            datastore_id: Some(store.id),
            glob: glob.to_owned(),
            sequence: Some(Sequence { rate }),
            ..AddSource::default()
        };
        self.sources
            .add(&self.manager, self.project, input)
            .await
            .unwrap()
    }

    async fn item(&self, name: &str) -> Item {
        self.items(self.project).await.remove(name).unwrap().0
    }
}

fn said<'a>(r: &'a SourceReport, code: &str) -> Vec<(&'a str, &'a str)> {
    let of_code = r.report.entries.iter().filter(|e| e.code == code);
    of_code.map(|e| (e.file.as_str(), e.message.as_str())).collect()
}

#[tokio::test]
async fn videos_of_a_folder_become_items_and_are_followed() {
    on_both(async |db| {
        let w = world(&db, Task::Objects).await;
        let folder = w.folder();
        let made = db.dir().join("made");
        std::fs::create_dir_all(&made).unwrap();
        let (vary, long) = (ffmpeg(&made, "a.mkv", VARY), ffmpeg(&made, "b.mkv", LONG));
        std::fs::write(folder.join("sub/vary.mkv"), &vary).unwrap();
        std::fs::write(folder.join("sub/cut.mkv"), &long[..long.len() / 2]).unwrap();
        std::fs::write(folder.join("no.mp4"), b"this is no video").unwrap();
        std::fs::write(folder.join("still.png"), picture(1)).unwrap();
        let store = w.folder_store("Clips", &folder).await;
        let source = w.take(&store, "").await;
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [4, 3, 0, 0, 0, 1], "{:?}", first.report);
        let cut = said(&first, "video_cut_short");
        assert!(
            cut[0].0 == "sub/cut.mkv" && cut[0].1.contains("of 6.00 s"),
            "{cut:?}"
        );
        assert_eq!(said(&first, "bad_video")[0].0, "no.mp4");
        let item = w.item("sub/vary.mkv").await;
        let want: Vec<i64> = (0..20).filter(|n| n % 3 != 1).map(|n| n * 100_000).collect();
        assert_eq!(w.media.frames(&w.manager, item.id).await.unwrap().times_us, want);
        assert!(w.item("sub/cut.mkv").await.frames().unwrap() > 10);

        // Nothing new: nothing is read.
        let second = w.refreshed(&source).await;
        assert_eq!((figures(&second), second.bytes), ([4, 0, 4, 0, 0, 0], 0));
        // Touched, with the same content: read, and no change.
        std::fs::write(folder.join("sub/vary.mkv"), &vary).unwrap();
        let touched = w.refreshed(&source).await;
        assert_eq!(
            (figures(&touched), touched.bytes),
            ([4, 0, 4, 0, 0, 0], vary.len() as i64)
        );
        // Other content, and one that goes.
        std::fs::write(folder.join("sub/vary.mkv"), &long).unwrap();
        std::fs::remove_file(folder.join("sub/cut.mkv")).unwrap();
        let third = w.refreshed(&source).await;
        assert_eq!(figures(&third), [3, 0, 2, 1, 1, 0]);
        assert_eq!(said(&third, "changed")[0].0, "sub/vary.mkv");
        assert_eq!(said(&third, "vanished")[0].0, "sub/cut.mkv");
        let fourth = w.refreshed(&source).await;
        assert_eq!((figures(&fourth), fourth.bytes), ([3, 0, 2, 1, 1, 0], 0));
        assert_eq!(
            w.item("sub/vary.mkv").await.digest,
            item.digest,
            "items stay as they were"
        );
        // Back as it was.
        std::fs::write(folder.join("sub/vary.mkv"), &vary).unwrap();
        assert_eq!(figures(&w.refreshed(&source).await), [3, 0, 3, 0, 1, 0]);
        // Nothing temporary is left.
        let left: Vec<_> = std::fs::read_dir(db.dir().join("data/uploads"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .filter(|n| n.to_string_lossy().starts_with("video-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refresh_without_the_program_waits_with_videos() {
    on_both(async |db| {
        let none = |l: &mut limn_services::Limits| l.ffmpeg = "limn-no-such-program".into();
        let mut w = world_of(&db, Task::Objects, Studio::with(&db, none)).await;
        let folder = w.folder();
        let made = db.dir().join("made");
        std::fs::create_dir_all(&made).unwrap();
        std::fs::write(folder.join("sub/a.mkv"), ffmpeg(&made, "a.mkv", VARY)).unwrap();
        std::fs::write(folder.join("still.png"), picture(1)).unwrap();
        let store = w.folder_store("Clips", &folder).await;
        let source = w.take(&store, "").await;
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [2, 1, 0, 0, 0, 1]);
        let told = said(&first, "no_ffmpeg");
        assert!(
            told[0].0 == "sub/a.mkv" && told[0].1.contains("apt install ffmpeg"),
            "{told:?}"
        );
        assert_eq!(
            first.bytes,
            picture(1).len() as i64,
            "nothing is fetched for nothing"
        );
        // Once it is there, the next refresh takes the file though that is as it was.
        w.studio = Studio::new(&db);
        assert_eq!(figures(&w.refreshed(&source).await), [2, 1, 1, 0, 0, 0]);
        assert_eq!(w.item("sub/a.mkv").await.frames(), Some(13));
    })
    .await;
}

fn frames(folder: &Path, name: &str, n: u8) {
    std::fs::create_dir_all(folder.join(name)).unwrap();
    for i in 1..=n {
        std::fs::write(folder.join(name).join(format!("{i}.png")), frame(i, 64)).unwrap();
    }
}

#[tokio::test]
async fn folders_of_frames_become_videos_and_are_followed() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        frames(&folder, "walk", 12);
        frames(&folder, "town/run/img1", 3);
        frames(&folder, "bad", 3);
        std::fs::write(folder.join("bad/2.png"), frame(2, 32)).unwrap();
        let store = w.folder_store("Clips", &folder).await;
        let source = w.take_frames(&store, "", 10.0).await;
        assert_eq!(source.sequence, Some(Sequence { rate: 10.0 }));
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [18, 2, 0, 0, 0, 1], "{:?}", first.report);
        let bad = &first.report.entries[0];
        assert!(
            bad.file == "bad/" && bad.message.contains("bad/2.png") && bad.message.contains("32 x 32"),
            "{bad:?}"
        );
        assert_eq!(w.names().await, ["town/run", "walk"].map(str::to_owned).into());
        let item = w.item("walk").await;
        assert_eq!(item.frames(), Some(12));
        assert_eq!(
            w.media.frames(&w.manager, item.id).await.unwrap().times_us,
            video::times(12, 10.0)
        );
        // In the order people count.
        for n in [0_u8, 1, 9, 11] {
            let file = w.media.frame(&w.manager, item.id, n.into(), false).await.unwrap();
            let limn_services::media::MediaBody::File { path, .. } = file.body else {
                panic!()
            };
            assert_eq!(std::fs::read(path).unwrap(), frame(n + 1, 64));
        }
        let second = w.refreshed(&source).await;
        assert_eq!((figures(&second), second.bytes), ([18, 0, 3, 0, 0, 0], 0));
        let listed = w.sources.list(&w.manager, w.project).await.unwrap();
        assert_eq!(listed[0].files, 2);

        // A frame more is another video; a folder that goes is gone; the bad one is mended; one is touched.
        std::fs::write(folder.join("walk/13.png"), frame(13, 64)).unwrap();
        std::fs::remove_dir_all(folder.join("town")).unwrap();
        std::fs::write(folder.join("bad/2.png"), frame(2, 64)).unwrap();
        let third = w.refreshed(&source).await;
        assert_eq!(figures(&third), [16, 1, 0, 1, 1, 0], "{:?}", third.report);
        assert_eq!(said(&third, "changed")[0].0, "walk/");
        assert_eq!(said(&third, "vanished")[0].0, "town/run/img1/");
        assert_eq!(w.item("walk").await.digest, item.digest);
        std::fs::remove_file(folder.join("walk/13.png")).unwrap();
        std::fs::write(folder.join("walk/1.png"), frame(1, 64)).unwrap();
        let fourth = w.refreshed(&source).await;
        assert_eq!(
            (figures(&fourth), fourth.report.items_unchanged),
            ([15, 0, 1, 0, 1, 0], 1)
        );
    })
    .await;
}

#[tokio::test]
async fn videos_go_on_where_the_store_died() {
    on_both(async |db| {
        let w = world(&db, Task::Objects).await;
        let (shared, store) = bucket(&w, 0).await;
        let made = db.dir().join("made");
        std::fs::create_dir_all(&made).unwrap();
        {
            let mut b = shared.lock().unwrap();
            for name in ["a.mkv", "b.mkv"] {
                let duration = 1 + usize::from(name == "b.mkv");
                let arguments = format!("testsrc=size=64x48:rate=10:duration={duration}");
                b.files.insert(name.to_owned(), ffmpeg(&made, name, &arguments));
            }
            for n in 1..=4 {
                for of in ["run", "walk"] {
                    b.files.insert(format!("{of}/{n}.png"), frame(n, 64));
                }
            }
            // In the middle of the second folder, after both videos.
            b.dies_after = Some(2 + 4 + 1);
        }
        let source = w.take_frames(&store, "", 25.0).await;
        let id = source.job_id.unwrap();
        let working = w.work();
        let job = w
            .until(id, |j| {
                j.state.is_final() || (j.state == JobState::Queued && j.attempts > 0)
            })
            .await;
        working.stop().await;
        assert_ne!(job.state, JobState::Failed, "{:?}", job.error);
        assert_eq!(
            w.names().await,
            ["a.mkv", "b.mkv", "run"].map(str::to_owned).into(),
            "whole videos only"
        );
        shared.lock().unwrap().dies_after = None;
        w.clock.advance_seconds(3_600);
        let done = report(w.finish(id).await);
        assert_eq!(
            (done.matched, done.unchanged, done.report.items_added),
            (10, 3, 1)
        );
        assert_eq!(w.names().await.len(), 4);
        let reads = shared.lock().unwrap().reads.clone();
        for name in ["a.mkv", "b.mkv", "run/1.png", "run/4.png"] {
            assert_eq!(
                reads.iter().filter(|r| *r == name).count(),
                1,
                "{name}: {reads:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_folder_that_grows_is_not_read_again_to_say_so() {
    on_both(async |db| {
        let w = world(&db, Task::Objects).await;
        let (shared, store) = bucket(&w, 0).await;
        let put = |n: u8| {
            shared
                .lock()
                .unwrap()
                .files
                .insert(format!("walk/{n}.png"), frame(n, 64))
        };
        for n in 1..=3 {
            put(n);
        }
        let source = w.take_frames(&store, "", 25.0).await;
        assert_eq!(figures(&report(w.ended(&source).await)), [3, 1, 0, 0, 0, 0]);
        let reads = || shared.lock().unwrap().reads.len();
        let first = reads();
        // Every refresh while somebody fills it.
        for n in 4..=5 {
            put(n);
            assert_eq!(
                figures(&w.refreshed(&source).await),
                [i64::from(n), 0, 0, 1, 0, 0]
            );
        }
        assert_eq!(reads(), first, "that they are more is seen in the list");
        // As many as the item has may be those that it has.
        for n in 4..=5 {
            shared.lock().unwrap().files.remove(&format!("walk/{n}.png"));
        }
        let back = w.refreshed(&source).await;
        assert_eq!(
            (figures(&back), back.report.items_unchanged),
            ([3, 0, 0, 0, 0, 0], 1)
        );
        assert_eq!(reads(), first + 3);
    })
    .await;
}

#[tokio::test]
async fn projects_whose_labels_are_no_tracks_pass_videos_over() {
    on_both(async |db| {
        let w = world(&db, Task::Classification).await;
        let folder = w.folder();
        std::fs::write(folder.join("a.mp4"), b"not looked at").unwrap();
        std::fs::write(folder.join("b.png"), picture(1)).unwrap();
        let store = w.folder_store("Clips", &folder).await;
        let source = w.take(&store, "").await;
        let r = report(w.ended(&source).await);
        assert_eq!(figures(&r), [2, 1, 0, 0, 0, 0]);
        assert!(
            said(&r, "no_videos_here")[0].1.contains("not tracks"),
            "{:?}",
            r.report
        );
        let with = |rate: f64| AddSource {
            datastore_id: Some(store.id),
            glob: "sub".to_owned(),
            sequence: Some(Sequence { rate }),
            ..AddSource::default()
        };
        let e = refusal(w.sources.add(&w.manager, w.project, with(25.0)).await);
        assert!(e.for_field("sequence").is_some(), "{e:?}");
        let e = refusal(w.sources.add(&w.manager, w.project, with(0.0)).await);
        assert!(e.for_field("sequence.rate").is_some(), "{e:?}");
        let neither = AddSource {
            datastore_id: None,
            ..with(25.0)
        };
        assert_eq!(
            code(w.sources.add(&w.manager, w.project, neither).await),
            Code::InvalidInput
        );
    })
    .await;
}
