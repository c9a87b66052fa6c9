//! Networks learn what is drawn for them, stop, go on, and say no.

#[cfg(feature = "gpu")]
mod graphics;

use limn_ml::{LocalTrainer, Rng};
use limn_services::training::port::{
    Cutout, EngineError, Event, Examples, NetBox, NetTraining, PixelMap, Prediction, SmallPicture, StopCheck,
    TrainTask, TrainedNet, Trainer, Truth,
};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
struct Data {
    pictures: Vec<SmallPicture>,
    truths: Vec<Truth>,
}

impl Examples for Data {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        Ok(self.pictures[n].clone())
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.truths[n]
    }
}

/// Noise to draw on.
fn ground(width: usize, height: usize, rng: &mut Rng) -> SmallPicture {
    let shade = 60.0 + rng.unit() * 60.0;
    let mut rgb = vec![0; width * height * 3];
    for v in &mut rgb {
        *v = (shade + rng.normal() * 10.0).clamp(0.0, 255.0) as u8;
    }
    SmallPicture { width, height, rgb }
}

/// A red disc (0), a blue rectangle (1) or a yellow rectangle (2) in a box.
fn shape(picture: &mut SmallPicture, b: &NetBox) {
    let colour: [u8; 3] = [[210, 60, 50], [60, 80, 220], [220, 210, 60]][b.category];
    let (w, h) = (picture.width as f32, picture.height as f32);
    for y in 0..picture.height {
        for x in 0..picture.width {
            let u = ((x as f32 + 0.5) / w - b.x) / b.width * 2.0 - 1.0;
            let v = ((y as f32 + 0.5) / h - b.y) / b.height * 2.0 - 1.0;
            let inside = if b.category == 0 {
                u * u + v * v < 1.0
            } else {
                u.abs() < 1.0 && v.abs() < 1.0
            };
            if inside {
                picture.rgb[(y * picture.width + x) * 3..][..3].copy_from_slice(&colour);
            }
        }
    }
}

/// Pictures with one to three shapes apart from each other, from a seventh of the picture to nearly all of it.
fn scenes(n: usize, seed: u64) -> Data {
    let mut rng = Rng::new(seed);
    let mut data = Data::default();
    for _ in 0..n {
        let mut picture = ground(96, 72, &mut rng);
        let mut boxes: Vec<NetBox> = Vec::new();
        for k in 0..=rng.below(3) {
            let most = if k == 0 { 0.95 } else { 0.4 };
            let mut side = || (0.15 + rng.unit() * (most - 0.15)) as f32;
            let (width, height) = (side(), side());
            let b = NetBox {
                category: rng.below(3),
                x: rng.unit() as f32 * (1.0 - width),
                y: rng.unit() as f32 * (1.0 - height),
                width,
                height,
            };
            let apart = |o: &NetBox| {
                b.x > o.x + o.width || o.x > b.x + b.width || b.y > o.y + o.height || o.y > b.y + b.height
            };
            if boxes.iter().all(apart) {
                shape(&mut picture, &b);
                boxes.push(b);
            }
        }
        data.pictures.push(picture);
        data.truths.push(Truth::Boxes(boxes));
    }
    data
}

/// Small pictures with one shape each, or with any of the three.
fn cards(n: usize, seed: u64, several: bool) -> Data {
    let mut rng = Rng::new(seed);
    let mut data = Data::default();
    for i in 0..n {
        let mut picture = ground(16, 16, &mut rng);
        let mut list = Vec::new();
        for category in 0..3 {
            let there = if several {
                rng.below(2) == 0
            } else {
                category == i % 3
            };
            if there {
                let x = if several {
                    category as f32 / 3.0
                } else {
                    rng.unit() as f32 * 0.4
                };
                shape(
                    &mut picture,
                    &NetBox {
                        category,
                        x,
                        y: rng.unit() as f32 * 0.5,
                        width: 0.32,
                        height: 0.5,
                    },
                );
                list.push(category);
            }
        }
        data.pictures.push(picture);
        data.truths.push(Truth::Categories(list));
    }
    data
}

fn training<'a>(task: TrainTask, train: &'a Data, valid: &'a Data, steps: usize) -> NetTraining<'a> {
    NetTraining {
        task,
        categories: 3,
        train,
        valid,
        steps,
        seed: 11,
        backbone: None,
        resume: None,
    }
}

fn run(t: &NetTraining<'_>) -> Result<TrainedNet, EngineError> {
    LocalTrainer::new().train(t, &mut |_| ControlFlow::Continue(()))
}

fn figure(net: &TrainedNet, name: &str) -> f64 {
    let found = net.figures.iter().find(|f| f.0 == name);
    found.unwrap_or_else(|| panic!("{name} in {:?}", net.figures)).1
}

#[test]
fn a_detector_finds_shapes_of_all_sizes_it_has_not_seen() {
    let (train, valid) = (scenes(48, 1), scenes(40, 2));
    let t = training(TrainTask::Detection, &train, &valid, 120);
    let (mut steps, mut judged, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    let trainer = LocalTrainer::new();
    let began = std::time::Instant::now();
    let net = trainer.train(&t, &mut |event| {
        match event {
            // While it judges it says now and then that it is there.
            Event::Step { figures, .. } if figures.is_empty() => {}
            Event::Step { step, figures } => {
                assert!(figures.iter().any(|f| f.0 == "learning_rate"));
                losses.push(figures.iter().find(|f| f.0 == "loss").expect("a loss").1);
                steps.push(step);
            }
            Event::Judged { step, figures } => {
                assert!(figures.iter().any(|f| f.0 == "valid_mAP50"));
                judged.push(step);
            }
            Event::Checkpoint { .. } => {}
        }
        ControlFlow::Continue(())
    });
    let net = net.expect("a network");
    println!("{:?} after {:?}", net.figures, began.elapsed());
    assert!(figure(&net, "mAP50") > 0.8, "{:?}", net.figures);
    assert_eq!(steps.last(), Some(&120));
    assert_eq!(judged, [24, 48, 72, 96, 120]);
    // Of several steps: one that shows parts of pictures is harder than one that does not.
    let last = &losses[losses.len() - 10..];
    assert!(last.iter().sum::<f64>() < losses[0] * 10.0 * 0.4, "{losses:?}");
    assert_eq!(
        (net.by_category.len(), net.threshold.len(), net.confusion.len()),
        (3, 3, 4)
    );
    assert_eq!(net.predictions.len(), 40);
    // The same from its bytes.
    let loaded = trainer.load(&net.model).expect("reads");
    assert_eq!((loaded.task(), loaded.categories()), (TrainTask::Detection, 3));
    let said = loaded.predict(&valid.pictures[..9]).expect("says");
    assert_eq!(said, net.predictions[..9]);
    for p in &said {
        let Prediction::Boxes(list) = p else {
            panic!("boxes")
        };
        assert!(list.len() <= 100 && list.windows(2).all(|w| w[0].1 >= w[1].1));
        assert!(
            list.iter()
                .all(|(b, s)| b.x >= 0.0 && b.x + b.width < 1.001 && (0.0..=1.0).contains(s))
        );
    }
    assert!(loaded.predict(&[]).expect("nothing").is_empty());
    let none = loaded.paint(&valid.pictures[..1], &[(9, 9)]);
    assert!(matches!(none, Err(EngineError::Broken(why)) if why.contains("nothing of pixels")));
    // Outlines are kept beside it, and change nothing of what it finds.
    let boxes = valid.truths[0].boxes();
    assert!(!loaded.cuts_out() && loaded.cut_out(&valid.pictures[0], boxes).is_err());
    let objects = outlined(48, 1);
    let never: StopCheck = Arc::new(|| false);
    let model = trainer.outlined(&net.model, &objects, &never).expect("outlines");
    assert!(model == trainer.outlined(&model, &objects, &never).expect("anew"));
    let both = trainer.load(&model).expect("reads");
    assert!(both.cuts_out());
    assert_eq!(both.predict(&valid.pictures[..9]).expect("says"), said);
    let cut = both.cut_out(&valid.pictures[0], boxes).expect("cuts");
    let mean: f32 = cut
        .iter()
        .zip(outlined(40, 2).truths[0].outlines())
        .map(|(cut, right)| cut.overlap(right) / boxes.len() as f32)
        .sum();
    assert!(cut.len() == boxes.len() && mean > 0.8, "{mean}");
}

#[test]
fn objects_are_found_and_cut_out_by_what_one_training_makes() {
    let (train, valid) = (outlined(24, 1), outlined(6, 2));
    let t = training(TrainTask::InstanceSegmentation, &train, &valid, 20);
    let trainer = LocalTrainer::new();
    let mut judged = Vec::new();
    let net = trainer.train(&t, &mut |event| {
        if let Event::Judged { step, figures } = event {
            let names: Vec<&str> = figures.iter().map(|f| f.0.as_str()).collect();
            let all = ["mAP", "mAP50", "mAP75", "AR100"];
            let by = |what: &str| all.map(|name| format!("valid_{what}_{name}"));
            assert_eq!(names, [by("mask"), by("box")].concat());
            judged.push(step);
        }
        ControlFlow::Continue(())
    });
    let net = net.expect("a network");
    println!("{:?}", net.figures);
    assert_eq!(judged, [4, 8, 12, 16, 20]);
    assert_eq!(
        (net.by_category.len(), net.threshold.len(), net.confusion.len()),
        (3, 3, 4)
    );
    // From its bytes it finds the same, and cuts shapes out that it has not seen.
    let loaded = trainer.load(&net.model).expect("reads");
    assert_eq!(
        (loaded.task(), loaded.categories(), loaded.cuts_out()),
        (TrainTask::InstanceSegmentation, 3, true)
    );
    assert_eq!(loaded.predict(&valid.pictures).expect("says"), net.predictions);
    let (mut shared, mut n) = (0.0, 0.0);
    for (picture, truth) in valid.pictures.iter().zip(&valid.truths) {
        let cut = loaded.cut_out(picture, truth.boxes()).expect("cuts");
        for (cut, right) in cut.iter().zip(truth.outlines()) {
            shared += cut.overlap(right);
            n += 1.0;
        }
    }
    assert!(n >= 6.0 && shared / n > 0.8, "{shared} of {n}");
    // Boxes alone teach no outlines.
    let why = run(&training(
        TrainTask::InstanceSegmentation,
        &scenes(4, 3),
        &valid,
        2,
    ))
    .unwrap_err();
    assert!(matches!(why, EngineError::Refused(w) if w.contains("train a detection")));
}

/// The same scenes with what of each box is the shape.
fn outlined(n: usize, seed: u64) -> Data {
    let mut data = scenes(n, seed);
    for truth in &mut data.truths {
        let boxes = truth.boxes().to_vec();
        let disc: Vec<u8> = (0..32 * 32)
            .map(|n| {
                let along = |k: usize| (k as f32 + 0.5) / 16.0 - 1.0;
                u8::from(along(n % 32).hypot(along(n / 32)) < 1.0)
            })
            .collect();
        let outline = |b: &NetBox| match b.category {
            0 => Cutout::new(*b, 32, 32, &disc).expect("a disc"),
            _ => Cutout::whole(*b),
        };
        let outlines = boxes.iter().map(outline).collect();
        *truth = Truth::Objects { boxes, outlines };
    }
    data
}

/// The same scenes with what every pixel shows.
fn painted(n: usize, seed: u64) -> Data {
    let mut data = scenes(n, seed);
    for truth in &mut data.truths {
        let Truth::Boxes(boxes) = truth else { continue };
        let mut pixels = vec![PixelMap::NOTHING; 96 * 72];
        for b in boxes.iter() {
            let mut drawn = SmallPicture {
                width: 96,
                height: 72,
                rgb: vec![0; 96 * 72 * 3],
            };
            shape(&mut drawn, b);
            for (p, out) in drawn.rgb.chunks_exact(3).zip(&mut pixels) {
                if p[0] > 0 {
                    *out = b.category as u8;
                }
            }
        }
        *truth = Truth::Pixels(PixelMap::new(96, 72, &pixels));
    }
    data
}

#[test]
fn a_segmenter_knows_pixels_it_has_not_seen() {
    let (train, valid) = (painted(40, 1), painted(16, 2));
    let t = training(TrainTask::Segmentation, &train, &valid, 40);
    let net = run(&t).expect("a network");
    println!("{:?}", net.figures);
    assert!(figure(&net, "mIoU") > 0.75, "{:?}", net.figures);
    assert!(figure(&net, "pixel_accuracy") > 0.9);
    assert_eq!((net.by_category.len(), net.confusion.len()), (3, 4));
    let loaded = LocalTrainer::new().load(&net.model).expect("reads");
    assert_eq!((loaded.task(), loaded.categories()), (TrainTask::Segmentation, 3));
    let said = loaded.predict(&valid.pictures[..5]).expect("says");
    assert_eq!(said, net.predictions[..5]);
    for p in &said {
        let Prediction::Pixels { map, sure } = p else {
            panic!("pixels")
        };
        assert_eq!((map.pixels().len(), sure.len()), (map.width * map.height, 3));
        for (c, s) in sure.iter().enumerate() {
            assert_eq!(map.categories().contains(&c), *s > 0.0, "{sure:?}");
        }
    }
    // At any size it says much the same.
    let sizes = [(96, 72), (200, 150), (31, 24), (1, 1), (96, 72)];
    let maps = loaded.paint(&valid.pictures[..5], &sizes).expect("paints");
    for ((p, size), truth) in maps.iter().zip(sizes).zip(&valid.truths) {
        assert_eq!((p.map.width, p.map.height), size);
        assert_eq!((p.map.pixels().len(), p.sure.len()), (size.0 * size.1, 3));
        let Truth::Pixels(right) = truth else {
            panic!("pixels")
        };
        if size == (96, 72) {
            let pixels = p.map.pixels();
            let same = pixels.iter().zip(right.pixels()).filter(|(a, b)| **a == *b);
            assert!(same.count() * 10 > pixels.len() * 7, "{size:?}");
        }
    }
    assert!(matches!(
        loaded.paint(&valid.pictures[..2], &[(9, 9)]),
        Err(EngineError::Broken(_))
    ));
    // Pictures that show one thing everywhere teach nothing.
    let mut same = painted(4, 3);
    same.truths = vec![Truth::Pixels(PixelMap::new(96, 72, &[1; 96 * 72])); 4];
    let why = run(&training(TrainTask::Segmentation, &same, &valid, 10)).unwrap_err();
    assert!(matches!(why, EngineError::Refused(w) if w.contains("nothing to tell apart")));
}

#[test]
fn a_classifier_tells_shapes_apart_it_has_not_seen() {
    let (train, valid) = (cards(60, 3, false), cards(60, 4, false));
    let net = run(&training(TrainTask::Classification, &train, &valid, 60)).expect("a network");
    assert!(figure(&net, "accuracy") > 0.95, "{:?}", net.figures);
    assert!(figure(&net, "balanced_accuracy") > 0.95);
    assert_eq!(net.confusion.iter().flatten().sum::<u64>(), 60);
    let Prediction::Categories(p) = &net.predictions[0] else {
        panic!("categories")
    };
    assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-4);
}

#[test]
fn several_categories_a_picture() {
    let (train, valid) = (cards(80, 5, true), cards(60, 6, true));
    let net = run(&training(TrainTask::Multilabel, &train, &valid, 60)).expect("a network");
    assert!(figure(&net, "macro_f1") > 0.95, "{:?}", net.figures);
    assert!(figure(&net, "accuracy") > 0.9, "{:?}", net.figures);
    assert!(net.confusion.is_empty());
}

/// Runs until the checkpoint after `at` steps, then goes on from it.
fn interrupted(t: &NetTraining<'_>, at: usize) -> TrainedNet {
    let trainer = LocalTrainer::with_checkpoints(Duration::ZERO);
    let mut state = Vec::new();
    let stopped = trainer.train(t, &mut |event| match event {
        Event::Checkpoint { step, state: s } if step == at => {
            state = s;
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(stopped, Err(EngineError::Stopped)));
    let again = NetTraining {
        resume: Some(&state),
        ..*t
    };
    let mut first = None;
    let net = trainer.train(&again, &mut |event| {
        // Before the first it may say that it is there.
        if let Event::Step { step, figures } = event
            && !figures.is_empty()
        {
            first.get_or_insert(step);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(first, Some(at + 1));
    // Damaged, cut off, and of another training.
    for wrong in [
        &state[..state.len() - 1],
        &state[..20],
        &[],
        &b"something else"[..],
    ] {
        let t = NetTraining {
            resume: Some(wrong),
            ..*t
        };
        assert!(matches!(run(&t), Err(EngineError::Broken(_))));
    }
    let other = NetTraining { seed: 12, ..again };
    assert!(matches!(run(&other), Err(EngineError::Broken(_))));
    net.expect("a network")
}

#[test]
fn a_training_goes_on_where_it_stopped() {
    let train = cards(20, 7, false);
    let none = Data::default();
    let t = training(TrainTask::Classification, &train, &none, 12);
    let whole = run(&t).expect("a network");
    assert!(whole.model == interrupted(&t, 5).model, "other weights");
    assert!(whole.figures.is_empty() && whole.confusion.is_empty() && whole.predictions.is_empty());
    assert_eq!(
        (whole.by_category, whole.threshold),
        (vec![None; 3], vec![0.5; 3])
    );

    let train = scenes(9, 8);
    let t = training(TrainTask::Detection, &train, &none, 4);
    let whole = run(&t).expect("a network");
    assert!(whole.model == interrupted(&t, 2).model, "other weights");
    assert_eq!(whole.threshold, [0.3; 3]);

    // With the outlines in its file.
    let train = outlined(9, 8);
    let t = training(TrainTask::InstanceSegmentation, &train, &none, 4);
    let whole = run(&t).expect("a network");
    assert!(whole.model == interrupted(&t, 2).model, "other weights");
    assert!(LocalTrainer::new().load(&whole.model).expect("reads").cuts_out());
}

#[test]
fn whoever_watches_can_stop() {
    let train = cards(9, 9, false);
    let t = training(TrainTask::Classification, &train, &train, 100_000);
    let mut events = 0;
    let stopped = LocalTrainer::new().train(&t, &mut |_| {
        events += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(EngineError::Stopped)));
    assert_eq!(events, 1);
}

#[test]
fn a_training_ends_with_whoever_watches() {
    let train = cards(9, 9, false);
    let t = training(TrainTask::Classification, &train, &train, 100_000);
    let watched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        LocalTrainer::new().train(&t, &mut |_| panic!("it fell over"))
    }));
    assert!(watched.is_err());
}

/// That it is refused, and that the text has these words.
fn refused(t: &NetTraining<'_>, words: &str) {
    match run(t) {
        Err(EngineError::Refused(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused() {
    fn single(train: &Data) -> NetTraining<'_> {
        training(TrainTask::Classification, train, train, 2)
    }
    fn detection(train: &Data) -> NetTraining<'_> {
        training(TrainTask::Detection, train, train, 2)
    }
    let none = Data::default();
    refused(&single(&none), "no labeled pictures");
    let mut alike = cards(6, 1, false);
    alike.truths.fill(Truth::Categories(vec![1]));
    refused(&single(&alike), "same category");
    refused(
        &training(TrainTask::Multilabel, &alike, &none, 2),
        "nothing to tell apart",
    );
    alike.truths[0] = Truth::Categories(vec![]);
    refused(&single(&alike), "Picture 1");
    alike.truths[0] = Truth::Categories(vec![7]);
    refused(&single(&alike), "have changed");
    let mut scenes = scenes(4, 1);
    refused(&single(&scenes), "train a detection");
    let nowhere = NetBox {
        category: 0,
        x: 0.5,
        y: f32::NAN,
        width: 0.0,
        height: 0.1,
    };
    scenes.truths.fill(Truth::Boxes(vec![nowhere]));
    refused(&detection(&scenes), "draw some");
    refused(
        &NetTraining {
            categories: 0,
            ..detection(&scenes)
        },
        "no categories",
    );
    let mut tiny = cards(6, 1, false);
    for p in &mut tiny.pictures {
        *p = SmallPicture {
            width: 1,
            height: 1,
            rgb: vec![9; 3],
        };
    }
    refused(&single(&tiny), "pixels large");
    let mut wrong = cards(6, 1, false);
    for p in &mut wrong.pictures {
        p.rgb.pop();
    }
    assert!(matches!(run(&single(&wrong)), Err(EngineError::Broken(_))));
}

#[test]
fn bytes_that_are_no_network_are_said_to_be_none() {
    let train = cards(9, 9, false);
    let none = Data::default();
    let net = run(&training(TrainTask::Classification, &train, &none, 2)).expect("a network");
    let trainer = LocalTrainer::new();
    let model = &net.model;
    assert!(trainer.load(model).is_ok());
    let broken = |bytes: &[u8]| matches!(trainer.load(bytes), Err(EngineError::Broken(_)));
    for n in [0, 7, 8, 9, 200, model.len() / 2, model.len() - 1] {
        assert!(broken(&model[..n]), "{n} bytes");
    }
    assert!(broken(&[0xff; 64]) && broken(b"PK\x03\x04 something else"));
    // Of another size than it is, and larger than memory.
    let text = String::from_utf8_lossy(&model[8..2_000]).into_owned();
    for (from, to) in [
        ("\\\"categories\\\":3", "\\\"categories\\\":4"),
        ("\\\"width\\\":16", "\\\"width\\\":99"),
    ] {
        assert!(text.contains(from), "{text}");
        let at = 8 + text.find(from).expect("it is there");
        let mut other = model.clone();
        other[at..at + from.len()].copy_from_slice(to.as_bytes());
        assert!(broken(&other), "{to}");
    }
    let mut rng = Rng::new(1);
    for _ in 0..300 {
        let mut other = model.clone();
        let at = rng.below(2_500);
        other[at] ^= 1 << rng.below(8);
        // Read or not: no panic.
        drop(trainer.load(&other));
    }
}
