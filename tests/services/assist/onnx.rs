//! Networks that come as ONNX: what they say of pictures, what is refused, and a project that is described by one.

use super::backbone::{by, register};
use super::world::World;
use crate::refusal;
use limn_domain::Role;
use limn_domain::assist::AssistState;
use limn_domain::project::Task;
use limn_ml::LocalEngine;
use limn_services::assist::port::{Engine as _, EngineError, NetFile, PictureNet, SmallPicture, StopCheck};
use limn_store::repo;
use limn_testkit::on_both;
use limn_testkit::onnx::{Attr, Onnx, describer};
use std::sync::Arc;

fn open(bytes: &[u8]) -> Result<Arc<dyn PictureNet>, EngineError> {
    LocalEngine::new().picture_net(bytes, NetFile::Onnx)
}

fn why(bytes: &[u8]) -> String {
    match open(bytes) {
        Err(EngineError::Refused(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(net) => panic!("{} takes it", net.name()),
    }
}

fn flat([r, g, b]: [u8; 3]) -> SmallPicture {
    SmallPicture {
        width: 5,
        height: 4,
        rgb: [r, g, b].repeat(20),
    }
}

fn never() -> StopCheck {
    Arc::new(|| false)
}

/// What goes in comes out, averaged.
fn identity(dims: &[i64]) -> Onnx {
    Onnx::new()
        .input("x", dims)
        .node("Identity", &["x"], "y", &[])
        .output("y", dims)
}

#[test]
fn a_map_is_averaged_over_normalised_colours() {
    let colour = [200, 50, 100];
    let wanted: Vec<f64> = colour
        .iter()
        .zip([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)])
        .map(|(c, (mean, deviation))| (f64::from(*c) / 255.0 - mean) / deviation)
        .collect();
    let length = wanted.iter().map(|v| v * v).sum::<f64>().sqrt();
    // Channels first and last, one picture at a time, any number, and two at a time; sizes fixed and open.
    for dims in [
        [1, 3, 16, 24],
        [-1, 3, 16, 16],
        [2, 3, 8, 8],
        [-1, 3, -1, -1],
        [1, 16, 8, 3],
        [-1, -1, -1, 3],
    ] {
        let net = open(&identity(&dims).bytes()).unwrap();
        let pictures = vec![flat(colour), flat([9, 9, 9]), flat(colour)];
        let found = net.embed(&pictures, &never()).unwrap();
        assert_eq!((found.len(), found[0].len()), (3, 3), "{dims:?}");
        for (v, w) in found[0].iter().zip(&wanted) {
            assert!(
                (f64::from(*v) - w * 4.0 / length).abs() < 1e-4,
                "{dims:?} {found:?}"
            );
        }
        assert_eq!(found[0], found[2]);
        assert_ne!(found[0], found[1]);
        let all: StopCheck = Arc::new(|| true);
        assert!(matches!(net.embed(&pictures, &all), Err(EngineError::Stopped)));
    }
    assert_eq!(open(&identity(&[1, 3, 16, 24]).bytes()).unwrap().side(), 24);
    assert_eq!(open(&identity(&[-1, 3, -1, -1]).bytes()).unwrap().side(), 224);
}

#[test]
fn what_cannot_be_used_says_why() {
    let dims = [-1, 3, 32, 32];
    let good = describer(32, 8);
    assert!(open(&good).is_ok());
    for (bytes, told) in [
        (good[..good.len() / 2].to_vec(), "cut off"),
        (Vec::new(), "no ONNX file"),
        (b"\x89PNG\r\n\x1a\nand so on".to_vec(), "no ONNX file"),
        (
            Onnx::new()
                .input("x", &dims)
                .node("Frobnicate", &["x"], "z", &[])
                .node("Twist", &["z"], "y", &[])
                .output("y", &dims)
                .bytes(),
            "operators that cannot be run here: Frobnicate, Twist",
        ),
        (identity(&[-1, 4, 32, 32]).bytes(), "has not 3 channels"),
        (identity(&[-1, 3, 32]).bytes(), "has not the four sides"),
        (identity(&[-1, 3, 4000, 4000]).bytes(), "4000 x 4000 pixels"),
        (identity(&[500, 3, 32, 32]).bytes(), "500 pictures at once"),
        (
            Onnx::new()
                .input_ints("x", &dims)
                .node("Identity", &["x"], "y", &[])
                .output("y", &dims)
                .bytes(),
            "no 32-bit floats",
        ),
        (identity(&dims).input("mask", &[1]).bytes(), "2 inputs (x, mask)"),
        (
            identity(&dims)
                .node("Relu", &["x"], "z", &[])
                .output("z", &dims)
                .bytes(),
            "2 outputs (y, z)",
        ),
        (
            Onnx::new()
                .input("x", &dims)
                .ints("to", &[3], &[0, 3, -1])
                .node("Reshape", &["x", "to"], "y", &[])
                .output("y", &[-1, 3, 1024])
                .bytes(),
            "has the form [1, 3, 1024]",
        ),
        (
            Onnx::new()
                .input("x", &dims)
                .elsewhere("w", &[8, 3, 4, 4])
                .node("Conv", &["x", "w"], "y", &[])
                .output("y", &dims)
                .bytes(),
            "in another file",
        ),
        (
            Onnx::new()
                .input("x", &dims)
                .floats("w", &[8, 3, 4, 4], &[0.5; 7])
                .node("Conv", &["x", "w"], "y", &[])
                .output("y", &dims)
                .bytes(),
            "w has another size than its form says",
        ),
        // What nobody makes, and a step that reads what comes after it.
        (
            Onnx::new()
                .input("x", &dims)
                .node("Relu", &["x"], "z", &[])
                .output("y", &dims)
                .bytes(),
            "",
        ),
        (
            Onnx::new()
                .input("x", &dims)
                .node("Add", &["x", "z"], "y", &[])
                .node("Relu", &["y"], "z", &[])
                .output("z", &dims)
                .bytes(),
            "",
        ),
    ] {
        let found = why(&bytes);
        assert!(found.contains(told), "{told}: {found}");
    }
}

#[test]
fn no_more_memory_is_taken_than_is_allowed() {
    let dims = [1, 3, 32, 32];
    // 36 gigabytes of one constant, and of a picture laid out again and again.
    let constant = Onnx::new()
        .input("x", &dims)
        .ints("shape", &[4], &[1, 3, 32, 100_000_000])
        .node("ConstantOfShape", &["shape"], "zeros", &[])
        .node("ReduceSum", &["zeros"], "sum", &[("keepdims", Attr::Int(0))])
        .node("Add", &["x", "sum"], "y", &[])
        .output("y", &dims);
    let tiled = Onnx::new()
        .input("x", &dims)
        .ints("times", &[4], &[1, 1, 2_000, 1_500])
        .node("Tile", &["x", "times"], "y", &[])
        .output("y", &[1, 3, -1, -1]);
    // A range that falls, and one whose ends are further apart than a number of 64 bits.
    let range = |start: i64, end: i64, step: i64| {
        Onnx::new()
            .input("x", &dims)
            .ints("start", &[], &[start])
            .ints("end", &[], &[end])
            .ints("step", &[], &[step])
            .node("Range", &["start", "end", "step"], "all", &[])
            .node("Cast", &["all"], "floats", &[("to", Attr::Int(1))])
            .node("ReduceSum", &["floats"], "sum", &[("keepdims", Attr::Int(0))])
            .node("Add", &["x", "sum"], "y", &[])
            .output("y", &dims)
    };
    assert!(open(&range(0, 6, 2).bytes()).is_ok());
    let falling = range(9_000_000_000, 0, -1);
    let wide = range(i64::MIN, i64::MAX, 1 << 32);
    for net in [constant, tiled, falling, wide] {
        let found = why(&net.bytes());
        assert!(found.contains("more than a gigabyte"), "{found}");
    }
    assert!(why(&range(0, 9, 0).bytes()).contains("never ends"));
    let window = Onnx::new()
        .input("x", &dims)
        .ints("size", &[], &[40_000_000_000])
        .node("HannWindow", &["size"], "window", &[])
        .node("ReduceSum", &["window"], "sum", &[("keepdims", Attr::Int(0))])
        .node("Add", &["x", "sum"], "y", &[])
        .output("y", &dims);
    let found = why(&window.bytes());
    assert!(found.contains("cannot be run here: HannWindow"), "{found}");
}

#[test]
fn damaged_files_never_break_the_server() {
    let whole = describer(16, 4);
    let mut state = 7_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(bytes.len() - random(2) * random(40));
        // Some still are networks.
        let _ = open(&bytes).map(|net| net.embed(&[flat([1, 2, 3])], &never()));
    }
}

#[tokio::test]
async fn a_registered_onnx_file_describes_the_pictures() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        let admin = w.studio.person("Ada", Role::Admin).await;
        w.add_shapes(24, 9).await;
        let good = register(&w, &admin, "tiny", "tiny.onnx", describer(32, 8).into()).await;
        let cut = register(
            &w,
            &admin,
            "tiny",
            "model.onnx",
            describer(32, 8)[..90].to_vec().into(),
        )
        .await;
        assert_eq!(
            w.studio.assist.backbones(&w.manager, w.project).await.unwrap(),
            [cut.clone(), good.clone()]
        );
        let found = refusal(w.studio.assist.update(&w.manager, w.project, by(&cut)).await);
        assert!(
            found
                .for_field("backbone")
                .is_some_and(|m| m.contains("This ONNX file cannot describe pictures")),
            "{found:?}"
        );
        assert_eq!(w.get().await.state, AssistState::Off);
        w.change(by(&good)).await;
        let seen = w.run().await;
        assert_eq!(
            (seen.items.seen, seen.settings.backbone.unwrap().to_string()),
            (24, good)
        );
        let mut tx = w.studio.db.db().read().await.unwrap();
        let row = repo::assist::get(&mut tx, w.project).await.unwrap();
        assert!(row.unwrap().encoder_key.unwrap().starts_with("onnx:"));
    })
    .await;
}
