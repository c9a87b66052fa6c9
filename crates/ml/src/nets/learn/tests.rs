use super::super::layers::last;
use super::*;
use burn::nn::conv::Conv2d;
use limn_services::training::port::SmallPicture;

/// From here the rate takes it below zero in two steps.
const START: f32 = 0.004;

/// Learns to make one number small by the number's logarithm, until there is none.
#[derive(Module, Debug)]
struct Astray {
    last: Conv2d,
}

impl Network for Astray {
    fn begin(_: &Plan, _: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError> {
        Ok(Self {
            last: last(CHANNELS, 1, START, device),
        })
    }

    fn losses(&self, _: Tensor<4>, _: Targets, _: &Plan) -> Result<Losses, EngineError> {
        let Some(bias) = &self.last.bias else {
            return Err(EngineError::Broken("it has lost its number".to_owned()));
        };
        Ok(Losses {
            total: bias.val().log().mean(),
            parts: Vec::new(),
        })
    }

    fn say(&self, _: Tensor<4>, _: &Design) -> Result<Vec<Prediction>, EngineError> {
        Ok(Vec::new())
    }
}

struct Gray(Vec<Truth>);

impl Examples for Gray {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn picture(&self, _: usize) -> Result<SmallPicture, EngineError> {
        Ok(SmallPicture {
            width: 16,
            height: 16,
            rgb: vec![120; 16 * 16 * 3],
        })
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.0[n]
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_training() {
    let train = Gray((0..8).map(|n| Truth::Categories(vec![n % 2])).collect());
    let t = NetTraining {
        task: TrainTask::Classification,
        categories: 2,
        train: &train,
        valid: &Gray(Vec::new()),
        steps: 20,
        seed: 1,
        backbone: None,
        resume: None,
    };
    let plan = Plan::of(&t).unwrap();
    let (mut losses, mut kept) = (Vec::new(), Vec::new());
    let mut tell = |event: Event| -> Result<(), EngineError> {
        match event {
            Event::Step { step, figures } => losses.push((step, figures)),
            Event::Checkpoint { step, .. } => kept.push(step),
            Event::Judged { .. } => {}
        }
        Ok(())
    };
    let why = match learn::<Astray>(&plan, &t, Duration::ZERO, &Device::flex(), &mut tell) {
        Err(EngineError::Broken(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(why.contains("the loss is no number"), "{why}");
    // What went before is told, and nothing that is no number is told or kept.
    let told: Vec<usize> = losses.iter().map(|(step, _)| *step).collect();
    assert_eq!((told, kept), (vec![1, 2], vec![1, 2]));
    assert!(
        losses.iter().flat_map(|(_, f)| f).all(|(_, v)| v.is_finite()),
        "{losses:?}"
    );
}
