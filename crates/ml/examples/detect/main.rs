//! How well a detector does after some labeled pictures, and how long it learns.
//!
//! `cargo run --release -p limn-ml --example detect -- FOLDER 20 50 100`: the folder has Pascal VOC's files somewhere below it, `.xml` beside or
//! apart from the pictures of the same name, or else COCO's, a `.json` that names the pictures. A fifth of the pictures is kept for judging and the same for
//! every row. With `--assist` before the folder a simulated person labels them in the assist's order, in random order, and all. `STEPS=`, `SEED=` and
//! `SPLIT=` (which fifth, and which pictures come first) in the environment try something else. Prints rows of a table.

mod coco;
#[path = "../common/mod.rs"]
mod common;
mod voc;

use common::simulated::Finds;
use common::{Anything, Asked, Data, Labeled, Learning, figures, percent, small};
use limn_domain::CategoryId;
use limn_domain::assist::{AssistSettings, Figures};
use limn_domain::project::Task;
use limn_ml::LocalTrainer;
use limn_services::assist::port::{Engine, JudgedBoxes, JudgedPicture};
use limn_services::training::port::{Examples, Net, NetBox, Prediction, TrainTask, TrainedNet, Trainer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Pictures looked through at once.
const BATCH: usize = 64;

fn main() -> Anything {
    let asked = Asked::read(["the folder"])?;
    let [folder] = &asked.folders;
    let (all, names) = read(folder)?;
    eprintln!("{names:?}");
    let learning = Learning::new(TrainTask::Detection, names.len(), all, 5)?;
    asked.measure(&learning, &Boxes, |net| {
        eprintln!(
            "thresholds {:?}, confusion {:?}, {} bytes",
            net.threshold,
            net.confusion,
            net.model.len()
        );
        let each: Vec<String> = names
            .iter()
            .zip(&net.by_category)
            .map(|(name, v)| format!("{name} {}", v.map_or("-".to_owned(), percent)))
            .collect();
        format!("{} | {}", figures(net), each.join(", "))
    })
}

/// As the job of the assist finds boxes.
struct Boxes;

impl Finds for Boxes {
    fn judge(
        &self,
        engine: &dyn Engine,
        trained: &TrainedNet,
        _: &dyn Net,
        train: &Data<'_>,
        valid: &Data<'_>,
    ) -> Anything<(Vec<Option<f32>>, Figures)> {
        let categories = trained.threshold.len();
        let mut trained_boxes = vec![0; categories];
        for b in train.0.iter().flat_map(|p| p.1.boxes()) {
            trained_boxes[b.category] += 1;
        }
        let pictures = valid.0.iter().zip(&trained.predictions);
        Ok(engine.judge_boxes(&JudgedBoxes {
            pictures: pictures
                .map(|(p, said)| JudgedPicture {
                    right: p.1.boxes().to_vec(),
                    found: found(said).to_vec(),
                })
                .collect(),
            categories: (0..categories).map(|_| CategoryId::new()).collect(),
            trained_on: train.len() as i64,
            trained_boxes,
            worth: trained.threshold.clone(),
            map50: trained.figures.iter().find(|f| f.0 == "mAP50").map(|f| f.1),
            accuracy: AssistSettings::of(Task::Detection).accuracy,
        }))
    }

    fn find(&self, net: &dyn Net, pictures: &Data<'_>) -> Anything<Vec<Vec<(usize, f32)>>> {
        let mut all = Vec::with_capacity(pictures.len());
        for part in pictures.0.chunks(BATCH) {
            let small: Vec<_> = part.iter().map(|p| p.0.clone()).collect();
            for said in net.predict(&small)? {
                all.push(found(&said).iter().map(|(b, sure)| (b.category, *sure)).collect());
            }
        }
        Ok(all)
    }
}

/// The boxes that it found.
fn found(said: &Prediction) -> &[(NetBox, f32)] {
    match said {
        Prediction::Boxes(list) => list,
        Prediction::Categories(_) | Prediction::Pixels { .. } => &[],
    }
}

/// What lies below a folder.
#[derive(Default)]
struct Files {
    /// By the name.
    pictures: BTreeMap<String, PathBuf>,
    voc: BTreeMap<String, PathBuf>,
    coco: Vec<PathBuf>,
}

impl Files {
    fn walk(&mut self, folder: &Path) -> Anything {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let part = |of: Option<&std::ffi::OsStr>| of.map(|s| s.to_string_lossy().into_owned());
            let ending = part(path.extension()).unwrap_or_default().to_lowercase();
            match ending.as_str() {
                _ if path.is_dir() => self.walk(&path)?,
                "xml" => {
                    self.voc.insert(part(path.file_stem()).unwrap_or_default(), path);
                }
                "json" => self.coco.push(path),
                "jpg" | "jpeg" | "png" => {
                    self.pictures
                        .insert(part(path.file_name()).unwrap_or_default(), path);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The labeled pictures in the order of their names, and the categories. Errors: nothing that is labeled; a picture that cannot be read.
fn read(folder: &Path) -> Anything<(Vec<Labeled>, Vec<String>)> {
    let mut files = Files::default();
    files.walk(folder)?;
    let side = LocalTrainer::new().side(TrainTask::Detection);
    let (mut all, mut names) = (Vec::new(), Vec::new());
    let by_stem: BTreeMap<String, &PathBuf> = files
        .pictures
        .values()
        .filter_map(|path| Some((path.file_stem()?.to_string_lossy().into_owned(), path)))
        .collect();
    for (stem, picture) in &by_stem {
        if let Some(labels) = files.voc.get(stem) {
            let truth = voc::truth(&std::fs::read_to_string(labels)?, &mut names);
            all.push((small(image::open(picture)?, side), truth));
        }
    }
    if all.is_empty() {
        files.coco.sort();
        for path in &files.coco {
            // Other files may end so, too.
            let truths = coco::truths(&std::fs::read_to_string(path)?, &mut names).unwrap_or_default();
            for (name, truth) in truths {
                if let Some(picture) = files.pictures.get(&name) {
                    all.push((small(image::open(picture)?, side), truth));
                }
            }
        }
    }
    if all.is_empty() {
        return Err("The folder has no pictures with labels as Pascal VOC's or COCO's files.".into());
    }
    Ok((all, names))
}

/// The place of a category among the names, where it is put if it is new.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|n| n == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
