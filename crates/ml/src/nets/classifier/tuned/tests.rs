use super::*;
use crate::backbone::tiny;
use crate::nets::warp::Warp;
use crate::nets::{LocalTrainer, file};
use crate::{Rng, safetensors};
use limn_services::training::port::{Event, Examples, SmallPicture, TrainTask, TrainedNet, Trainer, Truth};
use std::ops::ControlFlow;
use std::time::Duration;

/// Small pictures of one colour each, light ones (0) and dark ones (1), with some noise.
struct Shades(Vec<(SmallPicture, Truth)>);

fn shades(n: usize, seed: u64) -> Shades {
    let mut rng = Rng::new(seed);
    let one = |i: usize| {
        let shade = if i.is_multiple_of(2) { 190.0 } else { 60.0 };
        let rgb = (0..16 * 16 * 3)
            .map(|_| (shade + rng.normal() * 12.0).clamp(0.0, 255.0) as u8)
            .collect();
        let picture = SmallPicture {
            width: 16,
            height: 16,
            rgb,
        };
        (picture, Truth::Categories(vec![i % 2]))
    };
    Shades((0..n).map(one).collect())
}

impl Examples for Shades {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        Ok(self.0[n].0.clone())
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.0[n].1
    }
}

fn training<'a>(train: &'a Shades, valid: &'a Shades, weights: &'a [u8], steps: usize) -> NetTraining<'a> {
    NetTraining {
        task: TrainTask::Classification,
        categories: 2,
        train,
        valid,
        steps,
        seed: 3,
        backbone: Some(weights),
        resume: None,
    }
}

/// The network, and the loss of each step.
fn run(t: &NetTraining<'_>) -> (TrainedNet, Vec<f64>) {
    let mut losses = Vec::new();
    let net = LocalTrainer::new().train(t, &mut |event| {
        if let Event::Step { figures, .. } = event {
            losses.extend(figures.iter().filter(|f| f.0 == "loss").map(|f| f.1));
        }
        ControlFlow::Continue(())
    });
    (net.expect("a network"), losses)
}

/// A part of a file by its name.
fn part(file: &[u8], name: &str, shape: &[usize]) -> Vec<f32> {
    let file = safetensors::File::read(file, 1 << 20).expect("a table");
    file.floats(name, shape).expect("a part")
}

#[test]
fn all_layers_learn_on_and_norms_count_no_more() {
    let (train, valid, weights) = (shades(12, 1), shades(10, 2), tiny());
    let (net, losses) = run(&training(&train, &valid, &weights, 40));
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    assert_eq!(losses.len(), 40);
    assert!(mean(&losses[36..]) < 0.8 * mean(&losses[..4]), "{losses:?}");
    assert_eq!(net.confusion.iter().flatten().sum::<u64>(), 10);

    // Every layer is another one than before, but for what its norms have counted.
    let same = |own: &str, theirs: &str, shape: &[usize]| {
        part(&net.model, own, shape) == part(&weights, theirs, shape)
    };
    assert!(!same("net.conv1.weight", "conv1.weight", &[8, 3, 7, 7]));
    assert!(!same(
        "net.layer1.0.conv2.weight",
        "layer1.0.conv2.weight",
        &[8, 8, 3, 3]
    ));
    assert!(!same("net.layer4.0.bn2.gamma", "layer4.0.bn2.weight", &[64]));
    assert!(!same(
        "net.layer3.0.downsample.conv.weight",
        "layer3.0.downsample.0.weight",
        &[32, 16, 1, 1]
    ));
    for (own, theirs, n) in [
        ("net.bn1.running_mean", "bn1.running_mean", 8),
        ("net.bn1.running_var", "bn1.running_var", 8),
        ("net.layer4.0.bn2.running_var", "layer4.0.bn2.running_var", 64),
    ] {
        assert!(same(own, theirs, &[n]), "{own} has moved");
    }
    // The new last layer moves much more than what was there before.
    let moved = |own: &str, before: Vec<f32>, shape: &[usize]| {
        let now = part(&net.model, own, shape);
        let sum: f32 = now.iter().zip(&before).map(|(a, b)| (a - b).abs()).sum();
        sum / now.len() as f32
    };
    let (_, fresh) = Tunable::open(&weights, 2, 3, &Device::flex()).expect("opens");
    let design = file::open(&net.model).expect("opens").design;
    let fresh = file::to_bytes(&design, &Tuned { net: fresh }).expect("bytes");
    let last = moved("net.fc.weight", part(&fresh, "net.fc.weight", &[2, 64]), &[2, 64]);
    let first = moved(
        "net.conv1.weight",
        part(&weights, "conv1.weight", &[8, 3, 7, 7]),
        &[8, 3, 7, 7],
    );
    assert!(last > 3.0 * first && first > 0.0, "{last} beside {first}");

    // From its bytes it says the same.
    let loaded = LocalTrainer::new().load(&net.model).expect("reads");
    assert_eq!(
        (loaded.task(), loaded.categories()),
        (TrainTask::Classification, 2)
    );
    let some: Vec<SmallPicture> = valid.0.iter().map(|e| e.0.clone()).collect();
    assert_eq!(loaded.predict(&some).expect("says"), net.predictions);
    assert!(loaded.predict(&some[..0]).expect("nothing").is_empty());
}

#[test]
fn a_fine_tuning_goes_on_where_it_stopped() {
    let (train, none, weights) = (shades(9, 4), Shades(Vec::new()), tiny());
    let t = NetTraining {
        task: TrainTask::Multilabel,
        ..training(&train, &none, &weights, 6)
    };
    let whole = run(&t).0;
    let trainer = LocalTrainer::with_checkpoints(Duration::ZERO);
    let mut state = Vec::new();
    let stopped = trainer.train(&t, &mut |event| match event {
        Event::Checkpoint { step: 3, state: s } => {
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
    assert!(whole.model == run(&again).0.model, "other weights");
    // The state is of this backbone's training alone.
    let other = NetTraining {
        backbone: None,
        ..again
    };
    let went = trainer.train(&other, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(went, Err(EngineError::Broken(why)) if why.contains("settings have changed")));
}

#[test]
fn what_cannot_be_begun_with_is_refused() {
    let (train, weights) = (shades(4, 5), tiny());
    let trainer = LocalTrainer::new();
    let about = trainer
        .tuning(TrainTask::Classification, &weights)
        .expect("can be tuned");
    assert_eq!((about.network.as_str(), about.side), ("tiny", 224));
    let of = |name: &str| {
        about
            .parameters
            .iter()
            .find(|p| p.0 == name)
            .map(|p| p.1.as_str())
    };
    assert_eq!(
        (of("learning_rate"), of("learning_rate_backbone")),
        (Some("0.001"), Some("0.0001"))
    );
    let mut odd = weights.clone();
    let at = odd.len() - 4;
    odd[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    for (task, weights, words) in [
        (TrainTask::Detection, &weights[..], "Only classifications"),
        (
            TrainTask::Classification,
            &weights[..weights.len() - 9],
            "cut off",
        ),
        (
            TrainTask::Classification,
            &b"nothing of the kind"[..],
            "cannot begin",
        ),
        (TrainTask::Multilabel, &odd[..], "no number"),
    ] {
        let Err(EngineError::Refused(why)) = trainer.tuning(task, weights) else {
            panic!("{words}");
        };
        assert!(why.contains(words), "{why}");
        let t = NetTraining {
            task,
            ..training(&train, &train, weights, 2)
        };
        assert!(
            trainer.train(&t, &mut |_| ControlFlow::Continue(())).is_err(),
            "{words}"
        );
    }
}

#[test]
fn parts_learn_at_their_own_rates() {
    let rates = Tuned::rates(1.0);
    let of = |path: &str| rates.lr_from_param(burn::module::ParamId::new(), Some(path));
    assert_eq!((of("net.fc.weight"), of("net.fc.bias")), (1.0, 1.0));
    for path in [
        "net.conv1.weight",
        "net.layer4.1.bn2.gamma",
        "net.layer1.0.conv1.weight",
    ] {
        assert_eq!(of(path), BACKBONE_SLOW);
    }
}

#[test]
fn the_backbone_sees_the_picture_as_it_is() {
    let (w, h) = (6, 4);
    let planes: Vec<u8> = (0..w * h * 3).map(|i| (i * 3) as u8).collect();
    let mut input = vec![0.0; w * h * 3];
    Warp::NONE.write(&planes, w, h, &mut input);
    let x = Tensor::<4>::from_data(TensorData::new(input, [1, 12, h / 2, w / 2]), &Device::flex());
    let seen = normalised(x);
    assert_eq!(seen.dims(), [1, 3, h, w]);
    let seen = seen.into_data().try_to_vec::<f32>().expect("numbers");
    for (i, (v, byte)) in seen.iter().zip(&planes).enumerate() {
        let c = i / (w * h);
        let right = (f32::from(*byte) / 255.0 - MEAN[c]) / DEVIATION[c];
        assert!((v - right).abs() < 1e-4, "{i}: {v} for {right}");
    }
}
