//! How well a segmenter does after some labeled pictures, and how long it learns.
//!
//! `cargo run --release -p limn-ml --example segment -- PICTURES MASKS 10 20 40`: the masks are gray PNG files of the pictures' names, whose values are
//! categories; the value of `VOID=` in the environment (11 as CamVid has it) is none. A quarter of the pictures is kept for judging and the same for every
//! row. With `--assist` before the folders a simulated person labels them in the assist's order, in random order, and all. `STEPS=`, `SEED=` and `SPLIT=`
//! (which quarter, and which pictures come first) try something else. Prints rows of a table.

mod common;

use common::simulated::Finds;
use common::{Anything, Asked, Data, Labeled, Learning, figures, number, small};
use limn_domain::CategoryId;
use limn_domain::assist::{AssistSettings, Figures};
use limn_domain::project::Task;
use limn_ml::LocalTrainer;
use limn_services::assist::port::{Engine, JudgedMap, JudgedMasks};
use limn_services::training::port::{
    Examples, Net, Painted, PixelMap, SmallPicture, TrainTask, TrainedNet, Trainer, Truth,
};
use std::path::Path;

/// Pictures painted at once.
const BATCH: usize = 16;

fn main() -> Anything {
    let asked = Asked::read(["the pictures", "the masks"])?;
    let [pictures, masks] = &asked.folders;
    let (all, categories) = read(pictures, masks)?;
    let learning = Learning::new(TrainTask::Segmentation, categories, all, 4)?;
    asked.measure(&learning, &Masks, |net| {
        eprintln!("{:?}", net.by_category);
        figures(net)
    })
}

/// As the job of the assist paints masks.
struct Masks;

impl Finds for Masks {
    fn judge(
        &self,
        engine: &dyn Engine,
        trained: &TrainedNet,
        net: &dyn Net,
        train: &Data<'_>,
        valid: &Data<'_>,
    ) -> Anything<(Vec<Option<f32>>, Figures)> {
        let categories = trained.threshold.len();
        let mut trained_masks = vec![0; categories];
        for category in train.0.iter().flat_map(|p| map_of(&p.1).categories()) {
            trained_masks[category] += 1;
        }
        let rights = valid.0.iter().map(|p| map_of(&p.1).clone());
        Ok(engine.judge_masks(&JudgedMasks {
            pictures: rights
                .zip(painted(net, valid)?)
                .map(|(right, said)| JudgedMap { right, said })
                .collect(),
            categories: (0..categories).map(|_| CategoryId::new()).collect(),
            trained_on: train.len() as i64,
            trained_masks,
            accuracy: AssistSettings::of(Task::Semantic).accuracy,
        }))
    }

    fn find(&self, net: &dyn Net, pictures: &Data<'_>) -> Anything<Vec<Vec<(usize, f32)>>> {
        let all = painted(net, pictures)?;
        let marks = |p: &Painted| {
            let there = p.map.categories().into_iter();
            there
                .map(|c| (c, p.sure.get(c).copied().unwrap_or(0.0)))
                .collect()
        };
        Ok(all.iter().map(marks).collect())
    }
}

/// What every pixel of each picture shows, at the size of its mask.
fn painted(net: &dyn Net, pictures: &Data<'_>) -> Anything<Vec<Painted>> {
    let mut all = Vec::with_capacity(pictures.len());
    for part in pictures.0.chunks(BATCH) {
        let small: Vec<SmallPicture> = part.iter().map(|p| p.0.clone()).collect();
        let size = |truth: &Truth| (map_of(truth).width, map_of(truth).height);
        let sizes: Vec<(usize, usize)> = part.iter().map(|p| size(&p.1)).collect();
        all.extend(net.paint(&small, &sizes)?);
    }
    Ok(all)
}

/// All truths here are maps.
fn map_of(truth: &Truth) -> &PixelMap {
    match truth {
        Truth::Pixels(map) => map,
        Truth::Boxes(_) | Truth::Objects { .. } | Truth::Categories(_) => unreachable!("a map was read"),
    }
}

/// The labeled pictures in the order of their names, and how many categories there are.
fn read(pictures: &Path, masks: &Path) -> Anything<(Vec<Labeled>, usize)> {
    let void = number("VOID").unwrap_or(11) as u8;
    let side = LocalTrainer::new().side(TrainTask::Segmentation);
    let mut names: Vec<_> = std::fs::read_dir(pictures)?
        .map(|e| e.map(|e| e.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let (mut all, mut categories) = (Vec::new(), 0);
    for name in &names {
        let picture =
            image::open(pictures.join(name))?.resize(side, side, image::imageops::FilterType::Triangle);
        let mask = image::open(masks.join(name))?.into_luma8();
        let (w, h) = (mask.width() as usize, mask.height() as usize);
        let pixels: Vec<u8> = mask
            .into_raw()
            .into_iter()
            .map(|v| if v == void { PixelMap::NOTHING } else { v })
            .collect();
        let map = PixelMap::new(w, h, &pixels);
        categories = categories.max(map.categories().last().map_or(0, |c| c + 1));
        all.push((small(picture, side), Truth::Pixels(map)));
    }
    Ok((all, categories))
}
