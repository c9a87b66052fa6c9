//! Objects found by clicks: what a pair of networks answers, which pairs are refused, who may ask, and what is kept.

use super::world::{World, encoded};
use crate::refusal;
use bytes::Bytes;
use image::{Rgb, RgbImage};
use limn_domain::assist::{AssistState, UpdateAssist};
use limn_domain::model::NewModelVersion;
use limn_domain::project::Task;
use limn_domain::run::NewRun;
use limn_domain::smart::{Click, Clicks};
use limn_domain::{Code, Mask, Point, Rect, Role};
use limn_ml::LocalEngine;
use limn_services::Actor;
use limn_services::artifacts::Owner;
use limn_services::assist::port::{Engine as _, EngineError, Segmenter, SmallPicture, StopCheck};
use limn_testkit::onnx::{Attr, Onnx, pair};
use limn_testkit::{build, on_both};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;
/// Left and top of two bright squares of 16 pixels.
const FIRST: [u32; 2] = [8, 8];
const SECOND: [u32; 2] = [40, 16];

fn squares() -> RgbImage {
    let within = |n: u32, from: u32| n >= from && n < from + 16;
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let bright = [FIRST, SECOND]
            .iter()
            .any(|[left, top]| within(x, *left) && within(y, *top));
        Rgb([if bright { 250 } else { 20 }; 3])
    })
}

fn small(picture: RgbImage) -> SmallPicture {
    SmallPicture {
        width: picture.width() as usize,
        height: picture.height() as usize,
        rgb: picture.into_raw(),
    }
}

fn at(x: f64, y: f64, include: bool) -> Click {
    Click {
        at: Point::new(x, y),
        include,
    }
}

fn clicked(clicks: &[Click], frame: Option<Rect>) -> Clicks {
    Clicks {
        frame,
        clicks: clicks.to_vec(),
    }
}

fn never() -> StopCheck {
    Arc::new(|| false)
}

/// Whether a mask is about a square: its border is found to a tenth of the map's places, which are 8 pixels here.
fn is_square(mask: &Mask, [left, top]: [u32; 2]) -> bool {
    let near = |found: u32, right: u32| found.abs_diff(right) <= 2;
    near(mask.x, left)
        && near(mask.y, top)
        && near(mask.x + mask.width, left + 16)
        && near(mask.y + mask.height, top + 16)
        && mask.area() > 200
}

fn open(encoder: &[u8], decoder: &[u8]) -> Result<Arc<dyn Segmenter>, EngineError> {
    LocalEngine::new().segmenter(encoder, decoder)
}

#[test]
fn a_click_finds_the_object_under_it() {
    let (encoder, decoder) = pair();
    let net = open(&encoder, &decoder).unwrap();
    assert_eq!((net.side(), net.seen_bytes()), (32, 8 * 8 * 4));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let stop: StopCheck = Arc::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        false
    });
    let seen = net.look(&small(squares()), &stop).unwrap();
    assert_eq!(
        (seen.len(), asked.load(Ordering::Relaxed)),
        (net.seen_bytes(), net.steps())
    );
    let find = |clicks: &Clicks| {
        net.segment(&seen, [WIDTH, HEIGHT], clicks, &never())
            .unwrap()
            .expect("something is there")
    };
    let first = find(&clicked(&[at(16.0, 16.0, true)], None));
    assert!(is_square(&first, FIRST), "{first:?}");
    let second = find(&clicked(&[at(48.0, 24.0, true)], None));
    assert!(is_square(&second, SECOND), "{second:?}");
    // By a box, with a click beside it.
    let frame = Some(Rect::new(38.0, 14.0, 20.0, 20.0));
    assert!(is_square(&find(&clicked(&[], frame)), SECOND));
    assert!(is_square(
        &find(&clicked(&[at(30.0, 20.0, false)], frame)),
        SECOND
    ));
    // In a picture of another size than what was looked at, the same in its pixels.
    let large = net
        .segment(
            &seen,
            [WIDTH * 10, HEIGHT * 10],
            &clicked(&[at(160.0, 160.0, true)], None),
            &never(),
        )
        .unwrap()
        .unwrap();
    assert!(
        large.x.abs_diff(80) < 15 && large.width.abs_diff(160) < 30,
        "{large:?}"
    );
    // Nothing is nothing; what is of another network is no answer; who stops gets none.
    let dark = net.look(&small(RgbImage::new(WIDTH, HEIGHT)), &never()).unwrap();
    let clicks = clicked(&[at(16.0, 16.0, true)], None);
    assert_eq!(
        net.segment(&dark, [WIDTH, HEIGHT], &clicks, &never()).unwrap(),
        None
    );
    let other = net.segment(&seen[4..], [WIDTH, HEIGHT], &clicks, &never());
    assert!(matches!(other, Err(EngineError::Broken(_))));
    let all: StopCheck = Arc::new(|| true);
    assert!(matches!(
        net.look(&small(squares()), &all),
        Err(EngineError::Stopped)
    ));
}

/// ImageNet's means and deviations of colours from 0 to 255.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];

/// The encoder of [`pair`] behind normalised planes of 32 x 32 pixels by this name.
fn encoder_behind(graph: Onnx, planes: &str) -> Vec<u8> {
    let sides = [
        ("kernel_shape", Attr::Ints(&[4, 4])),
        ("strides", Attr::Ints(&[4, 4])),
    ];
    let mean = [("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))];
    graph
        .node("AveragePool", &[planes], "pooled", &sides)
        .node("ReduceMean", &["pooled"], "image_embeddings", &mean)
        .output("image_embeddings", &[1, 1, 8, 8])
        .bytes()
}

#[test]
fn encoders_that_normalise_by_themselves_see_the_same() {
    let (encoder, decoder) = pair();
    let look = |encoder: &[u8]| {
        let net = open(encoder, &decoder).unwrap();
        let seen = net.look(&small(squares()), &never()).unwrap();
        let (fours, _) = seen.as_chunks::<4>();
        fours.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<f32>>()
    };
    let wanted = look(&encoder);
    // Rows of colours from 0 to 255, as samexporter's encoder with its preprocessing takes them.
    let rows = Onnx::new()
        .input("input_image", &[32, 32, 3])
        .floats("mean", &[3], &MEAN)
        .floats("deviation", &[3], &DEVIATION)
        .ints("first", &[1], &[0])
        .node("Sub", &["input_image", "mean"], "less", &[])
        .node("Div", &["less", "deviation"], "even", &[])
        .node(
            "Transpose",
            &["even"],
            "planes",
            &[("perm", Attr::Ints(&[2, 0, 1]))],
        )
        .node("Unsqueeze", &["planes", "first"], "batch", &[]);
    let bytes = Onnx::new()
        .input_bytes("x", &[1, 3, 32, 32])
        .floats("mean", &[1, 3, 1, 1], &MEAN)
        .floats("deviation", &[1, 3, 1, 1], &DEVIATION)
        .node("Cast", &["x"], "floats", &[("to", Attr::Int(1))])
        .node("Sub", &["floats", "mean"], "less", &[])
        .node("Div", &["less", "deviation"], "batch", &[]);
    for (graph, off) in [(rows, 1e-4), (bytes, 0.02)] {
        let found = look(&encoder_behind(graph, "batch"));
        assert!(
            found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < off),
            "{found:?}\n{wanted:?}"
        );
    }
}

/// A pair as samexporter makes it of SAM 2: finer features first, sides left open, and a decoder that adds the point that is none by itself: here one
/// that is given to it takes all of the mask away.
fn second_make() -> (Vec<u8>, Vec<u8>) {
    let pool = |n: i64| [n; 2];
    let (four, mean) = (pool(4), [("axes", Attr::Ints(&[1])), ("keepdims", Attr::Int(1))]);
    let pooled = [
        ("kernel_shape", Attr::Ints(&four)),
        ("strides", Attr::Ints(&four)),
    ];
    let encoder = Onnx::new()
        .input("image", &[1, 3, 32, 32])
        .node("ReduceMean", &["image"], "high_res_feats_0", &mean)
        .node("AveragePool", &["high_res_feats_0"], "image_embed", &pooled)
        .output("high_res_feats_0", &[1, 1, 32, 32])
        .output("image_embed", &[1, 1, 8, 8])
        .bytes();
    let decoder = Onnx::new()
        .input("image_embed", &[1, 1, 8, 8])
        .input("high_res_feats_0", &[1, 1, 32, 32])
        .input("point_coords", &[-1, -1, 2])
        .input("point_labels", &[-1, -1])
        .input("mask_input", &[-1, 1, 32, 32])
        .input("has_mask_input", &[-1])
        .floats("hundred", &[1], &[100.0])
        .ints("first", &[1], &[1])
        .ints("scores", &[2], &[1, 1])
        .node("AveragePool", &["high_res_feats_0"], "fine", &pooled)
        .node("AveragePool", &["mask_input"], "before", &pooled)
        .node("Mul", &["before", "has_mask_input"], "told", &[])
        .node("Add", &["fine", "told"], "both", &[])
        .node("Neg", &["point_labels"], "opposite", &[])
        .node("Relu", &["opposite"], "none", &[])
        .node(
            "ReduceSum",
            &["none", "first"],
            "nones",
            &[("keepdims", Attr::Int(1))],
        )
        .node("Mul", &["nones", "hundred"], "taken_off", &[])
        .node("Sub", &["both", "taken_off"], "less", &[])
        .node("Add", &["less", "image_embed"], "masks", &[])
        .node(
            "ReduceSum",
            &["point_coords", "first"],
            "places",
            &[("keepdims", Attr::Int(1))],
        )
        .node(
            "ReduceMean",
            &["places"],
            "place",
            &[("axes", Attr::Ints(&[2])), ("keepdims", Attr::Int(1))],
        )
        .node("Reshape", &["place", "scores"], "iou_predictions", &[])
        .output("masks", &[-1, 1, 8, 8])
        .output("iou_predictions", &[-1, 1])
        .bytes();
    (encoder, decoder)
}

#[test]
fn a_pair_of_the_second_make_is_asked_as_it_wants() {
    let (encoder, decoder) = second_make();
    let net = open(&encoder, &decoder).unwrap();
    let seen = net.look(&small(squares()), &never()).unwrap();
    let clicks = clicked(&[at(16.0, 16.0, true)], None);
    let found = net.segment(&seen, [WIDTH, HEIGHT], &clicks, &never()).unwrap();
    // All that is bright, in a picture that was stretched to the square.
    let mask = found.expect("no point was added");
    assert!(
        mask.x.abs_diff(FIRST[0]) <= 3 && (mask.x + mask.width).abs_diff(SECOND[0] + 16) <= 3,
        "{mask:?}"
    );
    assert!(
        mask.y.abs_diff(FIRST[1]) <= 4 && (mask.y + mask.height).abs_diff(SECOND[1] + 16) <= 4,
        "{mask:?}"
    );
}

#[test]
fn of_four_masks_the_first_is_for_several_points() {
    let (encoder, _) = pair();
    // The second has the best score, and the first is the whole picture.
    let decoder = Onnx::new()
        .input("image_embeddings", &[1, 1, 8, 8])
        .input("point_coords", &[1, -1, 2])
        .input("point_labels", &[1, -1])
        .floats("add", &[1, 4, 1, 1], &[100.0, 0.0, -100.0, -100.0])
        .floats("scores", &[1, 4], &[0.1, 0.9, 0.5, 0.5])
        .floats("nothing", &[1], &[0.0])
        .ints("all", &[2], &[1, 2])
        .ints("sides", &[2], &[1, 1])
        .node(
            "ReduceSum",
            &["point_coords", "all"],
            "places",
            &[("keepdims", Attr::Int(1))],
        )
        .node("Reshape", &["places", "sides"], "place", &[])
        .ints("labels", &[1], &[1])
        .node(
            "ReduceSum",
            &["point_labels", "labels"],
            "label",
            &[("keepdims", Attr::Int(1))],
        )
        .node("Add", &["place", "label"], "point", &[])
        .node("Mul", &["point", "nothing"], "zero", &[])
        .node("Add", &["scores", "zero"], "iou_predictions", &[])
        .node("Add", &["image_embeddings", "add"], "low_res_masks", &[])
        .output("low_res_masks", &[1, 4, 8, 8])
        .output("iou_predictions", &[1, 4])
        .bytes();
    let net = open(&encoder, &decoder).unwrap();
    let seen = net.look(&small(squares()), &never()).unwrap();
    let area = |clicks: &[Click], frame| {
        let clicks = clicked(clicks, frame);
        let found = net.segment(&seen, [WIDTH, HEIGHT], &clicks, &never()).unwrap();
        found.map_or(0, |m| m.area())
    };
    let (one, two) = (at(16.0, 16.0, true), at(48.0, 24.0, true));
    let whole = u64::from(WIDTH * HEIGHT);
    assert!(area(&[one], None) < whole / 2);
    assert_eq!(area(&[one, two], None), whole);
    let frame = Some(Rect::new(4.0, 4.0, 24.0, 24.0));
    assert!(area(&[], frame) < whole / 2);
    assert_eq!(area(&[one], frame), whole);
}

#[test]
fn pairs_of_another_make_say_what_is_wrong() {
    let (encoder, decoder) = pair();
    let why = |encoder: &[u8], decoder: &[u8]| match open(encoder, decoder) {
        Err(EngineError::Refused(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(net) => panic!("a square of {} is taken", net.side()),
    };
    let one = |input: &str, dims: &[i64], output: &str| {
        Onnx::new()
            .input(input, dims)
            .node("Identity", &[input], output, &[])
            .output(output, dims)
            .bytes()
    };
    assert!(why(&encoder[..60], &decoder).contains("The encoder cannot be used: it is cut off"));
    assert!(why(&encoder, &decoder[..60]).contains("The decoder cannot be used: it is cut off"));
    let swapped = why(&decoder, &encoder);
    assert!(
        swapped.contains("gives neither `low_res_masks` nor `masks`, but image_embeddings"),
        "{swapped}"
    );
    let other = one("image", &[1, 3, 32, 32], "features");
    let found = why(&other, &decoder);
    assert!(
        found.contains("takes `image_embeddings`, which the encoder does not give; it gives features"),
        "{found}"
    );
    let input = one("pixels", &[1, 3, 32, 32], "image_embeddings");
    assert!(why(&input, &decoder).contains("its input is `pixels` instead of `image`"));
    let oblong = one("image", &[1, 3, 32, 48], "image_embeddings");
    assert!(why(&oblong, &decoder).contains("48 x 32 pixels; wanted is a square"));
    let deaf = Onnx::new()
        .input("image_embeddings", &[1, 1, 8, 8])
        .node("Identity", &["image_embeddings"], "low_res_masks", &[])
        .node("ReduceMean", &["image_embeddings"], "iou_predictions", &[])
        .output("low_res_masks", &[1, 1, 8, 8])
        .output("iou_predictions", &[1, 1, 1, 1])
        .bytes();
    assert!(why(&encoder, &deaf).contains("takes no `point_coords`"));
}

async fn register(w: &World, admin: &Actor, name: &str, files: &[(&str, Vec<u8>)]) -> String {
    let s = &w.studio;
    let experiment = s.experiments.ensure(admin, "Weights").await.unwrap();
    let run = s
        .runs
        .start(admin, experiment, NewRun::default())
        .await
        .unwrap()
        .id;
    for (file, bytes) in files {
        let bytes = Bytes::from(bytes.clone());
        s.artifacts
            .put_bytes(admin, Owner::Run(run), file, bytes)
            .await
            .unwrap();
    }
    let new = NewModelVersion {
        name: name.to_owned(),
        run_id: Some(run),
        ..NewModelVersion::default()
    };
    let made = s.models.register(admin, new).await.unwrap();
    format!("{}/{}", made.model_name, made.number)
}

fn by(segmenter: &str) -> UpdateAssist {
    UpdateAssist {
        segmenter: Some(segmenter.to_owned()),
        ..UpdateAssist::default()
    }
}

#[tokio::test]
async fn a_project_finds_objects_by_the_pair_that_it_names() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Segmentation).await;
        let admin = w.studio.person("Ada", Role::Admin).await;
        let viewer = w.studio.person("Vi", Role::Viewer).await;
        build::member(&db, w.project, viewer.user_id().unwrap(), Role::Viewer).await;
        let stranger = w.studio.person("Sam", Role::Labeler).await;
        let item = w.add("squares.png", encoded(squares()), 0).await;
        let (encoder, decoder) = pair();
        let files = [
            ("model/encoder.onnx", encoder.clone()),
            ("model/decoder.onnx", decoder),
        ];
        let good = register(&w, &admin, "sam", &files).await;
        let half = register(&w, &admin, "sam", &[("encoder.onnx", encoder.clone())]).await;
        let wrong = [("encoder.onnx", encoder.clone()), ("decoder.onnx", encoder)];
        let wrong = register(&w, &admin, "other", &wrong).await;
        let s = w.studio.services.clone();
        assert_eq!(
            s.segments.choices(&w.manager, w.project).await.unwrap(),
            [wrong.clone(), good.clone()]
        );
        assert!(
            s.assist
                .backbones(&w.manager, w.project)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            refusal(s.segments.choices(&w.lena, w.project).await).code,
            Code::Forbidden
        );

        // Without one nobody can ask.
        let clicks = clicked(&[at(16.0, 16.0, true)], None);
        let none = refusal(s.segments.segment(&w.lena, item, clicks.clone()).await);
        assert_eq!(none.code, Code::WrongState);
        assert_eq!(s.segments.chosen(&w.lena, w.project).await.unwrap(), None);
        for (name, why) in [
            ("sam", "NAME/VERSION"),
            (half.as_str(), "holds no decoder.onnx"),
            (wrong.as_str(), "The decoder cannot be used"),
            ("sam/9", "9"),
        ] {
            let found = refusal(s.assist.update(&w.manager, w.project, by(name)).await);
            assert!(
                found.for_field("segmenter").is_some_and(|m| m.contains(why)),
                "{name}: {found:?}"
            );
        }
        assert_eq!(
            refusal(s.assist.update(&w.lena, w.project, by(&good)).await).code,
            Code::Forbidden
        );

        // The assist stays as it is.
        let now = w.change(by(&good)).await;
        assert!(now.state == AssistState::Off && now.job.is_none());
        assert_eq!(
            s.segments.chosen(&w.lena, w.project).await.unwrap(),
            Some(good.clone())
        );
        let found = s.segments.segment(&w.lena, item, clicks.clone()).await.unwrap();
        assert!(is_square(&found.mask.expect("a square"), FIRST));
        assert!(s.segments.look(&w.lena, item).await.unwrap().ready);
        let frame = Some(Rect::new(38.0, 14.0, 20.0, 20.0));
        let boxed = s
            .segments
            .segment(&w.lena, item, clicked(&[], frame))
            .await
            .unwrap();
        assert!(is_square(&boxed.mask.expect("a square"), SECOND));
        // What was seen is kept in a file; another process finds it there.
        let folder = s.context.data_dir.join("segments");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        let again = limn_services::Services::new(s.context.clone());
        let found = again
            .segments
            .segment(&w.lena, item, clicks.clone())
            .await
            .unwrap();
        assert!(is_square(&found.mask.expect("a square"), FIRST));
        std::fs::remove_dir_all(&folder).unwrap();
        let fresh = limn_services::Services::new(s.context.clone());
        let found = fresh
            .segments
            .segment(&w.lena, item, clicks.clone())
            .await
            .unwrap();
        assert!(is_square(&found.mask.expect("a square"), FIRST));

        // Who may label may ask, and nobody else; clicks must say something.
        assert_eq!(
            refusal(s.segments.segment(&viewer, item, clicks.clone()).await).code,
            Code::Forbidden
        );
        assert_eq!(
            refusal(s.segments.look(&stranger, item).await).code,
            Code::NotFound
        );
        for (wrong, field) in [
            (clicked(&[at(64.5, 1.0, true)], None), "clicks"),
            (clicked(&[at(1.0, 1.0, false)], None), "clicks"),
            (clicked(&[], Some(Rect::new(60.0, 40.0, 9.0, 9.0))), "frame"),
        ] {
            let found = refusal(s.segments.segment(&w.lena, item, wrong).await);
            assert!(found.for_field(field).is_some(), "{found:?}");
        }

        // In use: it stays. Let go, it goes.
        assert_eq!(
            refusal(s.models.delete_version(&admin, "sam", 1).await).code,
            Code::Conflict
        );
        w.change(by("")).await;
        s.models.delete_version(&admin, "sam", 1).await.unwrap();
        assert_eq!(
            refusal(s.segments.look(&w.lena, item).await).code,
            Code::WrongState
        );
    })
    .await;
}
