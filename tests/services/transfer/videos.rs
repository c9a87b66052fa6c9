//! Videos in and out: sequences of pictures, files that ffmpeg takes apart, tracks in MOT, CVAT, JSONL, and frame by frame.

use super::*;
use limn_domain::export::ExportFormat;
use limn_domain::import::Sequence;
use limn_domain::{Keyframe, Rect, Shape, track, video};
use limn_store::repo;
use limn_testkit::on_both;
use std::process::Command;

/// A frame: all of one grey, so that each has its own bytes.
pub(super) fn frame(n: u8, side: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(RgbImage::from_pixel(side, side, Rgb([n, n, n])))
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Frames without leading zeros, last one first: only the natural order brings them in line.
fn numbered(n: u8) -> Vec<(String, Vec<u8>)> {
    (1..=n)
        .rev()
        .map(|i| (format!("walk/{i}.png"), frame(i, 64)))
        .collect()
}

impl World {
    async fn sequence(&self, format: ImportFormat, files: &[(&str, Vec<u8>)], rate: f64) -> ImportReport {
        let mut input = self.input(format, files).await;
        input.sequence = Some(Sequence { rate });
        self.import_with(input).await
    }

    async fn listed(&self) -> Vec<Item> {
        let page = self
            .studio
            .items
            .list(&self.manager, self.project, ItemQuery::default())
            .await
            .unwrap();
        page.rows.into_iter().map(|r| r.item).collect()
    }

    async fn labels_of(&self, item: &Item) -> Vec<Annotation> {
        self.annotations
            .get(&self.manager, item.id)
            .await
            .unwrap()
            .annotations
    }

    async fn times(&self, item: &Item) -> Vec<i64> {
        self.media.frames(&self.manager, item.id).await.unwrap().times_us
    }
}

#[tokio::test]
async fn a_folder_of_numbered_pictures_is_one_video() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let zip = packed(&numbered(12));
        let report = w
            .sequence(ImportFormat::Images, &[("walk.zip", zip.clone())], 10.0)
            .await;
        assert_eq!((report.items_added, report.refused), (1, 0), "{report:?}");
        let items = w.listed().await;
        let item = &items[0];
        assert_eq!(
            (item.name.as_str(), item.frames(), item.width),
            ("walk", Some(12), 64)
        );
        assert_eq!(w.times(item).await, video::times(12, 10.0));
        // In the order people count.
        for n in [0_u8, 1, 9, 11] {
            let file = w.media.frame(&w.manager, item.id, n.into(), false).await.unwrap();
            let limn_services::media::MediaBody::File { path, .. } = file.body else {
                panic!()
            };
            assert_eq!(std::fs::read(path).unwrap(), frame(n + 1, 64));
        }
        let gone = w.media.frame(&w.manager, item.id, 12, false).await.map(drop);
        assert!(crate::refusal(gone).message.contains("no frame 12"));
        assert!(
            w.media
                .get(&w.manager, item.id, limn_services::media::Rendition::Thumb)
                .await
                .is_ok()
        );
        // The same again changes nothing; another rate is another video of that name.
        let again = w
            .sequence(ImportFormat::Images, &[("walk.zip", zip.clone())], 10.0)
            .await;
        assert_eq!((again.items_added, again.items_unchanged), (0, 1));
        let other = w
            .sequence(ImportFormat::Images, &[("walk.zip", zip.clone())], 25.0)
            .await;
        assert_eq!((other.items_added, other.refused), (0, 1), "{other:?}");
        // Without being asked for, pictures are pictures.
        let apart = w.import(ImportFormat::Images, &[("walk.zip", zip)]).await;
        assert_eq!(apart.items_added, 12);
    })
    .await;
}

#[tokio::test]
async fn a_sequence_with_a_bad_frame_is_refused_by_its_name() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        for (bad, sign) in [(frame(1, 32), "32 x 32"), (b"no picture".to_vec(), "walk/4.png")] {
            let mut files = numbered(5);
            files[1].1 = bad;
            let report = w
                .sequence(ImportFormat::Images, &[("walk.zip", packed(&files))], 25.0)
                .await;
            assert_eq!((report.items_added, report.refused), (0, 1), "{report:?}");
            assert!(report.entries[0].message.contains(sign), "{report:?}");
        }
        assert!(w.listed().await.is_empty());
        // A rate that is none, and a project whose labels cannot be tracks.
        let mut input = w
            .input(ImportFormat::Images, &[("walk.zip", packed(&numbered(2)))])
            .await;
        input.sequence = Some(Sequence { rate: 0.0 });
        let e = crate::refusal(w.imports.start(&w.manager, w.project, input).await);
        assert!(e.for_field("sequence.rate").is_some(), "{e:?}");
    })
    .await;
}

/// A video whose times are known: ten frames a second, every third missing.
pub(super) fn ffmpeg(dir: &std::path::Path, name: &str, arguments: &str) -> Vec<u8> {
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .args(arguments.split(' '))
        .arg(dir.join(name))
        .output()
        .expect("ffmpeg is installed (`cargo xtask setup --tests`)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(dir.join(name)).unwrap()
}

#[tokio::test]
async fn a_video_file_becomes_frames_at_their_true_times() {
    on_both(async |db| {
        let w = world(&db, Task::Objects).await;
        let dir = db.dir().to_owned();
        let vary = "testsrc=size=64x48:rate=10:duration=2 -vf select=not(eq(mod(n\\,3)\\,1)) -fps_mode vfr";
        let mkv = ffmpeg(&dir, "a.mkv", vary);
        let long = ffmpeg(
            &dir,
            "b.mkv",
            "testsrc2=size=320x240:rate=10:duration=6 -c:v mjpeg -q:v 3",
        );
        let inside = packed(&[("clips/in.mkv".to_owned(), mkv.clone())]);
        let report = w
            .import(
                ImportFormat::Images,
                &[
                    ("vary.mkv", mkv),
                    ("cut.mkv", long[..long.len() / 2].to_vec()),
                    ("no.mp4", b"this is no video".to_vec()),
                    ("more.zip", inside),
                ],
            )
            .await;
        assert_eq!(
            (report.items_added, report.refused, report.fixed),
            (3, 1, 1),
            "{report:?}"
        );
        let entry = |code: &str| report.entries.iter().find(|e| e.code == code).unwrap();
        assert!(entry("bad_video").message.contains("`no.mp4`"));
        let cut = entry("video_cut_short");
        assert!(
            cut.file == "cut.mkv" && cut.message.contains("of 6.00 s"),
            "{cut:?}"
        );
        let items = w.listed().await;
        let by = |name: &str| items.iter().find(|i| i.name == name).unwrap();
        let want: Vec<i64> = (0..20).filter(|n| n % 3 != 1).map(|n| n * 100_000).collect();
        assert_eq!(w.times(by("vary.mkv")).await, want);
        assert_eq!(w.times(by("clips/in.mkv")).await, want);
        assert!(by("cut.mkv").frames().unwrap() > 10);
        // What was unpacked for it is gone.
        let left = std::fs::read_dir(dir.join("data/uploads")).unwrap();
        let left: Vec<_> = left
            .map(|e| e.unwrap().file_name())
            .filter(|n| n.to_string_lossy().starts_with("video-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        // Sent as a picture it is refused with the way.
        let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"x"))]);
        let e = crate::refusal(w.ingest.add(&w.manager, w.project, "x.mp4", body).await);
        assert!(e.message.contains("import it"), "{e:?}");
    })
    .await;
}

#[tokio::test]
async fn without_the_program_the_report_says_what_to_install() {
    on_both(async |db| {
        let mut w = world(&db, Task::Objects).await;
        let limits = limn_services::Limits {
            ffmpeg: "limn-no-such-program".into(),
            ..limn_services::Limits::default()
        };
        let context =
            limn_services::Context::open(db.db(), db.dir().join("data"), limits, w.studio.clock.clone())
                .unwrap();
        w.studio.services = limn_services::Services::new(context);
        let report = w.import(ImportFormat::Images, &[("a.mp4", b"x".to_vec())]).await;
        assert_eq!(report.entries[0].code, "no_ffmpeg");
        let told = &report.entries[0].message;
        assert!(
            told.contains("apt install ffmpeg") && told.contains("zip of numbered pictures"),
            "{told}"
        );
    })
    .await;
}

fn boxed(x: f64) -> Shape {
    Shape::Box {
        rect: Rect::new(x, 8.0, 10.0, 6.0),
    }
}

fn walk() -> Shape {
    Shape::Track {
        keyframes: vec![
            Keyframe::new(0, boxed(2.0)),
            Keyframe::new(4, boxed(10.0)),
            Keyframe {
                occluded: true,
                ..Keyframe::new(6, boxed(10.5))
            },
            Keyframe {
                outside: true,
                ..Keyframe::new(8, boxed(10.5))
            },
        ],
    }
}

/// A project with a video and one track on it.
async fn labeled(db: &TestDb) -> (World, Item) {
    let w = world(db, Task::Detection).await;
    let category = build::categories(db, w.project, &["car", "person"]).await[1];
    w.sequence(ImportFormat::Images, &[("walk.zip", packed(&numbered(12)))], 10.0)
        .await;
    let item = w.listed().await.remove(0);
    let label = Annotation {
        id: limn_domain::AnnotationId::new(),
        category_id: category,
        shape: walk(),
        z: 0,
        source: limn_domain::Source::Human,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    };
    let change = limn_domain::annotation::SaveChange {
        change_id: limn_domain::ChangeId::new(),
        base_revision: 0,
        upserts: vec![label],
        removes: Vec::new(),
        attributes: None,
        active_ms: 0,
    };
    w.annotations.save(&w.manager, item.id, change).await.unwrap();
    (w, item)
}

fn entries(zip: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|n| {
            let mut entry = archive.by_index(n).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().to_owned(), bytes)
        })
        .collect()
}

#[tokio::test]
async fn tracks_go_out_and_come_back_with_their_frames() {
    on_both(async |db| {
        let (w, item) = labeled(&db).await;
        for (out, into, exact) in [
            (ExportFormat::Jsonl, ImportFormat::Jsonl, true),
            (ExportFormat::CvatVideo, ImportFormat::Cvat, true),
            (ExportFormat::Mot, ImportFormat::Mot, false),
        ] {
            let input = NewExport {
                format: out,
                with_images: true,
                ..NewExport::default()
            };
            let (result, zip) = w.export(w.project, input).await;
            assert_eq!(
                (result.images, result.annotations),
                (1, 1),
                "{out:?}: {:?}",
                result.notes
            );
            let pictures = entries(&zip)
                .keys()
                .filter(|n| n.rsplit('.').next() == Some("png"))
                .count();
            assert_eq!(pictures, 12, "{out:?}");
            // Into an empty project, with nothing but the file.
            let fresh = build::project(&db, &format!("Back {out:?}"), Task::Detection).await;
            build::member(&db, fresh, w.manager.user_id().unwrap(), Role::Manager).await;
            let back = World {
                studio: w.studio.clone(),
                project: fresh,
                manager: w.manager.clone(),
            };
            let report = back.sequence(into, &[("walk.zip", zip)], 10.0).await;
            assert_eq!(
                (report.items_added, report.annotations_added, report.refused),
                (1, 1, 0),
                "{out:?}: {report:?}"
            );
            let again = back.listed().await.remove(0);
            assert_eq!(again.digest, item.digest, "{out:?}: the very same frames");
            let label = back.labels_of(&again).await.remove(0);
            if exact {
                assert_eq!(label.shape, walk(), "{out:?}");
            }
            for frame in 0..12 {
                let (a, b) = (walk(), &label.shape);
                let (a, b) = (track::at(a.keyframes(), frame), track::at(b.keyframes(), frame));
                assert_eq!(
                    a.as_ref().map(|s| s.occluded),
                    b.as_ref().map(|s| s.occluded),
                    "{out:?} frame {frame}"
                );
                if let (Some(a), Some(b)) = (a, b) {
                    let (a, b) = (a.shape.bounds().unwrap(), b.shape.bounds().unwrap());
                    assert!(
                        (a.x - b.x).abs() < 1e-6 && (a.w - b.w).abs() < 1e-6,
                        "{out:?} frame {frame}"
                    );
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn formats_without_tracks_get_a_picture_for_each_frame() {
    on_both(async |db| {
        let (w, _) = labeled(&db).await;
        let input = NewExport {
            format: ExportFormat::Coco,
            with_images: true,
            ..NewExport::default()
        };
        let (result, zip) = w.export(w.project, input).await;
        assert_eq!((result.images, result.annotations), (12, 8));
        let files = entries(&zip);
        let coco: Value = serde_json::from_slice(&files["annotations/instances_default.json"]).unwrap();
        assert_eq!(coco["images"][3]["file_name"], "walk/000003.png");
        assert_eq!(coco["images"][3]["id"], 1_000_004);
        assert!(files.contains_key("images/walk/000011.png"));
        let third = &coco["annotations"][3];
        assert_eq!(
            (&third["bbox"], &third["image_id"]),
            (&json!([8.0, 8.0, 10.0, 6.0]), &json!(1_000_004))
        );
        assert_eq!(third["attributes"]["track_id"], 1.0);
        let input = NewExport {
            format: ExportFormat::Yolo,
            ..NewExport::default()
        };
        let (_, zip) = w.export(w.project, input).await;
        let labels = entries(&zip)
            .keys()
            .filter(|n| n.contains("walk/0000") && n.rsplit('.').next() == Some("txt"))
            .count();
        assert_eq!(labels, 12);
    })
    .await;
}

#[tokio::test]
async fn mot_of_others_finds_its_video_by_name() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.sequence(ImportFormat::Images, &[("walk.zip", packed(&numbered(12)))], 10.0)
            .await;
        let files = [
            (
                "walk/gt/gt.txt".to_owned(),
                b"1,7,2,3,10,10,1,1,1\n2,7,3,3,10,10,1,1,0\n40,8,3,3,10,10,1,1,1\n".to_vec(),
            ),
            ("walk/gt/labels.txt".to_owned(), b"bird\n".to_vec()),
        ];
        let report = w
            .import(ImportFormat::Mot, &[("labels.zip", packed(&files))])
            .await;
        assert_eq!(
            (report.annotations_added, report.categories_added, report.refused),
            (1, 1, 1),
            "{report:?}"
        );
        assert!(
            report.entries.iter().any(|e| e.code == "frame_beyond"),
            "{report:?}"
        );
        let item = w.listed().await.remove(0);
        let label = w.labels_of(&item).await.remove(0);
        let seen = |n| track::at(label.shape.keyframes(), n);
        assert!(!seen(0).unwrap().occluded && seen(1).unwrap().occluded && seen(2).is_none());
        // A picture's label does not go to a video.
        let csv = b"file,category,x,y,w,h\nwalk,bird,1,1,5,5\n".to_vec();
        let report = w.import(ImportFormat::Csv, &[("a.csv", csv)]).await;
        assert_eq!(
            report.entries.iter().filter(|e| e.code == "not_a_track").count(),
            1,
            "{report:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_saved_on_a_video_is_checked() {
    on_both(async |db| {
        let (w, item) = labeled(&db).await;
        let kept = w.labels_of(&item).await.remove(0);
        let save = async |shape: Shape| {
            let change = limn_domain::annotation::SaveChange {
                change_id: limn_domain::ChangeId::new(),
                base_revision: 1,
                upserts: vec![Annotation {
                    shape,
                    ..kept.clone()
                }],
                removes: Vec::new(),
                attributes: None,
                active_ms: 0,
            };
            w.annotations.save(&w.manager, item.id, change).await
        };
        let track = |keyframes| Shape::Track { keyframes };
        let outside = Shape::Box {
            rect: Rect::new(900.0, 0.0, 5.0, 5.0),
        };
        for (shape, why) in [
            (boxed(1.0), "must be `track` on a video"),
            (track(Vec::new()), "keyframes are none"),
            (
                track(vec![Keyframe::new(12, boxed(1.0))]),
                "beyond the last frame of the video (11)",
            ),
            (
                track(vec![Keyframe::new(3, boxed(1.0)), Keyframe::new(3, boxed(1.0))]),
                "must be after the frame of the keyframe before it",
            ),
            (track(vec![Keyframe::new(0, outside)]), "lies outside the image"),
            (
                track(vec![Keyframe::new(
                    0,
                    Shape::Points {
                        points: vec![[1.0, 1.0]],
                    },
                )]),
                "no label of this project",
            ),
            (track(vec![Keyframe::new(0, walk())]), "cannot be in a track"),
        ] {
            let e = crate::refusal(save(shape).await);
            assert!(e.message.contains(why), "{e:?} for {why}");
        }
        assert_eq!(w.labels_of(&item).await.remove(0), kept);
        // Boxes that reach beyond are cut, as on pictures.
        save(track(vec![Keyframe::new(0, boxed(60.0))])).await.unwrap();
        let now = w.labels_of(&item).await.remove(0);
        assert_eq!(now.shape.bounds().unwrap().right(), 64.0);
        // Pictures have no tracks.
        let picture = build::items(&db, w.project, "still", 1).await[0];
        let change = limn_domain::annotation::SaveChange {
            change_id: limn_domain::ChangeId::new(),
            base_revision: 0,
            upserts: vec![kept.clone()],
            removes: Vec::new(),
            attributes: None,
            active_ms: 0,
        };
        let e = crate::refusal(w.annotations.save(&w.manager, picture, change).await);
        assert!(e.message.contains("this item is a picture"), "{e:?}");
    })
    .await;
}

#[tokio::test]
async fn frames_stay_as_long_as_their_video() {
    on_both(async |db| {
        let (w, item) = labeled(&db).await;
        let later = build::START.plus_seconds(30 * 24 * 3600);
        let mut tx = db.db().read().await.unwrap();
        assert!(
            repo::blob::unused(&mut tx, later, None, 100)
                .await
                .unwrap()
                .is_empty()
        );
        let first = repo::frame::get(&mut tx, item.id, 0).await.unwrap().unwrap();
        assert_eq!(
            (first.number, first.time_us, first.media_type.as_str()),
            (0, 0, "image/png")
        );
        assert_eq!(repo::frame::page(&mut tx, item.id, 10, 5).await.unwrap().len(), 2);
        assert_eq!(repo::frame::count(&mut tx, w.project).await.unwrap(), 12);
        drop(tx);
        let action = limn_domain::item::BulkAction::Delete;
        let chosen = limn_domain::item::ItemSelection::Ids(vec![item.id]);
        w.studio
            .items
            .bulk(&w.manager, w.project, chosen, action)
            .await
            .unwrap();
        let mut tx = db.db().read().await.unwrap();
        // Twelve frames, and the list of them.
        assert_eq!(
            repo::blob::unused(&mut tx, later, None, 100).await.unwrap().len(),
            13
        );
        assert!(repo::frame::times(&mut tx, item.id).await.unwrap().is_empty());
    })
    .await;
}
