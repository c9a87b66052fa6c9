//! How well a segmenter does after some labeled pictures, and how long it learns.
//!
//! `cargo run --release -p limn-ml --example segment -- PICTURES MASKS 10 20 40`: the masks are gray PNG files of the pictures' names, whose values are
//! categories; the value of `VOID=` in the environment (11 as CamVid has it) is none. A quarter of the pictures is kept for judging and the same for every
//! row. `STEPS=` and `SEED=` try something else. Prints rows of a table.

use limn_ml::{LocalTrainer, Rng};
use limn_services::training::port::{
    EngineError, Event, Examples, NetTraining, PixelMap, SmallPicture, TrainTask, Trainer, Truth,
};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

struct Data<'a>(&'a [(SmallPicture, Truth)]);

impl Examples for Data<'_> {
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (pictures, masks) = (
        args.next().ok_or("give the pictures")?,
        args.next().ok_or("give the masks")?,
    );
    let counts: Vec<usize> = args.map(|a| a.parse()).collect::<Result<_, _>>()?;
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let void = number("VOID").unwrap_or(11) as u8;
    let trainer = LocalTrainer::new();
    let side = trainer.side(TrainTask::Segmentation);
    let mut names: Vec<_> = std::fs::read_dir(&pictures)?
        .map(|e| e.map(|e| e.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let (mut all, mut categories) = (Vec::new(), 0);
    for name in &names {
        let small = image::open(Path::new(&pictures).join(name))?
            .resize(side, side, image::imageops::FilterType::Triangle)
            .into_rgb8();
        let mask = image::open(Path::new(&masks).join(name))?.into_luma8();
        let (w, h) = (mask.width() as usize, mask.height() as usize);
        let pixels: Vec<u8> = mask
            .into_raw()
            .into_iter()
            .map(|v| if v == void { PixelMap::NOTHING } else { v })
            .collect();
        let map = PixelMap::new(w, h, &pixels);
        categories = categories.max(map.categories().last().map_or(0, |c| c + 1));
        let picture = SmallPicture {
            width: small.width() as usize,
            height: small.height() as usize,
            rgb: small.into_raw(),
        };
        all.push((picture, Truth::Pixels(map)));
    }
    Rng::new(5).shuffle(&mut all);
    let (valid, rest) = all.split_at(all.len() / 4);
    eprintln!(
        "{} pictures to learn from, {} to judge by",
        rest.len(),
        valid.len()
    );
    for n in counts {
        let train = Data(&rest[..n.min(rest.len())]);
        let steps = number("STEPS").map_or_else(
            || trainer.steps(TrainTask::Segmentation, train.len()),
            |s| s as usize,
        );
        let t = NetTraining {
            task: TrainTask::Segmentation,
            categories,
            train: &train,
            valid: &Data(valid),
            steps,
            seed: number("SEED").unwrap_or(1),
            resume: None,
        };
        let began = Instant::now();
        let net = trainer.train(&t, &mut |event| {
            if let Event::Judged { step, figures } = event {
                eprintln!("{step} {:.0} s {figures:?}", began.elapsed().as_secs_f64());
            }
            ControlFlow::Continue(())
        })?;
        let figures: Vec<String> = net
            .figures
            .iter()
            .map(|(name, v)| format!("{name} {:.1} %", v * 100.0))
            .collect();
        println!(
            "| {} | {steps} | {} | {:.0} s |",
            train.len(),
            figures.join(", "),
            began.elapsed().as_secs_f64()
        );
        eprintln!("{:?}", net.by_category);
    }
    Ok(())
}
