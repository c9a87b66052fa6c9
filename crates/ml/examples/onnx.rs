//! What an ONNX network says of a picture, for `tests/peers/onnx_journey.py`, which asks onnxruntime the same.
//!
//! `cargo run --release -p limn-ml --example onnx -- NETWORK.onnx PICTURE WIDTH HEIGHT`: the picture is RGB bytes, row by row. Prints JSON: the
//! description, and the middle of several times that it took, in milliseconds.

use limn_ml::LocalEngine;
use limn_services::assist::port::{Engine as _, NetFile, SmallPicture, StopCheck};
use std::sync::Arc;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [network, picture, width, height] = &args[..] else {
        return Err("give a network, a picture, its width and its height".into());
    };
    let began = Instant::now();
    let net = LocalEngine::new().picture_net(&std::fs::read(network)?, NetFile::Onnx)?;
    let opened = began.elapsed().as_secs_f64() * 1e3;
    let picture = [SmallPicture {
        width: width.parse()?,
        height: height.parse()?,
        rgb: std::fs::read(picture)?,
    }];
    let never: StopCheck = Arc::new(|| false);
    let (mut took, mut found) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let began = Instant::now();
        found = net.embed(&picture, &never)?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let told = serde_json::json!({
        "features": found.first(),
        "side": net.side(),
        "opened_ms": opened,
        "ms": took[took.len() / 2],
    });
    println!("{told}");
    Ok(())
}
