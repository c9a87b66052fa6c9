//! What a network of torchvision's says, for `tests/peers/backbone_journey.py`, which asks PyTorch the same.
//!
//! `cargo run --release -p limn-ml --example backbone -- WEIGHTS INPUT SIDE`: the input is 32-bit floats, little-endian, `[n, 3, SIDE, SIDE]`. Prints
//! JSON: what describes the pictures, the logits, and the middle of several times of a forward pass, in milliseconds.

use burn::tensor::{Device, Tensor, TensorData};
use limn_ml::backbone::network;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [weights, input, side] = &args[..] else {
        eprintln!("usage: backbone WEIGHTS INPUT SIDE");
        std::process::exit(2);
    };
    let side: usize = side.parse().expect("a side in pixels");
    let bytes = std::fs::read(weights).expect("the weights");
    let raw = std::fs::read(input).expect("the input");
    let (fours, _) = raw.as_chunks::<4>();
    let values: Vec<f32> = fours.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let n = values.len() / (3 * side * side);
    let device = Device::flex();
    let tensor = || Tensor::<4>::from_data(TensorData::new(values.clone(), [n, 3, side, side]), &device);
    let net = network(&bytes, &device).expect("a network");
    let floats = |t: Tensor<2>| t.into_data().try_to_vec::<f32>().expect("floats");
    let features = floats(net.features(tensor()));
    let (mut logits, mut took) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let x = tensor();
        let began = Instant::now();
        logits = floats(net.logits(x).expect("a last layer"));
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let said = serde_json::json!({ "features": features, "logits": logits, "ms": took[took.len() / 2] });
    println!("{said}");
}
