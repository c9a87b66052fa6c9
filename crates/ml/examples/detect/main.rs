//! How well a detector does after some labeled pictures, and how long it learns.
//!
//! `cargo run --release -p limn-ml --example detect -- FOLDER 20 50 100`: the folder has Pascal VOC's files somewhere below it, `.xml` beside or
//! apart from the pictures of the same name. A fifth of the pictures is kept for judging and the same for every row. `STEPS=`, `SEED=` and `SPLIT=`
//! (which fifth, and which pictures come first) in the environment try something else. Prints rows of a table.

use limn_ml::{LocalTrainer, Rng};
use limn_services::training::port::{
    EngineError, Event, Examples, NetBox, NetTraining, SmallPicture, TrainTask, Trainer, Truth,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

struct Data<'a> {
    pictures: Vec<&'a SmallPicture>,
    truths: Vec<&'a Truth>,
}

impl<'a> Data<'a> {
    fn of(list: &'a [(SmallPicture, Truth)]) -> Self {
        Self {
            pictures: list.iter().map(|p| &p.0).collect(),
            truths: list.iter().map(|p| &p.1).collect(),
        }
    }
}

impl Examples for Data<'_> {
    fn len(&self) -> usize {
        self.pictures.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        Ok(self.pictures[n].clone())
    }

    fn truth(&self, n: usize) -> &Truth {
        self.truths[n]
    }
}

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> Anything {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("give the folder")?;
    let counts: Vec<usize> = args.map(|a| a.parse()).collect::<Result<_, _>>()?;
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let trainer = LocalTrainer::new();
    let mut files = BTreeMap::new();
    walk(Path::new(&folder), &mut files)?;
    let (mut all, mut names) = (Vec::new(), Vec::new());
    for found in files.values() {
        if let (Some(picture), Some(labels)) = found {
            let truth = truth(&std::fs::read_to_string(labels)?, &mut names);
            all.push((small(picture, trainer.side(TrainTask::Detection))?, truth));
        }
    }
    Rng::new(number("SPLIT").unwrap_or(5)).shuffle(&mut all);
    let (valid, rest) = all.split_at(all.len() / 5);
    eprintln!(
        "{} pictures to learn from, {} to judge by, {names:?}",
        rest.len(),
        valid.len()
    );
    let valid = Data::of(valid);
    for n in counts {
        let train = Data::of(&rest[..n.min(rest.len())]);
        let steps = number("STEPS").map_or_else(
            || trainer.steps(TrainTask::Detection, train.len()),
            |s| s as usize,
        );
        let t = NetTraining {
            task: TrainTask::Detection,
            categories: names.len(),
            train: &train,
            valid: &valid,
            steps,
            seed: number("SEED").unwrap_or(1),
            resume: None,
        };
        let began = Instant::now();
        let mut learned = 0.0;
        let net = trainer.train(&t, &mut |event| {
            match event {
                Event::Judged { step, figures } => {
                    eprintln!("{step} {:.0} s {figures:?}", began.elapsed().as_secs_f64());
                }
                Event::Step { step, figures } if step.is_multiple_of(20) => eprintln!("{step} {figures:?}"),
                Event::Step { .. } | Event::Checkpoint { .. } => {}
            }
            learned = began.elapsed().as_secs_f64();
            ControlFlow::Continue(())
        })?;
        let percent = |v: f64| format!("{:.1} %", v * 100.0);
        let figures: Vec<String> = net
            .figures
            .iter()
            .map(|(name, v)| format!("{name} {}", percent(*v)))
            .collect();
        let each: Vec<String> = names
            .iter()
            .zip(&net.by_category)
            .map(|(name, v)| format!("{name} {}", v.map_or("-".to_owned(), percent)))
            .collect();
        println!(
            "| {} | {steps} | {} | {} | {learned:.0} s |",
            train.len(),
            figures.join(", "),
            each.join(", ")
        );
        eprintln!(
            "thresholds {:?}, confusion {:?}, {} bytes",
            net.threshold,
            net.confusion,
            net.model.len()
        );
    }
    Ok(())
}

type Found = BTreeMap<String, (Option<PathBuf>, Option<PathBuf>)>;

/// Pictures and their labels by the name without its ending.
fn walk(folder: &Path, into: &mut Found) -> Anything {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let name = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        match ending.as_str() {
            _ if path.is_dir() => walk(&path, into)?,
            "xml" => into.entry(name).or_default().1 = Some(path),
            "jpg" | "jpeg" | "png" => into.entry(name).or_default().0 = Some(path),
            _ => {}
        }
    }
    Ok(())
}

fn small(path: &Path, side: u32) -> Result<SmallPicture, Box<dyn std::error::Error>> {
    let picture = image::open(path)?;
    let picture = if picture.width().max(picture.height()) > side {
        picture.thumbnail(side, side)
    } else {
        picture
    };
    let rgb = picture.into_rgb8();
    Ok(SmallPicture {
        width: rgb.width() as usize,
        height: rgb.height() as usize,
        rgb: rgb.into_raw(),
    })
}

/// The first thing between `<tag>` and `</tag>`.
fn within<'a>(text: &'a str, tag: &str) -> &'a str {
    let after = text.split_once(&format!("<{tag}>")).map_or("", |p| p.1);
    after.split_once(&format!("</{tag}>")).map_or("", |p| p.0)
}

fn truth(xml: &str, names: &mut Vec<String>) -> Truth {
    let number = |text: &str, tag: &str| within(text, tag).trim().parse::<f32>().unwrap_or(0.0);
    let (w, h) = (number(xml, "width").max(1.0), number(xml, "height").max(1.0));
    let boxes = xml.split("<object>").skip(1).map(|object| {
        let name = within(object, "name").trim();
        let category = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        let (x, y) = (number(object, "xmin"), number(object, "ymin"));
        NetBox {
            category,
            x: x / w,
            y: y / h,
            width: (number(object, "xmax") - x) / w,
            height: (number(object, "ymax") - y) / h,
        }
    });
    Truth::Boxes(boxes.collect())
}
