//! What a ResNet says, and how long that takes, for `tests/peers/resnet_journey.py`, which asks PyTorch the same.
//!
//! `cargo run --release -p limn-ml --example resnet -- WEIGHTS.safetensors INPUT SIDE`: the input is 32-bit floats, little-endian, `[n, 3, SIDE, SIDE]`.
//! Prints JSON: the logits, and the middle of several times of a forward pass and of a step of training, in milliseconds.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use limn_ml::backbone::{Network, ResNet, network};
use std::time::Instant;

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn resnet(bytes: &[u8], device: &Device) -> ResNet {
    match network(bytes, device).expect("a network") {
        Network::ResNet(net) => *net,
        other => panic!("trained here is a ResNet, and this is another network: {other:?}"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [weights, input, side] = &args[..] else {
        eprintln!("usage: resnet WEIGHTS.safetensors INPUT SIDE");
        std::process::exit(2);
    };
    let side: usize = side.parse().expect("a side in pixels");
    let bytes = std::fs::read(weights).expect("the weights");
    let raw = std::fs::read(input).expect("the input");
    let (fours, _) = raw.as_chunks::<4>();
    let values: Vec<f32> = fours.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let n = values.len() / (3 * side * side);
    let tensor =
        |device: &Device| Tensor::<4>::from_data(TensorData::new(values.clone(), [n, 3, side, side]), device);

    let device = Device::flex();
    let net = resnet(&bytes, &device);
    let mut logits = Vec::new();
    let forward = (0..5).map(|_| {
        let x = tensor(&device);
        let began = Instant::now();
        let out = net.logits(x).expect("a last layer").into_data();
        logits = out.try_to_vec::<f32>().expect("floats");
        began.elapsed().as_secs_f64() * 1e3
    });
    let forward = median(forward.collect());

    let device = Device::flex().autodiff();
    let mut net = resnet(&bytes, &device);
    let mut optimiser = SgdConfig::new().init();
    let classes = logits.len() / n;
    let wanted: Vec<i64> = (0..n).map(|i| (i % classes) as i64).collect();
    let mut steps = Vec::new();
    for _ in 0..3 {
        let (x, y) = (
            tensor(&device),
            Tensor::<1, Int>::from_data(TensorData::new(wanted.clone(), [n]), &device),
        );
        let began = Instant::now();
        let loss = CrossEntropyLossConfig::new()
            .init(&device)
            .forward(net.logits(x).expect("a last layer"), y);
        let grads = GradientsParams::from_grads(loss.backward(), &net);
        net = optimiser.step(0.01, net, grads);
        steps.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let said = serde_json::json!({ "logits": logits, "forward_ms": forward, "step_ms": median(steps) });
    println!("{said}");
}
