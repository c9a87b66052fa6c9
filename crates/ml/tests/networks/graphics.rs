//! Networks on a graphics processor: `cargo test -p limn-ml --features gpu --test networks graphics -- --ignored`; Mesa's lavapipe will do.

use super::*;
use limn_ml::Processor;

/// What a network says of pictures, as plain numbers: odds, or the surest box.
fn said(on: Processor, model: &[u8], pictures: &[SmallPicture]) -> Vec<Vec<f32>> {
    let net = LocalTrainer::new().on(on).load(model).expect("reads");
    let all = net.predict(pictures).expect("answers");
    all.into_iter()
        .map(|one| match one {
            Prediction::Categories(odds) => odds,
            Prediction::Boxes(list) => list.first().map_or_else(Vec::new, |(b, score)| {
                vec![b.category as f32, b.x, b.y, b.width, b.height, *score]
            }),
            Prediction::Pixels { sure, .. } => sure,
        })
        .collect()
}

fn alike(one: &[Vec<f32>], other: &[Vec<f32>]) {
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(other) {
        assert_eq!(a.len(), b.len(), "{a:?} and {b:?}");
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3),
            "{a:?} and {b:?}"
        );
    }
}

#[test]
#[ignore = "needs a graphics processor, or software that plays one"]
fn what_learned_there_is_right_and_says_the_same_here() {
    let trainer = LocalTrainer::new().on(Processor::Gpu);
    eprintln!("computed on {}", trainer.device().expect("a graphics processor"));
    let (train, valid) = (cards(80, 5, false), cards(60, 6, false));
    let t = training(TrainTask::Classification, &train, &valid, 60);
    let net = trainer
        .train(&t, &mut |_| ControlFlow::Continue(()))
        .expect("a network");
    assert!(figure(&net, "accuracy") > 0.9, "{:?}", net.figures);
    let there = said(Processor::Gpu, &net.model, &valid.pictures);
    alike(&there, &said(Processor::Cpu, &net.model, &valid.pictures));

    let (train, valid) = (scenes(16, 1), scenes(6, 2));
    let t = training(TrainTask::Detection, &train, &valid, 30);
    let net = trainer
        .train(&t, &mut |_| ControlFlow::Continue(()))
        .expect("a network");
    let there = said(Processor::Gpu, &net.model, &valid.pictures);
    alike(&there, &said(Processor::Cpu, &net.model, &valid.pictures));
}

#[test]
#[ignore = "needs a graphics processor, or software that plays one"]
fn a_training_goes_on_on_the_other_processor() {
    let train = cards(20, 7, false);
    let none = Data::default();
    let t = training(TrainTask::Classification, &train, &none, 12);
    for (first, then) in [
        (Processor::Gpu, Processor::Cpu),
        (Processor::Cpu, Processor::Gpu),
        (Processor::Gpu, Processor::Gpu),
    ] {
        let on = |p| LocalTrainer::with_checkpoints(Duration::ZERO).on(p);
        let whole = on(first)
            .train(&t, &mut |_| ControlFlow::Continue(()))
            .expect("a network");
        let mut state = Vec::new();
        let stopped = on(first).train(&t, &mut |event| match event {
            Event::Checkpoint { step: 5, state: s } => {
                state = s;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        });
        assert!(matches!(stopped, Err(EngineError::Stopped)));
        let again = NetTraining {
            resume: Some(&state),
            ..t
        };
        let net = on(then)
            .train(&again, &mut |_| ControlFlow::Continue(()))
            .expect("a network");
        // Not bit for bit: sums are rounded otherwise, and twelve steps make more of it.
        let (whole, net) = (
            said(Processor::Cpu, &whole.model, &train.pictures),
            said(Processor::Cpu, &net.model, &train.pictures),
        );
        for (a, b) in whole.iter().flatten().zip(net.iter().flatten()) {
            assert!((a - b).abs() < 0.1, "{first:?}, {then:?}: {a} and {b}");
        }
    }
}
