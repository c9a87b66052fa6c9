//! `bench --assist`: a simulated person labels pictures with the assist, at random, and all.

use super::{keep, machine};
use crate::{sh, ws};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const DIGITS: Place = Place {
    begin: "<!-- table: `cargo xtask bench --assist --save` -->\n",
    end: "<!-- end of the assist's table -->\n",
    head: "| order | labels until 98 % of the rest are right: median (most) | right on the rest at 50 labels | proposed right at the end | kept within the interval | slowest training |\n|---|---|---|---|---|---|\n",
};
const BOXES: Place = Place {
    begin: "<!-- table: `cargo xtask bench --assist --boxes FOLDER --save` -->\n",
    end: "<!-- end of the boxes' table -->\n",
    head: "| order | pictures | steps | mAP50 | boxes proposed, right | of all boxes, found by proposals | training |\n|---|---|---|---|---|---|---|\n",
};
const MASKS: Place = Place {
    begin: "<!-- table: `cargo xtask bench --assist --masks PICTURES MASKS --save` -->\n",
    end: "<!-- end of the masks' table -->\n",
    head: "| order | pictures | steps | mean IoU | masks proposed, right | of all masks, found by proposals | training |\n|---|---|---|---|---|---|---|\n",
};
/// Pictures after which the suggestions are judged.
const BOXES_AFTER: [&str; 3] = ["20", "50", "100"];
const MASKS_AFTER: [&str; 3] = ["10", "20", "40"];
/// Steps of each training with `--quick`.
const QUICK: &str = "20";
/// Writes scikit-learn's 1,797 digits as pictures named by what they show.
const WRITE_DIGITS: &str = r"
import sys
from pathlib import Path
from PIL import Image
from sklearn.datasets import load_digits
digits = load_digits()
for n, (picture, digit) in enumerate(zip(digits.images, digits.target)):
    Image.fromarray((picture * 255 / 16).round().astype('uint8')).save(Path(sys.argv[1]) / f'{digit}_{n:04d}.png')
";

/// A table, and its place in docs/benchmarks.md.
struct Place {
    begin: &'static str,
    end: &'static str,
    head: &'static str,
}

/// Labeled pictures to measure on.
#[derive(Debug, Default, PartialEq)]
pub struct Folders {
    /// With Pascal VOC's or COCO's files below it.
    pub boxes: Option<String>,
    /// Pictures, and their masks.
    pub masks: Option<[String; 2]>,
}

/// On the folders, or without any on scikit-learn's digits. `quick`: networks learn so shortly that only the way is tried.
pub fn run(folders: &Folders, quick: bool, save: bool) -> Result<ExitCode> {
    if *folders == Folders::default() {
        return digits(save);
    }
    // One that is not there is told before the other has been measured for half an hour.
    let boxes = folders.boxes.as_deref().map(found).transpose()?;
    let masks = match &folders.masks {
        Some([pictures, masks]) => Some([found(pictures)?, found(masks)?]),
        None => None,
    };
    let steps = (quick && std::env::var_os("STEPS").is_none()).then_some(QUICK);
    let networks = [
        ("detect", boxes.map(|folder| vec![folder]), BOXES_AFTER, BOXES),
        ("segment", masks.map(Vec::from), MASKS_AFTER, MASKS),
    ];
    for (name, folders, after, place) in networks {
        let Some(folders) = folders else { continue };
        let mut command = example(name);
        command.arg("--assist").args(folders).args(after);
        if let Some(steps) = steps {
            command.env("STEPS", steps);
        }
        if !table(&mut command, &place, save)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn found(folder: &str) -> Result<PathBuf> {
    std::fs::canonicalize(folder).with_context(|| format!("there is no folder {folder}"))
}

fn digits(save: bool) -> Result<ExitCode> {
    let venv = ws::target().join("digits");
    let python = venv.join("bin/python");
    if !python.exists() {
        sh::step("set-up: a Python environment with scikit-learn, for its digits");
        sh::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        sh::run(Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "scikit-learn==1.7.2",
            "pillow",
        ]))?;
    }
    let folder = std::env::temp_dir().join(format!("limn-digits-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    sh::run(Command::new(&python).args(["-c", WRITE_DIGITS]).arg(&folder))?;
    let mut simulate = example("simulate");
    simulate.arg(&folder).arg("10");
    let whole = table(&mut simulate, &DIGITS, save);
    std::fs::remove_dir_all(&folder)?;
    Ok(if whole? {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// An example of `limn-ml`, in the development build: what computes is optimised in it all the same.
fn example(name: &str) -> Command {
    let mut command = ws::cargo();
    command.args(["run", "--quiet", "--package", "limn-ml", "--example", name, "--"]);
    command
}

/// Runs what prints the rows of a table. Whether it went well.
fn table(command: &mut Command, place: &Place, save: bool) -> Result<bool> {
    let mut table = place.head.to_owned();
    let status = sh::tee(command, |line| {
        if line.starts_with('|') {
            table.push_str(line);
            table.push('\n');
        }
    })?;
    if !status.success() {
        return Ok(false);
    }
    let text = format!("{}\n\n{table}", machine());
    println!("{text}");
    if save {
        keep(place.begin, place.end, &text)?;
    }
    Ok(true)
}
